//! `virt-esx`: virsh's commands for VMware ESX(i) hosts and vCenters.
//!
//! `main` reads the command line and runs its commands, which print what they have to print as they go
//! ([`ui::Ui`]).

#![allow(
    rustdoc::broken_intra_doc_links,
    reason = "the doc comments of options are their help texts, in which brackets are no links"
)]

mod answer;
mod answering;
mod cli;
mod commands;
mod complete;
mod connection;
mod credentials;
mod exporter;
mod failure;
mod log;
mod manual;
mod markup;
mod reader;
mod session;
mod shell;
mod signals;
mod state;
mod table;
mod ui;
mod words;
mod xpath;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::run(std::env::args_os().skip(1).collect()))
}
