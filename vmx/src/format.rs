//! Definitions to VMX files.

mod complete;
mod controller;
mod cpu;
mod disk;
mod ethernet;
mod filesystem;
mod firmware;
mod graphics;
mod identity;
mod memory;
mod parallel;
mod place;
mod ports;
mod serial;
mod tpm;
mod validate;
mod video;

use std::borrow::Cow;
use std::fmt::Display;

use virt_model::DomainDef;

use crate::escape::PIPE;
use crate::names::FileNameError;
use crate::{FileNames, FormatOptions, LibvirtVersion, Mode, VmxError};

/// The VMX file of a definition.
///
/// What libvirt's reader adds to a document is added here, so that a definition need not have it:
/// places of disks, controllers that disks need, a video card beside a `<graphics>`. A domain
/// without a UUID and a network card without an address get theirs from VMware. Disks are written in
/// the definition's order, which is libvirt's when it was read from a document.
///
/// libvirt says nothing of what it leaves out, and nothing is said here: only the devices of
/// VMX files that libvirt knows are written.
///
/// # Beyond libvirt
/// In [`Mode::Lenient`] the file is libvirt's wherever libvirt makes one that can be read. Besides,
/// these are written, which libvirt refuses:
///
/// - disks and CD-ROM drives on SATA (virtual hardware 10 and higher) and disks on NVMe (13 and
///   higher), with their controllers; a SATA controller without disks, which libvirt leaves out;
/// - disks whose address is not the one that libvirt takes from their target's name: the address
///   counts;
/// - SCSI units up to 64, on virtual hardware 13 and higher;
/// - CD-ROM images of any suffix;
/// - ten network cards on virtual hardware 6, where libvirt takes four;
/// - a SCSI controller whose model is `auto` and that nobody knows a model for: VMware chooses;
/// - a `<cpu>` without a topology;
/// - a disk and a CD-ROM drive of one target's name, on SCSI and SATA;
/// - a serial or parallel port without a device, a TCP port without an address to listen at.
///
/// And a `"` and line ends in any value are written as `|22` and `|0a`, as VMware does it; libvirt
/// writes them as they are, in a file that nobody can read.
///
/// What would put two devices in one place is refused.
///
/// ```
/// use virt_model::DomainDef;
/// use vmx::{FormatOptions, names::Folder};
///
/// let mut def = DomainDef::new("vmware", "web");
/// def.memory = 512 * 1024;
/// let file = vmx::format(&def, &Folder::default(), &FormatOptions::new(13)).unwrap();
/// assert!(file.contains("displayName = \"web\"\nmemsize = \"512\"\n"));
/// ```
///
/// # Errors
/// In [`Mode::Strict`] libvirt's error, for whatever libvirt refuses; in [`Mode::Lenient`] for
/// what VMware has not.
pub fn format(
    def: &DomainDef,
    names: &dyn FileNames,
    options: &FormatOptions,
) -> Result<String, VmxError> {
    if options.mode == Mode::Strict {
        validate::check_known(def, options.libvirt)?;
    }
    let def = complete::completed(def, options.mode)?;
    if options.mode == Mode::Strict {
        validate::check(&def)?;
    }
    let mut writer = Writer {
        out: String::new(),
        names,
        options,
    };
    writer.domain(&def)?;
    Ok(writer.out)
}

/// A file being written. What a device is written as is in its own file.
struct Writer<'a> {
    out: String,
    names: &'a dyn FileNames,
    options: &'a FormatOptions,
}

impl Writer<'_> {
    /// Everything, in libvirt's order: its first error is the one that counts.
    fn domain(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        if def.virt_type != "vmware" {
            return Err(VmxError::internal(format!(
                "Expecting virt type to be 'vmware' but found '{}'",
                def.virt_type
            )));
        }
        self.line(".encoding", "UTF-8");
        self.line("config.version", 8);
        self.line("virtualHW.version", self.options.hardware_version);
        self.machine(def)?;
        self.identity(def);
        self.memory(def);
        self.processors(def)?;
        self.graphics(def)?;
        let controllers = self.disks(def)?;
        self.filesystems(def)?;
        self.interfaces(def)?;
        self.tpm(def)?;
        self.video(def)?;
        self.serials(def)?;
        self.parallels(def)?;
        self.firmware(def);
        self.bridges(controllers);
        Ok(())
    }

    /// What every machine of virtual hardware 7 and higher has: bridges, where a controller may
    /// need one, and VMCI.
    fn bridges(&mut self, controllers: bool) {
        if self.options.hardware_version < 7 {
            return;
        }
        if controllers {
            self.line("pciBridge0.present", "true");
            for number in 4..8 {
                let bridge = format!("pciBridge{number}");
                self.line(&format!("{bridge}.present"), "true");
                self.line(&format!("{bridge}.virtualDev"), "pcieRootPort");
                self.line(&format!("{bridge}.functions"), 8);
            }
        }
        self.line("vmci0.present", "true");
    }

    fn lenient(&self) -> bool {
        self.options.mode == Mode::Lenient
    }

    /// Whether the libvirt that is followed is this one or a newer one.
    fn since(&self, version: LibvirtVersion) -> bool {
        self.options.libvirt >= version
    }

    /// A line with a value that needs no escaping.
    fn line(&mut self, key: &str, value: impl Display) {
        self.out.push_str(&format!("{key} = \"{value}\"\n"));
    }

    /// A line with a text from the definition. libvirt writes it as it is.
    fn text(&mut self, key: &str, value: &str) {
        if self.lenient() {
            self.line(key, readable(value));
        } else {
            self.line(key, value);
        }
    }

    /// A line with the file's name of the file that the definition calls `source`.
    fn file_name(&mut self, key: &str, source: &str) -> Result<(), VmxError> {
        let name = self.names.format(source).map_err(|error| {
            let FileNameError { number, message } = error;
            VmxError::new(number, message)
                .with_key(key)
                .with_value(source)
        })?;
        self.text(key, &name);
        Ok(())
    }
}

/// A text as VMware reads it back: as it is where that is possible.
fn readable(text: &str) -> Cow<'_, str> {
    let special = |c: char| c == '"' || c.is_ascii_control();
    let itself = |unescaped: Cow<'_, str>| unescaped == text;
    if !text.contains(special) && PIPE.unescape(text).map_or(true, itself) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '|' => out.push_str("|7c"),
            c if special(c) => out.push_str(&format!("|{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
