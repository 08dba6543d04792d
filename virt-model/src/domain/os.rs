//! `<os>`: the machine and architecture, and how it boots.

use xmltree::Element;

use crate::{
    words::words,
    xml::{Build, Node, XmlError, yes_no},
};

words! {
    /// The type of firmware that libvirt chooses.
    pub enum Firmware {
        Bios = "bios",
        Efi = "efi",
    }
}

words! {
    /// A type of device to boot from.
    pub enum BootDevice {
        Floppy = "fd",
        Cdrom = "cdrom",
        HardDisk = "hd",
        Network = "network",
    }
}

words! {
    /// The source of the SMBIOS information.
    pub enum SmbiosMode {
        None = "none",
        Emulate = "emulate",
        Host = "host",
        Sysinfo = "sysinfo",
    }
}

/// The machine and architecture, and how it boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Os {
    /// The type of guest: `hvm`, `linux`, `xen`, `exe`, ….
    pub os_type: String,
    /// The architecture: `i686`, `x86_64`, …. None: the hypervisor's default.
    pub arch: Option<String>,
    /// The machine type.
    pub machine: Option<String>,
    /// The type of firmware that libvirt chooses.
    pub firmware: Option<Firmware>,
    /// Features that the chosen firmware must have or must not have.
    pub firmware_features: Vec<FirmwareFeature>,
    /// The firmware: `<loader>`.
    pub loader: Option<Loader>,
    /// The path of the NVRAM file, which holds the firmware's variables.
    pub nvram: Option<String>,
    /// The path of the template of the NVRAM file.
    pub nvram_template: Option<String>,
    /// The path of a kernel that is booted directly.
    pub kernel: Option<String>,
    /// The path of the kernel's initial RAM disk.
    pub initrd: Option<String>,
    /// The kernel's command line.
    pub cmdline: Option<String>,
    /// Types of devices to boot from, in order.
    pub boot: Vec<BootDevice>,
    /// The firmware's menu of boot devices.
    pub boot_menu: Option<BootMenu>,
    /// Whether the BIOS uses the serial port.
    pub bios_use_serial: Option<bool>,
    /// The time after which a failed boot is repeated, in milliseconds; -1: never.
    pub bios_reboot_timeout: Option<i32>,
    /// The source of the SMBIOS information.
    pub smbios: Option<SmbiosMode>,
    #[doc(hidden)]
    pub _more: (),
}

impl Default for Os {
    /// Full virtualization (`hvm`) of the default architecture.
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
            _more: (),
        }
    }
}

/// A feature that the chosen firmware must have or must not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirmwareFeature {
    /// `enrolled-keys` or `secure-boot`.
    pub name: String,
    /// Whether the firmware must have it.
    pub enabled: bool,
    #[doc(hidden)]
    pub _more: (),
}

/// The firmware: `<loader>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loader {
    /// The path of the file. None: libvirt chooses it.
    pub path: Option<String>,
    /// Whether the file is read-only.
    pub readonly: Option<bool>,
    /// Whether the firmware supports Secure Boot.
    pub secure: Option<bool>,
    /// `rom` or `pflash`.
    pub kind: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// The firmware's menu of boot devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootMenu {
    /// Whether the menu is shown.
    pub enable: bool,
    /// How long the menu is shown, in milliseconds.
    pub timeout: Option<u32>,
    #[doc(hidden)]
    pub _more: (),
}

const OS_TYPES: [&str; 6] = ["hvm", "xen", "linux", "exe", "uml", "xenpvh"];

/// The architectures that libvirt 9.0 knows.
const ARCHES: [&str; 37] = [
    "alpha",
    "armv6l",
    "armv7l",
    "armv7b",
    "aarch64",
    "cris",
    "i686",
    "ia64",
    "lm32",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "openrisc",
    "parisc",
    "parisc64",
    "ppc",
    "ppcle",
    "ppc64",
    "ppc64le",
    "ppcemb",
    "riscv32",
    "riscv64",
    "s390",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "unicore32",
    "x86_64",
    "xtensa",
    "xtensaeb",
];

impl Os {
    /// Whether libvirt 9.0 has an architecture of this name (`virArchFromString`).
    pub fn knows_arch(name: &str) -> bool {
        ARCHES.contains(&name)
    }

    /// Reads `<type>`, which libvirt reads before the other children.
    pub(super) fn read_type(node: &mut Node<'_>) -> Result<Os, XmlError> {
        let Some(mut kind) = node.child("type") else {
            return Err(node.error("an os <type> must be specified"));
        };
        let os_type = kind.text().to_owned();
        if os_type.is_empty() {
            return Err(node.error("an os <type> must be specified"));
        }
        if !OS_TYPES.contains(&os_type.as_str()) {
            return Err(node.unsupported(format!("unknown OS type '{os_type}'")));
        }
        let arch = kind.filled("arch");
        if let Some(arch) = arch.as_ref().filter(|arch| !Os::knows_arch(arch)) {
            return Err(node.unsupported(format!("Unknown architecture {arch}")));
        }
        Ok(Os {
            os_type,
            arch,
            machine: kind.attr("machine"),
            ..Os::default()
        })
    }

