//! The configuration of a virtual machine as the file that the host keeps it in.

mod options;
mod port;
mod read;
mod resources;

use vi_types::Poly;
use vi_types::enums::{SharesLevel, VirtualScsiSharing};
use vi_types::objects::{
    VirtualAhciController, VirtualCdrom, VirtualCdromAtapiBackingInfo, VirtualCdromIsoBackingInfo,
    VirtualCdromPassthroughBackingInfo, VirtualController, VirtualDevice,
    VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualDiskFlatVer2BackingInfo, VirtualEthernetCard,
    VirtualEthernetCardDistributedVirtualPortBackingInfo, VirtualEthernetCardNetworkBackingInfo,
    VirtualEthernetCardOpaqueNetworkBackingInfo, VirtualFloppy, VirtualFloppyDeviceBackingInfo,
    VirtualFloppyImageBackingInfo, VirtualMachineConfigInfo, VirtualMachineVideoCard,
    VirtualNvmeController, VirtualParallelPort, VirtualScsiController, VirtualSerialPort,
    VirtualSoundCard, VirtualTpm, VirtualUsbController, VirtualUsbxhciController,
};
use vmx::VmxFile;
use vmx::escape::PIPE;

pub(crate) use self::read::{VmxValues, apply, locate, spec};
use crate::machine::config::own_options;
use crate::machine::device::NO_FILE;
use crate::world::inventory::datastore::volume;

/// The `.vmx` file.
pub(crate) fn file(config: &VirtualMachineConfigInfo) -> VmxFile {
    let path = config.files.vm_path_name.as_deref().unwrap_or_default();
    let mut file = File {
        folder: path
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/")),
        file: VmxFile::new(),
    };
    let hardware = config
        .version
        .trim_start_matches("vmx-")
        .trim_start_matches('0');
    file.set(".encoding", "UTF-8");
    file.set("config.version", "8");
    file.set("virtualHW.version", hardware);
    file.set("displayName", &PIPE.escape(&config.name));
    if let Some(annotation) = config.annotation.as_deref().filter(|text| !text.is_empty()) {
        file.set("annotation", &PIPE.escape(annotation));
    }
    file.set("guestOS", &guest_os(&config.guest_id));
    file.set("uuid.bios", &spaced(&config.uuid));
    if let Some(instance) = &config.instance_uuid {
        file.set("vc.uuid", &spaced(instance));
    }
    if let Some(cores) = config
        .hardware
        .num_cores_per_socket
        .filter(|cores| *cores > 1)
    {
        file.set("cpuid.coresPerSocket", &cores.to_string());
    }
    file.set("memSize", &config.hardware.memory_mb.to_string());
    file.set("numvcpus", &config.hardware.num_cpu.to_string());
    if config.firmware.as_deref() == Some("efi") {
        file.set("firmware", "efi");
    }
    for (key, value) in resources::keys(config) {
        file.set(key, &value);
    }
    let devices = &config.hardware.device;
    for device in devices {
        file.device(device, devices);
    }
    for (key, value) in own_options(config) {
        if file.file.find(key).is_none() {
            file.set(key, &PIPE.escape(value));
        }
    }
    file.file
}

/// A file being written.
struct File {
    file: VmxFile,
    /// Where the configuration is, as `[datastore] directory/`.
    folder: String,
}

impl File {
    fn set(&mut self, name: &str, value: &str) {
        // These names are keys, and UTF-8 has every character.
        let _ = self.file.set(name, value);
    }

