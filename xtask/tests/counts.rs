//! Nothing of the description is lost on the way: what is in generator.input is in vi-types/src/generated, once.
//!
//! The description is read line by line here, by its keywords, and the generated files as text, so that neither the
//! generator's parser nor its idea of a file takes part. There are 446 enums, 2,331 objects, 699 faults, 140
//! managed objects and 976 methods (975 of the API and `Fetch`) as this is written.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of the definitions that begin with one of these keywords.
fn described(keywords: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(workspace().join("generator.input")).expect("the description");
    let names = text.lines().filter_map(|line| {
        let mut behind = keywords
            .iter()
            .filter_map(|keyword| line.strip_prefix(keyword)?.strip_prefix(' '));
        behind.next()?.split_whitespace().next().map(str::to_owned)
    });
    names.collect()
}

/// The generated text of a module, without blanks.
fn generated(module: &str) -> String {
    let folder = workspace().join("vi-types/src/generated");
    let mut files = vec![folder.join(format!("{module}.rs"))];
    if let Ok(entries) = fs::read_dir(folder.join(module)) {
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    let texts = files
        .iter()
        .map(|file| fs::read_to_string(file).expect("a generated file"));
    texts
        .flat_map(|text| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What stands behind `before`, up to `end`, wherever it does.
fn behind(text: &str, before: &str, end: char) -> Vec<String> {
    let rest = text.split(before).skip(1);
    rest.map(|rest| rest.split(end).next().unwrap_or_default().to_owned())
        .collect()
}

/// The names that are not as often in one list as in the other, with both numbers.
fn differences(left: &[String], right: &[String]) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    left.iter()
        .for_each(|name| counts.entry(name.clone()).or_default().0 += 1);
    right
        .iter()
        .for_each(|name| counts.entry(name.clone()).or_default().1 += 1);
    counts.retain(|_, (left, right)| left != right);
    counts
}

/// Expects every definition once in the text of `module`, behind `before`, and once in the registry behind `row`.
#[track_caller]
fn check(keywords: &[&str], module: &str, item: &str, before: &str, row: &str) {
    let described = described(keywords);
    assert!(!described.is_empty());
    let mut once = described.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), described.len(), "a name is described twice");

    let text = generated(module);
    assert_eq!(
        text.matches(item).count(),
        described.len(),
        "{item} of {module}"
    );
    let named = behind(&text, before, '"');
    assert_eq!(
        differences(&described, &named),
        BTreeMap::new(),
        "described and in {module}"
    );
    let rows = generated("registry").matches(row).count();
    assert_eq!(rows, described.len(), "{module} in the registry");
}

#[test]
fn every_enum_is_generated_once() {
    let name = "constNAME:&'staticstr=\"";
    check(&["enum"], "enums", "pubenum", name, "::of::<enums::");
}

#[test]
fn every_object_and_fault_is_generated_once() {
    let name = "=rt::ObjectInfo::new(\"";
    check(
        &["object", "fault"],
        "objects",
        "pubstruct",
        name,
        "&objects::",
    );
}

#[test]
fn every_managed_object_is_generated_once() {
    let name = "=rt::ObjectInfo::new(\"";
    check(
        &["managed object"],
        "properties",
        "pubstruct",
        name,
        "&properties::",
    );
}

#[test]
fn every_method_is_generated_once() {
    let name = "=rt::ObjectInfo::new(\"";
    check(&["method"], "methods", "pubstruct", name, "&<methods::");
    let rows = behind(&generated("methods"), "MethodInfo{name:\"", '"');
    assert_eq!(differences(&described(&["method"]), &rows), BTreeMap::new());
}
