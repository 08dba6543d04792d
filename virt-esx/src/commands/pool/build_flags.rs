//! The options of commands that start a pool: whether its storage is made first.

use virt_model::StoragePoolCreateFlags;

use crate::commands::options::{self, check_exclusive};
use crate::failure::Failure;

/// The options `--build`, `--no-overwrite` and `--overwrite`: `#[command(flatten)] build: Build`.
#[derive(Debug, clap::Args)]
pub(super) struct Build {
    /// build the pool as normal
    #[arg(long)]
    build: bool,

    /// do not overwrite any existing data
    #[arg(long)]
    no_overwrite: bool,

    /// overwrite any existing data
    #[arg(long)]
    overwrite: bool,
}

impl Build {
    /// Refuses both ways with existing data together.
    ///
    /// # Errors
    /// virsh's text.
    pub(super) fn check(&self) -> Result<(), Failure> {
        check_exclusive([
            ("overwrite", self.overwrite),
            ("no-overwrite", self.no_overwrite),
        ])
    }

    /// libvirt's flags.
    pub(super) fn flags(&self) -> StoragePoolCreateFlags {
        use StoragePoolCreateFlags as Flags;

        let flags = [
            (self.build, Flags::WITH_BUILD),
            (self.overwrite, Flags::WITH_BUILD_OVERWRITE),
            (self.no_overwrite, Flags::WITH_BUILD_NO_OVERWRITE),
        ];
        options::flags(Flags::NONE, flags)
    }
}
