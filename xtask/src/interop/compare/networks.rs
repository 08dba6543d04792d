//! Networks: what reads on hosts of several releases and on a vCenter, what changes, and what only virt-esx has.

use std::fs;

use super::super::peers::Tools;
use super::super::process;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// A simulated server.
struct Server {
    name: &'static str,
    user: &'static str,
    args: &'static [&'static str],
}

impl Server {
    /// What differs in lists: a vCenter has a distributed network.
    fn lists(&self) -> Option<Known> {
        (self.args == ["--vcenter"]).then_some(LISTS)
    }
}

const SERVERS: &[Server] = &[
    Server {
        name: "a simulated host",
        user: "root",
        args: &["--esx"],
    },
    Server {
        name: "a simulated host of release 4.1",
        user: "root",
        args: &["--esx", "--api-version", "4.1"],
    },
    Server {
        name: "a simulated host of release 6.7",
        user: "root",
        args: &["--esx", "--api-version", "6.7"],
    },
    Server {
        name: "a simulated host of release 8.0",
        user: "root",
        args: &["--esx", "--api-version", "8.0"],
    },
    Server {
        name: "a simulated vCenter",
        user: "administrator@vsphere.local",
        args: &["--vcenter"],
    },
];

/// Runs every command about networks with virsh and with virt-esx: those that read on one server, those that change
/// something on a server each.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for server in SERVERS {
        let place = format!("networks of {}", server.name);
        let pair = Pair::new(tools, &place, server.user, server.args)?;
        let mut lines: Vec<_> = READING.iter().map(|line| (*line).to_owned()).collect();
        for network in ["vSwitch0", "vSwitch1", "vSwitch2"] {
            lines.extend(of_network(&pair, network)?);
        }
        let mut known = [KNOWN, KNOWN_OF_MISTAKES].concat();
        known.extend(server.lists());
        compare((&pair, &pair), &lines, &known, report)?;
        changes(tools, server, &place, report)?;
    }
    odd(tools, report)?;
    ours(tools, report)
}

/// Networks are made and removed, and then described. A free network card is there.
fn changes(tools: &Tools, server: &Server, place: &str, report: &mut Report) -> Result<(), String> {
    let script = script(tools, "free", "0 add-nic-device vmnic9\n")?;
    let args = [server.args, &["--play", &script]].concat();
    let make = || Pair::new(tools, place, server.user, &args);
    let (theirs, ours) = (make()?, make()?);
    let lines = CHANGES.iter().map(|line| with_file(&theirs, line));
    let mut lines = lines.collect::<Result<Vec<_>, String>>()?;
    for network in MADE {
        let quoted = format!("'{network}'");
        lines.extend(OF_MADE.iter().map(|line| line.replace("NETWORK", &quoted)));
    }
    let undefine = MADE.iter().map(|name| format!("net-undefine '{name}'"));
    lines.extend(undefine);
    lines.push("net-list --all".to_owned());
    let mut known = KNOWN_OF_CHANGES.to_vec();
    known.extend(server.lists());
    compare((&theirs, &ours), &lines, &known, report)?;
    for (editor, network) in EDITS {
        let edit = |pair: &Pair<'_>, program: &std::path::Path| {
            let mut command = pair.tools.client(program, &pair.auth);
            command.env("EDITOR", editor).env_remove("VISUAL");
            let run = process::run(command.args(["-c", &pair.uri, "net-edit", network]), "");
            run.map(process::Run::without_hints)
        };
        let virsh = edit(&theirs, "virsh".as_ref())?;
        let virt_esx = edit(&ours, &tools.virt_esx)?;
        let found = format!("virsh: {virsh}virt-esx: {virt_esx}");
        let name = format!("net-edit {network} with {editor}");
        report.check(&ours.section, &name, virsh == virt_esx, &found);
    }
    let list = ["net-list --all", "net-dumpxml edited"].map(str::to_owned);
    let mut known = vec![Known {
        words: &["net-dumpxml", "edited"],
        reason: VLANS.reason,
    }];
    known.extend(server.lists());
    compare((&theirs, &ours), &list, &known, report)
}

