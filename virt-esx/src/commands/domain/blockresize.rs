use esx_driver::BlockResizeFlags;
use serde::Serialize;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// Resize block device of domain.
///
/// Grow a disk of a domain. A VMware host cannot shrink disks, nor grow those of a domain with snapshots.
#[derive(Debug, clap::Args)]
pub(crate) struct Blockresize {
    #[command(flatten)]
    domain: DomainArg,

    /// Fully-qualified path of block device
    #[arg(value_name = "path", required = true)]
    path: String,

    /// New size of the block device, as scaled integer (default KiB)
    #[arg(value_name = "size", required = true, value_parser = Number::parser())]
    size: Number,

    #[command(flatten)]
    answering: Answering,
}

/// A disk that has its new size.
#[derive(Debug, Serialize)]
struct Resized {
    domain: String,
    path: String,
    size_bytes: u64,
}

impl Command for Blockresize {
    fn check(&self) -> Result<(), Failure> {
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        check_text("path", Some(&self.path))?;
        let size_bytes = self.size.scaled("size", 1024)?;
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        // virsh gives sizes in KiB, which older servers of libvirt take, wherever it can.
        let (size, flags) = match size_bytes.is_multiple_of(1024) {
            true => (size_bytes / 1024, BlockResizeFlags::NONE),
            false => (size_bytes, BlockResizeFlags::BYTES),
        };
        let line = format!("Failed to resize block device '{}'", self.path);
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virDomainBlockResize");
        writable.map_err(failed)?;
        let resized = domain.block_resize(&self.path, size, flags).await;
        resized.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Resized {
            domain: domain.name().to_owned(),
            path: self.path,
            size_bytes,
        })?)
    }
}

impl Answer for Resized {
    const SCHEMA: &'static str = "virt-esx/block-resized/1";

    fn text(&self, _quiet: bool) -> String {
        // virsh prints it with `-q` too, and no empty line behind it.
        format!("Block device '{}' is resized", foreign::line(&self.path))
    }
}
