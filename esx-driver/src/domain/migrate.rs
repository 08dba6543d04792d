//! Migration to another host of the same vCenter: libvirt's three steps between two connections, and directly.

mod uri;

use tracing::warn;
use vi_client::{Client, property_set};
use vi_types::{
    ManagedObject as _, ManagedObjectReference, Poly,
    enums::{VirtualMachineMovePriority, VirtualMachinePowerState::PoweredOff},
    methods::{MigrateVmTask, RelocateVmTask, ValidateMigration},
    objects::{Event, VirtualMachineRelocateSpec},
    properties::HostSystem,
    references,
};
use virt_model::ErrorNumber;
use virt_model::flags::{refuse_both, refuse_unknown};

use self::uri::MigrationUri;
use super::Domain;
use crate::engine::{Change, Effect, Machine, Runner};
use crate::error::fault_words;
use crate::inventory::{self, Place};
use crate::{
    Connect, Error, ErrorKind, EsxUri, MigrateFlags, Operation, Result, Scheme, datastore,
};

property_set! {
    struct Location: VirtualMachine {
        host: Option<ManagedObjectReference> = runtime.host,
    }
}

/// Parameters of a migration, all of them optional: libvirt's `VIR_MIGRATE_PARAM_…`, and two that libvirt does not have.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MigrateParameters {
    /// Where the domain goes, as [`Connect::migrate_prepare`] writes it, if the destination does not have to be asked.
    pub uri: Option<String>,
    /// The name on the destination. Renaming is not supported: any name is an error.
    pub destination_name: Option<String>,
    /// The document on the destination. Changing it is not supported: any document is an error.
    pub destination_xml: Option<String>,
    /// The bandwidth in MiB/s. It changes nothing, as in libvirt: hosts choose it themselves.
    pub bandwidth: u64,
    /// The names of other parameters of libvirt. None is supported: any name is an error.
    pub others: Vec<String>,
    /// Moves the domain's files to the datastore of this name. [`Domain::migrate_to_uri`] only.
    pub datastore: Option<String>,
    /// How much the hosts reserve for the migration. [`Domain::migrate_to_uri`] only.
    pub priority: MigratePriority,
}

/// How much of their processors the hosts reserve for a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MigratePriority {
    /// Little: it may take longer.
    Low,
    /// The vCenter's default.
    #[default]
    Default,
    /// Much; if that is not there, the migration fails.
    High,
}

/// The flags that libvirt 9.0.0 accepts (esxDomainMigratePrepare, …Perform and …Finish). None of them changes anything:
/// a domain goes as it is.
const FLAGS: MigrateFlags = MigrateFlags::from_bits(
    MigrateFlags::LIVE.bits()
        | MigrateFlags::PERSIST_DEST.bits()
        | MigrateFlags::UNDEFINE_SOURCE.bits()
        | MigrateFlags::PAUSED.bits(),
);

/// The flags of a direct migration.
const DIRECT_FLAGS: MigrateFlags = MigrateFlags::from_bits(
    FLAGS.bits() | MigrateFlags::OFFLINE.bits() | MigrateFlags::UNSAFE.bits(),
);

/// libvirt's flags of the source only, which virDomainMigrate does not pass on to the destination.
const SOURCE_FLAGS: MigrateFlags = MigrateFlags::from_bits(
    MigrateFlags::ABORT_ON_ERROR.bits() | MigrateFlags::AUTO_CONVERGE.bits(),
);

const COULD_NOT: &str = "Could not migrate domain";

