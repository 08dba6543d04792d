//! A definition as libvirt's document, as far as a VMX file can say it.

use std::ops::BitOr;

use xmltree::Element;

use super::{
    Address, CharDevice, CharSource, Controller, Cpu, DeviceInfo, Disk, DiskSource, DomainDef,
    Filesystem, Graphics, Interface, InterfaceSource, Listen, Os, Tpm, TpmBackend, Vcpu, Video,
};
use crate::xml::{Build as _, to_string};

/// What a document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct XmlFlags(u32);

impl XmlFlags {
    /// Passwords too (`VIR_DOMAIN_XML_SECURE`).
    pub const SECURE: XmlFlags = XmlFlags(1);
    /// The definition for the next start (`VIR_DOMAIN_XML_INACTIVE`).
    pub const INACTIVE: XmlFlags = XmlFlags(2);

    /// Whether all of these are set.
    pub const fn contains(self, flags: XmlFlags) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for XmlFlags {
    type Output = XmlFlags;

    fn bitor(self, flags: XmlFlags) -> XmlFlags {
        XmlFlags(self.0 | flags.0)
    }
}

impl DomainDef {
    /// The document, byte for byte as libvirt writes it: what a VMX file can say, and nothing else.
    pub fn to_xml(&self, flags: XmlFlags) -> String {
        to_string(&self.element(flags))
    }

    fn element(&self, flags: XmlFlags) -> Element {
        let namespace = self.datacenter_path.is_some() || self.moref.is_some();
        let root = Element::new("domain")
            .attr("type", &self.virt_type)
            .attr_if("xmlns:vmware", namespace.then_some(Self::VMWARE_NAMESPACE))
            .text_if("name", Some(&self.name).filter(|name| !name.is_empty()))
            .text_if("uuid", self.uuid)
            .text_if("hwuuid", self.hwuuid)
            .text_if("genid", self.genid)
            .text_if("title", self.title.as_ref())
            .text_if("description", self.description.as_ref())
            .child(kib("memory", self.memory))
            .child(kib("currentMemory", self.current_memory()));
        let guarantee = self.memory_tune.min_guarantee;
        let guarantee =
            guarantee.map(|size| Element::new("memtune").child(kib("min_guarantee", size)));
        let shares = self.cpu_tune.shares;
        let shares = shares.map(|shares| Element::new("cputune").text_if("shares", Some(shares)));
        root.child_if(guarantee)
            .child(vcpu(&self.vcpu))
            .child_if(shares)
            .child(os(&self.os))
            .child_if(self.cpu.as_ref().map(cpu))
            .child(Element::new("clock").attr("offset", self.clock.offset))
            .text_if("on_poweroff", Some(self.on_poweroff))
            .text_if("on_reboot", Some(self.on_reboot))
            .text_if("on_crash", Some(self.on_crash))
            .child(self.devices_element(flags))
            .text_if("vmware:datacenterpath", self.datacenter_path.as_ref())
            .text_if("vmware:moref", self.moref.as_ref())
    }

