//! The table of requests in docs/requests.md: what each command asks a server, from connecting to logging out.
//!
//! `UPDATE_REQUESTS=1 cargo test -p virt-esx --test server requests` writes the table; without it, the test compares.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use esx_sim::Simulator;

use super::{Host, text, virt_esx};

/// Command lines on the simulated host, which its own machines and stores suffice for.
const HOST: &str = r#"
attach-interface web01 network vSwitch0 --config --live
autostart build/ci
autostart --disable web01
blkdeviotune web01 sda
blkiotune db01
capabilities
desc web01
desc web01 --new-desc text
destroy web01
domblkerror web01
domblkinfo web01 sda
domblklist db01
domcapabilities
domcontrol web01
domhostname web01
domid web01
domif-getlink web01 00:0c:29:00:00:01
domif-setlink installer 00:0c:29:00:00:07 down
domifaddr db01 --source agent
domiflist db01
dominfo web01
dominfo nobody
domjobinfo web01
dommemstat web01
domname 1
domrename installer other
domstate web01
domstate 1
domstats
domstats web01
domuuid web01
domxml-to-native vmware-vmx --domain build/ci
dumpxml web01
events
find-storage-pool-sources-as netfs
freecell
hostname
iface-destroy vmk0
iface-dumpxml vmk0
iface-list
iface-mac vmk0
list
list --all
list --all --uuid
list --all --autostart
list --all --with-snapshot
maxvcpus
memtune web01
metadata web01 urn:a --remove
net-autostart vSwitch0
net-destroy vSwitch1
net-dumpxml vSwitch0
net-info vSwitch0
net-list
net-uuid vSwitch0
node-firewall
node-health
node-license
node-log
node-maintenance
node-ntp
node-service
nodecpumap
nodecpustats
nodedev-dumpxml computer
nodedev-info computer
nodedev-list
nodeinfo
nodememstats
numatune web01
pool-autostart ssd
pool-capabilities
pool-dumpxml datastore1
pool-info ssd
pool-list
pool-list --details
pool-refresh ssd
pool-uuid ssd
question list
reboot web01
reset web01
resume desktop
schedinfo web01
setmem web01 1048576
setvcpus installer 2 --config
shutdown web01
snapshot-create-as web01 before
snapshot-current db01
snapshot-delete db01 tuned
snapshot-dumpxml db01 installed
snapshot-info db01 installed
snapshot-list db01
snapshot-parent db01 tuned
snapshot-revert db01 installed
start installer
suspend web01
sysinfo
undefine installer
uri
vcpucount web01
vcpuinfo web01
vcpupin web01
version
vol-create-as ssd new/new.vmdk 1M --format vmdk
vol-delete iso/netinst.iso ssd
vol-dumpxml iso/netinst.iso ssd
vol-info iso/netinst.iso ssd
vol-key iso/netinst.iso ssd
vol-path web01/web01.vmdk ssd
"#;

/// Command lines on the first host of the simulated vCenter.
const VCENTER: &str = r#"
uri
list --all
dominfo web01
dumpxml web01
destroy web01
net-list
pool-list
"#;

/// Commands without a row: they ask no server, wait for what happens, or need a document, a file or a state that a new host
/// lacks; or send requests side by side, in any order.
const ELSEWHERE: &str = "
attach-device attach-disk blockresize cd change-media clone complete completion connect cpu-models create define detach-device
detach-device-alias detach-disk detach-interface domdisplay domjobabort dompmsuspend dompmwakeup domxml-from-native echo edit event
exit exporter find-storage-pool-sources help iface-begin iface-bridge iface-commit iface-define iface-edit iface-name iface-rollback
iface-start iface-unbridge iface-undefine man migrate net-create net-define net-edit net-event net-name net-start
net-undefine net-update nodecpustats nodedev-detach nodedev-event nodedev-reattach nodedev-reset nodesuspend pool-build
pool-create pool-create-as pool-define pool-define-as pool-delete pool-destroy pool-edit pool-event pool-name pool-start
pool-undefine pwd question quit screenshot secret-define secret-dumpxml secret-event secret-get-value secret-list
secret-set-value secret-undefine setmaxmem snapshot-create snapshot-edit ttyconsole update-device vmx2xml vncdisplay vol-clone
vol-create vol-create-from vol-download vol-list vol-name vol-pool vol-resize vol-upload vol-wipe watch xml2vmx
";

const HEAD: &str = "\
# Requests

