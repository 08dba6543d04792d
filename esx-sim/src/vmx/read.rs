//! A virtual machine's properties from its configuration file: as much of it as the properties show.

use std::borrow::Cow;

use vi_types::enums::VirtualScsiSharing;
use vi_types::objects::{
    DistributedVirtualSwitchPortConnection, ParaVirtualScsiController, StorageIoAllocationInfo,
    VirtualAhciController, VirtualBusLogicController, VirtualCdrom, VirtualCdromAtapiBackingInfo,
    VirtualCdromIsoBackingInfo, VirtualCdromPassthroughBackingInfo,
    VirtualCdromRemotePassthroughBackingInfo, VirtualDevice, VirtualDeviceBackingInfo,
    VirtualDeviceConnectInfo, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualE1000, VirtualE1000e, VirtualEnsoniq1371, VirtualEthernetCard,
    VirtualEthernetCardDistributedVirtualPortBackingInfo, VirtualEthernetCardNetworkBackingInfo,
    VirtualEthernetCardOpaqueNetworkBackingInfo, VirtualFloppy, VirtualFloppyDeviceBackingInfo,
    VirtualFloppyImageBackingInfo, VirtualFloppyRemoteDeviceBackingInfo, VirtualHdAudioCard,
    VirtualLsiLogicController, VirtualLsiLogicSasController, VirtualMachineConfigInfo,
    VirtualMachineConfigSpec, VirtualMachineVideoCard, VirtualNvmeController, VirtualPcNet32,
    VirtualSataController, VirtualScsiController, VirtualSoundBlaster16, VirtualTpm,
    VirtualUsbController, VirtualUsbxhciController, VirtualVmxnet, VirtualVmxnet2, VirtualVmxnet3,
};
use vi_types::{ManagedObjectReference, Poly, properties};
use vmx::VmxFile;
use vmx::escape::PIPE;

use super::{guest_os, options, resources};
use crate::files::{DatastorePath, Descriptor};
use crate::machine::device::{NO_FILE, add, connectable, controller, device};
use crate::machine::{self, chain};
use crate::world::World;
use crate::world::inventory::datastore::volume;

/// A file, and its values as the properties show them.
pub(crate) struct VmxValues(VmxFile);

impl VmxValues {
    /// None for what is no configuration at all.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let file = VmxFile::read(text).ok()?;
        file.find("config.version")?;
        Some(Self(file))
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let value = self.0.get(key)?;
        let plain = PIPE.unescape(&value).map(Cow::into_owned);
        Some(plain.unwrap_or_else(|_| value.clone().into_owned()))
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key)?.trim().parse().ok()
    }

    pub(super) fn uuid(&self, key: &str) -> Option<String> {
        let digits: String = self
            .get(key)?
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        let part = |range| digits.get(range);
        Some(format!(
            "{}-{}-{}-{}-{}",
            part(0..8)?,
            part(8..12)?,
            part(12..16)?,
            part(16..20)?,
            part(20..32)?
        ))
    }
}

/// The specification of the machine that a configuration file describes. `old` is what the machine is so far, if there
/// is one.
pub(crate) fn spec(
    world: &World,
    location: &DatastorePath,
    keys: &VmxValues,
    old: Option<&VirtualMachineConfigInfo>,
) -> VirtualMachineConfigSpec {
    let guest = keys.get("guestOS").unwrap_or_else(|| "other".to_owned());
    let firmware = keys.get("firmware").unwrap_or_else(|| "bios".to_owned());
    let known = old.filter(|old| guest_os(&old.guest_id) == guest);
    let version = keys.number::<u32>("virtualHW.version");
    let mut spec = VirtualMachineConfigSpec {
        name: keys.get("displayName").filter(|name| !name.is_empty()),
        annotation: keys.get("annotation"),
        guest_id: Some(known.map_or_else(|| guest_id(&guest), |old| old.guest_id.clone())),
        uuid: keys.uuid("uuid.bios"),
        instance_uuid: keys.uuid("vc.uuid"),
        version: version.map(|version| format!("vmx-{version:02}")),
        firmware: Some(firmware.to_ascii_lowercase()),
        num_cpus: Some(keys.number("numvcpus").unwrap_or(1)),
        num_cores_per_socket: Some(keys.number("cpuid.coresPerSocket").unwrap_or(1)),
        memory_mb: Some(keys.number("memSize").unwrap_or(32)),
        device_change: devices(world, location, keys)
            .into_iter()
            .map(add)
            .collect(),
        extra_config: options::read(&keys.0, |key| keys.get(key), old),
        ..VirtualMachineConfigSpec::default()
    };
    resources::read(world, keys, &mut spec);
    spec
}

