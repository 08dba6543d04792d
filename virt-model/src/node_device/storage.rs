use xmltree::Element;

use super::{
    NodeDeviceDef,
    capability::within,
    fields::{maybe_number, number},
};
use crate::xml::{Build, Node, XmlError};

/// A disk or drive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageCapability {
    /// The path of the device.
    pub block: String,
    /// The bus, such as `scsi`.
    pub bus: Option<String>,
    /// What the drive is, such as `disk` or `cdrom`.
    pub drive_type: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The size, in bytes; not of a drive with removable media.
    pub size: u64,
    /// The size of a block, in bytes; 0 if it is not known.
    pub logical_block_size: u64,
    /// The number of blocks; 0 if it is not known.
    pub num_blocks: u64,
    /// The medium of a drive with removable media.
    pub removable: Option<Removable>,
    /// Whether the drive can be plugged in while the host runs.
    pub hotpluggable: bool,
    #[doc(hidden)]
    pub _more: (),
}

/// The medium of a drive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removable {
    /// Whether there is one.
    pub available: bool,
    /// The size, in bytes.
    pub size: u64,
    /// The name.
    pub label: Option<String>,
    /// The size of a block, in bytes; 0 if it is not known.
    pub logical_block_size: u64,
    /// The number of blocks; 0 if it is not known.
    pub num_blocks: u64,
    #[doc(hidden)]
    pub _more: (),
}

impl StorageCapability {
    pub(super) fn read(
        node: &mut Node<'_>,
        def: &NodeDeviceDef,
    ) -> Result<StorageCapability, XmlError> {
        let Some(block) = node.text_of("block") else {
            return Err(def.error(node, "no block device path supplied"));
        };
        let mut storage = StorageCapability {
            block,
            bus: node.text_of("bus"),
            drive_type: node.text_of("drive_type"),
            model: node.text_of("model"),
            vendor: node.text_of("vendor"),
            serial: node.text_of("serial"),
            ..StorageCapability::default()
        };
        for mut capability in node.children("capability") {
            match capability.attr("type").as_deref() {
                None => return Err(def.error(&capability, "missing storage capability type")),
                Some("hotpluggable") => storage.hotpluggable = true,
                Some("removable") => {
                    storage.removable = Some(Removable::read(&mut capability, def)?);
                }
                Some(other) => {
                    let message = format!("unknown storage capability type '{other}'");
                    return Err(def.error(&capability, &message));
                }
            }
        }
        if storage.removable.is_none() {
            storage.size = number(node, "size", "size", def)?;
            storage.logical_block_size = block_number(node, "logical_block_size", def)?;
            storage.num_blocks = block_number(node, "num_blocks", def)?;
        }
        Ok(storage)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let element = element
            .maybe_text("block", Some(&self.block))
            .maybe_text("bus", self.bus.as_ref())
            .maybe_text("drive_type", self.drive_type.as_ref())
            .maybe_text("model", self.model.as_ref())
            .maybe_text("vendor", self.vendor.as_ref())
            .maybe_text("serial", self.serial.as_ref());
        let element = match &self.removable {
            Some(removable) => element.child(removable.to_element()),
            None => element
                .maybe_text("size", Some(self.size))
                .maybe_text("logical_block_size", known(self.logical_block_size))
                .maybe_text("num_blocks", known(self.num_blocks)),
        };
        element.children(self.hotpluggable.then(|| within("hotpluggable")))
    }
}

impl Removable {
    fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<Removable, XmlError> {
        let available = node.text_of("media_available");
        Ok(Removable {
            available: available.and_then(|text| text.parse().ok()).unwrap_or(0) != 0,
            label: node.text_of("media_label"),
            size: number(node, "media_size", "removable media size", def)?,
            logical_block_size: block_number(node, "logical_block_size", def)?,
            num_blocks: block_number(node, "num_blocks", def)?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        within("removable")
            .maybe_text("media_available", Some(u8::from(self.available)))
            .maybe_text("media_size", Some(self.size))
            .maybe_text("media_label", self.label.as_ref())
            .maybe_text("logical_block_size", known(self.logical_block_size))
            .maybe_text("num_blocks", known(self.num_blocks))
    }
}

/// A number that libvirt writes and does not read.
fn block_number(node: &mut Node<'_>, name: &str, def: &NodeDeviceDef) -> Result<u64, XmlError> {
    Ok(maybe_number(node, name, name, def)?.unwrap_or(0))
}

fn known(value: u64) -> Option<u64> {
    Some(value).filter(|&value| value > 0)
}
