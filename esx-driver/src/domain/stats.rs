//! Statistics: what the host measures of its virtual machines all the time (`summary.quickStats`) and knows besides.
//!
//! The API has no counters that only grow. So libvirt's fields that are such counters (`cpu.time`, `net.0.rx.bytes`,
//! `block.0.rd.reqs`) are left out.

use vi_client::{
    property_set, retrieve::ObjectProperties, retrieve::PropertySet as _, retrieve::Retrieve,
};
use vi_types::enums::VirtualMachineConnectionState;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualDiskSeSparseBackingInfo, VirtualDiskSparseVer2BackingInfo, VirtualEthernetCard,
    VirtualMachineFileLayoutEx, VirtualMachineQuickStats,
};
use vi_types::{Poly, enums::VirtualMachinePowerState};
use virt_model::domain::{DomainMemoryStat, MemoryStatTag};
use virt_model::flags::refuse_unknown;
use virt_model::{
    DomainFilter, DomainState, ErrorNumber, StateReason, StatsFlags, StatsTypes, TypedParam,
};

use super::list::admits_state;
use super::{Domain, block, disks, identity, kib, not_running};
use crate::{Connect, Error, ErrorKind, Result};

property_set! {
    struct Memory: VirtualMachine {
        memory_mib: i32 = config.hardware.memory_mb,
    }
}

property_set! {
    struct Measured: VirtualMachine {
        connection: Option<VirtualMachineConnectionState> = runtime.connection_state,
        power_state: VirtualMachinePowerState = runtime.power_state,
        quick: Option<VirtualMachineQuickStats> = summary.quick_stats,
    }
}

property_set! {
    struct Processors: VirtualMachine {
        cpus: i32 = config.hardware.num_cpu,
    }
}

