//! Files on datastores, which servers offer at `/folder/…`, and pictures of screens at `/screen`.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use vi_types::ManagedObjectReference;

use super::Client;
use super::exchange::{HttpResponse, unsendable};
use crate::Error;
use crate::transport::Body;

/// Percent-encodes all but the unreserved characters of URIs.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
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
        let once = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let twice = |text: &str| once(&once(text));
        let path: Vec<_> = self.path.split('/').map(once).collect();
        let (datacenter, datastore) = (twice(&self.datacenter_path), twice(&self.datastore));
        let path = path.join("/");
        format!("/folder/{path}?dcPath={datacenter}&dsName={datastore}")
    }
}

/// A file that is downloaded piece by piece.
#[derive(Debug)]
pub struct Download {
    client: Client,
    body: Body,
}

impl Download {
    /// The length in bytes, if the server tells.
    pub fn announced(&self) -> Option<u64> {
        self.body.announced()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks, or no piece comes before the deadline of calls.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let http = &self.client.0.http;
        http.within_deadline("GET", self.body.chunk()).await
    }
}

impl Client {
    /// Downloads a picture of the screen of a virtual machine, which must be powered on: a PNG image.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses.
    pub async fn screenshot(&self, vm: &ManagedObjectReference) -> Result<Download, Error> {
        let path = format!("/screen?id={}", utf8_percent_encode(&vm.value, RESERVED));
        let mut renewed = false;
        loop {
            self.check_open("GET")?;
            let logins = self.logins();
            let request = Request::get(&path).body(Bytes::new()).map_err(unsendable)?;
            let (parts, body) = self.0.http.open("GET", request).await?;
            match parts.status {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT => {
                    let client = self.clone();
                    return Ok(Download { client, body });
                }
                StatusCode::UNAUTHORIZED if !renewed && self.renew(logins).await? => renewed = true,
                status => {
                    return Err(Error::File {
                        action: "download from",
                        path,
                        status: status.as_u16(),
                    });
                }
            }
        }
    }

    /// Downloads a file from a datastore, up to the [largest answer](crate::Options::largest_answer).
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses; its status is 404 if there is no such file.
    pub async fn download(&self, file: &DatastoreFile) -> Result<Bytes, Error> {
        let answer = self.file(Method::GET, file, Bytes::new()).await?;
        match answer.parts.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer.body),
            status => Err(refused("download from", file, status)),
        }
    }

    /// Uploads a file to a datastore, or replaces it. Its directory must exist.
    ///
    /// # Errors
    /// [`Error::File`] if the server refuses.
    pub async fn upload(&self, file: &DatastoreFile, content: Bytes) -> Result<(), Error> {
        let answer = self.file(Method::PUT, file, content).await?;
        match answer.parts.status {
            StatusCode::OK | StatusCode::CREATED => Ok(()),
            status => Err(refused("upload to", file, status)),
        }
    }

    /// Sends a request for a file; logs in again if the session has ended.
    async fn file(
        &self,
        method: Method,
        file: &DatastoreFile,
        content: Bytes,
    ) -> Result<HttpResponse, Error> {
        let name = if method == Method::PUT { "PUT" } else { "GET" };
        let mut renewed = false;
        loop {
            self.check_open(name)?;
            let logins = self.logins();
            let request = Request::builder()
                .method(&method)
                .uri(file.url_path())
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(content.clone())
                .map_err(unsendable)?;
            let (_, answer) = self.0.http.exchange(name, request, None).await?;
            // The server has not touched the file.
            let is_unknown = answer.parts.status == StatusCode::UNAUTHORIZED;
            if is_unknown && !renewed && self.renew(logins).await? {
                renewed = true;
                continue;
            }
            return Ok(answer);
        }
    }
}

fn refused(action: &'static str, file: &DatastoreFile, status: StatusCode) -> Error {
    Error::File {
        action,
        path: file.url_path(),
        status: status.as_u16(),
    }
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
