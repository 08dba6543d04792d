//! Disks, CD-ROM and floppy drives.

use xmltree::Element;

use super::{DeviceInfo, DriveAddress};
use crate::{
    DomainXmlFlags, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError, on_off},
};

words! {
    /// The type of a disk's source.
    #[derive(Default)]
    pub enum DiskType {
        #[default]
        File = "file",
        Block = "block",
        Dir = "dir",
        Network = "network",
        Volume = "volume",
        Nvme = "nvme",
        VhostUser = "vhostuser",
        VhostVdpa = "vhostvdpa",
    }
}

words! {
    /// The type of device that the guest sees.
    #[derive(Default)]
    pub enum DiskDevice {
        #[default]
        Disk = "disk",
        Cdrom = "cdrom",
        Floppy = "floppy",
        Lun = "lun",
    }
}

words! {
    /// The bus of a disk.
    #[derive(Default)]
    pub enum DiskBus {
        #[default]
        Ide = "ide",
        Fdc = "fdc",
        Scsi = "scsi",
        Virtio = "virtio",
        Xen = "xen",
        Usb = "usb",
        Uml = "uml",
        Sata = "sata",
        Sd = "sd",
        Nvme = "nvme",
    }
}

words! {
    /// How the host caches a disk.
    pub enum CacheMode {
        Default = "default",
        None = "none",
        Writethrough = "writethrough",
        Writeback = "writeback",
        Directsync = "directsync",
        Unsafe = "unsafe",
    }
}

words! {
    /// What happens at start if the source is missing.
    pub enum StartupPolicy {
        Mandatory = "mandatory",
        Requisite = "requisite",
        Optional = "optional",
    }
}

words! {
    /// The state of a drive's tray.
    pub enum Tray {
        Closed = "closed",
        Open = "open",
    }
}

/// A disk, CD-ROM or floppy drive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disk {
    /// The type of device that the guest sees.
    pub device: DiskDevice,
    /// The source. A drive without a medium has a source without a name.
    pub source: DiskSource,
    /// What happens at start if the source is missing.
    pub startup_policy: Option<StartupPolicy>,
    /// How the source is accessed.
    pub driver: DiskDriver,
    /// The bus and the name of the device.
    pub target: DiskTarget,
    /// Whether the disk is read-only.
    pub readonly: bool,
    /// Whether several domains may use the disk.
    pub shareable: bool,
    /// Whether changes are discarded at shutdown.
    pub transient: bool,
    /// The serial number.
    pub serial: Option<String>,
    /// The World Wide Name.
    pub wwn: Option<String>,
    /// The vendor.
    pub vendor: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// The geometry.
    pub geometry: Option<DiskGeometry>,
    /// The size of a logical block, in bytes.
    pub logical_block_size: Option<u32>,
    /// The size of a physical block, in bytes.
    pub physical_block_size: Option<u32>,
    /// The model: `virtio-transitional`, ….
    pub model: Option<String>,
    /// Which SCSI commands of the guest reach the device: `filtered`, `unfiltered`.
    pub sgio: Option<String>,
    /// How snapshots store the disk: `no`, `internal`, `external`, `manual`.
    pub snapshot: Option<String>,
    /// The address, the alias and the place in the boot order.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

impl Disk {
    /// A device with that source, attached as `dev` to `bus`.
    pub fn new(
        device: DiskDevice,
        source: DiskSource,
        dev: impl Into<String>,
        bus: DiskBus,
    ) -> Disk {
        Disk {
            device,
            source,
            target: DiskTarget {
                dev: dev.into(),
                bus,
                ..DiskTarget::default()
            },
            ..Disk::default()
        }
    }
}

/// The source of a disk. None as a name means a drive without a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskSource {
    /// A file.
    File(Option<String>),
    /// A device of the host.
    Block(Option<String>),
    /// A directory of the host that the guest sees as a disk.
    Dir(Option<String>),
    /// A disk on a server.
    Network(Option<NetworkDisk>),
    /// A volume of a storage pool.
    Volume(Option<VolumeDisk>),
    /// An NVMe drive of the host, not modelled further.
    Nvme,
    /// A vhost-user socket, not modelled further.
    VhostUser,
    /// A vhost-vdpa device, not modelled further.
    VhostVdpa,
}

