//! Captured answers: decoding and encoding must not change them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use vi_types::methods::RetrievePropertiesEx;

use crate::check;
use crate::typed::again;

pub(crate) fn run(folder: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    for file in files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".xml.gz") {
            println!("skip {name}: it is no .xml.gz");
            continue;
        }
        let mut answer = Vec::new();
        let unpacked =
            File::open(&file).and_then(|file| GzDecoder::new(file).read_to_end(&mut answer));
        unpacked.map_err(|error| format!("{}: {error}", file.display()))?;
        let result = again::<RetrievePropertiesEx>(&answer, &[], &mut BTreeSet::new());
        check(&name, result.is_ok(), &result.err().unwrap_or_default());
    }
    Ok(())
}
