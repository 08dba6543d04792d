//! Descriptions and what is generated from them, side by side in `fixtures/`.
//!
//! `UPDATE_FIXTURES=1 cargo test -p vi-generator` writes the expected files anew.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::{env, fs};

use vi_generator::{Target, generate};

/// Expects the files in `NAME.expected` from `NAME.input`.
#[track_caller]
fn check(name: &str, target: &Target) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let input =
        fs::read_to_string(folder.join(format!("{name}.input"))).expect("the fixture's input");
    let files =
        generate("fixture.input", &input, target).unwrap_or_else(|errors| panic!("{errors}"));
    let found: String = files
        .iter()
        .map(|file| format!("==== {}\n{}", file.path, file.text))
        .collect();
    let expected = folder.join(format!("{name}.expected"));
    if env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&expected, &found).expect("the fixture can be written");
    }
    let expected = fs::read_to_string(&expected).expect("the fixture's expected output");
    if let Some(line) = expected
        .lines()
        .zip(found.lines())
        .position(|(left, right)| left != right)
    {
        let (left, right) = (expected.lines().nth(line), found.lines().nth(line));
        panic!(
            "{name}.expected:{}: expected {left:?}, found {right:?}",
            line + 1
        );
    }
    assert_eq!(
        expected.len(),
        found.len(),
        "{name}.expected and what is generated differ in length"
    );
}

#[test]
fn enums() {
    check("enums", &Target::Module);
}

#[test]
fn every_type_and_occurrence() {
    check("types", &Target::Module);
}

#[test]
fn families_are_features() {
    check(
        "families",
        &Target::Crate {
            name: "families".to_owned(),
            runtime: "\"0.1\"".to_owned(),
        },
    );
}

#[test]
fn base_classes() {
    check("bases", &Target::Module);
}

#[test]
fn methods() {
    check("methods", &Target::Module);
}

#[test]
fn managed_objects() {
    check("managed_objects", &Target::Module);
}

#[test]
fn names_that_bite() {
    check("names", &Target::Module);
}

#[test]
fn a_crate_from_an_input_like_libvirts() {
    let runtime = "{ version = \"0.1\", default-features = false }".to_owned();
    check(
        "libvirt",
        &Target::Crate {
            name: "my-types".to_owned(),
            runtime,
        },
    );
}
