//! A datastore that a simulated server has in addition to those of its preset.

use std::str::FromStr;

use super::{InvalidStorage, size};

/// A datastore for a simulated server.
///
/// As text it is a kind, a name and what the kind needs, with colons between them, then the size, then words behind commas:
///
/// | text | datastore |
/// |---|---|
/// | `vmfs:NAME[:SIZE]` | VMFS on a disk of its own, which all hosts see |
/// | `nfs:NAME:HOST:/PATH[:SIZE]` | a folder of an NFS server; `nfs41` for NFS 4.1, `cifs` for a CIFS share |
/// | `local:NAME:/PATH[:SIZE]` | a folder of the host, as VMware Server has it |
/// | `vsan:NAME[:SIZE]`, `vvol:NAME[:SIZE]`, `pmem:NAME[:SIZE]` | vSAN, virtual volumes, persistent memory |
///
/// | word | what it means |
/// |---|---|
/// | `free=SIZE`, `full` | free space at the beginning; otherwise 5/8 of the size |
/// | `inaccessible`, `maintenance`, `readonly` | its state |
/// | `host=NAME` | only this host has it |
///
/// A size is in bytes, or has K, M, G or T behind it; without one it is 1T. For example `nfs:iso:nas.example.com:/iso:200G`
/// or `vmfs:tiny:64M,full`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDatastore {
    pub(crate) name: String,
    pub(crate) kind: DatastoreKind,
    pub(crate) capacity: u64,
    pub(crate) free: Option<u64>,
    pub(crate) accessible: bool,
    pub(crate) maintenance: bool,
    pub(crate) read_only: bool,
    pub(crate) host: Option<String>,
}

/// What kind a datastore is of, with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatastoreKind {
    /// VMFS on a disk of its own.
    Vmfs,
    /// A folder of an NFS 3 server.
    Nfs {
        /// The server's name or address.
        host: String,
        /// The exported folder.
        path: String,
    },
    /// A folder of an NFS 4.1 server.
    Nfs41 {
        /// The server's names or addresses, with commas between them.
        host: String,
        /// The exported folder.
        path: String,
    },
    /// A CIFS share.
    Cifs {
        /// The server's name or address.
        host: String,
        /// The share.
        path: String,
    },
    /// A folder of the host.
    Local {
        /// The folder.
        path: String,
    },
    /// The disks of several hosts.
    Vsan,
    /// Virtual volumes of a storage array.
    Vvol,
    /// Persistent memory of the host.
    Pmem,
}

impl NewDatastore {
    /// A datastore of 1 TiB that is 5/8 free.
    pub fn new(name: impl Into<String>, kind: DatastoreKind) -> Self {
        Self {
            name: name.into(),
            kind,
            capacity: 1 << 40,
            free: None,
            accessible: true,
            maintenance: false,
            read_only: false,
            host: None,
        }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn capacity(self, capacity: u64) -> Self {
        Self { capacity, ..self }
    }

    /// Its free space at the beginning, in bytes.
    #[must_use]
    pub fn free(self, free: u64) -> Self {
        Self {
            free: Some(free),
            ..self
        }
    }

    /// Whether its hosts reach it (default: yes).
    #[must_use]
    pub fn accessible(self, accessible: bool) -> Self {
        Self { accessible, ..self }
    }

    /// Whether it is in maintenance mode (default: no).
    #[must_use]
    pub fn maintenance(self, maintenance: bool) -> Self {
        Self {
            maintenance,
            ..self
        }
    }

    /// Whether its hosts can only read it (default: no).
    #[must_use]
    pub fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    /// The name of the only host that has it (default: all hosts have it).
    #[must_use]
    pub fn host(self, host: impl Into<String>) -> Self {
        Self {
            host: Some(host.into()),
            ..self
        }
    }

    /// Free space at the beginning.
    pub(crate) fn free_space(&self) -> u64 {
        let free = self.free.unwrap_or(self.capacity / 8 * 5);
        free.min(self.capacity)
    }
}

impl FromStr for NewDatastore {
    type Err = InvalidStorage;

