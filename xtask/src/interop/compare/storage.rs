//! Storage pools and volumes.

use std::fs;

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// A simulated server, and what differs there.
struct Server {
    name: &'static str,
    user: &'static str,
    args: &'static [&'static str],
    known: &'static [Known],
    known_of_changes: &'static [Known],
}

const SERVERS: &[Server] = &[
    Server {
        name: "a simulated host",
        user: "root",
        args: &["--esx"],
        known: &[],
        known_of_changes: &[],
    },
    Server {
        name: "a simulated host with all kinds of datastores",
        user: "root",
        args: &[
            "--esx",
            "--datastore",
            "vmfs:disks:4T",
            "--datastore",
            "nfs:shared:nas.example.com:/export/shared",
            "--datastore",
            "nfs41:new:nas.example.com:/export/new",
            "--datastore",
            "cifs:windows:filer.example.com:/share",
            "--datastore",
            "local:odd name (1):/data/odd",
            "--datastore",
            "vsan:vsanDatastore",
            "--datastore",
            "vvol:vvols",
            "--datastore",
            "pmem:pmem",
            "--datastore",
            "vmfs:full:1G,full",
            "--datastore",
            "vmfs:gone:1T,inaccessible",
        ],
        known: KNOWN_OF_KINDS,
        known_of_changes: &[],
    },
    Server {
        name: "a simulated vCenter",
        user: "administrator@vsphere.local",
        args: &["--vcenter"],
        known: KNOWN_OF_VCENTER,
        known_of_changes: KNOWN_OF_CHANGES_OF_VCENTER,
    },
];

/// Runs every command about pools and volumes with virsh and with virt-esx: those that read on one server, those that
/// change something on a server each.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for server in SERVERS {
        let place = format!("pools and volumes of {}", server.name);
        let make = || Pair::new(tools, &place, server.user, server.args);
        let pair = make()?;
        let lines = reading(&pair, report)?;
        compare((&pair, &pair), &lines, &all(KNOWN, server.known), report)?;
        let (theirs, ours) = (make()?, make()?);
        let mut pools = pools(&theirs)?.into_iter();
        let pool = pools.find(|pool| !pool.starts_with("iqn"));
        let pool = pool.unwrap_or_default();
        let lines = CHANGES.iter().map(|line| filled(line, &pool));
        let lines: Result<Vec<_>, String> = lines.map(|line| with_files(&theirs, line)).collect();
        let known = all(KNOWN_OF_CHANGES, server.known_of_changes);
        compare((&theirs, &ours), &lines?, &known, report)?;
    }
    Ok(())
}

/// Differences of all servers, and of one.
fn all(known: &[Known], of_one: &[Known]) -> Vec<Known> {
    let both = known.iter().chain(of_one);
    let copies = both.map(|&Known { words, reason }| Known { words, reason });
    copies.collect()
}

fn compare(
    pairs: (&Pair<'_>, &Pair<'_>),
    lines: &[String],
    known: &[Known],
    report: &mut Report,
) -> Result<(), String> {
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    batch::compare(pairs, &lines, known, report)
}

/// What reads, for every pool and for the first volumes of each.
fn reading(pair: &Pair<'_>, report: &mut Report) -> Result<Vec<String>, String> {
    let mut lines: Vec<_> = READING.iter().map(|line| (*line).to_owned()).collect();
    let pools = pools(pair)?;
    for pool in &pools {
        let uuid = pair.virsh(&["pool-uuid", pool])?.stdout.trim().to_owned();
        let of_pool = |line: &&str| filled(line, pool).replace("UUID", &uuid);
        lines.extend(OF_POOL.iter().map(of_pool));
        let listed = pair.virsh(&["-q", "vol-list", pool])?.stdout;
        let names = listed
            .lines()
            .filter_map(|line| line.trim().split("   ").next());
        for name in names.take(VOLUMES_OF_POOL) {
            let of_volume = [["vol-path", name, pool], ["vol-key", name, pool]];
            let [path, key] = of_volume.map(|args| pair.virsh(&args));
            let (path, key) = (path?.stdout, key?.stdout);
            let of_volume = |line: &&str| {
                filled(line, pool)
                    .replace("PATH", path.trim())
                    .replace("KEY", key.trim())
                    .replace("VOLUME", name)
            };
            lines.extend(OF_VOLUME.iter().map(of_volume));
        }
    }
    let found = pools.join(", ");
    report.check(&pair.virsh_section, "has pools", pools.len() > 1, &found);
    Ok(lines)
}

