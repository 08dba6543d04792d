//! `cargo xtask interop`: tests with foreign programs.
//!
//! The client and the simulator of this workspace share their codec, so a mistake in it could
//! cancel out between them. Here each talks to a foreign program, in these sections:
//!
//! - `vcsim`: `virt-esx` asks vcsim (Go) as an ESX host and as a vCenter, and changes its domains, datastores and networks;
//!   a monitor reads its counters;
//! - `virsh`: libvirt's `virsh` asks esx-sim over TLS, and for every command, virsh's and virt-esx's
//!   output on the same esx-sim are compared byte for byte;
//! - `files`: virsh defines the definitions of VMX files of people, all on one connection;
//! - `mutations`: VMX files that were changed at random, converted by virsh and by us: the same answers, or a known reason;
//! - `field`: answers as real servers give them, which virsh and virt-esx read beside each other;
//! - `devices`: the documents of devices that commands make and change, as virsh prints them;
//! - `storage`: storage pools and volumes, of several kinds of datastores and of iSCSI targets;
//! - `networks`: networks of hosts of several releases and of vCenters, made, changed and removed too;
//! - `names`: every command name of virsh's `help`, without arguments and with a domain that does not exist;
//! - `pyvmomi`: pyvmomi walks esx-sim's inventory, reads every property of every object, and polls tasks;
//! - `ansible`: modules of Ansible's community.vmware on esx-sim;
//! - `terminal`: `virt-esx watch` shows its screens in tmux, and leaves the terminal as it was;
//! - `shells`: completion in bash, zsh and fish, and the manual in man, in two locales, without a warning;
//! - `exporter`: promtool and Python read what `virt-esx exporter` serves, and vmware_exporter is measured beside it;
//! - `tls`: virsh, curl and `virt-esx` meet certificates and versions of TLS as old hosts have them;
//! - `transfer`: a file goes to esx-sim and comes back, by us and by curl: the same bytes, the rates of both, and our memory;
//! - `requests`: pyvmomi and we encode the same request, for every method of the API;
//! - `watches`: what one client changes on vcsim arrives at the watches of another;
//! - `properties`: every property of every object of vcsim is the same after decoding and encoding;
//! - `captures`: so are answers captured from elsewhere.
//!
//! The last four need all types of the API, which only the program `witness` has; it takes some
//! minutes to build. Missing peers are installed with apt-get and pip; a peer that cannot be
//! installed is a failure. Prints one line for a failed check, and `N passed, N failed` at the end.

mod ansible;
mod compare;
mod exporter;
mod files;
mod mutations;
mod peers;
mod process;
mod pyvmomi;
mod report;
mod shells;
mod terminal;
mod tls;
mod transfer;
mod vcsim;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;

use peers::{Peer, Tools};
use report::Report;

/// Run foreign programs against ours.
///
/// Installs vcsim, libvirt's virsh, pyvmomi, Ansible, tmux and shells with apt-get and pip if they are missing.
#[derive(clap::Args)]
pub(crate) struct Interop {
    /// The sections to run (default: all).
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(SECTIONS.map(|section| section.name)))]
    sections: Vec<String>,
    /// A folder of captured answers (default: shared/captures beside the checkout); skipped if it does not exist.
    #[arg(long, value_name = "FOLDER")]
    captures: Option<PathBuf>,
}

/// A group of checks, with the peers it needs.
struct Section {
    name: &'static str,
    peers: &'static [Peer],
    run: fn(&Tools, &mut Report) -> Result<(), String>,
}

const SECTIONS: [Section; 20] = [
    Section {
        name: "vcsim",
        peers: &[Peer::Ours, Peer::Vcsim],
        run: vcsim::run,
    },
    Section {
        name: "virsh",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::run,
    },
    Section {
        name: "files",
        peers: &[Peer::Ours, Peer::Virsh],
        run: files::run,
    },
    Section {
        name: "mutations",
        peers: &[Peer::Ours, Peer::Virsh],
        run: mutations::run,
    },
    Section {
        name: "field",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::field::run,
    },
    Section {
        name: "devices",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::devices::run,
    },
    Section {
        name: "storage",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::storage::run,
    },
    Section {
        name: "networks",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::networks::run,
    },
    Section {
        name: "names",
        peers: &[Peer::Ours, Peer::Virsh],
        run: compare::names::run,
    },
    Section {
        name: "pyvmomi",
        peers: &[Peer::Ours, Peer::Pyvmomi],
        run: pyvmomi::run,
    },
    Section {
        name: "ansible",
        peers: &[Peer::Ours, Peer::Ansible],
        run: ansible::run,
    },
    Section {
        name: "terminal",
        peers: &[Peer::Ours, Peer::Tmux],
        run: terminal::run,
    },
    Section {
        name: "shells",
        peers: &[Peer::Ours, Peer::Shells],
        run: shells::run,
    },
    Section {
        name: "exporter",
        peers: &[Peer::Ours, Peer::Exporters],
        run: exporter::run,
    },
    Section {
        name: "tls",
        peers: &[Peer::Ours, Peer::Virsh, Peer::Curl, Peer::OpenSsl],
        run: tls::run,
    },
    Section {
        name: "transfer",
        peers: &[Peer::Transfer, Peer::Curl],
        run: transfer::run,
    },
    Section {
        name: "requests",
        peers: &[Peer::Witness, Peer::Pyvmomi],
        run: witness::requests,
    },
    Section {
        name: "properties",
        peers: &[Peer::Witness, Peer::Vcsim],
        run: witness::properties,
    },
    Section {
        name: "watches",
        peers: &[Peer::Witness, Peer::Vcsim],
        run: witness::watches,
    },
    Section {
        name: "captures",
        peers: &[Peer::Witness],
        run: witness::captures,
    },
];

impl Interop {
    /// Runs the sections; the status is a failure when a check failed or a peer is missing.
    pub(crate) fn run(self) -> ExitCode {
        let wanted = |section: &&Section| {
            self.sections.is_empty() || self.sections.iter().any(|name| name == section.name)
        };
        let sections: Vec<_> = SECTIONS.iter().filter(wanted).collect();
        let needs = |peer| sections.iter().any(|section| section.peers.contains(&peer));
        let mut report = Report::default();
        match Tools::prepare(needs, self.captures.clone()) {
            Ok(tools) => {
                for section in &sections {
                    if let Err(error) = (section.run)(&tools, &mut report) {
                        report.fail("setting up", &error);
                    }
                }
            }
            Err(error) => report.fail("preparing the peers", &error),
        }
        report.finish()
    }
}
