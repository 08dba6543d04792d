//! Migration between the hosts of a vCenter.

use esx_driver::{
    CloneOptions, Connect, Domain, Error, ErrorKind, MigrateFlags, MigrateParameters,
    MigratePriority, OpenOptions, What, auth::AuthFileSearch, vi_client::transport::InProcess,
};
use esx_sim::{Effect, Rule, Script, Simulator};
use vi_types::objects::Timedout;
use vi_types::properties::{HostSystem, VirtualMachine};

use crate::{credentials, methods, open, text};

const SOURCE: &str = "Berlin/Production/esx-01.example.com";
const DESTINATION: &str = "Berlin/Production/esx-02.example.com";

/// A vCenter, and connections to two of its hosts.
struct Pair {
    vcenter: Simulator,
    source: Connect,
    destination: Connect,
}

impl Pair {
    async fn new() -> Pair {
        let vcenter = Simulator::vcenter().build();
        let source = to(&vcenter, SOURCE).await;
        let destination = to(&vcenter, DESTINATION).await;
        vcenter.clear_requests();
        Pair {
            vcenter,
            source,
            destination,
        }
    }

    async fn domain(&self, name: &str) -> Domain {
        let domain = self.source.lookup_by_name(name).await.unwrap();
        self.vcenter.clear_requests();
        domain
    }

    /// The name of the host that `domain` is on.
    fn host(&self, domain: &Domain) -> String {
        let vm: VirtualMachine = self.vcenter.properties(domain.moref()).unwrap();
        let host = vm.runtime.unwrap().host.clone().unwrap();
        let host: HostSystem = self.vcenter.properties(&host).unwrap();
        host.name.clone().unwrap()
    }
}

async fn to(vcenter: &Simulator, path: &str) -> Connect {
    open(vcenter, &format!("vpx://192.0.2.100/{path}"))
        .await
        .unwrap()
}