impl DiskSource {
    /// The type, the attribute `type` of `<disk>`.
    pub fn kind(&self) -> DiskType {
        match self {
            DiskSource::File(_) => DiskType::File,
            DiskSource::Block(_) => DiskType::Block,
            DiskSource::Dir(_) => DiskType::Dir,
            DiskSource::Network(_) => DiskType::Network,
            DiskSource::Volume(_) => DiskType::Volume,
            DiskSource::Nvme => DiskType::Nvme,
            DiskSource::VhostUser => DiskType::VhostUser,
            DiskSource::VhostVdpa => DiskType::VhostVdpa,
        }
    }

    /// The path of a file, device or directory.
    pub fn path(&self) -> Option<&str> {
        match self {
            DiskSource::File(path) | DiskSource::Block(path) | DiskSource::Dir(path) => {
                path.as_deref()
            }
            _ => None,
        }
    }
}

impl Default for DiskSource {
    fn default() -> DiskSource {
        DiskSource::File(None)
    }
}

/// A disk on a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkDisk {
    /// `nbd`, `rbd`, `iscsi`, `https`, ….
    pub protocol: String,
    /// The name on the server.
    pub name: Option<String>,
    /// The query of the URI.
    pub query: Option<String>,
    /// The hosts of the server.
    pub hosts: Vec<NetworkHost>,
    #[doc(hidden)]
    pub _more: (),
}

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkHost {
    /// `tcp`, `unix`, `rdma`.
    pub transport: Option<String>,
    /// The name or address.
    pub name: Option<String>,
    /// The port.
    pub port: Option<String>,
    /// The path of a Unix socket.
    pub socket: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// A disk in a storage pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumeDisk {
    /// The pool.
    pub pool: String,
    /// The volume.
    pub volume: String,
    /// `host` or `direct`.
    pub mode: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// How a disk's source is accessed: `<driver>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskDriver {
    /// The name of the driver.
    pub name: Option<String>,
    /// The format, `type` of `<driver>`: `raw`, `qcow2`, `vmdk`, ….
    pub format: Option<String>,
    /// How the host caches the disk.
    pub cache: Option<CacheMode>,
    /// What the domain does on an error.
    pub error_policy: Option<String>,
    /// What the domain does on a read error.
    pub rerror_policy: Option<String>,
    /// How I/O is done: `threads`, `native`, `io_uring`.
    pub io: Option<String>,
    /// What happens to blocks that the guest discards: `unmap`, `ignore`.
    pub discard: Option<String>,
    /// Whether blocks of zeros that the guest writes are detected: `off`, `on`, `unmap`.
    pub detect_zeroes: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// The device that the guest sees: `<target>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskTarget {
    /// The device name, which tells the place on the bus: `sda`, `hdb`, `fda`, `nvme0n1`.
    pub dev: String,
    /// The bus.
    pub bus: DiskBus,
    /// The state of a drive's tray.
    pub tray: Option<Tray>,
    /// Whether a USB disk reports itself as removable.
    pub removable: Option<bool>,
    /// The rotation rate, in revolutions per minute; 1 for a disk that does not rotate.
    pub rotation_rate: Option<u32>,
    #[doc(hidden)]
    pub _more: (),
}

/// A disk's cylinders, heads and sectors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiskGeometry {
    /// Cylinders.
    pub cylinders: u32,
    /// Heads.
    pub heads: u32,
    /// Sectors per track.
    pub sectors: u32,
    /// `none`, `auto`, `lba`.
    pub translation: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// A disk as it was read.
pub(super) struct ReadDisk {
    disk: Disk,
    /// The bus that the document names. None: it follows from the device name.
    bus: Option<DiskBus>,
    /// An error that libvirt reports only if the rest of the document is valid.
    pub(super) late: Option<XmlError>,
}

impl ReadDisk {
    /// The disk, if the document has all that a disk needs.
    pub(super) fn into_disk(self) -> Result<Disk, XmlError> {
        match self.late {
            Some(error) => Err(error),
            None => Ok(self.disk),
        }
    }
}

