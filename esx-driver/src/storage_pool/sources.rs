//! What pools could be made of, and which types of pools there are.

use std::fmt::Write as _;

use vi_client::{
    property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::{
    Poly,
    methods::QueryAvailableDisksForVmfs,
    objects::{DatastoreInfo, NasDatastoreInfo},
    properties::Datacenter,
};
use virt_model::{
    ErrorNumber,
    storage_pool::{
        StoragePoolDevice, StoragePoolFormat, StoragePoolHost, StoragePoolSource, StoragePoolType,
        sources_to_xml,
    },
};

use super::{definition::source_of_nas, iscsi::PORT};
use crate::{Connect, Error, ErrorKind, Result, document};

property_set! {
    struct FileSystem: Datastore {
        kind: String = summary.r#type,
        info: Option<Poly<DatastoreInfo>> = info,
    }
}

impl Connect {
    /// Sources of pools of the type `kind`, as libvirt's XML document `<sources>`; `spec` is a document `<source>` that
    /// restricts them to those of a host.
    ///
    /// | type | sources | requests |
    /// |---|---|---|
    /// | `fs` | the devices that a VMFS could be made on | 1 |
    /// | `netfs` | the directories of servers that hosts of the datacenter have mounted | 1 |
    /// | `iscsi` | the targets that the host's adapters know | 1 |
    ///
    /// The host does not ask servers and arrays for more. (libvirt's storage driver does, and wants a host in `spec`
    /// therefore; libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for other types; [`ErrorKind::Argument`] if there is no such type;
    /// [`ErrorKind::Definition`] if `spec` cannot be read.
    #[doc(alias = "virConnectFindStoragePoolSources")]
    pub async fn find_storage_pool_sources(
        &self,
        kind: &str,
        spec: Option<&str>,
    ) -> Result<String> {
        // The texts are those of connectFindStoragePoolSources of libvirt's storage_driver.c (9.0.0).
        let Some(known) = StoragePoolType::from_word(kind) else {
            let message = format!("unknown storage pool type {kind}");
            return Err(Error::new(
                ErrorKind::Argument,
                ErrorNumber::InternalError,
                message,
            ));
        };
        let spec = match spec {
            Some(xml) => {
                let read = StoragePoolSource::read_xml(xml, known).map_err(Error::of_document)?;
                document::check_known(&read.unmodelled, false)?;
                read.document
            }
            None => StoragePoolSource::default(),
        };
        let mut sources = match known {
            StoragePoolType::Fs => self.free_disks().await?,
            StoragePoolType::Netfs => self.mounted_directories().await?,
            StoragePoolType::Iscsi => self.known_targets().await?,
            _ => {
                let message = format!("pool type '{kind}' does not support source discovery");
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    message,
                ));
            }
        };
        if known != StoragePoolType::Fs && !spec.hosts.is_empty() {
            let is_wanted = |host: &StoragePoolHost| {
                let mut wanted = spec.hosts.iter();
                wanted.any(|wanted| {
                    wanted.name.eq_ignore_ascii_case(&host.name)
                        && (wanted.port == 0 || host.port == 0 || wanted.port == host.port)
                })
            };
            sources.retain(|source| source.hosts.iter().any(is_wanted));
        }
        Ok(sources_to_xml(known, &sources))
    }

    /// The devices that no datastore uses.
    async fn free_disks(&self) -> Result<Vec<StoragePoolSource>> {
        let request = QueryAvailableDisksForVmfs {
            this: self.datastore_system().await?.into(),
            ..QueryAvailableDisksForVmfs::default()
        };
        let disks = self.client().call(&request).await?.into_iter();
        let text = |text: Option<String>| {
            let text = text.map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        let sources = disks.map(|disk| StoragePoolSource {
            devices: vec![StoragePoolDevice::new(disk.device_path)],
            format: Some(StoragePoolFormat::Vmfs),
            vendor: text(disk.base.vendor),
            product: text(disk.base.model),
            ..StoragePoolSource::default()
        });
        Ok(sources.collect())
    }

    /// The directories of servers that are datastores of the host's datacenter.
    async fn mounted_directories(&self) -> Result<Vec<StoragePoolSource>> {
        let request = Retrieve::from(&self.place().await?.datacenter)
            .skip_start()
            .select(Selection::along(|datacenter: &Datacenter| {
                &datacenter.datastore
            }));
        let mut sources = Vec::new();
        for found in self.client().retrieve_set::<FileSystem>(request).await? {
            let datastore = found.properties.map_err(Error::missing_property)?;
            let info = datastore.info.as_ref();
            let nas = info.and_then(|info| info.cast::<NasDatastoreInfo>());
            let Some(nas) = nas.and_then(|info| info.nas.as_deref()) else {
                continue;
            };
            let source = source_of_nas(nas.clone(), &datastore.kind);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        Ok(sources)
    }

    /// The targets that the host's adapters know.
    async fn known_targets(&self) -> Result<Vec<StoragePoolSource>> {
        let mut sources = Vec::new();
        for target in self.iscsi_targets().await? {
            for portal in &target.portals {
                let source = StoragePoolSource {
                    hosts: vec![StoragePoolHost {
                        port: portal.target.port.unwrap_or(PORT),
                        ..StoragePoolHost::new(&portal.target.address)
                    }],
                    devices: vec![StoragePoolDevice::new(&target.name)],
                    initiator: Some(portal.initiator.clone()),
                    ..StoragePoolSource::default()
                };
                if !sources.contains(&source) {
                    sources.push(source);
                }
            }
        }
        Ok(sources)
    }

    /// The types of pools, and the formats that they and their volumes can have, as libvirt's XML document
    /// `<storagepoolCapabilities>`. No request. (libvirt's ESX driver does not have it; the document is made like that
    /// of libvirt's storage driver, 9.0.0.)
    #[doc(alias = "virConnectGetStoragePoolCapabilities")]
    pub fn storage_pool_capabilities(&self) -> String {
        use StoragePoolFormat::{Auto, Cifs, Nfs, Vmfs};

        let mut xml = "<storagepoolCapabilities>\n".to_owned();
        for &kind in StoragePoolType::ALL {
            let (formats, volumes): (&[StoragePoolFormat], &[&str]) = match kind {
                StoragePoolType::Dir => (&[], &VOLUMES),
                StoragePoolType::Fs => (&[Auto, Vmfs], &VOLUMES),
                StoragePoolType::Netfs => (&[Auto, Nfs, Cifs], &VOLUMES),
                _ => (&[], &[]),
            };
            let is_supported = kind == StoragePoolType::Iscsi || !volumes.is_empty();
            let supported = if is_supported { "yes" } else { "no" };
            // Writing to a String does not fail.
            let _ = writeln!(xml, "  <pool type='{kind}' supported='{supported}'>");
            let formats: Vec<_> = formats.iter().map(|format| format.as_str()).collect();
            options(&mut xml, "poolOptions", "sourceFormatType", &formats);
            options(&mut xml, "volOptions", "targetFormatType", volumes);
            xml.push_str("  </pool>\n");
        }
        xml.push_str("</storagepoolCapabilities>\n");
        xml
    }
}

/// The formats of volumes on datastores, the one that can be made first.
const VOLUMES: [&str; 3] = ["vmdk", "iso", "raw"];

/// Writes formats, the default first; nothing if there are none.
fn options(xml: &mut String, element: &str, name: &str, formats: &[&str]) {
    let Some(default) = formats.first() else {
        return;
    };
    let _ = writeln!(xml, "    <{element}>");
    let _ = writeln!(xml, "      <defaultFormat type='{default}'/>");
    let _ = writeln!(xml, "      <enum name='{name}'>");
    for format in formats {
        let _ = writeln!(xml, "        <value>{format}</value>");
    }
    let _ = writeln!(xml, "      </enum>");
    let _ = writeln!(xml, "    </{element}>");
}
