//! One device by itself, as libvirt's functions that attach, detach and update devices get it.

use xmltree::Element;

use super::{
    CharDevice, Controller, Defaults, DeviceInfo, Disk, DomainDef, Filesystem, Graphics, Hostdev,
    Input, Interface, Memballoon, Sound, Tpm, Video, post_parse,
};
use crate::{
    DomainXmlFlags, ErrorNumber, Read,
    xml::{self, Node, Unmodelled, XmlError},
};

/// A device of any kind (libvirt's `virDomainDeviceDef`).
///
/// ```
/// use virt_model::{DomainXmlFlags, domain::Device};
///
/// let device = Device::from_xml("<disk><source file='/a'/><target dev='sda'/></disk>")?;
/// assert_eq!(device.kind(), "disk");
/// let xml = device.to_xml(DomainXmlFlags::NONE);
/// assert!(xml.contains("<target dev='sda' bus='scsi'/>"));
/// # Ok::<(), virt_model::XmlError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "most devices that are attached and detached are disks, and there is one at a time"
)]
pub enum Device {
    /// A disk, CD-ROM or floppy drive.
    Disk(Disk),
    /// A controller.
    Controller(Controller),
    /// A controller whose document gives no index, which is 0 here. [`Device::post_parse`] makes it a
    /// [`Device::Controller`] with the next free index.
    NextController(Controller),
    /// A directory of the host.
    Filesystem(Filesystem),
    /// A network card.
    Interface(Interface),
    /// A serial port.
    Serial(CharDevice),
    /// A parallel port.
    Parallel(CharDevice),
    /// A console.
    Console(CharDevice),
    /// A channel between host and guest.
    Channel(CharDevice),
    /// A mouse, keyboard or tablet.
    Input(Input),
    /// A trusted platform module.
    Tpm(Tpm),
    /// A way to see the guest's screen.
    Graphics(Graphics),
    /// A sound card.
    Sound(Sound),
    /// A video card.
    Video(Video),
    /// A device of the host that is passed through.
    Hostdev(Hostdev),
    /// The memory balloon.
    Memballoon(Memballoon),
    /// A device that libvirt knows and this crate does not model, unchanged.
    Other(xml::Element),
}

/// The elements of libvirt's devices (`virDomainDevice`) that are not modelled.
const OTHERS: [&str; 13] = [
    "lease",
    "watchdog",
    "hub",
    "redirdev",
    "smartcard",
    "nvram",
    "rng",
    "shmem",
    "panic",
    "memory",
    "iommu",
    "vsock",
    "audio",
];

impl Device {
    /// Reads a device, and reports what of it is not modelled.
    ///
    /// # Errors
    /// libvirt's error if the root element is not a device's, or if the device lacks something or has an
    /// invalid value (`virDomainDeviceDefParse`).
    pub fn read_xml(xml: &str) -> Result<Read<Device>, XmlError> {
        let root = xml::tree(xml)?;
        let unmodelled = Unmodelled::default();
        let modelled = Device::read(Node::root(root, &unmodelled))?;
        let document = match modelled {
            Some(device) => device,
            None => Device::Other(xml.parse()?),
        };
        Ok(Read {
            document,
            unmodelled: unmodelled.into_inner(),
        })
    }

    /// Reads a device, and leaves out what is not modelled.
    ///
    /// # Errors
    /// As for [`Device::read_xml`].
    pub fn from_xml(xml: &str) -> Result<Device, XmlError> {
        Ok(Device::read_xml(xml)?.document)
    }

    /// The device's element, as libvirt writes it in a domain, but not indented.
    pub fn to_xml(&self, flags: DomainXmlFlags) -> String {
        xml::to_string(&self.to_element(flags))
    }

    /// The name of the device's element: `disk`, `interface`, ….
    pub fn kind(&self) -> &str {
        match self {
            Device::Disk(_) => "disk",
            Device::Controller(_) | Device::NextController(_) => "controller",
            Device::Filesystem(_) => "filesystem",
            Device::Interface(_) => "interface",
            Device::Serial(_) => "serial",
            Device::Parallel(_) => "parallel",
            Device::Console(_) => "console",
            Device::Channel(_) => "channel",
            Device::Input(_) => "input",
            Device::Tpm(_) => "tpm",
            Device::Graphics(_) => "graphics",
            Device::Sound(_) => "sound",
            Device::Video(_) => "video",
            Device::Hostdev(_) => "hostdev",
            Device::Memballoon(_) => "memballoon",
            Device::Other(element) => element.name(),
        }
    }

