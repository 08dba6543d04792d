//! The body of a request, as it arrives.

use std::io;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

/// The body of a request: what has been read, and what is still to come.
pub(crate) struct Upload {
    read: Bytes,
    coming: Option<UnsyncBoxBody<Bytes, io::Error>>,
    /// Whether it ends before its end after what has been read.
    is_torn: bool,
    /// The connection is closed after so many bytes.
    left: Option<u64>,
}

/// What does not fit into memory, or never arrived.
pub(crate) enum NotCollected {
    TooLarge,
    Torn,
}

impl From<Bytes> for Upload {
    fn from(read: Bytes) -> Self {
        Self {
            read,
            coming: None,
            is_torn: false,
            left: None,
        }
    }
}

impl Upload {
    /// One of which nothing has been read.
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self {
            coming: Some(body.map_err(io::Error::other).boxed_unsync()),
            ..Self::from(Bytes::new())
        }
    }

    /// Tears it after so many bytes.
    pub(crate) fn torn_after(self, bytes: u64) -> Self {
        Self {
            left: Some(bytes),
            ..self
        }
    }

    /// What has been read of it and not taken.
    pub(crate) fn read(&self) -> &Bytes {
        &self.read
    }

    /// The next bytes.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == Some(0) {
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut bytes = std::mem::take(&mut self.read);
        if bytes.is_empty() {
            bytes = match self.receive().await? {
                Ok(bytes) => bytes,
                Err(error) => return Some(Err(error)),
            };
        }
        if let Some(left) = &mut self.left {
            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= bytes.len() as u64;
        }
        Some(Ok(bytes))
    }

    async fn receive(&mut self) -> Option<io::Result<Bytes>> {
        if std::mem::take(&mut self.is_torn) {
            return Some(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let coming = self.coming.as_mut()?;
        loop {
            match coming.frame().await? {
                Err(error) => return Some(Err(error)),
                Ok(frame) => {
                    if let Some(bytes) = frame.into_data().ok().filter(|bytes| !bytes.is_empty()) {
                        return Some(Ok(bytes));
                    }
                }
            }
        }
    }

    /// Reads all of it, or as much as arrives.
    pub(crate) async fn gather(mut self) -> Self {
        let mut read = BytesMut::new();
        while let Some(next) = self.next().await {
            match next {
                Ok(bytes) => read.extend_from_slice(&bytes),
                Err(_) => {
                    self.is_torn = true;
                    break;
                }
            }
        }
        Self {
            read: read.freeze(),
            coming: None,
            is_torn: self.is_torn,
            left: None,
        }
    }

    /// All of it, if it is not more than that many bytes.
    pub(crate) async fn collect(mut self, most: usize) -> Result<Bytes, NotCollected> {
        if self.coming.is_none() && !self.is_torn {
            return match self.read.len() <= most {
                true => Ok(self.read),
                false => Err(NotCollected::TooLarge),
            };
        }
        let mut read = BytesMut::new();
        while let Some(next) = self.next().await {
            let bytes = next.map_err(|_| NotCollected::Torn)?;
            if read.len() + bytes.len() > most {
                return Err(NotCollected::TooLarge);
            }
            read.extend_from_slice(&bytes);
        }
        Ok(read.freeze())
    }

    /// Reads on and throws away, so that the client reads the answer before its connection ends: at most that many bytes.
    pub(crate) async fn drain(mut self, most: u64) {
        let mut drained = 0;
        while drained < most {
            match self.next().await {
                Some(Ok(bytes)) => drained += bytes.len() as u64,
                Some(Err(_)) | None => return,
            }
        }
    }
}