    fn device(&mut self, device: &Poly<VirtualDevice>, all: &[Poly<VirtualDevice>]) {
        if let Some(video) = device.cast::<VirtualMachineVideoCard>() {
            let size = video.video_ram_size_in_kb.unwrap_or(4096) << 10;
            self.set("svga.vramSize", &size.to_string());
        }
        if let Some(controller) = device.cast::<VirtualScsiController>() {
            let slot = format!("scsi{}", controller.bus_number);
            self.set(&format!("{slot}.present"), "TRUE");
            let kind = match device.type_name() {
                "ParaVirtualSCSIController" => "pvscsi",
                "VirtualLsiLogicSASController" => "lsisas1068",
                "VirtualBusLogicController" => "buslogic",
                _ => "lsilogic",
            };
            self.set(&format!("{slot}.virtualDev"), kind);
            match controller.shared_bus {
                VirtualScsiSharing::VirtualSharing => {
                    self.set(&format!("{slot}.sharedBus"), "virtual");
                }
                VirtualScsiSharing::PhysicalSharing => {
                    self.set(&format!("{slot}.sharedBus"), "physical");
                }
                _ => {}
            }
        }
        if let Some(controller) = device.cast::<VirtualAhciController>() {
            self.set(&format!("sata{}.present", controller.bus_number), "TRUE");
        }
        if let Some(controller) = device.cast::<VirtualNvmeController>() {
            self.set(&format!("nvme{}.present", controller.bus_number), "TRUE");
        }
        if let Some(usb) = device.cast::<VirtualUsbController>() {
            self.set("usb.present", "TRUE");
            if usb.ehci_enabled == Some(true) {
                self.set("ehci.present", "TRUE");
            }
        }
        if device.is::<VirtualUsbxhciController>() {
            self.set("usb_xhci.present", "TRUE");
        }
        if device.is::<VirtualTpm>() {
            self.set("vtpm.present", "TRUE");
        }
        if device.is::<VirtualSoundCard>() {
            self.set("sound.present", "TRUE");
            let kind = match device.type_name() {
                "VirtualHdAudioCard" => "hdaudio",
                "VirtualEnsoniq1371" => "es1371",
                _ => "sb16",
            };
            self.set("sound.virtualDev", kind);
        }
        if device.is::<VirtualSerialPort>() || device.is::<VirtualParallelPort>() {
            self.port(device);
        }
        if device.is::<VirtualFloppy>() {
            self.floppy(device);
        }
        if let Some(card) = device.cast::<VirtualEthernetCard>() {
            self.card(device, card);
        }
        let Some(slot) = slot(device, all) else {
            return;
        };
        if device.is::<VirtualDisk>() {
            self.disk(&slot, device);
        }
        if device.is::<VirtualCdrom>() {
            self.set(&format!("{slot}.present"), "TRUE");
            self.cdrom(&slot, device);
            self.start_connected(&slot, device);
        }
    }

    fn disk(&mut self, slot: &str, device: &Poly<VirtualDevice>) {
        self.set(&format!("{slot}.present"), "TRUE");
        let kind = match slot.split_at(4).0 {
            "scsi" => "scsi-hardDisk",
            "ide0" | "ide1" => "ata-hardDisk",
            _ => "disk",
        };
        self.set(&format!("{slot}.deviceType"), kind);
        let backing = device.backing.as_ref();
        let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
        let name = file.map(|file| self.file_name(file));
        self.set(&format!("{slot}.fileName"), &name.unwrap_or_default());
        let flat = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        if let Some(flat) = flat {
            if flat.disk_mode != "persistent" {
                let mode = flat.disk_mode.replace('_', "-");
                self.set(&format!("{slot}.mode"), &mode);
            }
            if flat.write_through == Some(true) {
                self.set(&format!("{slot}.writeThrough"), "TRUE");
            }
            if flat.sharing.as_deref() == Some("sharingMultiWriter") {
                self.set(&format!("{slot}.sharing"), "multi-writer");
            }
        }
        let disk = device.cast::<VirtualDisk>();
        let Some(io) = disk.and_then(|disk| disk.storage_io_allocation.as_deref()) else {
            return;
        };
        if let Some(limit) = io.limit.filter(|limit| *limit > 0) {
            let key = format!("sched.{slot}.throughputCap");
            self.set(&key, &limit.to_string());
        }
        let shares = io.shares.as_deref().and_then(|shares| match shares.level {
            SharesLevel::Low => Some("low".to_owned()),
            SharesLevel::High => Some("high".to_owned()),
            SharesLevel::Custom => Some(shares.shares.to_string()),
            _ => None,
        });
        if let Some(shares) = shares {
            self.set(&format!("sched.{slot}.shares"), &shares);
        }
    }

