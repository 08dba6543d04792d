//! json.md describes every document that the command prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

/// The names of schemas in the Rust files below a folder: strings such as `virt-esx/hostname/1`.
fn schemas(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            schemas(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("\"virt-esx/").skip(1) {
            let name = part.split('"').next().unwrap();
            if name.ends_with(|last: char| last.is_ascii_digit()) {
                found.push(format!("virt-esx/{name}"));
            }
        }
    }
}

#[test]
fn every_schema_is_described() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let described = fs::read_to_string(root.join("json.md")).unwrap();
    let mut names = Vec::new();
    schemas(&root.join("src"), &mut names);
    assert!(names.len() > 15, "only {names:?}");
    names.retain(|name| !described.contains(&format!("`{name}`")));
    assert!(names.is_empty(), "add to virt-esx/json.md: {names:?}");
}