impl Connect {
    /// The migration URI of this connection's host, for [`Domain::migrate_perform`]:
    /// `vpxmigr://VCENTER/RESOURCEPOOL/HOSTSYSTEM`, with the vCenter's address. If the caller has a URI already, it is
    /// returned as it is.
    ///
    /// No request: the connection knows its place. (libvirt 9.0.0, esxDomainMigratePrepare, writes an IPv6 address without
    /// brackets, and crashes if the host has no vCenter.)
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the connection has no vCenter; [`ErrorKind::UnsupportedFlags`] for flags that
    /// libvirt's ESX driver does not have.
    #[doc(alias = "virDomainMigratePrepare")]
    pub async fn migrate_prepare(&self, uri: Option<&str>, flags: MigrateFlags) -> Result<String> {
        refuse_unknown(flags, FLAGS, "esxDomainMigratePrepare")?;
        if let Some(uri) = uri {
            return Ok(uri.to_owned());
        }
        let (_, place) = self.managed_by().await?.ok_or_else(no_vcenter)?;
        let uri = MigrationUri {
            server: Some(self.vcenter_address().await),
            pool: place.resource_pool.value.clone(),
            host: place.host_system.value.clone(),
        };
        Ok(uri.to_string())
    }

    /// The migrated domain on this connection's host, by its name there.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::UnsupportedFlags`] as
    /// [`migrate_prepare`](Connect::migrate_prepare).
    #[doc(alias = "virDomainMigrateFinish")]
    pub async fn migrate_finish(&self, name: &str, flags: MigrateFlags) -> Result<Domain> {
        refuse_unknown(flags, FLAGS, "esxDomainMigrateFinish")?;
        self.lookup_by_name(name).await
    }

    /// Reads the place of a migration URI.
    ///
    /// # Errors
    /// [`ErrorKind::MigrationUri`] if it is none, or if it is one of another vCenter.
    async fn place_of_uri(&self, uri: &str) -> Result<MigrationUri> {
        let uri: MigrationUri = uri.parse()?;
        let address = self.vcenter_address().await;
        let is_ours = uri.server.as_deref().is_some_and(|server| {
            let names = [address.as_str(), self.vcenter_name()];
            names.iter().any(|name| name.eq_ignore_ascii_case(server))
        });
        match is_ours {
            true => Ok(uri),
            false => Err(other_vcenter()),
        }
    }
}