    fn cdrom(&mut self, slot: &str, device: &Poly<VirtualDevice>) {
        let backing = device.backing.as_ref();
        if let Some(iso) = backing.and_then(|one| one.cast::<VirtualCdromIsoBackingInfo>()) {
            self.set(&format!("{slot}.deviceType"), "cdrom-image");
            let name = match iso.file_name.as_str() {
                "" | NO_FILE => "emptyBackingString".to_owned(),
                _ => self.file_name(iso),
            };
            self.set(&format!("{slot}.fileName"), &name);
            return;
        }
        let host = backing.filter(|backing| {
            backing.is::<VirtualCdromAtapiBackingInfo>()
                || backing.is::<VirtualCdromPassthroughBackingInfo>()
        });
        let Some(host) = host else {
            self.set(&format!("{slot}.deviceType"), "atapi-cdrom");
            self.set(&format!("{slot}.fileName"), "CD/DVD drive 0");
            self.set(&format!("{slot}.clientDevice"), "TRUE");
            return;
        };
        let kind = match host.is::<VirtualCdromPassthroughBackingInfo>() {
            true => "cdrom-raw",
            false => "atapi-cdrom",
        };
        self.set(&format!("{slot}.deviceType"), kind);
        self.host_device(slot, host.cast());
    }

    /// The device of the host that a drive is.
    fn host_device(&mut self, slot: &str, host: Option<&VirtualDeviceDeviceBackingInfo>) {
        let is_auto = host.is_some_and(|host| host.use_auto_detect == Some(true));
        if is_auto {
            self.set(&format!("{slot}.autodetect"), "TRUE");
        }
        let name = match host {
            Some(host) if !is_auto || !host.device_name.is_empty() => &*host.device_name,
            _ => "auto detect",
        };
        self.set(&format!("{slot}.fileName"), name);
    }

    fn floppy(&mut self, device: &Poly<VirtualDevice>) {
        let slot = format!("floppy{}", device.unit_number.unwrap_or_default());
        self.set(&format!("{slot}.present"), "TRUE");
        self.start_connected(&slot, device);
        let backing = device.backing.as_ref();
        if let Some(file) = backing.and_then(|one| one.cast::<VirtualFloppyImageBackingInfo>()) {
            self.set(&format!("{slot}.fileType"), "file");
            if !matches!(file.file_name.as_str(), "" | NO_FILE) {
                self.set(&format!("{slot}.fileName"), &self.file_name(file));
            }
            return;
        }
        self.set(&format!("{slot}.fileType"), "device");
        match backing.filter(|backing| backing.is::<VirtualFloppyDeviceBackingInfo>()) {
            Some(host) => self.host_device(&slot, host.cast()),
            None => {
                let name = format!("/dev/fd{}", device.unit_number.unwrap_or_default());
                self.set(&format!("{slot}.fileName"), &name);
                self.set(&format!("{slot}.clientDevice"), "TRUE");
            }
        }
    }

    /// A missing key means that the device is connected when the machine starts.
    fn start_connected(&mut self, slot: &str, device: &Poly<VirtualDevice>) {
        let info = device.connectable.as_deref();
        if info.is_some_and(|info| !info.start_connected) {
            self.set(&format!("{slot}.startConnected"), "FALSE");
        }
    }

    /// Beside the configuration the name alone, elsewhere the whole path.
    fn file_name(&self, file: &VirtualDeviceFileBackingInfo) -> String {
        if let Some(name) = file.file_name.strip_prefix(&self.folder)
            && !name.contains('/')
        {
            return name.to_owned();
        }
        let path = file.file_name.split_once("] ");
        match (path, &file.datastore) {
            (Some((_, path)), Some(store)) => {
                format!("/vmfs/volumes/{}/{path}", volume(&store.value))
            }
            // Files of the host itself are on no datastore.
            _ => file.file_name.trim_start_matches("[] ").to_owned(),
        }
    }

