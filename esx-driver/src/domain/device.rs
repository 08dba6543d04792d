//! Devices: libvirt's definitions of them and the host's.
//!
//! [`Wanted`] is what a definition wants of a machine; its values come from the keys that the vmx crate writes for the
//! definition, so both have one set of rules. [`Hardware`] is what the machine has; [`find`] tells which of its devices a
//! definition means. [`Changes`] collects what has to be added, edited and removed. On a VMware host a device of a running
//! machine and of its configuration are one.

mod board;
mod card;
mod changes;
mod disk;
mod find;
mod hardware;
mod keys;
mod name;
mod port;
mod resize;
mod wanted;

use vi_types::Any;
use vi_types::objects::{OptionValue, VirtualMachineConfigSpec};
use virt_model::domain::{Device, DomainDef};
use virt_model::flags::refuse_unknown;
use virt_model::{DeviceModifyFlags, ErrorNumber};

pub(in crate::domain) use self::board::controller_name;
pub(in crate::domain) use self::changes::Changes;
pub(in crate::domain) use self::find::mac_of;
pub(in crate::domain) use self::hardware::Hardware;
pub(in crate::domain) use self::keys::{AsIs, Keys};
pub(crate) use self::name::Name;
pub(in crate::domain) use self::name::bus;
pub(in crate::domain) use self::wanted::{Applied, Wanted};
use super::Domain;
use super::reconfiguration::check_live;
use crate::engine::Change;
use crate::{Error, ErrorKind, Operation, Result, document};

/// What functions that change devices accept. On a VMware host both concern the same configuration.
const BOTH: DeviceModifyFlags =
    DeviceModifyFlags::from_bits(DeviceModifyFlags::LIVE.bits() | DeviceModifyFlags::CONFIG.bits());

