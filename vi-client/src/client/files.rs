//! Files on datastores, which servers offer at `/folder/…`.

mod direct;
mod range;
mod reader;
mod source;

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode, response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Client;
use super::exchange::{beginning, unsendable};
use super::patience::Patience;
use super::repeat::{Repeats, is_unserved};
use crate::Error;
use crate::error::UnexpectedResponse;
use crate::transport::{Body, BoxFuture, RequestBody, TransportError};

use self::direct::Direct;
use self::range::{Answered, announced};
pub use self::range::{FileRange, FileVersion};
pub use self::source::UploadSource;

/// Percent-encodes all but the unreserved characters of URIs.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A file on a datastore, as servers address it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatastoreFile {
    /// The datacenter with its folders: `ha-datacenter` on hosts, `Folder/Name` on vCenters.
    pub datacenter_path: String,
    /// The name of the datastore.
    pub datastore: String,
    /// The file's path on the datastore: `directory/file`.
    pub path: String,
}

impl DatastoreFile {
    /// The path and query of the file's URL.
    ///
    /// The names in the query are encoded twice, like libvirt since 12.0: some servers decode them twice (seen with a `+`
    /// in a name), and the others accept both forms.
    pub fn url_path(&self) -> String {
        let (path, datastore) = (self.encoded_path(), twice(&self.datastore));
        let datacenter = twice(&self.datacenter_path);
        format!("/folder/{path}?dcPath={datacenter}&dsName={datastore}")
    }

    /// The path and query of the file's URL at a host of a vCenter, which has no datacenters.
    fn url_path_at_host(&self) -> String {
        let (path, datastore) = (self.encoded_path(), twice(&self.datastore));
        format!("/folder/{path}?dsName={datastore}")
    }

    fn encoded_path(&self) -> String {
        let parts: Vec<_> = self.path.split('/').map(once).collect();
        parts.join("/")
    }
}

fn once(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn twice(text: &str) -> String {
    once(&once(text))
}

/// An answer that is received piece by piece: a picture, or a file or a part of it.
///
/// Dropped before its end, it closes its connection.
#[derive(Debug)]
pub struct Download {
    /// The connection may need it, and with it its session.
    _client: Client,
    patience: Patience,
    body: Body,
}

impl Download {
    pub(super) fn new(client: &Client, body: Body) -> Self {
        Self {
            _client: client.clone(),
            patience: Patience::new("GET", &client.0.http.limits),
            body,
        }
    }

    /// The length in bytes, if the server tells.
    pub fn announced(&self) -> Option<u64> {
        self.body.announced()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks, or the answer stands still ([`Error::StandsStill`]).
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.patience.chunk(&mut self.body).await
    }
}

/// A file or a part of it, on its way.
#[derive(Debug)]
#[non_exhaustive]
pub struct FilePart {
    /// Where it begins in the file. It is 0 instead of the offset asked for if the server ignores ranges.
    pub offset: u64,
    /// How many bytes it has; `None` if the server does not tell.
    pub length: Option<u64>,
    /// Whether it is a range; otherwise it is the whole file.
    pub is_a_range: bool,
    /// The length of the whole file, if the server tells.
    pub total: Option<u64>,
    /// Which version of the file it is.
    pub version: FileVersion,
    /// The bytes.
    pub content: Download,
}

/// What a server tells about a file without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileHead {
    /// The length in bytes; `None` if the server does not tell.
    pub length: Option<u64>,
    /// Which version of the file it is.
    pub version: FileVersion,
}

/// What was sent by an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many bytes.
    pub length: u64,
    /// Their SHA-256, if it was asked for.
    pub sha256: Option<[u8; 32]>,
}

/// The way to the files of datastores: through the client's server, or directly to a host of a vCenter.
///
/// Each request has a connection for itself as long as it lasts, and no deadline for the whole: it ends with
/// [`Error::Deadline`] or [`Error::StandsStill`] when nothing moves ([`Limits::silence`](crate::Limits::silence)). Nothing is repeated, except that a session that
/// has ended is renewed once a request.
#[derive(Clone)]
pub struct Files {
    client: Client,
    direct: Option<Arc<Direct>>,
}

