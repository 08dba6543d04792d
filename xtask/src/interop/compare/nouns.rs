//! Commands about events.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "events of a simulated host", "root", &["--esx"])?;
    batch::compare((&pair, &pair), EVENTS, &[QUESTIONS], report)
}

/// What does not wait: virsh has no events of ESX to compare with.
const EVENTS: &[&str] = &[
    "event",
    "event --list",
    "event --list --all",
    "event --list --event lifecycle",
    "event --all --event lifecycle",
    "event --event nosuch",
    "event --event ''",
    "event --event nosuch --timeout 0",
    "event --event '' --timeout x",
    "event --event lifecycle --timeout 0",
    "event --event lifecycle --timeout x",
    "event --event lifecycle --domain nosuch",
    "event --event lifecycle --domain ''",
    "event --all --timeout 2147484 --domain nosuch",
    "event nosuch",
    "event nosuch lifecycle",
    "event nosuch lifecycle 1 extra",
    "net-event --list",
    "net-event --list --event '' --timeout 0",
    "net-event --network nosuch",
    "net-event --event nosuch --timeout 0",
    "net-event --event '' --timeout 0",
    "net-event --network nosuch --event lifecycle --timeout 0",
    "net-event nosuch lifecycle 1 extra",
    "pool-event --list",
    "pool-event --list --event '' --timeout 0",
    "pool-event --pool nosuch",
    "pool-event --event nosuch --timeout 0",
    "pool-event --event '' --timeout 0",
    "pool-event --pool nosuch --event lifecycle --timeout 0",
    "pool-event nosuch lifecycle 1 extra",
    "nodedev-event --list",
    "nodedev-event --list --event '' --timeout 0",
    "nodedev-event --device nosuch",
    "nodedev-event --event nosuch --timeout 0",
    "nodedev-event --event '' --timeout 0",
    "nodedev-event --device nosuch --event lifecycle --timeout 0",
    "nodedev-event nosuch lifecycle 1 extra",
    "secret-event --list",
    "secret-event --list --event '' --timeout 0",
    "secret-event --secret nosuch",
    "secret-event --event nosuch --timeout 0",
    "secret-event --event '' --timeout 0",
    "secret-event --secret nosuch --event lifecycle --timeout 0",
    "secret-event nosuch lifecycle 1 extra",
];

const QUESTIONS: Known = Known {
    words: &["event", "--list"],
    reason: "virt-esx has events of questions, too",
};
