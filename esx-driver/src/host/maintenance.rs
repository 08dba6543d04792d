//! Maintenance mode: what a host waits for before it enters it, and entering and leaving it.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use vi_client::{
    Client, property_set,
    retrieve::{PropertySet as _, Retrieve, Selection},
};
use vi_types::{
    ManagedObjectReference, Poly,
    enums::{DrsBehavior, TaskInfoState, VirtualMachinePowerState},
    methods::{EnterMaintenanceModeTask, ExitMaintenanceModeTask},
    objects::{
        ClusterDrsVmConfigInfo, HostMaintenanceSpec, InvalidState, Timedout, VirtualCdrom,
        VirtualDevice, VirtualDeviceDeviceBackingInfo, VirtualDeviceRemoteDeviceBackingInfo,
        VirtualFloppy, VirtualParallelPort, VirtualPciPassthrough, VirtualScsiPassthrough,
        VirtualSerialPort, VirtualSriovEthernetCard, VirtualUsb, VirtualUsbRemoteHostBackingInfo,
        VsanHostDecommissionMode,
    },
    properties::{HostSystem, VirtualMachine},
    references,
};
use virt_model::ErrorNumber;
use vmx::escape::PERCENT;

use crate::{
    Connect, Error, ErrorKind, Operation, Result,
    connect::no_host,
    engine::{Change, Effect},
};

property_set! {
    struct Mode: HostSystem {
        is_in: bool = runtime.in_maintenance_mode,
        /// In the order of the list that it came from.
        machines: Vec<ManagedObjectReference> = vm,
    }
}

property_set! {
    struct IsIn: HostSystem {
        is_in: bool = runtime.in_maintenance_mode,
    }
}

property_set! {
    struct Running: VirtualMachine {
        name: Option<String> = name,
        power_state: Option<VirtualMachinePowerState> = runtime.power_state,
    }
}

property_set! {
    struct Job: Task {
        state: Option<TaskInfoState> = info.state,
        description_id: Option<String> = info.description_id,
        percent: Option<i32> = info.progress,
    }
}

property_set! {
    struct Alone: ComputeResource {
        effective_hosts: Option<i32> = summary.num_effective_hosts,
    }
}

property_set! {
    struct Cluster: ClusterComputeResource {
        effective_hosts: Option<i32> = summary.num_effective_hosts,
        is_balanced: Option<bool> = configuration.drs_config.enabled,
        behavior: Option<DrsBehavior> = configuration.drs_config.default_vm_behavior,
        has_exceptions: Option<bool> = configuration.drs_config.enable_vm_behavior_overrides,
        exceptions: Vec<ClusterDrsVmConfigInfo> = configuration.drs_vm_config,
    }
}

property_set! {
    struct Hardware: VirtualMachine {
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
        datastores: Vec<ManagedObjectReference> = datastore,
    }
}

property_set! {
    struct Store: Datastore {
        name: Option<String> = name,
        is_shared: Option<bool> = summary.multiple_host_access,
    }
}

/// Whether a host is in maintenance mode, and what it waits for before it enters it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostMaintenance {
    /// Whether it is.
    pub state: MaintenanceState,
    /// How far the task is that enters or leaves it, in percent, if there is one and the server tells.
    pub percent: Option<u8>,
    /// The domains that run on the host, in the server's order. A host enters maintenance mode when none does any more.
    pub domains: Vec<MaintenanceDomain>,
}

/// Whether a host is in maintenance mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaintenanceState {
    /// It is not.
    Out,
    /// A task waits until the host is free.
    Entering,
    /// It is.
    In,
    /// A task ends it.
    Leaving,
}

/// A domain that runs on a host, and what keeps the host from being rid of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaintenanceDomain {
    /// Its name.
    pub name: String,
    /// What keeps it on the host. Without any, the cluster moves it to another host by itself.
    pub obstacles: Vec<MaintenanceObstacle>,
}