property_set! {
    struct Devices: VirtualMachine {
        version: Option<String> = config.version,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

property_set! {
    struct Layout: VirtualMachine {
        layout: Option<VirtualMachineFileLayoutEx> = layout_ex,
    }
}

/// The statistics of a domain: libvirt's `virDomainStatsRecord`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainStatsRecord {
    /// The domain.
    pub domain: Domain,
    /// The statistics, with libvirt's names and units.
    pub params: Vec<TypedParam>,
}

impl Domain {
    /// Measurements of the memory of an active domain: what the balloon leaves to the guest, and what the domain takes of
    /// the host's memory; only those that the host has. One request. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the domain is off.
    #[doc(alias = "virDomainMemoryStats")]
    pub async fn memory_stats(&self) -> Result<Vec<DomainMemoryStat>> {
        let (request, moref) = (Retrieve::from(&self.moref), &self.moref);
        let request = request.set::<Measured>().set::<Memory>();
        let found = match self.connect.client().retrieve(&request).await {
            Err(error) if error.is_not_found() => None,
            found => found?.pop(),
        };
        let gone = || super::no_domain_with_uuid(self.uuid);
        let mut found = found
            .filter(|found| found.object == *moref)
            .ok_or_else(gone)?;
        let measured = Measured::from_properties(&mut found).map_err(Error::missing_property)?;
        if measured.power_state == VirtualMachinePowerState::PoweredOff {
            return Err(not_running());
        }
        let memory = Memory::from_properties(&mut found).map_err(Error::missing_property)?;
        let Some(quick) = measured.now() else {
            return Ok(Vec::new());
        };
        let stats = [
            (
                MemoryStatTag::ActualBalloon,
                left_by_balloon(memory.memory_mib, &quick)?,
            ),
            (
                MemoryStatTag::Rss,
                quick.host_memory_usage.map(kib).transpose()?,
            ),
        ];
        let stats = stats.into_iter();
        Ok(stats
            .filter_map(|(tag, val)| Some(DomainMemoryStat { tag, val: val? }))
            .collect())
    }
}

impl Connect {
    /// Statistics of all domains that the filters of `flags` admit: one request at any number of domains (one a page if the
    /// server answers in pages).
    ///
    /// There are `state`, `balloon`, `vcpu`, `net` (the number of interfaces and their MAC addresses) and `block` (names,
    /// sources and sizes), and with [`StatsTypes::VM`] the host's own measurements by the API's names:
    /// `vm.overallCpuUsage.cur` in MHz, memory in MiB, `compressedMemory` and `ssdSwappedMemory` in KiB. What was not
    /// measured is left out. A virtual machine that is no domain is left out too. (libvirt's ESX driver has no such
    /// function.)
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for bits that libvirt does not have; [`ErrorKind::Argument`] for other statistics
    /// with [`ENFORCE_STATS`](StatsFlags::ENFORCE_STATS), which are left out without it.
    #[doc(alias = "virConnectGetAllDomainStats")]
    pub async fn all_domain_stats(
        &self,
        stats: StatsTypes,
        flags: StatsFlags,
    ) -> Result<Vec<DomainStatsRecord>> {
        let wanted = Wanted::new(stats, flags)?;
        if !wanted
            .filter
            .admits(DomainFilter::PERSISTENT, true, DomainFilter::TRANSIENT)
        {
            return Ok(Vec::new());
        }
        self.stats_of(self.virtual_machines().await?, &wanted).await
    }

    /// Statistics of these domains, in their order, as [`all_domain_stats`](Connect::all_domain_stats): one request. A
    /// domain that does not exist any more is left out.
    ///
    /// # Errors
    /// As [`all_domain_stats`](Connect::all_domain_stats).
    #[doc(alias = "virDomainListGetStats")]
    pub async fn domain_list_stats(
        &self,
        domains: &[Domain],
        stats: StatsTypes,
        flags: StatsFlags,
    ) -> Result<Vec<DomainStatsRecord>> {
        let wanted = Wanted::new(stats, flags)?;
        let Some(first) = domains.first() else {
            return Ok(Vec::new());
        };
        let mut morefs: Vec<_> = Vec::new();
        for domain in domains {
            if !morefs.contains(&domain.moref) {
                morefs.push(domain.moref.clone());
            }
        }
        let found = match morefs.len() {
            1 => self.stats_of(Retrieve::from(&first.moref), &wanted).await,
            _ => self.stats_of(Retrieve::from_each(morefs), &wanted).await,
        };
        let found = match found {
            // Some of them are gone, and the server refuses the whole request.
            Err(error) if error.cause().is_some_and(vi_client::Error::is_not_found) => {
                self.stats_of(self.virtual_machines().await?, &wanted)
                    .await?
            }
            found => found?,
        };
        let record = |domain: &Domain| {
            let mut found = found.iter();
            found
                .find(|record| record.domain.moref == domain.moref)
                .cloned()
        };
        Ok(domains.iter().filter_map(record).collect())
    }

    async fn stats_of(&self, request: Retrieve, wanted: &Wanted) -> Result<Vec<DomainStatsRecord>> {
        let request = wanted.add_to(self.with_identity(request));
        let mut records = Vec::new();
        for mut found in self.client().retrieve(&request).await? {
            let read = Read::new(&mut found, wanted.stats);
            match self.identify_with_state(found) {
                Ok((domain, power_state)) => {
                    if wanted.admits(&power_state) {
                        let libvirt = self.uri().libvirt().unwrap_or_default();
                        let params = read.params(&power_state, wanted, libvirt);
                        records.push(DomainStatsRecord { domain, params });
                    }
                }
                Err(error) => tracing::debug!(%error, "left out of the statistics"),
            }
        }
        Ok(records)
    }
}

/// The statistics that there are.
const SUPPORTED: StatsTypes = StatsTypes::from_bits(
    StatsTypes::STATE.bits()
        | StatsTypes::BALLOON.bits()
        | StatsTypes::VCPU.bits()
        | StatsTypes::INTERFACE.bits()
        | StatsTypes::BLOCK.bits()
        | StatsTypes::VM.bits(),
);

/// The flags of libvirt's filters, which are the same for lists.
const FILTERS: u32 = 0xff;

/// Which statistics of which domains.
struct Wanted {
    stats: StatsTypes,
    filter: DomainFilter,
    backing: bool,
}

impl Wanted {
    fn new(stats: StatsTypes, flags: StatsFlags) -> Result<Wanted> {
        let known = StatsFlags::NOWAIT | StatsFlags::BACKING | StatsFlags::ENFORCE_STATS;
        let known = known | StatsFlags::from_bits(FILTERS);
        refuse_unknown(flags, known, "esxConnectGetAllDomainStats")?;
        let missing = stats.without(SUPPORTED);
        if flags.contains(StatsFlags::ENFORCE_STATS) && !missing.is_empty() {
            // testDomainGetStats and others of libvirt 9.0.0.
            let bits = missing.bits();
            let message = format!("Stats types bits 0x{bits:x} are not supported by this daemon");
            let number = ErrorNumber::ArgumentUnsupported;
            return Err(Error::new(ErrorKind::Argument, number, message));
        }
        let stats = match stats.is_empty() {
            true => SUPPORTED,
            false => stats.without(missing),
        };
        Ok(Wanted {
            stats,
            filter: DomainFilter::from_bits(flags.bits() & FILTERS),
            backing: flags.contains(StatsFlags::BACKING),
        })
    }

    /// Adds the properties that are needed.
    fn add_to(&self, mut request: Retrieve) -> Retrieve {
        if self.stats.contains(StatsTypes::BALLOON) {
            request = request.set::<Memory>();
        }
        if self.stats.intersects(StatsTypes::BALLOON | StatsTypes::VM) {
            request = request.set::<Measured>();
        }
        let hardware = StatsTypes::VCPU | StatsTypes::INTERFACE | StatsTypes::BLOCK;
        if self.stats.intersects(hardware) {
            request = request.set::<Processors>();
        }
        if self
            .stats
            .intersects(StatsTypes::INTERFACE | StatsTypes::BLOCK)
        {
            request = request.set::<Devices>();
        }
        if self.stats.contains(StatsTypes::BLOCK) {
            request = request.set::<Layout>();
        }
        request
    }

    fn admits(&self, power_state: &VirtualMachinePowerState) -> bool {
        let active = *power_state != VirtualMachinePowerState::PoweredOff;
        let filter = self.filter;
        filter.admits(DomainFilter::ACTIVE, active, DomainFilter::INACTIVE)
            && admits_state(filter, identity::state(power_state))
    }
}

/// What was read of a domain; nothing of what the user may not read.
struct Read {
    memory: Option<Memory>,
    quick: Option<VirtualMachineQuickStats>,
    processors: Option<Processors>,
    devices: Option<Devices>,
    layout: Option<VirtualMachineFileLayoutEx>,
}

impl Read {
    fn new(found: &mut ObjectProperties, stats: StatsTypes) -> Read {
        let has_devices = stats.intersects(StatsTypes::INTERFACE | StatsTypes::BLOCK);
        let measured = stats.intersects(StatsTypes::BALLOON | StatsTypes::VM);
        // The power state is also a part of the identity, which is read from the same answer afterwards.
        let measured = measured
            .then(|| Quick::from_properties(found).ok())
            .flatten();
        let processors = Processors::from_properties(found).ok();
        let devices = Devices::from_properties(found).ok();
        Read {
            memory: Memory::from_properties(found).ok(),
            quick: measured.and_then(Quick::now),
            // A configuration that may not be read has no devices, and no number of processors.
            devices: devices.filter(|_| has_devices && processors.is_some()),
            processors,
            layout: Layout::from_properties(found)
                .ok()
                .and_then(|found| found.layout),
        }
    }

    fn params(
        &self,
        power_state: &VirtualMachinePowerState,
        wanted: &Wanted,
        libvirt: virt_model::LibvirtVersion,
    ) -> Vec<TypedParam> {
        let mut params = Params(Vec::new());
        let stats = wanted.stats;
        let is_on = *power_state == VirtualMachinePowerState::PoweredOn;
        let quick = self.quick.as_ref().filter(|_| is_on);
        if stats.contains(StatsTypes::STATE) {
            let (state, reason) = (identity::state(power_state), StateReason::UNKNOWN);
            params.add("state.state", number(state));
            params.add("state.reason", i32::try_from(reason.0).unwrap_or(0));
        }
        if stats.contains(StatsTypes::BALLOON) {
            self.balloon(power_state, quick, &mut params);
        }
        if let Some(found) = &self.processors
            && stats.contains(StatsTypes::VCPU)
            && let Ok(cpus) = u32::try_from(found.cpus)
        {
            params.add("vcpu.current", cpus);
            params.add("vcpu.maximum", cpus);
        }
        if let Some(found) = &self.devices {
            if stats.contains(StatsTypes::INTERFACE) {
                interfaces(&found.devices, &mut params);
            }
            if stats.contains(StatsTypes::BLOCK) {
                let drives = disks::drives(&found.devices, found.version.as_deref(), libvirt);
                blocks(&drives, self.layout.as_ref(), wanted.backing, &mut params);
            }
        }
        if let Some(quick) = quick
            && stats.contains(StatsTypes::VM)
        {
            measurements(quick, &mut params);
        }
        params.0
    }

    fn balloon(
        &self,
        power_state: &VirtualMachinePowerState,
        quick: Option<&VirtualMachineQuickStats>,
        params: &mut Params,
    ) {
        let Some(mib) = self.memory.as_ref().map(|memory| memory.memory_mib) else {
            return;
        };
        let maximum = kib(mib).ok();
        let current = match quick {
            Some(quick) => left_by_balloon(mib, quick).ok().flatten(),
            // A domain that is off has no balloon.
            None if *power_state == VirtualMachinePowerState::PoweredOff => maximum,
            None => None,
        };
        params.add_some("balloon.current", current);
        params.add_some("balloon.maximum", maximum);
        let rss = quick.and_then(|quick| quick.host_memory_usage);
        params.add_some("balloon.rss", rss.and_then(|mib| kib(mib).ok()));
    }
}

property_set! {
    /// [`Measured`] without what the identity has too.
    struct Quick: VirtualMachine {
        connection: Option<VirtualMachineConnectionState> = runtime.connection_state,
        quick: Option<VirtualMachineQuickStats> = summary.quick_stats,
    }
}

impl Quick {
    /// The measurements. A vCenter keeps the last ones of a host that it has lost.
    fn now(self) -> Option<VirtualMachineQuickStats> {
        let connected = VirtualMachineConnectionState::Connected;
        let is_lost = self
            .connection
            .is_some_and(|connection| connection != connected);
        self.quick.filter(|_| !is_lost)
    }
}

impl Measured {
    /// The measurements of a machine that runs.
    fn now(self) -> Option<VirtualMachineQuickStats> {
        let quick = Quick {
            connection: self.connection,
            quick: self.quick,
        };
        let is_on = self.power_state == VirtualMachinePowerState::PoweredOn;
        quick.now().filter(|_| is_on)
    }
}

/// A list of statistics that grows.
struct Params(Vec<TypedParam>);

impl Params {
    fn add(&mut self, field: impl Into<String>, value: impl Into<virt_model::ParamValue>) {
        self.0.push(TypedParam::new(field, value));
    }

    fn add_some(
        &mut self,
        field: impl Into<String>,
        value: Option<impl Into<virt_model::ParamValue>>,
    ) {
        if let Some(value) = value {
            self.add(field, value);
        }
    }
}

fn number(state: DomainState) -> i32 {
    i32::try_from(state.number()).unwrap_or(0)
}

/// The memory that the balloon leaves to the guest, in KiB.
fn left_by_balloon(memory_mib: i32, quick: &VirtualMachineQuickStats) -> Result<Option<u64>> {
    let ballooned = quick.ballooned_memory;
    ballooned
        .map(|ballooned| kib(memory_mib.saturating_sub(ballooned).max(0)))
        .transpose()
}

fn interfaces(devices: &[Poly<VirtualDevice>], params: &mut Params) {
    let cards = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualEthernetCard>());
    let cards: Vec<_> = cards.collect();
    params.add("net.count", count(cards.len()));
    for (index, card) in cards.into_iter().enumerate() {
        // libvirt's is the name of the host's device, which there is none of here.
        params.add_some(format!("net.{index}.name"), card.mac_address.clone());
    }
}

