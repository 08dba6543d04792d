use std::path::PathBuf;

use crate::commands::SessionCommand;
use crate::commands::file;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// change the current directory
///
/// Change the directory that file names of later commands are relative to.
#[derive(Debug, clap::Args)]
pub(crate) struct Cd {
    /// directory to switch to (default: home or else root)
    #[arg(value_name = "directory")]
    dir: Option<PathBuf>,
}

impl SessionCommand for Cd {
    async fn run(self, _: &Ui, session: &mut Session) -> Result<(), Failure> {
        if !session.is_interactive() {
            return Err(Failure::new("cd: command valid only in interactive mode"));
        }
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        let dir = self.dir.or_else(home).unwrap_or_else(|| PathBuf::from("/"));
        std::env::set_current_dir(&dir).map_err(|error| {
            let reason = file::c_text(&error);
            Failure::new(format!("cd: {reason}: {}", dir.display()))
        })
    }
}
