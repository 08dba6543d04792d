//! A simulated VMware ESX host or vCenter.
//!
//! The server is there in process, as a function from requests to answers, or on a port with TLS. It always
//! speaks bytes: requests are decoded and answers encoded as they are on the wire. What it holds is data,
//! the property structs of vi-types, so that everything that can be read of a real server can be read of it
//! by the same paths.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let server = esx_sim::Simulator::esx().vms(100).build();
//! let listening = server.listen("127.0.0.1:0", true).await?;
//! println!("virsh -c '{}' list --all", listening.uri());
//! # Ok(())
//! # }
//! ```
#![allow(
    clippy::needless_update,
    reason = "types of the API grow: a literal that names all fields of today would not compile tomorrow"
)]

mod call;
mod certificate;
mod fault;
mod files;
mod folder;
mod machine;
mod objects;
mod payload;
mod recording;
mod rule;
mod server;
mod session;
mod simulator;
mod task;
mod test_uri;
mod version;
mod vmx;
mod world;

pub use certificate::{Certificate, CertificateError};
pub use recording::Recorded;
pub use rule::{Effect, InvalidRule, Rewrite, Rule};
pub use server::{Server, Tls};
pub use simulator::{Builder, Load, Simulator, UnknownRelease};
pub use task::{Question, Script, Then};
pub use test_uri::TestUriError;
pub use version::{ApiVersion, VersionError};