/// Switches without network cards, and one whose card was taken out of the host.
fn odd(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let script = script(tools, "gone", "0 remove-nic-device vmnic0\n")?;
    let place = "networks of a simulated host without a card";
    let pair = Pair::new(tools, place, "root", &["--esx", "--play", &script])?;
    let lines = of_network(&pair, "vSwitch0")?;
    compare((&pair, &pair), &lines, &[], report)?;
    steps(&pair, &[], GONE, report)
}

/// What libvirt's ESX driver does not know: distributed and opaque networks.
fn ours(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(
        tools,
        "distributed and opaque networks",
        "administrator@vsphere.local",
        &[
            "--vcenter",
            "--dvs",
            "dvSwitch0@Lab:web=10,db",
            "--dvs",
            "dvSwitch0@Other:app=30",
            "--dvs",
            "a %2f/漢字 \"q\":g \"r\"=20,a/b",
            "--opaque-network",
            "nsx net/1",
        ],
    )?;
    // What virsh lists comes as from virsh, after the others are left out.
    let lines: Vec<_> = ["vSwitch0", "vSwitch1", "vSwitch2"]
        .iter()
        .map(|network| of_network(&pair, network))
        .collect::<Result<Vec<_>, String>>()?
        .concat();
    let known = [LISTS];
    let lists = ["net-list", "net-list --uuid"].map(str::to_owned);
    compare((&pair, &pair), &lists, &known, report)?;
    compare((&pair, &pair), &lines, KNOWN, report)?;

    let uuids = pair.virt_esx(&["net-list", "--uuid"])?.stdout;
    let uuids: Vec<_> = uuids
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    steps(&pair, &uuids, DISTRIBUTED, report)
}

