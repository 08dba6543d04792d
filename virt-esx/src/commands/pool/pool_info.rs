use serde::Serialize;
use virt_model::StoragePoolState;

use crate::answer::{Answer, property};
use crate::commands::pool_arg::PoolArg;
use crate::commands::{Query, size};
use crate::connection::Connection;
use crate::failure::Failure;

/// storage pool information
///
/// Returns basic information about the storage pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolInfo {
    #[command(flatten)]
    pool: PoolArg,

    /// Return pool info in bytes
    #[arg(long)]
    bytes: bool,
}

/// What is known of a pool.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    name: String,
    uuid: String,
    /// In virsh's words.
    state: &'static str,
    persistent: bool,
    autostart: bool,
    capacity_bytes: u64,
    allocation_bytes: u64,
    available_bytes: u64,

    #[serde(skip)]
    has_sizes: bool,
    #[serde(skip)]
    in_bytes: bool,
}

impl Query for PoolInfo {
    type Answer = Info;

    async fn ask(self, connection: &Connection) -> Result<Info, Failure> {
        let pool = self.pool.find(connection).await?;
        let info = pool.info().await?;
        Ok(Info {
            name: pool.name().to_owned(),
            uuid: pool.uuid().to_string(),
            state: info.state.as_str(),
            persistent: pool.is_persistent(),
            autostart: pool.autostart(),
            capacity_bytes: info.capacity,
            allocation_bytes: info.allocation,
            available_bytes: info.available,
            has_sizes: has_sizes(info.state),
            in_bytes: self.bytes,
        })
    }
}

/// Whether virsh shows the sizes of a pool in that state.
pub(super) fn has_sizes(state: StoragePoolState) -> bool {
    matches!(
        state,
        StoragePoolState::Running | StoragePoolState::Degraded
    )
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/pool-info/1";

    fn text(&self, _quiet: bool) -> String {
        let yes = |value| if value { "yes" } else { "no" };
        let line = |title, value: &str| property(15, title, value);
        let mut text = line("Name:", &self.name)
            + &line("UUID:", &self.uuid)
            + &line("State:", self.state)
            + &line("Persistent:", yes(self.persistent))
            + &line("Autostart:", yes(self.autostart));
        if self.has_sizes {
            for (title, bytes) in [
                ("Capacity:", self.capacity_bytes),
                ("Allocation:", self.allocation_bytes),
                ("Available:", self.available_bytes),
            ] {
                let size = match self.in_bytes {
                    true => bytes.to_string(),
                    false => size::pretty(bytes, 2),
                };
                text += &line(title, &size);
            }
        }
        text
    }
}