/// What keeps a running domain on its host.
///
/// [`Display`](fmt::Display) says it in a sentence's end: `the host is on its own`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MaintenanceObstacle {
    /// There is no other host that could take it: it has to be shut down.
    NoOtherHost,
    /// The cluster has other hosts, and moves no domains by itself: somebody has to move it or to shut it
    /// down.
    NotAutomatic,
    /// The cluster moves domains by itself, but is told not to move this one: somebody has to move it or to shut it down.
    Exception(MaintenanceException),
    /// It has a device of the host, the one with this label.
    HostDevice(String),
    /// Its drive or port with this label is connected to a device of the host.
    ConnectedDevice(String),
    /// It has files on this datastore, which no other host has.
    LocalDatastore(String),
}

/// How a cluster that moves domains by itself treats a domain that it does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaintenanceException {
    /// It never touches the domain.
    Disabled,
    /// It recommends where to start and to move the domain.
    Manual,
    /// It chooses where the domain starts, and recommends where to move it.
    PartiallyAutomated,
}

impl MaintenanceException {
    /// A word for it, the server's: `disabled`, `manual`, `partiallyAutomated`.
    pub fn word(self) -> &'static str {
        match self {
            MaintenanceException::Disabled => "disabled",
            MaintenanceException::Manual => "manual",
            MaintenanceException::PartiallyAutomated => "partiallyAutomated",
        }
    }
}

/// What a host of a vSAN does with its part of the vSAN's data when it enters maintenance mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VsanEvacuation {
    /// It moves what would not be accessible any more.
    EnsureAccessibility,
    /// It moves everything to other hosts.
    EvacuateAllData,
    /// It moves nothing: data that only this host has is not accessible until it is back.
    NoAction,
}

impl VsanEvacuation {
    /// The one with this [word](VsanEvacuation::word).
    pub fn from_word(word: &str) -> Option<VsanEvacuation> {
        let all = [
            VsanEvacuation::EnsureAccessibility,
            VsanEvacuation::EvacuateAllData,
            VsanEvacuation::NoAction,
        ];
        all.into_iter().find(|evacuation| evacuation.word() == word)
    }

    /// A word for it, as VMware's tools have it: `ensureAccessibility`, `evacuateAllData`, `noAction`.
    pub fn word(self) -> &'static str {
        match self {
            VsanEvacuation::EnsureAccessibility => "ensureAccessibility",
            VsanEvacuation::EvacuateAllData => "evacuateAllData",
            VsanEvacuation::NoAction => "noAction",
        }
    }

    /// The API's word (`VsanHostDecommissionModeObjectAction`).
    fn action(self) -> &'static str {
        match self {
            VsanEvacuation::EnsureAccessibility => "ensureObjectAccessibility",
            other => other.word(),
        }
    }
}

impl MaintenanceState {
    /// A word for it: `out`, `entering`, `in`, `leaving`.
    pub fn word(self) -> &'static str {
        match self {
            MaintenanceState::Out => "out",
            MaintenanceState::Entering => "entering",
            MaintenanceState::In => "in",
            MaintenanceState::Leaving => "leaving",
        }
    }
}

impl fmt::Display for MaintenanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for MaintenanceObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaintenanceObstacle::NoOtherHost => f.write_str("no other host can take it"),
            MaintenanceObstacle::NotAutomatic => {
                f.write_str("the cluster does not move it by itself")
            }
            MaintenanceObstacle::Exception(MaintenanceException::Disabled) => {
                f.write_str("the cluster is not to move it")
            }
            MaintenanceObstacle::Exception(_) => {
                f.write_str("the cluster is only to recommend where to move it")
            }
            MaintenanceObstacle::HostDevice(label) => {
                write!(f, "'{label}' is a device of the host")
            }
            MaintenanceObstacle::ConnectedDevice(label) => {
                write!(f, "'{label}' is connected to a device of the host")
            }
            MaintenanceObstacle::LocalDatastore(name) => {
                write!(f, "only this host has the datastore '{name}'")
            }
        }
    }
}

impl MaintenanceDomain {
    /// The obstacles as one text, `the cluster moves it` if there are none.
    pub fn why(&self) -> String {
        if self.obstacles.is_empty() {
            return "the cluster moves it".to_owned();
        }
        let obstacles = self.obstacles.iter().map(ToString::to_string);
        obstacles.collect::<Vec<_>>().join(", ")
    }
}

