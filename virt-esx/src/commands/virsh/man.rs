use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli;
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::manual::{self, Page};
use crate::ui::Ui;

/// show a page of the manual, or write all pages
///
/// Without a directory, shows a page with man, or as plain text if there is no man. A directory gets all pages: one for virt-esx,
/// one for each command, named as git names its own (virt-esx-list.1), virt-esx-answers.5 for the rules that answer questions,
/// and virt-esx-json.5 for the JSON documents.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// existing directory for all pages
    #[arg(value_name = "directory")]
    directory: Option<PathBuf>,

    /// page to show: virt-esx, a command's name, answers, or json
    #[arg(long, value_name = "page")]
    page: Option<String>,
}

impl LocalCommand for Man {
    fn run(self, ui: &Ui) -> Result<(), Failure> {
        match (self.directory, self.page) {
            (Some(directory), None) => write_pages(&directory).map_err(|error| {
                let shown = directory.display();
                let failed =
                    Failure::because(format!("cannot write manual pages to '{shown}'"), error);
                match directory
                    .to_str()
                    .filter(|name| manual::page(name).is_some())
                {
                    Some(page) => failed.advise(format!("virt-esx man --page {page}")),
                    None => failed,
                }
            }),
            (None, page) => show(ui, page.as_deref().unwrap_or("virt-esx")),
            (Some(_), Some(_)) => Err(Failure::new(
                "Options --directory and --page are mutually exclusive",
            )),
        }
    }
}

fn write_pages(directory: &Path) -> io::Result<()> {
    for page in manual::pages() {
        fs::write(directory.join(page.file_name()), page.roff())?;
    }
    Ok(())
}

fn show(ui: &Ui, name: &str) -> Result<(), Failure> {
    let page = manual::page(name)
        .ok_or_else(|| Failure::new(format!("there is no page '{name}' in the manual")))?;
    match show_with_man(&page) {
        Ok(true) => Ok(()),
        // There is no man, or none that shows files.
        Ok(false) | Err(_) => Ok(ui.document(&page.text(cli::width()))?),
    }
}

/// Whether `man` showed the page.
fn show_with_man(page: &Page) -> io::Result<bool> {
    let mut file = tempfile::Builder::new()
        .prefix(&page.file_name())
        .tempfile()?;
    file.write_all(page.roff().as_bytes())?;
    let status = Command::new("man").arg("-l").arg(file.path()).status()?;
    Ok(status.success())
}
