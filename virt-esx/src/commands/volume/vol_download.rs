use std::fs::{File, OpenOptions};
use std::path::Path;
use std::pin::pin;

use esx_driver::{DownloadOptions, FileDownload, Sha256, StorageVol};
use serde::Serialize;
use virt_model::flags::StorageVolDownloadFlags;

use super::transfer::partial::{Begun, Partial, Source};
use super::transfer::ranges::Ranges;
use super::transfer::writer::{Target, Writer, Writing, Written, is_special};
use crate::answer::Answer;
use crate::commands::Command;
use crate::commands::number::Number;
use crate::commands::options::check_text;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::progress::{self, TransferProgress};
use crate::ui::{Interruption, Ui};

/// download volume contents to a file
///
/// Download volume contents to a file; `-` is the standard output. The content of a disk is what a machine sees on it. The
/// file appears when it is complete: until then, what has come is in FILE.part. If the download is interrupted, the same
/// command with --resume goes on where it stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct VolDownload {
    #[command(flatten)]
    volume: VolumeArg,

    /// file
    #[arg(value_name = "file", required = true)]
    file: String,

    #[command(flatten)]
    pool: PoolOption,

    /// volume offset to download from
    #[arg(value_name = "offset", value_parser = Number::parser())]
    offset: Option<Number>,

    /// amount of data to download
    #[arg(value_name = "length", value_parser = Number::parser())]
    length: Option<Number>,

    /// preserve sparseness of volume
    #[arg(long)]
    sparse: bool,

    /// number of connections to use
    #[arg(long, value_name = "number", default_value_t = 1)]
    connections: usize,

    /// continue an interrupted download of the same volume to the same file
    #[arg(long)]
    resume: bool,

    /// print the SHA-256 of what was downloaded
    #[arg(long)]
    checksum: bool,

    /// fail unless what was downloaded has this SHA-256
    #[arg(long, value_name = "string")]
    sha256: Option<String>,

    #[command(flatten)]
    progress: progress::Options,
}

/// A volume's content that was downloaded.
#[derive(Debug, Serialize)]
struct Downloaded {
    name: String,
    file: String,
    offset_bytes: u64,
    length_bytes: u64,
    /// How many of the bytes an earlier download had left.
    resumed_bytes: u64,
    sha256: Option<String>,

    #[serde(skip)]
    shows_checksum: bool,
}

/// Where the content goes.
enum Destination {
    StandardOutput,
    File(Partial),
    /// A device or a pipe.
    Special(File),
}

impl Command for VolDownload {
    fn check(&self) -> Result<(), Failure> {
        self.range()?;
        if !(1..=DownloadOptions::MOST_CONNECTIONS).contains(&self.connections) {
            let most = DownloadOptions::MOST_CONNECTIONS;
            return Err(Failure::new(format!("--connections must be 1 to {most}")));
        }
        if self.resume && self.file == "-" {
            return Err(Failure::new(
                "the standard output cannot be resumed: give a file, or --offset",
            ));
        }
        check_text("sha256", self.sha256.as_deref())?;
        match &self.sha256 {
            Some(text) => Ok(text.parse::<Sha256>().map(drop)?),
            None => Ok(()),
        }
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        check_text("file", Some(&self.file))?;
        let destination = Destination::open(&self.file)?;
        if self.resume && !matches!(destination, Destination::File(_)) {
            let line = format!("cannot resume: {} is no regular file", self.file);
            return Err(Failure::new(line));
        }
        let line = format!("cannot download from volume {}", volume.name());
        if let Err(reason) = connection.check_writable("virStorageVolDownload") {
            destination.remove_new();
            return Err(Failure::because(line, reason));
        }
        let transfer = Transfer {
            ui,
            volume: &volume,
            command: &self,
            interruption: ui.interruption(),
        };
        let (offset_bytes, _) = self.range()?;
        let done = transfer.run(destination, offset_bytes).await?;
        let downloaded = Downloaded {
            name: volume.name().to_owned(),
            file: self.file.clone(),
            offset_bytes,
            length_bytes: done.length,
            resumed_bytes: done.resumed,
            sha256: done.sha256,
            shows_checksum: self.checksum,
        };
        match self.file == "-" {
            // The content is there.
            true => ui.tell(&downloaded.text(false)),
            false => ui.answer(&downloaded)?,
        }
        Ok(())
    }
}