impl Domain {
    /// Adds the device of libvirt's XML document: a disk or drive, network card, controller, serial or parallel port,
    /// sound card or TPM. The file of a disk must exist. A controller that a disk needs is added with it.
    ///
    /// A disk without an address gets the place that documents call by its target. The host numbers cards and ports.
    ///
    /// A network card is connected to the host's port group of a `bridge`, or to a port group of a distributed switch, or an
    /// opaque network of that name. A `network`, which is named by its name or UUID, has the port group `portgroup`; it can be
    /// left out if there is only one.
    ///
    /// Two requests, and those of the task. For the network of a card one more, and two if the host has several distributed
    /// switches; none for a bridge if the connection is one to a host.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read or VMware has no such device;
    /// [`ErrorKind::Exists`] if there is a device in its place; [`ErrorKind::WrongState`] with
    /// [`DeviceModifyFlags::LIVE`] if the domain does not run; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainAttachDevice")]
    #[doc(alias = "virDomainAttachDeviceFlags")]
    pub fn attach_device(&self, xml: &str, flags: DeviceModifyFlags) -> Operation<'static> {
        let (domain, device) = (self.clone(), read(xml));
        Operation::new("Could not attach device", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, BOTH, "esxDomainAttachDeviceFlags")?;
                let device = device?;
                let machine = runner.prepare(domain.hardware()).await?;
                check_live(
                    flags.contains(DeviceModifyFlags::LIVE),
                    &machine.power_state,
                )?;
                let device = runner.prepare(domain.on_its_network(device)).await?;
                let mut changes = Changes::of(&machine);
                let device = numbered(device, &machine)?;
                let wanted = Wanted::of(&device, &machine)?;
                changes.add(&wanted.ok_or_else(|| wanted::not_supported(device.kind()))?)?;
                let before = machine.devices.len();
                let change = domain
                    .reconfiguration(changes.into_spec(), move |now| now.devices.len() > before);
                runner.perform(change).await
            })
        })
    }

    /// Removes the device that libvirt's XML document means. The file of a disk stays.
    ///
    /// A disk is found by its bus and target, a network card by its MAC address, a port by its number and its end on the
    /// host, a controller by its type and index. What the document says besides must be true of the device.
    ///
    /// Two requests, and those of the task.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Device`](crate::What::Device) if there is no such device;
    /// [`ErrorKind::Ambiguous`] if there are several, or if the document's parts mean different ones; else as
    /// [`attach_device`](Domain::attach_device).
    #[doc(alias = "virDomainDetachDevice")]
    #[doc(alias = "virDomainDetachDeviceFlags")]
    pub fn detach_device(&self, xml: &str, flags: DeviceModifyFlags) -> Operation<'static> {
        let (domain, device) = (self.clone(), read(xml));
        Operation::new("Could not detach device", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, BOTH, "esxDomainDetachDeviceFlags")?;
                let machine = runner.prepare(domain.hardware()).await?;
                check_live(
                    flags.contains(DeviceModifyFlags::LIVE),
                    &machine.power_state,
                )?;
                let device = runner.prepare(domain.on_its_network(device?)).await?;
                let name = machine.find_to_detach(&device)?;
                runner.perform(domain.detachment(&machine, name)).await
            })
        })
    }

    /// Removes the device with that alias. Aliases are VMware's names: `scsi0:1`, `ethernet0`, `serial0`, `floppy0`,
    /// `scsi0` (documents have none, as libvirt's don't).
    ///
    /// # Errors
    /// As [`detach_device`](Domain::detach_device).
    #[doc(alias = "virDomainDetachDeviceAlias")]
    pub fn detach_device_alias(&self, alias: &str, flags: DeviceModifyFlags) -> Operation<'static> {
        let (domain, alias) = (self.clone(), alias.to_owned());
        Operation::new("Could not detach device", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, BOTH, "esxDomainDetachDeviceAlias")?;
                let machine = runner.prepare(domain.hardware()).await?;
                check_live(
                    flags.contains(DeviceModifyFlags::LIVE),
                    &machine.power_state,
                )?;
                let name = machine.find_alias(&alias)?;
                runner.perform(domain.detachment(&machine, name)).await
            })
        })
    }

    /// Changes the device that libvirt's XML document means: the medium of a drive, the network and the cable of a card,
    /// the end of a port, the mode of a disk, the memory of the video card, the VNC server. A device that is as the
    /// document says is not changed, and nothing is sent.
    ///
    /// [`DeviceModifyFlags::FORCE`] changes nothing: whether a locked medium is ejected is a question of the host, which
    /// the connection's policy answers.
    ///
    /// # Errors
    /// As [`detach_device`](Domain::detach_device), and [`ErrorKind::Definition`] for a change that needs another device.
    #[doc(alias = "virDomainUpdateDeviceFlags")]
    pub fn update_device(&self, xml: &str, flags: DeviceModifyFlags) -> Operation<'static> {
        let (domain, device) = (self.clone(), read(xml));
        Operation::new("Could not update device", move |mut runner| {
            Box::pin(async move {
                let known = BOTH | DeviceModifyFlags::FORCE;
                refuse_unknown(flags, known, "esxDomainUpdateDeviceFlags")?;
                let device = device?;
                let machine = runner.prepare(domain.hardware()).await?;
                check_live(
                    flags.contains(DeviceModifyFlags::LIVE),
                    &machine.power_state,
                )?;
                if let Device::Graphics(_) = &device {
                    let spec = graphics(&device, &machine)?;
                    let request = domain.vm().reconfig_vm_task(spec);
                    return runner.perform(domain.task(request)).await;
                }
                let device = runner.prepare(domain.on_its_network(device)).await?;
                let name = machine.find_for_update(&device)?;
                let wanted = Wanted::of(&device, &machine)?;
                let wanted = wanted.ok_or_else(|| no_update(&device))?;
                let Some(old) = machine.get(name) else {
                    return Ok(());
                };
                let edited = match wanted.applied(old, &machine)? {
                    Applied::Same => return Ok(()),
                    Applied::Edited(edited) => edited,
                    Applied::Other => return Err(no_update(&device)),
                };
                let mut changes = Changes::of(&machine);
                changes.edit(edited);
                let change = domain.reconfiguration(changes.into_spec(), move |now| {
                    let device = now.get(name);
                    let applied = device.map(|device| wanted.applied(device, now));
                    matches!(applied, Some(Ok(Applied::Same)))
                });
                runner.perform(change).await
            })
        })
    }

    /// Removes a device.
    fn detachment(&self, machine: &Hardware, name: Name) -> Change<()> {
        let mut changes = Changes::of(machine);
        changes.remove(name);
        self.reconfiguration(changes.into_spec(), move |now| now.get(name).is_none())
    }

    /// The device; a network card names its network as the host does.
    async fn on_its_network(&self, mut device: Device) -> Result<Device> {
        if let Device::Interface(card) = &mut device {
            let cards = std::slice::from_mut(card);
            self.connect.find_networks(cards, &[]).await?;
        }
        Ok(device)
    }

    /// A change of the machine's configuration. `is_done` tells by the machine's devices whether it is done.
    pub(in crate::domain) fn reconfiguration(
        &self,
        spec: VirtualMachineConfigSpec,
        is_done: impl Fn(&Hardware) -> bool + Send + Sync + 'static,
    ) -> Change<()> {
        self.reconfigure_read_by(
            spec,
            |domain| async move { domain.hardware().await },
            is_done,
        )
    }
}

