//! Domains: the virtual machines of a host.

mod autostart;
mod blkio;
mod block;
mod clone;
mod definition;
mod device;
mod disks;
mod guest;
mod identity;
mod issues;
mod job;
mod lifecycle;
mod list;
mod lookup;
mod measured;
mod memory;
mod metadata;
mod migrate;
mod numa;
mod power_management;
mod questions;
mod reconfiguration;
mod rename;
mod scheduler;
mod screenshot;
mod stats;
mod undefine;
mod vcpus;

use std::fmt;

use vi_client::{property_set, retrieve::PropertySet};
use vi_types::{ManagedObjectReference, TaskMethod, enums::VirtualMachinePowerState, references};
use virt_model::{DomainInfo, DomainState, ErrorNumber, StateReason, Uuid};

pub use self::autostart::AutostartSettings;
pub use self::clone::CloneOptions;
pub use self::definition::DomainConfiguration;
pub(crate) use self::device::Name as DeviceName;
pub(crate) use self::identity::{name as unescaped_name, state};
pub(crate) use self::issues::{OUT_OF_SPACE, disk_problem, is_about, message_problem};
pub(crate) use self::job::Job;
pub use self::list::{DomainEntry, DomainList, DomainRow, SkippedDomain};
pub(crate) use self::measured::{measured_cards, measured_disks};
pub(crate) use self::metadata::{ELEMENTS, TITLE};
pub use self::migrate::{MigrateParameters, MigratePriority};
pub use self::screenshot::Screenshot;
pub use self::stats::DomainStatsRecord;
use crate::{
    Connect, Error, ErrorKind, Result, What,
    engine::{Change, Machine},
    question::Asker,
};

/// A domain: libvirt's `virDomain`.
///
/// A handle: clones are cheap and use the same [`Connect`]. Name, id and UUID are those of the lookup; everything else is
/// read from the server at each call, with one request. The handle keeps the server's reference of the virtual machine, so
/// domains with the same UUID are not confused. (libvirt looks the machine up by its UUID at each call.)
#[derive(Clone)]
pub struct Domain {
    connect: Connect,
    moref: ManagedObjectReference,
    name: String,
    uuid: Uuid,
    id: Option<i32>,
}

property_set! {
    /// Whether a domain runs, for [`DomainPower::state`].
    #[derive(Debug, Clone)]
    pub struct DomainPower: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
    }
}

property_set! {
    /// The size and the state of a domain, for [`DomainSize::info`].
    #[derive(Debug, Clone)]
    pub struct DomainSize: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        memory_mib: i32 = config.hardware.memory_mb,
        cpus: i32 = config.hardware.num_cpu,
        memory_limit_mib: Option<i64> = config.memory_allocation.limit,
    }
}

property_set! {
    struct MaxMemory: VirtualMachine {
        memory_mib: i32 = config.hardware.memory_mb,
    }
}

property_set! {
    /// Nothing besides a domain's identity.
    #[derive(Debug, Clone)]
    pub struct NoProperties: VirtualMachine {}
}

impl DomainPower {
    /// What [`Domain::state`] tells.
    pub fn state(&self) -> (DomainState, StateReason) {
        (identity::state(&self.power_state), StateReason::UNKNOWN)
    }
}

impl DomainSize {
    /// What [`Domain::info`] tells.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedValue`] for a negative size.
    pub fn info(&self) -> Result<DomainInfo> {
        let max_mem = kib(self.memory_mib)?;
        Ok(DomainInfo {
            state: identity::state(&self.power_state),
            max_mem,
            // The API's -1 means "no limit".
            memory: match self.memory_limit_mib.map(u64::try_from) {
                Some(Ok(limit)) => limit.saturating_mul(1024),
                _ => max_mem,
            },
            nr_virt_cpu: u32::try_from(self.cpus).unwrap_or(0),
            cpu_time: 0,
        })
    }
}

impl Domain {
    /// A domain that was identified before.
    pub(crate) fn new(
        connect: &Connect,
        moref: ManagedObjectReference,
        name: impl Into<String>,
        uuid: Uuid,
        id: Option<i32>,
    ) -> Domain {
        Domain {
            connect: connect.clone(),
            moref,
            name: name.into(),
            uuid,
            id,
        }
    }

    /// The name.
    #[doc(alias = "virDomainGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instance UUID, or the BIOS UUID if [the URI says so](crate::EsxUri::legacy_uuid). It is nil if the virtual machine's configuration could not
    /// be read.
    #[doc(alias = "virDomainGetUUID")]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The id, which is the number in the server's reference; `None` if the domain was off at the lookup.
    #[doc(alias = "virDomainGetID")]
    pub fn id(&self) -> Option<i32> {
        self.id
    }

