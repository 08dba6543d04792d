use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// autostart a pool
///
/// Configure a pool to be automatically started at boot.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolAutostart {
    #[command(flatten)]
    pool: PoolArg,

    /// disable autostarting
    #[arg(long)]
    disable: bool,
}

impl Command for PoolAutostart {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        let text = self.pool.text();
        let (verb, done) = match self.disable {
            true => ("unmark", "unmarked as autostarted"),
            false => ("mark", "marked as autostarted"),
        };
        let change = Change {
            command: "pool-autostart",
            function: "virStoragePoolSetAutostart",
            verb,
            done,
        };
        let failed = |reason| {
            Failure::because(
                format!("failed to {verb} pool {text} as autostarted"),
                reason,
            )
        };
        let writable = connection.check_writable(change.function);
        writable.map_err(failed)?;
        let set = pool.set_autostart(!self.disable);
        set.map_err(|error| failed(error.into()))?;
        change.tell(ui, &pool, text)
    }
}
