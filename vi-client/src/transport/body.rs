use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use super::TransportError;

/// The body of an answer, read in chunks or whole with a limit.
pub struct Body(Inner);

enum Inner {
    Whole(Option<Bytes>),
    Stream(UnsyncBoxBody<Bytes, TransportError>),
}

impl Body {
    /// A body of the frames of another body; trailers are dropped.
    pub fn streaming<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes, Error = TransportError> + Send + 'static,
    {
        Self(Inner::Stream(body.boxed_unsync()))
    }

    /// The length in bytes, if it is known from `Content-Length` or the body is in memory.
    pub fn announced(&self) -> Option<u64> {
        match &self.0 {
            Inner::Whole(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inner::Stream(stream) => stream.size_hint().exact(),
        }
    }

    /// The next chunk; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks before the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let stream = match &mut self.0 {
            Inner::Whole(bytes) => return Ok(bytes.take().filter(|bytes| !bytes.is_empty())),
            Inner::Stream(stream) => stream,
        };
        loop {
            match poll_fn(|cx| Pin::new(&mut *stream).poll_frame(cx)).await {
                None => return Ok(None),
                Some(Err(error)) => return Err(error),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The whole body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] as soon as the announced or received length exceeds the limit (memory is allocated for
    /// received bytes only), and the errors of [`chunk`](Self::chunk).
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        if let Some(announced) = self.announced()
            && announced > limit as u64
        {
            return Err(TransportError::TooLarge {
                limit,
                announced: Some(announced),
            });
        }
        let too_large = TransportError::TooLarge {
            limit,
            announced: None,
        };
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        if first.len() > limit {
            return Err(too_large);
        }
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > limit {
                return Err(too_large);
            }
            whole.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(whole.freeze())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Whole(Some(bytes)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("announced", &self.announced())
            .finish_non_exhaustive()
    }
}
