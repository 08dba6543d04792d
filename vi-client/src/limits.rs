//! What a server may cost a client: memory and time.

use std::time::Duration;

use vi_types::wire;

use crate::Error;

/// Limits on what a server's answers may cost.
///
/// The defaults leave room for the largest answers of real servers, and keep a program below 256 MiB whatever a server
/// sends. What goes beyond them is an error that names the limit ([`Error::Excess`], or
/// [`TransportError::TooLarge`](crate::transport::TransportError::TooLarge)).
///
/// ```
/// use std::time::Duration;
/// use vi_client::{Limits, Options};
///
/// let limits = Limits::default().deadline(Duration::from_secs(60)).objects(1_000_000);
/// let options = Options::default().limits(limits);
/// ```
///
/// How deep an answer's elements may be nested, and how many attributes one may have, is fixed: see
/// [`vi_types::wire::Limits`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) deadline: Duration,
    pub(crate) head: Duration,
    pub(crate) silence: Duration,
    pub(crate) logout: Duration,
    pub(crate) largest_answer: usize,
    pub(crate) largest_retrieve: usize,
    pub(crate) memory: usize,
    pub(crate) objects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(300),
            head: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            logout: Duration::from_secs(2),
            largest_answer: 16 << 20,
            largest_retrieve: 256 << 20,
            memory: 128 << 20,
            objects: 100_000,
        }
    }
}

impl Limits {
    /// How long a call may take, from sending the request to the last byte of its answer (default: 5 minutes).
    ///
    /// It bounds the other durations, too, except for the connection's own
    /// ([`HttpsTransport::connect_timeout`](crate::transport::HttpsTransport::connect_timeout)). The longest that is known
    /// of real servers are rescans of hosts with many devices, which take some minutes before they are answered.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = after;
        self
    }

    /// How long it may take until the head of an answer is there, connecting included (default: 1 minute).
    ///
    /// Servers answer calls that read, and those that start a task, within seconds, also vCenters with 10,000 machines. A call
    /// that a host carries out before it answers, such as a rescan or the mounting of a datastore, has the whole
    /// [`deadline`](Self::deadline), and so has an upload of more than 16 MiB once the server has all of it. A call that waits for changes may be silent for half a minute more than it was asked to
    /// wait.
    #[must_use]
    pub fn head(mut self, after: Duration) -> Self {
        self.head = after;
        self
    }

    /// How long the body of an answer, or of a request that is streamed, may stand still (default: 1 minute). An answer
    /// stands still if it brings less than 1 KiB in that time and does not end.
    ///
    /// Storage that has lost a path is back within half a minute, or not for a long time.
    #[must_use]
    pub fn silence(mut self, after: Duration) -> Self {
        self.silence = after;
        self
    }

    /// How long logging out may take (default: 2 seconds): what was to be done is done by then, and a session that stays is
    /// ended by the server, usually after half an hour.
    #[must_use]
    pub fn logout(mut self, after: Duration) -> Self {
        self.logout = after;
        self
    }

    /// How long the head of the answer to a method may take; `waits` if it waits for changes.
    pub(crate) fn head_of(&self, method: &str, waits: Option<Duration>) -> Duration {
        match waits {
            Some(waits) => waits.saturating_add(self.head.min(SLACK)),
            None if works_first(method) => self.deadline,
            None => self.head.min(self.deadline),
        }
    }

    /// How long the head of the answer may take to an upload of so many bytes, once the server has them all.
    pub(crate) fn head_of_upload(&self, bytes: u64) -> Duration {
        // The server may have to write them to a disk first.
        match bytes > SHORT_UPLOAD {
            true => self.deadline,
            false => self.head.min(self.deadline),
        }
    }

    /// How long a body may stand still.
    pub(crate) fn silence_of_bodies(&self) -> Duration {
        self.silence.min(self.deadline)
    }

    /// The largest answer in bytes, before and after decompression; also the largest object of a retrieve, and the largest
    /// file that is read whole (default: 16 MiB).
    ///
    /// The largest real ones are the options of an environment browser (1.5 MB), a page of 1,000 events (up to 5 MB), and
    /// the task of a datastore search, whose result has 300 bytes for each file. The answers of a watch, which have the
    /// properties of many objects, may be four times as large.
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// How many bytes a retrieve may have, all its pages together, after decompression (default: 256 MiB).
    ///
    /// The whole configuration of 5,000 virtual machines is 42 to 50 MB.
    #[must_use]
    pub fn largest_retrieve(mut self, bytes: usize) -> Self {
        self.largest_retrieve = bytes;
        self
    }

    /// How many bytes of memory the values of an answer may take, with the text that they are read from (default: 128 MiB).
    ///
    /// Of a retrieve, this holds for what is in memory at a time: all of it for [`Client::retrieve`](crate::Client::retrieve),
    /// a page for [`Pages`](crate::retrieve::Pages), an object for [`Objects`](crate::retrieve::Objects). The whole configuration
    /// of 1,000 virtual machines counts as 19 MB, so that of 6,800 fits; a program that reads more reads it object by
    /// object, or sets the limit. The number is an estimate, see [`vi_types::wire::Limits::memory`].
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// How many objects a retrieve may have, all its pages together (default: 100,000).
    ///
    /// The largest vCenter has 45,000 virtual machines and 2,500 hosts.
    #[must_use]
    pub fn objects(mut self, most: usize) -> Self {
        self.objects = most;
        self
    }

    /// The largest answer to a method.
    pub(crate) fn largest_answer_to(&self, method: &str) -> usize {
        match method {
            "WaitForUpdatesEx" | "WaitForUpdates" | "CheckForUpdates" => {
                self.largest_answer.saturating_mul(4)
            }
            _ => self.largest_answer,
        }
    }

    /// The limits of decoding.
    pub(crate) fn wire(&self) -> wire::Limits {
        let mut limits = wire::Limits::default();
        limits.memory = self.memory;
        limits
    }
}

