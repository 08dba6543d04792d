//! Which calls are sent again when their answer does not arrive, and how often.

use std::time::Duration;

use crate::Error;
use crate::transport::TransportError;

/// How the names of methods begin that only read: each gives the same answer twice, and leaves nothing on the server.
///
/// `ContinueRetrievePropertiesEx`, `ReadNextEvents` and their like are not among them: each call gives what comes next. So
/// are not methods that start a task, whatever it does.
const READS: [&str; 11] = [
    "Browse",
    "CurrentTime",
    "Fetch",
    "Find",
    "Get",
    "Has",
    "Is",
    "List",
    "Query",
    "Retrieve",
    "SessionIsActive",
];

/// Methods with such a name that do more than read, or that do not give the same answer twice.
const NO_READS: [&str; 2] = ["QueryFirmwareConfigUploadURL", "QueryNext"];

/// Whether a method may be called twice without harm.
pub(super) fn only_reads(method: &str) -> bool {
    READS.iter().any(|name| method.starts_with(name))
        && !method.ends_with("_Task")
        && !NO_READS.contains(&method)
}

/// How often one and the same call is sent again.
#[derive(Debug)]
pub(crate) struct Repeats {
    left: u32,
    pause: Duration,
}

impl Repeats {
    /// How often a call is sent again: the pauses take 3 seconds together, in which a server's proxy or its agent is back.
    const MOST: u32 = 5;

    const FIRST_PAUSE: Duration = Duration::from_millis(100);

    pub(crate) fn new() -> Self {
        Self {
            left: Self::MOST,
            pause: Self::FIRST_PAUSE,
        }
    }

    /// For the first call to a server, which may be no VI server at all.
    pub(super) fn once() -> Self {
        Self {
            left: 1,
            ..Self::new()
        }
    }

    /// Pauses before the call is sent again. Returns the error if it is not to be sent again.
    pub(crate) async fn after(&mut self, method: &'static str, error: Error) -> Result<(), Error> {
        if self.left == 0 || !is_passing(&error) {
            return Err(error);
        }
        tracing::debug!(method, %error, "sent again");
        self.left -= 1;
        // The server may have closed a connection while it was idle, which says nothing of how it is.
        if !was_idle(&error) {
            tokio::time::sleep(self.pause).await;
            self.pause *= 2;
        }
        Ok(())
    }
}

fn was_idle(error: &Error) -> bool {
    let Error::Transport(error) = error else {
        return false;
    };
    let TransportError::Closed {
        answering, reused, ..
    } = error
    else {
        return false;
    };
    !answering && *reused
}

/// Whether the reason may have gone when the call is sent again: a connection broke, or another program answered in the
/// server's place, which has answered before.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Transport(TransportError::Closed { .. } | TransportError::Connect { .. })
        | Error::Compression { .. } => true,
        Error::Renewal(error) | Error::Shared(error) => is_passing(error),
        error => is_unserved(error),
    }
}

/// Whether another program answered in the server's place, so that the server has not seen the call.
pub(super) fn is_unserved(error: &Error) -> bool {
    match error {
        // 503: the proxy of an ESX host while its agent starts.
        Error::Status { status, .. } | Error::File { status, .. } => {
            matches!(status, 429 | 502..=504)
        }
        Error::NotVi { is_known, .. } => *is_known,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method that is sent again, of the types that the project compiles. Who adds one reads its documentation first:
    /// does it change something?
    #[test]
    fn methods_that_only_read() {
        let methods = vi_types::interface().methods.iter();
        let reviewed: Vec<_> = include_str!("repeat/reads.txt").lines().collect();
        assert!(reviewed.iter().all(|name| only_reads(name)));
        let reads = methods.map(|method| method.name);
        let unknown: Vec<_> = reads
            .filter(|name| only_reads(name) && !reviewed.contains(name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for method in [
            "ContinueRetrievePropertiesEx",
            "ReadNextEvents",
            "WaitForUpdatesEx",
            "SearchDatastore_Task",
            "RetrieveKmipServersStatus_Task",
            "Login",
            "PowerOnVM_Task",
            "AcquireGenericServiceTicket",
        ] {
            assert!(!only_reads(method), "{method}");
        }
    }
}
