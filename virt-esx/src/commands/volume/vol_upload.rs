use std::pin::pin;
use std::time::Duration;

use esx_driver::UploadOptions;
use serde::Serialize;
use virt_model::flags::StorageVolUploadFlags;

use super::transfer::reader::Reading;
use crate::answer::Answer;
use crate::commands::Command;
use crate::commands::number::Number;
use crate::commands::options::check_text;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// upload file contents to a volume
///
/// Upload file contents to a volume; `-` is the standard input. The content is replaced as a whole, so that of a disk must
/// be as long as the disk. Hosts cannot continue an upload: an interrupted one leaves a part of the content, and has to be
/// repeated.
#[derive(Debug, clap::Args)]
pub(crate) struct VolUpload {
    #[command(flatten)]
    volume: VolumeArg,

    /// file
    #[arg(value_name = "file", required = true)]
    file: String,

    #[command(flatten)]
    pool: PoolOption,

    /// volume offset to upload to
    #[arg(value_name = "offset", value_parser = Number::parser())]
    offset: Option<Number>,

    /// amount of data to upload
    #[arg(value_name = "length", value_parser = Number::parser())]
    length: Option<Number>,

    /// preserve sparseness of volume
    #[arg(long)]
    sparse: bool,

    /// print the SHA-256 of what was uploaded
    #[arg(long)]
    checksum: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// A volume's content that was uploaded.
#[derive(Debug, Serialize)]
struct Uploaded {
    name: String,
    file: String,
    length_bytes: u64,
    sha256: Option<String>,
}

impl Command for VolUpload {
    fn check(&self) -> Result<(), Failure> {
        self.range().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        check_text("file", Some(&self.file))?;
        let (offset, limit) = self.range()?;
        let reading = match self.file.as_str() {
            "-" => Reading::standard_input(limit),
            file => {
                let cannot = |_| Failure::new(format!("cannot read {file}"));
                Reading::file(file, limit).map_err(cannot)?
            }
        };
        let line = format!("cannot upload to volume {}", volume.name());
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolUpload");
        writable.map_err(failed)?;
        let Reading {
            source,
            length,
            sent,
        } = reading;
        let options = UploadOptions::default().checksum(self.checksum);
        // Holes in the file are zeros like others: hosts take no holes.
        let flags = StorageVolUploadFlags::NONE;
        let upload = volume.upload(source, offset, length, options, flags);
        let total = length.unwrap_or_default();
        let progresses = ui.progresses(&self.progress);
        let mut progress = progresses.begin_transfer(volume.name(), total);
        let (mut upload, mut interrupted) = (pin!(upload), pin!(ui.interruption().comes()));
        let uploaded = loop {
            let tick = tokio::time::sleep(Duration::from_millis(100));
            tokio::select! {
                uploaded = &mut upload => break uploaded,
                () = &mut interrupted => {
                    drop(progress);
                    let (sent, path) = (sent.bytes(), volume.path());
                    let reason = Failure::new("interrupted").followed_by(format!(
                        "{path} may have some of the {sent} bytes that were sent: upload it again"
                    ));
                    return Err(failed(reason));
                }
                () = tick, if progress.is_some() => {
                    if let Some(progress) = &mut progress {
                        progress.show(sent.bytes());
                    }
                }
            }
        };
        drop(progress);
        let uploaded = uploaded.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Uploaded {
            name: volume.name().to_owned(),
            file: self.file,
            length_bytes: uploaded.length,
            sha256: uploaded.sha256.map(|sum| sum.to_string()),
        })?)
    }
}

impl VolUpload {
    /// The offset, and the length if there is one.
    fn range(&self) -> Result<(u64, Option<u64>), Failure> {
        let offset = self.offset.as_ref();
        let offset = offset.map_or(Ok(0), |offset| offset.read("offset"))?;
        let length = self.length.as_ref();
        let length = length.map_or(Ok(0), |length| length.wrapping("length"))?;
        // As in libvirt, 0 is everything.
        Ok((offset, Some(length).filter(|length| *length > 0)))
    }
}

impl Answer for Uploaded {
    const SCHEMA: &'static str = "virt-esx/volume-uploaded/1";

    fn text(&self, _quiet: bool) -> String {
        match &self.sha256 {
            Some(sha256) => format!("SHA-256: {sha256}\n"),
            None => String::new(),
        }
    }
}
