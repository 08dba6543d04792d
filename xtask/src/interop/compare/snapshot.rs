//! Commands about snapshots.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx, each on an esx-sim of its own: all options and mistakes on one domain, then the
/// life of a snapshot on domains of every state.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (place, user, args) in [
        ("a simulated host", "root", ["--esx"]),
        (
            "a simulated vCenter",
            "administrator@vsphere.local",
            ["--vcenter"],
        ),
    ] {
        let place = format!("snapshots of {place}");
        let make = || Pair::new(tools, &place, user, &args);
        let (theirs, ours) = (make()?, make()?);
        let life = DOMAINS.iter().flat_map(|domain| {
            let line = |line: &&str| line.replace("DOMAIN", domain);
            LIFE.iter().map(line).collect::<Vec<_>>()
        });
        let life: Vec<_> = life.collect();
        let lines = SNAPSHOTS.iter().copied();
        let lines = lines.chain(life.iter().map(String::as_str)).chain([LAST]);
        let lines: Vec<_> = lines.collect();
        batch::compare((&theirs, &ours), &lines, KNOWN_OF_SNAPSHOTS, report)?;
    }
    Ok(())
}

/// Running with and without VMware Tools, running with snapshots, paused, off.
const DOMAINS: &[&str] = &["files", "router", "db01", "desktop", "installer"];

/// What is done with the snapshots of a domain.
const LIFE: &[&str] = &[
    "snapshot-current DOMAIN",
    "snapshot-current DOMAIN --name",
    "snapshot-info DOMAIN --current",
    "snapshot-list DOMAIN --tree",
    "snapshot-create-as DOMAIN s1 --disk-only",
    "snapshot-create-as DOMAIN s2 second",
    "snapshot-create-as DOMAIN s3 --quiesce",
    "snapshot-create DOMAIN virt-model/tests/documents/snapshot/esx.xml",
    "snapshot-create DOMAIN virt-model/tests/documents/snapshot/external.xml",
    "snapshot-create DOMAIN virt-model/tests/documents/snapshot/esx.out.xml --validate",
    "snapshot-create DOMAIN virt-model/tests/documents/snapshot/esx.xml --redefine",
    "snapshot-create DOMAIN nosuch.xml",
    "snapshot-create DOMAIN --current",
    "snapshot-create DOMAIN --redefine --no-metadata",
    "snapshot-create DOMAIN --atomic",
    "snapshot-info DOMAIN s1",
    "snapshot-info DOMAIN --current",
    "snapshot-parent DOMAIN s2",
    "snapshot-parent DOMAIN --current",
    "snapshot-dumpxml DOMAIN s2",
    "snapshot-dumpxml DOMAIN s2 --security-info",
    "snapshot-dumpxml DOMAIN s2 --xpath //parent",
    "snapshot-current DOMAIN",
    "snapshot-current DOMAIN --security-info",
    "snapshot-current DOMAIN s1",
    "snapshot-current DOMAIN s1 --name",
    "snapshot-edit DOMAIN nosuch",
    "snapshot-edit DOMAIN s2 --rename --clone",
    "snapshot-revert DOMAIN s1",
    "domstate DOMAIN",
    "snapshot-create-as DOMAIN branch",
    "snapshot-list DOMAIN --tree",
    "snapshot-list DOMAIN --parent",
    "snapshot-list DOMAIN --from s1 --descendants --parent",
    "snapshot-list DOMAIN --current",
    "snapshot-info DOMAIN s1",
    "snapshot-revert DOMAIN s2",
    "domstate DOMAIN",
    "snapshot-delete DOMAIN s2 --metadata",
    "snapshot-delete DOMAIN s2 --children --children-only",
    "snapshot-delete DOMAIN s2 --current",
    "snapshot-delete DOMAIN nosuch",
    "snapshot-delete DOMAIN",
    "snapshot-delete DOMAIN branch",
    "snapshot-list DOMAIN --tree",
    "snapshot-current DOMAIN --name",
    "snapshot-delete DOMAIN --current",
    "snapshot-current DOMAIN --name",
    "snapshot-parent DOMAIN s1",
    "snapshot-create-as DOMAIN last --halt",
    "domstate DOMAIN",
    "snapshot-delete DOMAIN s1 --children",
    "snapshot-list DOMAIN --tree",
    "snapshot-current DOMAIN --name",
    "snapshot-create-as DOMAIN s2",
    "snapshot-delete DOMAIN --children-only s2",
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
];

/// What virsh and virt-esx do differently, after which their hosts are no longer alike.
const LAST: &str = "snapshot-create-as router x 'a <b>'";

const IGNORED: &str =
    "libvirt's ESX driver lacks virDomainListAllSnapshots, and virsh then ignores this filter";
const OLD: &str = "libvirt's ESX driver lacks virDomainListAllSnapshots, and its older function refuses this flag";

const KNOWN_OF_SNAPSHOTS: &[Known] = &[
    Known {
        words: &["snapshot-create-as", "desktop", "--halt"],
        reason: "virt-esx also says that the snapshot was taken before that failed",
    },
    Known {
        words: &["snapshot-create-as", "router"],
        reason: "libvirt's ESX driver does not escape the description",
    },
    Known {
        words: &["--children-only", "s2"],
        reason: "libvirt's ESX driver refuses this flag",
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
