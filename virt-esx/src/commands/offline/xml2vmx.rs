use std::path::PathBuf;

use virt_model::{Document, DomainDef};
use vmx::names::Folder;
use vmx::{FormatOptions, LibvirtVersion, Mode, VmwareNamespace};

use super::convert::{self, Converted};
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::ui::Ui;

/// convert domain XML to a VMX file, without a host
#[derive(Debug, clap::Args)]
pub(crate) struct Xml2vmx {
    /// XML document, or - for the standard input
    #[arg(value_name = "file")]
    file: PathBuf,

    /// datastore of the VMX file
    #[arg(long, value_name = "name")]
    datastore: Option<String>,

    /// directory of the VMX file; names of files in it become relative (default: the datastore's topmost, or
    /// without a datastore the document's own)
    #[arg(long, value_name = "directory")]
    directory: Option<String>,

    /// virtualHW.version of the VMX file: 10 for ESXi 5.5, 13 for 6.5, 19 for 7.0, 21 for 8.0
    #[arg(long, value_name = "number", default_value_t = 13,
          value_parser = hardware_version)]
    hardware_version: u32,

    /// refuse what libvirt refuses, with libvirt's error
    #[arg(long)]
    strict: bool,

    /// convert as this libvirt does: 9.0.0, 11.3, 11.5, 11.10, 12.4, 12.5 or newest
    #[arg(long, value_name = "version", default_value_t)]
    libvirt: LibvirtVersion,
}

/// A version of virtual hardware: there is none below 4.
fn hardware_version(text: &str) -> Result<u32, String> {
    let version = text.parse().ok().filter(|version| *version >= 4);
    version.ok_or_else(|| "expected a number, at least 4".to_owned())
}

impl LocalCommand for Xml2vmx {
    fn run(self, ui: &Ui) -> Result<(), Failure> {
        let name = |(): &()| self.file.display().to_string();
        convert::convert_all(ui, &[()], name, |()| self.convert())
    }
}

impl Xml2vmx {
    fn convert(&self) -> Converted {
        let name = self.file.display().to_string();
        let failed = |failure: Failure| Converted::failed(failure.to_string());
        let bytes = match convert::read(&self.file) {
            Ok(bytes) => bytes,
            Err(failure) => return failed(failure),
        };
        let Ok(text) = String::from_utf8(bytes) else {
            return failed(Failure::new(format!("'{name}' is not UTF-8")));
        };
        let read = match DomainDef::read_xml(&text) {
            Ok(read) => read,
            Err(error) => return failed(Failure::new(format!("{name}: {error}"))),
        };
        let foreign = VmwareNamespace::unknown(&read.document);
        let unknown = read.unmodelled.iter().chain(&foreign);
        let mut warnings: Vec<_> = unknown
            .map(|path| format!("{name}: {path} has no place in a VMX file and is left out"))
            .collect();
        let names = Folder {
            datastore: self.datastore.clone(),
            directory: self.directory(),
            ..Folder::default()
        };
        let mode = if self.strict {
            Mode::Strict
        } else {
            Mode::Lenient
        };
        let options = FormatOptions::new(self.hardware_version)
            .as_libvirt(self.libvirt)
            .mode(mode);
        let converted = match vmx::to_file(&read.document, &names, &options) {
            Ok(made) => {
                let told = made.warnings.iter();
                warnings.extend(told.map(|warning| format!("{name}: {warning}")));
                Converted::printed(made.text)
            }
            Err(error) => Converted::failed(convert::error(&error, &name, text.as_bytes())),
        };
        converted.with_warnings(warnings)
    }

    /// What names in the VMX file are relative to: without a datastore, the document's own folder.
    fn directory(&self) -> String {
        match &self.directory {
            Some(directory) => directory.clone(),
            None if self.datastore.is_some() => String::new(),
            None => convert::folder(&self.file),
        }
    }
}
