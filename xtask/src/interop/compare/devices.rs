//! The documents of devices that virsh's commands make and change (`--print-xml`), and their mistakes.
//!
//! libvirt's ESX driver changes no devices, so there is nothing to compare behind the documents.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Pair, batch};

/// Runs them with virsh and with virt-esx as that libvirt, which change nothing.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (place, user, kind) in [
        ("devices of a simulated host", "root", "--esx"),
        (
            "devices of a simulated vCenter",
            "administrator@vsphere.local",
            "--vcenter",
        ),
    ] {
        let mut pair = Pair::new(tools, place, user, &[kind])?;
        pair.uri = format!("{}&libvirt=9.0.0", pair.uri);
        let mut lines: Vec<String> = MISTAKES.iter().map(|line| (*line).to_owned()).collect();
        for domain in pair.domains(report)? {
            lines.extend(of_domain(&pair, &domain)?);
        }
        if kind == "--esx" {
            lines.extend(made());
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        batch::compare((&pair, &pair), &lines, &[], report)?;
    }
    Ok(())
}

/// Every disk and card of a domain, found in every way.
fn of_domain(pair: &Pair<'_>, domain: &str) -> Result<Vec<String>, String> {
    let xml = pair.virsh(&["dumpxml", domain])?.stdout;
    let values = |attribute: &str| -> Vec<String> {
        let start = format!("{attribute}='");
        let parts = xml.split(&start).skip(1);
        let values = parts.filter_map(|part| part.split('\'').next());
        // Lines have the plain text, not entities.
        let plain = values.filter(|value| !value.contains(['&', '"']));
        plain.map(|value| format!("'{value}'")).collect()
    };
    let mut lines = Vec::new();
    for disk in [values("file"), values("dev"), vec!["sdz".to_owned()]].concat() {
        for line in DISKS {
            lines.push(line.replace("DOMAIN", domain).replace("DISK", &disk));
        }
    }
    for card in values("address") {
        for line in CARDS {
            lines.push(line.replace("DOMAIN", domain).replace("CARD", &card));
        }
    }
    for kind in ["bridge", "network", "user"] {
        lines.push(format!("detach-interface {domain} {kind} --print-xml"));
    }
    Ok(lines)
}

/// Every option alone and with every other one.
fn made() -> Vec<String> {
    let mut lines = Vec::new();
    for (start, options) in [
        ("attach-disk web01 a.vmdk vdb --print-xml", DISK_OPTIONS),
        (
            "attach-interface web01 bridge lan --print-xml",
            CARD_OPTIONS,
        ),
        ("change-media installer sda --print-xml", MEDIA_OPTIONS),
        ("detach-disk installer sda --print-xml", FLAGS),
        ("detach-interface installer bridge --print-xml", FLAGS),
    ] {
        for (index, option) in options.iter().enumerate() {
            lines.push(format!("{start} {option}"));
            let others = options[index + 1..].iter();
            lines.extend(others.map(|other| format!("{start} {option} {other}")));
        }
    }
    for source in ["/dev/null", "/", "/nonexistent"] {
        for option in ["", "--driver tap", "--driver phy", "--sourcetype block"] {
            let line = format!("attach-disk web01 {source} sda --print-xml {option}");
            lines.push(line.trim_end().to_owned());
        }
    }
    for target in ["vda", "sda", "hda", "nvme0n1", "x"] {
        for address in ADDRESSES {
            let line = format!("attach-disk web01 a {target} --print-xml --address {address}");
            lines.push(line);
        }
    }
    for kind in [
        "network",
        "bridge",
        "direct",
        "hostdev",
        "vhostuser",
        "user",
        "vdpa",
        "internal",
        "nosuch",
    ] {
        for option in ["", "--source-mode server", "--managed", "--inbound 1"] {
            let line = format!("attach-interface web01 {kind} 0000:01:02.3 --print-xml {option}");
            lines.push(line.trim_end().to_owned());
        }
    }
    for rate in RATES {
        for direction in ["inbound", "outbound"] {
            let line = format!("attach-interface web01 bridge a --print-xml --{direction} {rate}");
            lines.push(line);
        }
    }
    lines
}

const DISKS: &[&str] = &[
    "detach-disk DOMAIN DISK --print-xml",
    "change-media DOMAIN DISK --eject --print-xml",
    "change-media DOMAIN DISK --print-xml",
    "change-media DOMAIN DISK a.iso --print-xml",
    "change-media DOMAIN DISK a.iso --insert --print-xml",
    "change-media DOMAIN DISK a.iso --block --print-xml",
];