/// Runs virt-esx alone: each command prints the text; behind a `!` in front of it, it does not and succeeds. `UUID3` is the
/// third of `uuids`, `~` a blank within a word.
fn steps(
    pair: &Pair<'_>,
    uuids: &[String],
    steps: &[(&str, &str)],
    report: &mut Report,
) -> Result<(), String> {
    let filled = |text: &str| {
        let numbered = uuids.iter().enumerate();
        numbered.fold(text.to_owned(), |text, (index, uuid)| {
            text.replace(&format!("UUID{}", index + 1), uuid)
        })
    };
    for (command, expected) in steps {
        let words = filled(command);
        let words: Vec<_> = words
            .split(' ')
            .map(|word| word.replace('~', " "))
            .collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let run = pair.virt_esx(&words)?;
        let expected = filled(expected);
        let contains = |text: &str| run.stdout.contains(text) || run.stderr.contains(text);
        let held = match expected.strip_prefix('!') {
            Some(absent) => run.succeeded() && !contains(absent),
            None => contains(&expected),
        };
        report.check(&pair.section, &words.join(" "), held, &run.to_string());
    }
    Ok(())
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

/// All that reads a network, by its name and by its UUID.
fn of_network(pair: &Pair<'_>, network: &str) -> Result<Vec<String>, String> {
    let uuid = pair.virsh(&["net-uuid", network])?.stdout;
    let filled = |line: &&str| {
        let line = line.replace("UUID", uuid.trim());
        line.replace("NETWORK", network)
    };
    Ok(OF_NETWORK.iter().map(filled).collect())
}

/// A file with changes for esx-sim to play.
fn script(tools: &Tools, name: &str, changes: &str) -> Result<String, String> {
    let path = tools.scratch.join(format!("{name}.changes"));
    fs::write(&path, changes).map_err(|error| error.to_string())?;
    Ok(path.display().to_string())
}

/// `FILE=name` is the path of a document of [`DOCUMENTS`].
fn with_file(pair: &Pair<'_>, line: &str) -> Result<String, String> {
    let Some((start, name)) = line.split_once("FILE=") else {
        return Ok(line.to_owned());
    };
    let (name, end) = name.split_once(' ').unwrap_or((name, ""));
    let document = DOCUMENTS.iter().find(|(known, _)| *known == name);
    let (_, xml) = document.ok_or_else(|| format!("there is no document {name}"))?;
    let path = pair.tools.scratch.join(format!("network-{name}.xml"));
    fs::write(&path, xml).map_err(|error| error.to_string())?;
    Ok(format!("{start}{} {end}", path.display())
        .trim_end()
        .to_owned())
}

/// Lists and mistakes.
const READING: &[&str] = &[
    "net-list",
    "net-list --all",
    "net-list --inactive",
    "net-list --all --inactive",
    "net-list --persistent",
    "net-list --transient",
    "net-list --persistent --transient",
    "net-list --autostart",
    "net-list --no-autostart",
    "net-list --autostart --no-autostart",
    "net-list --autostart --persistent",
    "net-list --inactive --transient --no-autostart",
    "net-list --name",
    "net-list --uuid",
    "net-list --table",
    "net-list --all --name --persistent",
    "net-list --name --inactive",
    "net-list --uuid --inactive",
    "net-list --uuid --name",
    "net-list --uuid --table",
    "net-list --name --table",
    "net-list --uuid --name --table",
    "net-list --nosuch",
    "net-list x",
    "net-info nosuch",
    "net-info ''",
    "net-info",
    "net-info a b",
    "net-info 2f467347-8b4e-8655-e7d6-c4c3fb968000",
    "net-name 2f467347-8b4e-8655-e7d6-c4c3fb968000",
    "net-name nosuch",
    "net-name nosuchnosuchnosuchnosuchnosuchnosuch",
    "net-name 2f4673478b4e8655e7d6c4c3fb968009",
    "net-name ''",
    "net-name",
    "net-uuid nosuch",
    "net-uuid ''",
    "net-uuid",
    "net-dumpxml nosuch",
    "net-dumpxml 2f467347-8b4e-8655-e7d6-c4c3fb968000",
    "net-dumpxml ''",
    "net-dumpxml",
    "net-dumpxml a b",
    "net-dumpxml nosuch --xpath //name",
    "net-dumpxml nosuch --xpath ''",
    "net-autostart nosuch",
    "net-autostart ''",
    "net-autostart",
    "net-start nosuch",
    "net-start ''",
    "net-start",
    "net-destroy nosuch",
    "net-destroy ''",
    "net-destroy",
    "net-undefine nosuch",
    "net-undefine ''",
    "net-undefine vSwitch0 extra",
    "net-undefine",
    "net-define nosuch.xml",
    "net-define nosuch.xml --validate",
    "net-define ''",
    "net-define",
    "net-define a b",
    "net-create nosuch.xml",
    "net-create nosuch.xml --validate",
    "net-create ''",
    "net-create",
    "net-edit nosuch",
    "net-edit ''",
    "net-edit",
    "net-update",
    "net-update nosuch",
    "net-update nosuch add portgroup x",
    "net-update nosuch nosuch nosuch ''",
    "net-update '' add portgroup x",
    "net-update nosuch add portgroup x --current --live",
    "net-update nosuch add portgroup x --current --config",
    "net-update nosuch add portgroup x --current --config --live",
    "net-dhcp-leases nosuch",
    "net-dhcp-leases ''",
    "net-dhcp-leases",
    "net-dhcp-leases nosuch --mac ''",
    "net-dhcp-leases nosuch --mac",
    "net-port-list nosuch",
    "net-port-list nosuch --uuid --table",
    "net-port-list '' --uuid --table",
    "net-port-list ''",
    "net-port-list",
    "net-port-create nosuch nosuch.xml",
    "net-port-create nosuch ''",
    "net-port-create '' nosuch.xml",
    "net-port-create nosuch",
    "net-port-dumpxml nosuch x",
    "net-port-dumpxml nosuch ''",
    "net-port-dumpxml '' x",
    "net-port-dumpxml nosuch",
    "net-port-delete nosuch x",
    "net-port-delete nosuch ''",
    "net-port-delete nosuch",
    "net-event --network nosuch --list",
    "net-event --list",
];

/// Of every network.
const OF_NETWORK: &[&str] = &[
    "net-info NETWORK",
    "net-info UUID",
    "net-info ' NETWORK'",
    "net-name UUID",
    "net-name NETWORK",
    "net-uuid NETWORK",
    "net-uuid UUID",
    "net-dumpxml NETWORK",
    "net-dumpxml UUID",
    "net-dumpxml NETWORK --inactive",
    "net-dumpxml NETWORK --xpath //name",
    "net-dumpxml NETWORK --xpath //forward|//name --wrap",
    "net-dumpxml NETWORK --xpath //nosuch",
    "net-autostart NETWORK",
    "net-autostart UUID",
    "net-autostart NETWORK --disable",
    "net-dhcp-leases NETWORK",
    "net-dhcp-leases UUID --mac 52:54:00:00:00:01",
    "net-dhcp-leases NETWORK --mac ''",
    "net-port-list NETWORK",
    "net-port-list NETWORK --uuid",
    "net-port-list NETWORK --table",
    "net-port-list NETWORK --table --uuid",
    "net-port-create NETWORK nosuch.xml",
    "net-port-create NETWORK Cargo.toml",
    "net-port-create NETWORK Cargo.toml --validate",
    "net-port-dumpxml NETWORK x",
    "net-port-dumpxml NETWORK UUID",
    "net-port-dumpxml NETWORK UUID --xpath //x --wrap",
    "net-port-delete NETWORK UUID",
    "net-update NETWORK nosuch nosuch ''",
    "net-update NETWORK '' nosuch ''",
    "net-update NETWORK none nosuch ''",
    "net-update NETWORK add nosuch ''",
    "net-update NETWORK add '' ''",
    "net-update NETWORK add none '' --parent-index x",
    "net-update NETWORK add-first portgroup '' --parent-index x",
    "net-update NETWORK add-last portgroup '' --parent-index 1",
    "net-update NETWORK delete portgroup nosuch.xml",
    "net-update UUID modify bridge nosuch.xml --config --live",
    "net-update UUID modify domain nosuch.xml --live",
    "net-update UUID modify ip nosuch.xml --config",
    "net-update UUID modify ip-dhcp-host nosuch.xml --current",
    "net-update UUID modify ip-dhcp-range nosuch.xml",
    "net-update UUID modify forward nosuch.xml",
    "net-update UUID modify forward-interface nosuch.xml",
    "net-update UUID modify forward-pf nosuch.xml",
    "net-update UUID modify dns-host nosuch.xml",
    "net-update UUID modify dns-txt nosuch.xml",
    "net-update UUID modify dns-srv nosuch.xml",
];

const VLANS: Known = Known {
    words: &["net-dumpxml", "vSwitch2"],
    reason: "libvirt's ESX driver leaves out the VLANs of port groups",
};

/// Lists of a vCenter's networks.
const LISTS: Known = Known {
    words: &["net-list"],
    reason: "libvirt's ESX driver lists no distributed and no opaque networks",
};

const KNOWN: &[Known] = &[
    VLANS,
    // By the UUID.
    Known {
        words: &["net-dumpxml", "b127e322-9906-8cf8-3e6e-a6cbf8c4deb6"],
        reason: VLANS.reason,
    },
];

const NO_REASON: &str = "virsh does not say why, and its exit status is 0";

const KNOWN_OF_MISTAKES: &[Known] = &[
    Known {
        words: &["net-port-dumpxml", "nosuch"],
        reason: NO_REASON,
    },
    Known {
        words: &["net-port-delete", "nosuch"],
        reason: NO_REASON,
    },
];

/// What makes networks, or fails to.
const CHANGES: &[&str] = &[
    "net-define FILE=isolated",
    "net-define FILE=isolated",
    "net-define FILE=bridged",
    "net-define FILE=limited",
    "net-define FILE=quotes",
    "net-define FILE=blanks",
    "net-define FILE=cjk",
    "net-define FILE=percent",
    "net-define FILE=slash",
    "net-define FILE=defaults",
    "net-define FILE=no-forward-devices",
    "net-define FILE=two-directions",
    "net-define FILE=one-direction",
    "net-define FILE=nat",
    "net-define FILE=route",
    "net-define FILE=private",
    "net-define FILE=hostdev",
    "net-define FILE=uuid",
    "net-define FILE=exists",
    "net-define FILE=group-exists",
    "net-define FILE=nameless",
    "net-define FILE=empty-name",
    "net-define FILE=nameless-group",
    "net-define FILE=no-card",
    "net-define FILE=card-twice",
    "net-define FILE=domain",
    "net-list --all",
    "net-undefine vSwitch0",
    "net-undefine vSwitch1",
    "net-undefine vSwitch1",
    "net-undefine vSwitch2",
    "net-list --all",
    "net-start vSwitch0",
    "net-destroy vSwitch0",
    "net-create FILE=isolated",
    "net-create FILE=isolated --validate",
    "net-update vSwitch0 add portgroup <portgroup/>",
];

/// The networks that are there then.
const MADE: &[&str] = &[
    "isolated",
    "bridged",
    "limited",
    "a\"b",
    "a b",
    "漢字",
    "a%2fb",
    "defaults",
    "no-forward-devices",
];

const OF_MADE: &[&str] = &[
    "net-info NETWORK",
    "net-uuid NETWORK",
    "net-dumpxml NETWORK",
];

const NOT_THERE: &str = "libvirt's ESX driver has no function for it";

const KNOWN_OF_CHANGES: &[Known] = &[
    Known {
        words: &["net-dumpxml", "'a\"b'"],
        reason: "libvirt does not escape the names of port groups",
    },
    Known {
        words: &["net-define", "network-no-forward-devices.xml"],
        reason: "a warning says that a switch has no name as a bridge",
    },
    Known {
        words: &["net-start", "vSwitch0"],
        reason: NOT_THERE,
    },
    Known {
        words: &["net-destroy", "vSwitch0"],
        reason: NOT_THERE,
    },
    Known {
        words: &["net-create"],
        reason: NOT_THERE,
    },
    Known {
        words: &["net-update"],
        reason: NOT_THERE,
    },
];

/// Editors, and what they edit. Not what libvirt refuses: virsh says then that `(null)` was edited.
const EDITS: &[(&str, &str)] = &[
    ("true", "vSwitch0"),
    ("true", "nosuch"),
    (
        "sed -i -e /uuid/d -e s/vSwitch2/edited/ -e /forward/d -e /interface/d -e s/DMZ/DMZ2/",
        "vSwitch2",
    ),
];

/// Documents by name.
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "isolated",
        "<network>\n  <name>isolated</name>\n  <portgroup name='isolated A'/>\n</network>\n",
    ),
    (
        "bridged",
        "<network>\n  <name>bridged</name>\n  <forward mode='bridge'>\n    <interface dev='vmnic9'/>\n  </forward>\n  \
         <portgroup name='bridged A'/>\n  <portgroup name='bridged B'/>\n</network>\n",
    ),
    (
        "limited",
        "<network>\n  <name>limited</name>\n  <bandwidth>\n    <inbound average='1000' peak='5000' burst='1024'/>\n    \
         <outbound average='1000' peak='5000' burst='1024'/>\n  </bandwidth>\n  <portgroup name='limited A'>\n    <bandwidth>\n      \
         <inbound average='10' peak='50' burst='10'/>\n      <outbound average='10' peak='50' burst='10'/>\n    </bandwidth>\n  \
         </portgroup>\n</network>\n",
    ),
    (
        "quotes",
        "<network>\n  <name>a&quot;b</name>\n  <portgroup name='q &quot;&apos;'/>\n</network>\n",
    ),
    (
        "blanks",
        "<network>\n  <name>a b</name>\n  <portgroup name=' blanks '/>\n</network>\n",
    ),
    (
        "cjk",
        "<network>\n  <name>漢字</name>\n  <portgroup name='標準語'/>\n</network>\n",
    ),
    ("percent", "<network>\n  <name>a%2fb</name>\n</network>\n"),
    ("slash", "<network>\n  <name>a/b</name>\n</network>\n"),
    (
        "defaults",
        "<network>\n  <name>defaults</name>\n  <portgroup name='defaults A' default='yes'/>\n  \
         <portgroup name='defaults B'/>\n</network>\n",
    ),
    (
        "no-forward-devices",
        "<network>\n  <name>no-forward-devices</name>\n  <forward mode='bridge'/>\n  <bridge name='br0'/>\n</network>\n",
    ),
    (
        "two-directions",
        "<network>\n  <name>x</name>\n  <bandwidth>\n    <inbound average='1'/>\n    <outbound average='2'/>\n  \
         </bandwidth>\n</network>\n",
    ),
    (
        "one-direction",
        "<network>\n  <name>x</name>\n  <bandwidth>\n    <inbound average='1'/>\n  </bandwidth>\n</network>\n",
    ),
    (
        "nat",
        "<network>\n  <name>x</name>\n  <forward mode='nat'/>\n</network>\n",
    ),
    (
        "route",
        "<network>\n  <name>x</name>\n  <forward mode='route'/>\n  <ip address='10.0.0.1' prefix='8'/>\n</network>\n",
    ),
    (
        "private",
        "<network>\n  <name>x</name>\n  <forward mode='private'>\n    <interface dev='vmnic9'/>\n  </forward>\n</network>\n",
    ),
    (
        "hostdev",
        "<network>\n  <name>x</name>\n  <forward mode='hostdev'>\n    \
         <address type='pci' domain='0' bus='1' slot='1' function='1'/>\n  </forward>\n</network>\n",
    ),
    (
        "uuid",
        "<network>\n  <name>x</name>\n  <uuid>2f467347-8b4e-8655-e7d6-c4c3fb968001</uuid>\n</network>\n",
    ),
    ("exists", "<network>\n  <name>vSwitch0</name>\n</network>\n"),
    (
        "group-exists",
        "<network>\n  <name>x</name>\n  <portgroup name='VM Network'/>\n</network>\n",
    ),
    ("nameless", "<network/>\n"),
    ("empty-name", "<network>\n  <name/>\n</network>\n"),
    (
        "nameless-group",
        "<network>\n  <name>x</name>\n  <portgroup/>\n</network>\n",
    ),
    (
        "no-card",
        "<network>\n  <name>x</name>\n  <forward mode='bridge'>\n    <interface dev='vmnic99'/>\n  </forward>\n</network>\n",
    ),
    (
        "card-twice",
        "<network>\n  <name>x</name>\n  <forward mode='bridge'>\n    <interface dev='vmnic9'/>\n    \
         <interface dev='vmnic9'/>\n  </forward>\n</network>\n",
    ),
    ("domain", "<domain type='vmware'/>\n"),
];