What each command of `virt-esx` asks a server, with the simulator as the server: the answers of a request vary between servers, the
requests do not. A test makes this page (`UPDATE_REQUESTS=1 cargo test -p virt-esx --test server requests`) and fails if it is out
of date, so whoever adds a read sees it here.

The number is that of all requests. Those of connecting (`RetrieveServiceContent`, `Login`, and for a vCenter
`RetrievePropertiesEx`, which finds the host of the URI) and `Logout` are not written out: a session of many commands has them
once. So it has a host's first `RetrievePropertiesEx` where that reads the host's place in the inventory: once, and not at all
after a domain was looked up. A path is a file of a datastore. Tasks of the simulator are over when they are read for the third
time; one that takes longer costs a few more requests, however long it takes.

";

#[test]
fn the_table_of_requests_is_up_to_date() {
    let mut mistakes = Vec::new();
    let mut page = HEAD.to_owned();
    let vcenter = || Simulator::vcenter().credentials("root", "password");
    let host = || Simulator::esx().credentials("root", "password");
    for (title, lines, is_host) in [("A host", HOST, true), ("A vCenter", VCENTER, false)] {
        writeln!(
            page,
            "## {title}\n\n| command | requests | of its own |\n|---|---|---|"
        )
        .unwrap();
        for line in lines.lines().filter(|line| !line.is_empty()) {
            let simulator = match is_host {
                true => host().build(),
                false => vcenter().build(),
            };
            match requests(simulator, line) {
                Ok(requests) => writeln!(page, "{}", row(line, &requests, is_host)).unwrap(),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        page.push('\n');
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/requests.md");
    let page = format!("{}\n", page.trim_end());
    if std::env::var_os("UPDATE_REQUESTS").is_some() {
        std::fs::write(file, page).unwrap();
        return;
    }
    let known = std::fs::read_to_string(file).unwrap();
    let differences: Vec<_> = page
        .lines()
        .filter(|line| !known.lines().any(|known| known == *line))
        .collect();
    assert!(
        known == page,
        "docs/requests.md is out of date; UPDATE_REQUESTS=1 writes it anew:\n{}",
        differences.join("\n")
    );
}

#[test]
fn every_command_is_in_the_table_or_is_said_not_to_be() {
    let output = virt_esx(&["help"]).output().unwrap();
    let help = text(&output.stdout);
    let commands: BTreeSet<_> = help
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(commands.contains("dumpxml"), "{help}");
    let rows = HOST.lines().chain(VCENTER.lines());
    let rows = rows.filter_map(|line| line.split(' ').next());
    let known: BTreeSet<_> = rows.chain(ELSEWHERE.split_whitespace()).collect();
    let unknown: Vec<_> = commands.difference(&known).collect();
    assert!(unknown.is_empty(), "no row has {unknown:?}");
}

/// The requests of a command line, in order; a mistake if it fails.
fn requests(simulator: Simulator, line: &str) -> Result<Vec<String>, String> {
    let path = simulator.path().to_owned();
    let scheme = simulator.scheme();
    let host = Host::of(simulator, false);
    let uri = format!(
        "{scheme}://root@{}/{path}?transport=http",
        host.server.addr()
    );
    let mut command = virt_esx(&["-c", &uri]);
    command
        .args(line.split(' '))
        .env("VIRT_ESX_PASSWORD", "password");
    let output = command.output().unwrap();
    // `dominfo nobody` fails, and is there for that.
    if !output.status.success() && !line.ends_with("nobody") {
        return Err(format!("{line}: {}", text(&output.stderr)));
    }
    let requests = host.simulator.requests().into_iter();
    let named = requests.map(|request| match request.method {
        Some(method) => method,
        None => {
            let path = request.path.split('?').next().unwrap_or_default();
            format!("{} {path}", request.verb)
        }
    });
    Ok(named.collect())
}

/// `| command | 6 | FindChild, RetrievePropertiesEx ×2 |`
fn row(line: &str, requests: &[String], is_host: bool) -> String {
    const CONNECTING: [&str; 3] = ["RetrieveServiceContent", "Login", "RetrievePropertiesEx"];
    let connecting = if is_host { 2 } else { 3 };
    assert_eq!(requests[..connecting], CONNECTING[..connecting], "{line}");
    assert_eq!(requests.last().unwrap(), "Logout", "{line}");
    let own = &requests[connecting..requests.len() - 1];
    let runs = own.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => run[0].clone(),
        many => format!("{} ×{many}", run[0]),
    });
    let own = runs.collect::<Vec<_>>().join(", ");
    format!("| `{line}` | {} | {own} |", requests.len())
}