/// So many volumes of a pool are compared one by one; lists have them all.
const VOLUMES_OF_POOL: usize = 3;

fn pools(pair: &Pair<'_>) -> Result<Vec<String>, String> {
    let names = pair.virsh(&["pool-list", "--all", "--name"])?.stdout;
    let names = names.lines().map(str::trim).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

fn filled(line: &str, pool: &str) -> String {
    line.replace("POOL", &format!("'{pool}'"))
}

/// `FILE=name` is the path of a document of [`DOCUMENTS`], `SCRATCH` that of a folder that may be written.
fn with_files(pair: &Pair<'_>, line: String) -> Result<String, String> {
    let scratch = &pair.tools.scratch;
    let mut line = line.replace("SCRATCH", &scratch.display().to_string());
    for (name, xml) in DOCUMENTS {
        let mark = format!("FILE={name}");
        if line.contains(&mark) {
            let path = scratch.join(format!("{name}.xml"));
            fs::write(&path, xml).map_err(|error| error.to_string())?;
            line = line.replace(&mark, &path.display().to_string());
        }
    }
    Ok(line)
}

/// Lists and mistakes.
const READING: &[&str] = &[
    "pool-list",
    "pool-list --all",
    "pool-list --inactive",
    "pool-list --persistent",
    "pool-list --transient",
    "pool-list --autostart",
    "pool-list --no-autostart",
    "pool-list --details",
    "pool-list --all --details",
    "pool-list --name",
    "pool-list --uuid",
    "pool-list --uuid --name",
    "pool-list --details --name",
    "pool-list --details --uuid",
    "pool-list --type dir",
    "pool-list --type fs,netfs",
    "pool-list --type iscsi --details",
    "pool-list --type nosuch",
    "pool-list --type ''",
    "pool-list nosuch",
    "pool-info nosuch",
    "pool-info ''",
    "pool-info",
    "pool-dumpxml nosuch",
    "pool-dumpxml ''",
    "pool-name nosuch",
    "pool-name 00000000-0000-0000-0000-000000000000",
    "pool-uuid nosuch",
    "pool-uuid 00000000-0000-0000-0000-000000000000",
    "pool-autostart nosuch",
    "pool-refresh nosuch",
    "pool-start nosuch",
    "pool-destroy nosuch",
    "pool-delete nosuch",
    "pool-undefine nosuch",
    "pool-build nosuch",
    "pool-build nosuch --overwrite --no-overwrite",
    "pool-edit nosuch",
    "pool-define nosuch.xml",
    "pool-define ''",
    "pool-define",
    "pool-create nosuch.xml",
    "pool-create x --build --overwrite --no-overwrite",
    "pool-define-as",
    "pool-define-as x",
    "pool-define-as x dir --print-xml",
    "pool-define-as x dir --target /x --print-xml",
    "pool-define-as x netfs --source-host h --source-path /p --source-format nfs --target /x --print-xml",
    "pool-define-as x iscsi --source-host h --source-dev iqn --source-initiator i --auth-type chap --auth-username u --secret-usage s --print-xml",
    "pool-create-as x fs --source-dev /dev/x --source-format vmfs --print-xml",
    "vol-list nosuch",
    "vol-list ''",
    "vol-list",
    "vol-list a b",
    "vol-info nosuch",
    "vol-info ''",
    "vol-info x --pool ''",
    "vol-info x --pool nosuch",
    "vol-info '' --pool nosuch",
    "vol-info '[nosuch] x'",
    "vol-info '[]'",
    "vol-info '[x'",
    "vol-info a/b",
    "vol-info 00000000-0000-0000-0000-000000000000",
    "vol-info a b c",
    "vol-name nosuch",
    "vol-name ''",
    "vol-name",
    "vol-name a b",
    "vol-pool nosuch",
    "vol-pool nosuch --uuid",
    "vol-pool ''",
    "vol-path nosuch",
    "vol-key nosuch",
    "vol-dumpxml nosuch",
    "vol-clone nosuch",
    "vol-clone nosuch x",
    "vol-clone nosuch '' --pool nosuch",
    "vol-clone '' x",
    "vol-delete nosuch",
    "vol-delete",
    "vol-wipe nosuch",
    "vol-wipe nosuch --algorithm nosuch",
    "vol-resize nosuch",
    "vol-resize nosuch x",
    "vol-resize nosuch 1 --pool nosuch",
    "vol-download nosuch",
    "vol-download nosuch x",
    "vol-download nosuch ''",
    "vol-download nosuch x --offset x",
    "vol-download nosuch x --offset=-1",
    "vol-download nosuch x --offset 1k --length x",
    "vol-download nosuch x --length=-1",
    "vol-download nosuch x --length ''",
    "vol-download a b c d",
    "vol-upload nosuch",
    "vol-upload nosuch x --offset x",
    "vol-upload nosuch x --length x --pool nosuch",
    "vol-create nosuch x",
    "vol-create '' x",
    "vol-create",
    "vol-create-as nosuch x 1",
    "vol-create-as nosuch '' x",
    "vol-create-as nosuch",
    "vol-create-as '' x 1",
    "vol-create-from nosuch x y",
    "vol-create-from '' x y",
    "vol-create-from nosuch x",
];

/// Of every pool.
const OF_POOL: &[&str] = &[
    "pool-info POOL",
    "pool-info POOL --bytes",
    "pool-info UUID",
    "pool-dumpxml POOL",
    "pool-dumpxml POOL --xpath //name",
    "pool-name UUID",
    "pool-name POOL",
    "pool-uuid POOL",
    "pool-uuid UUID",
    "pool-autostart POOL",
    "pool-autostart POOL --disable",
    "pool-refresh POOL",
    "pool-event --pool POOL --list",
    "vol-list POOL",
    "vol-list POOL --details",
    "vol-list UUID",
    "vol-list UUID --details",
    "vol-info '' --pool POOL",
    "vol-create POOL nosuch.xml",
    "vol-create POOL ''",
    "vol-create-from POOL nosuch.xml nosuch",
    "vol-create-from POOL nosuch.xml nosuch POOL",
    "vol-create-from POOL nosuch.xml nosuch nosuch",
    "vol-create-from POOL '' nosuch",
    "vol-create-as POOL ''  1",
    "vol-create-as POOL x ''",
    "vol-create-as POOL x x",
    "vol-create-as POOL x 1x",
    "vol-create-as POOL x 1.5G",
    "vol-create-as POOL x 99999E",
    "vol-create-as POOL x '-1'",
    "vol-create-as POOL x x --allocation y",
    "vol-create-as POOL x 1 --allocation y --format ''",
    "vol-create-as POOL x 1 --allocation '' --format ''",
    "vol-create-as POOL x 1 --backing-vol '' --format ''",
    "vol-create-as POOL x 1 --backing-vol nosuch --backing-vol-format ''",
    "vol-create-as POOL x 1M --print-xml",
    "vol-create-as POOL x 1M --allocation 0 --format vmdk --print-xml",
    "vol-create-as POOL x ' 5' --allocation '' --backing-vol-format vmdk --print-xml",
    "vol-create-as POOL x +5k 010 raw --print-xml",
];

/// Of the first volumes of every pool.
const OF_VOLUME: &[&str] = &[
    "vol-info 'VOLUME' POOL",
    "vol-info 'VOLUME' --pool POOL --bytes",
    "vol-info --pool POOL --physical 'VOLUME'",
    "vol-info 'PATH'",
    "vol-info 'PATH' --pool POOL",
    "vol-info 'KEY'",
    "vol-info 'KEY' --pool POOL",
    "vol-dumpxml 'VOLUME' POOL",
    "vol-dumpxml 'PATH'",
    "vol-dumpxml 'VOLUME' POOL --xpath //target",
    "vol-dumpxml 'VOLUME' POOL --xpath //name|//key --wrap",
    "vol-key 'VOLUME' POOL",
    "vol-key 'PATH'",
    "vol-path 'VOLUME' POOL",
    "vol-path 'KEY'",
    "vol-name 'PATH'",
    "vol-name 'KEY'",
    "vol-name 'VOLUME'",
    "vol-pool 'PATH'",
    "vol-pool 'PATH' --uuid",
    "vol-pool 'KEY'",
    "vol-clone 'VOLUME' x POOL --print-xml",
    "vol-clone 'PATH' '' --print-xml",
    "vol-clone 'VOLUME' 'with \"quotes\"' POOL --print-xml",
    "vol-create-as POOL x 1M --format vmdk --backing-vol 'VOLUME' --backing-vol-format vmdk --print-xml",
    "vol-create-as POOL x 1M --backing-vol 'PATH' --print-xml",
    "vol-resize 'VOLUME' '' POOL",
    "vol-resize 'VOLUME' x POOL",
    "vol-resize 'VOLUME' '-5' POOL",
    "vol-resize 'VOLUME' '-x' POOL --delta",
    "vol-resize 'VOLUME' '-x' POOL --shrink",
    "vol-resize 'VOLUME' 1.5G POOL",
    "vol-resize 'VOLUME' 99999E POOL",
    "vol-wipe 'VOLUME' POOL --algorithm ''",
    "vol-wipe 'VOLUME' POOL --algorithm nosuch",
    "vol-download 'VOLUME' '' POOL",
    "vol-download 'VOLUME' /nosuch/x POOL",
    "vol-download 'VOLUME' /tmp POOL",
    "vol-upload 'VOLUME' '' POOL",
    "vol-upload 'VOLUME' /nosuch POOL",
];

const KNOWN: &[Known] = &[
    Known {
        words: &["vol-info", "--physical"],
        reason: "libvirt's ESX driver has no virStorageVolGetInfoFlags",
    },
    Known {
        words: &["pool-list", "--type"],
        reason: "libvirt's ESX driver has no virConnectListAllStoragePools",
    },
    Known {
        words: &["pool-dumpxml", "'iqn.2001-05.com.example:storage.disk1'"],
        reason: "libvirt writes the target's name as the initiator's, and no device",
    },
    Known {
        words: &["vol-info", "'[x'"],
        reason: "libvirt takes it for the name of a datastore",
    },
];

const NO_TYPE: &str = "libvirt's ESX driver does not know datastores of this type";

const KNOWN_OF_KINDS: &[Known] = &[
    Known {
        words: &["pool-dumpxml", "'new'"],
        reason: NO_TYPE,
    },
    Known {
        words: &["pool-dumpxml", "'pmem'"],
        reason: NO_TYPE,
    },
    Known {
        words: &["pool-dumpxml", "'vsanDatastore'"],
        reason: NO_TYPE,
    },
    Known {
        words: &["pool-dumpxml", "'vvols'"],
        reason: NO_TYPE,
    },
    Known {
        words: &["vol-list", "'gone'"],
        reason: FAULT,
    },
    // The UUID of that datastore.
    Known {
        words: &["vol-list", "d96a0eac-0d40-3aa5-a846-a21155c35ce8"],
        reason: FAULT,
    },
];

const FAULT: &str = "virsh shows the fault as it came over the wire";

const ANY_NAME: &str = "on a vCenter libvirt finds a volume of any name, whether it exists or not";

const KNOWN_OF_VCENTER: &[Known] = &[
    Known {
        words: &["vol-info", "'[nosuch]"],
        reason: ANY_NAME,
    },
    Known {
        words: &["vol-info", "'[production-local]", "--pool"],
        reason: ANY_NAME,
    },
    Known {
        words: &["vol-info", "'[production-shared]", "--pool"],
        reason: ANY_NAME,
    },
    Known {
        words: &["vol-create-from", "'production-local'", "nosuch"],
        reason: ANY_NAME,
    },
    Known {
        words: &["vol-create-from", "'production-shared'", "nosuch"],
        reason: ANY_NAME,
    },
    Known {
        words: &["--backing-vol", "'[production-local]"],
        reason: ANY_NAME,
    },
    Known {
        words: &["--backing-vol", "'[production-shared]"],
        reason: ANY_NAME,
    },
];

/// Volumes are made, copied, wiped and deleted. What virt-esx does and virsh cannot comes last for each volume, before it is
/// deleted.
const CHANGES: &[&str] = &[
    "vol-create-as POOL bare 5",
    "vol-create-as POOL new/raw.vmdk 1M",
    "vol-create-as POOL /new.vmdk 1M --format vmdk",
    "vol-create-as POOL new/ 1M --format vmdk",
    "vol-create-as POOL new/a.img 1M --format vmdk",
    "vol-create-as POOL new/a.vmdk 1M --format nosuch",
    "vol-create-as POOL new/a.vmdk 1M --format qcow2",
    "vol-create-as POOL new/a.vmdk 1M --format vmdk --allocation 5",
    "vol-create-as POOL new/a.vmdk 1M --format vmdk",
    "vol-create-as POOL new/a.vmdk 1M --format vmdk",
    "vol-create-as POOL new/a.vmdk 1M --format vmdk --prealloc-metadata",
    "vol-create-as POOL new/thin.vmdk 3M --format vmdk --allocation 0",
    "vol-create-as POOL new/odd.vmdk 1000000 --format vmdk",
    "vol-create-as POOL 'new/A B.VMDK' 1M --format vmdk --allocation 1M",
    "vol-create-as POOL 'new/a+b%c.vmdk' 1M --format vmdk",
    "vol-create-as POOL 'new/標準語.vmdk' 1M --format vmdk",
    "vol-create POOL FILE=plain",
    "vol-create POOL FILE=plain",
    "vol-create POOL FILE=block",
    "vol-create POOL FILE=raw",
    "vol-create POOL FILE=nameless",
    "vol-create POOL FILE=units",
    "vol-create POOL FILE=pool",
    "vol-create POOL FILE=plain --validate",
    "vol-create POOL FILE=plain --prealloc-metadata",
    "vol-list POOL",
    "vol-list POOL --details",
    "vol-info new/a.vmdk POOL",
    "vol-info new/thin.vmdk POOL",
    "vol-info new/odd.vmdk POOL --bytes",
    "vol-dumpxml new/thin.vmdk POOL",
    "vol-clone new/a.vmdk new/clone.vmdk POOL",
    "vol-clone new/a.vmdk new/clone.vmdk POOL",
    "vol-clone new/a.vmdk elsewhere/clone.vmdk POOL",
    "vol-clone new/a.vmdk clone POOL",
    "vol-clone new/a.vmdk new/clone.img POOL",
    "vol-clone new/a.vmdk new/other.vmdk POOL --reflink",
    "vol-clone new/a.vmdk new/other.vmdk POOL --prealloc-metadata",
    "vol-clone new/nosuch.vmdk new/other.vmdk POOL",
    "vol-create-from POOL FILE=copy new/a.vmdk POOL",
    "vol-create-from POOL FILE=copy new/a.vmdk POOL",
    "vol-create-from POOL FILE=copy new/a.vmdk",
    "vol-create-from POOL FILE=copy new/nosuch.vmdk POOL",
    "vol-create-from POOL FILE=raw new/a.vmdk POOL",
    "vol-create-from POOL FILE=copy new/a.vmdk POOL --reflink",
    "vol-create-from POOL FILE=copy new/a.vmdk POOL --prealloc-metadata",
    "vol-create-from POOL FILE=copy new/a.vmdk POOL --validate",
    "vol-list POOL --details",
    "vol-wipe new/clone.vmdk POOL",
    "vol-wipe new/clone.vmdk POOL --algorithm zero",
    "vol-wipe new/clone.vmdk POOL --algorithm dod",
    "vol-wipe new/clone.vmdk POOL --algorithm trim",
    "vol-wipe new/nosuch.vmdk POOL",
    "vol-delete new/clone.vmdk POOL --delete-snapshots",
    "vol-delete new/clone.vmdk POOL",
    "vol-delete new/clone.vmdk POOL",
    "vol-delete 'new/A B.VMDK' POOL",
    "vol-list POOL",
    "vol-resize new/odd.vmdk 4M POOL",
    "vol-resize new/odd.vmdk 1M POOL --delta",
    "vol-resize new/odd.vmdk 6M POOL --allocate",
    "vol-resize new/odd.vmdk 1 POOL",
    "vol-resize new/odd.vmdk '-1M' POOL --shrink",
    "vol-delete new/odd.vmdk POOL",
    "vol-upload new/thin.vmdk Cargo.toml POOL",
    "vol-upload new/thin.vmdk Cargo.toml POOL --offset 5",
    "vol-upload new/thin.vmdk Cargo.toml POOL --sparse",
    "vol-download new/thin.vmdk SCRATCH/thin POOL",
    "vol-download new/thin.vmdk SCRATCH/thin POOL --sparse --offset 5 --length 5",
    "vol-delete new/thin.vmdk POOL",
    "vol-list POOL",
];

const KNOWN_OF_CHANGES: &[Known] = &[
    Known {
        words: &["--prealloc-metadata"],
        reason: "virt-esx makes disks whose blocks are filled with zeros",
    },
    Known {
        words: &["--validate"],
        reason: "libvirt's ESX driver does not know this flag",
    },
    Known {
        words: &["'new/a+b%c.vmdk'"],
        reason: "virt-esx tells the name that the file has, which is escaped",
    },
    Known {
        words: &["'new/標準語.vmdk'"],
        reason: "virt-esx tells the name that the file has, which is escaped",
    },
    Known {
        words: &["vol-resize"],
        reason: "libvirt's ESX driver has no virStorageVolResize",
    },
    Known {
        words: &["vol-upload"],
        reason: "libvirt's ESX driver has no virStorageVolUpload",
    },
    Known {
        words: &["vol-download"],
        reason: "libvirt's ESX driver has no virStorageVolDownload",
    },
];

const KNOWN_OF_CHANGES_OF_VCENTER: &[Known] = &[
    Known {
        words: &["new/nosuch.vmdk"],
        reason: ANY_NAME,
    },
    Known {
        words: &["vol-delete", "new/clone.vmdk"],
        reason: ANY_NAME,
    },
];

/// Documents by name.
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "plain",
        "<volume>\n  <name>new/plain.vmdk</name>\n  <capacity unit='MiB'>2</capacity>\n  \
         <target><format type='vmdk'/></target>\n</volume>\n",
    ),
    (
        "block",
        "<volume type='block'>\n  <name>new/block.vmdk</name>\n  <capacity>1048576</capacity>\n  \
         <target><format type='vmdk'/></target>\n</volume>\n",
    ),
    (
        "raw",
        "<volume>\n  <name>new/raw.vmdk</name>\n  <capacity>1048576</capacity>\n  \
         <target><format type='raw'/></target>\n</volume>\n",
    ),
    (
        "nameless",
        "<volume>\n  <capacity>1048576</capacity>\n  <target><format type='vmdk'/></target>\n</volume>\n",
    ),
    (
        "units",
        "<volume>\n  <name>new/units.vmdk</name>\n  <capacity unit='furlong'>1</capacity>\n  \
         <target><format type='vmdk'/></target>\n</volume>\n",
    ),
    ("pool", "<pool type='dir'>\n  <name>x</name>\n</pool>\n"),
    (
        "copy",
        "<volume>\n  <name>new/copy.vmdk</name>\n  <capacity>0</capacity>\n  \
         <target><format type='vmdk'/></target>\n</volume>\n",
    ),
];
