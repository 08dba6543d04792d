//! Migration between the hosts of a vCenter.

use esx_driver::{
    Connect, Domain, Error, ErrorKind, MigrateFlags, MigrateParameters, OpenOptions, What,
    auth::AuthFileSearch, vi_client::transport::InProcess,
};
use esx_sim::Simulator;
use vi_types::properties::HostSystem;

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
        let vm: vi_types::properties::VirtualMachine =
            self.vcenter.properties(domain.moref()).unwrap();
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
