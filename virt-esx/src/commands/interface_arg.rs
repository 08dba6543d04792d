//! The argument that names an interface of the host.

use esx_driver::{Connect, Interface};
use virt_model::MacAddress;

use super::change::{Arg, Definable, Noun};
use super::options;
use crate::failure::Failure;

/// The argument `interface` of a command: `#[command(flatten)] interface: InterfaceArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct InterfaceArg {
    /// interface name or MAC address
    #[arg(id = "interface", value_name = "interface")]
    text: String,
}

impl InterfaceArg {
    /// The text of the command line, which virsh prints in its messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Finds the interface.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<Interface, Failure> {
        options::check_text("interface", Some(&self.text))?;
        find(connection, &self.text).await
    }
}

impl Arg for InterfaceArg {
    type Noun = Interface;

    fn text(&self) -> &str {
        self.text()
    }

    async fn find(&self, connection: &Connect) -> Result<Interface, Failure> {
        self.find(connection).await
    }
}

impl Noun for Interface {
    const NOUN: &'static str = "interface";
    const TITLE: &'static str = "Interface";

    fn name(&self) -> &str {
        self.name()
    }
}

impl Definable for Interface {
    const CHANGED: &'static str = "virt-esx/interface-changed/1";
    const EDITED: &'static str = "virt-esx/interface-edited/1";
}

/// Finds the interface that `text` means: what looks like a MAC address is one.
///
/// # Errors
/// virsh's text, and below it the reason.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<Interface, Failure> {
    match is_mac(text) {
        true => find_by_mac(connection, text).await,
        false => find_by_name(connection, text).await,
    }
}

/// Finds the interface of that name. virsh does not look for the name that looks like a MAC address, and says no reason.
///
/// # Errors
/// As [`find`].
pub(crate) async fn find_by_name(connection: &Connect, name: &str) -> Result<Interface, Failure> {
    if is_mac(name) {
        return Err(Failure::new(not_found(name)));
    }
    let found = connection.interface_lookup_by_name(name).await;
    found.map_err(|error| Failure::because(not_found(name), error))
}

/// Finds the interface with that hardware address.
///
/// # Errors
/// As [`find`]. Of anything that is no address, virsh says no reason.
pub(crate) async fn find_by_mac(connection: &Connect, mac: &str) -> Result<Interface, Failure> {
    if !is_mac(mac) {
        return Err(Failure::new(not_found(mac)));
    }
    let found = connection.interface_lookup_by_mac_string(mac).await;
    found.map_err(|error| Failure::because(not_found(mac), error))
}

fn is_mac(text: &str) -> bool {
    text.parse::<MacAddress>().is_ok()
}

fn not_found(text: &str) -> String {
    format!("failed to get interface '{text}'")
}
