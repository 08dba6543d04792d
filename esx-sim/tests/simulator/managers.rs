//! The managers of a server and of its hosts: which there are, and what can be done with their settings.

use esx_sim::Simulator;
use vi_types::enums::HostSystemConnectionState::{Connected, Disconnected};
use vi_types::enums::VirtualMachineConnectionState;
use vi_types::methods::{
    ConfigurePowerPolicy, DisconnectHostTask, Fetch, ListCaCertificates,
    QueryConfigOptionDescriptor, QueryOptions, ReconnectHostTask, UpdateOptions,
};
use vi_types::objects::{
    HostCertificateManagerCertificateInfo, HostConfigManager, InvalidArgument, InvalidName,
    InvalidState, NotImplemented, NotSupported, OptionValue,
};
use vi_types::wire::{self, Limits, ResponseError};
use vi_types::{Any, DataObject, ManagedObjectReference, Object, Poly, View, properties};

use crate::client::{Client, moref};

/// The members of an object that refer to something.
fn members(object: &dyn Object) -> Vec<(&'static str, ManagedObjectReference)> {
    let fields = object.info().all_fields();
    let found = fields.filter_map(|field| match object.property(field.name) {
        Some(View::Moref(to)) => Some((field.name, to.clone())),
        _ => None,
    });
    found.collect()
}

fn of_host(simulator: &Simulator) -> HostConfigManager {
    let host = &simulator.objects("HostSystem")[0];
    let host: properties::HostSystem = simulator.properties(host).unwrap();
    *host.config_manager.unwrap()
}

/// The members of an object of the API that a release has.
fn known(object: &dyn Object, release: &str) -> Vec<&'static str> {
    let is_older = |since: &str| {
        let number = |text: &str| -> Vec<u32> {
            text.split('.')
                .map(|part| part.parse().unwrap_or(0))
                .collect()
        };
        since.is_empty() || number(since) <= number(release)
    };
    let fields = object.info().all_fields();
    let fields = fields.filter(|field| field.ty == "ManagedObjectReference");
    fields
        .filter(|field| is_older(field.since))
        .map(|field| field.name)
        .collect()
}

#[tokio::test]
async fn all_managers_that_a_release_has_are_there() {
    // What only the other kind of server has, or what none has any more.
    let not_on_vcenter = ["accountManager", "virtualizationManager"];
    let not_on_esx = [
        "scheduledTaskManager",
        "alarmManager",
        "extensionManager",
        "customizationSpecManager",
        "guestCustomizationManager",
        "customFieldsManager",
        "virtualizationManager",
        "snmpSystem",
        "vmProvisioningChecker",
        "vmCompatibilityChecker",
        "ipPoolManager",
        "hostProfileManager",
        "clusterProfileManager",
        "complianceManager",
        "overheadMemoryManager",
        "certificateManager",
        "ioFilterManager",
        "hostSpecManager",
        "healthUpdateManager",
        "failoverClusterConfigurator",
        "failoverClusterManager",
        "tenantManager",
        "siteInfoManager",
        "storageQueryManager",
    ];
    for release in [
        "2.5", "4.0", "4.1", "5.0", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0",
    ] {
        for (simulator, absent) in [
            (Simulator::esx(), &not_on_esx[..]),
            (Simulator::vcenter(), &not_on_vcenter),
        ] {
            let simulator = simulator.api_version(release).unwrap().build();
            let client = Client::login(&simulator).await;
            let content = client.content.as_object();
            let found = members(content);
            let missing: Vec<_> = known(content, release)
                .into_iter()
                .filter(|name| !absent.contains(name) && found.iter().all(|one| one.0 != *name))
                .collect();
            assert_eq!(missing, Vec::<&str>::new(), "{release}");
            let managers = of_host(&simulator);
            let mut all = found;
            all.extend(members(managers.as_object()));
            let missing: Vec<_> = known(managers.as_object(), release)
                .into_iter()
                .filter(|name| all.iter().all(|one| one.0 != *name))
                .collect();
            assert_eq!(missing, Vec::<&str>::new(), "{release}");
            // Each answers when it is asked for something.
            for (member, manager) in &all {
                let fetch = Fetch {
                    prop: "nothing".to_owned(),
                    ..Fetch::default()
                };
                let fault = client.call_on(manager, &fetch).await.unwrap_err();
                assert!(fault.string.contains("nothing"), "{member}: {fault}");
            }
        }
    }
    let vcenter = Client::login(&Simulator::vcenter().build()).await;
    assert!(members(vcenter.content.as_object()).len() >= 44);
}

