use std::fmt;
use std::str::FromStr;

use virt_model::ErrorNumber;

use crate::{Error, ErrorKind};

/// The path of a file or directory on a datastore: `[datastore] directory/file`.
///
/// A file in the datastore's root has no directory. (libvirt 9.0.0, esxUtil_ParseDatastorePath of esx_util.c, takes the
/// file's own name for its directory.)
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatastorePath {
    datastore: String,
    path: String,
}

impl DatastorePath {
    /// The path of a file or directory; `path` is empty for the datastore's root.
    pub fn new(datastore: impl Into<String>, path: impl Into<String>) -> DatastorePath {
        DatastorePath {
            datastore: datastore.into(),
            path: path.into(),
        }
    }

    /// The name of the datastore.
    pub fn datastore(&self) -> &str {
        &self.datastore
    }

    /// The path within the datastore: directory and file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The directory of the file; empty for the datastore's root.
    pub fn directory(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory)
    }

    /// The file's name, without its directory.
    pub fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The directory of the file as a datastore path: `[datastore] directory`, or `[datastore]`.
    pub fn parent(&self) -> DatastorePath {
        DatastorePath::new(self.datastore.clone(), self.directory())
    }

    /// The path of a file or directory right in this directory.
    pub fn child(&self, name: &str) -> DatastorePath {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        DatastorePath::new(self.datastore.clone(), path)
    }
}

impl FromStr for DatastorePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<DatastorePath, Error> {
        let parts = text.strip_prefix('[').and_then(|text| text.split_once(']'));
        match parts {
            Some((datastore, path)) if !datastore.is_empty() => {
                Ok(DatastorePath::new(datastore, path.trim_start_matches(' ')))
            }
            _ => {
                let message = format!(
                    "Datastore path '{text}' doesn't have expected format '[<datastore>] <path>'"
                );
                Err(Error::new(
                    ErrorKind::DatastorePath,
                    ErrorNumber::InvalidArg,
                    message,
                ))
            }
        }
    }
}

impl fmt::Display for DatastorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "[{}]", self.datastore),
            path => write!(f, "[{}] {path}", self.datastore),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, datastore: &str, directory: &str, path: &str) {
        let parsed: DatastorePath = text.parse().unwrap();
        assert_eq!(
            (parsed.datastore(), parsed.directory(), parsed.path()),
            (datastore, directory, path)
        );
    }

    #[test]
    fn paths_have_a_datastore_a_directory_and_a_file() {
        check("[ds] directory/file", "ds", "directory", "directory/file");
        check("[ds] a/b/file", "ds", "a/b", "a/b/file");
        check("[ds] file", "ds", "", "file");
        check("[ds]   file", "ds", "", "file");
        check("[ds] directory/", "ds", "directory", "directory/");
        check("[ds]", "ds", "", "");
        check("[a b] c d/e", "a b", "c d", "c d/e");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "[",
            "[]",
            "[] directory/file",
            "directory/file",
            "ds] file",
        ] {
            let error = text.parse::<DatastorePath>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "invalid argument: Datastore path '{text}' doesn't have expected format \
                     '[<datastore>] <path>'"
                )
            );
        }
    }

    #[test]
    fn a_path_reads_back() {
        for text in ["[ds]", "[ds] file", "[ds] a/b"] {
            assert_eq!(text.parse::<DatastorePath>().unwrap().to_string(), text);
        }
    }
}
