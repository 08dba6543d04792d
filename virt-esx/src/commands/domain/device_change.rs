//! What the commands that attach, detach and update devices have in common.

use esx_driver::Domain;
use serde::Serialize;
use tracing::Instrument as _;
use virt_model::{DeviceModifyFlags, DomainXmlFlags};
use xmltree::Element;

use crate::answer::Answer;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::log;
use crate::markup;

/// The options that say what a change of a device concerns. On ESX it is always both, the running domain and its
/// definition.
#[derive(Debug, clap::Args)]
pub(crate) struct Affects {
    /// make live change persistent
    #[arg(long)]
    persistent: bool,

    /// affect next boot
    #[arg(long)]
    config: bool,

    /// affect running domain
    #[arg(long)]
    live: bool,

    /// affect current domain
    #[arg(long)]
    current: bool,
}

impl Affects {
    /// Refuses combinations that contradict each other.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let current = ("current", self.current);
        check_exclusive([("persistent", self.persistent), current])?;
        check_exclusive([current, ("live", self.live)])?;
        check_exclusive([current, ("config", self.config)])
    }

    /// The flags for the domain. None: virsh calls the function without flags.
    pub(crate) fn flags(&self, domain: &Domain) -> Option<DeviceModifyFlags> {
        let is_active = domain.id().is_some();
        let flags = options::flags(
            DeviceModifyFlags::NONE,
            [
                (self.config || self.persistent, DeviceModifyFlags::CONFIG),
                (
                    self.live || (self.persistent && is_active),
                    DeviceModifyFlags::LIVE,
                ),
            ],
        );
        (self.current || flags != DeviceModifyFlags::NONE).then_some(flags)
    }
}

/// A change of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Attach,
    Detach,
    Update,
}

impl Verb {
    /// libvirt's function.
    fn function(self, has_flags: bool) -> &'static str {
        match (self, has_flags) {
            (Verb::Attach, false) => "virDomainAttachDevice",
            (Verb::Attach, true) => "virDomainAttachDeviceFlags",
            (Verb::Detach, false) => "virDomainDetachDevice",
            (Verb::Detach, true) => "virDomainDetachDeviceFlags",
            (Verb::Update, _) => "virDomainUpdateDeviceFlags",
        }
    }

    /// Makes the change that the device's document `xml` describes.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) async fn run(
        self,
        connection: &Connection,
        domain: &Domain,
        xml: &str,
        flags: Option<DeviceModifyFlags>,
    ) -> Result<(), Failure> {
        connection.check_writable(self.function(flags.is_some()))?;
        let flags = flags.unwrap_or(DeviceModifyFlags::NONE);
        let operation = match self {
            Verb::Attach => domain.attach_device(xml, flags),
            Verb::Detach => domain.detach_device(xml, flags),
            Verb::Update => domain.update_device(xml, flags),
        };
        Ok(operation.await?)
    }
}

/// A domain's document: that of the next start for a change of it alone.
///
/// # Errors
/// The driver's, or if it is not XML.
pub(crate) async fn document(
    domain: &Domain,
    flags: Option<DeviceModifyFlags>,
) -> Result<Element, Failure> {
    let flags = match flags {
        Some(DeviceModifyFlags::CONFIG) => DomainXmlFlags::INACTIVE,
        _ => DomainXmlFlags::NONE,
    };
    // One device does not show what is left out elsewhere in the definition.
    let incidental = tracing::warn_span!(log::INCIDENTAL);
    markup::read(&domain.xml_desc(flags).instrument(incidental).await?)
}

/// A device was attached, detached or updated.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    pub(crate) domain: String,
    /// The document that described the device.
    pub(crate) xml: String,

    /// virsh's text.
    #[serde(skip)]
    pub(crate) text: &'static str,

    /// Whether virsh prints it with `-q` too, and without a line break.
    #[serde(skip)]
    pub(crate) is_loud: bool,
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/device-changed/1";

    fn text(&self, quiet: bool) -> String {
        match (self.is_loud, quiet) {
            (true, _) => self.text.to_owned(),
            (false, true) => String::new(),
            (false, false) => format!("{}\n", self.text),
        }
    }
}

/// The document of a device, which is printed instead of changing a domain.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    pub(crate) xml: String,

    /// Whether virsh prints it twice: one for the definition and one for the running domain.
    #[serde(skip)]
    pub(crate) is_twice: bool,
}

impl Definition {
    /// A document that is printed once.
    pub(crate) fn new(xml: String) -> Self {
        Self {
            xml,
            is_twice: false,
        }
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/device-definition/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.repeat(if self.is_twice { 2 } else { 1 })
    }
}
