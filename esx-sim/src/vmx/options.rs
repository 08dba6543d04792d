//! Keys of VMX files that are no properties: `extraConfig` shows them.

use vi_types::objects::{OptionValue, VirtualMachineConfigInfo};
use vi_types::{Any, Poly};
use vmx::VmxFile;

use crate::machine::config::own_options;

/// Keys, and beginnings of keys, that properties show, or that every machine has; in lower case.
const PROPERTIES: &[&str] = &[
    ".encoding",
    "config.version",
    "virtualhw.",
    "displayname",
    "annotation",
    "guestos",
    "uuid.",
    "vc.uuid",
    "memsize",
    "numvcpus",
    "cpuid.corespersocket",
    "firmware",
    "nvram",
    "extendedconfigfile",
    "sched.",
    "vcpu.hot",
    "mem.hotadd",
    "vhv.enable",
    "ctkenabled",
    "disk.enableuuid",
    "bios.bootdelay",
    "bios.forcesetuponce",
    "uefi.secureboot.enabled",
    "svga.",
    "pcibridge",
    "hpet0.",
    "vmci0.",
    "usb.",
    "usb_xhci.",
    "ehci.",
    "sound.",
    "vtpm.",
    "tools.guest.desktop.autolock",
];

/// Devices with numbers, whose keys begin with them.
const DEVICES: [&str; 8] = [
    "scsi", "ide", "sata", "nvme", "ethernet", "serial", "parallel", "floppy",
];

/// The options in a file, and the removal of those that `old` has and the file has not.
pub(super) fn read(
    file: &VmxFile,
    value_of: impl Fn(&str) -> Option<String>,
    old: Option<&VirtualMachineConfigInfo>,
) -> Vec<Poly<OptionValue>> {
    let option = |key: &str, value: String| -> Poly<OptionValue> {
        OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(value)),
            ..OptionValue::default()
        }
        .into()
    };
    let keys = file.entries().map(|entry| entry.key().to_owned());
    let keys = keys.filter(|key| !is_property(key));
    let mut options: Vec<_> = keys
        .filter_map(|key| Some(option(&key, value_of(&key)?)))
        .collect();
    for (key, _) in old.into_iter().flat_map(own_options) {
        if file.find(key).is_none() {
            options.push(option(key, String::new()));
        }
    }
    options
}

fn is_property(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let is_device = DEVICES.iter().any(|device| {
        let rest = key.strip_prefix(device);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    is_device || PROPERTIES.iter().any(|known| key.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_property_shows_is_an_option() {
        for (key, expected) in [
            ("RemoteDisplay.vnc.port", false),
            ("guestinfo.a", false),
            ("sharedFolder0.present", false),
            ("smbios.reflectHost", false),
            ("ideas", false),
            ("ide1:0.present", true),
            ("SCSI0.present", true),
            ("memSize", true),
            ("sched.mem.max", true),
        ] {
            assert_eq!(is_property(key), expected, "{key}");
        }
    }
}