/// A switch whose card is gone can be mended.
const GONE: &[(&str, &str)] = &[
    (
        "net-dumpxml vSwitch0",
        "Could not find PhysicalNic with key 'key-vim.host.PhysicalNic-vmnic0'",
    ),
    (
        "net-update vSwitch0 add forward-interface <interface~dev='vmnic0'/>",
        "there is an existing interface entry in network 'vSwitch0'",
    ),
    (
        "net-update vSwitch0 delete forward-interface <interface~dev='vmnic0'/>",
        "Updated network vSwitch0 live state\n",
    ),
    ("net-dumpxml vSwitch0", "<bridge stp='off' delay='0'/>"),
    (
        "net-update vSwitch0 add forward-interface <interface~dev='vmnic0'/>",
        "Could not find PhysicalNic with name 'vmnic0'",
    ),
    (
        "net-update vSwitch0 add forward-interface <interface~dev='vmnic1'/>",
        "the network card 'vmnic1' is one of another network",
    ),
    (
        "net-update vSwitch1 add portgroup <portgroup~name='p/q~%2f~漢\"'><vlan><tag~id='9'/></vlan></portgroup> --config",
        "Updated network vSwitch1 persistent config\n",
    ),
    (
        "net-dumpxml vSwitch1",
        "<portgroup name='p/q %2f 漢&quot;'>\n    <vlan>\n      <tag id='9'/>\n",
    ),
    (
        "net-update vSwitch1 modify portgroup <portgroup~name='p/q~%2f~漢\"'/> --config --live",
        "Updated network vSwitch1 persistent config and live state\n",
    ),
    ("net-dumpxml vSwitch1", "!<tag id='9'/>"),
    (
        "net-update vSwitch1 delete portgroup <portgroup~name='p/q~%2f~漢\"'/>",
        "Updated network vSwitch1 live state\n",
    ),
    ("net-dumpxml vSwitch1", "!%2f"),
    (
        "net-update vSwitch0 delete portgroup <portgroup~name='VM~Network'/>",
        "port group 'VM Network' is in use",
    ),
    (
        "net-update vSwitch0 delete portgroup <portgroup~name='Management~Network'/>",
        "port group 'Management Network' of network 'vSwitch0' has a 'host' port",
    ),
    (
        "net-undefine vSwitch1",
        "Network vSwitch1 has been undefined\n",
    ),
];

