//! Recording a conversation and replaying it without the server.

use vi_client::retrieve::Retrieve;
use vi_client::transport::{Recorder, Replay, Transport, TransportError};
use vi_client::{Client, Error, Options, property_set};
use vi_types::ManagedObjectReference;

use crate::vi::{Vi, result};

fn server() -> std::sync::Arc<Vi> {
    Vi::new("8.0.1.0", |call| {
        (call.method == "RetrievePropertiesEx").then(|| {
            // lines that look like those of the recording, and trailing white space
            let name = "two\n== answer 200\n\\ lines ";
            result(
                "RetrievePropertiesEx",
                &format!(
                    "<returnval><objects><obj type=\"VirtualMachine\">16</obj><propSet><name>name</name>\
                     <val xsi:type=\"xsd:string\">{name}</val></propSet></objects></returnval>"
                ),
            )
        })
    })
}

property_set! {
    struct Machine: VirtualMachine {
        name: String = name,
    }
}

async fn name_of_a_vm(transport: impl Transport, password: &str) -> Result<String, Error> {
    let client = Client::connect(transport, Options::default()).await?;
    client.login("root", password).await?;
    let vm = ManagedObjectReference::new("VirtualMachine", "16");
    let machine: Machine = client.read(&vm).await?;
    client.close().await?;
    Ok(machine.name)
}

#[tokio::test]
async fn a_recording_replays_and_holds_no_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    let recorder = Recorder::create(server().transport(), &path).unwrap();
    let recorded = name_of_a_vm(recorder, "s3cret<&>").await.unwrap();
    assert_eq!(recorded, "two\n== answer 200\n\\ lines ");

    let text = std::fs::read_to_string(&path).unwrap();
    for secret in ["s3cret", "52aa-key", "\"s1\""] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for line in [
        "vi-client recording 1",
        "== request POST /sdk",
        "== answer 200",
        "<password>(blanked)</password>",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }

    // Passwords are blanked, so any will do.
    let replayed = name_of_a_vm(Replay::open(&path).unwrap(), "another")
        .await
        .unwrap();
    assert_eq!(replayed, recorded);
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    name_of_a_vm(
        Recorder::create(server().transport(), &path).unwrap(),
        "s3cret<&>",
    )
    .await
    .unwrap();
    let client = Client::connect(Replay::open(&path).unwrap(), Options::default())
        .await
        .unwrap();
    let other = ManagedObjectReference::new("VirtualMachine", "17");
    let request = Retrieve::from(&other).properties("VirtualMachine", ["name"]);
    let error = client.retrieve(&request).await.unwrap_err();
    let expected = format!(
        "the recording '{}' has no answer to POST /sdk (RetrievePropertiesEx)",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn equal_requests_get_their_answers_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    std::fs::write(
        &path,
        "vi-client recording 1\n\n== request GET /a\n\n\n== answer 200\n\nfirst\n\n== request GET /a\n\n\n\
         == answer 200\nbody: base64\n\nc2Vjb25k\n",
    )
    .unwrap();
    let replay = Replay::open(&path).unwrap();
    for expected in ["first", "second", "second"] {
        let request = http::Request::get("/a").body(bytes::Bytes::new()).unwrap();
        let answer = replay.send(request).await.unwrap().into_body();
        assert_eq!(answer.collect(100).await.unwrap(), expected);
    }
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    for (text, expected) in [
        (
            "something else",
            "its first line is not 'vi-client recording 1'",
        ),
        (
            "vi-client recording 1\n\n== reqest GET /\n",
            "line 3: neither '== request' nor '== answer'",
        ),
        (
            "vi-client recording 1\n== answer 200\n\n",
            "line 2: an answer without a request",
        ),
        (
            "vi-client recording 1\n== request GET /\n\n== answer two\n",
            "line 4: not an HTTP status",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Replay::open(&path).unwrap_err();
        assert!(matches!(error, TransportError::Recording { .. }));
        assert_eq!(
            error.to_string(),
            format!("cannot use the recording '{}': {expected}", path.display())
        );
    }
    let error = Replay::open(folder.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("none'"), "{error}");
}
