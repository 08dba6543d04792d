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
//! What is read can be a struct, whose fields the compiler checks, and methods are functions of typed references:
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
//! A call that needs what came to the API after the server's version is not sent: [`Error::TooNew`] says what it is.
//!
//! - [`transport`]: the way to a server: HTTP(S), a function in the same process, a recording;
//! - [`Client`]: calls, login, renewal of the session;
//! - [`retrieve`]: reading properties of many objects at once;
//! - [`Watch`]: changes of properties, as they happen;
//! - [`DatastoreFile`]: files, up and down;
//! - [`task`]: starting tasks, and waiting for them.

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
pub use error::{Error, Foreign};
pub use password::Password;
pub use since::{Asked, TooNew};
pub use version::{ApiVersion, Negotiation};
pub use watch::Watch;

// For what `property_set!` expands to.
#[doc(hidden)]
pub use vi_types;