/// Sorts the disks as libvirt's `virDomainDiskInsert` does: disks of a bus stand together, ordered by
/// name, at the place of the first of them.
///
/// Disks whose document names no bus form a group of their own, since libvirt finds the bus only
/// after it has sorted them.
pub(super) fn in_order(disks: Vec<ReadDisk>) -> Vec<Disk> {
    let mut buses = Vec::new();
    let mut placed: Vec<_> = disks
        .into_iter()
        .map(|ReadDisk { disk, bus, .. }| {
            let known = buses.iter().position(|known| *known == bus);
            let group = known.unwrap_or_else(|| {
                buses.push(bus);
                buses.len() - 1
            });
            (group, disk.target.index(), disk)
        })
        .collect();
    // Disks of one name stay in the order of the document.
    placed.sort_by_key(|(group, index, _)| (*group, *index));
    placed.into_iter().map(|(_, _, disk)| disk).collect()
}

fn read_wwn(disk: &mut Node<'_>) -> Result<Option<String>, XmlError> {
    let Some(wwn) = disk.text_of("wwn") else {
        return Ok(None);
    };
    let digits = wwn.strip_prefix("0x").unwrap_or(&wwn);
    if digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(Some(wwn));
    }
    Err(disk.fail(ErrorNumber::InternalError, format!("Malformed wwn: {wwn}")))
}

impl Disk {
    pub(super) fn read(mut node: Node<'_>) -> Result<ReadDisk, XmlError> {
        let kind: DiskType = node.word("type")?.unwrap_or_default();
        let device = node.word("device")?.unwrap_or_default();
        let (source, startup_policy) = match node.child("source") {
            Some(source) => DiskSource::read(kind, source)?,
            // libvirt reads this attribute for every type of device.
            None => (DiskSource::File(None), None),
        };
        let target = match node.child("target") {
            Some(mut target) => DiskTarget::read(&mut target, device)?,
            None => None,
        };
        let mut late = None;
        if target.is_none() {
            let source = source.path().unwrap_or_default();
            late = Some(node.fail(ErrorNumber::NoTarget, source));
        }
        let (target, bus) = target.unwrap_or_default();
        if late.is_none() && device == DiskDevice::Disk && source.is_empty() {
            late = Some(node.fail(ErrorNumber::NoSource, &target.dev));
        }
        let driver = match node.child("driver") {
            Some(mut driver) => DiskDriver::read(&mut driver)?,
            None => DiskDriver::default(),
        };
        let geometry = match node.child("geometry") {
            Some(mut geometry) => Some(DiskGeometry::read(&mut geometry)?),
            None => None,
        };
        let (logical_block_size, physical_block_size) = match node.child("blockio") {
            Some(mut blockio) => (
                blockio.number("logical_block_size")?,
                blockio.number("physical_block_size")?,
            ),
            None => (None, None),
        };
        let disk = Disk {
            device,
            source,
            startup_policy,
            driver,
            target,
            readonly: node.has("readonly"),
            shareable: node.has("shareable"),
            transient: node.has("transient"),
            serial: node.text_of("serial"),
            wwn: read_wwn(&mut node)?,
            vendor: node.text_of("vendor"),
            product: node.text_of("product"),
            geometry,
            logical_block_size,
            physical_block_size,
            model: node.attr("model"),
            sgio: node.attr("sgio"),
            snapshot: node.attr("snapshot"),
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        };
        Ok(ReadDisk { disk, bus, late })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        Element::new("disk")
            .attr("type", self.source.kind())
            .attr("device", self.device)
            .maybe_attr("model", self.model.as_ref())
            .maybe_attr("sgio", self.sgio.as_ref())
            .maybe_attr("snapshot", self.snapshot.as_ref())
            .children(self.driver.to_element())
            .children(self.source.to_element(self.startup_policy))
            .children(self.geometry.as_ref().map(DiskGeometry::to_element))
            .children(self.block_sizes())
            .child(self.target.to_element(self.device))
            .children(self.readonly.then(|| Element::new("readonly")))
            .children(self.shareable.then(|| Element::new("shareable")))
            .children(self.transient.then(|| Element::new("transient")))
            .maybe_text("serial", self.serial.as_ref())
            .maybe_text("wwn", self.wwn.as_ref())
            .maybe_text("vendor", self.vendor.as_ref())
            .maybe_text("product", self.product.as_ref())
            .children(self.info.to_elements(flags))
    }

