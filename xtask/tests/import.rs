//! `cargo xtask import` as its users run it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

const KEPT: &str = "# Ours.\nobject A\n    Int a r\nend\n";
const NEWER: &str = "object A\n    Int a r\nend\nobject B extends A\nend\n";
const MERGED: &str = "# Ours.\nobject A\n    Int a r\nend\n\n\nobject B extends A\nend\n";

/// Merges `newer` into `kept`; also gives what is in that file then.
fn import(kept: &str, newer: &str, arguments: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name| folder.path().join(name);
    fs::write(path("kept.input"), kept).expect("a file");
    fs::write(path("newer.input"), newer).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let command = command
        .arg("import")
        .arg(path("newer.input"))
        .arg("--into")
        .arg(path("kept.input"));
    let output = command.args(arguments).output().expect("xtask runs");
    let text = fs::read_to_string(path("kept.input")).expect("a file");
    (output, text)
}

#[test]
fn a_new_definition_is_told_and_written() {
    let (output, text) = import(KEPT, NEWER, &[]);
    assert!(output.status.success());
    assert_eq!(text, MERGED);
    let told = String::from_utf8_lossy(&output.stdout);
    let expected = "added    object B (core, behind object A)\n1 added, 0 changed, 0 removed\n";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn check_writes_nothing() {
    let (output, text) = import(KEPT, NEWER, &["--check"]);
    assert!(output.status.success());
    assert_eq!(text, KEPT);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("1 added, 0 changed, 0 removed\n"));
}

#[test]
fn mistakes_are_shown_and_nothing_is_written() {
    let (output, text) = import(KEPT, "object B extends C\nend\n", &[]);
    assert!(!output.status.success());
    assert_eq!(text, KEPT);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("nothing is written, because of 1 mistake\n"),
        "{told}"
    );
    assert!(
        told.contains("newer.input:1: object B extends the unknown object 'C'"),
        "{told}"
    );
}

#[test]
fn the_workspaces_own_description_is_up_to_date_with_itself() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command
        .args(["import", "--check", own])
        .output()
        .expect("xtask runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "nothing to do\n");
}

/// Whether a line begins a family or a section.
fn is_division(line: &str) -> bool {
    line.starts_with("family ") || line.starts_with("section ")
}

/// The definitions of a description, as their text without comments and blank lines.
fn definitions(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !is_division(line))
        .collect();
    lines
        .split_inclusive(|line| *line == "end")
        .map(|lines| lines.join("\n"))
        .collect()
}

#[test]
fn what_was_taken_out_comes_back_into_a_family_that_has_what_it_needs() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
    let own = fs::read_to_string(own).expect("the description");
    let all = definitions(&own);
    let gone: BTreeSet<&String> = all.iter().step_by(40).collect();
    let (mut kept, mut block) = (String::new(), String::new());
    for line in own.split_inclusive('\n') {
        block.push_str(line);
        if line.trim() == "end" {
            let definition = definitions(&block).concat();
            if !gone.contains(&definition) {
                kept.push_str(&block);
            }
            block.clear();
        } else if line.starts_with('#') || line.trim().is_empty() || is_division(line) {
            kept.push_str(&block);
            block.clear();
        }
    }
    assert_eq!(definitions(&kept).len(), all.len() - gone.len());
    let (output, text) = import(&kept, &own, &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told = String::from_utf8_lossy(&output.stdout);
    let counts = format!("{} added, 0 changed, 0 removed\n", gone.len());
    assert!(told.contains(&counts), "{told}");
    let (mut found, mut expected) = (definitions(&text), all.clone());
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}
