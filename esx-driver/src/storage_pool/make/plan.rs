//! What a host has to do for a document of libvirt's.

use tracing::warn;
use vi_types::objects::{HostInternetScsiHbaAuthenticationProperties, HostNasVolumeSpec};
use virt_model::{
    ErrorNumber,
    secret::SecretUsageType,
    storage_pool::{
        StoragePoolAuth, StoragePoolAuthType, StoragePoolDef, StoragePoolFormat, StoragePoolType,
    },
};

use super::PORT;
use crate::{Connect, Error, ErrorKind, Result};

/// Whether data may be overwritten when a pool is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Build {
    NoOverwrite,
    Overwrite,
}

/// What a host has to do.
#[derive(Debug)]
pub(super) enum Plan {
    /// Mount a server's directory.
    Nas(HostNasVolumeSpec),
    /// Make a VMFS on a device.
    Vmfs(VmfsPlan),
    /// Make a datastore of the directory at that path.
    Local(String),
    /// Tell an iSCSI adapter of targets.
    Target(TargetPlan),
}

#[derive(Debug)]
pub(super) struct VmfsPlan {
    /// Path or name of the device.
    pub(super) device: String,
    pub(super) build: Build,
}

/// A target, or all targets of hosts.
#[derive(Debug)]
pub(super) struct TargetPlan {
    /// Addresses and ports.
    pub(super) hosts: Vec<(String, i32)>,
    /// The target's name; `None` for all of the hosts.
    pub(super) name: Option<String>,
    /// The name of the adapter that is to be used.
    pub(super) initiator: Option<String>,
    pub(super) chap: Option<HostInternetScsiHbaAuthenticationProperties>,
}

impl Plan {
    /// What `def` wants. No request.
    pub(super) fn of(
        connect: &Connect,
        def: &StoragePoolDef,
        build: Option<Build>,
    ) -> Result<Plan> {
        match def.kind {
            StoragePoolType::Netfs => nas(def).map(Plan::Nas),
            StoragePoolType::Fs => vmfs(def, build).map(Plan::Vmfs),
            StoragePoolType::Dir => match &def.target.path {
                Some(path) => Ok(Plan::Local(path.clone())),
                None => Err(unsupported("missing storage pool target path".to_owned())),
            },
            StoragePoolType::Iscsi => target(connect, def).map(Plan::Target),
            // libvirt's text (virStorageBackendForType, 9.0.0).
            other => Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::InternalError,
                format!("missing backend for pool type {} ({other})", other.number()),
            )
            .advise("hosts have pools of the types netfs, fs (VMFS), iscsi and dir")),
        }
    }
}

fn nas(def: &StoragePoolDef) -> Result<HostNasVolumeSpec> {
    let source = &def.source;
    let kind = match (source.format, source.protocol_version.as_deref()) {
        (Some(StoragePoolFormat::Cifs), _) => "CIFS",
        (Some(StoragePoolFormat::Nfs | StoragePoolFormat::Auto) | None, version) => match version {
            None | Some("3") => "NFS",
            Some("4" | "4.1") => "NFS41",
            Some(other) => {
                return Err(
                    unsupported(format!("hosts do not speak NFS version '{other}'"))
                        .advise("they speak 3 and 4.1"),
                );
            }
        },
        (Some(other), _) => return Err(bad_format(other)),
    };
    let mut hosts = source.hosts.iter().map(|host| host.name.clone());
    let (Some(host), Some(path)) = (hosts.next(), source.dir.clone()) else {
        return Err(unsupported("missing storage pool source path".to_owned()));
    };
    let others: Vec<String> = hosts.collect();
    if kind != "NFS41" && !others.is_empty() {
        // libvirt's text (virStorageBackendFileSystemIsValid, 9.0.0).
        return Err(unsupported(
            "Expected exactly 1 host for the storage pool".to_owned(),
        ));
    }
    let remote_host_names = match kind {
        "NFS41" => std::iter::once(host.clone()).chain(others).collect(),
        _ => Vec::new(),
    };
    ignored(def);
    Ok(HostNasVolumeSpec {
        remote_host: host,
        remote_path: path,
        local_path: def.name.clone(),
        access_mode: "readWrite".to_owned(),
        // Servers older than that know NFS only, and no word for it.
        r#type: (kind != "NFS").then(|| kind.to_owned()),
        remote_host_names,
        ..HostNasVolumeSpec::default()
    })
}

