//! The checks of `cargo xtask interop` that need all types of the API.
//!
//! A separate program with the feature `witness`, so that other builds do not compile these types. It prints a line for
//! each check: `ok NAME`, `FAIL NAME: REASON` or `skip NAME: REASON`; and remarks as `note TEXT`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to its caller"
)]

mod canonical;
mod captures;
mod filled;
mod requests;
mod typed;
mod vcsim;
mod watching;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["requests", python, script] => requests::run(python, script),
        ["vcsim", address] => vcsim::run(address),
        ["watch", address] => watching::run(address),
        ["captures", folder] => captures::run(Path::new(folder)),
        _ => Err("usage: witness requests PYTHON SCRIPT | vcsim HOST:PORT | watch HOST:PORT | captures FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One check.
fn check(name: &str, held: bool, found: &str) {
    if held {
        println!("ok {name}");
    } else {
        println!("FAIL {name}: {}", found.replace('\n', " "));
    }
}