const CARDS: &[&str] = &[
    "detach-interface DOMAIN bridge CARD --print-xml",
    "detach-interface DOMAIN network --mac CARD --print-xml",
    "domif-setlink DOMAIN CARD up --print-xml",
    "domif-setlink DOMAIN CARD down --print-xml --config",
];

const DISK_OPTIONS: &[&str] = &[
    "--targetbus virtio",
    "--driver a",
    "--subdriver vmdk",
    "--iothread 1",
    "--cache none",
    "--io native",
    "--type lun",
    "--mode readonly",
    "--shareable",
    "--sourcetype network",
    "--sourcetype block",
    "--serial S-1",
    "--wwn 5000c50015ea71ad",
    "--alias ua-a",
    "--rawio",
    "--address pci:1.2.3.4",
    "--multifunction",
    "--source-protocol nbd",
    "--source-host-name a:1",
    "--source-host-transport unix",
    "--source-host-socket /b",
    "--persistent",
    "--config",
    "--live",
    "--current",
];

const CARD_OPTIONS: &[&str] = &[
    "--target nic",
    "--mac 52:54:00:00:00:01",
    "--script /bin/up",
    "--model vmxnet3",
    "--alias ua-a",
    "--inbound 1,2",
    "--outbound 3,,4",
    "--persistent",
    "--config",
    "--live",
    "--current",
    "--managed",
    "--source-mode client",
];

const MEDIA_OPTIONS: &[&str] = &[
    "--source a.iso",
    "--eject",
    "--insert",
    "--update",
    "--current",
    "--live",
    "--config",
    "--force",
    "--block",
];

const FLAGS: &[&str] = &["--persistent", "--config", "--live", "--current"];

const ADDRESSES: &[&str] = &[
    "pci:0000.00.07.0",
    "pci:0:0x1f:1x2",
    "pci:1.2.3",
    "ccw:0xfe.0.1",
    "scsi:1.2.3",
    "scsi:0x1.2.3",
    "sata:010.011.012",
    "ide:0.0.1",
    "usb:0.1",
    "usb:0",
    "nosuch:1.2",
    "1",
];

const RATES: &[&str] = &[
    "1",
    "1,2,3",
    "1,2,3,4",
    "1,2,3,4,5",
    "0",
    "0,0,0,1",
    ",1",
    "1,,2",
    ",,,",
    "1x",
    "1,x",
    "-1",
    "+1",
    "0x1",
    "18446744073709551616",
];

const MISTAKES: &[&str] = &[
    "attach-disk",
    "attach-disk web01",
    "attach-disk web01 a",
    "attach-disk web01 a ''",
    "attach-disk '' a b",
    "attach-disk nosuch a b",
    "attach-disk web01 a b --mode nosuch",
    "attach-disk web01 a b --sourcetype nosuch --mode nosuch",
    "attach-disk web01 a b --wwn nosuch --address nosuch",
    "attach-disk web01 a b --bogus",
    "attach-disk web01 a b --current --config --live",
    "attach-disk web01 a b --current --config --live --persistent",
    "attach-interface web01 bridge a --current --config --live",
    "change-media installer sda --current --config --live",
    "change-media installer sda --eject --insert --update --block",
    "detach-disk web01 a --current --config --live",
    "detach-interface web01 bridge --current --config --live",
    "attach-disk web01 a b --serial ''",
    "detach-disk",
    "detach-disk web01",
    "detach-disk web01 ''",
    "detach-disk web01 sdz",
    "detach-disk nosuch sda",
    "detach-disk nosuch sda --live --current",
    "attach-interface",
    "attach-interface web01 bridge",
    "attach-interface web01 bridge ''",
    "attach-interface nosuch bridge a",
    "attach-interface web01 nosuch a --inbound x",
    "attach-interface web01 vhostuser a",
    "attach-interface web01 hostdev nosuch",
    "detach-interface",
    "detach-interface web01",
    "detach-interface web01 ''",
    "detach-interface web01 bridge --mac ''",
    "detach-interface web01 bridge --mac nosuch",
    "detach-interface web01 nosuch",
    "detach-interface db01 bridge",
    "detach-interface nosuch bridge",
    "change-media",
    "change-media installer",
    "change-media installer ''",
    "change-media installer sda ''",
    "change-media installer sda",
    "change-media installer sda --insert",
    "change-media installer sda a --insert",
    "change-media web01 sda --eject",
    "change-media nosuch sda --eject",
    "domif-setlink",
    "domif-setlink web01 nosuch",
    "domif-setlink web01 nosuch up",
    "domif-setlink web01 nosuch sideways",
    "domif-setlink web01 '' up",
    "domif-setlink web01 nosuch ''",
    "domif-setlink web01 nosuch up --persistent --config",
    "domif-setlink web01 nosuch up --live",
    "domif-setlink nosuch nosuch up",
];
