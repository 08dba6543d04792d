//! Services, firewall, time, passed-through devices, maintenance and logs of a host.

use esx_sim::Simulator;
use vi_types::enums::{TaskInfoState, VirtualMachinePowerState};
use vi_types::methods::{
    BrowseDiagnosticLog, DisableRuleset, EnableRuleset, EnterMaintenanceModeTask,
    ExitMaintenanceModeTask, QueryDescriptions, RebootHostTask, StartService, StopService,
    UpdateDateTimeConfig, UpdatePassthruConfig, UpdateServicePolicy,
};
use vi_types::objects::{
    HostConfigInfo, HostConfigManager, HostDateTimeConfig, HostNtpConfig, HostPciPassthruConfig,
    InvalidArgument, InvalidState, NotFound,
};
use vi_types::{ManagedObjectReference, properties};

use crate::client::Client;

fn host(client: &Client) -> (ManagedObjectReference, HostConfigManager, HostConfigInfo) {
    let host = client.simulator.objects("HostSystem").remove(0);
    let state: properties::HostSystem = client.simulator.properties(&host).unwrap();
    (host, *state.config_manager.unwrap(), *state.config.unwrap())
}

#[tokio::test]
async fn services_start_and_stop_in_the_system_and_in_the_host() {
    let client = Client::login(&Simulator::esx().build()).await;
    let (_, managers, _) = host(&client);
    let system = managers.service_system.unwrap();
    let start = |id: &str| StartService {
        this: system.clone(),
        id: id.to_owned(),
        ..StartService::default()
    };
    let ssh = |client: &Client| {
        let services = host(client).2.service.unwrap().service;
        let ssh = services
            .into_iter()
            .find(|service| service.key == "TSM-SSH");
        let ssh = ssh.unwrap();
        (ssh.running, ssh.policy)
    };
    assert_eq!(ssh(&client), (false, "off".to_owned()));
    client.call(&start("TSM-SSH")).await.unwrap();
    let policy = UpdateServicePolicy {
        this: system.clone(),
        id: "TSM-SSH".to_owned(),
        policy: "on".to_owned(),
        ..UpdateServicePolicy::default()
    };
    client.call(&policy).await.unwrap();
    assert_eq!(ssh(&client), (true, "on".to_owned()));
    let state: properties::HostServiceSystem = client.simulator.properties(&system).unwrap();
    assert_eq!(state.service_info, host(&client).2.service);
    let error = client.call(&start("TSM-SSH")).await.unwrap_err();
    assert!(error.is::<InvalidState>(), "{error:?}");
    let error = client.call(&start("telnetd")).await.unwrap_err();
    assert!(error.is::<NotFound>(), "{error:?}");
    let stop = StopService {
        this: system,
        id: "TSM-SSH".to_owned(),
        ..StopService::default()
    };
    client.call(&stop).await.unwrap();
    assert!(!ssh(&client).0);
}

#[tokio::test]
async fn rulesets_and_time_servers_change() {
    let client = Client::login(&Simulator::esx().build()).await;
    let (_, managers, config) = host(&client);
    let system = managers.firewall_system.unwrap();
    let enabled = |config: HostConfigInfo| {
        let rulesets = config.firewall.unwrap().ruleset.into_iter();
        let enabled = rulesets.filter(|ruleset| ruleset.enabled);
        enabled.map(|ruleset| ruleset.key).collect::<Vec<_>>()
    };
    let before = enabled(config);
    let enable = EnableRuleset {
        this: system.clone(),
        id: "nfsClient".to_owned(),
        ..EnableRuleset::default()
    };
    client.call(&enable).await.unwrap();
    assert_eq!(enabled(host(&client).2).len(), before.len() + 1);
    let disable = DisableRuleset {
        this: system,
        id: "nfsClient".to_owned(),
        ..DisableRuleset::default()
    };
    client.call(&disable).await.unwrap();
    assert_eq!(enabled(host(&client).2), before);

    let ntp = HostNtpConfig {
        server: vec!["ntp.example.org".to_owned()],
        ..HostNtpConfig::default()
    };
    let configure = UpdateDateTimeConfig {
        this: managers.date_time_system.unwrap(),
        config: HostDateTimeConfig {
            ntp_config: Some(ntp.clone().into()),
            ..HostDateTimeConfig::default()
        },
        ..UpdateDateTimeConfig::default()
    };
    client.call(&configure).await.unwrap();
    let time = host(&client).2.date_time_info.unwrap();
    assert_eq!(*time.ntp_config.unwrap(), ntp);
}