impl VolDownload {
    /// The offset, and the length if there is one.
    fn range(&self) -> Result<(u64, Option<u64>), Failure> {
        let offset = self.offset.as_ref();
        let offset = offset.map_or(Ok(0), |offset| offset.read("offset"))?;
        let length = self.length.as_ref();
        let length = length.map_or(Ok(0), |length| length.wrapping("length"))?;
        // As in libvirt, 0 is everything.
        Ok((offset, Some(length).filter(|length| *length > 0)))
    }

    fn wants_checksum(&self) -> bool {
        self.checksum || self.sha256.is_some()
    }

    /// Fails if the SHA-256 is not the one that was asked for.
    fn verify(&self, found: Option<&str>, where_it_is: &str) -> Result<(), Failure> {
        match (self.sha256.as_deref(), found) {
            (Some(wanted), Some(found)) if !wanted.eq_ignore_ascii_case(found) => {
                let line = format!("what was downloaded has the SHA-256 {found}, not {wanted}");
                Err(Failure::new(line + where_it_is))
            }
            _ => Ok(()),
        }
    }
}

impl Destination {
    fn open(file: &str) -> Result<Self, Failure> {
        let path = Path::new(file);
        match file {
            "-" => Ok(Self::StandardOutput),
            _ if is_special(path) => {
                let cannot = |_| Failure::new(format!("cannot create {file}"));
                let file = OpenOptions::new().write(true).open(path);
                Ok(Self::Special(file.map_err(cannot)?))
            }
            _ => Ok(Self::File(Partial::open(path)?)),
        }
    }

    /// Leaves no empty file behind.
    fn remove_new(self) {
        if let Self::File(partial) = self {
            partial.remove_new();
        }
    }
}

/// A download that runs.
struct Transfer<'a> {
    ui: &'a Ui,
    volume: &'a StorageVol,
    command: &'a VolDownload,
    interruption: Interruption,
}

/// A download that has come to its end.
struct Done {
    length: u64,
    resumed: u64,
    sha256: Option<String>,
}

