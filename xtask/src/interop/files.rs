//! VMX files of people, whose definitions virsh has to accept.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use virt_model::{Document as _, DomainXmlFlags};
use vmx::names::Folder;
use vmx::{LibvirtVersion, ParseOptions};

use super::peers::{Tools, workspace};
use super::process;
use super::report::Report;

const SECTION: &str = "virsh on definitions of VMX files";

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
    let mut names = BTreeSet::new();
    let mut script = String::new();
    let mut expected = Vec::new();
    for path in &files {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read(path).map_err(|error| error.to_string())?;
        // As virsh's libvirt, which knows no NVMe.
        let options = ParseOptions::default().as_libvirt(LibvirtVersion::V9_0);
        let options = options.default_name(&stem);
        let mut def = match vmx::parse(text, &Folder::default(), &options) {
            Ok(parsed) => parsed.domain,
            Err(error) if error.key() == Some("encryption.data") => continue,
            Err(error) => {
                report.fail(&format!("{SECTION}: {stem}"), &error.to_string());
                continue;
            }
        };
        // Two machines of two people may have one name.
        if !def.name.clone().is_some_and(|name| names.insert(name)) {
            def.name = Some(stem.clone());
        }
        def.virt_type = "test".to_owned();
        let document = documents.join(format!("{stem}.xml"));
        fs::write(&document, def.to_xml(DomainXmlFlags::SECURE))
            .map_err(|error| error.to_string())?;
        script.push_str(&format!("define '{}'\n", document.display()));
        expected.push((stem, format!("defined from {}\n", document.display())));
    }
    let mut command = tools.client("virsh", &tools.scratch);
    let run = process::run(command.args(["-c", "test:///default"]), &script)?;
    for (stem, line) in expected {
        report.check(SECTION, &stem, run.stdout.contains(&line), &run.stderr);
    }
    Ok(())
}
