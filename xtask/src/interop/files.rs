//! VMX files of people, whose definitions virsh has to accept, and whose way back has to lose nothing in silence.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use virt_model::domain::DiskBus;
use virt_model::{Document as _, DomainDef, DomainXmlFlags, Uuid};
use vmx::names::Folder;
use vmx::{FormatOptions, LibvirtVersion, ParseOptions, VmxError, VmxFile};

use super::peers::{Tools, workspace};
use super::process;
use super::report::Report;
use crate::conformance;

const SECTION: &str = "virsh on definitions of VMX files";

const BACK: &str = "VMX files and back";

/// What libvirt 9.0 says of NVMe disks, which are newer.
const NO_NVME: &str = "XML error: Invalid value for attribute 'bus' in element 'target': 'nvme'.";

/// Converts the files in `../shared/wild` in lenient mode, and defines all of them on one connection of virsh to libvirt's
/// test driver, which knows no VMware: the type of domain is replaced. Nothing is done without the folder.
pub(super) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let folder = workspace().join("../shared/wild");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("{SECTION}: skipped, there is no {}", folder.display());
        return Ok(());
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| path.extension().is_some_and(|suffix| suffix == "vmx"));
    files.sort();
    let documents = tools.scratch.join("wild");
    fs::create_dir_all(&documents).map_err(|error| error.to_string())?;
    let mut identities = Identities::default();
    let mut script = String::new();
    let mut expected = Vec::new();
    for path in &files {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read(path).map_err(|error| error.to_string())?;
        let newest = ParseOptions::default().default_name(&*stem);
        let has_nvme = |def: &DomainDef| {
            let mut disks = def.devices.disks.iter();
            disks.any(|disk| disk.target.bus == DiskBus::Nvme)
        };
        // A file with NVMe is converted once more, for virsh's own libvirt.
        for options in [newest.clone(), newest.as_libvirt(LibvirtVersion::V9_0)] {
            let mut def = match vmx::parse(text.clone(), &Folder::default(), &options) {
                Ok(parsed) => parsed.domain,
                Err(error) if error.key() == Some("encryption.data") => break,
                Err(error) => {
                    report.fail(&format!("{SECTION}: {stem}"), &error.to_string());
                    break;
                }
            };
            match changed(&def, &text, &options) {
                Ok(lines) if lines.is_empty() => report.pass(BACK),
                Ok(lines) => report.fail(&format!("{BACK}: {stem}"), &lines),
                Err(error) => report.note(BACK, &format!("{stem}: {error}")),
            }
            let refused = has_nvme(&def);
            let name = format!("{stem}-{}", options.libvirt);
            if !refused {
                identities.make_one(&mut def, &stem);
            }
            def.virt_type = "test".to_owned();
            let document = documents.join(format!("{name}.xml"));
            fs::write(&document, def.to_xml(DomainXmlFlags::SECURE))
                .map_err(|error| error.to_string())?;
            script.push_str(&format!("define '{0}'\n", document.display()));
            let path = document.display();
            expected.push(match refused {
                true => (
                    name,
                    format!("error: Failed to define domain from {path}\nerror: {NO_NVME}\n"),
                ),
                false => (name, format!("defined from {path}\n")),
            });
            if !refused {
                break;
            }
        }
    }
    let mut command = tools.client("virsh", &tools.scratch);
    let run = process::run(command.args(["-c", "test:///default"]), &script)?;
    for (name, line) in expected {
        let found = run.stdout.contains(&line) || run.stderr.contains(&line);
        report.check(SECTION, &name, found, &run.stderr);
    }
    Ok(())
}

/// What changes in a definition when it is written as a VMX file and read again, if nothing tells of it. An error is that of writing it.
fn changed(def: &DomainDef, text: &[u8], options: &ParseOptions) -> Result<String, VmxError> {
    let document = def.to_xml(DomainXmlFlags::SECURE);
    let def = match DomainDef::read_xml(&document) {
        Ok(read) => read.document,
        Err(error) => return Ok(error.to_string()),
    };
    let hardware = VmxFile::read(text)?
        .get("virtualHW.version")
        .and_then(|version| version.parse().ok())
        .unwrap_or(13);
    let names = Folder::default();
    let writing = FormatOptions::new(hardware).as_libvirt(options.libvirt);
    let made = vmx::to_file(&def, &names, &writing)?;
    let again = vmx::parse(made.text, &names, options)?.domain;
    let again = again.to_xml(DomainXmlFlags::SECURE);
    if made.warnings.is_empty() && document != again {
        return Ok(conformance::unified(&document, &again));
    }
    Ok(String::new())
}

/// The names and UUIDs that are taken. Machines of two people may have one name, and copies of a machine one UUID.
#[derive(Default)]
struct Identities(BTreeMap<String, Option<Uuid>>);

impl Identities {
    /// Gives a definition another name or none of the UUID, if another one has it. The same name with the same UUID is the same
    /// domain, which is defined again.
    fn make_one(&mut self, def: &mut DomainDef, stem: &str) {
        let name = def.name.clone().unwrap_or_default();
        let is_same = def.uuid.is_some() && self.0.get(&name) == Some(&def.uuid);
        if is_same {
            return;
        }
        if self.0.contains_key(&name) {
            def.name = Some(stem.to_owned());
        }
        if self
            .0
            .values()
            .any(|uuid| uuid.is_some() && *uuid == def.uuid)
        {
            def.uuid = None;
        }
        self.0
            .insert(def.name.clone().unwrap_or_default(), def.uuid);
    }
}
