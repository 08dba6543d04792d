//! Keys that no definition needs, and that lenient mode leaves out without a warning.
//!
//! A key that is neither read, nor in this list, nor of a device that is not there, is warned about: VMware may act on it.

/// Keys, in lower case with `#` for a number and one `*` for any text, and the values with which they are needless; none: any.
type Needless = (&'static [&'static str], &'static [&'static str]);

const ANY: &[&str] = &[];
const OFF: &[&str] = &["false", "0", "no", "off", ""];
const ON: &[&str] = &["true", "1", "yes", "on"];

const NEEDLESS: &[Needless] = &[
    // How the file itself is written.
    (&[".encoding", "config.readonly"], ANY),
    // An encrypted part of the file has its own warning.
    (
        &[
            "encryption.data",
            "encryption.keysafe",
            "encryption.encryptedkey",
        ],
        ANY,
    ),
    // What VMware remembers of the last run, of moves and of the hosts that the machine was on, and makes anew.
    (
        &[
            "cleanshutdown",
            "softpoweroff",
            "extendedconfigfile",
            "migrate.hostlog*",
            "sched.swap.derivedname",
            "monitor.phys_bits_used",
            "vmotion.*",
            "vmxstats.filename",
            "numa.autosize.*",
            "cpuid.corespersocket.cookie",
            "hostcpuid.#",
            "guestcpuid.#",
            "usercpuid.#",
            "evccompatibilitymode",
            "vm.createdate",
            "virtualhw.productcompatibility",
            "vmx.buildtype",
            "toolsinstallmanager.*",
            "guest.commands.*",
            "config.foundry*",
            "ethernet#.bsdname",
            "ethernet#.displayname",
        ],
        ANY,
    ),
    // No suspended machine, no recording, no other directory and no disk that takes changes.
    (
        &["checkpoint.vmstate*", "replay.*", "*.redo", "workingdir"],
        &["", "false", "true", "."],
    ),
    // Where the file was made, which tells VMware that it was moved, and what VMware does then.
    (&["uuid.location", "uuid.action"], ANY),
    // What VMware Tools tell of the guest, again in each run.
    (
        &[
            "guestinfo.vmtools.*",
            "guestinfo.detailed.data",
            "guestos.detailed.data",
            "guestinfo.appinfo",
            "guestinfo.toolsinstallerrcode",
            "guestinfo.driver.*",
            "guestinfo.guestos*",
        ],
        ANY,
    ),
    // Numbers and names that VMware makes for devices. Every hypervisor places devices itself; definitions have the places of
    // disk controllers.
    (
        &[
            "*.pcislotnumber",
            "scsi#.saswwid",
            "nvme#.subnqnuuid",
            "vmci#.id",
            "ethernet#.generatedaddressoffset",
            "ethernet#.generatedaddress",
            "ethernet#.address",
            "*.autodetect",
        ],
        ANY,
    ),
    // Parts of every VMware machine.
    (
        &[
            "pcibridge#.*",
            "vmci#.present",
            "hpet#.present",
            "ich#m.present",
        ],
        ANY,
    ),
    // The video card of VMware in detail. A definition has the size of its memory.
    (
        &[
            "svga.autodetect",
            "svga.guestbackedprimaryaware",
            "svga.graphicsmemorykb",
            "svga.maxwidth",
            "svga.maxheight",
            "svga.minvramsize",
        ],
        ANY,
    ),
    // Names for people: of the guest's system, and of the product that the machine was made for.
    (&["guestosaltname", "deploymentplatform"], ANY),
    // What VMware's programs do: their buttons, windows, hints and logs, and what VMware Tools do at these buttons. A definition
    // says itself what happens when the guest ends.
    (
        &[
            "powertype.*",
            "toolscripts.*",
            "tools.upgrade.policy",
            "tools.remindinstall",
            "tools.guest.desktop.autolock",
            "tools.capability.*",
            "gui.*",
            "hints.*",
            "unity.*",
            "log.*",
            "logging",
            "priority.*",
            "prefvmx.*",
            "proxyapps.*",
            "roamingvm.exitbehavior",
            "keyboardandmouseprofile",
            "inmenu",
        ],
        ANY,
    ),
    // How fast VMware imitates a serial port, what a host's hardware does for a card, and the wake-up of a sleeping guest.
    (
        &[
            "serial#.trynorxloss",
            "serial#.yieldonmsrread",
            "ethernet#.uptcompatibility",
            "ethernet#.wakeonpcktrcv",
        ],
        ANY,
    ),
    // What guests may do with VMware Tools.
    (&["*.allowguestconnectioncontrol"], ANY),
    // Devices that each USB controller of VMware has, and where a device is on it.
    (&["*.devicetype"], &["hub", "hid", "video"]),
    (
        &[
            "usb:#.*",
            "ehci:#.*",
            "usb_xhci:#.*",
            "usb.vbluetooth.startconnected",
        ],
        ANY,
    ),
    // Shared folders are always readable, and VMware may make links to them.
    (&["sharedfolder#.readaccess", "hgfs.*"], ON),
    (&["sharedfolder#.expiration"], &["never"]),
    // VMware's defaults, which are those of definitions too.
    (
        &[
            "*.startconnected",
            "*.sharing.enable",
            "sched.mem.pshare.enable",
        ],
        ON,
    ),
    (
        &[
            "*.present",
            "disk.enableuuid",
            "vhv.enable",
            "vpmc.enable",
            "vvtd.enable",
            "vcpu.hotadd",
            "vcpu.hotremove",
            "mem.hotadd",
            "memallowautoscaledown",
            "chipset.onlinestandby",
            "tools.synctime",
            "tools.synctime.*",
            "isolation.tools.*.disable",
            "ctkenabled",
            "*.ctkenabled",
            "*.virtualssd",
            "*.reflecthost",
            "snapshot.disabled",
            "bios.forcesetuponce",
            "uefi.secureboot.enabled",
            "ethernet#.linkstatepropagation.enable",
            "ethernet#.nopromisc",
            "mks.enable3d",
            "msg.autoanswer",
            "encryption.required.vtpm",
        ],
        OFF,
    ),
    (
        &[
            "isolation.tools.*.enable",
            "isolation.tools.*.enabled",
            "vmci.filter.enable",
        ],
        ON,
    ),
    (&["*.mode"], &["persistent"]),
    (&["*.sharedbus"], &["none", ""]),
    (&["*.sharing"], &["none", "sharingnone", ""]),
    (&["*.shares"], &["normal"]),
    (&["*.throughputcap"], &["off", "-1", "unlimited"]),
    (&["sched.cpu.units"], &["mhz"]),
    (&["sched.cpu.min", "sched.mem.min"], &["0"]),
    (&["sched.cpu.max"], &["unlimited", "-1"]),
    (&["sched.cpu.latencysensitivity"], &["normal"]),
    (&["migrate.encryptionmode"], &["opportunistic", "disabled"]),
    (
        &["ftcpt.ftencryptionmode"],
        &["ftencryptionopportunistic", "ftencryptiondisabled"],
    ),
    (&["snapshot.action"], &["keep", "prompt"]),
    (&["serial#.pipe.endpoint"], &["client"]),
    (&["remotedisplay.maxconnections"], &["-1"]),
    (&["memtrimrate"], &["-1"]),
];

