use esx_driver::DomainSize;
use serde::Serialize;
use tracing::debug;
use virt_model::DomainState;

use crate::answer::{Answer, Format, property};
use crate::commands::domain::domuuid::GuestUuid;
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, state};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// domain information
///
/// Returns basic information about the domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Dominfo {
    #[command(flatten)]
    domain: DomainArg,
}

/// Basic information about a domain.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    /// Null for an inactive domain.
    id: Option<i32>,
    name: String,
    uuid: String,
    os_type: String,
    #[serde(serialize_with = "state::name")]
    state: DomainState,
    cpus: u32,
    /// 0 where the hypervisor doesn't tell, as ESX.
    cpu_time_ns: u64,
    max_memory_kib: u64,
    used_memory_kib: u64,
    /// This and the two below are null where the hypervisor doesn't tell.
    persistent: Option<bool>,
    autostart: Option<bool>,
    managed_save: Option<bool>,
    /// The UUID that the guest sees, which virsh does not print.
    guest_uuid: Option<GuestUuid>,
}

impl Command for Dominfo {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let (domain, size) = self.domain.find_with::<DomainSize>(connection).await?;
        let info = size?.info()?;
        // The text does not have it, so it is not worth a request.
        let guest_uuid = match ui.format() {
            Format::Text => None,
            Format::Json | Format::Jsonl => told(domain.smbios_uuid().await).map(GuestUuid::from),
        };
        let info = Info {
            id: domain.id(),
            name: domain.name().to_owned(),
            uuid: domain.uuid().to_string(),
            os_type: domain.os_type().to_owned(),
            state: info.state,
            cpus: info.nr_virt_cpu,
            cpu_time_ns: info.cpu_time,
            max_memory_kib: info.max_mem,
            used_memory_kib: info.memory,
            // A domain that is there is persistent and has no managed save image (`Domain::is_persistent`,
            // `Domain::has_managed_save_image`), which is not worth two requests.
            persistent: Some(true),
            autostart: told(domain.autostart().await),
            managed_save: Some(false),
            guest_uuid,
        };
        Ok(ui.answer(&info)?)
    }
}

/// What virsh can do without: a host need not have an autostart manager.
fn told<T>(answer: esx_driver::Result<T>) -> Option<T> {
    answer.inspect_err(|error| debug!("{error}")).ok()
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/domain-info/1";

    fn text(&self, _quiet: bool) -> String {
        let line = |title, value: &str| property(15, title, value);
        let yes_no = |answer| match answer {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        };
        let mut lines = vec![
            line(
                "Id:",
                &self.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            ),
            line("Name:", &self.name),
            line("UUID:", &self.uuid),
            line("OS Type:", &self.os_type),
            line("State:", state::word(self.state)),
            line("CPU(s):", &self.cpus.to_string()),
        ];
        if self.cpu_time_ns != 0 {
            lines.push(line("CPU time:", &seconds(self.cpu_time_ns)));
        }
        lines.extend([
            line("Max memory:", &format!("{} KiB", self.max_memory_kib)),
            line("Used memory:", &format!("{} KiB", self.used_memory_kib)),
            line("Persistent:", yes_no(self.persistent)),
        ]);
        if let Some(autostart) = self.autostart {
            lines.push(line(
                "Autostart:",
                if autostart { "enable" } else { "disable" },
            ));
        }
        lines.push(line("Managed save:", yes_no(self.managed_save)));
        lines.concat()
    }
}

/// Nanoseconds as seconds with one decimal.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn seconds(nanoseconds: u64) -> String {
    format!("{:.1}s", nanoseconds as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use virt_model::DomainState;

    use super::Info;
    use crate::answer::Answer as _;

    fn info() -> Info {
        Info {
            id: Some(1),
            name: "test".to_owned(),
            uuid: "6695eb01-f6a4-8304-79aa-97f2502e193f".to_owned(),
            os_type: "linux".to_owned(),
            state: DomainState::Running,
            cpus: 2,
            cpu_time_ns: 2_345_678_901,
            max_memory_kib: 8_388_608,
            used_memory_kib: 2_097_152,
            persistent: Some(true),
            autostart: Some(false),
            managed_save: Some(false),
            guest_uuid: None,
        }
    }

    #[test]
    fn an_active_domain() {
        let expected = "\
Id:             1
Name:           test
UUID:           6695eb01-f6a4-8304-79aa-97f2502e193f
OS Type:        linux
State:          running
CPU(s):         2
CPU time:       2.3s
Max memory:     8388608 KiB
Used memory:    2097152 KiB
Persistent:     yes
Autostart:      disable
Managed save:   no
";
        assert_eq!(info().text(false), expected);
    }

    #[test]
    fn what_is_not_told_is_unknown_or_left_out() {
        let untold = Info {
            persistent: None,
            autostart: None,
            managed_save: None,
            ..info()
        };
        let text = untold.text(false);
        assert!(
            text.ends_with("Persistent:     unknown\nManaged save:   unknown\n"),
            "{text}"
        );
    }

    #[test]
    fn an_inactive_domain_without_processor_time() {
        let text = Info {
            id: None,
            cpu_time_ns: 0,
            ..info()
        }
        .text(false);
        assert!(text.starts_with("Id:             -\n"), "{text}");
        assert!(!text.contains("CPU time"), "{text}");
    }
}
