//! The workspace's own tasks: `cargo xtask --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command talks to its user"
)]

mod conformance;
mod r#gen;
mod import;
mod interop;
mod msrv;
mod parity;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The workspace's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Gen(r#gen::Gen),
    Import(import::Import),
    Interop(interop::Interop),
    Msrv(msrv::Msrv),
    Parity(parity::Parity),
    VmxConformance(conformance::VmxConformance),
}

fn main() -> ExitCode {
    match Arguments::parse().task {
        Task::Gen(task) => status(task.run()),
        Task::Import(task) => status(task.run()),
        Task::Interop(task) => task.run(),
        Task::Msrv(task) => status(task.run()),
        Task::Parity(task) => status(task.run()),
        Task::VmxConformance(task) => task.run(),
    }
}

fn status(done: Result<(), impl Error>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn report(error: &dyn Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("caused by: {error}");
        cause = error.source();
    }
}
