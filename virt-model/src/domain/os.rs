//! `<os>`: what is booted, and on which kind of machine.

use crate::words::words;

words! {
    /// The firmware that libvirt is to choose.
    pub enum Firmware {
        Bios = "bios",
        Efi = "efi",
    }
}

words! {
    /// A kind of device to boot from.
    pub enum BootDevice {
        Floppy = "fd",
        Cdrom = "cdrom",
        HardDisk = "hd",
        Network = "network",
    }
}

words! {
    /// Where the SMBIOS information comes from.
    pub enum SmbiosMode {
        None = "none",
        Emulate = "emulate",
        Host = "host",
        Sysinfo = "sysinfo",
    }
}

/// What is booted, and on which kind of machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    /// The kind of guest: `hvm`, `linux`, `xen`, `exe`, ….
    pub os_type: String,
    /// The architecture: `i686`, `x86_64`, …. None: the hypervisor's default.
    pub arch: Option<String>,
    /// The kind of machine.
    pub machine: Option<String>,
    /// The firmware that libvirt is to choose.
    pub firmware: Option<Firmware>,
    /// Features that firmware is to have or not to have.
    pub firmware_features: Vec<FirmwareFeature>,
    /// The file of the firmware.
    pub loader: Option<Loader>,
    /// The file of the firmware's variables.
    pub nvram: Option<String>,
    /// The template that file is made from.
    pub nvram_template: Option<String>,
    /// A kernel that is booted directly.
    pub kernel: Option<String>,
    /// The kernel's initial RAM disk.
    pub initrd: Option<String>,
    /// The kernel's command line.
    pub cmdline: Option<String>,
    /// Kinds of devices to boot from, in order.
    pub boot: Vec<BootDevice>,
    /// The firmware's menu of boot devices.
    pub boot_menu: Option<BootMenu>,
    /// Whether the BIOS talks over the serial port.
    pub bios_use_serial: Option<bool>,
    /// After how many milliseconds a failed boot is tried again; -1: never.
    pub bios_reboot_timeout: Option<i32>,
    /// Where the SMBIOS information comes from.
    pub smbios: Option<SmbiosMode>,
}

impl Default for Os {
    /// A whole machine (`hvm`) of the default architecture.
    fn default() -> Os {
        Os {
            os_type: "hvm".to_owned(),
            arch: None,
            machine: None,
            firmware: None,
            firmware_features: Vec::new(),
            loader: None,
            nvram: None,
            nvram_template: None,
            kernel: None,
            initrd: None,
            cmdline: None,
            boot: Vec::new(),
            boot_menu: None,
            bios_use_serial: None,
            bios_reboot_timeout: None,
            smbios: None,
        }
    }
}

/// A feature that the firmware is to have or not to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareFeature {
    /// `enrolled-keys` or `secure-boot`.
    pub name: String,
    /// Whether it is to have it.
    pub enabled: bool,
}

/// The file of the firmware.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loader {
    /// The file; None: libvirt's choice.
    pub path: Option<String>,
    /// Whether the guest can't write to it.
    pub readonly: Option<bool>,
    /// Whether it is secure boot's.
    pub secure: Option<bool>,
    /// `rom` or `pflash`.
    pub kind: Option<String>,
}

/// The firmware's menu of boot devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootMenu {
    /// Whether it is shown.
    pub enable: bool,
    /// For how many milliseconds.
    pub timeout: Option<u32>,
}
