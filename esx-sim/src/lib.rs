#![doc = include_str!("../README.md")]
#![allow(
    clippy::needless_update,
    reason = "types of the API grow: a literal that names all fields of today would not compile tomorrow"
)]

mod call;
#[cfg(feature = "tls")]
mod certificate;
mod changes;
mod distributed;
mod event;
mod fault;
mod files;
mod folder;
mod health;
mod host_network;
mod hosts;
mod logs;
mod machine;
mod network;
mod objects;
mod payload;
mod performance;
mod recording;
mod rule;
mod screen;
mod server;
mod session;
mod simulator;
mod storage;
mod task;
mod test_uri;
mod transfers;
mod upload;
mod version;
mod vmx;
mod world;

#[cfg(feature = "tls")]
pub use certificate::{Certificate, CertificateError};
pub use {bytes, http, vi_types};

pub use changes::{Action, Change, ChangeError, Changes, Churn, InvalidChanges, Target};
pub use health::{Health, InvalidHealth, PartHealth};
pub use network::{InvalidSwitch, NewDistributedSwitch};
pub use recording::Recorded;
pub use rule::{Effect, InvalidRule, Rewrite, Rule};
pub use server::{Server, Tls};
pub use simulator::{Builder, Licence, Load, Simulator, UnknownRelease};
pub use storage::{DatastoreKind, InvalidStorage, IscsiTarget, NewDatastore};
pub use task::{Outcome, Question, Script};
pub use test_uri::TestUriError;
pub use version::{ApiVersion, VersionError};