impl Domain {
    /// Migrates the domain to the host of the connection `destination`, which has to be managed by the same vCenter, and
    /// returns it there. Both connections have to be ones to the vCenter, or to its hosts with `vcenter=`.
    ///
    /// The steps are libvirt's: [`migrate_prepare`](Connect::migrate_prepare) on the destination,
    /// [`migrate_perform`](Domain::migrate_perform) on the source, [`migrate_finish`](Connect::migrate_finish) on the
    /// destination. The checks are those of libvirt's virDomainMigrate3, in its order.
    ///
    /// # Errors
    /// Those of the steps; [`ErrorKind::Unsupported`] if one of the hosts cannot migrate, or if something is asked that
    /// libvirt's ESX driver does not have.
    #[doc(alias("virDomainMigrate", "virDomainMigrate2", "virDomainMigrate3"))]
    pub fn migrate(
        &self,
        destination: &Connect,
        flags: MigrateFlags,
        parameters: MigrateParameters,
    ) -> Operation<'static, Domain> {
        let (domain, destination) = (self.clone(), destination.clone());
        Operation::new(COULD_NOT, move |mut runner| {
            Box::pin(async move {
                check(flags, &parameters)?;
                let prepared = domain.prepare(&destination, flags, &parameters);
                let uri = runner.prepare(prepared).await?;
                let name = parameters.destination_name.as_deref();
                domain.perform(&mut runner, &uri, flags, name).await?;
                let found = runner.prepare(destination.migrated(&domain, flags)).await;
                found.map_err(|error| error.note("the domain was migrated, but was not found"))
            })
        })
    }

    /// Migrates the domain to the place of a [migration URI](Connect::migrate_prepare): libvirt's second step.
    ///
    /// The vCenter validates the migration first. Any problem that it reports is an error, even if it only warns, as in
    /// libvirt 9.0.0 (esxDomainMigratePerform); [`migrate_to_uri`](Domain::migrate_to_uri) can go on after warnings.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the connection has no vCenter, or if there is a `name`, since domains cannot be renamed
    /// on the way; [`ErrorKind::MigrationUri`] if the URI is invalid or of another vCenter;
    /// [`ErrorKind::Validation`] if the vCenter reports a problem; [`ErrorKind::UnsupportedFlags`] for flags that libvirt's
    /// ESX driver does not have; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainMigratePerform")]
    pub fn migrate_perform(
        &self,
        uri: &str,
        flags: MigrateFlags,
        name: Option<&str>,
    ) -> Operation<'static> {
        let (domain, uri, name) = (self.clone(), uri.to_owned(), name.map(str::to_owned));
        Operation::new(COULD_NOT, move |mut runner| {
            Box::pin(async move {
                domain
                    .perform(&mut runner, &uri, flags, name.as_deref())
                    .await
            })
        })
    }

    /// Migrates the domain directly, over the domain's own connection. `uri` is one of
    ///
    /// - a [migration URI](Connect::migrate_prepare),
    /// - a `vpx://` URI of the same vCenter, whose path leads to the host,
    /// - the name of a host of the vCenter, or its reference (`host-21`).
    ///
    /// The domain goes to the root resource pool of the host or its cluster. With a
    /// [datastore](MigrateParameters::datastore) its files move as well. libvirt's ESX driver does not have this function.
    ///
    /// Flags: with [`OFFLINE`](MigrateFlags::OFFLINE) the domain has to be off; with [`UNSAFE`](MigrateFlags::UNSAFE) the
    /// vCenter's warnings are logged and no error. Those of [`migrate`](Domain::migrate) change nothing.
    ///
    /// # Errors
    /// As [`migrate_perform`](Domain::migrate_perform); [`ErrorKind::NotFound`] if the vCenter has no such host or
    /// datastore, or several of that name; [`ErrorKind::WrongState`] if the domain is not off and should be.
    #[doc(alias(
        "virDomainMigrateToURI",
        "virDomainMigrateToURI2",
        "virDomainMigrateToURI3"
    ))]
    pub fn migrate_to_uri(
        &self,
        uri: &str,
        flags: MigrateFlags,
        parameters: MigrateParameters,
    ) -> Operation<'static> {
        let (domain, uri) = (self.clone(), uri.to_owned());
        Operation::new(COULD_NOT, move |mut runner| {
            Box::pin(async move {
                check_direct(&domain.connect, flags, &parameters)?;
                let connect = &domain.connect;
                let (client, _) = connect.managed_by().await?.ok_or_else(no_vcenter)?;
                let target = runner.prepare(connect.target(client, &uri)).await?;
                let moves = domain.movement(client, target, &parameters);
                let movement = runner.prepare(moves).await?;
                domain.move_to(&mut runner, movement, flags).await
            })
        })
    }

    /// The first step, with the checks of virDomainMigrate3 that need a server.
    async fn prepare(
        &self,
        destination: &Connect,
        flags: MigrateFlags,
        parameters: &MigrateParameters,
    ) -> Result<String> {
        if !(self.connect.supports_migration().await? && destination.supports_migration().await?) {
            let message = "virDomainMigrate3";
            return Err(unsupported(ErrorNumber::NoSupport, message).advise(
                "source and destination need a vCenter (vpx://, or vcenter=) and vMotion",
            ));
        }
        refuse_document(parameters)?;
        let flags = flags.without(SOURCE_FLAGS);
        destination
            .migrate_prepare(parameters.uri.as_deref(), flags)
            .await
    }

    /// The second step.
    async fn perform(
        &self,
        runner: &mut Runner<'_>,
        uri: &str,
        flags: MigrateFlags,
        name: Option<&str>,
    ) -> Result<()> {
        refuse_unknown(flags, FLAGS, "esxDomainMigratePerform")?;
        if !self.connect.is_managed() {
            return Err(no_vcenter());
        }
        refuse_name(name)?;
        let place = runner.prepare(self.connect.place_of_uri(uri)).await?;
        let movement = Movement {
            target: place.target(),
            datastore: None,
            priority: MigratePriority::Default,
        };
        self.move_to(runner, movement, flags).await
    }

    /// Validates the migration and brings it to its end.
    async fn move_to(
        &self,
        runner: &mut Runner<'_>,
        movement: Movement,
        flags: MigrateFlags,
    ) -> Result<()> {
        let (client, vm) = runner.prepare(self.at_vcenter()).await?;
        let Movement { target, .. } = &movement;
        runner
            .prepare(validate(&client, &vm, target, flags))
            .await?;
        let is_offline = flags.contains(MigrateFlags::OFFLINE);
        let change = movement.change(&client, &vm, is_offline).of(Machine {
            moref: vm.to_moref(),
            ..self.machine()
        });
        let change = match is_offline {
            true => change.from(&[PoweredOff], "Domain is not powered off"),
            false => change,
        };
        let host = target.host.clone();
        let change = match movement.datastore {
            // The host changes before the last file has moved.
            Some(_) => change,
            None => change.verified_by(move || {
                Box::pin(is_on_host(client.clone(), vm.clone(), host.clone()))
            }),
        };
        runner.perform(change).await.map_err(failed)
    }

    /// The movement that the parameters describe.
    async fn movement(
        &self,
        client: &Client,
        target: Target,
        parameters: &MigrateParameters,
    ) -> Result<Movement> {
        let datastore = match &parameters.datastore {
            Some(name) => Some(datastore::by_name(client, &target.host, name).await?),
            None => None,
        };
        Ok(Movement {
            target,
            datastore,
            priority: parameters.priority,
        })
    }
}

