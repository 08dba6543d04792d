//! A virtual machine's properties as a domain of a snapshot.

use tracing::debug;
use vi_client::retrieve::{ObjectProperties, PropertySet as _};
use vi_types::enums::{VirtualMachineConnectionState, VirtualMachinePowerState};
use vi_types::objects::{GuestDiskInfo, VirtualMachineSnapshotTree};
use vi_types::{Enum as _, ManagedObjectReference};
use virt_model::StateReason;

use super::Picture;
use crate::domain::{measured_cards, measured_disks, state};
use crate::monitor::inventory::{Inventory, shown};
use crate::monitor::measure::Measures;
use crate::monitor::snapshot::{
    DomainUsage, MonitoredDisk, MonitoredDomain, MonitoredGuest, MonitoredGuestDisk,
    MonitoredInterface, MonitoredSnapshot,
};
use crate::monitor::table::Shown;
use crate::monitor::usage::{from_mib, number};
use crate::monitor::watched::{
    Devices, Guest, GuestSince5, Machine, MachineAlarms, MachineSince5, Snapshots,
};
use crate::{Connect, DatastorePath};

/// A domain.
pub(in crate::monitor) struct DomainRow {
    /// What the properties say, without the names of places.
    base: MonitoredDomain,
    folder: Option<ManagedObjectReference>,
    resource_pool: Option<ManagedObjectReference>,
    datastores: Vec<ManagedObjectReference>,
    /// Whether it runs on a host that can be reached, so that there is something to measure.
    pub(in crate::monitor) is_measured: bool,
    pub(in crate::monitor) usage: DomainUsage,
    pub(in crate::monitor) measures: Measures,
}

impl Shown for MonitoredDomain {
    fn sort_key(&self) -> &str {
        &self.name
    }
}

impl Picture {
    pub(super) fn domain_changed(
        &mut self,
        moref: ManagedObjectReference,
        properties: ObjectProperties,
    ) {
        let row = match read(&self.connect, properties) {
            Ok(row) => row,
            Err(error) => {
                // A machine that is being created lacks properties. One that was a domain keeps its last state.
                debug!(%moref, %error, "a virtual machine that is no domain");
                return;
            }
        };
        match self.domains.change(&moref) {
            Some(known) => {
                self.has_moved |= !known.places().eq(row.places());
                known.folder = row.folder;
                known.resource_pool = row.resource_pool;
                known.datastores = row.datastores;
                known.is_measured = row.is_measured;
                known.base = row.base;
                if !known.is_measured {
                    known.measures.stop();
                }
            }
            None => {
                self.has_moved = true;
                self.domains.add(moref, row);
            }
        }
    }
}

fn read(connect: &Connect, mut properties: ObjectProperties) -> crate::Result<DomainRow> {
    let found = &mut properties;
    let machine = Machine::from_properties(found).map_err(crate::Error::missing_property)?;
    let since_5 = MachineSince5::from_properties(found).ok();
    let devices = Devices::from_properties(found).map(|found| found.devices);
    let devices = devices.unwrap_or_default();
    let guest = guest(found);
    let snapshots = Snapshots::from_properties(found).map(|found| found.roots);
    let alarms = MachineAlarms::from_properties(found).map(|found| found.alarms);
    let (domain, power_state) = connect.identify_with_state(properties)?;

    let connected = VirtualMachineConnectionState::Connected;
    let connection = machine.connection.unwrap_or(connected.clone());
    let is_connected = connection == connected;
    let libvirt = connect.uri().libvirt().unwrap_or_default();
    let disks = measured_disks(&devices, machine.version.as_deref(), libvirt).into_iter();
    let disks = disks.map(|disk| MonitoredDisk {
        target: disk.target,
        instance: disk.instance,
        source: disk.source,
        capacity_bytes: disk.capacity,
        ..MonitoredDisk::default()
    });
    let interfaces = measured_cards(&devices).into_iter();
    let interfaces = interfaces.map(|card| MonitoredInterface {
        name: card.name,
        instance: card.instance,
        mac: card.mac,
        source: card.source,
        is_connected: card.is_connected,
        ..MonitoredInterface::default()
    });
    let config_file = machine.config_file.unwrap_or_default();
    let datastore = config_file.parse::<DatastorePath>().ok();
    let storage = since_5.as_ref().and_then(|found| found.storage.as_ref());
    let max_memory_kib = from_mib(machine.memory_mib).unwrap_or(0);
    let base = MonitoredDomain {
        name: domain.name().to_owned(),
        uuid: domain.uuid(),
        id: domain.id(),
        moref: domain.moref().clone(),
        state: state(&power_state),
        reason: StateReason::UNKNOWN,
        is_connected,
        is_template: machine.template.unwrap_or(false),
        status: machine.status.unwrap_or_default(),
        host: machine.host,
        datastore: datastore.map_or_else(String::new, |path| path.datastore().to_owned()),
        config_file,
        vcpus: machine
            .cpus
            .and_then(|cpus| u32::try_from(cpus).ok())
            .unwrap_or(0),
        max_memory_kib,
        memory_kib: max_memory_kib,
        guest_os: machine.guest_os.unwrap_or_default(),
        max_cpu_mhz: number(machine.max_cpu_mhz),
        boot_time: machine.boot_time,
        committed_bytes: number(storage.map(|storage| storage.committed)),
        uncommitted_bytes: number(storage.map(|storage| storage.uncommitted)),
        needs_consolidation: since_5.is_some_and(|found| found.needs_consolidation == Some(true)),
        guest,
        question: machine.question.map(Into::into),
        snapshots: snapshots_of(&snapshots.unwrap_or_default()),
        alarms: alarms
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        disks: disks.collect(),
        interfaces: interfaces.collect(),
        ..MonitoredDomain::default()
    };
    Ok(DomainRow {
        base,
        folder: machine.parent,
        resource_pool: machine.resource_pool,
        datastores: machine.datastore,
        is_measured: is_connected && power_state == VirtualMachinePowerState::PoweredOn,
        usage: DomainUsage::default(),
        measures: Measures::default(),
    })
}