/// Calls a method by its name.
async fn call(
    client: &Client,
    on: &ManagedObjectReference,
    method: &str,
) -> Result<String, (String, bool)> {
    let body = format!(
        "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <soapenv:Body><{method} xmlns=\"urn:vim25\"><_this type=\"{}\">{}</_this></{method}>\
         </soapenv:Body></soapenv:Envelope>",
        on.r#type, on.value
    );
    let answer = client.post(body).await;
    if answer.status() == 200 {
        return Ok(String::from_utf8(answer.body().to_vec()).unwrap());
    }
    match wire::decode_response::<Fetch>(answer.body(), Limits::default()) {
        Err(ResponseError::Fault(fault)) => {
            Err((fault.string.clone(), fault.is::<NotImplemented>()))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_method_that_is_not_played_says_its_name() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let managers = of_host(&simulator);
    for (on, method) in [
        (client.service("alarmManager"), "CreateAlarm"),
        (
            client.service("authorizationManager"),
            "RetrieveEntityPermissions",
        ),
        (client.service("extensionManager"), "RegisterExtension"),
        (client.service("cryptoManager"), "ListKeys"),
        (managers.vsan_system.clone().unwrap(), "UpdateVsan_Task"),
        (
            managers.image_config_manager.clone().unwrap(),
            "UpdateHostImageAcceptanceLevel",
        ),
        (simulator.vm("web01").unwrap(), "UpgradeTools_Task"),
    ] {
        let (text, _) = call(&client, &on, method).await.unwrap_err();
        // With all types of the API, a request without its parameters cannot even be read.
        let is_unreadable = text.starts_with("cannot read the request");
        let names_both = text.contains(method) && text.contains(&on.value);
        assert!(
            names_both || is_unreadable && text.contains(method),
            "{text}"
        );
    }
    // What never changes is answered.
    for (on, method, part) in [
        (
            managers.vsan_system.clone().unwrap(),
            "QueryHostStatus",
            "<health>unknown</health>",
        ),
        (
            managers.image_config_manager.clone().unwrap(),
            "HostImageConfigGetAcceptance",
            "partner",
        ),
        (
            client.service("alarmManager"),
            "GetAlarm",
            "<GetAlarmResponse xmlns=\"urn:vim25\"></GetAlarmResponse>",
        ),
    ] {
        let answer = call(&client, &on, method).await.unwrap();
        assert!(answer.contains(part), "{answer}");
    }
}

fn option(key: &str, value: impl Into<Any>) -> Poly<OptionValue> {
    OptionValue {
        key: key.to_owned(),
        value: Some(value.into()),
        ..OptionValue::default()
    }
    .into()
}

#[tokio::test]
async fn advanced_options_are_asked_for_and_changed() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        let client = Client::login(&simulator).await;
        let options = of_host(&simulator).advanced_option.unwrap();
        let query = |name: &str| QueryOptions {
            name: Some(name.to_owned()),
            ..QueryOptions::default()
        };
        let all = client
            .call_on(&options, &QueryOptions::default())
            .await
            .unwrap();
        assert!(all.len() > 30);
        for (name, count) in [
            ("UserVars.", 5),
            ("NFS.MaxVolumes", 1),
            ("Syslog.global.", 4),
        ] {
            let found = client.call_on(&options, &query(name)).await.unwrap();
            assert_eq!(found.len(), count, "{name}");
        }
        for name in ["nfs.maxvolumes", "No.Such", "UserVars"] {
            let fault = client.call_on(&options, &query(name)).await.unwrap_err();
            assert_eq!(fault.cast::<InvalidName>().unwrap().name, name);
        }
        let update = |changed: Vec<Poly<OptionValue>>| UpdateOptions {
            changed_value: changed,
            ..UpdateOptions::default()
        };
        let good = || option("UserVars.ESXiShellTimeOut", Any::Long(300));
        for (wrong, is_name) in [
            (option("No.Such", Any::Long(1)), true),
            (option("UserVars.ESXiShellTimeOut", Any::from("300")), false),
            (option("UserVars.ESXiShellTimeOut", Any::Int(300)), false),
            (
                option("UserVars.ESXiShellTimeOut", Any::Long(86_401)),
                false,
            ),
            (option("NFS.MaxVolumes", Any::Long(7)), false),
            (option("Misc.HostName", Any::from("other")), false),
        ] {
            let request = update(vec![good(), wrong]);
            let fault = client.call_on(&options, &request).await.unwrap_err();
            assert_eq!(fault.is::<InvalidName>(), is_name, "{fault}");
            assert_eq!(fault.is::<InvalidArgument>(), !is_name, "{fault}");
        }
        let before = client
            .call_on(&options, &query("UserVars.ESXiShellTimeOut"))
            .await
            .unwrap();
        assert_eq!(before[0].value, Some(Any::Long(0)), "nothing was changed");
        let request = update(vec![
            good(),
            option("Syslog.global.logHost", "udp://192.0.2.9:514".to_owned()),
        ]);
        client.call_on(&options, &request).await.unwrap();
        let after = client
            .call_on(&options, &query("UserVars.ESXiShellTimeOut"))
            .await
            .unwrap();
        assert_eq!(after, [good()]);
        let host = &simulator.objects("HostSystem")[0];
        let path = "config.option[\"Syslog.global.logHost\"].value";
        assert_eq!(
            client.value(host, path).await,
            Any::from("udp://192.0.2.9:514".to_owned())
        );
    }
}

