//! `virt-esx`: virsh's commands for VMware ESX(i) hosts and vCenters.
//!
//! `main` reads the command line, runs one command and prints what it answered; every decision
//! about what is printed is made by functions that return values ([`outcome::Outcome`]).

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the doc comments of options are their help texts, in which brackets are no links"
)]

mod answer;
mod answering;
mod argv;
mod cli;
mod commands;
mod connection;
mod credentials;
mod failure;
mod log;
mod outcome;
mod progress;
mod table;
mod xpath;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1).collect()).print()
}
