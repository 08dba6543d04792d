//! Runs the checks of `fuzz/` on its corpus, without a fuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(clippy::print_stdout, reason = "a failure shows which file it was")]

#[path = "../../fuzz/checks/domain.rs"]
mod checks;

#[test]
fn domain_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/domain");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        checks::check(&std::fs::read(path).unwrap());
        files += 1;
    }
    assert!(files > 5, "only {files} files");
}