impl Connect {
    /// The host and the resource pool that the argument of a direct migration means.
    async fn target(&self, client: &Client, uri: &str) -> Result<Target> {
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme);
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(uri::SCHEME)) {
            return Ok(self.place_of_uri(uri).await?.target());
        }
        let inventory = inventory::read(client).await?;
        if !uri.contains("://") {
            return inventory.host(uri).map(Target::from);
        }
        let uri: EsxUri = uri.parse()?;
        if uri.scheme() != Scheme::Vpx {
            let message = "Only vpx:// and vpxmigr:// URIs are supported for direct migration";
            return Err(invalid_uri(message));
        }
        let server = uri.server();
        if !server.eq_ignore_ascii_case(self.vcenter_name())
            && self.vcenter_address().await != self.address_of(server).await
        {
            return Err(other_vcenter());
        }
        let root = &client.service_content().root_folder;
        let place = inventory.find(root, uri.path_names(), uri.path())?;
        Ok(Target::from(place))
    }

    /// The domain, which was migrated to this connection's host.
    async fn migrated(&self, domain: &Domain, flags: MigrateFlags) -> Result<Domain> {
        let flags = flags.without(SOURCE_FLAGS);
        let found = self.migrate_finish(&domain.name, flags).await?;
        match found.uuid == domain.uuid {
            true => Ok(found),
            // The host has another domain of that name.
            false => self.lookup_by_uuid(domain.uuid).await,
        }
    }
}

/// Where a domain goes.
struct Target {
    pool: ManagedObjectReference,
    host: ManagedObjectReference,
}

impl From<Place> for Target {
    fn from(place: Place) -> Target {
        Target {
            pool: place.resource_pool,
            host: place.host_system,
        }
    }
}

impl MigrationUri {
    fn target(&self) -> Target {
        Target {
            pool: ManagedObjectReference::new("ResourcePool", &self.pool),
            host: ManagedObjectReference::new(HostSystem::TYPE, &self.host),
        }
    }
}

/// What is moved where.
struct Movement {
    target: Target,
    datastore: Option<ManagedObjectReference>,
    priority: MigratePriority,
}