fn guest(found: &mut ObjectProperties) -> MonitoredGuest {
    let Ok(guest) = Guest::from_properties(found) else {
        return MonitoredGuest::default();
    };
    let since_5 = GuestSince5::from_properties(found).ok();
    let (tools_running, tools_version_status) = since_5
        .map(|found| (found.tools_running, found.tools_version_status))
        .unwrap_or_default();
    let disk = |disk: GuestDiskInfo| {
        Some(MonitoredGuestDisk {
            path: disk.disk_path?,
            capacity_bytes: number(disk.capacity)?,
            free_bytes: number(disk.free_space)?,
        })
    };
    MonitoredGuest {
        tools_running,
        tools_version: guest.tools_version,
        tools_version_status,
        tools_status: guest.tools_status.map(|status| status.as_str().to_owned()),
        state: guest.state,
        host_name: guest.host_name,
        ip_address: guest.ip_address,
        disks: guest.disks.into_iter().filter_map(disk).collect(),
    }
}

/// The snapshots, each before its children.
fn snapshots_of(roots: &[VirtualMachineSnapshotTree]) -> Vec<MonitoredSnapshot> {
    let mut snapshots = Vec::new();
    let mut open: Vec<_> = roots.iter().rev().map(|root| (root, 0)).collect();
    while let Some((node, depth)) = open.pop() {
        snapshots.push(MonitoredSnapshot {
            name: shown(&node.name),
            created: node.create_time.clone(),
            depth,
        });
        let children = node.child_snapshot_list.iter().rev();
        open.extend(children.map(|child| (child, depth + 1)));
    }
    snapshots
}

impl DomainRow {
    /// The host, the pool and the datastores.
    pub(super) fn places(&self) -> impl Iterator<Item = &ManagedObjectReference> {
        let places = self.base.host.iter().chain(&self.resource_pool);
        places.chain(&self.datastores)
    }

    pub(super) fn host(&self) -> Option<&ManagedObjectReference> {
        self.base.host.as_ref()
    }

    pub(super) fn show(&self, inventory: &mut Inventory) -> MonitoredDomain {
        let mut domain = self.base.clone();
        let host = inventory.place(domain.host.as_ref());
        let folder = inventory.place(self.folder.as_ref());
        domain.host_name = inventory.name(domain.host.as_ref());
        domain.cluster = host.cluster;
        domain.datacenter = match host.datacenter.is_empty() {
            true => folder.datacenter,
            false => host.datacenter,
        };
        domain.folder = folder.folder;
        domain.resource_pool = inventory.name(self.resource_pool.as_ref());
        if self.is_measured {
            domain.usage = self.usage.clone();
            let ballooned = self.usage.ballooned_kib.unwrap_or(0);
            domain.memory_kib = domain.max_memory_kib.saturating_sub(ballooned);
        }
        self.measures.show(&mut domain);
        domain
    }
}
