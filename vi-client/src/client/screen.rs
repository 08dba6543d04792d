//! Pictures of screens, which servers offer at `/screen`.

use bytes::Bytes;
use http::{Request, StatusCode};
use percent_encoding::utf8_percent_encode;
use vi_types::ManagedObjectReference;

use super::Client;
use super::exchange::unsendable;
use super::files::{Download, RESERVED};
use crate::Error;

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
                    return Ok(Download::new(self, body));
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
}