impl Movement {
    fn change(
        &self,
        client: &Client,
        vm: &references::VirtualMachine,
        is_offline: bool,
    ) -> Change<()> {
        let priority = match self.priority {
            MigratePriority::Low => VirtualMachineMovePriority::LowPriority,
            MigratePriority::Default => VirtualMachineMovePriority::DefaultPriority,
            MigratePriority::High => VirtualMachineMovePriority::HighPriority,
        };
        let (pool, host) = (self.target.pool.clone(), self.target.host.clone());
        match &self.datastore {
            Some(datastore) => {
                let spec = VirtualMachineRelocateSpec {
                    pool: Some(pool),
                    host: Some(host),
                    datastore: Some(datastore.clone()),
                    ..VirtualMachineRelocateSpec::default()
                };
                let request = RelocateVmTask {
                    priority: Some(priority),
                    ..vm.relocate_vm_task(spec)
                };
                Change::task(client, request)
            }
            None => {
                let request = MigrateVmTask {
                    pool: Some(pool),
                    host: Some(host),
                    state: is_offline.then_some(PoweredOff),
                    ..vm.migrate_vm_task(priority)
                };
                Change::task(client, request)
            }
        }
    }
}

/// Asks the vCenter whether the virtual machine can go there.
async fn validate(
    client: &Client,
    vm: &references::VirtualMachine,
    target: &Target,
    flags: MigrateFlags,
) -> Result<()> {
    let request = ValidateMigration {
        pool: Some(target.pool.clone()),
        host: Some(target.host.clone()),
        ..client
            .service_instance()
            .validate_migration(vec![vm.to_moref()])
    };
    let mut events = client.call(&request).await?;
    if flags.contains(MigrateFlags::UNSAFE) {
        events.retain(|event| {
            let ignored = is_warning(event);
            if ignored {
                warn!("{}", said(event).unwrap_or_default());
            }
            !ignored
        });
    }
    let Some(event) = events.first() else {
        return Ok(());
    };
    let message = "Could not migrate domain, validation reported a problem";
    let message = match said(event) {
        Some(text) => format!("{message}: {text}"),
        None => message.to_owned(),
    };
    let error = Error::new(ErrorKind::Validation, ErrorNumber::InternalError, message);
    Err(match is_warning(event) {
        true => {
            error.advise("this is a warning only: a direct migration that may be unsafe ignores it")
        }
        false => error,
    })
}

/// Whether an event only warns: one of the three types `MigrationWarningEvent`, `MigrationHostWarningEvent` and
/// `MigrationResourceWarningEvent`.
fn is_warning(event: &Poly<Event>) -> bool {
    event.type_name().ends_with("WarningEvent")
}

/// The event's text.
fn said(event: &Poly<Event>) -> Option<&str> {
    let text = event.full_formatted_message.as_deref();
    text.filter(|text| !text.is_empty())
}

async fn is_on_host(
    client: Client,
    vm: references::VirtualMachine,
    host: ManagedObjectReference,
) -> Result<Effect<()>> {
    let location = client.read_opt::<Location>(vm.as_ref()).await?;
    let now = location.and_then(|location| location.host);
    Ok(match now == Some(host) {
        true => Effect::Done(()),
        false => Effect::NotDone,
    })
}

/// The checks of virDomainMigrate3 of libvirt 9.0.0 that need no server, in its order.
fn check(flags: MigrateFlags, parameters: &MigrateParameters) -> Result<()> {
    refuse_both_copies(flags)?;
    if flags.contains(MigrateFlags::PEER2PEER) {
        let message = "use virDomainMigrateToURI3 for peer-to-peer migration";
        return Err(invalid_flags(message));
    }
    if flags.contains(MigrateFlags::TUNNELLED) {
        let message = "cannot perform tunnelled migration without using peer2peer flag";
        return Err(invalid_flags(message));
    }
    if flags.contains(MigrateFlags::OFFLINE) {
        return Err(unsupported(ErrorNumber::ArgumentUnsupported, NOT_OFFLINE)
            .advise("a domain that is off is migrated without it; a direct migration has it"));
    }
    refuse_protection(flags)?;
    refuse_others(parameters)
}

