use std::io;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::ui::Ui;

/// write the manual pages
///
/// One page for virt-esx and one for each command, named as git names its own: virt-esx-list.1.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// existing directory
    #[arg(value_name = "directory")]
    directory: PathBuf,
}

impl LocalCommand for Man {
    fn run(self, _: &Ui) -> Result<(), Failure> {
        write_pages(&self.directory).map_err(|error| {
            let directory = self.directory.display();
            Failure::because(format!("cannot write manual pages to '{directory}'"), error)
        })
    }
}

fn write_pages(directory: &Path) -> io::Result<()> {
    clap_mangen::generate_to(cli::tree(), directory)
}
