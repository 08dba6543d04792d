use crate::commands::SessionCommand;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// (re)connect to hypervisor
///
/// Connect to another hypervisor, or anew to the same one. If that fails, the connection stays as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    /// hypervisor connection URI
    #[arg(value_name = "string")]
    name: Option<String>,

    /// read-only connection
    #[arg(long)]
    readonly: bool,
}

impl SessionCommand for Connect {
    async fn run(self, ui: &Ui, session: &mut Session) -> Result<(), Failure> {
        session.connect(ui, self.name, self.readonly).await
    }
}