impl HostMaintenance {
    /// What the host waits for, as one text: `'web01' (no other host can take it), 'db01' (…)`.
    fn waits_for(&self) -> String {
        // Errors are to be read by people.
        const SHOWN: usize = 10;
        let shown = self.domains.iter().take(SHOWN);
        let mut texts: Vec<_> = shown
            .map(|domain| format!("'{}' ({})", domain.name, domain.why()))
            .collect();
        if let Some(rest) = self
            .domains
            .len()
            .checked_sub(SHOWN)
            .filter(|rest| *rest > 0)
        {
            texts.push(format!("{rest} more"));
        }
        texts.join(", ")
    }
}

/// Is told what the host waits for.
type Told = dyn Fn(&HostMaintenance) + Send + Sync;

/// How a host enters maintenance mode. The default waits as long as it takes.
///
/// ```
/// # use std::time::Duration;
/// use esx_driver::MaintenanceOptions;
///
/// let options = MaintenanceOptions::new()
///     .timeout(Duration::from_secs(600))
///     .evacuate_powered_off(true)
///     .on_waiting(|maintenance| println!("{} domains still run", maintenance.domains.len()));
/// # drop(options);
/// ```
#[derive(Clone, Default)]
pub struct MaintenanceOptions {
    timeout: Option<Duration>,
    evacuate_powered_off: bool,
    vsan: Option<VsanEvacuation>,
    waiting: Option<Arc<Told>>,
}

impl MaintenanceOptions {
    /// Waits as long as it takes, and leaves what is off where it is.
    pub fn new() -> MaintenanceOptions {
        MaintenanceOptions::default()
    }

    /// How long the server waits until the host is free, in whole seconds. Then the task fails, and the host goes on as
    /// before.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> MaintenanceOptions {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a vCenter moves domains that are off or paused to other hosts, too. A host without one ignores it.
    #[must_use]
    pub fn evacuate_powered_off(mut self, evacuate: bool) -> MaintenanceOptions {
        self.evacuate_powered_off = evacuate;
        self
    }

    /// What a host of a vSAN does with its part of the data; the server's default without. A host without vSAN ignores it.
    /// Servers have it since API 5.5; older ones are not asked.
    #[must_use]
    pub fn vsan(mut self, evacuation: VsanEvacuation) -> MaintenanceOptions {
        self.vsan = Some(evacuation);
        self
    }

    /// Calls `told` with what the host waits for, at first and each time that changes. While the operation waits, the
    /// host is read every few seconds for that: up to two requests each.
    #[must_use]
    pub fn on_waiting(
        mut self,
        told: impl Fn(&HostMaintenance) + Send + Sync + 'static,
    ) -> MaintenanceOptions {
        self.waiting = Some(Arc::new(told));
        self
    }
}

impl fmt::Debug for MaintenanceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaintenanceOptions")
            .field("timeout", &self.timeout)
            .field("evacuate_powered_off", &self.evacuate_powered_off)
            .field("vsan", &self.vsan)
            .finish_non_exhaustive()
    }
}

/// How often the host is read for what it waits for.
const PAUSE: Duration = Duration::from_secs(5);

impl Connect {
    /// Whether the host is in maintenance mode, and which running domains keep it from entering it.
    ///
    /// One request, and one more for the devices and datastores of running domains. With `vcenter=` the vCenter is asked,
    /// which knows the host's cluster.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not tell whether the host is in maintenance mode.
    pub async fn host_maintenance(&self) -> Result<HostMaintenance> {
        let (client, host) = self.keeper().await?;
        let mut looked = look(&client, &host).await?;
        if !looked.running.is_empty() {
            looked.add_hardware(&client).await?;
        }
        Ok(looked.maintenance())
    }

