//! The calls that change a host's datastores and iSCSI targets, each with how to see whether it was done.

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference, Method,
    objects::{
        DatastoreHostMount, HostInternetScsiHba, HostInternetScsiHbaAuthenticationProperties,
        HostInternetScsiHbaSendTarget, HostInternetScsiHbaStaticTarget,
        HostInternetScsiHbaTargetSet, HostNasVolumeSpec, VmfsDatastoreCreateSpec,
    },
};

use super::iscsi::PORT;
use crate::{
    Connect, Error, ErrorKind, Result,
    datastore::{self, mount_on},
    engine::{Change, Effect},
};

property_set! {
    struct Mounted: Datastore {
        name: String = summary.name,
        mounts: Vec<DatastoreHostMount> = host,
    }
}

/// Targets that an adapter is told or shall find.
#[derive(Debug, Clone)]
pub(super) enum Targets {
    /// A target by its name.
    Static(HostInternetScsiHbaStaticTarget),
    /// All targets at an address.
    Send(HostInternetScsiHbaSendTarget),
}

impl Targets {
    /// The same as an adapter has it.
    fn on<'a>(&self, adapter: &'a HostInternetScsiHba) -> Option<Configured<'a>> {
        let same_place = |address: &str, port: Option<i32>, own: &str, own_port: Option<i32>| {
            address == own && port.unwrap_or(PORT) == own_port.unwrap_or(PORT)
        };
        match self {
            Targets::Static(own) => {
                let mut targets = adapter.configured_static_target.iter();
                let target = targets.find(|target| {
                    target.i_scsi_name == own.i_scsi_name
                        && same_place(&target.address, target.port, &own.address, own.port)
                })?;
                Some(target.authentication_properties.as_deref())
            }
            Targets::Send(own) => {
                let mut targets = adapter.configured_send_target.iter();
                let target = targets.find(|target| {
                    same_place(&target.address, target.port, &own.address, own.port)
                })?;
                Some(target.authentication_properties.as_deref())
            }
        }
    }

    /// Whether an adapter has it.
    pub(super) fn is_on(&self, adapter: &HostInternetScsiHba) -> bool {
        self.on(adapter).is_some()
    }

    /// The targets for people: `the target 'iqn.…' at 192.0.2.50:3260`.
    pub(super) fn words(&self) -> String {
        let place =
            |address: &str, port: Option<i32>| format!("{address}:{}", port.unwrap_or(PORT));
        match self {
            Targets::Static(target) => format!(
                "the target '{}' at {}",
                target.i_scsi_name,
                place(&target.address, target.port)
            ),
            Targets::Send(target) => {
                format!("the address {}", place(&target.address, target.port))
            }
        }
    }

    fn set(self) -> HostInternetScsiHbaTargetSet {
        let mut set = HostInternetScsiHbaTargetSet::default();
        match self {
            Targets::Static(target) => set.static_targets.push(target),
            Targets::Send(target) => set.send_targets.push(target),
        }
        set
    }
}

/// The authentication of targets that an adapter has.
type Configured<'a> = Option<&'a HostInternetScsiHbaAuthenticationProperties>;

impl Connect {
    /// Mounts a file system of a server. Returns the datastore.
    pub(super) async fn mount_nas(
        &self,
        spec: HostNasVolumeSpec,
    ) -> Result<Change<ManagedObjectReference>> {
        let name = spec.local_path.clone();
        let request = self.datastore_system().await?.create_nas_datastore(spec);
        Ok(self.making(request, name))
    }

    /// Makes a VMFS file system. Returns the datastore.
    pub(super) async fn make_vmfs(
        &self,
        spec: VmfsDatastoreCreateSpec,
    ) -> Result<Change<ManagedObjectReference>> {
        let name = spec.vmfs.volume_name.clone();
        let request = self.datastore_system().await?.create_vmfs_datastore(spec);
        Ok(self.making(request, name))
    }

    /// Makes a datastore of a directory. Returns it.
    pub(super) async fn make_local(
        &self,
        name: &str,
        path: &str,
    ) -> Result<Change<ManagedObjectReference>> {
        let request = self
            .datastore_system()
            .await?
            .create_local_datastore(name, path);
        Ok(self.making(request, name.to_owned()))
    }

    /// A call that makes a datastore, of a name that none had before.
    fn making<M>(&self, request: M, name: String) -> Change<ManagedObjectReference>
    where
        M: Method<Output = ManagedObjectReference>,
    {
        let connect = self.clone();
        Change::call(self.client(), request).verified_by(move || {
            let (connect, name) = (connect.clone(), name.clone());
            Box::pin(async move {
                let found =
                    datastore::by_name(connect.client(), connect.host_system().await?, &name);
                match found.await {
                    Ok(moref) => Ok(Effect::Done(moref)),
                    Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => {
                        Ok(Effect::NotDone)
                    }
                    Err(error) => Err(error),
                }
            })
        })
    }

    /// Takes a datastore from the host. The files of a VMFS are gone then; those of others stay where they are.
    pub(super) async fn remove_datastore(
        &self,
        moref: &ManagedObjectReference,
    ) -> Result<Change<()>> {
        let request = self
            .datastore_system()
            .await?
            .remove_datastore(moref.clone());
        let change = Change::call(self.client(), request);
        Ok(self.seen_in_mounts(change, moref, |mounted| mounted.is_none()))
    }

