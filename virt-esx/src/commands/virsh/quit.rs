use crate::commands::SessionCommand;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// quit this interactive terminal
#[derive(Debug, clap::Args)]
pub(crate) struct Quit {}

impl SessionCommand for Quit {
    const IS_CLOSED: bool = false;

    async fn run(self, _: &Ui, session: &mut Session) -> Result<(), Failure> {
        session.finish();
        Ok(())
    }
}
