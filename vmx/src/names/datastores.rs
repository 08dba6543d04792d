use super::{FileNameError, FileNames, Missing};
use crate::LibvirtVersion;
use virt_model::ErrorNumber;

/// Translates file names with the datastores of a host, as libvirt's ESX driver does
/// (esx_driver.c).
#[derive(Debug, Clone, Default)]
pub struct Datastores {
    /// The host's datastores, in the server's order.
    pub datastores: Vec<Datastore>,
    /// The directory of the VMX file, for relative names: `[datastore] directory`. libvirt takes `[?] ?` if
    /// it does not know the directory.
    pub directory: String,
    /// The libvirt version to reproduce. libvirt before 11.10.0 refuses names with a sub-directory.
    pub libvirt: LibvirtVersion,
    #[doc(hidden)]
    pub _more: (),
}

/// A datastore of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datastore {
    /// The name.
    pub name: String,
    /// The mount point on the host: `/vmfs/volumes/5458b680-…`, `C:\Virtual Machines`.
    pub mount: String,
}

impl FileNames for Datastores {
    fn parse(&self, name: &str, missing: Missing) -> Result<Option<String>, FileNameError> {
        let relative = if self.libvirt >= LibvirtVersion::V11_10 {
            !name.starts_with('/') && !name.contains('\\')
        } else {
            !name.contains(['/', '\\'])
        };
        if relative {
            return Ok(Some(format!("{}/{name}", self.directory)));
        }
        // libvirt compares prefixes only, so `/vmfs/volumes/ds1` also matches `/vmfs/volumes/ds10/x`.
        for Datastore { name: ds, mount } in &self.datastores {
            if let Some(rest) = name.strip_prefix(mount.as_str()) {
                let rest = rest.trim_start_matches(['/', '\\']).replace('\\', "/");
                return Ok(Some(format!("[{ds}] {rest}")));
            }
        }
        if name.starts_with("/vmfs/volumes/") {
            let (ds, rest) = volume(name)?;
            if self.datastores.iter().any(|known| known.name == ds) {
                return Ok(Some(format!("[{ds}] {rest}")));
            }
            return match missing {
                Missing::Allowed => Ok(None),
                Missing::Refused => Err(FileNameError::internal(format!(
                    "File name '{name}' refers to non-existing datastore '{ds}'"
                ))),
            };
        }
        if name.starts_with('/') {
            return Ok(Some(name.to_owned()));
        }
        Err(FileNameError::unknown(name))
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        if source.starts_with('/') {
            return Ok(source.to_owned());
        }
        if !source.starts_with('[') {
            return Err(FileNameError::unknown(source));
        }
        let (ds, path) = datastore_path(source)?;
        let known = self.datastores.iter().find(|known| known.name == ds);
        let mount = known.map(|known| known.mount.as_str()).ok_or_else(|| {
            FileNameError::internal(format!("Could not find datastore with name '{ds}'"))
        })?;
        if mount.contains('\\') {
            let mount = mount.trim_end_matches('\\');
            Ok(format!("{mount}\\{}", path.replace('/', "\\")))
        } else {
            Ok(format!("{}/{path}", mount.trim_end_matches('/')))
        }
    }
}

/// Splits `/vmfs/volumes/<datastore>/<path>`. As in libvirt, further slashes belong to the path.
pub(super) fn volume(name: &str) -> Result<(&str, &str), FileNameError> {
    let malformed = || {
        FileNameError::internal(format!(
            "File name '{name}' doesn't have expected format '/vmfs/volumes/<datastore>/<path>'"
        ))
    };
    let rest = name
        .strip_prefix("/vmfs/volumes/")
        .ok_or_else(malformed)?
        .trim_start_matches('/');
    let (ds, path) = rest.split_once('/').ok_or_else(malformed)?;
    if path.is_empty() {
        return Err(malformed());
    }
    Ok((ds, path))
}

