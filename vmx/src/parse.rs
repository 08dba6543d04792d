//! Reads VMX files.
//!
//! Comments that say what libvirt does are about src/vmx/vmx.c of libvirt 9.0.0 and later, unless they
//! name another place.

mod boot;
mod controller;
mod cpu;
mod disk;
mod disk_names;
mod ethernet;
mod filesystem;
mod firmware;
mod graphics;
mod identity;
mod leftover;
mod memory;
mod needless;
mod parallel;
mod post;
mod reader;
mod serial;
mod uri;
mod usb;
mod video;

use virt_model::domain::{Tpm, TpmBackend};
use virt_model::{Document as _, DomainDef, DomainXmlFlags};

pub(crate) use boot::in_order;
pub use controller::pci_address;

use crate::names::Folder;
use crate::{FileNames, LibvirtVersion, Mode, ParseOptions, VmxError, VmxFile, Warning};
use reader::Reader;

/// A definition that was made of a VMX file, and what it lacks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// The definition.
    pub domain: DomainDef,
    /// What the definition lacks or has differently. Always empty in [`Mode::Strict`].
    pub warnings: Vec<Warning>,
}

/// Converts a VMX file into a definition, in [`Mode::Lenient`] and as the newest libvirt version does.
/// Relative file names stay relative.
///
/// ```
/// let text = "config.version = \"8\"\nvirtualHW.version = \"13\"\ndisplayName = \"web\"\nmemsize = 512\n";
/// let parsed = vmx::to_domain(text).unwrap();
/// assert_eq!(parsed.domain.name.as_deref(), Some("web"));
/// assert_eq!(parsed.domain.memory, 512 * 1024);
/// assert_eq!(parsed.warnings, []);
/// ```
///
/// # Errors
/// If the text is not a VMX file, or is encrypted.
pub fn to_domain(text: impl Into<Vec<u8>>) -> Result<Parsed, VmxError> {
    parse(text, &Folder::default(), &ParseOptions::default())
}

/// Converts a VMX file into a definition.
///
/// # Errors
/// In [`Mode::Strict`] libvirt's error, for everything that libvirt refuses. In [`Mode::Lenient`] only
/// if the text is not a VMX file, or is encrypted.
pub fn parse(
    text: impl Into<Vec<u8>>,
    names: &dyn FileNames,
    options: &ParseOptions,
) -> Result<Parsed, VmxError> {
    let file = match options.mode {
        Mode::Strict => VmxFile::read_strict(text, options.libvirt)?,
        Mode::Lenient => VmxFile::read(text)?,
    };
    parse_file(&file, names, options)
}

/// Converts a VMX file that was read into a definition.
///
/// # Errors
/// As for [`parse`].
pub fn parse_file(
    file: &VmxFile,
    names: &dyn FileNames,
    options: &ParseOptions,
) -> Result<Parsed, VmxError> {
    let mut reader = Reader::new(file, names, options);
    let domain = reader.domain()?;
    reader.check_text(&domain)?;
    Ok(Parsed {
        domain,
        warnings: reader.into_warnings(),
    })
}