    /// The server's reference of the virtual machine.
    pub fn moref(&self) -> &ManagedObjectReference {
        &self.moref
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// The state and its reason. The reason is always unknown, since the server does not keep it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainGetState")]
    pub async fn state(&self) -> Result<(DomainState, StateReason)> {
        let power: DomainPower = self.properties().await?;
        Ok(power.state())
    }

    /// State, memory and processors. The processor time is always 0, as in libvirt 9.0.0 (esxDomainGetInfo).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more,
    /// [`ErrorKind::Property`] if its configuration cannot be read.
    #[doc(alias = "virDomainGetInfo")]
    pub async fn info(&self) -> Result<DomainInfo> {
        self.properties::<DomainSize>().await?.info()
    }

    /// How the guest's operating system runs: always `hvm`.
    #[doc(alias = "virDomainGetOSType")]
    pub fn os_type(&self) -> &'static str {
        "hvm"
    }

    /// The configured memory, in KiB.
    ///
    /// # Errors
    /// As [`info`](Domain::info).
    #[doc(alias = "virDomainGetMaxMemory")]
    pub async fn max_memory(&self) -> Result<u64> {
        let size: MaxMemory = self.properties().await?;
        kib(size.memory_mib)
    }

    /// The maximum number of processors of a domain on this host, as in libvirt 9.0.0 (esxDomainGetMaxVcpus).
    /// [`info`](Domain::info) has the domain's own number.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give it.
    #[doc(alias = "virDomainGetMaxVcpus")]
    pub async fn max_vcpus(&self) -> Result<u32> {
        self.connect.max_vcpus(None).await
    }

    /// Whether the domain still exists after it was stopped: always true.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainIsPersistent")]
    pub async fn is_persistent(&self) -> Result<bool> {
        self.exists().await.map(|()| true)
    }

    /// Whether the domain runs or is paused.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainIsActive")]
    pub async fn is_active(&self) -> Result<bool> {
        let power: DomainPower = self.properties().await?;
        Ok(power.power_state != VirtualMachinePowerState::PoweredOff)
    }

    /// Whether the domain differs from its definition: always false.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainIsUpdated")]
    pub async fn is_updated(&self) -> Result<bool> {
        self.exists().await.map(|()| false)
    }

    /// Whether there is a managed save image: always false, since libvirt calls a suspended machine paused.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainHasManagedSaveImage")]
    pub async fn has_managed_save_image(&self) -> Result<bool> {
        self.exists().await.map(|()| false)
    }

    async fn exists(&self) -> Result<()> {
        self.properties::<NoProperties>().await.map(drop)
    }

    async fn properties<P: PropertySet>(&self) -> Result<P> {
        let found = self.connect.client().read_opt::<P>(&self.moref).await?;
        found.ok_or_else(|| no_domain_with_uuid(self.uuid))
    }

    /// The typed reference of the virtual machine, which makes the requests of its methods.
    pub(crate) fn vm(&self) -> references::VirtualMachine {
        self.moref.clone().into()
    }

    /// The virtual machine, described for the engine.
    pub(crate) fn machine(&self) -> Machine {
        Machine {
            moref: self.moref.clone(),
            asker: Asker::new(&self.name, self.uuid, self.moref.clone()),
            policy: self.connect.policy().clone(),
            not_found: |asker| no_domain_with_uuid(asker.uuid()),
        }
    }

    /// A change by a task of the virtual machine on its host.
    pub(crate) fn task<M: TaskMethod<Output = ManagedObjectReference>>(
        &self,
        request: M,
    ) -> Change<M::Result>
    where
        M::Result: Send + 'static,
    {
        Change::task(self.connect.client(), request).of(self.machine())
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Domain")
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .field("id", &self.id)
            .field("moref", &self.moref)
            .finish_non_exhaustive()
    }
}

pub(crate) fn no_domain_with_uuid(uuid: Uuid) -> Error {
    no_domain(format!("Could not find domain with UUID '{uuid}'"))
}

/// The error of a function that needs an active domain (virDomainObjCheckActive of libvirt 9.0.0).
fn not_running() -> Error {
    let message = reconfiguration::NOT_RUNNING;
    Error::new(
        ErrorKind::WrongState,
        ErrorNumber::OperationInvalid,
        message,
    )
}

fn no_domain(message: String) -> Error {
    Error::new(
        ErrorKind::NotFound(What::Domain),
        ErrorNumber::NoDomain,
        message,
    )
}

/// Converts the server's MiB to KiB.
fn kib(mib: i32) -> Result<u64> {
    match u64::try_from(mib) {
        Ok(mib) => Ok(mib * 1024),
        Err(_) => {
            let message = format!("Got invalid memory size {mib}");
            Err(Error::new(
                ErrorKind::UnexpectedValue,
                ErrorNumber::InternalError,
                message,
            ))
        }
    }
}