    /// Reads the other children.
    pub(super) fn read_rest(&mut self, mut node: Node<'_>) -> Result<(), XmlError> {
        let firmware = match node.filled("firmware") {
            Some(word) => Some(
                Firmware::from_word(&word)
                    .ok_or_else(|| node.error(format!("unknown firmware value {word}")))?,
            ),
            None => None,
        };
        // libvirt reads features only for a firmware that it chooses.
        let features = match firmware.and_then(|_| node.child("firmware")) {
            Some(mut firmware) => firmware.children("feature"),
            None => Vec::new(),
        };
        let features = features.into_iter().map(FirmwareFeature::read);
        let boot = node.children("boot").into_iter().map(|mut boot| {
            let device = boot.word("dev")?;
            device.ok_or_else(|| boot.missing("dev"))
        });
        self.firmware = firmware;
        self.firmware_features = features.collect::<Result<_, _>>()?;
        self.boot = boot.collect::<Result<_, _>>()?;
        self.kernel = node.text_of("kernel");
        self.initrd = node.text_of("initrd");
        self.cmdline = node.text_of("cmdline");
        if let Some(loader) = node.child("loader") {
            self.loader = Some(Loader::read(loader)?);
        }
        if let Some(mut nvram) = node.child("nvram") {
            self.nvram = filled(nvram.text());
            self.nvram_template = nvram.attr("template");
        }
        if let Some(menu) = node.child("bootmenu") {
            self.boot_menu = BootMenu::read(menu)?;
        }
        if let Some(mut bios) = node.child("bios") {
            self.bios_use_serial = bios.attr("useserial").map(|word| word == "yes");
            self.bios_reboot_timeout = bios.number("rebootTimeout")?;
            if (self.bios_reboot_timeout).is_some_and(|time| !(-1..=65535).contains(&time)) {
                return Err(bios
                    .unsupported("invalid value for rebootTimeout, must be in range [-1,65535]"));
            }
        }
        if let Some(mut smbios) = node.child("smbios") {
            self.smbios = smbios.old_filled_word("mode", "unknown smbios mode")?;
        }
        Ok(())
    }

    pub(super) fn to_element(&self) -> Element {
        let features = self.firmware_features.iter();
        let features = Element::new("firmware").children(features.map(FirmwareFeature::to_element));
        let nvram = Element::new("nvram").maybe_attr("template", self.nvram_template.as_ref());
        let nvram = match &self.nvram {
            Some(path) => nvram.text(path),
            None => nvram,
        };
        let has_nvram = self.nvram.is_some() || self.nvram_template.is_some();
        let boot = self.boot.iter();
        let bios = Element::new("bios")
            .maybe_attr("useserial", self.bios_use_serial.map(yes_no))
            .maybe_attr("rebootTimeout", self.bios_reboot_timeout);
        let smbios = self.smbios;
        Element::new("os")
            .maybe_attr("firmware", self.firmware)
            .child(
                Element::new("type")
                    .maybe_attr("arch", self.arch.as_ref())
                    .maybe_attr("machine", self.machine.as_ref())
                    .text(&self.os_type),
            )
            .children((!self.firmware_features.is_empty()).then_some(features))
            .children(self.loader.as_ref().map(Loader::to_element))
            .children(has_nvram.then_some(nvram))
            .maybe_text("kernel", self.kernel.as_ref())
            .maybe_text("initrd", self.initrd.as_ref())
            .maybe_text("cmdline", self.cmdline.as_ref())
            .children(boot.map(|device| Element::new("boot").attr("dev", device)))
            .children(self.boot_menu.as_ref().map(BootMenu::to_element))
            .children((!bios.attributes.is_empty()).then_some(bios))
            .children(smbios.map(|mode| Element::new("smbios").attr("mode", mode)))
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl FirmwareFeature {
    fn read(mut node: Node<'_>) -> Result<FirmwareFeature, XmlError> {
        let enabled = node.yes_no("enabled")?;
        Ok(FirmwareFeature {
            name: node
                .one_of("name", &["enrolled-keys", "secure-boot"])?
                .ok_or_else(|| node.missing("name"))?,
            enabled: enabled.ok_or_else(|| node.missing("enabled"))?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("feature")
            .attr("enabled", yes_no(self.enabled))
            .attr("name", &self.name)
    }
}

impl Loader {
    fn read(mut node: Node<'_>) -> Result<Loader, XmlError> {
        Ok(Loader {
            path: filled(node.text()),
            readonly: node.yes_no("readonly")?,
            secure: node.yes_no("secure")?,
            kind: node.one_of("type", &["rom", "pflash"])?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let loader = Element::new("loader")
            .maybe_attr("readonly", self.readonly.map(yes_no))
            .maybe_attr("secure", self.secure.map(yes_no))
            .maybe_attr("type", self.kind.as_ref());
        match &self.path {
            Some(path) => loader.text(path),
            None => loader,
        }
    }
}

impl BootMenu {
    /// None for a menu without `enable`.
    fn read(mut node: Node<'_>) -> Result<Option<BootMenu>, XmlError> {
        let enable = node.yes_no("enable")?;
        let timeout: Option<u32> = node.number("timeout")?;
        if timeout.is_some_and(|timeout| timeout > 65535) {
            return Err(
                node.unsupported("invalid value for boot menu timeout, must be in range [0,65535]")
            );
        }
        Ok(enable.map(|enable| BootMenu {
            enable,
            timeout,
            _more: (),
        }))
    }

    fn to_element(&self) -> Element {
        Element::new("bootmenu")
            .attr("enable", yes_no(self.enable))
            .maybe_attr("timeout", self.timeout)
    }
}
