use std::path::{Path, PathBuf};

use virt_model::DomainDef;
use vmx::names::Folder;
use vmx::{FormatOptions, LibvirtVersion, Mode};

use super::{offline, vmx2xml};
use crate::failure::Failure;
use crate::outcome::Outcome;

/// convert domain XML to a VMX file, without a host
#[derive(Debug, clap::Args)]
pub(crate) struct Xml2vmx {
    /// the document, or - for the standard input
    #[arg(value_name = "file")]
    file: PathBuf,

    /// the datastore that the VMX file will be on
    #[arg(long, value_name = "name")]
    datastore: Option<String>,

    /// the directory that the VMX file will be in; names of files there become relative
    #[arg(long, value_name = "directory")]
    directory: Option<String>,

    /// virtualHW.version of the VMX file: 10 for ESXi 5.5, 13 for 6.5, 19 for 7.0, 21 for 8.0
    #[arg(long, value_name = "number", default_value_t = 13)]
    hardware_version: u32,

    /// refuse what libvirt refuses, with libvirt's error
    #[arg(long)]
    strict: bool,

    /// convert as this libvirt does: 9.0.0, 11.3, 11.5, 11.10, 12.4, 12.5 or newest
    #[arg(long, value_name = "version", default_value_t)]
    libvirt: LibvirtVersion,
}

impl Xml2vmx {
    pub(crate) fn run(self) -> Outcome {
        match self.convert() {
            Ok(text) => Outcome::success(text),
            Err(outcome) => outcome,
        }
    }

    fn convert(&self) -> Result<String, Outcome> {
        let name = self.file.display();
        let refused = |failure: Failure| Outcome::refused(&failure);
        let bytes = vmx2xml::read(&self.file).map_err(refused)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| refused(Failure::new(format!("'{name}' is not UTF-8"))))?;
        let def = DomainDef::from_xml(&text)
            .map_err(|error| refused(Failure::new(format!("{name}: {error}"))))?;
        // Without a datastore, names beside the document are relative.
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let names = Folder {
            datastore: self.datastore.clone(),
            directory: match &self.directory {
                Some(directory) => directory.clone(),
                None if self.datastore.is_some() => String::new(),
                None => folder.to_string_lossy().into_owned(),
            },
        };
        let mode = if self.strict {
            Mode::Strict
        } else {
            Mode::Lenient
        };
        let options = FormatOptions::new(self.hardware_version)
            .as_libvirt(self.libvirt)
            .mode(mode);
        vmx::format(&def, &names, &options).map_err(|error| Outcome {
            stderr: offline::error(&error, &name.to_string(), text.as_bytes()),
            status: 1,
            ..Outcome::default()
        })
    }
}
