//! What a client costs for listing virtual machines, without a network: request, decoding, typed properties.

use bytes::Bytes;
use http::{Request, Response};
use vi_client::retrieve::{Retrieve, Selection};
use vi_client::transport::{BoxFuture, InProcess};
use vi_client::{Client, Options, property_set};
use vi_types::enums::{ManagedEntityStatus, VirtualMachinePowerState};

fn main() {
    divan::main();
}

property_set! {
    struct Listed: VirtualMachine {
        name: String = name,
        state: VirtualMachinePowerState = runtime.power_state,
        status: ManagedEntityStatus = config_status,
        uuid: Option<String> = config.uuid,
        instance_uuid: Option<String> = config.instance_uuid,
        template: Option<bool> = config.template,
    }
}

/// `list --all` without a login: the service content, and one retrieve of what the list shows.
#[divan::bench(args = [10, 1000, 5000], sample_count = 50)]
fn list(bencher: divan::Bencher<'_, '_>, vms: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else { return };
    let (content, objects) = (service_content(), objects(vms));
    bencher
        .counter(divan::counter::BytesCount::new(objects.len()))
        .bench_local(|| {
            let (content, objects) = (content.clone(), objects.clone());
            let transport =
                InProcess::new(move |request: Request<Bytes>| -> BoxFuture<'static, _> {
                    let first = contains(request.body(), b"RetrieveServiceContent");
                    let answer = Response::new(if first {
                        content.clone()
                    } else {
                        objects.clone()
                    });
                    Box::pin(async move { answer })
                });
            runtime.block_on(async {
                let client = Client::connect(transport, Options::default()).await?;
                let request = Retrieve::from(&client.service_content().root_folder)
                    .select_all(Selection::inventory());
                let found = client.retrieve_set::<Listed>(request).await?;
                assert_eq!(found.iter().filter(|vm| vm.properties.is_ok()).count(), vms);
                Ok::<_, vi_client::Error>(found.len())
            })
        });
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn envelope(method: &str, inside: &str) -> Bytes {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <{method}Response xmlns=\"urn:vim25\"><returnval>{inside}</returnval></{method}Response>\
         </soapenv:Body></soapenv:Envelope>"
    );
    Bytes::from(text)
}

fn service_content() -> Bytes {
    envelope(
        "RetrieveServiceContent",
        "<rootFolder type=\"Folder\">ha-folder-root</rootFolder>\
         <propertyCollector type=\"PropertyCollector\">ha-property-collector</propertyCollector>\
         <about><name>VMware ESXi</name><fullName>VMware ESXi 8.0.1</fullName><vendor>VMware, Inc.</vendor>\
         <version>8.0.1</version><build>1</build><osType>vmnix-x86</osType><productLineId>embeddedEsx</productLineId>\
         <apiType>HostAgent</apiType><apiVersion>8.0.1.0</apiVersion></about>",
    )
}

fn objects(vms: usize) -> Bytes {
    let property = |path: &str, ty: &str, value: &str| {
        format!("<propSet><name>{path}</name><val xsi:type=\"{ty}\">{value}</val></propSet>")
    };
    let object = |n: usize| {
        let uuid = format!("564d9bef-acd9-b4e0-c8f0-{n:012x}");
        [
            format!("<objects><obj type=\"VirtualMachine\">{n}</obj>"),
            property("config.instanceUuid", "xsd:string", &uuid),
            property("config.template", "xsd:boolean", "false"),
            property("config.uuid", "xsd:string", &uuid),
            property("configStatus", "ManagedEntityStatus", "green"),
            property("name", "xsd:string", &format!("virtual machine {n}")),
            property(
                "runtime.powerState",
                "VirtualMachinePowerState",
                "poweredOn",
            ),
            "</objects>".to_owned(),
        ]
        .concat()
    };
    let objects: String = (0..vms).map(object).collect();
    envelope("RetrievePropertiesEx", &objects)
}
