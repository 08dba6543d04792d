use crate::commands::SessionCommand;
use crate::commands::file;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// print the current directory
#[derive(Debug, clap::Args)]
pub(crate) struct Pwd {}

impl SessionCommand for Pwd {
    async fn run(self, ui: &Ui, _: &mut Session) -> Result<(), Failure> {
        let failed = |error| {
            let reason = file::c_text(&error);
            Failure::new(format!("pwd: cannot get current directory: {reason}"))
        };
        let directory = std::env::current_dir().map_err(failed)?;
        Ok(ui.print(&format!("{}\n", directory.display()))?)
    }
}