impl Reader<'_> {
    /// Reads everything in libvirt's order, so that the first error is the one that libvirt gives.
    fn domain(&mut self) -> Result<DomainDef, VmxError> {
        let mut def = DomainDef::new("vmware", "");
        def.name = None;
        self.check_kind()?;
        let interfaces = self.interface_indices()?;
        self.versions()?;
        self.identity(&mut def)?;
        self.memory(&mut def)?;
        self.processors(&mut def)?;
        self.machine(&mut def)?;
        self.graphics(&mut def)?;
        self.boot(&mut def)?;
        self.disks(&mut def)?;
        self.usb_disks(&mut def)?;
        self.disk_order(&def);
        self.filesystems(&mut def)?;
        self.interfaces(&mut def, &interfaces)?;
        self.video(&mut def)?;
        self.tpm(&mut def)?;
        self.serials(&mut def)?;
        self.parallels(&mut def)?;
        self.options.namespace.put_into(&mut def);
        self.firmware(&mut def)?;
        self.check_memory(&mut def)?;
        post::complete(&mut def)?;
        if self.lenient() {
            self.leftovers();
        }
        Ok(def)
    }

    /// Checks, in strict mode, that the definition is text. libvirt copies bytes that are not UTF-8 into its
    /// document, which no parser can read then.
    fn check_text(&self, def: &DomainDef) -> Result<(), VmxError> {
        if self.lenient() {
            return Ok(());
        }
        let Some(entry) = self.file.not_utf8() else {
            return Ok(());
        };
        let document = def.to_xml(DomainXmlFlags::SECURE);
        if !document.contains(char::REPLACEMENT_CHARACTER) {
            return Ok(());
        }
        let text = "the file is not UTF-8, and has no '.encoding' that says so";
        Err(VmxError::internal(text)
            .with_key(entry.key())
            .with_value(entry.value())
            .with_position(Some(entry.position()))
            .with_help("write the encoding's name into '.encoding', for instance windows-1252"))
    }

    /// Checks, in lenient mode, that the text is a VMX file and not encrypted.
    fn check_kind(&mut self) -> Result<(), VmxError> {
        if !self.lenient() {
            return Ok(());
        }
        let hardware = self.file.find("virtualHW.version");
        if let Some(entry) = self.file.find("encryption.data") {
            let position = Some(entry.position());
            if hardware.is_none() {
                return Err(VmxError::unsupported(
                    "the file is encrypted: only VMware with its password can read it",
                )
                .with_key(entry.key())
                .with_position(position)
                .with_help("decrypt the virtual machine in VMware, then convert it"));
            }
            self.warn(
                "encryption.data",
                "a part of the settings is encrypted and left out",
            );
        }
        if hardware.is_none() && self.file.find("config.version").is_none() {
            return Err(VmxError::internal(
                "this is no VMX file: it has neither 'config.version' nor 'virtualHW.version'",
            )
            .with_help("convert a virtual machine's .vmx file; VMware's other files (.vmxf, .vmdk, .nvram, .ovf) have no settings to convert"));
        }
        Ok(())
    }

    fn versions(&mut self) -> Result<(), VmxError> {
        let config = self.essential_long("config.version", 8)?;
        if config != 8 {
            let error = self.error(
                "config.version",
                format!("Expecting VMX entry 'config.version' to be 8 but found {config}"),
            );
            self.tolerate(error.with_help("write 8"), "the file is read anyway")?;
        }
        let hardware = self.essential_long("virtualHW.version", 4)?;
        if hardware < 4 {
            let error = self.error(
                "virtualHW.version",
                format!(
                    "Expecting VMX entry 'virtualHW.version' to be 4 or higher but found {hardware}"
                ),
            );
            self.tolerate(
                error.with_help("write 4 or higher"),
                "the file is read anyway",
            )?;
        }
        self.hardware = hardware;
        Ok(())
    }

    fn tpm(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if !self.since(LibvirtVersion::V12_4) {
            return Ok(());
        }
        let added = "managedvm.autoAddVTPM";
        // VMware adds a TPM when it starts such a machine.
        let is_added = self.lenient() && self.file.find(added).is_some() && {
            let kind = self.string(added).unwrap_or_default();
            !kind.trim().is_empty() && !kind.eq_ignore_ascii_case("none")
        };
        if self.boolean("vtpm.present", is_added)? {
            self.carried("vtpm");
            def.devices.tpms.push(Tpm {
                model: Some("tpm-crb".to_owned()),
                backend: TpmBackend::Emulator {
                    version: Some("2.0".to_owned()),
                    persistent_state: None,
                },
                ..Tpm::default()
            });
        }
        Ok(())
    }
}