#[tokio::test]
async fn devices_are_a_tree_and_are_passed_through_after_a_reboot() {
    let client = Client::login(&Simulator::esx().build()).await;
    let (reference, managers, config) = host(&client);
    let state: properties::HostSystem = client.simulator.properties(&reference).unwrap();
    let devices = state.hardware.unwrap().pci_device;
    for device in &devices {
        assert_eq!(
            device.parent_bridge.is_none(),
            device.bus == 0,
            "{}",
            device.id
        );
        if let Some(bridge) = &device.parent_bridge {
            assert!(devices.iter().any(|other| other.id == *bridge), "{bridge}");
        }
    }
    for nic in config.network.unwrap().pnic {
        assert!(
            devices.iter().any(|device| nic.pci.ends_with(&device.id)),
            "{}",
            nic.pci
        );
    }
    let capable = |config: &HostConfigInfo| {
        let mut devices = config.pci_passthru_info.iter();
        devices
            .find(|device| device.passthru_capable)
            .unwrap()
            .clone()
    };
    let device = capable(&host(&client).2);
    let update = |id: &str| UpdatePassthruConfig {
        this: managers.pci_passthru_system.clone().unwrap(),
        config: vec![
            HostPciPassthruConfig {
                id: id.to_owned(),
                passthru_enabled: true,
                ..HostPciPassthruConfig::default()
            }
            .into(),
        ],
        ..UpdatePassthruConfig::default()
    };
    client.call(&update(&device.id)).await.unwrap();
    let device = capable(&host(&client).2);
    assert!(device.passthru_enabled && !device.passthru_active);
    let state: properties::HostSystem = client.simulator.properties(&reference).unwrap();
    assert!(state.summary.unwrap().reboot_required);
    let error = client.call(&update("0000:ff:00.0")).await.unwrap_err();
    assert!(error.is::<InvalidArgument>(), "{error:?}");

    let reboot = RebootHostTask {
        this: reference.clone(),
        ..RebootHostTask::default()
    };
    let error = client.call(&reboot).await.unwrap_err();
    assert!(error.is::<InvalidState>(), "{error:?}");
    let exit = ExitMaintenanceModeTask {
        this: reference,
        ..ExitMaintenanceModeTask::default()
    };
    let error = client.call(&exit).await.unwrap_err();
    assert!(error.is::<InvalidState>(), "{error:?}");
}

#[tokio::test]
async fn a_host_waits_for_its_machines_before_maintenance() {
    let client = Client::login(&Simulator::esx().build()).await;
    let simulator = &client.simulator;
    let (host, ..) = host(&client);
    let enter = EnterMaintenanceModeTask {
        this: host.clone(),
        ..EnterMaintenanceModeTask::default()
    };
    let task = client.call(&enter).await.unwrap();
    while simulator.step_tasks() {}
    let info = |client: &Client| {
        let task: properties::Task = client.simulator.properties(&task).unwrap();
        *task.info.unwrap()
    };
    assert_eq!(info(&client).state, TaskInfoState::Running);
    assert!(info(&client).cancelable);
    assert!(!simulator.step_tasks(), "it waits");
    for vm in simulator.objects("VirtualMachine") {
        simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    }
    while simulator.step_tasks() {}
    assert_eq!(info(&client).state, TaskInfoState::Success);
    let state: properties::HostSystem = simulator.properties(&host).unwrap();
    assert!(state.runtime.unwrap().in_maintenance_mode);
    let error = client.call(&enter).await.unwrap_err();
    assert!(error.is::<InvalidState>(), "{error:?}");
}

#[tokio::test]
async fn logs_have_lines_and_an_end() {
    let client = Client::login(&Simulator::esx().build()).await;
    let this = client.simulator.objects("DiagnosticManager").remove(0);
    let describe = QueryDescriptions {
        ..QueryDescriptions::default()
    };
    let logs = client.call_on(&this, &describe).await.unwrap();
    assert_eq!(logs[1].key, "vmkernel");
    let browse = |key: &str, start, lines| BrowseDiagnosticLog {
        key: key.to_owned(),
        start: Some(start),
        lines: Some(lines),
        ..BrowseDiagnosticLog::default()
    };
    let log = client
        .call_on(&this, &browse("vmkernel", 2, 3))
        .await
        .unwrap();
    assert_eq!(
        (log.line_start, log.line_end, log.line_text.len()),
        (2, 4, 3)
    );
    let log = client
        .call_on(&this, &browse("vmkernel", i32::MAX, 3))
        .await
        .unwrap();
    assert_eq!((log.line_end, log.line_text.len()), (60, 0));
    let error = client
        .call_on(&this, &browse("nothing", 1, 1))
        .await
        .unwrap_err();
    assert!(error.is::<InvalidArgument>(), "{error:?}");
}
