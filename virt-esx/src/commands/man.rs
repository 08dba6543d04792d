use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use crate::cli::{Cli, Global};
use crate::failure::Failure;
use crate::outcome::Outcome;

/// write the manual pages
///
/// One page for virt-esx and one for each command, named as git names its own: virt-esx-list.1.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// directory that exists
    #[arg(value_name = "directory")]
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(self, _: &Global) -> Outcome {
        match write_pages(&self.directory) {
            Ok(()) => Outcome::default(),
            Err(error) => {
                let line = format!(
                    "cannot write manual pages to '{}'",
                    self.directory.display()
                );
                Outcome::refused(&Failure::because(line, error))
            }
        }
    }
}

fn write_pages(directory: &Path) -> io::Result<()> {
    clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), directory)
}
