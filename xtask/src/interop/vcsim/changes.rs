//! What changes domains: devices, memory, snapshots, clones, names, new domains.
//!
//! vcsim's `.vmx` files are empty, so that commands which begin with a domain's document (`detach-disk`, `dumpxml`) fail
//! there. `detach-device` has the document from a file. vcsim's other defects are told where they show.

use std::fs;
use std::path::Path;

use super::Peer;
use crate::interop::peers::Tools;
use crate::interop::process::Server;
use crate::interop::report::Report;

/// Domains are changed, and what vcsim then says of them is compared.
pub(super) fn run(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    for (section, domain, options, path) in [
        (
            "virt-esx on vcsim as a host: changes",
            "ha-host_VM0",
            &["-esx"][..],
            "",
        ),
        (
            "virt-esx on vcsim as a vCenter: changes",
            "DC0_H0_VM0",
            &[],
            "DC0/DC0_H0",
        ),
    ] {
        let mut server = Server::start(&tools.vcsim, options)?;
        let scheme = if path.is_empty() { "esx" } else { "vpx" };
        let peer = Peer {
            tools,
            auth,
            uri: format!("{scheme}://{}/{path}?no_verify=1", server.greeting),
            section,
        };
        let clones = if path.is_empty() { NO_CLONES } else { CLONES };
        for steps in [DEVICES, SNAPSHOTS, CONFIGURATION, CREATION, clones, NAMES] {
            peer.all(report, &mut server, domain, steps)?;
        }
    }
    Ok(())
}

impl Peer<'_> {
    /// Each command prints the text; with a `!` in front of it, it succeeds without. `DOMAIN` is the domain, `~` a blank
    /// within a word, `FILE=…` a file of [`FILES`]. The command `vcsim NAME` asks vcsim what the machine has.
    pub(super) fn all(
        &self,
        report: &mut Report,
        server: &mut Server,
        domain: &str,
        steps: &[Step],
    ) -> Result<(), String> {
        for (command, expected) in steps {
            let command = command.replace("DOMAIN", domain);
            let expected = &*expected.replace("DOMAIN", domain);
            if let Some(name) = command.strip_prefix("vcsim ") {
                let found = server.ask(name)?;
                let held = match expected.strip_prefix('!') {
                    Some(absent) => !found.contains(absent),
                    None => found.contains(expected),
                };
                let name = format!("{command}: {expected}");
                report.check(self.section, &name, held, &found);
                continue;
            }
            let mut args = Vec::new();
            for word in command.split(' ') {
                args.push(match word.strip_prefix("FILE=") {
                    Some(name) => self.file(name, domain)?,
                    None => word.replace('~', " "),
                });
            }
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let run = self.run(&args)?;
            let contains = |text: &str| run.stdout.contains(text) || run.stderr.contains(text);
            let held = match expected.strip_prefix('!') {
                Some(absent) => run.succeeded() && !contains(absent),
                None => contains(expected),
            };
            report.check(self.section, &args.join(" "), held, &run.to_string());
        }
        Ok(())
    }

    /// Writes a document into a file.
    fn file(&self, name: &str, domain: &str) -> Result<String, String> {
        let path = self.tools.scratch.join(format!("{name}.xml"));
        let known = FILES.iter().find(|(known, _)| *known == name);
        let (_, xml) = known.ok_or_else(|| format!("there is no document {name}"))?;
        fs::write(&path, xml.replace("DOMAIN", domain)).map_err(|error| error.to_string())?;
        Ok(path.display().to_string())
    }
}

/// A command, and what it prints.
pub(super) type Step = (&'static str, &'static str);

const DEVICES: &[Step] = &[
    (
        "attach-interface DOMAIN bridge VM~Network --model e1000 --mac 00:0c:29:6d:0f:e0",
        "Interface attached successfully\n",
    ),
    ("vcsim DOMAIN", "card 00:0c:29:6d:0f:e0 plugged=true"),
    (
        "update-device DOMAIN FILE=card-down",
        "Device updated successfully\n",
    ),
    ("vcsim DOMAIN", "card 00:0c:29:6d:0f:e0 plugged=false"),
    (
        "detach-device DOMAIN FILE=card",
        "Device detached successfully\n",
    ),
    ("vcsim DOMAIN", "!00:0c:29:6d:0f:e0"),
    (
        "detach-device DOMAIN FILE=card",
        "no device matching MAC address 00:0c:29:6d:0f:e0",
    ),
    // The file of the domain itself: vcsim locks no files.
    (
        "attach-disk DOMAIN [LocalDS_0]~DOMAIN/disk1.vmdk sdb",
        "Disk attached successfully\n",
    ),
    (
        "vcsim DOMAIN",
        "plugged=true, disk [LocalDS_0] DOMAIN/disk1.vmdk",
    ),
    (
        "attach-disk DOMAIN [LocalDS_0]~DOMAIN/disk1.vmdk sdb",
        "target sdb already exists",
    ),
    (
        "attach-disk DOMAIN [LocalDS_0]~DOMAIN/nosuch.vmdk sdc",
        "FileNotFound",
    ),
    (
        "detach-device DOMAIN FILE=disk",
        "Device detached successfully\n",
    ),
    ("vcsim DOMAIN", "!plugged=true, disk"),
];

