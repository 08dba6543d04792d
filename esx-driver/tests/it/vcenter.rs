//! vCenters: inventory paths, and the vCenter of a host.

use std::sync::Arc;

use esx_driver::{
    Connect, DestroyFlags, Domain, Error, ErrorKind, EsxUri, OpenOptions, What,
    auth::{AuthError, AuthFileSearch, Authenticate, BoxFuture, Prompt, SecretString},
    vi_client::transport::InProcess,
    virt_model::DomainFilter,
};
use esx_sim::Simulator;
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::properties::{Folder, HostSystem, VirtualMachine};

use crate::{credentials, methods, open, text};

#[tokio::test]
async fn opening_takes_three_requests() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrieveServiceContent", "Login", "RetrievePropertiesEx"]
    );
    simulator.clear_requests();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(list.domains.len(), 7);
    assert_eq!(list.domains[0].domain.id(), Some(101));
    assert_eq!(connect.hostname().await.unwrap(), "esx-01.example.com");
}

/// The host that `path` of the simulated vCenter leads to.
async fn host(path: &str) -> Result<String, Error> {
    let simulator = Simulator::vcenter().build();
    let connect = open(&simulator, &format!("vpx://vc/{path}")).await;
    assert_eq!(
        simulator.sessions(),
        connect.is_ok().into(),
        "no session is left behind"
    );
    let connect = connect?;
    let host = simulator
        .properties::<HostSystem>(crate::host_of(&connect))
        .unwrap();
    Ok(host.name.clone().unwrap())
}

#[tokio::test]
async fn paths() {
    for (path, expected) in [
        ("Berlin/Production/esx-02.example.com", "esx-02.example.com"),
        ("Berlin/Edge/esx-edge.example.com", "esx-edge.example.com"),
        (
            "Europe/Paris/Racks/Row%20A/esx-01.paris.example.com",
            "esx-01.paris.example.com",
        ),
        (
            "//Berlin//Production/esx-01.example.com/",
            "esx-01.example.com",
        ),
    ] {
        assert_eq!(host(path).await.unwrap(), expected, "{path}");
    }
}

#[tokio::test]
async fn paths_that_lead_nowhere() {
    for (path, message, advice) in [
        (
            "Berlim/Production/esx-01.example.com",
            "internal error: Could not find datacenter specified in '/Berlim/Production/esx-01.example.com'",
            "there is no 'Berlim'; did you mean 'Berlin'?",
        ),
        (
            "Berlin/Development/esx-01.example.com",
            "internal error: Could not find compute resource specified in '/Berlin/Development/esx-01.example.com'",
            "there is no 'Development' in '/Berlin'; there are 'Edge', 'Production'",
        ),
        (
            "Berlin/Production/esx-03.example.com",
            "internal error: Could not find host system specified in '/Berlin/Production/esx-03.example.com'",
            "there is no 'esx-03.example.com' in '/Berlin/Production'; did you mean 'esx-02.example.com'?",
        ),
        (
            "Berlin",
            "invalid argument: Path '/Berlin' does not specify a compute resource",
            "there are 'Edge', 'Production'",
        ),
        (
            "Berlin/Production",
            "invalid argument: Path '/Berlin/Production' does not specify a host system",
            "there are 'esx-01.example.com', 'esx-02.example.com'",
        ),
        (
            "Europe",
            "internal error: Could not find datacenter specified in '/Europe'",
            "'/Europe' is a folder; there are 'Paris'",
        ),
        (
            "Berlin/Edge/esx-edge.example.com/x",
            "invalid argument: Path '/Berlin/Edge/esx-edge.example.com/x' ends with an excess item",
            "leave 'x' and what follows it out",
        ),
    ] {
        let error = host(path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InventoryPath, "{path}");
        assert_eq!(error.to_string(), message, "{path}");
        assert_eq!(error.advice(), Some(advice), "{path}");
    }
}

#[tokio::test]
async fn names_with_hidden_characters() {
    let simulator = Simulator::vcenter().build();
    for folder in simulator.objects("Folder") {
        simulator.change(&folder, |folder: &mut Folder| {
            if folder.name.as_deref() == Some("Europe") {
                folder.name = Some("EU%2fEMEA".to_owned());
            }
        });
    }
    for written in ["EU%2fEMEA", "EU%252fEMEA"] {
        let uri = format!("vpx://vc/{written}/Paris/Racks/Row A/esx-01.paris.example.com")
            .replace(' ', "%20");
        assert!(open(&simulator, &uri).await.is_ok(), "{written}");
    }
}