/// A connection to a host that is managed by a vCenter, which is asked too.
async fn managed(host: &Simulator, vcenter: &Simulator) -> Connect {
    OpenOptions::new(&credentials())
        .auth_files(AuthFileSearch::default())
        .transport(InProcess::new(host.handler()))
        .vcenter_transport(InProcess::new(vcenter.handler()))
        .open(&"esx://192.0.2.1/?vcenter=192.0.2.100".parse().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_uri_of_a_destination() {
    let pair = Pair::new().await;
    let uri = pair.destination.migrate_prepare(None, MigrateFlags::LIVE);
    let uri = uri.await.unwrap();
    let place: HostSystem = {
        let host = uri.rsplit('/').next().unwrap();
        let host = vi_types::ManagedObjectReference::new("HostSystem", host);
        pair.vcenter.properties(&host).unwrap()
    };
    assert!(uri.starts_with("vpxmigr://192.0.2.100/resgroup-"), "{uri}");
    assert_eq!(place.name.as_deref(), Some("esx-02.example.com"));
    assert!(methods(&pair.vcenter).is_empty());
    let given = pair
        .destination
        .migrate_prepare(Some("x:y"), MigrateFlags::NONE);
    assert_eq!(given.await.unwrap(), "x:y");
    let unknown = pair.destination.migrate_prepare(None, MigrateFlags::UNSAFE);
    assert_eq!(
        text(unknown.await),
        "unsupported flags (0x200) in function esxDomainMigratePrepare"
    );
}

#[tokio::test]
async fn the_uri_of_a_host_is_that_of_the_vcenter_which_manages_it() {
    let (host, vcenter) = (Simulator::esx().build(), Simulator::vcenter().build());
    let connect = managed(&host, &vcenter).await;
    let uri = connect.migrate_prepare(None, MigrateFlags::NONE).await;
    let source = to(&vcenter, SOURCE).await;
    let expected = source.migrate_prepare(None, MigrateFlags::NONE).await;
    assert_eq!(uri.unwrap(), expected.unwrap());
}

#[tokio::test]
async fn without_a_vcenter_nothing_can_be_migrated() {
    let host = Simulator::esx().build();
    let connect = open(&host, "esx://192.0.2.1/").await.unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let pair = Pair::new().await;
    let none = MigrateParameters::default;
    let no_vcenter = "invalid argument: Migration not possible without a vCenter";
    let check = |error: Error, message: &str| {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{message}");
        assert_eq!(error.to_string(), message);
        assert!(error.advice().unwrap().contains("vcenter="), "{message}");
    };
    let error = connect.migrate_prepare(None, MigrateFlags::NONE).await;
    check(error.unwrap_err(), no_vcenter);
    let error = domain.migrate_perform("vpxmigr://a/b/c", MigrateFlags::NONE, None);
    check(error.await.unwrap_err(), no_vcenter);
    let error = domain.migrate(&pair.destination, MigrateFlags::NONE, none());
    check(
        error.await.unwrap_err(),
        "this function is not supported by the connection driver: virDomainMigrate3",
    );
    let error = domain.migrate_to_uri("esx-02.example.com", MigrateFlags::NONE, none());
    check(
        error.await.unwrap_err(),
        "argument unsupported: direct migration is not supported by the source host",
    );
    assert!(!connect.supports_migration().await.unwrap());
    assert!(pair.source.supports_migration().await.unwrap());
}

#[tokio::test]
async fn migration_uris_that_are_refused() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    for (uri, message) in [
        ("foo://x", "Only vpxmigr:// migration URIs are supported"),
        (
            "vpxmigr://192.0.2.100/a",
            "Migration URI has to specify resource pool and host system",
        ),
        (
            "vpxmigr://192.0.2.101/a/b",
            "Migration source and destination have to refer to the same vCenter",
        ),
        (
            "vpxmigr:///a/b",
            "Migration source and destination have to refer to the same vCenter",
        ),
    ] {
        let error = domain.migrate_perform(uri, MigrateFlags::NONE, None).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MigrationUri, "{uri}");
        assert_eq!(error.to_string(), format!("invalid argument: {message}"));
    }
    let flags = domain.migrate_perform("x", MigrateFlags::COMPRESSED, Some("y"));
    assert_eq!(
        text(flags.await),
        "unsupported flags (0x800) in function esxDomainMigratePerform"
    );
    let name = domain.migrate_perform("x", MigrateFlags::NONE, Some("y"));
    assert_eq!(
        text(name.await),
        "invalid argument: Renaming domains on migration not supported"
    );
    assert!(methods(&pair.vcenter).is_empty());
}

