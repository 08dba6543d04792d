//! Conversions between libvirt's documents, definitions and VMX files of this host.

use tracing::{debug, warn};
use virt_model::domain::DomainDef;
use virt_model::{ErrorNumber, Uuid};
use vmx::names::Datastores;
use vmx::{FormatOptions, Mode, ParseOptions, VmwareNamespace, VmxFile};

use super::controllers::FileNamesOfHost;
use crate::connect::ProductLine;
use crate::{Connect, Error, ErrorKind, Result, document};

impl Connect {
    /// Options for reading VMX files: strict with `libvirt=`, else lenient.
    pub(super) fn parse_options(&self) -> ParseOptions {
        match self.uri().libvirt() {
            Some(version) => ParseOptions::strict().as_libvirt(version),
            None => ParseOptions::default(),
        }
    }

    /// Reads the VMX file `text`, whose relative file names are in `directory`.
    pub(super) async fn read_vmx(
        &self,
        text: &[u8],
        directory: String,
        options: &ParseOptions,
    ) -> Result<DomainDef> {
        let mut names = Datastores {
            directory,
            libvirt: options.libvirt,
            ..Datastores::default()
        };
        if has_absolute_names(text) {
            names.datastores = self.mounts().await?;
        }
        let parsed = vmx::parse(text, &names, options).map_err(Error::of_vmx)?;
        for warning in &parsed.warnings {
            // What has no place in the document stays in the machine.
            match warning.left_out {
                true => debug!("{warning}"),
                false => warn!("{warning}"),
            }
        }
        Ok(parsed.domain)
    }

    /// Reads the definition of a document. A definition without a UUID gets a random one, as in libvirt.
    pub(super) fn read_definition(&self, xml: &str, validate: bool) -> Result<DomainDef> {
        let mut def: DomainDef = document::read(xml, validate)?;
        document::check_known(&VmwareNamespace::unknown(&def), validate)?;
        def.uuid.get_or_insert_with(random_uuid);
        Ok(def)
    }

    /// Writes a definition as a VMX file for this host.
    pub(super) async fn write_definition(&self, def: &DomainDef) -> Result<String> {
        let mut def = def.clone();
        self.find_networks(&mut def.devices.interfaces, &[]).await?;
        let libvirt = self.uri().libvirt();
        let mut options = FormatOptions::new(self.hardware_version());
        if let Some(version) = libvirt {
            options = options.as_libvirt(version).mode(Mode::Strict);
        }
        let names = Datastores {
            datastores: self.mounts().await?,
            libvirt: libvirt.unwrap_or_default(),
            ..Datastores::default()
        };
        let models = self.scsi_models(&def).await?;
        let names = FileNamesOfHost { names, models };
        vmx::format(&def, &names, &options).map_err(Error::of_vmx)
    }

    /// The newest `virtualHW.version` that a host of this version knows; with `libvirt=` the one that libvirt 9.0.0 takes
    /// (esxDomainXMLToNative), which knows no host newer than 6.x.
    pub(super) fn hardware_version(&self) -> u32 {
        let product = self.product();
        let (major, minor) = (product.version.major(), product.version.minor());
        let as_libvirt = self.uri().libvirt().is_some();
        match (product.line, major, minor) {
            (ProductLine::Gsx, ..) => 7,
            (ProductLine::Esx, 3, _) | (ProductLine::Vpx, 2, _) => 4,
            (_, 4, _) => 7,
            (_, 5, 0..=4) if as_libvirt => 9,
            (_, 5 | 6, _) if as_libvirt => 10,
            _ if as_libvirt => 8,
            (_, 5, 0) => 8,
            (_, 5, 1) => 9,
            (_, 5, _) => 10,
            (_, 6, 0..=4) => 11,
            (_, 6, 5..=6) => 13,
            (_, 6, _) => 14,
            (_, 7, _) => 17,
            (_, 8.., _) => 20,
            _ => 8,
        }
    }
}

fn random_uuid() -> Uuid {
    Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes())
}

/// Whether a VMX file has absolute file names, for which the host's datastores are needed.
fn has_absolute_names(text: &[u8]) -> bool {
    let Ok(file) = VmxFile::read(text) else {
        return false;
    };
    file.entries().any(|entry| {
        let value = entry.value();
        value.starts_with('/') || value.contains('\\')
    })
}

/// The error of a definition that cannot be read or converted, or that makes no domain.
pub(super) fn invalid(code: ErrorNumber, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Definition, code, message)
}

impl Error {
    /// The error of a VMX file or definition that cannot be converted.
    pub(in crate::domain) fn of_vmx(error: vmx::VmxError) -> Error {
        let described = invalid(error.number(), error.message());
        let place = error.line().map(|line| format!("in line {line}"));
        let advice: Vec<_> = place
            .into_iter()
            .chain(error.help().map(str::to_owned))
            .collect();
        let described = match advice.is_empty() {
            true => described,
            false => described.advise(advice.join(": ")),
        };
        described.because(error)
    }
}
