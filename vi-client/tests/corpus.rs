//! The corpus of the fuzz target `http`, without a fuzzer: as it is, cut anywhere, and with other bytes in it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(clippy::print_stdout, reason = "a failure shows which file it was")]

#[path = "../../fuzz/checks/http.rs"]
mod http;

/// How often each file is changed.
const CHANGES: usize = 40;

#[test]
fn http_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/http");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        println!("{}", path.display());
        let data = std::fs::read(&path).unwrap();
        http::check(&data);
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            (state >> 8) as usize % below
        };
        for _ in 0..CHANGES {
            http::check(&data[..random(data.len())]);
            let mut changed = data.clone();
            let at = random(data.len());
            changed[at] = random(256).try_into().unwrap_or(0);
            http::check(&changed);
        }
        files += 1;
    }
    assert!(files > 20, "only {files} files");
}