/// Whether a definition needs nothing of a key with this value.
pub(super) fn is_needless(key: &str, value: &str) -> bool {
    let key = numbered(&key.to_ascii_lowercase());
    let value = value.trim().to_ascii_lowercase();
    // VMware writes masks that hide nothing: `-` leaves a bit as it is, `H` takes the host's.
    let masks = key.starts_with("cpuid.") && value.bytes().all(|byte| b"-h:".contains(&byte));
    masks
        || NEEDLESS.iter().any(|(keys, values)| {
            (values.is_empty() || values.contains(&value.as_str()))
                && keys.iter().any(|pattern| fits(pattern, &key))
        })
}

/// What to say of keys whose loss people are hurt by: the start of the key with `#` for numbers, and the end of the sentence.
const REASONS: &[(&str, &str)] = &[
    (
        "vhv.enable",
        "nested virtualization is to be allowed where the domain runs",
    ),
    (
        "guestinfo.",
        "the guest does not find this any more; cloud-init reads its data from there",
    ),
    (
        "disk.enableuuid",
        "the guest does not see the UUIDs of its disks",
    ),
    (
        "checkpoint.vmstate",
        "the state of the suspended machine is lost",
    ),
    (
        "bios.",
        "the firmware is to be set up where the domain runs",
    ),
    ("tools.synctime", "the guest's clock is not set by the host"),
    ("cpuid.", "the guest sees other features of processors"),
    ("featmask.", "the guest sees other features of processors"),
    (
        "sched.",
        "the share of the host's resources is to be set where the domain runs",
    ),
    (
        "managedvm.autoaddvtpm",
        "libvirt of that version has no TPM for VMware's machines",
    ),
];

/// The warning about a key that is left out.
pub(super) fn left_out(key: &str) -> String {
    let key = numbered(&key.to_ascii_lowercase());
    let reason = REASONS.iter().find(|(start, _)| key.starts_with(start));
    match reason {
        Some((_, reason)) => format!("definitions have no place for it: {reason}"),
        None => "definitions have no place for it; it is left out".to_owned(),
    }
}

/// The key with `#` for each number.
fn numbered(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// Whether a key fits a pattern, which may have one `*`.
fn fits(pattern: &str, key: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            key.len() >= start.len() + end.len() && key.starts_with(start) && key.ends_with(end)
        }
        None => pattern == key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_in_lower_case_and_match_numbered_keys() {
        for (keys, values) in NEEDLESS {
            for pattern in keys.iter().chain(*values) {
                assert_eq!(*pattern, pattern.to_ascii_lowercase());
                assert!(pattern.matches('*').count() < 2, "{pattern}");
            }
            for pattern in *keys {
                assert!(!pattern.contains("##"), "{pattern}");
            }
        }
    }

    #[test]
    fn values_decide() {
        for (key, value, needless) in [
            ("scsi0:12.redo", "", true),
            ("scsi0.pciSlotNumber", "160", true),
            ("vhv.enable", "FALSE", true),
            ("vhv.enable", "TRUE", false),
            ("guestinfo.userdata", "x", false),
            ("guestinfo.vmtools.versionString", "x", true),
            ("checkpoint.vmState", "", true),
            ("checkpoint.vmState", "a.vmss", false),
            ("sched.scsi0:0.shares", "normal", true),
            ("sched.scsi0:0.shares", "2000", false),
            (
                "cpuid.80000001.edx.amd",
                "-----------H--------------------",
                true,
            ),
            ("cpuid.1.ecx", "----:0---", false),
            ("ich7m.present", "TRUE", true),
        ] {
            assert_eq!(is_needless(key, value), needless, "{key}");
        }
    }
}