/// Makes a machine's properties follow its file, if that can be understood.
pub(crate) fn apply(
    world: &mut World,
    vm: &ManagedObjectReference,
    location: &DatastorePath,
    text: &[u8],
) {
    let old = world.read::<properties::VirtualMachine>(vm);
    let old = old.and_then(|vm| vm.config.as_deref());
    let (Some(keys), Some(old)) = (VmxValues::read(text), old) else {
        return;
    };
    let spec = spec(world, location, &keys, Some(old));
    if let Some(new) = machine::config::rewritten(world, vm, &spec) {
        machine::set_config(world, vm, new);
    }
}

/// `debian12_64Guest` for `debian12-64`.
fn guest_id(name: &str) -> String {
    match name.strip_suffix("-64") {
        Some(base) if base.ends_with(|last: char| last.is_ascii_digit()) => {
            format!("{base}_64Guest")
        }
        Some(base) => format!("{base}64Guest"),
        None => format!("{name}Guest"),
    }
}

/// Where a file is that another one names, if that is on a datastore: in the same folder, or below `/vmfs/volumes/`.
pub(crate) fn locate(world: &World, location: &DatastorePath, name: &str) -> Option<DatastorePath> {
    if let Some(rest) = name.strip_prefix("/vmfs/volumes/") {
        let (on, path) = rest.split_once('/')?;
        let mut stores = world.all("Datastore");
        let is_it = |store: &&ManagedObjectReference| {
            volume(&store.value) == on || world.name(store) == Some(on)
        };
        return Some(DatastorePath::new(stores.find(is_it)?, path));
    }
    let folder = location
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    (!name.starts_with('/')).then(|| DatastorePath::new(&location.store, folder).join(name))
}

fn devices(world: &World, location: &DatastorePath, keys: &VmxValues) -> Vec<Poly<VirtualDevice>> {
    let mut made = Maker {
        world,
        location,
        keys,
        devices: Vec::new(),
    };
    made.video();
    for bus in 0..2 {
        made.slots(&format!("ide{bus}"), 200 + bus, 2);
    }
    for bus in 0..4 {
        made.scsi(bus);
        made.sata(bus);
        made.nvme(bus);
    }
    for index in 0..10 {
        made.card(index);
    }
    for index in 0..2 {
        made.floppy(index);
    }
    for index in 0..32 {
        made.serial(index);
    }
    for index in 0..3 {
        made.parallel(index);
    }
    made.others();
    made.devices
}

/// Devices being read.
pub(super) struct Maker<'a> {
    world: &'a World,
    location: &'a DatastorePath,
    keys: &'a VmxValues,
    devices: Vec<Poly<VirtualDevice>>,
}