/// A host of any name is found, and what fails on it names it.
#[tokio::test]
async fn hosts_with_odd_names() {
    for (name, written) in [
        ("esx%2f1", "esx%252f1"),
        ("esx 漢字 1", "esx%20%E6%BC%A2%E5%AD%97%201"),
        ("a%25b", "a%2525b"),
    ] {
        let simulator = Simulator::vcenter().build();
        let first = simulator.objects("HostSystem").into_iter().find(|host| {
            let host = simulator.properties::<HostSystem>(host).unwrap();
            simulator.path().ends_with(&host.name.clone().unwrap())
        });
        let first = first.unwrap();
        let renamed = |host: &mut HostSystem| host.name = Some(name.to_owned());
        simulator.change(&first, renamed).unwrap();
        let (start, _) = simulator.path().rsplit_once('/').unwrap();
        let uri = format!("vpx://vc/{start}/{written}");
        let connect = open(&simulator, &uri).await.unwrap();
        assert_eq!(crate::host_of(&connect), &first);
        assert!(!connect.list_networks().await.unwrap().is_empty());
        assert!(!connect.list_interfaces().await.unwrap().is_empty());
        assert!(!connect.node_list_devices(None).await.unwrap().is_empty());
        let missing = format!("vpx://vc/{start}/{written}x");
        let error = open(&simulator, &missing).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InventoryPath, "{error}");
    }
}

#[tokio::test]
async fn the_usual_user_of_a_vcenter() {
    let simulator = Simulator::vcenter()
        .credentials("administrator@vsphere.local", "password")
        .build();
    let uri = format!("vpx://vc/{}", simulator.path());
    assert!(open(&simulator, &uri).await.is_ok());
    let simulator = Simulator::vcenter().credentials("root", "password").build();
    assert!(open(&simulator, &uri).await.is_err());
}

/// The address by which the simulated vCenter knows its first host.
const HOST_IP: &str = "192.0.2.1";
const VCENTER_IP: &str = "192.0.2.100";

/// A host that says it is managed by `managed_by`, and a vCenter that knows it.
struct Managed {
    host: Simulator,
    vcenter: Simulator,
}

impl Managed {
    fn by(managed_by: Option<&str>) -> Managed {
        let host = Simulator::esx().build();
        let vcenter = Simulator::vcenter().build();
        let own = host.objects("HostSystem").remove(0);
        host.change(&own, |host: &mut HostSystem| {
            host.summary.as_mut().unwrap().management_server_ip = managed_by.map(str::to_owned);
        });
        Managed { host, vcenter }
    }

    async fn open(&self, host: &str, query: &str) -> Result<Connect, Error> {
        self.open_asking(host, query, &credentials()).await
    }

    async fn open_asking(
        &self,
        host: &str,
        query: &str,
        questions: &dyn Authenticate,
    ) -> Result<Connect, Error> {
        let uri: EsxUri = format!("esx://{host}/?{query}").parse()?;
        OpenOptions::new(questions)
            .auth_files(AuthFileSearch::default())
            .transport(InProcess::new(self.host.handler()))
            .vcenter_transport(InProcess::new(self.vcenter.handler()))
            .open(&uri)
            .await
    }
}

#[tokio::test]
async fn no_vcenter_unless_asked_for() {
    let managed = Managed::by(Some(VCENTER_IP));
    let connect = managed.open(HOST_IP, "").await.unwrap();
    assert!(connect.vcenter().is_none());
    assert!(methods(&managed.vcenter).is_empty());
}

