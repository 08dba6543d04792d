//! Old servers have fewer methods and properties, and say so.

use esx_sim::Simulator;
use http::Request;
use vi_types::Any;
use vi_types::methods::{RetrievePropertiesEx, WaitForUpdatesEx};
use vi_types::objects::{InvalidProperty, MethodNotFound, VirtualMachineConfigInfo};

use crate::client::{Client, moref};

#[tokio::test]
async fn servers_tell_their_versions() {
    for (asked, api, esx, vcenter) in [
        ("2.5", "2.5", "3.5.0", "2.5.0"),
        ("4.0", "4.0", "4.0.0", "4.0.0"),
        ("5.5", "5.5", "5.5.0", "5.5.0"),
        ("6.7", "6.7", "6.7.0", "6.7.0"),
        ("8.0", "8.0.1.0", "8.0.1", "8.0.1"),
    ] {
        for (builder, version) in [(Simulator::esx(), esx), (Simulator::vcenter(), vcenter)] {
            let simulator = builder.api_version(asked).unwrap().build();
            let about = Client::connect(&simulator).await.content.about;
            assert_eq!(about.api_version, api);
            assert_eq!(about.version, version);
            assert!(about.full_name.contains(version), "{}", about.full_name);
        }
    }
    assert!(Simulator::esx().api_version("3.14").is_err());
}

#[tokio::test]
async fn methods_that_came_later_are_not_there() {
    for (version, there) in [("2.5", false), ("4.0", false), ("4.1", true), ("8.0", true)] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        let client = Client::login(&simulator).await;
        let retrieved = client.call(&RetrievePropertiesEx::default()).await;
        let waited = client
            .call(&WaitForUpdatesEx {
                version: Some("x".into()),
                ..Default::default()
            })
            .await;
        let faults = [
            (retrieved.err(), "RetrievePropertiesEx"),
            (waited.err(), "WaitForUpdatesEx"),
        ];
        for (fault, method) in faults {
            let missing = fault
                .as_ref()
                .and_then(|fault| fault.cast::<MethodNotFound>());
            assert_eq!(missing.is_none(), there, "{version} {fault:?}");
            assert!(missing.is_none_or(|missing| missing.method == method));
        }
    }
}

#[tokio::test]
async fn properties_that_came_later_are_not_there() {
    let simulator = Simulator::esx().api_version("4.1").unwrap().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    assert_ne!(client.value(&vm, "config.instanceUuid").await, Any::None);
    assert_ne!(client.value(&vm, "layoutEx").await, Any::None);
    for path in ["config.firmware", "runtime.consolidationNeeded"] {
        let fault = client
            .read(&[vm.clone()], "VirtualMachine", &[path])
            .await
            .unwrap_err();
        assert_eq!(fault.cast::<InvalidProperty>().unwrap().name, path);
    }
    let configuration = moref("Datacenter", "ha-datacenter");
    let fault = client
        .read(&[configuration], "Datacenter", &["configuration"])
        .await
        .unwrap_err();
    assert!(fault.is::<InvalidProperty>(), "{fault}");
}

#[tokio::test]
async fn answers_are_in_the_version_that_is_asked_for() {
    let simulator = Simulator::esx().build();
    let mut client = Client::login(&simulator).await;
    let vm = simulator.vm("files").unwrap();
    let mut kinds = Vec::new();
    for (view, firmware) in [(None, false), (Some("4.1"), false), (Some("5.0"), true)] {
        client.view = view.map(str::to_owned);
        let config = client.value(&vm, "config").await;
        let config = config.cast::<VirtualMachineConfigInfo>().unwrap();
        assert_eq!(config.firmware.is_some(), firmware, "{view:?}");
        assert_eq!(config.instance_uuid.is_some(), view.is_some(), "{view:?}");
        let device = config
            .hardware
            .device
            .iter()
            .find(|device| device.key == 1000)
            .unwrap();
        kinds.push(device.type_name().to_owned());
    }
    // Its own type came later than 2.5.
    let kind = "VirtualLsiLogicSASController";
    assert_eq!(kinds, ["VirtualSCSIController", kind, kind]);
}

async fn versions_document(simulator: &Simulator) -> http::Response<bytes::Bytes> {
    let request = Request::get("/sdk/vimServiceVersions.xml");
    (simulator.handler())(request.body(bytes::Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn the_versions_document_is_there_from_4_0_on() {
    let old = Simulator::esx().api_version("2.5").unwrap().build();
    assert_eq!(versions_document(&old).await.status(), 404);
    let new = versions_document(&Simulator::esx().build()).await;
    assert_eq!(new.status(), 200);
    let text = std::str::from_utf8(new.body()).unwrap();
    assert!(text.contains("<version>8.0.1.0</version>"), "{text}");
}
