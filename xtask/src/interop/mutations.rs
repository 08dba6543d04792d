//! VMX files that were changed at random, converted by virsh and by us.
//!
//! Both must give the same document or the same error, byte for byte, except for the kinds of differences in [`reasons`]: each of
//! them has a reason, and a difference that is of none of them is a failure. `MUTATIONS=20000` sets the number of files and
//! `MUTATIONS_SEED=7` which ones; files whose answers differ are kept in the folder `interop/mutations` of the target folder.

mod make;
mod reasons;
mod virsh;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::peers::{Tools, workspace};
use super::report::Report;
use crate::conformance;
use make::{Maker, Random};
use reasons::REASONS;
use virsh::{Answer, Virsh};

const SECTION: &str = "vmx2xml --strict as virsh on mutated files";

/// How many files there are if nobody says another number.
const FILES: usize = 400;

/// A mutated file and what became of it.
struct Case {
    /// Its bytes, as text.
    text: String,
    /// Whether its bytes are UTF-8.
    is_utf8: bool,
    /// The value of `.encoding`.
    encoding: String,
    virsh: String,
    ours: String,
}

/// Converts the files, and prints how often each reason was seen.
pub(super) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let number = |name: &str, default: u64| match std::env::var(name) {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("{name} is no number: {text:?}")),
        Err(_) => Ok(default),
    };
    let files = number("MUTATIONS", FILES as u64)?;
    let seed = number("MUTATIONS_SEED", 1)?;
    let shared = workspace().join("../shared");
    let folders = ["wild", "conformance/vmx2xml", "conformance-9.0/vmx2xml"];
    let folders = folders.map(|folder| shared.join(folder));
    let maker = Maker::new(&folders.each_ref().map(PathBuf::as_path))?;
    let mut random = Random::new(seed);
    let kept = tools.scratch.join("mutations");
    // What an earlier run left would be taken for this one's.
    let _ = fs::remove_dir_all(&kept);
    fs::create_dir_all(&kept).map_err(|error| error.to_string())?;

    let made = (0..files).map(|index| {
        let path = kept.join(format!("{index}.vmx"));
        let bytes = maker.file(&mut random);
        fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((path, bytes))
    });
    let made = made.collect::<Result<Vec<_>, String>>()?;
    let simulator = tools.start_esx_sim(&["--esx"])?;
    let auth = tools.auth_file("mutations.conf", "root", "password")?;
    let virsh = Virsh::new(tools, &simulator.uri, &auth);
    let paths: Vec<_> = made.iter().map(|(path, _)| path.clone()).collect();

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (answer, (path, bytes)) in virsh.convert(&paths)?.into_iter().zip(&made) {
        let virsh = match answer {
            Answer::Text(text) => text,
            Answer::Gone(how) => {
                *counts.entry(how).or_default() += 1;
                continue;
            }
        };
        let case = Case::new(bytes, virsh);
        if case.virsh == case.ours {
            report.pass(SECTION);
            let _ = fs::remove_file(path);
            continue;
        }
        match REASONS.iter().find(|reason| (reason.holds)(&case)) {
            Some(reason) => *counts.entry(reason.text).or_default() += 1,
            None => {
                let found = conformance::unified(&case.virsh, &case.ours);
                report.fail(&format!("{SECTION}: {}", path.display()), &found);
            }
        }
    }
    for (reason, count) in counts {
        report.note(SECTION, &format!("{count} of {files}: {reason}"));
    }
    Ok(())
}

impl Case {
    fn new(bytes: &[u8], virsh: String) -> Self {
        let file = vmx::VmxFile::read(bytes).ok();
        let encoding = file.and_then(|file| Some(file.get(".encoding")?.into_owned()));
        let mut ours = conformance::as_virsh(bytes);
        // virsh prints an empty line behind each command, which the document has already.
        if ours.starts_with("error: ") {
            ours.push('\n');
        }
        Self {
            text: String::from_utf8_lossy(bytes).into_owned(),
            is_utf8: std::str::from_utf8(bytes).is_ok(),
            encoding: encoding.unwrap_or_default(),
            virsh,
            ours,
        }
    }
}
