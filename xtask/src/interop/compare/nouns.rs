//! Commands about networks, snapshots and events.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx. Each has an esx-sim of its own for what changes something.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "networks of a simulated host", "root", &["--esx"])?;
    batch::compare((&pair, &pair), NETWORKS, &[], report)?;
    batch::compare((&pair, &pair), EVENTS, &[], report)?;
    let user = "administrator@vsphere.local";
    let pair = Pair::new(
        tools,
        "networks of a simulated vCenter",
        user,
        &["--vcenter"],
    )?;
    batch::compare((&pair, &pair), NETWORKS, &[], report)?;

    let make = || Pair::new(tools, "snapshots of a simulated host", "root", &["--esx"]);
    let (theirs, ours) = (make()?, make()?);
    batch::compare((&theirs, &ours), SNAPSHOTS, KNOWN_OF_SNAPSHOTS, report)
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
];

/// virsh has no events of ESX to compare with.
const EVENTS: &[&str] = &[
    "event",
    "event --list",
    "event --list --all",
    "event --list --event lifecycle",
    "event --all --event lifecycle",
    "event --event nosuch",
    "event --event ''",
    "event --event reboot",
    "event --event lifecycle --timeout 0",
    "event --event lifecycle --timeout x",
    "event --event lifecycle --domain nosuch",
    "event --event lifecycle --domain ''",
    "event nosuch",
    "event nosuch lifecycle",
    "event nosuch lifecycle 1 extra",
];

const SNAPSHOTS: &[&str] = &[
    "snapshot-list web01",
    "snapshot-list web01 --tree",
    "snapshot-list web01 --current",
    "snapshot-revert web01 --current",
    "snapshot-create-as web01 clean",
    "snapshot-create-as web01 update 'before the update'",
    "snapshot-create-as web01 --name on --description 'a b'",
    "snapshot-create-as web01 off '' --disk-only",
    "snapshot-create-as web01 off --disk-only",
    "snapshot-create-as web01 quiet --quiesce --no-metadata",
    "snapshot-revert web01 update",
    "snapshot-create-as web01 Update",
    "snapshot-create-as web01 a/b%2f",
    "snapshot-revert web01 clean --force",
    "snapshot-create-as web01 last --validate",
    "snapshot-create-as web01 last --halt",
    "snapshot-list web01",
    "snapshot-list web01 --parent",
    "snapshot-list web01 --tree",
    "snapshot-list web01 --name",
    "snapshot-list web01 --roots",
    "snapshot-list web01 --leaves",
    "snapshot-list web01 --metadata",
    "snapshot-list web01 --no-metadata",
    "snapshot-list web01 --no-leaves",
    "snapshot-list web01 --inactive",
    "snapshot-list web01 --active",
    "snapshot-list web01 --disk-only",
    "snapshot-list web01 --internal",
    "snapshot-list web01 --external",
    "snapshot-list web01 --topological",
    "snapshot-list web01 --from update",
    "snapshot-list web01 --from update --descendants",
    "snapshot-list web01 --from update --tree",
    "snapshot-list web01 --current",
    "snapshot-list web01 --current --tree",
    "snapshot-list web01 --current --descendants",
    "snapshot-list web01 --from nosuch",
    "snapshot-list web01 --from ''",
    "snapshot-list web01 --from update --current",
    "snapshot-list web01 --descendants",
    "snapshot-list web01 --tree --name",
    "snapshot-list web01 --tree --parent",
    "snapshot-list web01 --tree --leaves",
    "snapshot-list web01 --tree --active",
    "snapshot-list web01 --roots --current",
    "snapshot-list web01 --roots --from clean",
    "snapshot-list nosuch",
    "snapshot-create-as web01 clean",
    "snapshot-create-as web01 ''",
    "snapshot-create-as web01 x --atomic",
    "snapshot-create-as web01 x --live",
    "snapshot-create-as web01 x --reuse-external",
    "snapshot-create-as web01 x --diskspec sda",
    "snapshot-create-as web01 x --diskspec sda,foo",
    "snapshot-create-as web01 x --diskspec sda,stype=network,file=x",
    "snapshot-create-as web01 x --memspec foo",
    "snapshot-create-as web01 x --print-xml",
    "snapshot-create-as web01 x 'a <b>' --print-xml --memspec file=/x,snapshot=external sda,snapshot=no b,,c,driver=d,file=/y",
    "snapshot-create-as web01 x y --print-xml sda,stype=block,file=/y sdb,stype=block",
    "snapshot-create-as nosuch x",
    "snapshot-revert web01 nosuch",
    "snapshot-revert web01",
    "snapshot-revert web01 clean --current",
    "snapshot-revert web01 clean --running",
    "snapshot-revert web01 clean --paused",
    "snapshot-revert web01 clean --running --paused",
    "snapshot-revert web01 clean --reset-nvram",
    "snapshot-revert nosuch clean",
    "domstate web01",
    "snapshot-revert web01 off",
    "domstate web01",
    "snapshot-revert web01 clean",
    "domstate web01",
    "snapshot-create-as build/ci off",
    "snapshot-list build/ci --parent",
    "start build/ci",
    "snapshot-revert build/ci off",
    "domstate build/ci",
    "snapshot-create-as router x 'a <b>'",
];

const IGNORED: &str =
    "libvirt's ESX driver lacks virDomainListAllSnapshots, and virsh then ignores this filter";
const OLD: &str = "libvirt's ESX driver lacks virDomainListAllSnapshots, and its older function refuses this flag";

const KNOWN_OF_SNAPSHOTS: &[Known] = &[
    Known {
        words: &["snapshot-create-as", "router"],
        reason: "libvirt's ESX driver does not escape the description",
    },
    Known {
        words: &["snapshot-create-as", "--halt"],
        reason: "libvirt's ESX driver takes this flag and does not halt the domain",
    },
    Known {
        words: &["snapshot-list", "--inactive"],
        reason: IGNORED,
    },
    Known {
        words: &["snapshot-list", "--active"],
        reason: IGNORED,
    },
    Known {
        words: &["snapshot-list", "--disk-only"],
        reason: IGNORED,
    },
    Known {
        words: &["snapshot-list", "--external"],
        reason: IGNORED,
    },
    Known {
        words: &["snapshot-list", "--no-leaves"],
        reason: OLD,
    },
    Known {
        words: &["snapshot-list", "--topological"],
        reason: OLD,
    },
];
