//! What has to change so that a machine gets another definition.

use std::collections::{BTreeMap, BTreeSet};

use vi_types::Poly;
use vi_types::objects::{VirtualDevice, VirtualEthernetCard, VirtualMachineConfigSpec};
use virt_model::domain::{CharDevice, Controller, Device, Devices, Disk, DomainDef, Interface};
use virt_model::{ErrorNumber, MacAddress};
use vmx::Slot;

use super::convert::invalid;
use super::settings::settings;
use crate::domain::device::{Applied, Changes, Hardware, Name, Wanted, controller_name, mac_of};
use crate::{Error, ErrorKind, Result, What};

/// The specification that gives a machine with the definition `present` the one of `wanted`; `None` if they do not differ.
///
/// What both definitions have stays as it is, and so does what documents cannot tell. A changed device keeps its place;
/// one that has to be another device is removed and added. Files are neither made nor deleted.
///
/// # Errors
/// libvirt's error for what VMware does not have; [`ErrorKind::NotFound`] of [`What::Device`] for a device that the host
/// does not have though its VMX file has it, [`ErrorKind::Ambiguous`] for a network card whose address another one has.
pub(super) fn difference(
    present: &DomainDef,
    wanted: &DomainDef,
    machine: &Hardware,
) -> Result<Option<VirtualMachineConfigSpec>> {
    let mut spec = settings(Some(present), wanted, machine.version)?;
    let mut complete = wanted.clone();
    complete
        .post_parse(&vmx::defaults())
        .map_err(Error::of_document)?;
    // Completing places disks and adds controllers by libvirt's rules for documents; machines have other ones.
    complete.devices.disks.clone_from(&wanted.devices.disks);
    complete
        .devices
        .controllers
        .clone_from(&wanted.devices.controllers);
    let mut plan = Plan::new(machine);
    plan.compare(&present.devices, &complete.devices)?;
    spec.device_change = plan.into_changes()?;
    if spec == VirtualMachineConfigSpec::default() {
        return Ok(None);
    }
    spec.change_version.clone_from(&machine.change_version);
    Ok(Some(spec))
}

/// The specification of a new machine.
///
/// # Errors
/// libvirt's error for what VMware does not have.
pub(super) fn config_spec(wanted: &DomainDef, hardware: u32) -> Result<VirtualMachineConfigSpec> {
    let nothing = Hardware::nothing(hardware);
    let mut spec = settings(None, wanted, hardware)?;
    let mut complete = wanted.clone();
    complete
        .post_parse(&vmx::defaults())
        .map_err(Error::of_document)?;
    let mut plan = Plan::new(&nothing);
    // The host makes the video card.
    complete.devices.videos.clear();
    plan.compare(&Devices::default(), &complete.devices)?;
    spec.device_change = plan.into_changes()?;
    Ok(spec)
}

/// What is done to devices, by kind: what is removed makes room for what is added.
struct Plan<'a> {
    machine: &'a Hardware,
    edits: Vec<Poly<VirtualDevice>>,
    /// Devices, then their controllers.
    removals: Vec<Name>,
    controllers: Vec<Wanted>,
    /// Disks of a controller that is replaced.
    moved: Vec<(Name, Poly<VirtualDevice>)>,
    additions: Vec<Wanted>,
}

