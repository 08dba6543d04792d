//! A client for VMware ESX(i) hosts and vCenter over the VI SOAP API: one server, one session.
//!
//! ```no_run
//! use vi_client::retrieve::{Retrieve, Selection};
//! use vi_client::transport::{Endpoint, HttpsTransport, Verify};
//! use vi_client::{Client, Error, Options};
//!
//! # async fn run() -> Result<(), Error> {
//! let transport = HttpsTransport::new(Endpoint::https("esx1.example", 443))
//!     .verify(Verify::CaFile("esx1.pem".into()));
//! let client = Client::connect(transport, Options::default()).await?;
//! client.login("root", std::env::var("PASSWORD").unwrap_or_default()).await?;
//!
//! let request = Retrieve::from(&client.service_content().root_folder)
//!     .select_all(Selection::inventory())
//!     .properties("VirtualMachine", ["name", "runtime.powerState"]);
//! for mut vm in client.retrieve(&request).await? {
//!     let name: String = vm.take("name")?;
//!     tracing::info!(name);
//! }
//! client.close().await?;
//! # Ok(()) }
//! ```
//!
//! [`property_set!`] declares a struct of properties, whose paths and types the compiler checks. Typed references have
//! the API's methods as functions, and [`match_fault!`] matches the faults that a method declares:
//!
//! ```no_run
//! use vi_client::retrieve::{Retrieve, Selection};
//! use vi_client::{Client, Error, match_fault, property_set};
//! use vi_types::enums::VirtualMachinePowerState;
//! use vi_types::{methods, objects, references};
//!
//! property_set! {
//!     struct Row: VirtualMachine {
//!         name: String = name,
//!         state: VirtualMachinePowerState = runtime.power_state,
//!         cpus: Option<i32> = config.hardware.num_cpu,
//!     }
//! }
//!
//! # async fn run(client: &Client) -> Result<(), Error> {
//! let request = Retrieve::from(&client.service_content().root_folder).select_all(Selection::inventory());
//! for found in client.retrieve_set::<Row>(request).await? {
//!     let row = found.properties?;
//!     let Some(vm) = references::VirtualMachine::from_moref(found.object) else { continue };
//!     if row.state == VirtualMachinePowerState::PoweredOn {
//!         continue;
//!     }
//!     if let Err(error) = client.call(&vm.power_on_vm_task()).await {
//!         match_fault!(&error, methods::PowerOnVmTask {
//!             objects::TaskInProgress as fault => tracing::info!(row.name, task = %fault.task, "busy"),
//!             _ => return Err(error),
//!         });
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! A call that needs a newer version of the API than the server's is not sent: [`Error::TooNew`] names the feature.
//!
//! - [`Client`]: calls, login, renewal of the session;
//! - [`retrieve`]: reading properties of one object or of many;
//! - [`task`]: starting tasks and waiting for them;
//! - [`Watch`]: changes of properties, as they happen;
//! - [`DatastoreFile`]: download and upload of files on datastores;
//! - [`transport`]: HTTP(S), a function in the same process, a recording.

mod client;
mod error;
mod password;
pub mod retrieve;
mod since;
pub mod task;
pub mod transport;
mod version;
mod watch;

pub use client::{Client, DatastoreFile, Options};
pub use error::{Error, UnexpectedResponse};
pub use password::Password;
pub use since::{Feature, TooNew};
pub use version::{ApiVersion, Negotiation};
pub use watch::Watch;

// The crates whose types are in this crate's signatures, so that users need no dependency of the same version.
pub use bytes;
pub use http;
pub use http_body;
pub use vi_types;
