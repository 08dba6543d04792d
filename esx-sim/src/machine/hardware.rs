//! Versions of virtual hardware, and what they limit.

use vi_types::Poly;
use vi_types::objects::{
    ParaVirtualScsiController, VirtualAhciController, VirtualDevice, VirtualE1000e,
    VirtualEthernetCard, VirtualFloppy, VirtualHdAudioCard, VirtualLsiLogicSasController,
    VirtualMachineConfigInfo, VirtualNvmeController, VirtualParallelPort, VirtualPrecisionClock,
    VirtualSerialPort, VirtualTpm, VirtualUsb, VirtualUsbxhciController, VirtualVmxnet3,
    VirtualWdt,
};

use crate::world::World;

/// A version of virtual hardware, such as 20 for `vmx-20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hardware(u32);

impl Hardware {
    /// That of ESX 2.
    pub(crate) const OLDEST: Self = Self(3);

    /// Reads `vmx-20`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("vmx-")?.parse().ok().map(Self)
    }

    /// The version of a machine. One that is not understood is as old as can be.
    pub(crate) fn of(config: &VirtualMachineConfigInfo) -> Self {
        Self::parse(&config.version).unwrap_or(Self::OLDEST)
    }

    /// Whether hosts of the simulated release run it.
    pub(crate) fn runs_on(self, world: &World) -> bool {
        let newest = Self::parse(world.release().hardware);
        self >= Self::OLDEST && newest.is_none_or(|newest| self <= newest)
    }

    /// 7 for `vmx-07`.
    pub(crate) fn number(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    /// `vmx-07`.
    pub(crate) fn name(self) -> String {
        format!("vmx-{:02}", self.0)
    }

    /// The largest number of virtual processors (VMware's "Configuration Maximums").
    pub(crate) fn most_cpus(self) -> i32 {
        match self.0 {
            ..7 => 4,
            7 => 8,
            8 => 32,
            9..11 => 64,
            11..18 => 128,
            _ => 768,
        }
    }

    /// The largest amount of memory in MB (VMware's "Configuration Maximums").
    pub(crate) fn most_memory_mb(self) -> i64 {
        match self.0 {
            ..7 => 65_532,
            7 => 255 << 10,
            8..11 => 1011 << 10,
            11..13 => 4080 << 10,
            13..18 => 6128 << 10,
            _ => 24_560 << 10,
        }
    }

    /// Whether processors, memory and devices other than SCSI disks can be added to a running machine.
    pub(crate) fn has_hot_plug(self) -> bool {
        self.0 >= 7
    }

    /// The number of units of a SCSI controller, of which one is the controller's own.
    pub(crate) fn scsi_units(self, is_para_virtual: bool) -> i32 {
        match is_para_virtual && self.0 >= 14 {
            true => 65,
            false => 16,
        }
    }

    /// The largest number of devices like this one in a machine. `None` if there is no limit of the kind.
    pub(crate) fn most(self, device: &Poly<VirtualDevice>) -> Option<usize> {
        if device.is::<VirtualEthernetCard>() {
            return Some(if self.0 < 7 { 4 } else { 10 });
        }
        if device.is::<VirtualSerialPort>() {
            return Some(if self.0 < 11 { 4 } else { 32 });
        }
        let one = device.is::<VirtualTpm>()
            || device.is::<VirtualWdt>()
            || device.is::<VirtualPrecisionClock>();
        let others = [
            (one, 1),
            (device.is::<VirtualFloppy>(), 2),
            (device.is::<VirtualParallelPort>(), 3),
            (device.is::<VirtualUsb>(), 20),
        ];
        let mut others = others.into_iter();
        others.find_map(|(is_it, most)| is_it.then_some(most))
    }
}

/// Whether machines of a version can have a device.
pub(crate) fn has(hardware: Hardware, device: &Poly<VirtualDevice>) -> bool {
    needed_by(device).is_none_or(|needed| hardware >= needed)
}

/// The version that devices of a type came with, if it is not the oldest one.
pub(crate) fn needed_by(device: &Poly<VirtualDevice>) -> Option<Hardware> {
    let known = [
        (device.is::<VirtualVmxnet3>(), 7),
        (device.is::<ParaVirtualScsiController>(), 7),
        (device.is::<VirtualLsiLogicSasController>(), 7),
        (device.is::<VirtualE1000e>(), 8),
        (device.is::<VirtualUsbxhciController>(), 8),
        (device.is::<VirtualHdAudioCard>(), 8),
        (device.is::<VirtualAhciController>(), 10),
        (device.is::<VirtualNvmeController>(), 13),
        (device.is::<VirtualTpm>(), 14),
        (device.is::<VirtualWdt>(), 17),
        (device.is::<VirtualPrecisionClock>(), 17),
    ];
    let mut known = known.into_iter();
    known.find_map(|(is_it, version)| is_it.then_some(Hardware(version)))
}

/// The same kind of device, of which a machine can have only so many.
pub(crate) fn is_same_kind(one: &Poly<VirtualDevice>, other: &Poly<VirtualDevice>) -> bool {
    match one.is::<VirtualEthernetCard>() {
        true => other.is::<VirtualEthernetCard>(),
        false => one.type_name() == other.type_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_written() {
        for (text, version) in [("vmx-04", 4), ("vmx-7", 7), ("vmx-20", 20)] {
            assert_eq!(Hardware::parse(text), Some(Hardware(version)));
        }
        assert_eq!(Hardware(7).name(), "vmx-07");
        for text in ["", "20", "vmx-", "vmx-x"] {
            assert_eq!(Hardware::parse(text), None);
        }
    }

    #[test]
    fn newer_hardware_has_more() {
        let limits = |version| {
            let hardware = Hardware(version);
            (hardware.most_cpus(), hardware.most_memory_mb())
        };
        let all: Vec<_> = (3..22).map(limits).collect();
        assert!(all.is_sorted());
    }
}