    fn card(&mut self, device: &Poly<VirtualDevice>, card: &VirtualEthernetCard) {
        let slot = format!("ethernet{}", device.key - CARD);
        self.set(&format!("{slot}.present"), "TRUE");
        self.start_connected(&slot, device);
        let kind = match device.type_name() {
            "VirtualVmxnet3" => "vmxnet3",
            "VirtualVmxnet2" | "VirtualVmxnet" => "vmxnet",
            "VirtualE1000e" => "e1000e",
            "VirtualE1000" => "e1000",
            _ => "vlance",
        };
        self.set(&format!("{slot}.virtualDev"), kind);
        if device.type_name() == "VirtualVmxnet2" {
            self.set(&format!("{slot}.features"), "15");
        }
        let backing = card.backing.as_ref();
        let network =
            backing.and_then(|backing| backing.cast::<VirtualEthernetCardNetworkBackingInfo>());
        if let Some(network) = network {
            self.set(&format!("{slot}.networkName"), &network.device_name);
        }
        let switch = card.backing.as_ref().and_then(|backing| {
            backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>()
        });
        if let Some(port) = switch.map(|switch| &switch.port) {
            let id = spaced(&port.switch_uuid);
            self.set(&format!("{slot}.dvs.switchId"), &id);
            let cookie = port.connection_cookie.unwrap_or_default().to_string();
            for (key, value) in [
                ("portgroupId", port.portgroup_key.as_deref()),
                ("portId", Some(port.port_key.as_deref().unwrap_or("0"))),
                ("connectionId", Some(&*cookie)),
            ] {
                self.set(&format!("{slot}.dvs.{key}"), value.unwrap_or_default());
            }
        }
        let opaque = card.backing.as_ref();
        let opaque = opaque
            .and_then(|backing| backing.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>());
        if let Some(network) = opaque {
            self.set(
                &format!("{slot}.opaqueNetwork.id"),
                &network.opaque_network_id,
            );
            self.set(
                &format!("{slot}.opaqueNetwork.type"),
                &network.opaque_network_type,
            );
        }
        if card.wake_on_lan_enabled == Some(false) {
            self.set(&format!("{slot}.wakeOnPcktRcv"), "FALSE");
        }
        let mac = card.mac_address.as_deref().unwrap_or_default();
        let kind = match card.address_type.as_deref() {
            Some("assigned") => "vpx",
            Some("manual") => "static",
            other => other.unwrap_or("generated"),
        };
        self.set(&format!("{slot}.addressType"), kind);
        let name = if kind == "static" {
            "address"
        } else {
            "generatedAddress"
        };
        self.set(&format!("{slot}.{name}"), mac);
    }
}

/// The key of the first network card.
const CARD: i32 = 4000;

/// `scsi0:1`: where a device is attached.
pub(crate) fn slot(device: &VirtualDevice, all: &[Poly<VirtualDevice>]) -> Option<String> {
    let key = device.controller_key?;
    let found = all.iter().find(|one| one.key == key)?;
    let bus = found.cast::<VirtualController>()?.bus_number;
    let kind = match found.type_name() {
        "VirtualIDEController" => "ide",
        "VirtualAHCIController" => "sata",
        "VirtualNVMEController" => "nvme",
        _ if found.is::<VirtualScsiController>() => "scsi",
        _ => return None,
    };
    Some(format!("{kind}{bus}:{}", device.unit_number?))
}

/// `debian12-64` for `debian12_64Guest`.
fn guest_os(id: &str) -> String {
    let id = id.strip_suffix("Guest").unwrap_or(id);
    match id.strip_suffix("64") {
        Some(name) => format!("{}-64", name.trim_end_matches('_')).to_ascii_lowercase(),
        None => id.to_ascii_lowercase(),
    }
}

/// `56 4d 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed`.
pub(crate) fn spaced(uuid: &str) -> String {
    let digits: Vec<_> = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    let (first, second) = pairs.split_at(pairs.len().min(8));
    format!("{}-{}", first.join(" "), second.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_pairs_with_a_dash_in_the_middle() {
        assert_eq!(
            spaced("564d9758-35de-1c97-1d0b-14e4db018fed"),
            "56 4d 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed"
        );
    }

    #[test]
    fn guests_have_other_names_in_files() {
        for (id, name) in [
            ("debian12_64Guest", "debian12-64"),
            ("ubuntu64Guest", "ubuntu-64"),
            ("otherGuest", "other"),
        ] {
            assert_eq!(guest_os(id), name);
        }
    }
}
