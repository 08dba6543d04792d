//! What devices can come, go and change in a power state, and how many of them there can be.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::objects::{
    VirtualAhciController, VirtualCdrom, VirtualDevice, VirtualDisk, VirtualEthernetCard,
    VirtualFloppy, VirtualIdeController, VirtualNvmeController, VirtualScsiController, VirtualUsb,
    VirtualUsbController, VirtualUsbxhciController,
};
use vi_types::{Poly, SoapFault};

use super::Change;
use super::fault::{invalid, newer_than_hardware, no_hot_plug, too_many_devices};
use crate::fault;
use crate::machine::hardware;

/// Whether a device comes or goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

impl Change<'_> {
    /// Fails unless the host and the machine's hardware know such devices.
    pub(super) fn check_known(
        &self,
        index: i32,
        device: &Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        if !self.of.from_client {
            return Ok(());
        }
        if !self.of.world.since(device.as_object().info().since()) {
            return Err(invalid(index, "device"));
        }
        match hardware::needed_by(device) {
            Some(needed) if needed > self.hardware => {
                Err(newer_than_hardware(index, self.hardware, needed))
            }
            _ => Ok(()),
        }
    }

    /// Fails if the machine has all the devices of a kind that it can have.
    pub(super) fn check_number(&self, device: &Poly<VirtualDevice>) -> Result<(), SoapFault> {
        if !self.of.from_client {
            return Ok(());
        }
        let same = self.list.iter();
        let same = same.filter(|one| hardware::is_same_kind(device, one));
        match self.hardware.most(device) {
            Some(most) if same.count() >= most => Err(too_many_devices(device.type_name())),
            _ => Ok(()),
        }
    }

    /// Fails unless a device can come or go in the machine's power state.
    pub(super) fn check_plug(
        &self,
        index: i32,
        device: &Poly<VirtualDevice>,
        way: Way,
    ) -> Result<(), SoapFault> {
        let of = self.of;
        if !of.from_client || of.power == PoweredOff {
            return Ok(());
        }
        if of.power != PoweredOn || !self.is_pluggable(device, way) {
            return Err(self.wrong_power());
        }
        let is_old = !self.hardware.has_hot_plug() && !device.is::<VirtualDisk>();
        match is_old || !self.can_plug {
            true => Err(no_hot_plug(index)),
            false => Ok(()),
        }
    }

    /// Fails if a device of a machine that is not off changes more than its medium, its network, its connection, its
    /// capacity, or its shares.
    pub(super) fn check_edit(
        &self,
        old: &Poly<VirtualDevice>,
        new: &Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let of = self.of;
        if !of.from_client || of.power == PoweredOff || old == new {
            return Ok(());
        }
        let grows = |disk: Option<&VirtualDisk>| disk.map(|disk| disk.capacity_in_kb);
        let can_grow = grows(old.cast()) == grows(new.cast()) || !self.is_on_ide(new);
        match of.power == PoweredOn && can_grow && frozen(old) == frozen(new) {
            true => Ok(()),
            false => Err(self.wrong_power()),
        }
    }

    fn wrong_power(&self) -> SoapFault {
        fault::invalid_power_state(self.of.power.clone(), PoweredOff)
    }

    /// Whether such a device can come or go while a machine runs.
    fn is_pluggable(&self, device: &Poly<VirtualDevice>, way: Way) -> bool {
        if device.is::<VirtualDisk>() || device.is::<VirtualCdrom>() {
            return !self.is_on_ide(device);
        }
        if device.is::<VirtualUsbController>() || device.is::<VirtualUsbxhciController>() {
            return way == Way::In;
        }
        device.is::<VirtualScsiController>()
            || device.is::<VirtualAhciController>()
            || device.is::<VirtualNvmeController>()
            || device.is::<VirtualEthernetCard>()
            || device.is::<VirtualUsb>()
    }

    fn is_on_ide(&self, device: &Poly<VirtualDevice>) -> bool {
        let mut controllers = self.list.iter();
        let controller = controllers.find(|one| Some(one.key) == device.controller_key);
        controller.is_some_and(|controller| controller.is::<VirtualIdeController>())
    }
}

/// The part of a device that cannot change while its machine runs.
fn frozen(device: &Poly<VirtualDevice>) -> Poly<VirtualDevice> {
    let mut device = device.clone();
    device.device_info = None;
    device.connectable = None;
    if device.is::<VirtualCdrom>()
        || device.is::<VirtualFloppy>()
        || device.is::<VirtualEthernetCard>()
    {
        device.backing = None;
    }
    if let Some(card) = device.cast_mut::<VirtualEthernetCard>() {
        card.resource_allocation = None;
        card.wake_on_lan_enabled = None;
    }
    if let Some(disk) = device.cast_mut::<VirtualDisk>() {
        disk.capacity_in_kb = 0;
        disk.capacity_in_bytes = None;
        disk.shares = None;
        disk.storage_io_allocation = None;
    }
    device
}
