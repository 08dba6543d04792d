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
//! - [`transport`]: the way to a server: HTTP(S), a function in the same process, a recording;
//! - [`Client`]: calls, login, renewal of the session;
//! - [`retrieve`]: reading properties of many objects at once;
//! - [`Watch`]: changes of properties, as they happen.

mod client;
mod error;
mod password;
pub mod retrieve;
mod since;
pub mod transport;
mod version;
mod watch;

pub use client::{Client, Options};
pub use error::{Error, Foreign};
pub use password::Password;
pub use since::{Asked, TooNew};
pub use version::{ApiVersion, Negotiation};
pub use watch::Watch;

// For what `property_set!` expands to.
#[doc(hidden)]
pub use vi_types;
