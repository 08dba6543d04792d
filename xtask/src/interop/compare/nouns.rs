//! Commands about networks and events.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "networks of a simulated host", "root", &["--esx"])?;
    batch::compare((&pair, &pair), NETWORKS, &[VLANS], report)?;
    batch::compare((&pair, &pair), EVENTS, &[QUESTIONS], report)?;
    let user = "administrator@vsphere.local";
    let pair = Pair::new(
        tools,
        "networks of a simulated vCenter",
        user,
        &["--vcenter"],
    )?;
    batch::compare((&pair, &pair), NETWORKS, &[VLANS], report)
}

const NETWORKS: &[&str] = &[
    "net-list",
    "net-list --all",
    "net-list --inactive",
    "net-list --transient",
    "net-list --no-autostart",
    "net-list --autostart --persistent",
    "net-list --name",
    "net-list --uuid",
    "net-list --table",
    "net-list --name --inactive",
    "net-list --uuid --name",
    "net-list --uuid --table",
    "net-list nosuch",
    "net-list --bogus",
    "net-dumpxml vSwitch0",
    "net-dumpxml vSwitch1",
    "net-dumpxml vSwitch2",
    "net-dumpxml vSwitch0 --inactive",
    "net-dumpxml 2f467347-8b4e-8655-e7d6-c4c3fb968009",
    "net-dumpxml 2f467347-8b4e-8655-e7d6-c4c3fb968000",
    "net-dumpxml vSwitch0 --xpath //name",
    "net-dumpxml vSwitch0 --xpath //forward|//name --wrap",
    "net-dumpxml nosuch",
    "net-dumpxml ''",
    "net-dumpxml",
    "net-dumpxml a b",
    "net-info vSwitch0",
    "net-info 2f467347-8b4e-8655-e7d6-c4c3fb968009",
    "net-info nosuch",
    "net-info ''",
    "net-name 2f467347-8b4e-8655-e7d6-c4c3fb968009",
    "net-name 2f467347-8b4e-8655-e7d6-c4c3fb968000",
    "net-name vSwitch0",
    "net-name nosuchnosuchnosuchnosuchnosuchnosuch",
    "net-name ''",
    "net-uuid vSwitch0",
    "net-uuid 2f467347-8b4e-8655-e7d6-c4c3fb968009",
    "net-uuid nosuch",
    "net-autostart vSwitch0",
    "net-autostart vSwitch0 --disable",
    "net-autostart nosuch",
    "net-autostart ''",
    "net-define nosuch.xml",
    "net-define ''",
    "net-define",
    "net-undefine nosuch",
    "net-undefine ''",
    "net-undefine vSwitch0 extra",
    "net-edit nosuch",
];

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

const VLANS: Known = Known {
    words: &["net-dumpxml", "vSwitch2"],
    reason: "libvirt's ESX driver leaves out the VLANs of port groups",
};

const QUESTIONS: Known = Known {
    words: &["event", "--list"],
    reason: "virt-esx has events of questions, too",
};
