//! Definitions: described, defined, undefined and converted, as virsh 9.0.0 does it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::report::Report;

/// What virsh 9.0.0 makes of definitions, and virt-esx as that libvirt.
///
/// Files of libvirt's own test data are converted too, where they are there.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (place, user, args) in [
        ("a simulated host", "root", ["--esx"]),
        (
            "a simulated vCenter",
            "administrator@vsphere.local",
            ["--vcenter"],
        ),
    ] {
        let mut pair = Pair::new(tools, place, user, &args)?;
        // virsh does not know the parameter and says nothing of it.
        pair.uri = format!("{}&libvirt=9.0.0", pair.uri);
        for domain in pair.domains(report)? {
            for options in DUMPXML {
                let args: Vec<&str> = [&["dumpxml", &*domain], *options].concat();
                pair.same(report, &args)?;
            }
            pair.same(
                report,
                &["domxml-to-native", "vmware-vmx", "--domain", &domain],
            )?;
        }
        for args in MISTAKES {
            pair.same(report, args)?;
        }
        for file in files(&tools.conformance, "vmx") {
            pair.same(report, &["domxml-from-native", "vmware-vmx", &shown(&file)])?;
        }
        for file in files(&tools.conformance, "xml") {
            pair.same(
                report,
                &["domxml-to-native", "vmware-vmx", "--xml", &shown(&file)],
            )?;
        }
    }
    cycle(tools, report)
}

/// Domains are undefined and defined again, each program on an esx-sim of its own. virsh cannot define a domain that
/// exists.
fn cycle(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let make = || -> Result<Pair<'_>, String> {
        let mut pair = Pair::new(tools, "a simulated host", "root", &["--esx"])?;
        pair.uri = format!("{}&libvirt=9.0.0", pair.uri);
        Ok(pair)
    };
    let pairs = (make()?, make()?);
    for domain in pairs.0.domains(report)? {
        let xml = pairs.0.virsh(&["dumpxml", &domain])?.stdout;
        let file = tools.scratch.join("definition.xml");
        fs::write(&file, xml).map_err(|error| error.to_string())?;
        let file = shown(&file);
        for args in [
            &["destroy", &domain][..],
            &["undefine", &domain],
            &["domstate", &domain],
            &["define", &file],
            &["dumpxml", &domain],
            &["start", &domain],
            &["undefine", &domain],
        ] {
            let (theirs, ours) = (pairs.0.virsh(args)?, pairs.1.virt_esx(args)?);
            let found = format!("virsh: {theirs}virt-esx: {ours}");
            report.check(&pairs.1.section, &args.join(" "), theirs == ours, &found);
        }
    }
    Ok(())
}

impl Pair<'_> {
    /// Both print the same.
    fn same(&self, report: &mut Report, args: &[&str]) -> Result<(), String> {
        let (theirs, ours) = (self.virsh(args)?, self.virt_esx(args)?);
        let found = format!("virsh: {theirs}virt-esx: {ours}");
        report.check(&self.section, &args.join(" "), theirs == ours, &found);
        Ok(())
    }
}

const DUMPXML: &[&[&str]] = &[
    &[],
    &["--inactive"],
    &["--security-info", "--migratable"],
    &["--update-cpu"],
    &["--xpath", "//disk"],
    &["--xpath", "//disk/@type"],
    &["--xpath", "//name | //uuid", "--wrap"],
    &["--xpath", "count(//disk)"],
];

const MISTAKES: &[&[&str]] = &[
    &["dumpxml", "nosuch"],
    &["dumpxml"],
    &["define", "/nonexistent.xml"],
    &["define"],
    &["undefine", "web01"],
    &["undefine", "nosuch"],
    &["undefine", "web01", "--nvram", "--keep-nvram"],
    &["domxml-from-native", "vmware-vmx", "/nonexistent.vmx"],
    &["domxml-from-native", "qemu-argv", "/dev/null"],
    &["domxml-to-native", "vmware-vmx"],
    &[
        "domxml-to-native",
        "vmware-vmx",
        "--domain",
        "web01",
        "--xml",
        "x",
    ],
    &["domxml-to-native", "qemu-argv", "--domain", "web01"],
    &["domxml-to-native", "vmware-vmx", "/nonexistent.xml"],
    &["domxml-to-native", "vmware-vmx", "/dev/null", "web01"],
];

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The files with that suffix in the folders of libvirt's test data; none if they aren't there.
fn files(conformance: &Path, suffix: &str) -> Vec<PathBuf> {
    let folder = conformance.join(if suffix == "vmx" {
        "vmx2xml"
    } else {
        "xml2vmx"
    });
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == suffix))
        .collect();
    paths.sort();
    paths
}