#[tokio::test]
async fn what_virsh_can_ask_for_and_no_esx_driver_can_do() {
    const BOTH: &str = "Flags 'VIR_MIGRATE_NON_SHARED_DISK' and 'VIR_MIGRATE_NON_SHARED_INC' are mutually exclusive";
    const OTHERS: &str = "argument unsupported: Migration APIs with extensible parameters are not supported but \
         extended parameters were passed";
    const OFFLINE: &str =
        "argument unsupported: offline migration is not supported by the source host";
    const PROTECTION: &str = "argument unsupported: cannot enforce change protection";
    const XML: &str = "argument unsupported: Unable to change target guest XML during migration";
    type Flags = MigrateFlags;
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let disks = Flags::NON_SHARED_DISK | Flags::NON_SHARED_INC;
    for (flags, others, xml, message) in [
        (disks | Flags::TUNNELLED | Flags::OFFLINE, true, true, BOTH),
        (
            Flags::TUNNELLED | Flags::OFFLINE,
            true,
            true,
            "cannot perform tunnelled migration without using peer2peer flag",
        ),
        (
            Flags::OFFLINE | Flags::CHANGE_PROTECTION,
            true,
            true,
            OFFLINE,
        ),
        (Flags::CHANGE_PROTECTION, true, true, PROTECTION),
        (Flags::UNSAFE, true, true, OTHERS),
        (Flags::UNSAFE, false, true, XML),
        (
            Flags::UNSAFE | Flags::AUTO_CONVERGE,
            false,
            false,
            "unsupported flags (0x200) in function esxDomainMigratePrepare",
        ),
        (
            Flags::ABORT_ON_ERROR | Flags::AUTO_CONVERGE,
            false,
            false,
            "unsupported flags (0x3000) in function esxDomainMigratePerform",
        ),
    ] {
        let parameters = MigrateParameters {
            destination_xml: xml.then(|| "<domain/>".to_owned()),
            others: others
                .then(|| "compression".to_owned())
                .into_iter()
                .collect(),
            ..MigrateParameters::default()
        };
        let error = domain.migrate(&pair.destination, flags, parameters).await;
        assert_eq!(text(error), message);
    }
    let named = MigrateParameters {
        destination_name: Some("y".to_owned()),
        uri: Some("foo:x".to_owned()),
        ..MigrateParameters::default()
    };
    let error = domain.migrate(&pair.destination, Flags::NONE, named).await;
    assert_eq!(
        text(error),
        "invalid argument: Renaming domains on migration not supported"
    );
    for (flags, message) in [
        (disks | Flags::PEER2PEER, BOTH),
        (
            Flags::PEER2PEER,
            "argument unsupported: p2p migration is not supported by the source host",
        ),
        (Flags::CHANGE_PROTECTION, PROTECTION),
        (
            Flags::COMPRESSED,
            "unsupported flags (0x800) in function esxDomainMigrateToURI",
        ),
    ] {
        let error = domain.migrate_to_uri("x", flags, MigrateParameters::default());
        assert_eq!(text(error.await), message);
    }
}

#[tokio::test]
async fn hosts_that_a_direct_migration_does_not_find() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let vpx = |path: &str| format!("vpx://192.0.2.100/{path}");
    for (destination, kind, message) in [
        (
            "esx-03.example.com".to_owned(),
            ErrorKind::NotFound(What::Host),
            "internal error: Could not find HostSystem with name 'esx-03.example.com'",
        ),
        (
            vpx("Berlin/Production/esx-03.example.com"),
            ErrorKind::InventoryPath,
            "internal error: Could not find host system specified in '/Berlin/Production/esx-03.example.com'",
        ),
        (
            "vpx://192.0.2.101/Berlin/Production/esx-02.example.com".to_owned(),
            ErrorKind::MigrationUri,
            "invalid argument: Migration source and destination have to refer to the same vCenter",
        ),
        (
            "esx://esx-02.example.com/".to_owned(),
            ErrorKind::MigrationUri,
            "invalid argument: Only vpx:// and vpxmigr:// URIs are supported for direct migration",
        ),
    ] {
        let none = MigrateParameters::default();
        let error = domain.migrate_to_uri(&destination, MigrateFlags::NONE, none);
        let error = error.await.unwrap_err();
        assert_eq!(error.kind(), kind, "{destination}");
        assert_eq!(error.to_string(), message);
    }
    assert_eq!(pair.host(&domain), "esx-01.example.com");
}