impl Transfer<'_> {
    async fn run(&self, destination: Destination, offset: u64) -> Result<Done, Failure> {
        let first = match &destination {
            Destination::File(partial) if self.command.resume => {
                partial.first_missing(&self.volume.path(), offset)?
            }
            _ => None,
        };
        let options = self.options();
        let options = match first {
            Some(missing) => options
                .offset(offset + missing.start)
                .length(missing.end - missing.start),
            None => options.offset(offset).length(self.command.range()?.1),
        };
        let download = match self.open(options).await {
            Ok(download) => download,
            Err(failure) => {
                destination.remove_new();
                return Err(failure);
            }
        };
        match destination {
            Destination::StandardOutput => self.print(download.ordered()).await,
            Destination::Special(file) => {
                let target = Target::InPlace(file, self.command.file.clone().into());
                let missing = Ranges::one(0..download.length());
                self.write(target, offset, missing, download.ordered())
                    .await
            }
            Destination::File(mut partial) => {
                let whole = download.file_length();
                let rest = whole.saturating_sub(offset);
                let length = self
                    .command
                    .range()?
                    .1
                    .map_or(rest, |length| length.min(rest));
                let source = Source {
                    volume: self.volume.path(),
                    offset,
                    length,
                    whole,
                    validator: download.version().map(str::to_owned),
                };
                let missing = match partial.begin(&source, self.command.resume)? {
                    Begun::New => Ranges::one(source.range()),
                    Begun::Resumed(missing) => missing,
                };
                let target = Target::Partial(partial, source);
                self.write(target, offset, missing, download).await
            }
        }
    }

    fn options(&self) -> DownloadOptions {
        DownloadOptions::default().connections(self.command.connections)
    }

    async fn open(&self, options: DownloadOptions) -> Result<FileDownload, Failure> {
        let opened = self.volume.download(options, StorageVolDownloadFlags::NONE);
        let line = format!("cannot download from volume {}", self.volume.name());
        tokio::select! {
            opened = opened => opened.map_err(|error| Failure::because(line, error)),
            () = self.interruption.clone().comes() => Err(Failure::because(line, interrupted())),
        }
    }

    /// Receives all pieces of `download` with `take`, until that says that it can take no more.
    async fn receive<F: Future<Output = Result<bool, Failure>>>(
        &self,
        download: &mut FileDownload,
        progress: &mut Option<TransferProgress>,
        done: &mut u64,
        mut take: impl FnMut(u64, bytes::Bytes) -> F,
    ) -> Result<(), Failure> {
        let mut interrupted_ = pin!(self.interruption.clone().comes());
        loop {
            let piece = tokio::select! {
                piece = download.piece() => piece?,
                () = &mut interrupted_ => return Err(interrupted()),
            };
            let Some(piece) = piece else {
                return Ok(());
            };
            *done += piece.bytes.len() as u64;
            if !take(piece.offset, piece.bytes).await? {
                return Ok(());
            }
            if let Some(progress) = progress {
                progress.show(*done);
            }
        }
    }

    /// Prints the pieces.
    async fn print(&self, mut download: FileDownload) -> Result<Done, Failure> {
        let length = download.length();
        let mut progress = self.progress(length);
        let mut done = 0;
        let mut hash = self
            .command
            .wants_checksum()
            .then(<sha2::Sha256 as sha2::Digest>::new);
        let printed = self
            .receive(&mut download, &mut progress, &mut done, |_, bytes| {
                if let Some(hash) = &mut hash {
                    sha2::Digest::update(hash, &bytes);
                }
                let printed = self.ui.content(&bytes);
                async { Ok(printed.map(|()| true)?) }
            })
            .await;
        drop(progress);
        if let Err(failure) = printed {
            let failure = self.not_received(failure);
            return Err(failure.followed_by(format!("{done} of {length} bytes were printed")));
        }
        let sha256 = hash.map(|hash| super::transfer::writer::hex(&sha2::Digest::finalize(hash)));
        self.command.verify(sha256.as_deref(), "")?;
        Ok(Done {
            length,
            resumed: 0,
            sha256,
        })
    }

    /// Writes the pieces of `missing`, of which `download` is the first range.
    async fn write(
        &self,
        target: Target,
        offset: u64,
        missing: Ranges,
        download: FileDownload,
    ) -> Result<Done, Failure> {
        let length = match &target {
            Target::Partial(_, source) => source.length,
            Target::InPlace(..) => download.length(),
        };
        let version = download.version().map(str::to_owned);
        let resumed = length - missing.total();
        let path = target.path();
        let writer = Writer::start(Writing {
            target,
            length,
            missing: missing.clone(),
            is_sparse: self.command.sparse,
            hashes: self.command.wants_checksum(),
        });
        let mut progress = self.progress(length);
        let mut done = resumed;
        let received = async {
            let mut next = Some(download);
            for range in missing.iter() {
                let mut download = match next.take() {
                    Some(download) => download,
                    None => {
                        let options = self.options().offset(offset + range.start);
                        self.open(options.length(range.end - range.start)).await?
                    }
                };
                if download.version() != version.as_deref() {
                    return Err(Failure::new("the volume has changed meanwhile"));
                }
                let writer = &writer;
                self.receive(
                    &mut download,
                    &mut progress,
                    &mut done,
                    |at, bytes| async move { Ok(writer.write(at - offset, bytes).await) },
                )
                .await?;
            }
            Ok(())
        };
        let received = received.await;
        drop(progress);
        let Written {
            target,
            missing,
            sha256,
            failure,
        } = writer.finish().await?;
        let failure = failure.or(received.err());
        let failure = failure.or_else(|| {
            (!missing.is_empty()).then(|| Failure::new("the server has not sent everything"))
        });
        if let Some(failure) = failure {
            let failure = self.not_received(failure);
            let there = length - missing.total();
            return Err(match target {
                Target::InPlace(..) => {
                    failure.followed_by(format!("{there} of {length} bytes are in {}", path.display()))
                }
                Target::Partial(partial, _) if there == 0 => {
                    partial.remove_new();
                    failure
                }
                Target::Partial(..) => failure.followed_by(format!(
                    "{} has {there} of {length} bytes: the same command with --resume goes on there",
                    path.display()
                )),
            });
        }
        self.command
            .verify(sha256.as_deref(), &format!("; it is in {}", path.display()))?;
        if let Target::Partial(partial, _) = target {
            partial.complete()?;
        }
        Ok(Done {
            length,
            resumed,
            sha256,
        })
    }

    fn progress(&self, length: u64) -> Option<TransferProgress> {
        let progresses = self.ui.progresses(&self.command.progress);
        progresses.begin_transfer(self.volume.name(), length)
    }

    fn not_received(&self, reason: Failure) -> Failure {
        if reason.is_closed_output() {
            return reason;
        }
        let line = format!("cannot receive data from volume {}", self.volume.name());
        Failure::because(line, reason)
    }
}

fn interrupted() -> Failure {
    Failure::new("interrupted")
}

impl Answer for Downloaded {
    const SCHEMA: &'static str = "virt-esx/volume-downloaded/1";

    fn text(&self, _quiet: bool) -> String {
        match &self.sha256 {
            Some(sha256) if self.shows_checksum => format!("SHA-256: {sha256}\n"),
            _ => String::new(),
        }
    }
}
