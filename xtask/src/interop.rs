//! `cargo xtask interop`: other people's programs against ours.
//!
//! The client and the simulator of this workspace share their codec, so a mistake in it could
//! cancel out between them. Here each meets a stranger:
//!
//! 1. `virt-esx` asks vcsim (Go) as an ESX host and as a vCenter;
//! 2. libvirt's `virsh` asks esx-sim over TLS;
//! 3. for every command, virsh's and virt-esx's output on the same esx-sim are compared byte for
//!    byte;
//! 4. pyvmomi walks esx-sim's inventory.
//!
//! What is missing is installed with apt-get and pip; a peer that cannot be had is a failure. One
//! line a failed check, and at the end `N passed, N failed`.

mod compare;
mod peers;
mod process;
mod pyvmomi;
mod report;
mod vcsim;

use std::process::ExitCode;

use peers::Tools;
use report::Report;

/// Runs other people's programs against ours.
///
/// vcsim, libvirt's virsh and pyvmomi are installed with apt-get and pip where they are missing.
#[derive(clap::Args)]
pub(crate) struct Interop {}

impl Interop {
    /// Runs everything; the status is a failure when a check failed or a peer is missing.
    pub(crate) fn run(self) -> ExitCode {
        let mut report = Report::default();
        match Tools::prepare() {
            Ok(tools) => {
                for section in [vcsim::run, compare::run, pyvmomi::run] {
                    if let Err(error) = section(&tools, &mut report) {
                        report.fail("setting up", &error);
                    }
                }
            }
            Err(error) => report.fail("preparing the peers", &error),
        }
        report.finish()
    }
}
