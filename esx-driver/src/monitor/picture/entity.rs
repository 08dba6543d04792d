//! Hosts, datastores and resource pools, and what is above them.

use vi_client::retrieve::{ObjectProperties, PropertyError, PropertySet as _};
use vi_types::ManagedObjectReference;
use vi_types::objects::{AlarmState, ResourcePoolResourceUsage};

use super::Picture;
use crate::monitor::inventory::{Inventory, Kind, shown};
use crate::monitor::measure::Measures;
use crate::monitor::snapshot::{
    MonitoredAlarm, MonitoredDatastore, MonitoredHost, MonitoredResourcePool, ResourcePoolUsage,
};
use crate::monitor::table::Shown;
use crate::monitor::usage::{HostUsage, number};
use crate::monitor::watched::{
    ComputeEntity, DatacenterEntity, FolderEntity, Host, HostSince5, Pool, Store,
};

pub(in crate::monitor) struct HostRow {
    /// What the properties say, without the names of places.
    base: MonitoredHost,
    pub(in crate::monitor) is_measured: bool,
    pub(super) usage: HostUsage,
    pub(super) domains: u32,
    pub(in crate::monitor) measures: Measures,
}

pub(super) struct StoreRow {
    base: MonitoredDatastore,
    parent: Option<ManagedObjectReference>,
    pub(super) domains: u32,
}

pub(super) struct PoolRow {
    base: MonitoredResourcePool,
    owner: Option<ManagedObjectReference>,
    pub(super) domains: u32,
}

impl Picture {
    pub(super) fn datastore_changed(
        &mut self,
        moref: ManagedObjectReference,
        mut properties: ObjectProperties,
    ) {
        let Ok(store) = Store::from_properties(&mut properties) else {
            return;
        };
        let summary = store.summary;
        let base = MonitoredDatastore {
            moref: moref.clone(),
            name: shown(&summary.name).into(),
            kind: summary.r#type,
            url: summary.url,
            capacity_bytes: number(Some(summary.capacity)).unwrap_or(0),
            free_bytes: number(Some(summary.free_space)).unwrap_or(0),
            uncommitted_bytes: number(summary.uncommitted),
            is_accessible: summary.accessible,
            maintenance_mode: summary.maintenance_mode,
            status: store.status.unwrap_or_default(),
            hosts: count(store.hosts.len()),
            alarms: alarms(store.alarms),
            ..MonitoredDatastore::default()
        };
        match self.datastores.change(&moref) {
            Some(row) => {
                row.base = base;
                row.parent = store.parent;
            }
            None => {
                self.has_moved = true;
                let row = StoreRow {
                    base,
                    parent: store.parent,
                    domains: 0,
                };
                self.datastores.add(moref, row);
            }
        }
    }

    /// Takes what has a place in the inventory and lets others be in it.
    pub(super) fn entity_changed(
        &mut self,
        moref: ManagedObjectReference,
        kind: Kind,
        mut properties: ObjectProperties,
    ) {
        let found = &mut properties;
        let placed = match kind {
            Kind::Folder | Kind::StoragePod => {
                FolderEntity::from_properties(found).map(|found| (found.name, found.parent))
            }
            Kind::Datacenter => {
                DatacenterEntity::from_properties(found).map(|found| (found.name, found.parent))
            }
            Kind::Compute | Kind::Cluster => {
                ComputeEntity::from_properties(found).map(|found| (found.name, found.parent))
            }
            Kind::Host => self.host_changed(&moref, found),
            Kind::Pool => self.pool_changed(&moref, found),
        };
        // What the user may not see has no name.
        if let Ok((name, parent)) = placed
            && self.inventory.set(&moref, kind, &name, parent)
        {
            self.names_changed();
        }
    }

    fn host_changed(
        &mut self,
        moref: &ManagedObjectReference,
        found: &mut ObjectProperties,
    ) -> Result<Placed, PropertyError> {
        let host = Host::from_properties(found)?;
        let since_5 = HostSince5::from_properties(found).ok();
        let hardware = host.hardware.unwrap_or_default();
        let base = MonitoredHost {
            moref: moref.clone(),
            name: shown(&host.name).into(),
            power_state: host.power_state.unwrap_or_default(),
            standby_mode: since_5.and_then(|found| found.standby_mode),
            in_maintenance: host.in_maintenance.unwrap_or(false),
            status: host.status.unwrap_or_default(),
            boot_time: host.boot_time,
            vendor: hardware.vendor,
            model: hardware.model,
            cpu_model: hardware.cpu_model,
            uuid: hardware.uuid,
            product: host.product.unwrap_or_default(),
            version: host.version.unwrap_or_default(),
            build: host.build.unwrap_or_default(),
            cpu_packages: u32::try_from(hardware.num_cpu_pkgs).unwrap_or(0),
            cpu_cores: u32::try_from(hardware.num_cpu_cores).unwrap_or(0),
            cpu_threads: u32::try_from(hardware.num_cpu_threads).unwrap_or(0),
            core_mhz: number(Some(hardware.cpu_mhz)).unwrap_or(0),
            memory_bytes: number(Some(hardware.memory_size)).unwrap_or(0),
            alarms: alarms(host.alarms),
            connection_state: host.connection,
            ..MonitoredHost::default()
        };
        let is_measured = base.is_measured();
        match self.hosts.change(moref) {
            Some(row) => {
                row.base = base;
                row.is_measured = is_measured;
                if !is_measured {
                    row.measures.stop();
                }
            }
            None => {
                self.has_moved = true;
                let row = HostRow {
                    base,
                    is_measured,
                    usage: HostUsage::default(),
                    domains: 0,
                    measures: Measures::default(),
                };
                self.hosts.add(moref.clone(), row);
            }
        }
        Ok((host.name, host.parent))
    }