    fn block_sizes(&self) -> Option<Element> {
        let blockio = Element::new("blockio")
            .maybe_attr("logical_block_size", self.logical_block_size)
            .maybe_attr("physical_block_size", self.physical_block_size);
        (!blockio.attributes.is_empty()).then_some(blockio)
    }
}

const FORMATS: [&str; 17] = [
    "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow",
    "qcow", "qcow2", "qed", "vmdk", "luks",
];

impl DiskDriver {
    fn read(node: &mut Node<'_>) -> Result<DiskDriver, XmlError> {
        Ok(DiskDriver {
            name: node.attr("name"),
            format: node.old_one_of("type", &FORMATS, "unknown driver format value")?,
            cache: node.word("cache")?,
            error_policy: node.attr("error_policy"),
            rerror_policy: node.attr("rerror_policy"),
            io: node.attr("io"),
            discard: node.attr("discard"),
            detect_zeroes: node.attr("detect_zeroes"),
            _more: (),
        })
    }

    fn to_element(&self) -> Option<Element> {
        let driver = Element::new("driver")
            .maybe_attr("name", self.name.as_ref())
            .maybe_attr("type", self.format.as_ref())
            .maybe_attr("cache", self.cache)
            .maybe_attr("error_policy", self.error_policy.as_ref())
            .maybe_attr("rerror_policy", self.rerror_policy.as_ref())
            .maybe_attr("io", self.io.as_ref())
            .maybe_attr("discard", self.discard.as_ref())
            .maybe_attr("detect_zeroes", self.detect_zeroes.as_ref());
        (!driver.attributes.is_empty()).then_some(driver)
    }
}

impl DiskSource {
    /// Whether the source has no name, only a type.
    fn is_empty(&self) -> bool {
        match self {
            DiskSource::File(path) | DiskSource::Block(path) | DiskSource::Dir(path) => {
                path.is_none()
            }
            DiskSource::Network(disk) => disk.is_none(),
            DiskSource::Volume(disk) => disk.is_none(),
            DiskSource::Nvme | DiskSource::VhostUser | DiskSource::VhostVdpa => false,
        }
    }

    /// Reads `<source>` and its startup policy.
    fn read(
        kind: DiskType,
        mut node: Node<'_>,
    ) -> Result<(DiskSource, Option<StartupPolicy>), XmlError> {
        let policy = node.word("startupPolicy")?;
        // libvirt treats an empty name as absent.
        let mut path = |name| node.filled(name);
        let source = match kind {
            DiskType::File => DiskSource::File(path("file")),
            DiskType::Block => DiskSource::Block(path("dev")),
            DiskType::Dir => DiskSource::Dir(path("dir")),
            DiskType::Network => DiskSource::Network(Some(NetworkDisk::read(&mut node)?)),
            DiskType::Volume => DiskSource::Volume(VolumeDisk::read(&mut node)?),
            DiskType::Nvme => DiskSource::Nvme,
            DiskType::VhostUser => DiskSource::VhostUser,
            DiskType::VhostVdpa => DiskSource::VhostVdpa,
        };
        Ok((source, policy))
    }

    /// Makes `<source>`. A drive without a medium has none, unless it has a startup policy.
    fn to_element(&self, policy: Option<StartupPolicy>) -> Option<Element> {
        let source = Element::new("source");
        let source = match self {
            DiskSource::File(path) => source.maybe_attr("file", path.as_ref()),
            DiskSource::Block(path) => source.maybe_attr("dev", path.as_ref()),
            DiskSource::Dir(path) => source.maybe_attr("dir", path.as_ref()),
            DiskSource::Network(Some(disk)) => source
                .attr("protocol", &disk.protocol)
                .maybe_attr("name", disk.name.as_ref())
                .maybe_attr("query", disk.query.as_ref()),
            DiskSource::Volume(Some(disk)) => source
                .attr("pool", &disk.pool)
                .attr("volume", &disk.volume)
                .maybe_attr("mode", disk.mode.as_ref()),
            DiskSource::Network(None)
            | DiskSource::Volume(None)
            | DiskSource::Nvme
            | DiskSource::VhostUser
            | DiskSource::VhostVdpa => source,
        };
        let source = source.maybe_attr("startupPolicy", policy);
        let hosts = match self {
            DiskSource::Network(Some(disk)) => disk.hosts.as_slice(),
            _ => &[],
        };
        let source = source.children(hosts.iter().map(NetworkHost::to_element));
        (!source.attributes.is_empty()).then_some(source)
    }
}