fn parameters() -> MigrateParameters {
    MigrateParameters::default()
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_runs_is_migrated_in_three_steps() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    pair.vcenter.script(Script::new("*").steps(1));
    let migrated = domain.migrate(&pair.destination, MigrateFlags::LIVE, parameters());
    let migrated = migrated.await.unwrap();
    assert_eq!(
        methods(&pair.vcenter),
        [
            // Whether source and destination can migrate.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "ValidateMigration",
            // Question and tasks.
            "RetrievePropertiesEx",
            "MigrateVM_Task",
            // The task, twice.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            // The domain by its name, which is in a folder: which it is, and its identity.
            "FindChild",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
    assert_eq!(pair.host(&domain), "esx-02.example.com");
    assert_eq!(
        crate::host_of(migrated.connect()),
        crate::host_of(&pair.destination)
    );
    assert_eq!(
        (migrated.name(), migrated.uuid()),
        (domain.name(), domain.uuid())
    );
    let error = pair.source.lookup_by_name("web01").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
    // And back, by hand.
    let flags = MigrateFlags::PERSIST_DEST | MigrateFlags::UNDEFINE_SOURCE | MigrateFlags::PAUSED;
    let uri = pair.source.migrate_prepare(None, flags).await.unwrap();
    migrated.migrate_perform(&uri, flags, None).await.unwrap();
    let back = pair.source.migrate_finish("web01", flags).await.unwrap();
    assert_eq!(back.uuid(), domain.uuid());
}

#[tokio::test(start_paused = true)]
async fn a_direct_migration_names_the_host_in_four_ways() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let reference = crate::host_of(&pair.destination).value.clone();
    let uri = pair.destination.migrate_prepare(None, MigrateFlags::NONE);
    let back = crate::host_of(&pair.source).value.clone();
    for destination in [
        "esx-02.example.com".to_owned(),
        reference,
        uri.await.unwrap(),
        format!("vpx://192.0.2.100/{DESTINATION}"),
    ] {
        let to = |host: &str| domain.migrate_to_uri(host, MigrateFlags::LIVE, parameters());
        to(&destination).await.unwrap();
        assert_eq!(pair.host(&domain), "esx-02.example.com", "{destination}");
        to(&back).await.unwrap();
        assert_eq!(pair.host(&domain), "esx-01.example.com", "{destination}");
    }
    pair.vcenter.script(Script::new("*").steps(1));
    pair.vcenter.clear_requests();
    let direct = domain.migrate_to_uri("esx-02.example.com", MigrateFlags::NONE, parameters());
    direct.await.unwrap();
    assert_eq!(
        methods(&pair.vcenter),
        [
            // The hosts.
            "RetrievePropertiesEx",
            "ValidateMigration",
            // Question and tasks.
            "RetrievePropertiesEx",
            "MigrateVM_Task",
            // The task, twice.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_offline_migration_wants_a_domain_that_is_off() {
    let pair = Pair::new().await;
    for (name, is_off) in [("installer", true), ("web01", false)] {
        let domain = pair.domain(name).await;
        let direct =
            domain.migrate_to_uri("esx-02.example.com", MigrateFlags::OFFLINE, parameters());
        match direct.await {
            Ok(()) => assert!(is_off),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WrongState);
                assert_eq!(error.message(), "Domain is not powered off");
                assert!(!is_off);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn files_move_to_another_datastore() {
    let pair = Pair::new().await;
    let domain = pair.domain("installer").await;
    let to = |datastore: &str| {
        let parameters = MigrateParameters {
            datastore: Some(datastore.to_owned()),
            priority: MigratePriority::High,
            ..MigrateParameters::default()
        };
        domain.migrate_to_uri("esx-02.example.com", MigrateFlags::NONE, parameters)
    };
    let error = to("fast").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Datastore));
    to("production-shared").await.unwrap();
    assert!(methods(&pair.vcenter).contains(&"RelocateVM_Task".to_owned()));
    assert_eq!(pair.host(&domain), "esx-02.example.com");
    let vm: VirtualMachine = pair.vcenter.properties(domain.moref()).unwrap();
    let path = vm.config.unwrap().files.vm_path_name.clone().unwrap();
    assert!(path.starts_with("[production-shared] "), "{path}");
}

#[tokio::test(start_paused = true)]
async fn the_progress_is_told() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    pair.vcenter.script(Script::new("MigrateVM_Task").steps(4));
    let told = std::sync::Mutex::new(Vec::new());
    let operation = domain
        .migrate(&pair.destination, MigrateFlags::LIVE, parameters())
        .on_progress(|progress| told.lock().unwrap().extend(progress.percent));
    operation.await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 1 && told.is_sorted(), "{told:?}");
    assert_eq!(pair.vcenter.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn problems_that_the_vcenter_reports() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let here = || domain.migrate_to_uri("esx-01.example.com", MigrateFlags::NONE, parameters());
    let error = here().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    let text = "internal error: Could not migrate domain, validation reported a problem: ";
    assert!(error.to_string().starts_with(text), "{error}");
    let error = domain
        .migrate(&pair.source, MigrateFlags::NONE, parameters())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert!(!methods(&pair.vcenter).contains(&"MigrateVM_Task".to_owned()));

    // A warning.
    let warning =
        Effect::rewrite(|text| text.replace("MigrationErrorEvent", "MigrationWarningEvent"));
    pair.vcenter.inject(Rule::new("ValidateMigration", warning));
    let error = here().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert!(error.advice().unwrap().contains("warning"));
    let is_unsafe = domain.migrate_to_uri("esx-01.example.com", MigrateFlags::UNSAFE, parameters());
    let error = is_unsafe.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed, "it goes on: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let fault = Timedout::default();
    let script = Script::new("MigrateVM_Task").fails(fault, "Operation timed out.");
    pair.vcenter.script(script);
    let error = domain.migrate(&pair.destination, MigrateFlags::NONE, parameters());
    let error = error.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_eq!(
        error.to_string(),
        "internal error: Could not migrate domain, migration task finished with an error: Timedout - Operation timed out."
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_migrates_once() {
    for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
        let pair = Pair::new().await;
        let domain = pair.domain("web01").await;
        pair.vcenter
            .inject(Rule::new("MigrateVM_Task", effect).nth(1));
        let migrated = domain.migrate(&pair.destination, MigrateFlags::LIVE, parameters());
        match migrated.await {
            Ok(_) => assert!(is_done),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InDoubt);
                assert!(!is_done);
            }
        }
        let host = pair.host(&domain);
        assert_eq!(host == "esx-02.example.com", is_done);
        let calls = methods(&pair.vcenter);
        let calls = calls.iter().filter(|method| *method == "MigrateVM_Task");
        assert_eq!(calls.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn another_domain_of_that_name_is_not_the_migrated_one() {
    let pair = Pair::new().await;
    let domain = pair.domain("web01").await;
    let other = CloneOptions {
        host: Some("esx-02.example.com".to_owned()),
        ..CloneOptions::default()
    };
    let other = domain.clone_to("web02", other).await.unwrap();
    pair.vcenter
        .change(other.moref(), |vm: &mut VirtualMachine| {
            vm.name = Some("web01".to_owned());
        });
    let migrated = domain.migrate(&pair.destination, MigrateFlags::LIVE, parameters());
    assert_eq!(migrated.await.unwrap().uuid(), domain.uuid());
}

/// A host's domain is known to the vCenter by its UUID.
#[tokio::test(start_paused = true)]
async fn a_domain_leaves_its_host_by_the_vcenter() {
    let (host, vcenter) = (Simulator::esx().build(), Simulator::vcenter().build());
    let connect = managed(&host, &vcenter).await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let vm = vcenter.vm("web01").unwrap();
    vcenter.change(&vm, |vm: &mut VirtualMachine| {
        let config = vm.config.as_deref_mut().unwrap();
        config.instance_uuid = Some(domain.uuid().to_string());
    });
    host.clear_requests();
    let to = domain.migrate_to_uri("esx-02.example.com", MigrateFlags::NONE, parameters());
    to.await.unwrap();
    let vm: VirtualMachine = vcenter.properties(&vm).unwrap();
    let destination = to_host(&vcenter, "esx-02.example.com");
    assert_eq!(vm.runtime.unwrap().host.as_ref(), Some(&destination));
    assert!(methods(&host).is_empty());
}

fn to_host(vcenter: &Simulator, name: &str) -> vi_types::ManagedObjectReference {
    let mut hosts = vcenter.objects("HostSystem").into_iter();
    let is_it = |host: &vi_types::ManagedObjectReference| {
        let host: HostSystem = vcenter.properties(host).unwrap();
        host.name.as_deref() == Some(name)
    };
    hosts.find(is_it).unwrap()
}