#[tokio::test]
async fn a_host_has_a_power_policy_and_a_certificate() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let managers = of_host(&simulator);
    let power = managers.power_system.unwrap();
    let policy = |key| ConfigurePowerPolicy {
        key,
        ..ConfigurePowerPolicy::default()
    };
    client.call_on(&power, &policy(1)).await.unwrap();
    let host = &simulator.objects("HostSystem")[0];
    for (object, path) in [
        (&power, "info.currentPolicy.shortName"),
        (host, "config.powerSystemInfo.currentPolicy.shortName"),
    ] {
        assert_eq!(
            client.value(object, path).await,
            Any::from("static"),
            "{path}"
        );
    }
    let fault = client.call_on(&power, &policy(9)).await.unwrap_err();
    assert!(fault.is::<InvalidArgument>(), "{fault}");
    let certificates = managers.certificate_manager.unwrap();
    let info: HostCertificateManagerCertificateInfo = client
        .value(&certificates, "certificateInfo")
        .await
        .cast()
        .unwrap();
    assert_eq!(info.status, "good");
    assert!(info.subject.unwrap().starts_with("CN=esx.example.com,"));
    assert!(info.not_before.is_some() && info.not_before != info.not_after);
    let trusted = client
        .call_on(&certificates, &ListCaCertificates::default())
        .await;
    assert_eq!(trusted.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_host_is_disconnected_and_connected_again() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let host = simulator.objects("HostSystem")[0].clone();
    let vm = simulator.vm("web01").unwrap();
    let fault = client
        .call_on(&host, &ReconnectHostTask::default())
        .await
        .unwrap_err();
    assert!(fault.is::<InvalidState>(), "{fault}");
    for (is, machines) in [
        (Disconnected, VirtualMachineConnectionState::Disconnected),
        (Connected, VirtualMachineConnectionState::Connected),
    ] {
        match is {
            Connected => client.call_on(&host, &ReconnectHostTask::default()).await,
            _ => client.call_on(&host, &DisconnectHostTask::default()).await,
        }
        .unwrap();
        while simulator.step_tasks() {}
        let now: properties::HostSystem = simulator.properties(&host).unwrap();
        assert_eq!(now.runtime.unwrap().connection_state, is);
        assert_eq!(now.summary.unwrap().runtime.unwrap().connection_state, is);
        let now: properties::VirtualMachine = simulator.properties(&vm).unwrap();
        assert_eq!(now.runtime.unwrap().connection_state, machines);
        assert_eq!(now.summary.unwrap().runtime.connection_state, machines);
    }
    let events = simulator.events();
    let events: Vec<_> = events.iter().map(Poly::type_name).collect();
    assert!(
        events.ends_with(&["TaskEvent", "HostConnectedEvent"]),
        "{events:?}"
    );

    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let host = moref("HostSystem", "ha-host");
    let fault = client
        .call_on(&host, &DisconnectHostTask::default())
        .await
        .unwrap_err();
    assert!(fault.is::<NotSupported>(), "{fault}");
}

#[tokio::test]
async fn versions_of_virtual_hardware_are_described() {
    for (release, count, newest) in [
        ("2.5", 1, "vmx-04"),
        ("5.0", 3, "vmx-08"),
        ("8.0", 10, "vmx-20"),
    ] {
        let simulator = Simulator::vcenter().api_version(release).unwrap().build();
        let client = Client::login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        let vm: properties::VirtualMachine = simulator.properties(&vm).unwrap();
        let browser = vm.environment_browser.unwrap();
        let request = QueryConfigOptionDescriptor::default();
        let found = client.call_on(&browser, &request).await.unwrap();
        assert_eq!(found.len(), count);
        let last = found.last().unwrap();
        assert_eq!(
            (&*last.key, last.default_config_option),
            (newest, Some(true))
        );
        assert_eq!(last.host.len(), 2);
    }
}
