use esx_driver::{
    Domain, ErrorKind, OpenOptions, Result, auth::AuthFileSearch, vi_client::transport::InProcess,
    virt_model::ErrorNumber,
};
use esx_sim::{Script, Simulator};
use vi_types::{enums::VirtualMachinePowerState, properties::HostSystem};

use crate::{credentials, host, methods, text};

/// A connection to a host that answers `/screen` with this status, and its picture if that is 200.
async fn host_that_answers(status: u16) -> (Simulator, Domain) {
    let simulator = Simulator::esx().build();
    let handler = simulator.handler();
    let transport = InProcess::new(move |request| {
        let (handler, is_screen) = (handler.clone(), request.uri().path() == "/screen");
        let query = request.uri().query().map(str::to_owned);
        Box::pin(async move {
            // Recorded like any other request.
            let answer = handler(request).await;
            if !is_screen {
                return answer;
            }
            assert_eq!(query.as_deref(), Some("id=1"));
            let mut answer = http::Response::new(bytes::Bytes::from_static(b"\x89PNG picture"));
            *answer.status_mut() = status.try_into().unwrap();
            answer
        })
    });
    let connect = OpenOptions::new(&credentials())
        .auth_files(AuthFileSearch::default())
        .transport(transport)
        .open(&"esx://esx.example.com/".parse().unwrap())
        .await
        .unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

async fn picture(domain: &Domain) -> Result<Vec<u8>> {
    let mut shot = domain.screenshot(0, 0).await?;
    assert_eq!(shot.mime_type(), "image/png");
    let mut picture = Vec::new();
    while let Some(piece) = shot.chunk().await? {
        picture.extend_from_slice(&piece);
    }
    Ok(picture)
}

#[tokio::test]
async fn a_picture_takes_two_requests() {
    let (simulator, domain) = host_that_answers(200).await;
    assert_eq!(picture(&domain).await.unwrap(), b"\x89PNG picture");
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "/screen?id=1"]
    );
}

#[tokio::test]
async fn checks_come_in_libvirts_order() {
    let (simulator, domain) = host_that_answers(200).await;
    assert_eq!(
        text(domain.screenshot(1, 2).await),
        "unsupported flags (0x2) in function esxDomainScreenshot"
    );
    let error = domain.screenshot(1, 0).await.unwrap_err();
    assert_eq!(error.code(), ErrorNumber::InvalidArg);
    assert_eq!(
        error.to_string(),
        "invalid argument: Screen cannot be selected"
    );
    assert_eq!(methods(&simulator), <[String; 0]>::default());

    simulator.set_power_state(domain.moref(), VirtualMachinePowerState::Suspended);
    let error = picture(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: Domain is not powered on"
    );
    let host = simulator.objects("HostSystem").remove(0);
    simulator.change(&host, |host: &mut HostSystem| {
        host.capability.as_mut().unwrap().screenshot_supported = false;
    });
    let error = picture(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "Operation not supported: Screenshot feature is unsupported"
    );
    assert!(simulator.remove_vm(domain.moref()));
    let gone = picture(&domain).await.unwrap_err();
    assert_eq!(gone.code(), ErrorNumber::NoDomain);
}

#[tokio::test]
async fn a_server_that_refuses() {
    let (_simulator, domain) = host_that_answers(503).await;
    let error = picture(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert_eq!(
        error.to_string(),
        "internal error: Unexpected HTTP response code 503"
    );
}

/// The simulator's picture, and the same by a file that the host writes if it does not offer pictures.
#[tokio::test(start_paused = true)]
async fn a_host_without_screen_writes_a_file() {
    let (_simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let expected = picture(&domain).await.unwrap();
    assert!(expected.starts_with(b"\x89PNG"));

    let (simulator_404, domain) = host_that_answers(404).await;
    simulator_404.script(Script::new("*").steps(1));
    assert_eq!(picture(&domain).await.unwrap(), expected);
    let expected = [
        "RetrievePropertiesEx",
        "/screen?id=1",
        // The task, as any other.
        "RetrievePropertiesEx",
        "CreateScreenshot_Task",
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
    ];
    let methods = methods(&simulator_404);
    assert_eq!(methods[..6], expected);
    let (file, rest) = (&methods[6], &methods[7..]);
    assert!(file.starts_with("/folder/web01/"), "{file}");
    // Read at once and a moment later.
    let expected = [
        "DeleteDatastoreFile_Task",
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
    ];
    assert_eq!(rest, expected);
    let path = file
        .strip_prefix("/folder/")
        .and_then(|path| path.split('?').next());
    assert_eq!(
        simulator_404.file(&format!("[ssd] {}", path.unwrap())),
        None
    );
}
