//! What a server may cost a client: memory and time.

use std::time::Duration;

/// Limits on what a server's answers may cost.
///
/// The defaults leave room for the largest answers of real servers, and no more: what goes beyond them is an error that
/// names the limit.
///
/// ```
/// use std::time::Duration;
/// use vi_client::{Limits, Options};
///
/// let limits = Limits::default().deadline(Duration::from_secs(60));
/// let options = Options::default().limits(limits);
/// ```
///
/// How deep an answer's elements may be nested, and how many attributes one may have, is fixed: see
/// [`vi_types::wire::Limits`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) deadline: Duration,
    pub(crate) largest_answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(300),
            largest_answer: 1 << 30,
        }
    }
}

impl Limits {
    /// How long a call may take, from sending the request to the last byte of its answer (default: 5 minutes).
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = after;
        self
    }

    /// The largest answer in bytes, before and after decompression (default: 1 GiB).
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }
}
