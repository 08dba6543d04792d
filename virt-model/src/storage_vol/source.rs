use xmltree::Element;

use crate::xml::{Build, Node};

/// A device of the pool that a volume is on, and where it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolDevice {
    /// The path.
    pub path: String,
    /// The parts of the device.
    pub extents: Vec<StorageVolExtent>,
    #[doc(hidden)]
    pub _more: (),
}

/// A part of a device, in bytes: `<extent>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageVolExtent {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// Reads `<source>`. What cannot be understood is no error, because libvirt does not read it.
pub(super) fn read(mut node: Node<'_>) -> Vec<StorageVolDevice> {
    let mut devices = Vec::new();
    for mut device in node.children("device") {
        let mut extents = Vec::new();
        for mut extent in device.children("extent") {
            match (extent.number("start"), extent.number("end")) {
                (Ok(Some(start)), Ok(Some(end))) => extents.push(StorageVolExtent { start, end }),
                _ => extent.unmodelled(),
            }
        }
        match device.attr("path") {
            Some(path) => devices.push(StorageVolDevice {
                path,
                extents,
                _more: (),
            }),
            None => device.unmodelled(),
        }
    }
    devices
}

/// None if there is no device.
pub(super) fn to_element(devices: &[StorageVolDevice]) -> Option<Element> {
    if devices.is_empty() {
        return None;
    }
    let devices = devices.iter().map(|device| {
        let extents = device.extents.iter().map(|extent| {
            Element::new("extent")
                .attr("start", extent.start)
                .attr("end", extent.end)
        });
        Element::new("device")
            .attr("path", &device.path)
            .children(extents)
    });
    Some(Element::new("source").children(devices))
}