    /// Lets the host enter maintenance mode. It does when no domain runs on it any more: a cluster that balances itself
    /// moves domains to other hosts, everything else is awaited. The task can be cancelled; then the host goes on as before.
    ///
    /// Requests: the task's call, and the waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if the time of the options is over, with the domains that the host still waited for;
    /// [`ErrorKind::WrongState`] if the host is in maintenance mode already, or on its way; what any [`Operation`] may fail
    /// with.
    pub fn enter_maintenance_mode(&self, options: MaintenanceOptions) -> Operation<'static> {
        let connect = self.clone();
        Operation::new(ENTER, move |mut runner| {
            Box::pin(async move {
                let (client, host) = connect.keeper().await?;
                let typed = references::HostSystem::from(host.clone());
                let mut request = typed.enter_maintenance_mode_task(seconds(options.timeout));
                request.evacuate_powered_off_vms = options.evacuate_powered_off.then_some(true);
                request.maintenance_spec = options.vsan.map(maintenance_spec);
                let change = connect
                    .seen_in_mode(Change::task_without_result(&client, request), true)
                    .await?;
                let entered = tokio::select! {
                    biased;
                    entered = runner.perform(change) => entered,
                    never = connect.tell_waiting(options.waiting.as_deref()) => match never {},
                };
                let Err(error) = entered else {
                    return Ok(());
                };
                let within = options.timeout.unwrap_or_default();
                Err(connect
                    .explain_busy::<EnterMaintenanceModeTask>(error, ENTER, within)
                    .await)
            })
        })
    }

    /// Ends the host's maintenance mode. `timeout` is how long the server may take; it is whole seconds.
    ///
    /// Requests: the task's call, and the waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the host is not in maintenance mode; what any [`Operation`] may fail with.
    pub fn exit_maintenance_mode(&self, timeout: Option<Duration>) -> Operation<'static> {
        const EXIT: &str = "Could not exit maintenance mode";
        let connect = self.clone();
        Operation::new(EXIT, move |mut runner| {
            Box::pin(async move {
                let (client, host) = connect.keeper().await?;
                let typed = references::HostSystem::from(host);
                let request = typed.exit_maintenance_mode_task(seconds(timeout));
                let change = connect
                    .seen_in_mode(Change::task_without_result(&client, request), false)
                    .await?;
                let Err(error) = runner.perform(change).await else {
                    return Ok(());
                };
                let refusal = error.cause().filter(|_| error.kind() == ErrorKind::Fault);
                let refusal = refusal
                    .and_then(|cause| cause.declared::<ExitMaintenanceModeTask, InvalidState>());
                if refusal.is_none() {
                    return Err(error);
                }
                match connect.host_maintenance().await.map(|now| now.state) {
                    Ok(MaintenanceState::Out | MaintenanceState::Entering) => {
                        Err(Error::wrong_state("the host is not in maintenance mode")
                            .because(error))
                    }
                    _ => Err(error),
                }
            })
        })
    }

    /// The change is done when the host is in maintenance mode, or is not.
    async fn seen_in_mode(&self, change: Change<()>, wanted: bool) -> Result<Change<()>> {
        let (client, host) = self.keeper().await?;
        Ok(change.verified_by(move || {
            let (client, host) = (client.clone(), host.clone());
            Box::pin(async move {
                let now: Option<IsIn> = client.read_opt(&host).await?;
                let now = now.ok_or_else(no_host)?;
                if now.is_in == wanted {
                    return Ok(Effect::Done(()));
                }
                // A task may be waiting for its turn.
                Ok(match look(&client, &host).await?.task {
                    Some(_) => Effect::Unknown,
                    None => Effect::NotDone,
                })
            })
        }))
    }

    /// Tells what the host waits for, for ever.
    async fn tell_waiting(&self, told: Option<&Told>) -> Infallible {
        let Some(told) = told else {
            return std::future::pending().await;
        };
        let mut before = Vec::new();
        loop {
            // What is soon over needs no telling.
            tokio::time::sleep(PAUSE).await;
            match self.host_maintenance().await {
                Ok(now) if now.domains != before => {
                    told(&now);
                    before = now.domains;
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "what the host waits for cannot be read"),
            }
        }
    }

    /// Says what the host waited for, or why the server refused to wait.
    pub(super) async fn explain_busy<M>(
        &self,
        error: Error,
        could_not: &str,
        within: Duration,
    ) -> Error
    where
        M: vi_types::Throws<Timedout> + vi_types::Throws<InvalidState>,
    {
        let Some(cause) = error.cause() else {
            return error;
        };
        if cause.declared::<M, Timedout>().is_some() {
            let now = self.host_maintenance().await;
            let waits_for = now.ok().filter(|now| !now.domains.is_empty());
            let waits_for = waits_for.map(|now| format!("; it waited for {}", now.waits_for()));
            let within = match within.is_zero() {
                true => "in time".to_owned(),
                false => format!("within {} s", within.as_secs_f64()),
            };
            let waits_for = waits_for.unwrap_or_default();
            let message = format!("{could_not}: the host was not free {within}{waits_for}");
            let advice = "shut these domains down or move them, and try again";
            return Error::new(ErrorKind::Timeout, ErrorNumber::OperationTimeout, message)
                .because(error)
                .advise(advice);
        }
        if error.kind() != ErrorKind::Fault || cause.declared::<M, InvalidState>().is_none() {
            return error;
        }
        match self.host_maintenance().await.map(|now| now.state) {
            Ok(MaintenanceState::In) => {
                Error::wrong_state("the host is in maintenance mode already").because(error)
            }
            Ok(MaintenanceState::Entering) => {
                Error::wrong_state("the host is on its way into maintenance mode already")
                    .because(error)
            }
            _ => error,
        }
    }
}

