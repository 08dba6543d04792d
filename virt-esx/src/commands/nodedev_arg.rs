//! The argument that names a device of the host.

use esx_driver::{Connect, NodeDevice};

use super::change::{Arg, Noun};
use super::options;
use crate::failure::Failure;

/// The argument `device` of a command that takes a name: `#[command(flatten)] device: DeviceArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct DeviceArg {
    /// device key
    #[arg(id = "device", value_name = "device")]
    text: String,
}

impl DeviceArg {
    /// Finds the device.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<NodeDevice, Failure> {
        options::check_text("device", Some(&self.text))?;
        find(connection, &self.text).await
    }

    /// The text of the command line, which virsh prints in its messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl Arg for DeviceArg {
    type Noun = NodeDevice;

    fn text(&self) -> &str {
        self.text()
    }

    async fn find(&self, connection: &Connect) -> Result<NodeDevice, Failure> {
        self.find(connection).await
    }
}

impl Noun for NodeDevice {
    const NOUN: &'static str = "device";
    const TITLE: &'static str = "Device";

    fn name(&self) -> &str {
        self.name()
    }
}

/// The argument `device` of a command that takes a name or world wide names.
#[derive(Debug, clap::Args)]
pub(crate) struct DeviceOrWwnArg {
    /// device name or wwn pair in 'wwnn,wwpn' format
    #[arg(id = "device", value_name = "device")]
    text: String,
}

impl DeviceOrWwnArg {
    /// Finds the device.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<NodeDevice, Failure> {
        options::check_text("device", Some(&self.text))?;
        find_by_wwn(connection, &self.text).await
    }
}

/// Finds the device of that name.
///
/// # Errors
/// virsh's text, and below it the reason.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<NodeDevice, Failure> {
    let found = connection.node_device_lookup_by_name(text).await;
    found.map_err(|error| Failure::because(missing(text), error))
}

/// Finds the device of that name, or the adapter of these world wide names if there is a comma: `wwnn,wwpn`.
///
/// # Errors
/// virsh's text, and below it the reason.
pub(crate) async fn find_by_wwn(connection: &Connect, text: &str) -> Result<NodeDevice, Failure> {
    if !text.contains(',') {
        return find(connection, text).await;
    }
    let words = options::words(text);
    let [wwnn, wwpn] = &*words else {
        return Err(Failure::new(format!("Malformed device value '{text}'")));
    };
    let (wwnn, wwpn) = (digits(wwnn)?, digits(wwpn)?);
    let found = connection.node_device_lookup_scsi_host_by_wwn(wwnn, wwpn);
    found
        .await
        .map_err(|error| Failure::because(missing(text), error))
}

fn missing(text: &str) -> String {
    format!("Could not find matching device '{text}'")
}

/// The digits of a world wide name, in front of which `0x` may be (virValidateWWN).
fn digits(name: &str) -> Result<&str, Failure> {
    let digits = name.strip_prefix("0x").unwrap_or(name);
    match digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(digits),
        false => Err(Failure::new(format!(
            "internal error: Malformed wwn: {name}"
        ))),
    }
}