    fn devices_element(&self, flags: XmlFlags) -> Element {
        let devices = &self.devices;
        Element::new("devices")
            .children_of(&devices.disks, disk)
            .children_of(&devices.controllers, controller)
            .children_of(&devices.filesystems, filesystem)
            .children_of(&devices.interfaces, |card| interface(card, flags))
            .children_of(&devices.serials, |port| chardev("serial", port))
            .children_of(&devices.parallels, |port| chardev("parallel", port))
            .children_of(&devices.consoles, |port| chardev("console", port))
            .children_of(&devices.tpms, tpm)
            .children_of(&devices.graphics, |screen| graphics(screen, flags))
            .children_of(&devices.videos, video)
    }
}

/// What may be there and may not.
trait Maybe: Sized {
    fn attr_if(self, name: &str, value: Option<impl ToString>) -> Self;
    fn child_if(self, child: Option<Element>) -> Self;
    /// A child that holds a text.
    fn text_if(self, name: &str, text: Option<impl ToString>) -> Self;
    fn children_of<T>(self, items: &[T], element: impl Fn(&T) -> Element) -> Self;
}

impl Maybe for Element {
    fn attr_if(self, name: &str, value: Option<impl ToString>) -> Element {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    fn child_if(self, child: Option<Element>) -> Element {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    fn text_if(self, name: &str, text: Option<impl ToString>) -> Element {
        self.child_if(text.map(|text| Element::new(name).text(text)))
    }

    fn children_of<T>(self, items: &[T], element: impl Fn(&T) -> Element) -> Element {
        items
            .iter()
            .fold(self, |parent, item| parent.child(element(item)))
    }
}

fn kib(name: &str, size: u64) -> Element {
    Element::new(name).attr("unit", "KiB").text(size)
}

fn vcpu(vcpu: &Vcpu) -> Element {
    Element::new("vcpu")
        .attr("placement", vcpu.placement)
        .attr_if("cpuset", vcpu.cpuset.as_ref())
        .attr_if(
            "current",
            vcpu.current.filter(|current| *current != vcpu.max),
        )
        .text(vcpu.max)
}

fn os(os: &Os) -> Element {
    let kind = Element::new("type").attr_if("arch", os.arch.as_ref());
    let features = (!os.firmware_features.is_empty()).then(|| {
        Element::new("firmware").children_of(&os.firmware_features, |feature| {
            Element::new("feature")
                .attr("enabled", yes_no(feature.enabled))
                .attr("name", &feature.name)
        })
    });
    Element::new("os")
        .attr_if("firmware", os.firmware)
        .child(kind.text(&os.os_type))
        .child_if(features)
        .text_if("nvram", os.nvram.as_ref())
        .child_if(
            os.smbios
                .map(|mode| Element::new("smbios").attr("mode", mode)),
        )
}

fn cpu(cpu: &Cpu) -> Element {
    let topology = cpu.topology.map(|topology| {
        Element::new("topology")
            .attr("sockets", topology.sockets)
            .attr_if("dies", topology.dies)
            .attr_if("clusters", topology.clusters)
            .attr("cores", topology.cores)
            .attr("threads", topology.threads)
    });
    Element::new("cpu").child_if(topology)
}

fn address(info: &DeviceInfo) -> Option<Element> {
    let address = info.address.as_ref()?;
    let element = Element::new("address").attr("type", address.kind());
    Some(match address {
        Address::Drive(drive) => element
            .attr("controller", drive.controller)
            .attr("bus", drive.bus)
            .attr("target", drive.target)
            .attr("unit", drive.unit),
        Address::Pci(pci) => element
            .attr("domain", format!("0x{:04x}", pci.domain))
            .attr("bus", format!("0x{:02x}", pci.bus))
            .attr("slot", format!("0x{:02x}", pci.slot))
            .attr("function", format!("0x{:x}", pci.function)),
        Address::Other { attributes, .. } => attributes
            .iter()
            .fold(element, |element, (name, value)| element.attr(name, value)),
    })
}

fn disk(disk: &Disk) -> Element {
    let cache = disk.driver.cache;
    let path_name = match disk.source {
        DiskSource::Block(_) => "dev",
        DiskSource::Dir(_) => "dir",
        _ => "file",
    };
    let source = Element::new("source")
        .attr_if(path_name, disk.source.path())
        .attr_if("startupPolicy", disk.startup_policy);
    let flag = |name, set: bool| set.then(|| Element::new(name));
    Element::new("disk")
        .attr("type", disk.source.kind())
        .attr("device", disk.device)
        .child_if(cache.map(|cache| Element::new("driver").attr("cache", cache)))
        .child_if(Some(source).filter(|source| !source.attributes.is_empty()))
        .child(
            Element::new("target")
                .attr("dev", &disk.target.dev)
                .attr("bus", disk.target.bus),
        )
        .child_if(flag("readonly", disk.readonly))
        .child_if(flag("transient", disk.transient))
        .child_if(address(&disk.info))
}

fn controller(controller: &Controller) -> Element {
    Element::new("controller")
        .attr("type", controller.kind)
        .attr("index", controller.index)
        .attr_if("model", controller.model.as_ref())
        .child_if(address(&controller.info))
}

fn filesystem(filesystem: &Filesystem) -> Element {
    let source = filesystem.source.as_ref();
    Element::new("filesystem")
        .attr("type", filesystem.kind)
        .attr_if("accessmode", filesystem.access_mode)
        .child_if(source.map(|source| Element::new("source").attr("dir", source)))
        .child(Element::new("target").attr("dir", &filesystem.target))
        .child_if(filesystem.readonly.then(|| Element::new("readonly")))
}

fn interface(interface: &Interface, flags: XmlFlags) -> Element {
    let mac = interface.mac.map(|mac| {
        Element::new("mac")
            .attr("address", mac)
            .attr_if("type", interface.mac_type)
            .attr_if("check", interface.mac_check.map(yes_no))
    });
    let source = match &interface.source {
        InterfaceSource::Bridge { bridge } => Some(Element::new("source").attr("bridge", bridge)),
        InterfaceSource::Vds(vds) => Some(
            Element::new("source")
                .attr("switchid", vds.switch_id)
                .attr("portid", vds.port_id)
                .attr_if("portgroupid", vds.portgroup_id.as_ref())
                .attr("connectionid", vds.connection_id),
        ),
        _ => None,
    };
    // Names like those libvirt makes up are no part of what is defined.
    let shown = |dev: &&String| !flags.contains(XmlFlags::INACTIVE) || !dev.starts_with("vnet");
    let target = interface.target_dev.as_ref().filter(shown);
    let model = interface.model.as_ref();
    Element::new("interface")
        .attr("type", interface.source.kind())
        .child_if(mac)
        .child_if(source)
        .child_if(target.map(|dev| Element::new("target").attr("dev", dev)))
        .child_if(model.map(|model| Element::new("model").attr("type", model)))
}

fn chardev(name: &str, device: &CharDevice) -> Element {
    let element = Element::new(name).attr("type", device.source.kind());
    let element = match &device.source {
        CharSource::Dev { path } | CharSource::File { path, .. } | CharSource::Pipe { path } => {
            let path = path.as_ref();
            element.child_if(path.map(|path| Element::new("source").attr("path", path)))
        }
        CharSource::Tcp {
            mode,
            host,
            service,
            protocol,
        } => {
            let source = Element::new("source")
                .attr("mode", mode)
                .attr_if("host", host.as_ref())
                .attr_if("service", service.as_ref());
            element
                .child(source)
                .child(Element::new("protocol").attr("type", protocol))
        }
        _ => element,
    };
    element.child(
        Element::new("target")
            .attr_if("type", device.target_type.as_ref())
            .attr_if("port", device.target_port),
    )
}

fn tpm(tpm: &Tpm) -> Element {
    let backend = match &tpm.backend {
        TpmBackend::Passthrough { .. } => Element::new("backend").attr("type", "passthrough"),
        TpmBackend::Emulator { version, .. } => Element::new("backend")
            .attr("type", "emulator")
            .attr_if("version", version.as_ref()),
        TpmBackend::External => Element::new("backend").attr("type", "external"),
    };
    Element::new("tpm")
        .attr_if("model", tpm.model.as_ref())
        .child(backend)
}

fn graphics(graphics: &Graphics, flags: XmlFlags) -> Element {
    let passwd = graphics.passwd.as_ref();
    let port = match graphics.autoport {
        true => Some(-1),
        false => graphics.port,
    };
    let listens = graphics.listens.iter().filter_map(|listen| match listen {
        Listen::Address { address } => Some(
            Element::new("listen")
                .attr("type", "address")
                .attr_if("address", address.as_ref()),
        ),
        _ => None,
    });
    let element = Element::new("graphics")
        .attr("type", graphics.kind)
        .attr_if("port", port)
        .attr("autoport", yes_no(graphics.autoport))
        .attr_if("listen", graphics.listen_address())
        .attr_if("keymap", graphics.keymap.as_ref())
        .attr_if(
            "passwd",
            passwd.filter(|_| flags.contains(XmlFlags::SECURE)),
        );
    listens.fold(element, |element, listen| element.child(listen))
}

fn video(video: &Video) -> Element {
    let primary = video.primary.then_some("yes");
    Element::new("video").child(
        Element::new("model")
            .attr("type", video.model)
            .attr_if("vram", video.vram)
            .attr_if("heads", video.heads)
            .attr_if("primary", primary),
    )
}

fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