fn blocks(
    drives: &[disks::Drive<'_>],
    layout: Option<&VirtualMachineFileLayoutEx>,
    with_backing: bool,
    params: &mut Params,
) {
    let mut images = Params(Vec::new());
    let mut index = 0;
    for drive in drives {
        let disk = drive.disk();
        let sizes = disk
            .and_then(|disk| block::chain(layout?, disk))
            .unwrap_or_default();
        let files = match disk {
            Some(disk) if with_backing => files(disk),
            _ => drive.source.into_iter().collect(),
        };
        // An empty drive is listed too.
        for depth in 0..files.len().max(1) {
            let field = |name| format!("block.{index}.{name}");
            images.add(field("name"), drive.target.as_str());
            images.add_some(field("path"), files.get(depth).copied());
            if depth > 0 {
                images.add(field("backingIndex"), count(depth));
            }
            // The newest file is the last one of the layout.
            let size = sizes.len().checked_sub(depth + 1).map(|at| sizes[at]);
            images.add_some(field("allocation"), size);
            // The size that the guest sees; that of older files is not known.
            let capacity = disk.filter(|_| depth == 0).map(block::capacity);
            images.add_some(field("capacity"), capacity);
            images.add_some(field("physical"), size);
            index += 1;
        }
    }
    params.add("block.count", count(index));
    params.0.append(&mut images.0);
}

/// The files of a disk: the newest first, the base last.
fn files(disk: &VirtualDisk) -> Vec<&str> {
    let mut files = Vec::new();
    let Some(backing) = disk.base.backing.as_ref() else {
        return files;
    };
    macro_rules! walk {
        ($($type:ty),*) => { $(
            if let Some(backing) = backing.cast::<$type>() {
                let mut next = Some(backing);
                while let Some(backing) = next {
                    files.push(backing.base.file_name.as_str());
                    next = backing.parent.as_deref();
                }
                return files;
            }
        )* };
    }
    walk!(
        VirtualDiskFlatVer2BackingInfo,
        VirtualDiskSeSparseBackingInfo,
        VirtualDiskSparseVer2BackingInfo
    );
    let file = backing.cast::<VirtualDeviceFileBackingInfo>();
    files.extend(file.map(|file| file.file_name.as_str()));
    files
}

/// What the host measures, by the API's names.
fn measurements(quick: &VirtualMachineQuickStats, params: &mut Params) {
    let known = [
        ("overallCpuUsage", quick.overall_cpu_usage.map(i64::from)),
        ("overallCpuDemand", quick.overall_cpu_demand.map(i64::from)),
        (
            "overallCpuReadiness",
            quick.overall_cpu_readiness.map(i64::from),
        ),
        ("guestMemoryUsage", quick.guest_memory_usage.map(i64::from)),
        ("hostMemoryUsage", quick.host_memory_usage.map(i64::from)),
        (
            "distributedCpuEntitlement",
            quick.distributed_cpu_entitlement.map(i64::from),
        ),
        (
            "distributedMemoryEntitlement",
            quick.distributed_memory_entitlement.map(i64::from),
        ),
        (
            "staticCpuEntitlement",
            quick.static_cpu_entitlement.map(i64::from),
        ),
        (
            "staticMemoryEntitlement",
            quick.static_memory_entitlement.map(i64::from),
        ),
        ("grantedMemory", quick.granted_memory.map(i64::from)),
        ("privateMemory", quick.private_memory.map(i64::from)),
        ("sharedMemory", quick.shared_memory.map(i64::from)),
        ("swappedMemory", quick.swapped_memory.map(i64::from)),
        ("balloonedMemory", quick.ballooned_memory.map(i64::from)),
        (
            "consumedOverheadMemory",
            quick.consumed_overhead_memory.map(i64::from),
        ),
        ("activeMemory", quick.active_memory.map(i64::from)),
        ("compressedMemory", quick.compressed_memory),
        ("ssdSwappedMemory", quick.ssd_swapped_memory),
        ("uptimeSeconds", quick.uptime_seconds.map(i64::from)),
    ];
    for (name, value) in known {
        let value = value.and_then(|value| u64::try_from(value).ok());
        params.add_some(format!("vm.{name}.cur"), value);
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
