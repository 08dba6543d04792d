//! The corpora of `fuzz/`, without a fuzzer.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(clippy::print_stdout, reason = "a failure shows which file it was")]

#[path = "../../fuzz/checks/decode.rs"]
mod decode;
#[path = "../../fuzz/checks/items.rs"]
mod items;
#[path = "../../fuzz/checks/tokens.rs"]
mod tokens;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/");
    let mut files = 0;
    for file in std::fs::read_dir(format!("{folder}{target}")).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        check(&std::fs::read(path).unwrap());
        files += 1;
    }
    assert!(files > 5, "only {files} files");
}

#[test]
fn decode_holds() {
    replay("decode", decode::check);
}

#[test]
fn items_holds() {
    replay("items", items::check);
}

#[test]
fn tokens_holds() {
    replay("tokens", tokens::check);
}