    fn from_str(text: &str) -> Result<Self, InvalidStorage> {
        let fail = |reason: String| InvalidStorage::datastore(text, reason);
        let (description, words) = match text.split_once(',') {
            Some((description, words)) => (description, Some(words)),
            None => (text, None),
        };
        let form = || fail("should be KIND:NAME[:SIZE], such as vmfs:ssd2:500G".to_owned());
        let (kind, rest) = description.split_once(':').ok_or_else(form)?;
        let (name, rest) = match rest.split_once(':') {
            Some((name, rest)) => (name, Some(rest)),
            None => (rest, None),
        };
        if name.is_empty() {
            return Err(form());
        }
        let remote = || -> Result<(String, String, Option<&str>), InvalidStorage> {
            let form = || fail(format!("should be {kind}:NAME:HOST:/PATH[:SIZE]"));
            let rest = rest.ok_or_else(form)?;
            let (host, path) = rest.split_once(":/").ok_or_else(form)?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let (path, size) = path
                .split_once(':')
                .map_or((path, None), |(path, size)| (path, Some(size)));
            match host.is_empty() {
                true => Err(form()),
                // A comma ends the description, so that several servers have semicolons between them.
                false => Ok((host.replace(';', ","), format!("/{path}"), size)),
            }
        };
        let (kind, capacity) = match kind {
            "vmfs" => (DatastoreKind::Vmfs, rest),
            "vsan" => (DatastoreKind::Vsan, rest),
            "vvol" => (DatastoreKind::Vvol, rest),
            "pmem" => (DatastoreKind::Pmem, rest),
            "nfs" => {
                remote().map(|(host, path, size)| (DatastoreKind::Nfs { host, path }, size))?
            }
            "nfs41" => {
                remote().map(|(host, path, size)| (DatastoreKind::Nfs41 { host, path }, size))?
            }
            "cifs" => {
                remote().map(|(host, path, size)| (DatastoreKind::Cifs { host, path }, size))?
            }
            "local" => {
                let (path, size) = match rest {
                    None => ("/vmfs/local", None),
                    Some(rest) => rest
                        .split_once(':')
                        .map_or((rest, None), |(path, size)| (path, Some(size))),
                };
                let path = path.to_owned();
                (DatastoreKind::Local { path }, size)
            }
            other => {
                return Err(fail(format!(
                    "there is no kind '{other}' (should be vmfs|nfs|nfs41|cifs|local|vsan|vvol|pmem)"
                )));
            }
        };
        let mut made = Self::new(name, kind);
        if let Some(capacity) = capacity {
            made.capacity = size(capacity).map_err(|error| fail(error.to_string()))?;
        }
        for word in words.into_iter().flat_map(|words| words.split(',')) {
            made = match word.split_once('=').unwrap_or((word, "")) {
                ("free", free) => made.free(size(free).map_err(|error| fail(error.to_string()))?),
                ("full", "") => made.free(0),
                ("inaccessible", "") => made.accessible(false),
                ("maintenance", "") => made.maintenance(true),
                ("readonly", "") => made.read_only(true),
                ("host", host) if !host.is_empty() => made.host(host),
                _ => {
                    return Err(fail(format!(
                        "it has no property '{word}' (should be free=SIZE|full|inaccessible|maintenance|readonly|host=NAME)"
                    )));
                }
            };
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_describe_datastores() {
        let nfs = |host: &str, path: &str| DatastoreKind::Nfs {
            host: host.to_owned(),
            path: path.to_owned(),
        };
        for (text, expected) in [
            ("vmfs:a", NewDatastore::new("a", DatastoreKind::Vmfs)),
            (
                "vmfs:a b:64M,full,inaccessible",
                NewDatastore::new("a b", DatastoreKind::Vmfs)
                    .capacity(64 << 20)
                    .free(0)
                    .accessible(false),
            ),
            (
                "nfs:iso:nas:/iso",
                NewDatastore::new("iso", nfs("nas", "/iso")),
            ),
            (
                "nfs:iso:[fd00::1]:/a/b:2T,readonly,host=esx.example.com",
                NewDatastore::new("iso", nfs("fd00::1", "/a/b"))
                    .capacity(2 << 40)
                    .read_only(true)
                    .host("esx.example.com"),
            ),
            (
                "nfs41:n:a;b:/x,maintenance,free=1G",
                NewDatastore::new(
                    "n",
                    DatastoreKind::Nfs41 {
                        host: "a,b".to_owned(),
                        path: "/x".to_owned(),
                    },
                )
                .maintenance(true)
                .free(1 << 30),
            ),
            (
                "local:l:/var/lib/vmware:10G",
                NewDatastore::new(
                    "l",
                    DatastoreKind::Local {
                        path: "/var/lib/vmware".to_owned(),
                    },
                )
                .capacity(10 << 30),
            ),
            (
                "pmem:p:1G",
                NewDatastore::new("p", DatastoreKind::Pmem).capacity(1 << 30),
            ),
        ] {
            assert_eq!(text.parse::<NewDatastore>().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for (text, reason) in [
            (
                "vmfs",
                "'vmfs' describes no datastore: should be KIND:NAME[:SIZE], such as vmfs:ssd2:500G",
            ),
            (
                "ext4:a",
                "'ext4:a' describes no datastore: there is no kind 'ext4' (should be vmfs|nfs|nfs41|cifs|local|vsan|vvol|pmem)",
            ),
            (
                "nfs:a:b",
                "'nfs:a:b' describes no datastore: should be nfs:NAME:HOST:/PATH[:SIZE]",
            ),
            (
                "vmfs:a:big",
                "'vmfs:a:big' describes no datastore: 'big' is no size (should be like 500M, 64G or 2T)",
            ),
            (
                "vmfs:a,fast",
                "'vmfs:a,fast' describes no datastore: it has no property 'fast' (should be \
                 free=SIZE|full|inaccessible|maintenance|readonly|host=NAME)",
            ),
        ] {
            let error = text.parse::<NewDatastore>().unwrap_err();
            assert_eq!(error.to_string(), reason);
        }
    }
}