const SNAPSHOTS: &[Step] = &[
    (
        "snapshot-create-as DOMAIN one",
        "Domain snapshot one created\n",
    ),
    (
        "snapshot-create-as DOMAIN two second",
        "Domain snapshot two created\n",
    ),
    ("snapshot-list DOMAIN --tree", "one\n  |\n  +- two\n"),
    ("snapshot-current DOMAIN --name", "two\n"),
    (
        "snapshot-dumpxml DOMAIN two",
        "<description>second</description>",
    ),
    (
        "snapshot-revert DOMAIN one",
        "Domain snapshot one reverted\n",
    ),
    ("snapshot-current DOMAIN --name", "one\n"),
    // vcsim panics if the root goes while others remain.
    (
        "snapshot-delete DOMAIN two",
        "Domain snapshot two deleted\n",
    ),
    ("snapshot-list DOMAIN --name", "!two"),
    (
        "snapshot-create-as DOMAIN three",
        "Domain snapshot three created\n",
    ),
    (
        "snapshot-delete DOMAIN one --children",
        "Domain snapshot one deleted\n",
    ),
    ("snapshot-list DOMAIN --name", "!three"),
];

const CONFIGURATION: &[Step] = &[
    ("destroy DOMAIN", "destroyed\n"),
    ("setmaxmem DOMAIN 64M --config", "!error"),
    ("dominfo DOMAIN", "Max memory:     65536 KiB\n"),
    ("vcsim DOMAIN", "64 MB"),
    // vcsim does not tell how many a host supports, which libvirt's driver asks for too.
    (
        "setvcpus DOMAIN 2 --config",
        "Missing 'capability.maxSupportedVcpus' property",
    ),
    (
        "desc DOMAIN --config first~line",
        "Domain description updated successfully",
    ),
    ("desc DOMAIN", "first line"),
];

const CREATION: &[Step] = &[
    ("create FILE=domain", "Domain 'fresh' created from "),
    ("list --name", "fresh\n"),
    (
        "vcsim fresh",
        "32 MB, 1 CPUs, disk [LocalDS_0] fresh/fresh.vmdk",
    ),
    ("dominfo fresh", "Max memory:     32768 KiB\n"),
    ("destroy fresh", "destroyed\n"),
    ("undefine fresh", "Domain 'fresh' has been undefined\n"),
    ("list --all --name", "!fresh"),
];

const CLONES: &[Step] = &[
    (
        "clone DOMAIN copy",
        "Domain 'DC0_H0_VM0' cloned as 'copy'\n",
    ),
    ("list --all --name", "copy\n"),
    ("dominfo copy", "State:          shut off\n"),
    ("vcsim copy", "64 MB, 1 CPUs, disk [LocalDS_0] copy/"),
    ("clone DOMAIN copy", "domain 'copy' already exists"),
    ("start copy", "Domain 'copy' started\n"),
    ("destroy copy", "Domain 'copy' destroyed\n"),
    ("undefine copy", "Domain 'copy' has been undefined\n"),
];

/// vcsim's host tells of no datastores that it mounts, so a copy has no place.
const NO_CLONES: &[Step] = &[("clone DOMAIN copy", "Could not lookup datastore host mount")];

const NAMES: &[Step] = &[
    ("domrename DOMAIN renamed", "Domain successfully renamed\n"),
    ("list --all --name", "renamed\n"),
    ("domrename DOMAIN again", "failed to get domain"),
];

/// Documents by name.
const FILES: &[(&str, &str)] = &[
    (
        "card",
        "<interface type='bridge'>\n  <mac address='00:0c:29:6d:0f:e0'/>\n  <source bridge='VM Network'/>\n</interface>\n",
    ),
    (
        "card-down",
        "<interface type='bridge'>\n  <mac address='00:0c:29:6d:0f:e0'/>\n  <source bridge='VM Network'/>\n  \
         <model type='e1000'/>\n  <link state='down'/>\n</interface>\n",
    ),
    (
        "disk",
        "<disk type='file' device='disk'>\n  <target dev='sdb' bus='scsi'/>\n  <source file='[LocalDS_0] DOMAIN/disk1.vmdk'/>\n\
         </disk>\n",
    ),
    (
        "domain",
        "<domain type='vmware'>\n  <name>fresh</name>\n  <memory unit='MiB'>32</memory>\n  <vcpu>1</vcpu>\n  \
         <os><type arch='x86_64'>hvm</type></os>\n  <devices>\n    <disk type='file' device='disk'>\n      \
         <source file='[LocalDS_0] fresh/fresh.vmdk'/>\n      \
         <geometry cyls='16' heads='255' secs='63'/>\n      <target dev='sda' bus='scsi'/>\n    </disk>\n  \
         </devices>\n</domain>\n",
    ),
    (
        "switch",
        "<network>\n  <name>lab 漢</name>\n  <forward mode='bridge'><interface dev='vmnic1'/></forward>\n  <bandwidth>\n    \
         <inbound average='1000' peak='5000' burst='1024'/>\n    <outbound average='1000' peak='5000' burst='1024'/>\n  \
         </bandwidth>\n  <portgroup name='Lab &quot;A&quot;'><vlan><tag id='42'/></vlan></portgroup>\n</network>\n",
    ),
    (
        "no-card",
        "<network>\n  <name>none</name>\n  <forward mode='bridge'><interface dev='vmnic99'/></forward>\n</network>\n",
    ),
    ("isolated", "<network>\n  <name>alone</name>\n</network>\n"),
];