    fn pool_changed(
        &mut self,
        moref: &ManagedObjectReference,
        found: &mut ObjectProperties,
    ) -> Result<Placed, PropertyError> {
        let pool = Pool::from_properties(found)?;
        let (cpu, memory) = pool
            .runtime
            .map(|runtime| (runtime.cpu, runtime.memory))
            .unzip();
        let base = MonitoredResourcePool {
            moref: moref.clone(),
            name: shown(&pool.name).into(),
            status: pool.status.unwrap_or_default(),
            cpu_mhz: usage(cpu, pool.cpu_reservation),
            // The reservation is in MiB, what is used of it in bytes.
            memory_bytes: usage(memory, pool.memory_reservation.map(|mib| mib << 20)),
            alarms: alarms(pool.alarms),
            ..MonitoredResourcePool::default()
        };
        match self.pools.change(moref) {
            Some(row) => {
                row.base = base;
                row.owner = pool.owner;
            }
            None => {
                self.has_moved = true;
                let row = PoolRow {
                    base,
                    owner: pool.owner,
                    domains: 0,
                };
                self.pools.add(moref.clone(), row);
            }
        }
        Ok((pool.name, pool.parent))
    }
}

/// A name and the entity above.
type Placed = (String, Option<ManagedObjectReference>);

fn usage(usage: Option<ResourcePoolResourceUsage>, reservation: Option<i64>) -> ResourcePoolUsage {
    let Some(usage) = usage else {
        return ResourcePoolUsage::default();
    };
    let number = |value| number(Some(value)).unwrap_or(0);
    ResourcePoolUsage {
        usage: number(usage.overall_usage),
        limit: number(usage.max_usage),
        reservation: number(reservation.unwrap_or(0)),
        reservation_used: number(usage.reservation_used),
        reservation_left: number(usage.unreserved_for_vm),
    }
}

fn alarms(alarms: Vec<AlarmState>) -> Vec<MonitoredAlarm> {
    alarms.into_iter().map(Into::into).collect()
}

impl From<AlarmState> for MonitoredAlarm {
    fn from(state: AlarmState) -> Self {
        Self {
            alarm: state.alarm.value,
            status: state.overall_status,
            time: state.time,
            acknowledged: state.acknowledged.unwrap_or(false),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Shown for MonitoredHost {
    fn sort_key(&self) -> &str {
        &self.name
    }
}

impl Shown for MonitoredDatastore {
    fn sort_key(&self) -> &str {
        &self.name
    }
}

impl Shown for MonitoredResourcePool {
    fn sort_key(&self) -> &str {
        &self.path
    }
}

impl HostRow {
    pub(super) fn show(&self, inventory: &mut Inventory) -> MonitoredHost {
        let mut host = self.base.clone();
        let place = inventory.place(Some(&host.moref));
        host.cluster = place.cluster;
        host.datacenter = place.datacenter;
        host.domains = self.domains;
        if self.is_measured {
            host.cpu_usage_mhz = self.usage.cpu_mhz;
            host.memory_usage_kib = self.usage.memory_kib;
            host.uptime_seconds = self.usage.uptime_seconds;
        }
        host.sampled = self.measures.sampled.clone();
        host.counters.clone_from(&self.measures.counters);
        host
    }
}

impl StoreRow {
    pub(super) fn show(&self, inventory: &mut Inventory) -> MonitoredDatastore {
        let mut store = self.base.clone();
        let place = inventory.place(self.parent.as_ref());
        store.datacenter = place.datacenter;
        store.cluster = place.storage_pod;
        store.domains = self.domains;
        store
    }
}

impl PoolRow {
    pub(super) fn show(&self, inventory: &mut Inventory) -> MonitoredResourcePool {
        let mut pool = self.base.clone();
        let place = inventory.place(Some(&pool.moref));
        pool.datacenter = place.datacenter;
        pool.path = place.pool;
        pool.owner = inventory.name(self.owner.as_ref());
        pool.domains = self.domains;
        pool
    }
}
