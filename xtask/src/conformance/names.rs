use virt_model::domain::Disk;
use vmx::names::{Datastore, Datastores, FileNameError, Missing};
use vmx::{FileNames, LibvirtVersion};

/// File names as libvirt's test suite translates them. From 11.10.0 on it asks the ESX driver's
/// own function, with one datastore that no name refers to.
pub(super) struct Suite {
    libvirt: LibvirtVersion,
    driver: Datastores,
}

impl Suite {
    pub(super) fn new(libvirt: LibvirtVersion) -> Suite {
        Suite {
            libvirt,
            driver: Datastores {
                datastores: vec![Datastore {
                    name: "datastore".to_owned(),
                    mount: "/non/existent".to_owned(),
                }],
                directory: "[datastore] directory".to_owned(),
                libvirt,
                ..Datastores::default()
            },
        }
    }
}

impl FileNames for Suite {
    fn parse(&self, name: &str, missing: Missing) -> Result<Option<String>, FileNameError> {
        let drivers = self.libvirt >= LibvirtVersion::V11_10;
        let Some(volume) = name.strip_prefix("/vmfs/volumes/") else {
            if !drivers && name.starts_with('/') {
                return Ok(Some(name.to_owned()));
            }
            if !drivers && !name.contains('/') {
                return Ok(Some(format!("{}/{name}", self.driver.directory)));
            }
            return self.driver.parse(name, missing);
        };
        let parts = volume.trim_start_matches('/').split_once('/');
        let parts = parts.map(|(ds, path)| (ds, path.trim_start_matches('/')));
        let Some((ds, path)) = parts.filter(|(_, path)| !path.is_empty()) else {
            return Err(FileNameError::unknown(name));
        };
        let gone = if drivers {
            ds == "missing" || ds == "ds"
        } else {
            ds == "missing" || path.starts_with("missing")
        };
        match missing {
            _ if !gone => Ok(Some(format!("[{ds}] {path}"))),
            Missing::Allowed => Ok(None),
            Missing::Refused => Err(FileNameError::internal(format!(
                "Referenced missing file '{name}'"
            ))),
        }
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        if source.starts_with('/') {
            return Ok(source.to_owned());
        }
        source
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .filter(|(ds, _)| !ds.is_empty())
            .map(|(ds, path)| format!("/vmfs/volumes/{ds}/{}", path.trim_start_matches(' ')))
            .ok_or_else(|| FileNameError::unknown(source))
    }

    fn scsi_model(&self, _: &Disk) -> Result<Option<String>, FileNameError> {
        Ok(Some("lsilogic".to_owned()))
    }
}