fn vmfs(def: &StoragePoolDef, build: Option<Build>) -> Result<VmfsPlan> {
    let source = &def.source;
    match source.format {
        None | Some(StoragePoolFormat::Vmfs | StoragePoolFormat::Auto) => {}
        Some(other) => return Err(bad_format(other)),
    }
    let [device] = source.devices.as_slice() else {
        return Err(unsupported(
            "Expected exactly 1 device for the storage pool".to_owned(),
        ));
    };
    let Some(build) = build else {
        return Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            format!("storage pool '{}' has no file system yet", def.name),
        )
        .advise(
            "creating it with a flag that builds it makes a VMFS on the device; a VMFS that exists is found by itself",
        ));
    };
    ignored(def);
    Ok(VmfsPlan {
        device: device.path.clone(),
        build,
    })
}

fn target(connect: &Connect, def: &StoragePoolDef) -> Result<TargetPlan> {
    let source = &def.source;
    let name = match source.devices.as_slice() {
        [] => None,
        [device] if device.path == def.name => Some(device.path.clone()),
        [device] => {
            return Err(Error::new(
                ErrorKind::Argument,
                ErrorNumber::ConfigUnsupported,
                format!(
                    "storage pool '{}' cannot have another name than its target",
                    def.name
                ),
            )
            .advise(format!("name it '{}'", device.path)));
        }
        _ => {
            return Err(unsupported(
                "Expected exactly 1 device for the storage pool".to_owned(),
            ));
        }
    };
    let chap = source.auth.as_ref();
    Ok(TargetPlan {
        hosts: source
            .hosts
            .iter()
            .map(|host| match host.port {
                0 => (host.name.clone(), PORT),
                port => (host.name.clone(), port),
            })
            .collect(),
        name,
        initiator: source.initiator.clone(),
        chap: chap.map(|auth| credentials(connect, auth)).transpose()?,
    })
}

/// The user, and the value of the secret that the document names.
fn credentials(
    connect: &Connect,
    auth: &StoragePoolAuth,
) -> Result<HostInternetScsiHbaAuthenticationProperties> {
    if auth.kind != StoragePoolAuthType::Chap {
        return Err(unsupported(format!(
            "iSCSI targets have no authentication of the type '{}'",
            auth.kind
        )));
    }
    let value = connect.secret_value(SecretUsageType::Iscsi, &auth.secret)?;
    let secret = std::str::from_utf8(&value).map_err(|_| {
        // The text of the error would not have the value, but where it is broken.
        let message = "the secret's value is no text";
        Error::new(ErrorKind::Argument, ErrorNumber::InvalidSecret, message)
    })?;
    Ok(HostInternetScsiHbaAuthenticationProperties {
        chap_auth_enabled: true,
        chap_name: Some(auth.username.clone()),
        chap_secret: Some(secret.to_owned()),
        chap_authentication_type: Some("chapRequired".to_owned()),
        chap_inherited: Some(false),
        ..HostInternetScsiHbaAuthenticationProperties::default()
    })
}

/// Tells what of a document follows from what the host does.
fn ignored(def: &StoragePoolDef) {
    if def.uuid.is_some() {
        warn!("the pool's UUID is ignored: it follows from the path where the host mounts it");
    }
}

fn bad_format(format: StoragePoolFormat) -> Error {
    unsupported(format!("storage pool format {format} unsupported"))
}

fn unsupported(message: String) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}
