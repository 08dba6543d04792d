//! Uploads: whole files, sources that can be read once or again, and what is on the server in the end.

use std::io;
use std::sync::{Arc, Mutex};

use esx_driver::vi_client::bytes::Bytes;
use esx_driver::{ErrorKind, Stream, UploadOptions, UploadSource, Uploaded};
use futures_util::stream;

use super::{Server, closed, content, path, sha256, status};
use crate::text;

fn pieces(content: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let content = content.clone();
    let starts = (0..content.len()).step_by(100_000);
    stream::iter(starts.map(move |at| Ok(content.slice(at..content.len().min(at + 100_000)))))
}

async fn upload(
    server: &Server,
    length: Option<u64>,
    source: impl Into<UploadSource>,
) -> esx_driver::Result<Uploaded> {
    let options = UploadOptions::default().checksum(true);
    server
        .connect
        .upload_file(&path(), length, source, options)
        .await
}

#[tokio::test]
async fn a_stream_goes_up_once() {
    let content = content(6 << 20);
    for length in [Some(6 << 20), None] {
        let server = Server::new(&Bytes::new(), |_, _| None).await;
        let sent = upload(&server, length, pieces(&content)).await.unwrap();
        assert_eq!(sent.sha256, Some(sha256(&content)));
        assert!(*server.content.lock().unwrap() == content);
        assert_eq!(server.seen(), ["HEAD", "PUT", "HEAD"]);
    }
    let server = Server::new(&Bytes::new(), |_, _| None).await;
    let sent = upload(&server, Some(150_000), pieces(&content))
        .await
        .unwrap();
    assert_eq!(sent.length, 150_000);
    assert_eq!(sent.sha256, Some(sha256(&content[..150_000])));
    assert_eq!(*server.content.lock().unwrap(), content[..150_000]);
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_sent_again_if_its_source_can_be_read_again() {
    let content = content(6 << 20);
    for answer in [|| status(401), || status(503), closed] {
        let opened = Arc::new(Mutex::new(0));
        let (file, counter) = (content.clone(), Arc::clone(&opened));
        let source = UploadSource::again(move || {
            *counter.lock().unwrap() += 1;
            pieces(&file)
        });
        let server = Server::new(&Bytes::new(), move |number, _| (number == 1).then(answer)).await;
        let sent = upload(&server, Some(6 << 20), source).await.unwrap();
        assert_eq!(sent.sha256, Some(sha256(&content)));
        assert!(*server.content.lock().unwrap() == content);
        assert_eq!(*opened.lock().unwrap(), 2);
        assert_eq!(server.seen(), ["PUT", "PUT", "HEAD"]);
    }
    let server = Server::new(&content, |_, request| {
        (request.method() == "PUT").then(closed)
    });
    let server = server.await;
    let error = upload(&server, None, UploadSource::bytes(content.clone())).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let advice = error.outcome().unwrap();
    assert!(
        advice.contains("has 6291456 bytes on the server"),
        "{advice}"
    );
    assert_eq!(server.seen(), ["PUT", "PUT", "PUT", "PUT", "HEAD"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_can_be_read_once_is_sent_again_from_its_beginning_only() {
    let server = Server::new(&Bytes::new(), |number, _| match number {
        2 | 3 => Some(status(503)),
        _ => None,
    })
    .await;
    let small = content(3 << 20);
    let sent = upload(&server, Some(3 << 20), pieces(&small))
        .await
        .unwrap();
    assert_eq!(sent.sha256, Some(sha256(&small)));
    assert_eq!(*server.content.lock().unwrap(), small);

    let server = Server::new(&Bytes::new(), |number, _| match number {
        1 | 3 => Some(status(404)),
        _ => Some(closed()),
    })
    .await;
    let large = content(6 << 20);
    let error = upload(&server, Some(6 << 20), pieces(&large))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(
        error.outcome().unwrap(),
        "the upload cannot be continued, and its source can be read only once; \
         '[datastore1] dir/file.iso' is not on the server"
    );
    assert_eq!(server.seen(), ["HEAD", "PUT", "HEAD"]);
}

#[tokio::test]
async fn a_source_that_fails_is_an_error() {
    let content = content(300_000);
    let server = Server::new(&Bytes::new(), |_, _| None).await;
    let error = upload(&server, Some(400_000), pieces(&content)).await;
    assert!(text(error).contains("cannot be read: it ended 100000 bytes early"));
    let failing = stream::iter([
        Ok(content.clone()),
        Err(io::Error::other("the disk is on fire")),
    ]);
    let error = upload(&server, None, failing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(
        error.to_string().ends_with("the disk is on fire"),
        "{error}"
    );
    assert_eq!(*server.content.lock().unwrap(), Bytes::new());
}

#[tokio::test(start_paused = true)]
async fn a_short_file_on_the_server_is_noticed() {
    let content = content(300_000);
    let server = Server::new(&content.slice(..1000), |_, request| {
        (request.method() == "PUT").then(|| status(200))
    })
    .await;
    let error = upload(&server, None, UploadSource::bytes(content)).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert_eq!(
        error.to_string(),
        "operation failed: 300000 bytes were uploaded to '[datastore1] dir/file.iso', and the server has 1000"
    );
    for refusal in [403, 404, 507] {
        let server = Server::new(&Bytes::new(), move |_, request| {
            (request.method() == "PUT").then(|| status(refusal))
        })
        .await;
        let error = upload(&server, None, UploadSource::bytes(Bytes::from_static(b"x"))).await;
        let error = error.unwrap_err();
        let expected = format!("internal error: HTTP response code {refusal} for upload to '");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(server.seen(), ["PUT", "HEAD"]);
    }
}
