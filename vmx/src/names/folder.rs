use super::datastores::{datastore_path, volume};
use super::{FileNameError, FileNames, Missing};

/// Translates file names without a host, relative to the folder of the VMX file, which is a directory
/// of a datastore or a plain directory.
///
/// It refuses no name. Names of an unknown form, such as those of another computer's drives, do not
/// change.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// The datastore of the folder. None: names become plain paths.
    pub datastore: Option<String>,
    /// The folder, relative to the datastore if there is one. Relative names are appended to it.
    pub directory: String,
    #[doc(hidden)]
    pub _more: (),
}

impl Folder {
    /// The definition's name of the file `path` of the folder.
    fn inside(&self, path: &str) -> String {
        let path = joined(&self.directory, path);
        match &self.datastore {
            Some(datastore) => format!("[{datastore}] {path}"),
            None => path,
        }
    }
}

impl FileNames for Folder {
    fn parse(&self, name: &str, _: Missing) -> Result<Option<String>, FileNameError> {
        if let Ok((datastore, path)) = volume(name) {
            return Ok(Some(format!("[{datastore}] {path}")));
        }
        if is_absolute(name) {
            return Ok(Some(name.to_owned()));
        }
        Ok(Some(self.inside(&name.replace('\\', "/"))))
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        let (datastore, path) = match datastore_path(source) {
            Ok((datastore, path)) => (Some(datastore), path),
            Err(_) => (None, source),
        };
        if datastore == self.datastore.as_deref() {
            let folder = self.directory.trim_end_matches('/');
            let rest = path.strip_prefix(folder);
            let inside = match rest {
                Some(rest) if folder.is_empty() => Some(rest).filter(|rest| !is_absolute(rest)),
                Some(rest) => rest.strip_prefix('/'),
                None => None,
            };
            if let Some(inside) = inside.filter(|inside| !inside.is_empty()) {
                return Ok(inside.to_owned());
            }
        }
        Ok(match datastore {
            Some(datastore) => format!("/vmfs/volumes/{datastore}/{path}"),
            None => path.to_owned(),
        })
    }
}

/// Whether a name is absolute: `/x`, `C:\x`, `\\server\x`, `http://x`.
fn is_absolute(name: &str) -> bool {
    let drive = || {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
    };
    name.starts_with(['/', '\\']) || drive() || name.contains("://")
}

/// Appends `path` to `directory`, and resolves `.` and `..` as far as the directory has parts.
fn joined(directory: &str, path: &str) -> String {
    if path.is_empty() {
        return directory.to_owned();
    }
    let root = if directory.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match parts.last() {
            Some(last) if part == ".." && !matches!(*last, ".." | ".") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(folder: &Folder, name: &str, source: &str) {
        let parsed = folder.parse(name, Missing::Refused).unwrap();
        assert_eq!(parsed.as_deref(), Some(source));
    }

    #[test]
    fn a_folder_of_a_datastore() {
        let folder = Folder {
            datastore: Some("ds".to_owned()),
            directory: "web".to_owned(),
            ..Folder::default()
        };
        check(&folder, "a.vmdk", "[ds] web/a.vmdk");
        check(&folder, r"..\db\a.vmdk", "[ds] db/a.vmdk");
        check(&folder, "../../a.vmdk", "[ds] ../a.vmdk");
        check(&folder, "/vmfs/volumes/x/y/z.vmdk", "[x] y/z.vmdk");
        check(&folder, "/opt/a.iso", "/opt/a.iso");
        check(&folder, r"C:\a.iso", r"C:\a.iso");
        check(&folder, r"\\nas\a.iso", r"\\nas\a.iso");
    }

    #[test]
    fn a_plain_folder() {
        let folder = Folder {
            datastore: None,
            directory: "/srv/web".to_owned(),
            ..Folder::default()
        };
        check(&folder, "./a.vmdk", "/srv/web/a.vmdk");
        check(&folder, "../db/a.vmdk", "/srv/db/a.vmdk");
        check(&Folder::default(), "a.vmdk", "a.vmdk");
        check(&Folder::default(), "../a.vmdk", "../a.vmdk");
    }

    #[test]
    fn names_of_definitions() {
        let folder = Folder {
            datastore: Some("ds".to_owned()),
            directory: "web".to_owned(),
            ..Folder::default()
        };
        for (source, name) in [
            ("[ds] web/a.vmdk", "a.vmdk"),
            ("[ds] web2/a.vmdk", "/vmfs/volumes/ds/web2/a.vmdk"),
            ("[x] web/a.vmdk", "/vmfs/volumes/x/web/a.vmdk"),
            ("/opt/a.iso", "/opt/a.iso"),
        ] {
            assert_eq!(folder.format(source).unwrap(), name);
        }
        let plain = Folder {
            datastore: None,
            directory: "/srv/web/".to_owned(),
            ..Folder::default()
        };
        assert_eq!(plain.format("/srv/web/sub/a.vmdk").unwrap(), "sub/a.vmdk");
        assert_eq!(plain.format("/opt/a.iso").unwrap(), "/opt/a.iso");
        assert_eq!(Folder::default().format("a.vmdk").unwrap(), "a.vmdk");
        assert_eq!(Folder::default().format("/a.iso").unwrap(), "/a.iso");
    }
}