impl NetworkDisk {
    fn read(node: &mut Node<'_>) -> Result<NetworkDisk, XmlError> {
        let hosts = node.children("host").into_iter().map(NetworkHost::read);
        Ok(NetworkDisk {
            hosts: hosts.collect(),
            protocol: node.required("protocol")?,
            name: node.attr("name"),
            query: node.attr("query"),
            _more: (),
        })
    }
}

impl VolumeDisk {
    /// None if neither pool nor volume is named.
    fn read(node: &mut Node<'_>) -> Result<Option<VolumeDisk>, XmlError> {
        match (node.attr("pool"), node.attr("volume")) {
            (None, None) => Ok(None),
            (Some(pool), Some(volume)) => Ok(Some(VolumeDisk {
                pool,
                volume,
                mode: node.attr("mode"),
                _more: (),
            })),
            _ => {
                Err(node
                    .error("'pool' and 'volume' must be specified together for 'pool' type source"))
            }
        }
    }
}

impl NetworkHost {
    fn read(mut node: Node<'_>) -> NetworkHost {
        NetworkHost {
            transport: node.attr("transport"),
            name: node.attr("name"),
            port: node.attr("port"),
            socket: node.attr("socket"),
            _more: (),
        }
    }

    fn to_element(&self) -> Element {
        Element::new("host")
            .maybe_attr("name", self.name.as_ref())
            .maybe_attr("port", self.port.as_ref())
            .maybe_attr("transport", self.transport.as_ref())
            .maybe_attr("socket", self.socket.as_ref())
    }
}

impl DiskTarget {
    /// Reads the target and the bus that it names. None without a device name.
    fn read(
        node: &mut Node<'_>,
        device: DiskDevice,
    ) -> Result<Option<(DiskTarget, Option<DiskBus>)>, XmlError> {
        let bus = node.word("bus")?;
        let Some(dev) = node.attr("dev") else {
            return Ok(None);
        };
        let usual = DiskBus::usual(device, &dev);
        let drawer = matches!(device, DiskDevice::Cdrom | DiskDevice::Floppy);
        let tray: Option<Tray> = node.word("tray")?;
        if tray.is_some() && !drawer {
            return Err(node.unsupported("tray is only valid for cdrom and floppy"));
        }
        let target = DiskTarget {
            dev,
            bus: bus.unwrap_or(usual),
            tray: tray.filter(|&tray| tray == Tray::Open),
            removable: node.on_off("removable")?,
            rotation_rate: node.number("rotation_rate")?,
            _more: (),
        };
        Ok(Some((target, bus)))
    }

    /// The index that the device name tells: 0 for `sda` and `hda`, 26 for `sdaa`. Digits at the end name a
    /// partition and are ignored. None if the name has no known prefix (libvirt's `virDiskNameToIndex`).
    pub fn index(&self) -> Option<u32> {
        let prefixes = ["fd", "hd", "vd", "sd", "xvd", "ubd"];
        let letters = prefixes
            .iter()
            .find_map(|prefix| self.dev.strip_prefix(prefix))?;
        let letters = letters.trim_end_matches(|c: char| c.is_ascii_digit());
        let count = letters.bytes().try_fold(0_u32, |count, letter| {
            let digit = letter.is_ascii_lowercase().then(|| letter - b'a' + 1)?;
            count.checked_mul(26)?.checked_add(u32::from(digit))
        })?;
        count
            .checked_sub(1)
            .filter(|index| i32::try_from(*index).is_ok())
    }