/// The checks of virDomainMigrateToURI3 that libvirt's drivers without peer-to-peer migration get, in its order, and those
/// of the parameters.
fn check_direct(
    connect: &Connect,
    flags: MigrateFlags,
    parameters: &MigrateParameters,
) -> Result<()> {
    let unsupported = |message| unsupported(ErrorNumber::ArgumentUnsupported, message);
    let has_vcenter = connect.is_managed();
    refuse_both_copies(flags)?;
    if flags.contains(MigrateFlags::OFFLINE) && !has_vcenter {
        return Err(unsupported(NOT_OFFLINE));
    }
    if flags.contains(MigrateFlags::PEER2PEER) {
        let message = "p2p migration is not supported by the source host";
        return Err(unsupported(message));
    }
    if !has_vcenter {
        let message = "direct migration is not supported by the source host";
        return Err(unsupported(message)
            .advise("it needs a vCenter: a vpx:// URI, or vcenter= in an esx:// URI"));
    }
    refuse_protection(flags)?;
    refuse_others(parameters)?;
    refuse_document(parameters)?;
    refuse_name(parameters.destination_name.as_deref())?;
    refuse_unknown(flags, DIRECT_FLAGS, "esxDomainMigrateToURI")?;
    Ok(())
}

const NOT_OFFLINE: &str = "offline migration is not supported by the source host";

fn refuse_both_copies(flags: MigrateFlags) -> Result<()> {
    let disk = (MigrateFlags::NON_SHARED_DISK, "VIR_MIGRATE_NON_SHARED_DISK");
    let increment = (MigrateFlags::NON_SHARED_INC, "VIR_MIGRATE_NON_SHARED_INC");
    Ok(refuse_both(flags, disk, increment)?)
}

fn refuse_protection(flags: MigrateFlags) -> Result<()> {
    match flags.contains(MigrateFlags::CHANGE_PROTECTION) {
        false => Ok(()),
        true => Err(unsupported(
            ErrorNumber::ArgumentUnsupported,
            "cannot enforce change protection",
        )),
    }
}

fn refuse_others(parameters: &MigrateParameters) -> Result<()> {
    match parameters.others.as_slice() {
        [] => Ok(()),
        names => Err(unsupported(
            ErrorNumber::ArgumentUnsupported,
            "Migration APIs with extensible parameters are not supported but extended parameters were passed",
        )
        .advise(format!("not supported: {}", names.join(", ")))),
    }
}

fn refuse_document(parameters: &MigrateParameters) -> Result<()> {
    match &parameters.destination_xml {
        None => Ok(()),
        Some(_) => Err(unsupported(
            ErrorNumber::ArgumentUnsupported,
            "Unable to change target guest XML during migration",
        )),
    }
}

fn refuse_name(name: Option<&str>) -> Result<()> {
    match name {
        None => Ok(()),
        Some(_) => Err(unsupported(
            ErrorNumber::InvalidArg,
            "Renaming domains on migration not supported",
        )),
    }
}

/// libvirt's text for a migration task that failed (esxDomainMigratePerform of 9.0.0).
fn failed(error: Error) -> Error {
    match (error.kind(), error.fault()) {
        (ErrorKind::TaskFailed, Some(fault)) => {
            let words = fault_words(fault);
            let message =
                format!("Could not migrate domain, migration task finished with an error: {words}");
            Error::new(ErrorKind::TaskFailed, ErrorNumber::InternalError, message).because(error)
        }
        _ => error,
    }
}

fn no_vcenter() -> Error {
    let message = "Migration not possible without a vCenter";
    unsupported(ErrorNumber::InvalidArg, message)
        .advise("connect to the vCenter (vpx://), or name it with vcenter= in the host's URI")
}

fn other_vcenter() -> Error {
    invalid_uri("Migration source and destination have to refer to the same vCenter")
}

fn invalid_uri(message: &str) -> Error {
    Error::new(ErrorKind::MigrationUri, ErrorNumber::InvalidArg, message)
}

fn invalid_flags(message: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedFlags,
        ErrorNumber::InvalidArg,
        message,
    )
    .plain()
}

fn unsupported(code: ErrorNumber, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, code, message)
}
