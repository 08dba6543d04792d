//! A pool's definition, made from the properties of its datastore or target.

use vi_types::objects::{HostNasVolume, NasDatastoreInfo};
use virt_model::{
    Document as _, StoragePermissions,
    flags::{StoragePoolXmlFlags, refuse_unknown},
    storage_pool::{
        StoragePoolDef, StoragePoolDevice, StoragePoolFormat, StoragePoolHost, StoragePoolSource,
        StoragePoolTarget, StoragePoolType,
    },
};

use super::{
    Backend, StoragePool,
    datastore::{Detail, kind},
    iscsi::{PORT, Target},
    no_pool_with_name,
};
use crate::{Result, datastore::mount_on};

impl StoragePool {
    /// The pool's definition: one request.
    ///
    /// A VMFS datastore is a pool of the type `fs`, one of a server (NFS, CIFS) is `netfs`, any other is `dir`. (libvirt
    /// 9.0.0 knows neither NFS 4.1 nor vSAN, vVol and persistent memory, and fails for them.) A target is `iscsi`; the
    /// device is the target's name and the initiator that of the adapter. (libvirt puts the target's name into the
    /// initiator, and writes no path.) Credentials are not in it.
    ///
    /// # Errors
    /// As [`info`](StoragePool::info).
    pub async fn definition(&self) -> Result<StoragePoolDef> {
        match &self.backend {
            Backend::Datastore(moref) => {
                let detail: Detail = self.read(moref).await?;
                self.def_of_datastore(detail).await
            }
            Backend::Iscsi { .. } => Ok(self.def_of_target(self.target().await?)),
        }
    }

    /// The pool's definition as libvirt's XML document: one request.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag, as in libvirt's ESX driver; as
    /// [`definition`](StoragePool::definition).
    #[doc(alias = "virStoragePoolGetXMLDesc")]
    pub async fn xml_desc(&self, flags: StoragePoolXmlFlags) -> Result<String> {
        refuse_unknown(flags, StoragePoolXmlFlags::NONE, "esxStoragePoolGetXMLDesc")?;
        Ok(self.definition().await?.to_xml(flags))
    }

    async fn def_of_datastore(&self, detail: Detail) -> Result<StoragePoolDef> {
        let host = self.connect.host_system().await?;
        let gone = || no_pool_with_name(&self.name);
        let info = detail.info_on(host).ok_or_else(gone)?;
        let mount = mount_on(&detail.mounts, host).ok_or_else(gone)?;
        let kind = kind(&detail.kind);
        let nas = detail.info.as_ref().and_then(|info| {
            let nas = info.cast::<NasDatastoreInfo>()?.nas.as_deref()?;
            Some(nas.clone())
        });
        let source = match (kind, nas) {
            (StoragePoolType::Netfs, Some(nas)) => source_of_nas(nas, &detail.kind),
            (StoragePoolType::Fs, _) => StoragePoolSource {
                format: Some(StoragePoolFormat::Vmfs),
                ..StoragePoolSource::default()
            },
            _ => StoragePoolSource::default(),
        };
        Ok(StoragePoolDef {
            uuid: Some(self.uuid),
            capacity: info.capacity,
            allocation: info.allocation,
            available: info.available,
            source,
            target: target(mount.path.clone()),
            ..StoragePoolDef::new(kind, detail.name)
        })
    }

    fn def_of_target(&self, found: Target) -> StoragePoolDef {
        let mut source = StoragePoolSource {
            devices: vec![StoragePoolDevice::new(&found.name)],
            initiator: found.portals.first().map(|portal| portal.initiator.clone()),
            ..StoragePoolSource::default()
        };
        for portal in &found.portals {
            let host = StoragePoolHost {
                port: portal.target.port.unwrap_or(PORT),
                ..StoragePoolHost::new(&portal.target.address)
            };
            if !source.hosts.contains(&host) {
                source.hosts.push(host);
            }
        }
        StoragePoolDef {
            uuid: Some(self.uuid),
            source,
            target: target(Some(DEVICES.to_owned())),
            ..StoragePoolDef::new(StoragePoolType::Iscsi, &self.name)
        }
    }
}

/// Where hosts show LUNs. libvirt's ESX driver writes no path, without which documents of libvirt's cannot be read.
const DEVICES: &str = "/vmfs/devices/disks";

/// Where the host shows the pool. libvirt's ESX driver writes the permissions that it has not set.
fn target(path: Option<String>) -> StoragePoolTarget {
    StoragePoolTarget {
        path,
        permissions: StoragePermissions::zero(),
        ..StoragePoolTarget::default()
    }
}

/// The server and directory of a network file system.
pub(super) fn source_of_nas(nas: HostNasVolume, summary_type: &str) -> StoragePoolSource {
    // The volume says NFS, NFS41 or CIFS; the summary's word is the same and always there.
    let kind = match nas.base.r#type.as_str() {
        "" => summary_type,
        kind => kind,
    };
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    let (format, version) = match () {
        () if is("CIFS") => (StoragePoolFormat::Cifs, None),
        () if is("NFS41") => (StoragePoolFormat::Nfs, Some("4.1".to_owned())),
        () if is("NFS") => (StoragePoolFormat::Nfs, None),
        () => (StoragePoolFormat::Auto, None),
    };
    let hosts = match nas.remote_host_names.as_slice() {
        [] | [_] => vec![StoragePoolHost::new(nas.remote_host)],
        several => several.iter().map(StoragePoolHost::new).collect(),
    };
    StoragePoolSource {
        hosts,
        dir: Some(nas.remote_path),
        format: Some(format),
        protocol_version: version,
        ..StoragePoolSource::default()
    }
}