/// How a host of a vSAN gives up its part.
fn maintenance_spec(evacuation: VsanEvacuation) -> Box<HostMaintenanceSpec> {
    let mode = VsanHostDecommissionMode {
        object_action: evacuation.action().to_owned(),
        ..VsanHostDecommissionMode::default()
    };
    let spec = HostMaintenanceSpec {
        vsan_mode: Some(mode.into()),
        ..HostMaintenanceSpec::default()
    };
    spec.into()
}

const ENTER: &str = "Could not enter maintenance mode";

/// A timeout as the API has it: whole seconds, 0 for none.
pub(super) fn seconds(timeout: Option<Duration>) -> i32 {
    let Some(timeout) = timeout else {
        return 0;
    };
    let seconds = timeout
        .as_secs()
        .saturating_add(u64::from(timeout.subsec_nanos() > 0));
    i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
}

/// What a server shows of a host in its surroundings.
struct Looked {
    is_in: bool,
    /// The task that enters (true) or leaves maintenance mode, with its progress.
    task: Option<(bool, Option<i32>)>,
    /// Whether other hosts could take domains.
    has_others: bool,
    cluster: Option<Cluster>,
    /// The running machines with their names, and what they have.
    running: Vec<(ManagedObjectReference, String, Option<Hardware>)>,
    stores: Vec<(ManagedObjectReference, Store)>,
}