/// Splits `[<datastore>] <path>`. The path may be empty.
pub(super) fn datastore_path(source: &str) -> Result<(&str, &str), FileNameError> {
    source
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .filter(|(ds, _)| !ds.is_empty())
        .map(|(ds, path)| (ds, path.trim_start_matches(' ')))
        .ok_or_else(|| FileNameError {
            number: ErrorNumber::InvalidArg,
            message: format!(
                "Datastore path '{source}' doesn't have expected format '[<datastore>] <path>'"
            ),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Datastores {
        let datastore = |name: &str, mount: &str| Datastore {
            name: name.to_owned(),
            mount: mount.to_owned(),
        };
        Datastores {
            datastores: vec![
                datastore("fast", "/vmfs/volumes/5f0a-11"),
                datastore("old", r"D:\VMs\"),
            ],
            directory: "[fast] web".to_owned(),
            libvirt: LibvirtVersion::Newest,
            ..Datastores::default()
        }
    }

    #[track_caller]
    fn parses(name: &str, expected: Option<&str>) {
        let parsed = host().parse(name, Missing::Allowed).unwrap();
        assert_eq!(parsed.as_deref(), expected);
    }

    #[track_caller]
    fn refuses(names: &Datastores, name: &str, message: &str) {
        let error = names.parse(name, Missing::Refused).unwrap_err();
        assert_eq!(error.to_string(), format!("internal error: {message}"));
    }

    #[test]
    fn names_of_vmx_files() {
        parses("a.vmdk", Some("[fast] web/a.vmdk"));
        parses("sub/a.vmdk", Some("[fast] web/sub/a.vmdk"));
        parses("", Some("[fast] web/"));
        parses("/vmfs/volumes/5f0a-11/db/b.vmdk", Some("[fast] db/b.vmdk"));
        parses("/vmfs/volumes/old//db/b.vmdk", Some("[old] /db/b.vmdk"));
        parses("/vmfs/volumes//old//", Some("[old] /"));
        parses(r"D:\VMs\db\b.vmdk", Some("[old] db/b.vmdk"));
        parses("/usr/lib/tools.iso", Some("/usr/lib/tools.iso"));
        parses("/vmfs/volumes/gone/b.iso", None);
    }

    #[test]
    fn names_without_a_rule() {
        refuses(
            &host(),
            r"E:\b.vmdk",
            r"Could not handle file name 'E:\b.vmdk'",
        );
        refuses(
            &host(),
            "/vmfs/volumes/gone/b.vmdk",
            "File name '/vmfs/volumes/gone/b.vmdk' refers to non-existing datastore 'gone'",
        );
        refuses(
            &host(),
            "/vmfs/volumes/fast/",
            "File name '/vmfs/volumes/fast/' doesn't have expected format \
             '/vmfs/volumes/<datastore>/<path>'",
        );
        let old = Datastores {
            libvirt: LibvirtVersion::V11_5,
            ..host()
        };
        refuses(
            &old,
            "sub/a.vmdk",
            "Could not handle file name 'sub/a.vmdk'",
        );
    }

    #[test]
    fn names_of_definitions() {
        let format = |source| host().format(source).map_err(|error| error.to_string());
        assert_eq!(
            format("[fast] db/b.vmdk").as_deref(),
            Ok("/vmfs/volumes/5f0a-11/db/b.vmdk")
        );
        assert_eq!(
            format("[old] db/b.vmdk").as_deref(),
            Ok(r"D:\VMs\db\b.vmdk")
        );
        assert_eq!(format("/a.iso").as_deref(), Ok("/a.iso"));
        for (source, error) in [
            (
                "a.iso",
                "internal error: Could not handle file name 'a.iso'",
            ),
            (
                "[x] a",
                "internal error: Could not find datastore with name 'x'",
            ),
            (
                "[] a",
                "invalid argument: Datastore path '[] a' doesn't have expected format \
                 '[<datastore>] <path>'",
            ),
        ] {
            assert_eq!(format(source).unwrap_err(), error);
        }
    }
}