/// What a retrieve has cost so far, all its pages together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Bytes of text.
    pub(crate) text: usize,
    pub(crate) objects: usize,
    /// Bytes of memory of the objects that are kept.
    pub(crate) memory: usize,
}

impl Spent {
    /// Whether that is within the limits.
    pub(crate) fn check(self, limits: &Limits, method: &'static str) -> Result<(), Error> {
        let limit = if self.objects > limits.objects {
            format!("{} objects", limits.objects)
        } else if self.text > limits.largest_retrieve {
            format!("{} bytes of objects", limits.largest_retrieve)
        } else if self.memory > limits.memory {
            format!("{} bytes of memory can hold", limits.memory)
        } else {
            return Ok(());
        };
        Err(Error::Excess { method, limit })
    }
}

/// How much later than it was asked to a server may answer a call that waits for changes.
const SLACK: Duration = Duration::from_secs(30);

/// The longest upload in bytes that a server stores at once: every file but the content of a disk.
const SHORT_UPLOAD: u64 = 16 << 20;

/// Whether servers carry out a method before they answer, however long that takes: changes of a host's storage, networks
/// and services, and HTTP's methods that change files.
fn works_first(method: &str) -> bool {
    const BEGINNINGS: [&str; 19] = [
        "Rescan",
        "Refresh",
        "Mount",
        "Unmount",
        "Format",
        "Extend",
        "Expand",
        "Create",
        "Destroy",
        "Remove",
        "Delete",
        "Add",
        "Update",
        "Start",
        "Stop",
        "Restart",
        "MakeDirectory",
        "DELETE",
        "PUT",
    ];
    // These make an object of the session, or a task that works later.
    const QUICK: [&str; 5] = ["_Task", "View", "Filter", "Collector", "CollectorForEvents"];
    let begins = BEGINNINGS.iter().any(|start| method.starts_with(start));
    let is_slow_query =
        method.starts_with("Query") && (method.contains("Vmfs") || method.contains("Disk"));
    is_slow_query || begins && !QUICK.iter().any(|end| method.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_methods_have_time() {
        for method in [
            "RescanAllHba",
            "RescanHba",
            "RefreshStorageSystem",
            "CreateVmfsDatastore",
            "CreateNasDatastore",
            "MountVmfsVolume",
            "UpdateNetworkConfig",
            "RestartService",
            "QueryVmfsDatastoreCreateOptions",
            "QueryAvailableDisksForVmfs",
            "PUT",
        ] {
            assert!(works_first(method), "{method}");
        }
        for method in [
            "RetrievePropertiesEx",
            "ContinueRetrievePropertiesEx",
            "Login",
            "CurrentTime",
            "PowerOnVM_Task",
            "CreateSnapshot_Task",
            "CreateFilter",
            "CreatePropertyCollector",
            "DestroyPropertyFilter",
            "CreateCollectorForEvents",
            "CreateContainerView",
            "UnregisterVM",
            "ShutdownGuest",
            "ReconfigureAutostart",
            "QueryPerf",
            "GET",
        ] {
            assert!(!works_first(method), "{method}");
        }
    }

    #[test]
    fn the_deadline_bounds_the_others() {
        let limits = Limits::default().deadline(Duration::from_secs(7));
        assert_eq!(limits.head_of("Login", None), Duration::from_secs(7));
        assert_eq!(limits.silence_of_bodies(), Duration::from_secs(7));
        let waits = Some(Duration::from_secs(60));
        let limits = Limits::default();
        assert_eq!(
            limits.head_of("WaitForUpdatesEx", waits),
            Duration::from_secs(90)
        );
        assert_eq!(limits.head_of("RescanAllHba", None), limits.deadline);
    }

    #[test]
    fn only_the_content_of_a_disk_may_take_a_server_long_to_store() {
        let limits = Limits::default();
        for bytes in [0, 8_000, SHORT_UPLOAD] {
            assert_eq!(limits.head_of_upload(bytes), limits.head, "{bytes}");
        }
        assert_eq!(limits.head_of_upload(SHORT_UPLOAD + 1), limits.deadline);
        let limits = limits.deadline(Duration::from_secs(7));
        assert_eq!(limits.head_of_upload(8_000), Duration::from_secs(7));
    }
}