/// Reads the host, its machines, its tasks and its compute resource: one request, without other hosts.
async fn look(client: &Client, host: &ManagedObjectReference) -> Result<Looked> {
    let request = Retrieve::from(host)
        .select(Selection::along(|host: &HostSystem| &host.vm))
        .select(Selection::along(|host: &HostSystem| &host.base.recent_task))
        .select(Selection::along(|host: &HostSystem| &host.base.parent))
        .set::<Mode>()
        .set::<Running>()
        .set::<Job>()
        .set::<Alone>()
        .set::<Cluster>();
    let mut mode = None;
    let mut looked = Looked {
        is_in: false,
        task: None,
        has_others: false,
        cluster: None,
        running: Vec::new(),
        stores: Vec::new(),
    };
    for mut found in client.retrieve(&request).await? {
        let moref = found.object.clone();
        match moref.r#type.as_str() {
            Mode::TYPE => {
                let read = Mode::from_properties(&mut found).map_err(Error::missing_property)?;
                mode = Some(read);
            }
            Running::TYPE => {
                let machine =
                    Running::from_properties(&mut found).map_err(Error::missing_property)?;
                if machine.power_state == Some(VirtualMachinePowerState::PoweredOn) {
                    // A machine whose name cannot be read still is in the way.
                    let name = machine.name.unwrap_or_else(|| moref.value.clone());
                    let name = PERCENT.unescape(&name).map(Into::into).unwrap_or(name);
                    looked.running.push((moref, name, None));
                }
            }
            Job::TYPE => {
                let job = Job::from_properties(&mut found).map_err(Error::missing_property)?;
                looked.task = looked.task.or_else(|| job.direction());
            }
            Cluster::TYPE => {
                let cluster =
                    Cluster::from_properties(&mut found).map_err(Error::missing_property)?;
                looked.has_others = cluster.effective_hosts.unwrap_or(0) > 1;
                looked.cluster = Some(cluster);
            }
            // A compute resource that is no cluster has one host.
            _ => {}
        }
    }
    let mode = mode.ok_or_else(no_host)?;
    looked.is_in = mode.is_in;
    let place =
        |moref: &ManagedObjectReference| mode.machines.iter().position(|machine| machine == moref);
    looked.running.sort_by_key(|(moref, ..)| place(moref));
    Ok(looked)
}

impl Job {
    /// Whether the task enters maintenance mode or leaves it, if it does one of them and is not over.
    fn direction(&self) -> Option<(bool, Option<i32>)> {
        if !matches!(
            self.state,
            Some(TaskInfoState::Queued | TaskInfoState::Running)
        ) {
            return None;
        }
        let verb = self.description_id.as_deref()?.rsplit('.').next()?;
        let enters = match verb {
            "enterMaintenanceMode" => true,
            "exitMaintenanceMode" => false,
            _ => return None,
        };
        Some((enters, self.percent))
    }
}

impl Looked {
    /// Reads the devices and datastores of the running machines: one request.
    async fn add_hardware(&mut self, client: &Client) -> Result<()> {
        let machines = self.running.iter().map(|(moref, ..)| moref.clone());
        let request = Retrieve::from_each(machines)
            .select(Selection::along(|vm: &VirtualMachine| &vm.datastore))
            .set::<Hardware>()
            .set::<Store>();
        for mut found in client.retrieve(&request).await? {
            let moref = found.object.clone();
            if moref.r#type == Store::TYPE {
                let store = Store::from_properties(&mut found).map_err(Error::missing_property)?;
                self.stores.push((moref, store));
            } else if let Some(machine) = self.running.iter_mut().find(|one| one.0 == moref) {
                machine.2 = Hardware::from_properties(&mut found).ok();
            }
        }
        Ok(())
    }

    fn maintenance(self) -> HostMaintenance {
        let percent = self.task.and_then(|(_, percent)| percent);
        let domains = self.running.iter().map(|(moref, name, hardware)| {
            let mut obstacles = Vec::new();
            obstacles.extend(self.immobile(moref));
            if let Some(hardware) = hardware {
                obstacles.extend(hardware.devices.iter().filter_map(bound));
                obstacles.extend(self.local(hardware));
            }
            MaintenanceDomain {
                name: name.clone(),
                obstacles,
            }
        });
        HostMaintenance {
            domains: domains.collect(),
            state: match (self.is_in, self.task) {
                (_, Some((false, _))) => MaintenanceState::Leaving,
                (true, _) => MaintenanceState::In,
                (false, Some((true, _))) => MaintenanceState::Entering,
                (false, None) => MaintenanceState::Out,
            },
            percent: percent.and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok()),
        }
    }

    /// Why nobody moves a machine.
    fn immobile(&self, machine: &ManagedObjectReference) -> Option<MaintenanceObstacle> {
        let cluster = self.cluster.as_ref().filter(|_| self.has_others);
        let Some(cluster) = cluster else {
            return Some(MaintenanceObstacle::NoOtherHost);
        };
        if cluster.is_balanced != Some(true) {
            return Some(MaintenanceObstacle::NotAutomatic);
        }
        // Servers ignore the exceptions if they are switched off.
        let mut exceptions = cluster
            .exceptions
            .iter()
            .filter(|_| cluster.has_exceptions != Some(false));
        let exception = exceptions.find(|exception| exception.key == *machine);
        if exception.is_some_and(|exception| exception.enabled == Some(false)) {
            let disabled = MaintenanceException::Disabled;
            return Some(MaintenanceObstacle::Exception(disabled));
        }
        let own = exception.and_then(|exception| exception.behavior.as_ref());
        match own {
            Some(DrsBehavior::FullyAutomated) => None,
            Some(DrsBehavior::Manual) => {
                Some(MaintenanceObstacle::Exception(MaintenanceException::Manual))
            }
            Some(DrsBehavior::PartiallyAutomated) => Some(MaintenanceObstacle::Exception(
                MaintenanceException::PartiallyAutomated,
            )),
            _ if cluster.behavior == Some(DrsBehavior::FullyAutomated) => None,
            _ => Some(MaintenanceObstacle::NotAutomatic),
        }
    }

    /// The machine's datastores that no other host has.
    fn local(&self, hardware: &Hardware) -> impl Iterator<Item = MaintenanceObstacle> {
        let stores = self.stores.iter();
        let own = stores.filter(|(moref, store)| {
            store.is_shared == Some(false) && hardware.datastores.contains(moref)
        });
        own.map(|(moref, store)| {
            let name = store.name.as_ref().unwrap_or(&moref.value);
            let name = PERCENT.unescape(name).unwrap_or_else(|_| name.into());
            MaintenanceObstacle::LocalDatastore(name.into_owned())
        })
    }
}