/// Reads a device. What is not modelled is logged.
fn read(xml: &str) -> Result<Device> {
    let read = Device::read_xml(xml).map_err(Error::of_document)?;
    if let Device::Other(_) = &read.document {
        return Err(wanted::not_supported(read.document.kind()));
    }
    document::check_known(&read.unmodelled, false)?;
    let device = read.document;
    device
        .validate(&vmx::defaults())
        .map_err(Error::of_document)?;
    Ok(device)
}

/// The device with its number, if the definition leaves it to libvirt.
fn numbered(mut device: Device, machine: &Hardware) -> Result<Device> {
    if let Device::NextController(controller) = &device {
        let mut numbers = machine.named().filter_map(|(name, _)| match name {
            Name::Controller(bus, number) if bus.as_str() == controller.kind.as_str() => {
                Some(number)
            }
            _ => None,
        });
        let mut controller = controller.clone();
        let taken: Vec<u32> = numbers.by_ref().collect();
        let mut free = (0..).filter(|number| !taken.contains(number));
        controller.index = free.next().unwrap_or_default();
        return Ok(Device::Controller(controller));
    }
    if !matches!(device, Device::Disk(_)) {
        let empty = DomainDef::new("vmware", "");
        device
            .post_parse(&empty, &vmx::defaults())
            .map_err(Error::of_document)?;
    }
    Ok(device)
}

/// The options that switch the VNC server on.
fn graphics(device: &Device, machine: &Hardware) -> Result<VirtualMachineConfigSpec> {
    let keys = Keys::of_device(device, machine.version)?;
    let vnc = keys
        .entries()
        .filter(|(key, _)| key.to_ascii_lowercase().starts_with("remotedisplay.vnc."));
    let options = vnc.map(|(key, value)| {
        OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(value)),
            ..OptionValue::default()
        }
        .into()
    });
    Ok(VirtualMachineConfigSpec {
        change_version: machine.change_version.clone(),
        extra_config: options.collect(),
        ..VirtualMachineConfigSpec::default()
    })
}

/// The error of an update that would need another device. Texts are those of libvirt 9.0.0's QEMU driver
/// (qemuDomainDiskChangeSupported, qemuDomainChangeNet).
fn no_update(device: &Device) -> Error {
    let message = match device {
        Device::Disk(_) => "cannot modify field 'source' of the disk".to_owned(),
        Device::Interface(_) => "cannot modify network device model".to_owned(),
        other => format!("live update of device '{}' is not supported", other.kind()),
    };
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::OperationUnsupported,
        message,
    )
    .advise("detach the device, and attach the new one")
}
