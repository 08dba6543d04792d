//! Commands about interfaces.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx, on a host and on a vCenter.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (place, user, kind) in [
        ("interfaces of a simulated host", "root", "--esx"),
        (
            "interfaces of a simulated vCenter",
            "administrator@vsphere.local",
            "--vcenter",
        ),
    ] {
        let pair = Pair::new(tools, place, user, &[kind])?;
        batch::compare((&pair, &pair), LINES, KNOWN, report)?;
    }
    Ok(())
}

/// libvirt's driver finds network cards by their addresses only.
const LINES: &[&str] = &[
    "iface-list",
    "iface-list --inactive",
    "iface-list --all --inactive",
    "iface-list nosuch",
    "iface-list --bogus",
    "iface-dumpxml 00:1b:21:00:01:01",
    "iface-dumpxml 00:1b:21:00:01:01 --inactive",
    "iface-dumpxml 00:1b:21:00:01:01 --xpath //mac --wrap",
    "iface-dumpxml 00:1b:21:00:01:01 --xpath //start",
    "iface-dumpxml 00:1b:21:00:09:ff",
    "iface-dumpxml nosuch",
    "iface-dumpxml ''",
    "iface-dumpxml",
    "iface-dumpxml a b",
    "iface-mac 00:1b:21:00:01:01",
    "iface-mac nosuch",
    "iface-mac ''",
    "iface-mac",
    "iface-name 00:1b:21:00:01:01",
    "iface-name 00:1B:21:00:01:01",
    "iface-name 00:1b:21:00:09:ff",
    "iface-name nosuch",
    "iface-name ''",
    "iface-name",
    "iface-start 00:1b:21:00:09:ff",
    "iface-destroy 00:1b:21:00:09:ff",
    "iface-undefine 00:1b:21:00:09:ff",
    "iface-edit 00:1b:21:00:09:ff",
    "iface-define /nonexistent",
    "iface-define ''",
    "iface-define",
    "iface-begin extra",
    "iface-commit extra",
    "iface-rollback extra",
    "iface-bridge 00:1b:21:00:01:01",
    "iface-bridge 00:1b:21:00:01:01 br0",
    "iface-bridge 00:1b:21:00:01:01 br0 --delay x",
    "iface-bridge",
    "iface-unbridge 00:1b:21:00:01:01",
    "iface-unbridge ''",
    "iface-unbridge",
];

const KNOWN: &[Known] = &[
    Known {
        words: &["iface-list"],
        reason: "libvirt's ESX driver looks up each card by its name and finds none",
    },
    Known {
        words: &["iface-dumpxml", "nosuch"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-mac", "nosuch"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-bridge", "00:1b:21:00:01:01"],
        reason: "a card is found by its hardware address",
    },
    Known {
        words: &["iface-unbridge", "00:1b:21:00:01:01"],
        reason: "a card is found by its hardware address",
    },
];