/// What ties a device to the host.
fn bound(device: &Poly<VirtualDevice>) -> Option<MaintenanceObstacle> {
    let label = || {
        let label = device.device_info.as_ref().map(|info| info.label.clone());
        label.unwrap_or_else(|| format!("device {}", device.key))
    };
    let backing = device.backing.as_ref();
    let is_on_other =
        backing.is_some_and(|backing| backing.is::<VirtualUsbRemoteHostBackingInfo>());
    let is_passed = device.is::<VirtualPciPassthrough>()
        || device.is::<VirtualSriovEthernetCard>()
        || device.is::<VirtualScsiPassthrough>()
        || (device.is::<VirtualUsb>() && !is_on_other);
    if is_passed {
        return Some(MaintenanceObstacle::HostDevice(label()));
    }
    let is_port = device.is::<VirtualCdrom>()
        || device.is::<VirtualFloppy>()
        || device.is::<VirtualSerialPort>()
        || device.is::<VirtualParallelPort>();
    let connectable = device.connectable.as_ref();
    let is_connected = connectable.is_some_and(|connectable| connectable.connected);
    let is_of_host = backing.is_some_and(|backing| {
        backing.is::<VirtualDeviceDeviceBackingInfo>()
            && !backing.is::<VirtualDeviceRemoteDeviceBackingInfo>()
    });
    (is_port && is_connected && is_of_host).then(|| MaintenanceObstacle::ConnectedDevice(label()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_timeouts_are_whole_seconds() {
        for (timeout, expected) in [
            (None, 0),
            (Some(Duration::ZERO), 1),
            (Some(Duration::from_millis(1500)), 2),
            (Some(Duration::from_secs(600)), 600),
            (Some(Duration::MAX), i32::MAX),
        ] {
            assert_eq!(seconds(timeout), expected, "{timeout:?}");
        }
    }

    #[test]
    fn maintenance_waits_for_few_by_name() {
        let domain = |number| MaintenanceDomain {
            name: format!("vm{number}"),
            obstacles: vec![],
        };
        let mut maintenance = HostMaintenance {
            state: MaintenanceState::Out,
            percent: None,
            domains: (0..2).map(domain).collect(),
        };
        let expected = "'vm0' (the cluster moves it), 'vm1' (the cluster moves it)";
        assert_eq!(maintenance.waits_for(), expected);
        maintenance.domains = (0..1000).map(domain).collect();
        assert!(maintenance.waits_for().ends_with(", 990 more"));
    }
}
