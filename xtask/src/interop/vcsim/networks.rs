//! Networks: listed, described, made, changed and removed on a host; distributed ones read on a vCenter, which makes and
//! removes their port groups.
//!
//! vcsim changes no switch and no port group that there is: those commands fail with the name of the missing method. Our
//! program fills in what its model lacks: keys, and the distributed switches of hosts.

use std::path::Path;

use super::Peer;
use super::changes::Step;
use crate::interop::peers::Tools;
use crate::interop::process::Server;
use crate::interop::report::Report;

/// What the commands print, on a host and on a vCenter.
pub(super) fn run(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    for (section, options, path, steps) in [
        (
            "virt-esx on vcsim as a host: networks",
            &["-esx", "-networks"][..],
            "",
            &[STANDARD][..],
        ),
        (
            "virt-esx on vcsim as a vCenter: networks",
            &["-networks"],
            "DC0/DC0_H0",
            &[STANDARD, DISTRIBUTED],
        ),
        (
            "virt-esx on vcsim as a vCenter: networks of a host in a cluster",
            &["-networks"],
            "DC0/DC0_C0/DC0_C0_H1",
            &[DISTRIBUTED],
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
        for steps in steps {
            peer.all(report, &mut server, "", steps)?;
        }
    }
    Ok(())
}

const STANDARD: &[Step] = &[
    ("net-list", " vSwitch0   active   yes         yes\n"),
    ("net-list --inactive --name", "!vSwitch0"),
    ("net-info vSwitch0", "Active:         yes\n"),
    (
        "net-dumpxml vSwitch0",
        "<interface dev='vmnic0'/>\n  </forward>\n  <portgroup name='VM Network'>\n",
    ),
    ("net-define FILE=switch", "Network lab 漢 defined from "),
    (
        "net-define FILE=switch",
        "HostVirtualSwitch already exists, editing existing ones is not supported yet",
    ),
    ("net-list --name", "lab 漢\n"),
    (
        "net-dumpxml lab~漢",
        "<forward dev='vmnic1' mode='bridge'>\n    <interface dev='vmnic1'/>\n",
    ),
    (
        "net-dumpxml lab~漢",
        "  <bandwidth>\n    <inbound average='1000' peak='5000' burst='1024'/>\n",
    ),
    (
        "net-dumpxml lab~漢",
        "<portgroup name='Lab &quot;A&quot;'>\n    <vlan>\n      <tag id='42'/>\n",
    ),
    (
        "net-update lab~漢 add-last portgroup <portgroup~name='b/c~%2f'><vlan><tag~id='7'/></vlan></portgroup>",
        "Updated network lab 漢 live state\n",
    ),
    (
        "net-dumpxml lab~漢",
        "<portgroup name='b/c %2f'>\n    <vlan>\n      <tag id='7'/>\n",
    ),
    (
        "net-update lab~漢 add-last portgroup <portgroup~name='b/c~%2f'/>",
        "there is an existing portgroup entry in network 'lab 漢' that matches",
    ),
    (
        "net-update lab~漢 modify portgroup <portgroup~name='b/c~%2f'/>",
        "does not implement: UpdatePortGroup",
    ),
    (
        "net-update lab~漢 delete forward-interface <interface~dev='vmnic1'/>",
        "does not implement: UpdateVirtualSwitch",
    ),
    (
        "net-update lab~漢 delete portgroup <portgroup~name='b/c~%2f'/>",
        "Updated network lab 漢 live state\n",
    ),
    ("net-dumpxml lab~漢", "!%2f"),
    (
        "net-define FILE=no-card",
        "Could not find PhysicalNic with name 'vmnic99'",
    ),
    ("net-start vSwitch0", "network is already active"),
    (
        "net-undefine vSwitch0",
        "Cannot undefine HostVirtualSwitch that has a 'host' port",
    ),
    ("net-undefine lab~漢", "Network lab 漢 has been undefined\n"),
    ("net-list --name", "!lab"),
    ("net-create FILE=isolated", "Network alone created from "),
    ("net-dumpxml alone", "<bridge stp='off' delay='0'/>"),
    ("net-destroy alone", "Network alone destroyed\n"),
    ("net-list --name", "!alone"),
];

const DISTRIBUTED: &[Step] = &[
    ("net-list", " DVS0       active   yes         yes\n"),
    (
        "net-info DVS0",
        "Name:           DVS0\nUUID:           fea97929-4b2d-5972-b146-930c6d0b4014\n",
    ),
    ("net-name fea97929-4b2d-5972-b146-930c6d0b4014", "DVS0\n"),
    // Without the port group of the uplinks.
    (
        "net-dumpxml DVS0",
        "<bridge stp='off' delay='0'/>\n  <portgroup name='DC0_DVPG0'>\n  </portgroup>\n</network>\n",
    ),
    (
        "net-update DVS0 add portgroup <portgroup~name='new~漢'><vlan><tag~id='77'/></vlan></portgroup>",
        "Updated network DVS0 live state\n",
    ),
    (
        "net-dumpxml DVS0",
        "<portgroup name='new 漢'>\n    <vlan>\n      <tag id='77'/>\n",
    ),
    // vcsim forgets what a change does not say: the port group's policy, without which its configuration is none.
    (
        "net-update DVS0 modify portgroup <portgroup~name='new~漢'><vlan><tag~id='78'/></vlan></portgroup>",
        "Updated network DVS0 live state\n",
    ),
    (
        "net-dumpxml DVS0",
        "<portgroup name='new 漢'>\n    <vlan>\n      <tag id='78'/>\n",
    ),
    (
        "net-update DVS0 delete portgroup <portgroup~name='new~漢'/>",
        "Updated network DVS0 live state\n",
    ),
    ("net-dumpxml DVS0", "!new"),
    ("net-undefine DVS0", "network 'DVS0' cannot be removed here"),
];