    /// Mounts a VMFS volume, or unmounts it.
    pub(super) async fn set_mounted(
        &self,
        moref: &ManagedObjectReference,
        volume: &str,
        mounted: bool,
    ) -> Result<Change<()>> {
        let system = self.storage_system().await?;
        let change = match mounted {
            true => Change::call(self.client(), system.mount_vmfs_volume(volume)),
            false => Change::call(self.client(), system.unmount_vmfs_volume(volume)),
        };
        let is_done = move |now: Option<bool>| match mounted {
            true => now == Some(true),
            false => now != Some(true),
        };
        Ok(self.seen_in_mounts(change, moref, is_done))
    }

    /// Forgets a VMFS volume that is unmounted. Its files stay.
    pub(super) async fn forget_vmfs(
        &self,
        moref: &ManagedObjectReference,
        volume: &str,
    ) -> Result<Change<()>> {
        let request = self
            .storage_system()
            .await?
            .delete_vmfs_volume_state(volume);
        let change = Change::call(self.client(), request);
        Ok(self.seen_in_mounts(change, moref, |mounted| mounted.is_none()))
    }

    /// `is_done` is asked with whether the host has the datastore mounted, and with `None` if the host has no such
    /// datastore.
    fn seen_in_mounts(
        &self,
        change: Change<()>,
        moref: &ManagedObjectReference,
        is_done: impl Fn(Option<bool>) -> bool + Send + Sync + Copy + 'static,
    ) -> Change<()> {
        let (connect, moref) = (self.clone(), moref.clone());
        change.verified_by(move || {
            let (connect, moref) = (connect.clone(), moref.clone());
            Box::pin(async move {
                let host = connect.host_system().await?;
                let found = datastore::all::<Mounted>(connect.client(), host).await?;
                let found = found.into_iter().find(|found| found.object == moref);
                let mounted = match found {
                    None => None,
                    Some(found) => {
                        let datastore = found.properties.map_err(Error::missing_property)?;
                        let mount = mount_on(&datastore.mounts, host);
                        mount.map(|mount| mount.mounted.unwrap_or(true))
                    }
                };
                Ok(effect(is_done(mounted)))
            })
        })
    }

    /// Tells an adapter of targets.
    pub(super) async fn add_targets(&self, adapter: &str, targets: &Targets) -> Result<Change<()>> {
        let system = self.storage_system().await?;
        let client = self.client();
        let change = match targets.clone() {
            Targets::Static(target) => Change::call(
                client,
                system.add_internet_scsi_static_targets(adapter, vec![target]),
            ),
            Targets::Send(target) => Change::call(
                client,
                system.add_internet_scsi_send_targets(adapter, vec![target]),
            ),
        };
        Ok(self.seen_on_adapter(change, adapter, targets, |targets| targets.is_some()))
    }

    /// Lets an adapter forget targets.
    pub(super) async fn remove_targets(
        &self,
        adapter: &str,
        targets: &Targets,
    ) -> Result<Change<()>> {
        let system = self.storage_system().await?;
        let client = self.client();
        let change = match targets.clone() {
            Targets::Static(target) => Change::call(
                client,
                system.remove_internet_scsi_static_targets(adapter, vec![target]),
            ),
            Targets::Send(target) => Change::call(
                client,
                system.remove_internet_scsi_send_targets(adapter, vec![target]),
            ),
        };
        Ok(self.seen_on_adapter(change, adapter, targets, |targets| targets.is_none()))
    }

    /// Sets how an adapter authenticates itself at targets that it has.
    pub(super) async fn authenticate(
        &self,
        adapter: &str,
        targets: &Targets,
        authentication: HostInternetScsiHbaAuthenticationProperties,
    ) -> Result<Change<()>> {
        let user = authentication.chap_name.clone();
        let mut request = self
            .storage_system()
            .await?
            .update_internet_scsi_authentication_properties(adapter, authentication);
        request.target_set = Some(Box::new(targets.clone().set()));
        let change = Change::call(self.client(), request);
        // The server never tells the secret.
        let is_done = move |targets: Option<Configured<'_>>| {
            let set = targets.flatten();
            set.is_some_and(|set| set.chap_auth_enabled && set.chap_name == user)
        };
        Ok(self.seen_on_adapter(change, adapter, targets, is_done))
    }

    /// Lets an adapter look for devices. That it has looked is not to be seen.
    pub(super) async fn rescan(&self, adapter: &str) -> Result<Change<()>> {
        let request = self.storage_system().await?.rescan_hba(adapter);
        Ok(Change::call(self.client(), request))
    }

    /// `is_done` is asked with the targets' authentication on the adapter, and with `None` if the adapter does not have
    /// the targets.
    fn seen_on_adapter(
        &self,
        change: Change<()>,
        adapter: &str,
        targets: &Targets,
        is_done: impl Fn(Option<Configured<'_>>) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()> {
        let (connect, adapter, targets) = (self.clone(), adapter.to_owned(), targets.clone());
        change.verified_by(move || {
            let (connect, adapter, targets) = (connect.clone(), adapter.clone(), targets.clone());
            let is_done = is_done.clone();
            Box::pin(async move {
                let adapters = connect.adapters().await?;
                let mut iscsi = adapters.iscsi();
                let found = iscsi.find(|found| found.base.device == adapter);
                Ok(effect(is_done(found.and_then(|found| targets.on(found)))))
            })
        })
    }
}

fn effect(is_done: bool) -> Effect<()> {
    match is_done {
        true => Effect::Done(()),
        false => Effect::NotDone,
    }
}