impl<'a> Plan<'a> {
    fn new(machine: &'a Hardware) -> Plan<'a> {
        Plan {
            machine,
            edits: Vec::new(),
            removals: Vec::new(),
            controllers: Vec::new(),
            moved: Vec::new(),
            additions: Vec::new(),
        }
    }

    fn compare(&mut self, present: &Devices, wanted: &Devices) -> Result<()> {
        let slots = self.disks(&present.disks, &wanted.disks)?;
        self.cards(&present.interfaces, &wanted.interfaces)?;
        self.ports(
            &present.serials,
            &wanted.serials,
            Name::Serial,
            Device::Serial,
        )?;
        self.ports(
            &present.parallels,
            &wanted.parallels,
            Name::Parallel,
            Device::Parallel,
        )?;
        self.single(&present.tpms, &wanted.tpms, Device::Tpm)?;
        self.single(&[], &wanted.sounds, Device::Sound)?;
        for video in left_over(&wanted.videos, &present.videos) {
            self.apply(&Device::Video(video.clone()), true)?;
        }
        self.controllers(&present.controllers, &wanted.controllers, &slots)
    }

    /// Compares disks and drives, each by its place. Returns the places of all that are wanted.
    fn disks(&mut self, present: &[Disk], wanted: &[Disk]) -> Result<BTreeSet<Slot>> {
        let is_same = |one: &Disk, other: &Disk| {
            let mut one = one.clone();
            // A disk without an address is where its name says.
            if one.info.address.is_none() {
                one.info.address.clone_from(&other.info.address);
            }
            one == *other
        };
        let mut slots = BTreeSet::new();
        let mut old = BTreeSet::new();
        for disk in present {
            let slot = self.slot(disk)?;
            match wanted.iter().any(|wanted| is_same(wanted, disk)) {
                true => slots.insert(slot),
                false => old.insert(slot),
            };
        }
        for disk in wanted {
            if present.iter().any(|present| is_same(disk, present)) {
                continue;
            }
            let device = Device::Disk(disk.clone());
            let Some(wanted) = Wanted::of(&device, self.machine)? else {
                continue;
            };
            let Name::Disk(slot) = wanted.name else {
                continue;
            };
            if !slots.insert(slot) {
                let dev = &disk.target.dev;
                let message = format!("target '{dev}' duplicated");
                return Err(invalid(ErrorNumber::XmlError, message)
                    .advise(format!("another disk is at {slot}")));
            }
            self.apply_wanted(wanted, old.remove(&slot))?;
        }
        for slot in old {
            self.remove(Name::Disk(slot))?;
        }
        Ok(slots)
    }

    /// The place of a disk of the machine.
    fn slot(&self, disk: &Disk) -> Result<Slot> {
        let dev = &disk.target.dev;
        let slot = self.machine.slot(disk.target.bus, dev);
        slot.ok_or_else(|| gone(format!("no target device {dev}")))
    }

    /// Compares network cards: by their MAC addresses, and the rest in their order, if they are of one model.
    fn cards(&mut self, present: &[Interface], wanted: &[Interface]) -> Result<()> {
        let mut old: Vec<&Interface> = left_over(present, wanted);
        let mut new: Vec<&Interface> = left_over(wanted, present);
        let has_address =
            |card: &Interface| card.mac.is_some_and(|mac| mac != MacAddress::default());
        let mut pairs = Vec::new();
        new.retain(|card| {
            let alike = old
                .iter()
                .position(|old| has_address(card) && old.mac == card.mac);
            alike
                .map(|at| pairs.push((old.remove(at), *card)))
                .is_none()
        });
        new.retain(|card| {
            let alike = old.iter().position(|old| old.model == card.model);
            alike
                .map(|at| pairs.push((old.remove(at), *card)))
                .is_none()
        });
        for (old, new) in pairs {
            let (name, device) = self.card(old)?;
            let wanted = Device::Interface(new.clone());
            let Some(wanted) = Wanted::of(&wanted, self.machine)? else {
                continue;
            };
            match wanted.applied(device, self.machine)? {
                Applied::Same => {}
                Applied::Edited(device) => self.edits.push(device),
                Applied::Other => {
                    self.removals.push(name);
                    self.additions.push(wanted);
                }
            }
        }
        for card in old {
            let (name, _) = self.card(card)?;
            self.removals.push(name);
        }
        for card in new {
            let wanted = Wanted::of(&Device::Interface(card.clone()), self.machine)?;
            self.additions.extend(wanted);
        }
        Ok(())
    }

    /// The only card of the machine with the address of a card of its definition.
    fn card(&self, card: &Interface) -> Result<(Name, &'a Poly<VirtualDevice>)> {
        let mac = card.mac.unwrap_or_default();
        let found: Vec<_> = self
            .machine
            .named()
            .filter(|(_, device)| {
                let found = device.cast::<VirtualEthernetCard>();
                found.is_some_and(|found| mac_of(found).unwrap_or_default() == mac)
            })
            .collect();
        match found.as_slice() {
            [(name, device)] => Ok((*name, *device)),
            [] => Err(gone(format!("no device matching MAC address {mac} found"))),
            _ => Err(Error::new(
                ErrorKind::Ambiguous,
                ErrorNumber::OperationFailed,
                format!("multiple devices matching MAC address {mac} found"),
            )),
        }
    }

    /// Compares ports, each by its number.
    fn ports(
        &mut self,
        present: &[CharDevice],
        wanted: &[CharDevice],
        name: fn(u32) -> Name,
        device: fn(CharDevice) -> Device,
    ) -> Result<()> {
        let number = |port: &CharDevice| port.target_port.unwrap_or_default();
        let mut old: BTreeSet<u32> = left_over(present, wanted).into_iter().map(number).collect();
        let new = left_over(wanted, present);
        let new: BTreeMap<u32, &CharDevice> =
            new.into_iter().map(|port| (number(port), port)).collect();
        let added: Vec<u32> = new
            .keys()
            .copied()
            .filter(|number| !old.contains(number))
            .collect();
        let gone: Vec<u32> = old
            .iter()
            .copied()
            .filter(|number| !new.contains_key(number))
            .collect();
        for (number, port) in new {
            let is_old = old.remove(&number);
            self.apply(&device(port.clone()), is_old)?;
        }
        for number in old {
            self.remove(name(number))?;
        }
        // The host gives a new port the lowest free number.
        let mut taken: BTreeSet<u32> = (0..=64)
            .filter(|number| self.machine.get(name(*number)).is_some() && !gone.contains(number))
            .collect();
        for number in added {
            if self.machine.get(name(number)).is_some() {
                continue;
            }
            let next = (0..).find(|free| !taken.contains(free)).unwrap_or_default();
            if next != number {
                let kind = name(number);
                let message = format!("there is no port {kind} without {}", name(next));
                return Err(invalid(ErrorNumber::ConfigUnsupported, message)
                    .advise("VMware's hosts number ports one after the other"));
            }
            taken.insert(next);
        }
        Ok(())
    }

    /// Compares devices of which a machine has one.
    fn single<T: Clone + PartialEq>(
        &mut self,
        present: &[T],
        wanted: &[T],
        device: fn(T) -> Device,
    ) -> Result<()> {
        let new = left_over(wanted, present);
        let mut old = left_over(present, wanted).len();
        for one in new {
            let is_old = old > 0;
            old = old.saturating_sub(1);
            self.apply(&device(one.clone()), is_old)?;
        }
        if old > 0
            && let Some(gone) = present.first()
            && let Some(gone) = Wanted::of(&device(gone.clone()), self.machine)?
        {
            self.remove(gone.name)?;
        }
        Ok(())
    }

    /// Compares controllers. Those that disks need stay, and the missing ones come with the disks.
    fn controllers(
        &mut self,
        present: &[Controller],
        wanted: &[Controller],
        slots: &BTreeSet<Slot>,
    ) -> Result<()> {
        // Controllers that VMware does not have are left out, as from VMX files.
        let names = |controllers: &[Controller]| -> BTreeMap<Name, Controller> {
            let controllers = controllers.iter();
            let named = controllers.filter_map(|controller| {
                let name = controller_name(controller).ok().flatten()?;
                Some((name, controller.clone()))
            });
            named.collect()
        };
        let (old, new) = (names(present), names(wanted));
        let of_disk = |slot: &Slot| Name::Controller(slot.bus, slot.controller);
        let needed: BTreeSet<Name> = slots.iter().map(of_disk).collect();
        for name in old.keys() {
            let is_used = self.attached(*name).next().is_some();
            let stays = new.contains_key(name) || needed.contains(name) || is_used;
            if !stays && self.machine.get(*name).is_some() {
                self.removals.push(*name);
            }
        }
        for (name, controller) in new {
            let found = self.machine.get(name);
            // libvirt adds controllers without a model up to the last one that a disk is on, and counts 6 ports of a SATA
            // controller where VMware has 30. So documents have controllers that no machine needs; disks bring theirs along.
            if found.is_none() && (old.contains_key(&name) || controller.model.is_none()) {
                continue;
            }
            let device = Device::Controller(controller);
            let Some(wanted) = Wanted::of(&device, self.machine)? else {
                continue;
            };
            match found {
                None => self.controllers.push(wanted),
                Some(found) => {
                    if let Applied::Other = wanted.applied(found, self.machine)? {
                        self.replace_controller(name, wanted);
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes a controller one of another model, with its disks.
    fn replace_controller(&mut self, name: Name, wanted: Wanted) {
        let attached: Vec<_> = self.attached(name).collect();
        for (disk, device) in attached {
            let edited = self.edits.iter().position(|edit| edit.key == device.key);
            let device = match edited {
                Some(at) => self.edits.remove(at),
                None => device.clone(),
            };
            self.removals.push(disk);
            self.moved.push((disk, device));
        }
        self.removals.push(name);
        self.controllers.push(wanted);
    }

    /// The disks on a controller that stay.
    fn attached(&self, controller: Name) -> impl Iterator<Item = (Name, &'a Poly<VirtualDevice>)> {
        self.machine.named().filter(move |(name, _)| match name {
            Name::Disk(slot) => {
                Name::Controller(slot.bus, slot.controller) == controller
                    && !self.removals.contains(name)
            }
            _ => false,
        })
    }

    fn apply(&mut self, device: &Device, is_present: bool) -> Result<()> {
        match Wanted::of(device, self.machine)? {
            Some(wanted) => self.apply_wanted(wanted, is_present),
            None => Ok(()),
        }
    }

    /// Makes the device of that name the wanted one. `is_present`: the present definition has one, too. If it does not, the
    /// machine may still have one that documents cannot tell.
    fn apply_wanted(&mut self, wanted: Wanted, is_present: bool) -> Result<()> {
        let name = wanted.name;
        let Some(found) = self.machine.get(name) else {
            if is_present {
                return Err(gone(format!("the host has no device '{name}'")));
            }
            self.additions.push(wanted);
            return Ok(());
        };
        match wanted.applied(found, self.machine)? {
            Applied::Same => {}
            Applied::Edited(device) => self.edits.push(device),
            Applied::Other => {
                if is_present {
                    self.removals.push(name);
                }
                // If it is not in the present definition, it is refused as taken.
                self.additions.push(wanted);
            }
        }
        Ok(())
    }

    fn remove(&mut self, name: Name) -> Result<()> {
        if self.machine.get(name).is_none() {
            return Err(gone(format!("the host has no device '{name}'")));
        }
        self.removals.push(name);
        Ok(())
    }

    fn into_changes(self) -> Result<Vec<Poly<vi_types::objects::VirtualDeviceConfigSpec>>> {
        let mut changes = Changes::of(self.machine);
        for device in self.edits {
            changes.edit(device);
        }
        let (controllers, devices): (Vec<Name>, Vec<Name>) = self
            .removals
            .into_iter()
            .partition(|name| matches!(name, Name::Controller(..)));
        for name in devices.into_iter().chain(controllers) {
            changes.remove(name);
        }
        for controller in &self.controllers {
            changes.add(controller)?;
        }
        for (name, device) in self.moved {
            changes.add_device(name, device);
        }
        for device in &self.additions {
            changes.add(device)?;
        }
        Ok(changes.into_spec().device_change)
    }
}

/// The items that the other list does not have.
fn left_over<'l, T: PartialEq>(list: &'l [T], other: &[T]) -> Vec<&'l T> {
    let mut other: Vec<&T> = other.iter().collect();
    let items = list.iter().filter(|item| {
        let alike = other.iter().position(|other| other == item);
        alike.map(|at| other.remove(at)).is_none()
    });
    items.collect()
}

/// The error for a device of the definition that the host does not have.
fn gone(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Device);
    Error::new(kind, ErrorNumber::DeviceMissing, message)
}
