//! `cargo xtask import` as its users run it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

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