#[tokio::test]
async fn the_vcenter_that_the_host_names() {
    let managed = Managed::by(Some(VCENTER_IP));
    let address = managed
        .vcenter
        .properties::<HostSystem>(&managed.vcenter.objects("HostSystem")[0])
        .unwrap();
    let connect = managed.open(HOST_IP, "vcenter=*").await;
    let connect = connect.unwrap_or_else(|error| panic!("{error}: {:?}", address.name));
    assert!(connect.vcenter().is_some());
    assert_eq!(
        methods(&managed.vcenter),
        [
            "RetrieveServiceContent",
            "Login",
            "FindByIp",
            "RetrievePropertiesEx"
        ]
    );
    connect.close().await.unwrap();
    assert_eq!(
        (managed.host.sessions(), managed.vcenter.sessions()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_vcenter_by_name() {
    for managed_by in [None, Some(VCENTER_IP)] {
        let managed = Managed::by(managed_by);
        let query = format!("vcenter={VCENTER_IP}");
        assert!(
            managed
                .open(HOST_IP, &query)
                .await
                .unwrap()
                .vcenter()
                .is_some()
        );
    }
}

#[tokio::test]
async fn vcenters_that_do_not_fit() {
    let managed = Managed::by(None);
    assert_eq!(
        text(managed.open(HOST_IP, "vcenter=*").await),
        "internal error: This host is not managed by a vCenter"
    );
    let managed = Managed::by(Some(VCENTER_IP));
    let error = managed
        .open(HOST_IP, "vcenter=192.0.2.77")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "internal error: This host is managed by a vCenter with IP address 192.0.2.100, but a \
         mismatching vCenter '192.0.2.77' (192.0.2.77) has been specified"
    );
    assert_eq!(error.kind(), ErrorKind::VCenter);
    assert_eq!(managed.host.sessions(), 0);
}

#[tokio::test]
async fn a_vcenter_that_does_not_know_the_host() {
    let managed = Managed::by(Some(VCENTER_IP));
    assert_eq!(
        text(managed.open("192.0.2.250", "vcenter=*").await),
        "internal error: vCenter '192.0.2.100' does not manage a host with IP address 192.0.2.250"
    );
    assert_eq!(
        (managed.host.sessions(), managed.vcenter.sessions()),
        (0, 0)
    );
}

#[tokio::test]
async fn a_host_in_place_of_the_vcenter() {
    let mut managed = Managed::by(Some(VCENTER_IP));
    managed.vcenter = Simulator::esx().build();
    assert_eq!(
        text(managed.open(HOST_IP, "vcenter=*").await),
        "internal error: Expecting '192.0.2.100' to be a vCenter/VPX host but found a ESX(i) host"
    );
}

#[tokio::test]
async fn both_servers_ask_for_credentials() {
    /// Remembers the prompts.
    #[derive(Default)]
    struct Prompts(Arc<std::sync::Mutex<Vec<String>>>);

    impl Authenticate for Prompts {
        fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
            self.0.lock().unwrap().push(prompt.username_prompt());
            Box::pin(std::future::ready(Ok(prompt.default.clone())))
        }

        fn password<'a>(
            &'a self,
            prompt: &'a Prompt,
        ) -> BoxFuture<'a, Result<SecretString, AuthError>> {
            self.0.lock().unwrap().push(prompt.password_prompt());
            Box::pin(std::future::ready(Ok("password".into())))
        }
    }

    let prompts = Prompts::default();
    let managed = Managed::by(Some(VCENTER_IP));
    managed
        .open_asking(HOST_IP, "vcenter=*", &prompts)
        .await
        .unwrap();
    assert_eq!(
        *prompts.0.lock().unwrap(),
        [
            "Enter username for 192.0.2.1 [root]",
            "Enter root's password for 192.0.2.1",
            "Enter username for 192.0.2.100 [administrator@vsphere.local]",
            "Enter administrator@vsphere.local's password for 192.0.2.100",
        ]
    );
}

/// Gives a virtual machine of the vCenter the UUID of a domain, and lets both run.
fn known_to_the_vcenter(managed: &Managed, domain: &Domain) -> ManagedObjectReference {
    let vm = managed.vcenter.objects("VirtualMachine").remove(0);
    managed.vcenter.change(&vm, |vm: &mut VirtualMachine| {
        let config = vm.config.as_deref_mut().unwrap();
        config.instance_uuid = Some(domain.uuid().to_string());
    });
    managed.vcenter.set_power_state(&vm, PoweredOn);
    managed.host.set_power_state(domain.moref(), PoweredOn);
    vm
}

#[tokio::test(start_paused = true)]
async fn the_vcenter_stops_domains() {
    let managed = Managed::by(Some(VCENTER_IP));
    let connect = managed.open(HOST_IP, "vcenter=*").await.unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let vm = known_to_the_vcenter(&managed, &domain);
    managed.host.clear_requests();
    managed.vcenter.clear_requests();

    domain.destroy(DestroyFlags::NONE).await.unwrap();
    assert!(methods(&managed.host).is_empty());
    let asked = methods(&managed.vcenter);
    assert_eq!(
        asked[..3],
        ["FindByUuid", "RetrievePropertiesEx", "PowerOffVM_Task"]
    );
    let stopped: VirtualMachine = managed.vcenter.properties(&vm).unwrap();
    assert_eq!(stopped.runtime.unwrap().power_state, PoweredOff);

    // All else is the host's.
    managed.vcenter.clear_requests();
    domain.suspend().await.unwrap();
    assert!(methods(&managed.vcenter).is_empty());
}

#[tokio::test]
async fn the_vcenter_may_not_know_a_domain() {
    let managed = Managed::by(Some(VCENTER_IP));
    let connect = managed.open(HOST_IP, "vcenter=*").await.unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let vm = known_to_the_vcenter(&managed, &domain);
    managed.vcenter.remove_vm(&vm);
    let error = domain.destroy(DestroyFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
    assert!(!methods(&managed.host).contains(&"PowerOffVM_Task".to_owned()));
}