impl Files {
    /// What the server tells about a file: one request, or two if the server does not tell the length when it is asked for
    /// nothing else.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses; its status is 404 if there is no such file.
    pub async fn head(&self, file: &DatastoreFile) -> Result<FileHead, Error> {
        let none = HeaderMap::new();
        let (parts, _) = self.send(Method::HEAD, file, &none).await?;
        match parts.status {
            StatusCode::OK | StatusCode::NO_CONTENT => {
                let length = announced(&parts.headers);
                if let Some(length) = length {
                    return Ok(FileHead {
                        length: Some(length),
                        version: FileVersion::of(&parts.headers),
                    });
                }
            }
            // Servers that have no HEAD.
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::BAD_REQUEST => {}
            status => return Err(self.refused("look at", file, status)),
        }
        let first = FileRange {
            offset: 0,
            length: Some(1),
        };
        match self.get(file, first, None).await {
            Ok(part) => Ok(FileHead {
                length: part.total,
                version: part.version,
            }),
            // A file of no bytes has no first one.
            Err(Error::File { status: 416, .. }) => Ok(FileHead {
                length: Some(0),
                version: FileVersion::default(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Asks for a range of a file. The server may ignore the range: see [`FilePart::offset`].
    ///
    /// With `same`, a server that knows `If-Range` sends the whole file instead if it has another version now.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses: 404 if there is no such file, 416 if it ends before the range.
    /// [`Error::Range`] if it answers with a range that was not asked for.
    pub async fn get(
        &self,
        file: &DatastoreFile,
        range: FileRange,
        same: Option<&FileVersion>,
    ) -> Result<FilePart, Error> {
        let headers = range.headers(same);
        let (parts, mut body) = self.send(Method::GET, file, &headers).await?;
        if parts.status == StatusCode::OK && is_page(&parts.headers, file) {
            let first = self
                .client
                .0
                .http
                .head_in_time("GET", None, body.chunk())
                .await?;
            let response = UnexpectedResponse {
                status: parts.status.as_u16(),
                content_type: Some("text/html".to_owned()),
                beginning: beginning(&first.unwrap_or_default()),
            };
            return Err(Error::NotVi {
                method: "GET",
                is_known: true,
                response: Box::new(response),
            });
        }
        if !matches!(parts.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            return Err(self.refused("download from", file, parts.status));
        }
        let path = || self.url_path(file);
        let answered = Answered::read(range, &parts, path)?;
        if let Some(encoding) = parts.headers.get(CONTENT_ENCODING)
            && encoding.as_bytes() != b"identity"
        {
            return Err(Error::Range {
                path: path(),
                asked: range.to_string(),
                answered: format!("the encoding {encoding:?}, which nobody asked for"),
            });
        }
        Ok(FilePart {
            offset: answered.offset,
            length: answered.length,
            is_a_range: parts.status == StatusCode::PARTIAL_CONTENT,
            total: answered.total,
            version: FileVersion::of(&parts.headers),
            content: Download::new(&self.client, body),
        })
    }

    /// Writes a file, or replaces it. Its directory must exist. With `checksum`, the SHA-256 of what is sent is computed.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses; [`Error::Source`] if the source cannot be read. After any error the server may
    /// have a part of the file, whatever was there before.
    pub async fn put(
        &self,
        file: &DatastoreFile,
        source: &mut UploadSource,
        checksum: bool,
    ) -> Result<Sent, Error> {
        let mut renewed = false;
        loop {
            self.client.check_open("PUT")?;
            let Some((body, sum)) = source.open(checksum) else {
                return Err(Error::SourceUsed {
                    path: self.url_path(file),
                    sent: source.taken(),
                });
            };
            let sending = body.sending();
            let logins = self.client.logins();
            let result = self.send_body(file, body).await;
            if result.is_err() {
                sending.cancel();
            }
            let (parts, answer) = result?;
            if !sending.is_finished() {
                // The server has refused before it had everything.
                sending.cancel();
            }
            drop(answer);
            let length = sending.taken();
            match parts.status {
                StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT
                    if sending.is_finished() =>
                {
                    let sha256 = sum.map(|sum| sum.finish());
                    return Ok(Sent { length, sha256 });
                }
                StatusCode::UNAUTHORIZED if !renewed && self.renew(logins).await? => renewed = true,
                status if status.is_success() => {
                    return Err(TransportError::Unsendable(format!(
                        "the server answered {status} after {length} bytes, before it had all"
                    ))
                    .into());
                }
                status => return Err(self.refused("upload to", file, status)),
            }
        }
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses; its status is 404 if there is no such file.
    pub async fn delete(&self, file: &DatastoreFile) -> Result<(), Error> {
        let (parts, _) = self.send(Method::DELETE, file, &HeaderMap::new()).await?;
        match parts.status {
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT => Ok(()),
            status => Err(self.refused("delete", file, status)),
        }
    }

    /// The address that is asked for a file; without the server's name where the client knows the server.
    pub fn url_path(&self, file: &DatastoreFile) -> String {
        match &self.direct {
            None => file.url_path(),
            Some(direct) => direct.url(file),
        }
    }

    /// Whether the files are fetched from a host instead of the client's own server.
    pub fn is_direct(&self) -> bool {
        self.direct.is_some()
    }

    /// Sends a request without a body; renews the session once if it has ended.
    async fn send(
        &self,
        method: Method,
        file: &DatastoreFile,
        headers: &HeaderMap,
    ) -> Result<(response::Parts, Body), Error> {
        let name = name(&method);
        let http = &self.client.0.http;
        let mut renewed = false;
        loop {
            self.client.check_open(name)?;
            let logins = self.client.logins();
            let request = Request::builder().method(&method);
            let answer = match &self.direct {
                None => {
                    let request = request.uri(file.url_path()).body(Bytes::new());
                    let mut request = request.map_err(unsendable)?;
                    request.headers_mut().extend(headers.clone());
                    http.open(name, request).await?
                }
                Some(direct) => {
                    let request = request.uri(file.url_path_at_host()).body(Bytes::new());
                    let mut request = request.map_err(unsendable)?;
                    request.headers_mut().extend(headers.clone());
                    let (transport, cookie) = direct.ticket(&self.client, &method, file).await?;
                    self.head_with(request.headers_mut(), cookie);
                    let sending = transport.send(request);
                    http.head_in_time(name, None, sending).await?.into_parts()
                }
            };
            // The server has not touched the file.
            let is_unknown = answer.0.status == StatusCode::UNAUTHORIZED;
            if is_unknown && !renewed && self.renew(logins).await? {
                renewed = true;
                continue;
            }
            return Ok(answer);
        }
    }

    async fn send_body(
        &self,
        file: &DatastoreFile,
        body: RequestBody,
    ) -> Result<(response::Parts, Body), Error> {
        let http = &self.client.0.http;
        let request = Request::put(match self.direct {
            None => file.url_path(),
            Some(_) => file.url_path_at_host(),
        });
        let request = request.header(CONTENT_TYPE, "application/octet-stream");
        let mut request = request.body(body).map_err(unsendable)?;
        let Some(direct) = &self.direct else {
            return http.open_streamed("PUT", request).await;
        };
        let (transport, cookie) = direct.ticket(&self.client, &Method::PUT, file).await?;
        self.head_with(request.headers_mut(), cookie);
        let answer = http.streamed("PUT", &*transport, request).await?;
        Ok(answer.into_parts())
    }

    /// Adds the headers of a request with a ticket. A ticket is good for one request, and so is its connection.
    fn head_with(&self, headers: &mut HeaderMap, cookie: HeaderValue) {
        self.client.0.http.count(headers);
        headers.insert(COOKIE, cookie);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }

    /// Logs in again after a 401. A host has said it about a ticket: the next one is asked for in any case.
    async fn renew(&self, logins: u64) -> Result<bool, Error> {
        match self.direct {
            None => self.client.renew(logins).await,
            Some(_) => Ok(true),
        }
    }

    fn refused(&self, action: &'static str, file: &DatastoreFile, status: StatusCode) -> Error {
        Error::File {
            action,
            path: self.url_path(file),
            status: status.as_u16(),
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("client", &self.client)
            .field("direct", &self.direct)
            .finish()
    }
}

fn name(method: &Method) -> &'static str {
    match *method {
        Method::HEAD => "HEAD",
        Method::DELETE => "DELETE",
        Method::PUT => "PUT",
        _ => "GET",
    }
}

impl Client {
    /// The files of datastores, through this client's server.
    pub fn files(&self) -> Files {
        Files {
            client: self.clone(),
            direct: None,
        }
    }

    /// Downloads a file from a datastore, up to the [largest answer](crate::Limits::largest_answer). If it does not arrive, it is
    /// asked for again, as a call that only reads.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses; its status is 404 if there is no such file.
    pub async fn download(&self, file: &DatastoreFile) -> Result<Bytes, Error> {
        let mut repeats = Repeats::new();
        loop {
            let whole: BoxFuture<'_, _> = Box::pin(self.download_once(file));
            match whole.await {
                Ok(whole) => return Ok(whole),
                Err(error) => repeats.after("GET", error).await?,
            }
        }
    }

    async fn download_once(&self, file: &DatastoreFile) -> Result<Bytes, Error> {
        let limit = self.0.options.limits.largest_answer;
        let mut part = self.files().get(file, FileRange::WHOLE, None).await?;
        if let Some(announced) = part.length.filter(|length| *length > limit as u64) {
            return Err(TransportError::TooLarge {
                limit,
                announced: Some(announced),
            }
            .into());
        }
        let mut whole = BytesMut::new();
        while let Some(piece) = part.content.chunk().await? {
            if piece.len() > limit - whole.len() {
                return Err(TransportError::TooLarge {
                    limit,
                    announced: None,
                }
                .into());
            }
            whole.extend_from_slice(&piece);
        }
        // A transport over a socket notices a short body itself.
        if part
            .length
            .is_some_and(|length| length != whole.len() as u64)
        {
            return Err(TransportError::Closed {
                server: "the server".to_owned(),
                answering: true,
                reused: false,
                source: None,
            }
            .into());
        }
        Ok(whole.freeze())
    }

    /// Uploads a file to a datastore, or replaces it. Its directory must exist. It is sent again only if another program has
    /// answered in the server's place.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses.
    pub async fn upload(&self, file: &DatastoreFile, content: Bytes) -> Result<(), Error> {
        let mut repeats = Repeats::new();
        loop {
            let mut source = UploadSource::bytes(content.clone());
            let files = self.files();
            let sent: BoxFuture<'_, _> = Box::pin(files.put(file, &mut source, false));
            match sent.await {
                Ok(_) => return Ok(()),
                Err(error) if is_unserved(&error) => repeats.after("PUT", error).await?,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether an answer with status 200 is the page of another program: a server gives a file as bytes or as text.
fn is_page(headers: &HeaderMap, file: &DatastoreFile) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let name = file.path.to_ascii_lowercase();
    kind.is_some_and(|kind| kind.starts_with(b"text/html"))
        && ![".html", ".htm"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let check = |datacenter: &str, datastore: &str, path: &str, expected: &str| {
            let file = DatastoreFile {
                datacenter_path: datacenter.to_owned(),
                datastore: datastore.to_owned(),
                path: path.to_owned(),
            };
            assert_eq!(file.url_path(), expected);
        };
        check(
            "ha-datacenter",
            "ssd",
            "web/web.vmx",
            "/folder/web/web.vmx?dcPath=ha-datacenter&dsName=ssd",
        );
        check(
            "A/B+",
            "a b",
            "ä ö/100%.vmx",
            "/folder/%C3%A4%20%C3%B6/100%25.vmx?dcPath=A%252FB%252B&dsName=a%2520b",
        );
        check("", "", "?&#", "/folder/%3F%26%23?dcPath=&dsName=");
    }
}