/// In the order of their names, without regard to case: the odd one, the two of one name, the opaque one, and the standard
/// ones.
const DISTRIBUTED: &[(&str, &str)] = &[
    ("net-list", " a %2f/漢字 \"q\"   active   yes         yes\n"),
    (
        "net-list",
        " dvSwitch0        active   yes         yes\n dvSwitch0  ",
    ),
    ("net-list --inactive", "!dvSwitch0"),
    ("net-name UUID1", "a %2f/漢字 \"q\"\n"),
    ("net-uuid a~%2f/漢字~\"q\"", "UUID1\n"),
    ("net-info a~%2f/漢字~\"q\"", "UUID:           UUID1\n"),
    (
        "net-dumpxml a~%2f/漢字~\"q\"",
        "<portgroup name='g &quot;r&quot;'>\n    <vlan>\n      <tag id='20'/>\n    </vlan>\n  </portgroup>\n  \
         <portgroup name='a/b'>\n",
    ),
    (
        "net-dumpxml UUID1 --xpath //name",
        "<name>a %2f/漢字 \"q\"</name>\n",
    ),
    (
        "net-info dvSwitch0",
        "several networks have the name 'dvSwitch0'",
    ),
    (
        "net-dumpxml dvSwitch0",
        "several networks have the name 'dvSwitch0'",
    ),
    (
        "net-undefine dvSwitch0",
        "several networks have the name 'dvSwitch0'",
    ),
    (
        "net-dumpxml UUID2",
        "<name>dvSwitch0</name>\n  <uuid>UUID2</uuid>\n",
    ),
    (
        "net-dumpxml UUID3",
        "<name>dvSwitch0</name>\n  <uuid>UUID3</uuid>\n",
    ),
    (
        "net-dumpxml UUID2",
        "<portgroup name='web'>\n    <vlan>\n      <tag id='10'/>\n    </vlan>\n  </portgroup>\n  <portgroup name='db'>\n",
    ),
    ("net-dumpxml UUID3", "<portgroup name='app'>\n"),
    ("net-name UUID3", "dvSwitch0\n"),
    (
        "net-autostart UUID2",
        "Network UUID2 marked as autostarted\n",
    ),
    (
        "net-autostart UUID2 --disable",
        "Cannot deactivate network autostart",
    ),
    ("net-start UUID2", "network is already active"),
    (
        "net-destroy UUID2",
        "network 'dvSwitch0' cannot be removed here",
    ),
    (
        "net-undefine UUID2",
        "network 'dvSwitch0' cannot be removed here",
    ),
    (
        "net-edit nosuch",
        "Could not find HostVirtualSwitch with name 'nosuch'",
    ),
    ("net-info UUID4", "Name:           nsxvswitch\n"),
    ("net-dumpxml nsxvswitch", "<portgroup name='nsx net/1'>\n"),
    (
        "net-undefine nsxvswitch",
        "network 'nsxvswitch' cannot be removed here",
    ),
    (
        "net-update nsxvswitch add portgroup <portgroup~name='x'/>",
        "network 'nsxvswitch' cannot be changed here",
    ),
    (
        "net-update UUID2 add portgroup <portgroup~name='new/1~%2f'><vlan><tag~id='77'/></vlan></portgroup>",
        "Updated network UUID2 live state\n",
    ),
    (
        "net-dumpxml UUID2",
        "<portgroup name='new/1 %2f'>\n    <vlan>\n      <tag id='77'/>\n",
    ),
    ("net-dumpxml UUID3", "!new/1"),
    (
        "net-update UUID2 modify portgroup <portgroup~name='new/1~%2f'/> --config",
        "Updated network UUID2 persistent config\n",
    ),
    ("net-dumpxml UUID2", "!<tag id='77'/>"),
    (
        "net-update UUID2 delete portgroup <portgroup~name='new/1~%2f'/>",
        "Updated network UUID2 live state\n",
    ),
    (
        "net-update UUID2 delete portgroup <portgroup~name='new/1~%2f'/>",
        "couldn't find a portgroup entry in network 'dvSwitch0'",
    ),
    (
        "net-update UUID2 add forward-interface <interface~dev='vmnic99'/>",
        "Could not find PhysicalNic with name 'vmnic99'",
    ),
    ("net-dhcp-leases UUID2", "virNetworkGetDHCPLeases"),
];
