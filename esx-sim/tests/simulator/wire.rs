//! What strict clients demand of the bytes.

use esx_sim::Simulator;
use vi_types::methods::{Login, RetrieveProperties};
use vi_types::objects::{NotImplemented, PropertyFilterSpec};
use vi_types::wire;

use crate::client::{Client, at, properties};

async fn answer(client: &Client, ty: &str, value: &str, paths: &[&str]) -> String {
    let object = vi_types::ManagedObjectReference::new(ty, value);
    let request = RetrieveProperties {
        spec_set: vec![PropertyFilterSpec {
            prop_set: vec![properties(ty, paths)],
            object_set: vec![at(&object, false, vec![])],
            ..PropertyFilterSpec::default()
        }],
        ..Default::default()
    };
    let this = client.service("propertyCollector");
    let response = client.post(wire::encode_request(&request, &this)).await;
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[tokio::test]
async fn items_of_arrays_carry_their_types() {
    let client = Client::login(&Simulator::esx().build()).await;
    let body = answer(
        &client,
        "Folder",
        "ha-folder-host",
        &["childEntity", "childType"],
    )
    .await;
    assert!(body.contains(
        "<val xsi:type=\"ArrayOfManagedObjectReference\">\
         <ManagedObjectReference xsi:type=\"ManagedObjectReference\" type=\"ComputeResource\">\
         ha-compute-res</ManagedObjectReference></val>"
    ));
    assert!(body.contains(
        "<val xsi:type=\"ArrayOfString\"><string xsi:type=\"xsd:string\">ComputeResource</string></val>"
    ));
}

#[tokio::test]
async fn counts_of_processors_are_shorts() {
    let client = Client::login(&Simulator::esx().build()).await;
    let paths = [
        "hardware.cpuInfo.numCpuCores",
        "hardware.cpuInfo.numCpuPackages",
        "hardware.cpuInfo.numCpuThreads",
    ];
    let body = answer(&client, "HostSystem", "ha-host", &paths).await;
    assert_eq!(
        body.matches("<val xsi:type=\"xsd:short\">").count(),
        3,
        "{body}"
    );
    let paths = ["hardware.memorySize", "hardware.cpuInfo.hz"];
    let body = answer(&client, "HostSystem", "ha-host", &paths).await;
    assert_eq!(
        body.matches("<val xsi:type=\"xsd:long\">").count(),
        2,
        "{body}"
    );
}

#[tokio::test]
async fn there_is_nothing_between_elements() {
    let client = Client::login(&Simulator::esx().build()).await;
    let body = answer(&client, "VirtualMachine", "1", &["config", "guest"]).await;
    let content = body.split_once("<soapenv:Body>").unwrap().1;
    let content = content.split_once("</soapenv:Body>").unwrap().0;
    for pair in content.split('>').filter_map(|text| text.split_once('<')) {
        let text = pair.0;
        assert!(
            text.is_empty() || !text.trim().is_empty(),
            "blanks before <{}",
            pair.1
        );
    }
}

#[tokio::test]
async fn text_is_escaped() {
    let client = Client::login(&Simulator::esx().build()).await;
    let body = answer(&client, "VirtualMachine", "1", &["config.annotation"]).await;
    assert!(body.contains("Front end &lt;nginx&gt; &amp; certificates"));
}

#[tokio::test]
async fn values_that_virsh_cannot_do_without_are_there() {
    for (simulator, host) in [
        (Simulator::esx().build(), "ha-host"),
        (Simulator::vcenter().build(), ""),
    ] {
        let client = Client::login(&simulator).await;
        let found = simulator.objects("HostSystem").remove(0);
        assert!(host.is_empty() || found.value == host);
        let paths = [
            "capability.maxSupportedVcpus",
            "capability.screenshotSupported",
            "configManager.autoStartManager",
            "hardware.systemInfo.uuid",
            "hardware.numaInfo.numNodes",
            "summary.hardware.cpuModel",
            "summary.quickStats.overallMemoryUsage",
            "config.network.dnsConfig.hostName",
            "runtime.inMaintenanceMode",
        ];
        let body = answer(&client, "HostSystem", &found.value, &paths).await;
        for path in paths {
            assert!(body.contains(&format!("<name>{path}</name>")), "{path}");
        }
        for vm in simulator.objects("VirtualMachine") {
            let number = vm.value.trim_start_matches("vm-");
            assert!(number.parse::<i32>().unwrap() > 0);
            let body = answer(
                &client,
                "VirtualMachine",
                &vm.value,
                &["configStatus", "config.uuid"],
            )
            .await;
            assert!(
                body.contains("<val xsi:type=\"ManagedEntityStatus\">green</val>"),
                "{body}"
            );
            assert!(body.contains("<name>config.uuid</name>"), "{body}");
        }
    }
}

#[tokio::test]
async fn methods_that_are_not_simulated_say_which() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let unknown = vi_types::methods::SendNmi {
        this: vm.clone(),
        ..Default::default()
    };
    let fault = client.call(&unknown).await.unwrap_err();
    assert!(fault.is::<NotImplemented>(), "{fault}");
    assert!(
        fault.string.contains("SendNMI of VirtualMachine:1"),
        "{fault}"
    );

    // One that nobody has ever heard of.
    let body = wire::encode_request(&unknown, &vm).replace("SendNMI", "FlyToTheMoon_Task");
    let response = client.post(body).await;
    assert_eq!(response.status(), 500);
    let body = std::str::from_utf8(response.body()).unwrap();
    assert!(body.contains("<MethodNotFoundFault"), "{body}");
    assert!(
        body.contains("<method>FlyToTheMoon_Task</method>"),
        "{body}"
    );
}

#[tokio::test]
async fn requests_that_make_no_sense_are_answered_with_a_fault() {
    let client = Client::connect(&Simulator::esx().build()).await;
    for body in [
        "",
        "hello",
        "<a/>",
        "<Envelope><Body/></Envelope>",
        "<!DOCTYPE x []><x/>",
    ] {
        let response = client.post(body.to_owned()).await;
        assert_eq!(response.status(), 500, "{body}");
        let text = std::str::from_utf8(response.body()).unwrap();
        assert!(text.contains("<InvalidRequestFault"), "{text}");
    }
}

#[tokio::test]
async fn passwords_do_not_show() {
    let simulator = Simulator::esx().build();
    let client = Client::connect(&simulator).await;
    let login = Login {
        user_name: "root".to_owned(),
        password: "tell-nobody".to_owned(),
        ..Login::default()
    };
    client.call(&login).await.unwrap_err();
    let requests = simulator.requests();
    assert!(!format!("{requests:?}").contains("tell-nobody"));
    let builder = Simulator::esx().password("tell-nobody");
    assert!(!format!("{builder:?} {:?}", builder.clone().build()).contains("tell-nobody"));
}
