//! Pictures of a domain's screen.

use std::fmt;

use bytes::Bytes;
use vi_client::{
    Download, Error as Cause, property_set, retrieve::PropertySet as _, retrieve::Retrieve,
};
use vi_types::enums::VirtualMachinePowerState::PoweredOn;
use virt_model::ErrorNumber;

use super::{Domain, DomainPower, no_domain_with_uuid};
use crate::{DatastorePath, Error, ErrorKind, Operation, Result, error::refuse_flags};

property_set! {
    struct Capability: HostSystem {
        is_supported: bool = capability.screenshot_supported,
    }
}

/// A picture of a domain's screen, which is downloaded piece by piece.
pub struct Screenshot(Content);

enum Content {
    Pieces(Download),
    Whole(Option<Bytes>),
}

impl Screenshot {
    /// The type of the image: always `image/png`.
    pub fn mime_type(&self) -> &'static str {
        "image/png"
    }

    /// The next piece of the image; `None` at its end.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match &mut self.0 {
            Content::Pieces(download) => Ok(download.chunk().await?),
            Content::Whole(content) => Ok(content.take()),
        }
    }
}

impl fmt::Debug for Screenshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screenshot").finish_non_exhaustive()
    }
}

impl Domain {
    /// A picture of the domain's screen. The domain must run, and has one screen: number 0.
    ///
    /// Two requests: the host's capability together with the domain's state, and the image. A server that does not offer
    /// the image (status 404) gets [`CreateScreenshot_Task`](vi_types::methods::CreateScreenshotTask) instead; the file
    /// that this leaves on the datastore is downloaded and deleted. `flags` must be 0.
    ///
    /// # Errors
    /// In libvirt's order: [`ErrorKind::UnsupportedFlags`]; [`ErrorKind::Argument`] for another screen;
    /// [`ErrorKind::Unsupported`] if the host makes no screenshots; [`ErrorKind::WrongState`] if the domain does not run;
    /// [`ErrorKind::File`] if the server does not give the image.
    #[doc(alias = "virDomainScreenshot")]
    pub async fn screenshot(&self, screen: u32, flags: u32) -> Result<Screenshot> {
        refuse_flags(flags, "esxDomainScreenshot")?;
        if screen != 0 {
            let message = "Screen cannot be selected";
            return Err(Error::new(
                ErrorKind::Argument,
                ErrorNumber::InvalidArg,
                message,
            ));
        }
        self.check_screenshot().await?;
        match self.connect.client().screenshot(&self.moref).await {
            Ok(download) => Ok(Screenshot(Content::Pieces(download))),
            Err(Cause::File { status: 404, .. }) => self.screenshot_file().await,
            Err(Cause::File {
                path,
                status,
                action,
            }) => {
                // curl_easy_getinfo's check in esx_stream.c.
                let message = format!("Unexpected HTTP response code {status}");
                let cause = Cause::File {
                    path,
                    status,
                    action,
                };
                let error = Error::new(ErrorKind::File, ErrorNumber::InternalError, message);
                Err(error.because(cause))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what the host can and whether the domain runs, at once.
    async fn check_screenshot(&self) -> Result<()> {
        let objects = [
            self.connect.host_system().await?.clone(),
            self.moref.clone(),
        ];
        let request = Retrieve::from_each(objects)
            .set::<Capability>()
            .set::<DomainPower>();
        let found = match self.connect.client().retrieve(&request).await {
            Err(error) if error.is_not_found() => return Err(no_domain_with_uuid(self.uuid)),
            found => found?,
        };
        let (mut is_supported, mut power) = (None, None);
        for mut found in found {
            if found.object == self.moref {
                power = Some(DomainPower::from_properties(&mut found));
            } else {
                is_supported = Some(Capability::from_properties(&mut found));
            }
        }
        let capability = is_supported.ok_or_else(crate::connect::no_host)?;
        let capability = capability.map_err(Error::missing_property)?;
        let power = power.ok_or_else(|| no_domain_with_uuid(self.uuid))?;
        let power = power.map_err(Error::missing_property)?;
        let refused = |kind, number, message: &str| Err(Error::new(kind, number, message));
        if !capability.is_supported {
            let number = ErrorNumber::OperationUnsupported;
            let message = "Screenshot feature is unsupported";
            return refused(ErrorKind::Unsupported, number, message);
        }
        if power.power_state != PoweredOn {
            let message = "Domain is not powered on";
            return refused(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                message,
            );
        }
        Ok(())
    }

    /// Lets the host write the picture to a file, and fetches it.
    async fn screenshot_file(&self) -> Result<Screenshot> {
        let task = self.task(self.vm().create_screenshot_task());
        let path = Operation::of("Could not take a screenshot", Ok(task)).await?;
        let path: DatastorePath = path.parse()?;
        let content = self.connect.download(&path).await;
        let deletion = self.connect.deletion(&path).await;
        if let Err(error) = Operation::of("Could not delete the screenshot", deletion).await {
            tracing::warn!(%path, %error, "the file of the screenshot stays on the datastore");
        }
        Ok(Screenshot(Content::Whole(Some(content?))))
    }
}