    /// The address, the alias and the place in the boot order. None for [`Device::Other`], and for
    /// [`Device::Graphics`], which has none.
    pub fn info(&self) -> Option<&DeviceInfo> {
        Some(match self {
            Device::Disk(device) => &device.info,
            Device::Controller(device) | Device::NextController(device) => &device.info,
            Device::Filesystem(device) => &device.info,
            Device::Interface(device) => &device.info,
            Device::Serial(device)
            | Device::Parallel(device)
            | Device::Console(device)
            | Device::Channel(device) => &device.info,
            Device::Input(device) => &device.info,
            Device::Tpm(device) => &device.info,
            Device::Sound(device) => &device.info,
            Device::Video(device) => &device.info,
            Device::Hostdev(device) => &device.info,
            Device::Memballoon(device) => &device.info,
            Device::Graphics(_) | Device::Other(_) => return None,
        })
    }

    /// Completes the device of the domain `def` as libvirt completes every one
    /// (`virDomainDeviceDefPostParse`): adds the address of a disk that its name tells, the index of a
    /// controller, and the model of a video card. The domain does not change.
    ///
    /// # Errors
    /// If a disk has no address and its name does not tell one.
    pub fn post_parse(&mut self, def: &DomainDef, defaults: &Defaults) -> Result<(), XmlError> {
        match self {
            Device::Disk(disk) => post_parse::place(disk, defaults)?,
            Device::NextController(controller) => {
                let mut controller = std::mem::take(controller);
                let known = def.devices.controllers.iter();
                let alike = known.filter(|known| known.kind == controller.kind);
                let last = alike.map(|known| known.index).max();
                controller.index = last.map_or(0, |last| last.saturating_add(1));
                *self = Device::Controller(controller);
            }
            Device::Video(video) => post_parse::complete_video(video, &def.virt_type, defaults),
            _ => {}
        }
        Ok(())
    }

    /// None for a device that is not modelled.
    fn read(node: Node<'_>) -> Result<Option<Device>, XmlError> {
        Ok(Some(match node.name.as_str() {
            "disk" => Device::Disk(Disk::read(node)?.into_disk()?),
            "controller" => match Controller::read(node)? {
                (controller, true) => Device::Controller(controller),
                (controller, false) => Device::NextController(controller),
            },
            "filesystem" => Device::Filesystem(Filesystem::read(node)?),
            "interface" => Device::Interface(Interface::read(node)?),
            "serial" => return Ok(CharDevice::read(node)?.map(Device::Serial)),
            "parallel" => return Ok(CharDevice::read(node)?.map(Device::Parallel)),
            "console" => return Ok(CharDevice::read(node)?.map(Device::Console)),
            "channel" => return Ok(CharDevice::read(node)?.map(Device::Channel)),
            "input" => Device::Input(Input::read(node)?),
            "tpm" => Device::Tpm(Tpm::read(node)?),
            "graphics" => Device::Graphics(Graphics::read(node)?),
            "sound" => Device::Sound(Sound::read(node)?),
            "video" => Device::Video(Video::read(node)?),
            "hostdev" => return Ok(Hostdev::read(node)?.map(Device::Hostdev)),
            "memballoon" => Device::Memballoon(Memballoon::read(node)?),
            other if OTHERS.contains(&other) => {
                node.unmodelled();
                return Ok(None);
            }
            unknown => {
                let message = format!("unknown device type '{unknown}'");
                return Err(node.fail(ErrorNumber::InternalError, message));
            }
        }))
    }

    fn to_element(&self, flags: DomainXmlFlags) -> Element {
        match self {
            Device::Disk(device) => device.to_element(flags),
            Device::Controller(device) => device.to_element(flags),
            Device::NextController(device) => {
                let mut element = device.to_element(flags);
                element.attributes.shift_remove("index");
                element
            }
            Device::Filesystem(device) => device.to_element(flags),
            Device::Interface(device) => device.to_element(flags),
            Device::Serial(device)
            | Device::Parallel(device)
            | Device::Console(device)
            | Device::Channel(device) => device.to_element(self.kind(), flags),
            Device::Input(device) => device.to_element(flags),
            Device::Tpm(device) => device.to_element(flags),
            Device::Graphics(device) => device.to_element(flags),
            Device::Sound(device) => device.to_element(flags),
            Device::Video(device) => device.to_element(flags),
            Device::Hostdev(device) => device.to_element(flags),
            Device::Memballoon(device) => device.to_element(flags),
            Device::Other(element) => element.to_tree(&[]),
        }
    }
}