    /// The address on the bus that the device name tells, with `scsi_units` units per SCSI controller
    /// (libvirt's `virDomainDiskDefAssignAddress`). None if the name has no index. For other buses it is
    /// the first address.
    pub fn address(&self, scsi_units: u32) -> Option<DriveAddress> {
        if self.bus == DiskBus::Nvme {
            // `nvme1n2` is namespace 2, so unit 1, of controller 1.
            let (controller, namespace) = self.dev.strip_prefix("nvme")?.split_once('n')?;
            let unit = namespace.parse::<u32>().ok()?.checked_sub(1)?;
            return Some(DriveAddress::new(controller.parse().ok()?, 0, unit));
        }
        let index = self.index()?;
        Some(match self.bus {
            DiskBus::Scsi => DriveAddress::scsi(index, scsi_units),
            DiskBus::Ide => DriveAddress::new(index / 4, index % 4 / 2, index % 2),
            DiskBus::Fdc => DriveAddress::new(index / 2, 0, index % 2),
            // libvirt gives a SATA controller 6 ports; VMware's has 30.
            DiskBus::Sata => DriveAddress::new(index / 6, 0, index % 6),
            _ => DriveAddress::default(),
        })
    }

    /// Makes `<target>`. A closed tray is not written.
    fn to_element(&self, device: DiskDevice) -> Element {
        let drawer = matches!(device, DiskDevice::Cdrom | DiskDevice::Floppy);
        let tray = self.tray.filter(|&tray| drawer && tray == Tray::Open);
        Element::new("target")
            .attr("dev", &self.dev)
            .attr("bus", self.bus)
            .maybe_attr("tray", tray)
            .maybe_attr("removable", self.removable.map(on_off))
            .maybe_attr("rotation_rate", self.rotation_rate)
    }
}

impl DiskBus {
    /// The bus of a disk whose document names none: the one that the device name tells.
    fn usual(device: DiskDevice, dev: &str) -> DiskBus {
        if device == DiskDevice::Floppy {
            return DiskBus::Fdc;
        }
        let named = [
            ("sd", DiskBus::Scsi),
            ("vd", DiskBus::Virtio),
            ("xvd", DiskBus::Xen),
            ("ubd", DiskBus::Uml),
            ("nvme", DiskBus::Nvme),
        ];
        let named = named.iter().find(|(prefix, _)| dev.starts_with(prefix));
        named.map_or(DiskBus::Ide, |&(_, bus)| bus)
    }
}

impl DiskGeometry {
    fn read(node: &mut Node<'_>) -> Result<DiskGeometry, XmlError> {
        Ok(DiskGeometry {
            cylinders: node.number("cyls")?.unwrap_or(0),
            heads: node.number("heads")?.unwrap_or(0),
            sectors: node.number("secs")?.unwrap_or(0),
            translation: node.attr("trans"),
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("geometry")
            .attr("cyls", self.cylinders)
            .attr("heads", self.heads)
            .attr("secs", self.sectors)
            .maybe_attr("trans", self.translation.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_names() {
        for (bus, dev, expected) in [
            (DiskBus::Scsi, "sdg", Some((0, 0, 6))),
            (DiskBus::Scsi, "sdh", Some((0, 0, 8))),
            (DiskBus::Scsi, "sdo", Some((0, 0, 15))),
            (DiskBus::Scsi, "sdp", Some((1, 0, 0))),
            (DiskBus::Ide, "hdd", Some((0, 1, 1))),
            (DiskBus::Ide, "hde", Some((1, 0, 0))),
            (DiskBus::Sata, "sdg", Some((1, 0, 0))),
            (DiskBus::Fdc, "fdb", Some((0, 0, 1))),
            (DiskBus::Nvme, "nvme1n3", Some((1, 0, 2))),
            (DiskBus::Nvme, "nvme1n0", None),
            (DiskBus::Nvme, "sda", None),
        ] {
            let target = DiskTarget {
                dev: dev.to_owned(),
                bus,
                ..DiskTarget::default()
            };
            let expected = expected.map(|(c, b, u)| DriveAddress::new(c, b, u));
            assert_eq!(target.address(16), expected, "{bus} {dev}");
        }
    }
}
