//! Pictures of screens, and tickets for them.

use esx_sim::Simulator;
use http::{Request, StatusCode};
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{AcquireTicket, CreateScreenshotTask};
use vi_types::objects::{InvalidArgument, InvalidPowerState};
use vi_types::properties::HostSystem;
use vi_types::{Any, ManagedObjectReference};

use crate::host::Host;

/// The size and the pixels of a PNG, as a decoder of somebody else reads it.
fn decode(file: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    reader.finish().unwrap();
    (info.width, info.height, pixels)
}

async fn screen(host: &Host, vm: &ManagedObjectReference) -> http::Response<bytes::Bytes> {
    let path = format!("/screen?id={}", vm.value);
    let request = Request::get(path).body(bytes::Bytes::new()).unwrap();
    host.client.send(request).await
}

#[tokio::test]
async fn the_screen_of_a_running_machine_is_a_picture() {
    for host in [Host::esx().await, Host::vcenter().await] {
        let vm = host.simulator.vm("web01").unwrap();
        let response = screen(&host, &vm).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "image/png");
        let (width, height, pixels) = decode(response.body());
        assert_eq!((width, height), (1024, 768));
        assert!(pixels.iter().any(|byte| *byte != 0));
        // It is the same every time, and another one for another machine.
        assert_eq!(screen(&host, &vm).await.body(), response.body());
        let other = host.simulator.vm("router").unwrap();
        let other = screen(&host, &other).await;
        assert_eq!(other.status(), StatusCode::OK);
        assert_ne!(other.body(), response.body());
    }
}

#[tokio::test]
async fn not_everybody_has_a_screen_nor_sees_one() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let nobody = ManagedObjectReference::new("VirtualMachine", "99");
    assert_eq!(screen(&host, &nobody).await.status(), StatusCode::NOT_FOUND);
    host.simulator.set_power_state(&vm, PoweredOff);
    let status = screen(&host, &vm).await.status();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let post = Request::post(format!("/screen?id={}", vm.value));
    let post = post.body(bytes::Bytes::new()).unwrap();
    let status = host.client.send(post).await.status();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    host.simulator.expire_sessions();
    let status = screen(&host, &vm).await.status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_host_without_pictures_has_none() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    for host_system in host.simulator.objects("HostSystem") {
        host.simulator
            .change(&host_system, |host: &mut HostSystem| {
                host.capability.as_deref_mut().unwrap().screenshot_supported = false;
            });
    }
    let status = screen(&host, &vm).await.status();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

fn take(vm: &ManagedObjectReference) -> CreateScreenshotTask {
    CreateScreenshotTask {
        this: vm.clone(),
        ..CreateScreenshotTask::default()
    }
}

#[tokio::test]
async fn screenshots_are_files_beside_the_machine() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    for number in 1..=2 {
        let path = host.succeeds(&take(&vm)).await;
        let Any::String(path) = path else {
            panic!("{path:?}");
        };
        assert_eq!(path, format!("[ssd] web01/web01-{number}.png"));
        let file = host.simulator.file(&path).unwrap();
        assert_eq!(file, *screen(&host, &vm).await.body());
    }
    host.simulator.set_power_state(&vm, PoweredOff);
    host.fails::<InvalidPowerState>(&take(&vm)).await;
}

#[tokio::test]
async fn tickets_are_for_running_machines_and_known_kinds() {
    let host = Host::of(Simulator::esx().build()).await;
    let vm = host.simulator.vm("web01").unwrap();
    let ask = |kind: &str| AcquireTicket {
        this: vm.clone(),
        ticket_type: kind.to_owned(),
        ..AcquireTicket::default()
    };
    let first = host.client.call(&ask("webmks")).await.unwrap();
    let second = host.client.call(&ask("webmks")).await.unwrap();
    assert_ne!(first.ticket, second.ticket);
    assert_eq!(first.port, Some(443));
    let url = first.url.unwrap();
    assert!(
        url.starts_with("wss://esx.example.com:443/ticket/"),
        "{url}"
    );
    let mks = host.client.call(&ask("mks")).await.unwrap();
    assert_eq!((mks.port, mks.url), (Some(902), None));
    let fault = host.client.call(&ask("vnc")).await.unwrap_err();
    let fault = fault.cast::<InvalidArgument>().unwrap();
    assert_eq!(fault.invalid_property.as_deref(), Some("ticketType"));
    host.simulator.set_power_state(&vm, PoweredOff);
    let fault = host.client.call(&ask("mks")).await.unwrap_err();
    assert!(fault.is::<InvalidPowerState>());
}