impl Maker<'_> {
    pub(super) fn value(&self, slot: &str, key: &str) -> String {
        self.keys.get(&format!("{slot}.{key}")).unwrap_or_default()
    }

    pub(super) fn is(&self, slot: &str, key: &str) -> bool {
        self.keys.is(&format!("{slot}.{key}"))
    }

    pub(super) fn is_present(&self, slot: &str) -> bool {
        self.is(slot, "present")
    }

    pub(super) fn add(&mut self, device: impl Into<Poly<VirtualDevice>>) {
        self.devices.push(device.into());
    }

    /// The connection of a device, which is made when the machine starts unless the file says otherwise.
    pub(super) fn connectable(&self, slot: &str) -> Option<Box<VirtualDeviceConnectInfo>> {
        let start = self.value(slot, "startConnected");
        Some(connectable(!start.eq_ignore_ascii_case("false")).into())
    }

    fn video(&mut self) {
        if let Some(size) = self.keys.number::<i64>("svga.vramSize") {
            let video = VirtualMachineVideoCard {
                video_ram_size_in_kb: Some(size >> 10),
                ..VirtualMachineVideoCard::default()
            };
            self.add(video);
        }
    }

    /// USB controllers, sound cards and TPMs.
    fn others(&mut self) {
        let world = self.world;
        if self.is_present("usb") || self.is_present("ehci") {
            self.add(VirtualUsbController {
                base: controller(7000, 0),
                auto_connect_devices: Some(false),
                ehci_enabled: Some(self.is_present("ehci")),
                ..VirtualUsbController::default()
            });
        }
        if self.is_present("usb_xhci") && world.since("5.0") {
            self.add(VirtualUsbxhciController {
                base: controller(14_000, 0),
                auto_connect_devices: Some(false),
                ..VirtualUsbxhciController::default()
            });
        }
        if self.is_present("sound") {
            match self.value("sound", "virtualDev").as_str() {
                "hdaudio" if world.since("5.0") => self.add(VirtualHdAudioCard::default()),
                "es1371" => self.add(VirtualEnsoniq1371::default()),
                _ => self.add(VirtualSoundBlaster16::default()),
            }
        }
        if self.is_present("vtpm") && world.since("6.7") {
            self.add(VirtualTpm::default());
        }
    }

    fn scsi(&mut self, bus: i32) {
        let slot = format!("scsi{bus}");
        if !self.is_present(&slot) {
            return;
        }
        let key = 1000 + bus;
        let base = VirtualScsiController {
            base: controller(key, bus),
            shared_bus: match self.value(&slot, "sharedBus").to_ascii_lowercase().as_str() {
                "virtual" => VirtualScsiSharing::VirtualSharing,
                "physical" => VirtualScsiSharing::PhysicalSharing,
                _ => VirtualScsiSharing::NoSharing,
            },
            ..VirtualScsiController::default()
        };
        let made = match self
            .value(&slot, "virtualDev")
            .to_ascii_lowercase()
            .as_str()
        {
            "pvscsi" => ParaVirtualScsiController {
                base,
                ..Default::default()
            }
            .into(),
            "lsisas1068" => VirtualLsiLogicSasController {
                base,
                ..Default::default()
            }
            .into(),
            "lsilogic" => VirtualLsiLogicController {
                base,
                ..Default::default()
            }
            .into(),
            _ => VirtualBusLogicController {
                base,
                ..Default::default()
            }
            .into(),
        };
        self.devices.push(made);
        self.slots(&slot, key, 65);
    }

    fn sata(&mut self, bus: i32) {
        let slot = format!("sata{bus}");
        if !self.is_present(&slot) {
            return;
        }
        let key = 15_000 + bus;
        self.devices.push(
            VirtualAhciController {
                base: VirtualSataController {
                    base: controller(key, bus),
                    ..Default::default()
                },
                ..Default::default()
            }
            .into(),
        );
        self.slots(&slot, key, 30);
    }

    fn nvme(&mut self, bus: i32) {
        let slot = format!("nvme{bus}");
        if !self.is_present(&slot) {
            return;
        }
        let key = 31_000 + bus;
        self.devices.push(
            VirtualNvmeController {
                base: controller(key, bus),
                ..Default::default()
            }
            .into(),
        );
        self.slots(&slot, key, 64);
    }

    /// What is attached to a controller.
    fn slots(&mut self, controller: &str, parent: i32, units: i32) {
        for unit in 0..units {
            let slot = format!("{controller}:{unit}");
            if !self.is_present(&slot) {
                continue;
            }
            let kind = self.value(&slot, "deviceType").to_ascii_lowercase();
            match kind.contains("cdrom") {
                true => self.cdrom(&slot, (parent, unit)),
                false => self.disk(&slot, (parent, unit)),
            }
        }
    }

    pub(super) fn file(&self, name: &str) -> VirtualDeviceFileBackingInfo {
        let place = locate(self.world, self.location, name).filter(|_| !name.is_empty());
        VirtualDeviceFileBackingInfo {
            file_name: match &place {
                Some(place) => place.display(self.world),
                None if name.is_empty() => NO_FILE.to_owned(),
                // Files of the host itself are on no datastore.
                None => format!("[] {name}"),
            },
            datastore: place.map(|place| place.store),
            ..VirtualDeviceFileBackingInfo::default()
        }
    }

    fn disk(&mut self, slot: &str, at: (i32, i32)) {
        let name = self.value(slot, "fileName");
        let place = locate(self.world, self.location, &name);
        let descriptor = place
            .as_ref()
            .and_then(|place| Descriptor::read(&self.world.content(place)?));
        let capacity_kb = descriptor.as_ref().map_or(0, |disk| disk.capacity_kb);
        let capacity_kb = i64::try_from(capacity_kb).unwrap_or(i64::MAX);
        let mut backing = VirtualDiskFlatVer2BackingInfo {
            base: self.file(&name),
            disk_mode: match self.value(slot, "mode").to_ascii_lowercase().as_str() {
                "" => "persistent".to_owned(),
                mode => mode.replace('-', "_"),
            },
            write_through: Some(self.is(slot, "writeThrough")),
            thin_provisioned: descriptor.map(|disk| disk.thin),
            sharing: (self.value(slot, "sharing") == "multi-writer")
                .then(|| "sharingMultiWriter".to_owned()),
            ..VirtualDiskFlatVer2BackingInfo::default()
        };
        if let Some(place) = &place {
            chain::show_parents(self.world, &mut backing, place);
        }
        let disk = VirtualDisk {
            base: VirtualDevice {
                backing: Some(backing.into()),
                ..device(0, Some(at))
            },
            capacity_in_kb: capacity_kb,
            storage_io_allocation: self.io_allocation(slot),
            ..VirtualDisk::default()
        };
        self.add(disk);
    }

    fn io_allocation(&self, slot: &str) -> Option<Box<StorageIoAllocationInfo>> {
        let limit = self.keys.number(&format!("sched.{slot}.throughputCap"));
        let shares = self.keys.get(&format!("sched.{slot}.shares"));
        if limit.is_none() && shares.is_none() || !self.world.since("4.1") {
            return None;
        }
        Some(
            StorageIoAllocationInfo {
                limit: Some(limit.unwrap_or(-1)),
                shares: shares.map(|shares| resources::shares_of(Some(shares)).into()),
                ..StorageIoAllocationInfo::default()
            }
            .into(),
        )
    }

    fn cdrom(&mut self, slot: &str, at: (i32, i32)) {
        let cdrom = VirtualCdrom {
            base: VirtualDevice {
                backing: Some(self.cdrom_backing(slot)),
                connectable: self.connectable(slot),
                ..device(0, Some(at))
            },
            ..VirtualCdrom::default()
        };
        self.add(cdrom);
    }

    fn cdrom_backing(&self, slot: &str) -> Poly<VirtualDeviceBackingInfo> {
        let name = self.value(slot, "fileName");
        let is_remote = self.is(slot, "clientDevice");
        match self.value(slot, "deviceType").to_ascii_lowercase().as_str() {
            "cdrom-image" => VirtualCdromIsoBackingInfo {
                base: match name.as_str() {
                    "emptyBackingString" => self.file(""),
                    name => self.file(name),
                },
                ..Default::default()
            }
            .into(),
            "atapi-cdrom" if !is_remote => VirtualCdromAtapiBackingInfo {
                base: self.host_device(slot),
                ..Default::default()
            }
            .into(),
            "cdrom-raw" if !is_remote => VirtualCdromPassthroughBackingInfo {
                base: self.host_device(slot),
                ..Default::default()
            }
            .into(),
            _ => VirtualCdromRemotePassthroughBackingInfo {
                base: VirtualDeviceRemoteDeviceBackingInfo {
                    device_name: name,
                    ..Default::default()
                },
                ..Default::default()
            }
            .into(),
        }
    }

    fn floppy(&mut self, index: i32) {
        let slot = format!("floppy{index}");
        if !self.is_present(&slot) {
            return;
        }
        let backing = if self.value(&slot, "fileType").eq_ignore_ascii_case("file") {
            VirtualFloppyImageBackingInfo {
                base: self.file(&self.value(&slot, "fileName")),
                ..Default::default()
            }
            .into()
        } else if self.is(&slot, "clientDevice") {
            VirtualFloppyRemoteDeviceBackingInfo::default().into()
        } else {
            VirtualFloppyDeviceBackingInfo {
                base: self.host_device(&slot),
                ..Default::default()
            }
            .into()
        };
        let floppy = VirtualFloppy {
            base: VirtualDevice {
                backing: Some(backing),
                connectable: self.connectable(&slot),
                ..device(8000 + index, None)
            },
            ..VirtualFloppy::default()
        };
        self.add(floppy);
    }

    /// The network, or the port of a distributed switch, that a card is connected to.
    fn card_backing(&self, slot: &str) -> Poly<VirtualDeviceBackingInfo> {
        if let Some(switch) = self.keys.uuid(&format!("{slot}.dvs.switchId")) {
            let text = |key| Some(self.value(slot, key)).filter(|value| !value.is_empty());
            let port = DistributedVirtualSwitchPortConnection {
                switch_uuid: switch,
                portgroup_key: text("dvs.portgroupId"),
                port_key: text("dvs.portId"),
                connection_cookie: self.keys.number(&format!("{slot}.dvs.connectionId")),
                ..Default::default()
            };
            return VirtualEthernetCardDistributedVirtualPortBackingInfo {
                port,
                ..Default::default()
            }
            .into();
        }
        let opaque = self.value(slot, "opaqueNetwork.id");
        if !opaque.is_empty() {
            return VirtualEthernetCardOpaqueNetworkBackingInfo {
                opaque_network_id: opaque,
                opaque_network_type: self.value(slot, "opaqueNetwork.type"),
                ..Default::default()
            }
            .into();
        }
        VirtualEthernetCardNetworkBackingInfo {
            base: VirtualDeviceDeviceBackingInfo {
                device_name: self.value(slot, "networkName"),
                ..Default::default()
            },
            ..Default::default()
        }
        .into()
    }

    fn card(&mut self, index: i32) {
        let slot = format!("ethernet{index}");
        if !self.is_present(&slot) {
            return;
        }
        let kind = self.value(&slot, "addressType").to_ascii_lowercase();
        let address = match kind.as_str() {
            "static" => "address",
            _ => "generatedAddress",
        };
        let address = Some(self.value(&slot, address)).filter(|address| !address.is_empty());
        let base = VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(self.card_backing(&slot)),
                connectable: self.connectable(&slot),
                ..device(4000 + index, None)
            },
            address_type: Some(match kind.as_str() {
                "static" => "manual".to_owned(),
                "vpx" => "assigned".to_owned(),
                _ => "generated".to_owned(),
            }),
            mac_address: address,
            wake_on_lan_enabled: Some(
                !self
                    .value(&slot, "wakeOnPcktRcv")
                    .eq_ignore_ascii_case("false"),
            ),
            ..VirtualEthernetCard::default()
        };
        let vmxnet = |base| VirtualVmxnet {
            base,
            ..Default::default()
        };
        let made = match self
            .value(&slot, "virtualDev")
            .to_ascii_lowercase()
            .as_str()
        {
            "vmxnet3" => VirtualVmxnet3 {
                base: vmxnet(base),
                ..Default::default()
            }
            .into(),
            "vmxnet" if self.value(&slot, "features") == "15" => VirtualVmxnet2 {
                base: vmxnet(base),
                ..Default::default()
            }
            .into(),
            "vmxnet" => vmxnet(base).into(),
            "e1000" => VirtualE1000 {
                base,
                ..Default::default()
            }
            .into(),
            "e1000e" => VirtualE1000e {
                base,
                ..Default::default()
            }
            .into(),
            _ => VirtualPcNet32 {
                base,
                ..Default::default()
            }
            .into(),
        };
        self.devices.push(made);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_every_spelling() {
        let text = b"# comment\nCONFIG.version = \"8\"\ndisplayName = \"a |22b|22 |7C\"\nmemsize=512\nmemSize = \"1\"\n";
        let keys = VmxValues::read(text).unwrap();
        for (key, value) in [
            ("config.version", "8"),
            ("displayname", "a \"b\" |"),
            ("memSize", "512"),
        ] {
            assert_eq!(keys.get(key).as_deref(), Some(value), "{key}");
        }
        let text =
            b".encoding = \"windows-1252\"\nconfig.version = 8\nannotation = \"\xe4|0Ax|\"\n";
        let keys = VmxValues::read(text).unwrap();
        assert_eq!(keys.get("annotation").as_deref(), Some("ä|0Ax|"));
        assert!(VmxValues::read(b"nothing").is_none());
        assert!(VmxValues::read(b"\xff\xfe").is_none());
    }

    #[test]
    fn uuids_lose_their_blanks() {
        let text = b"config.version=8\nuuid.bios = \"56 4d 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed\"\nvc.uuid=\"1\"";
        let keys = VmxValues::read(text).unwrap();
        assert_eq!(
            keys.uuid("uuid.bios").as_deref(),
            Some("564d9758-35de-1c97-1d0b-14e4db018fed")
        );
        assert_eq!(keys.uuid("vc.uuid"), None);
    }

    #[test]
    fn guests_have_other_names_in_properties() {
        for (name, id) in [
            ("debian12-64", "debian12_64Guest"),
            ("ubuntu-64", "ubuntu64Guest"),
            ("other", "otherGuest"),
        ] {
            assert_eq!(guest_id(name), id);
            assert_eq!(guest_os(id), name);
        }
    }
}
