//! Hosts' storage: adapters, iSCSI targets, disks, and the datastores that hosts make and lose.

use esx_sim::{ApiVersion, IscsiTarget, NewDatastore, Simulator};
use vi_types::enums::TaskInfoState;
use vi_types::methods::{
    AddInternetScsiSendTargets, AddInternetScsiStaticTargets, CreateContainerView,
    CreateLocalDatastore, CreateNasDatastore, CreateVirtualDiskTask, CreateVmfsDatastore,
    DatastoreEnterMaintenanceMode, DatastoreExitMaintenanceModeTask, DeleteVmfsVolumeState,
    DestroyDatastore, ExpandVmfsDatastore, ExtendVmfsDatastore, MakeDirectory, MountVmfsVolume,
    QueryAvailableDisksForVmfs, QueryVmfsDatastoreCreateOptions, QueryVmfsDatastoreExpandOptions,
    QueryVmfsDatastoreExtendOptions, RefreshDatastore, RemoveDatastore,
    RemoveInternetScsiSendTargets, RemoveInternetScsiStaticTargets, RenameDatastore, RescanHba,
    RescanVmfs, RetrieveDiskPartitionInfo, UnmountVmfsVolume,
    UpdateInternetScsiAuthenticationProperties, UpdateSoftwareInternetScsiEnabled,
};
use vi_types::objects::{
    AlreadyExists, DatastoreNotWritableOnHost, DuplicateName, FileBackedVirtualDiskSpec,
    HostInternetScsiHba, HostInternetScsiHbaAuthenticationProperties,
    HostInternetScsiHbaSendTarget, HostInternetScsiHbaStaticTarget, HostInternetScsiHbaTargetSet,
    HostNasVolumeSpec, HostScsiDisk, HostStorageDeviceInfo, InaccessibleDatastore, InvalidState,
    NasDatastoreInfo, NoDiskSpace, NotFound, NotSupported, PlatformConfigFault, ResourceInUse,
    VmfsDatastoreCreateSpec, VmfsDatastoreExpandSpec, VmfsDatastoreExtendSpec, VmfsDatastoreInfo,
};
use vi_types::wire::Writer;
use vi_types::{ManagedObjectReference, Object, SoapFault, properties};

use crate::client::Client;
use crate::host::{Host, destroy, rename};

const HBA: &str = "vmhba64";
const ADDRESS: &str = "192.0.2.50";
const BACKUP: &str = "iqn.2001-05.com.example:storage.backup";
const SECURE: &str = "iqn.2001-05.com.example:storage.secure";

/// A host of a server, with what belongs to it.
struct Storage<'a> {
    client: &'a Client,
    host: ManagedObjectReference,
    system: ManagedObjectReference,
    datastores: ManagedObjectReference,
}

impl<'a> Storage<'a> {
    fn new(host: &'a Host, index: usize) -> Self {
        let simulator = &host.simulator;
        let reference = simulator.objects("HostSystem").remove(index);
        let state: properties::HostSystem = simulator.properties(&reference).unwrap();
        let managers = state.config_manager.unwrap();
        Self {
            client: &host.client,
            host: reference,
            system: managers.storage_system.clone().unwrap(),
            datastores: managers.datastore_system.clone().unwrap(),
        }
    }

    fn state(&self) -> properties::HostSystem {
        self.client.simulator.properties(&self.host).unwrap()
    }

    fn devices(&self) -> HostStorageDeviceInfo {
        let info = *self.state().config.unwrap().storage_device.unwrap();
        let system: properties::HostStorageSystem =
            self.client.simulator.properties(&self.system).unwrap();
        let own = *system.storage_device_info.unwrap();
        assert_eq!(own, info, "both tell the same");
        info
    }

    fn adapter(&self) -> HostInternetScsiHba {
        let info = self.devices();
        let mut adapters = info.host_bus_adapter.iter();
        adapters
            .find_map(|adapter| adapter.cast::<HostInternetScsiHba>())
            .unwrap()
            .clone()
    }

    /// The names of targets, each with its number of disks, once for each way.
    fn reached(&self) -> Vec<(String, usize)> {
        let info = self.devices();
        let topology = info.scsi_topology.unwrap();
        let targets = topology.adapter.iter().flat_map(|adapter| &adapter.target);
        targets
            .filter_map(|target| {
                let transport = target.transport.as_ref()?;
                let transport =
                    transport.cast::<vi_types::objects::HostInternetScsiTargetTransport>()?;
                Some((transport.i_scsi_name.clone(), target.lun.len()))
            })
            .collect()
    }

    async fn rescan(&self) {
        let request = RescanHba {
            this: self.system.clone(),
            hba_device: HBA.to_owned(),
            ..RescanHba::default()
        };
        self.client.call(&request).await.unwrap();
    }

    async fn add_target(&self, target: HostInternetScsiHbaStaticTarget) -> Result<(), SoapFault> {
        let request = AddInternetScsiStaticTargets {
            this: self.system.clone(),
            i_scsi_hba_device: HBA.to_owned(),
            targets: vec![target],
            ..AddInternetScsiStaticTargets::default()
        };
        self.client.call(&request).await
    }

    async fn remove_target(
        &self,
        target: HostInternetScsiHbaStaticTarget,
    ) -> Result<(), SoapFault> {
        let request = RemoveInternetScsiStaticTargets {
            this: self.system.clone(),
            i_scsi_hba_device: HBA.to_owned(),
            targets: vec![target],
            ..RemoveInternetScsiStaticTargets::default()
        };
        self.client.call(&request).await
    }

    async fn mount_nas(
        &self,
        name: &str,
        server: &str,
        path: &str,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let request = CreateNasDatastore {
            this: self.datastores.clone(),
            spec: HostNasVolumeSpec {
                remote_host: server.to_owned(),
                remote_path: path.to_owned(),
                local_path: name.to_owned(),
                access_mode: "readWrite".to_owned(),
                ..HostNasVolumeSpec::default()
            },
            ..CreateNasDatastore::default()
        };
        self.client.call(&request).await
    }

    async fn free_disks(&self) -> Vec<HostScsiDisk> {
        let request = QueryAvailableDisksForVmfs {
            this: self.datastores.clone(),
            ..QueryAvailableDisksForVmfs::default()
        };
        self.client.call(&request).await.unwrap()
    }

    async fn create_vmfs(
        &self,
        name: &str,
        disk: &HostScsiDisk,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let request = QueryVmfsDatastoreCreateOptions {
            this: self.datastores.clone(),
            device_path: disk.device_path.clone(),
            ..QueryVmfsDatastoreCreateOptions::default()
        };
        let options = self.client.call(&request).await.unwrap();
        let spec = options
            .first()
            .expect("the disk is free")
            .spec
            .cast::<VmfsDatastoreCreateSpec>();
        let mut spec = spec.unwrap().clone();
        name.clone_into(&mut spec.vmfs.volume_name);
        let request = CreateVmfsDatastore {
            this: self.datastores.clone(),
            spec,
            ..CreateVmfsDatastore::default()
        };
        self.client.call(&request).await
    }

    async fn remove(&self, store: &ManagedObjectReference) -> Result<(), SoapFault> {
        let request = RemoveDatastore {
            this: self.datastores.clone(),
            datastore: store.clone(),
            ..RemoveDatastore::default()
        };
        self.client.call(&request).await
    }
}

fn static_target(name: &str, address: &str) -> HostInternetScsiHbaStaticTarget {
    HostInternetScsiHbaStaticTarget {
        address: address.to_owned(),
        i_scsi_name: name.to_owned(),
        ..HostInternetScsiHbaStaticTarget::default()
    }
}

fn chap(secret: &str) -> HostInternetScsiHbaAuthenticationProperties {
    HostInternetScsiHbaAuthenticationProperties {
        chap_auth_enabled: true,
        chap_name: Some("esx".to_owned()),
        chap_secret: Some(secret.to_owned()),
        chap_authentication_type: Some("chapRequired".to_owned()),
        chap_inherited: Some(false),
        ..HostInternetScsiHbaAuthenticationProperties::default()
    }
}

fn store(simulator: &Simulator, store: &ManagedObjectReference) -> properties::Datastore {
    simulator.properties(store).unwrap()
}

fn named(simulator: &Simulator, name: &str) -> ManagedObjectReference {
    let stores = simulator.objects("Datastore").into_iter();
    let mut found = stores.filter(|one| store(simulator, one).name.as_deref() == Some(name));
    found.next().unwrap()
}

fn disk_on(path: &str, capacity_kb: i64, kind: &str) -> CreateVirtualDiskTask {
    CreateVirtualDiskTask {
        name: path.to_owned(),
        spec: FileBackedVirtualDiskSpec {
            base: vi_types::objects::VirtualDiskSpec {
                disk_type: kind.to_owned(),
                adapter_type: "lsiLogic".to_owned(),
                ..Default::default()
            },
            capacity_kb,
            ..FileBackedVirtualDiskSpec::default()
        }
        .into(),
        ..CreateVirtualDiskTask::default()
    }
}

/// The types of the events so far, without those of sessions and tasks.
fn events(simulator: &Simulator) -> Vec<String> {
    let events = simulator.events();
    let names = events.iter().map(|event| event.type_name().to_owned());
    names
        .filter(|name| !name.ends_with("SessionEvent") && name != "TaskEvent")
        .collect()
}

const ALL_KINDS: &[&str] = &[
    "vmfs:a",
    "nfs:b:nas:/b:10G",
    "nfs41:c:nas;nas2:/c",
    "cifs:d:win:/d",
    "local:e:/e",
    "vsan:f",
    "vvol:g",
    "pmem:h:1G",
    "vmfs:i:64M,full,inaccessible,maintenance",
];

#[tokio::test]
async fn every_release_has_storage_without_what_came_later() {
    for version in [
        "2.5", "4.0", "4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0",
    ] {
        for builder in [Simulator::esx(), Simulator::vcenter()] {
            let builder = ALL_KINDS.iter().fold(builder, |builder, text| {
                builder.datastore(text.parse().unwrap())
            });
            let simulator = builder.api_version(version).unwrap().build();
            let own: ApiVersion = simulator_version(version);
            let check = |object: &dyn Object, what: &str| {
                let mut all = Writer::new();
                all.properties(object);
                let mut known = Writer::for_reader(move |since| {
                    since.parse::<ApiVersion>().is_ok_and(|since| since <= own)
                });
                known.properties(object);
                assert_eq!(all.finish(), known.finish(), "{version} {what}");
            };
            for host in simulator.objects("HostSystem") {
                let state: properties::HostSystem = simulator.properties(&host).unwrap();
                let managers = state.config_manager.unwrap();
                let system = managers.storage_system.clone().unwrap();
                let system: properties::HostStorageSystem = simulator.properties(&system).unwrap();
                check(&system, "storage system");
                let datastores = managers.datastore_system.clone().unwrap();
                let datastores: properties::HostDatastoreSystem =
                    simulator.properties(&datastores).unwrap();
                assert_eq!(datastores.datastore, state.datastore);
                check(&datastores, "datastore system");
            }
            for one in simulator.objects("Datastore") {
                let state = store(&simulator, &one);
                check(&state, state.name.as_deref().unwrap());
                assert!(!state.host.is_empty() && state.parent.is_some());
            }
        }
    }
}

fn simulator_version(asked: &str) -> ApiVersion {
    if asked == "8.0" { "8.0.1.0" } else { asked }
        .parse()
        .unwrap()
}

#[tokio::test]
async fn folders_of_file_servers_are_mounted_and_unmounted() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let simulator = &host.simulator;
    let view = CreateContainerView {
        container: host.client.content.root_folder.clone(),
        r#type: vec!["Datastore".to_owned()],
        recursive: true,
        ..CreateContainerView::default()
    };
    let view = host.client.call(&view).await.unwrap();
    let viewed = || {
        let view = simulator.properties::<properties::ContainerView>(&view);
        view.unwrap().base.view.len()
    };
    let made = storage.mount_nas("iso", "nas", "/iso").await.unwrap();
    assert_eq!(viewed(), 3);
    let browser = storage.state().datastore_browser.unwrap();
    let browser: properties::HostDatastoreBrowser = simulator.properties(&browser).unwrap();
    assert_eq!(browser.datastore, storage.state().datastore);
    let state = store(simulator, &made);
    let info = state
        .info
        .as_ref()
        .unwrap()
        .cast::<NasDatastoreInfo>()
        .unwrap();
    let nas = info.nas.as_deref().unwrap();
    assert_eq!(
        (&*nas.remote_host, &*nas.remote_path, &*nas.base.r#type),
        ("nas", "/iso", "NFS")
    );
    assert!(storage.state().datastore.contains(&made));
    let system: properties::HostDatastoreSystem =
        simulator.properties(&storage.datastores).unwrap();
    assert!(system.datastore.contains(&made));
    let volumes = storage.state().config.unwrap().file_system_volume.unwrap();
    assert!(
        volumes
            .mount_info
            .iter()
            .any(|mount| mount.volume.name == "iso")
    );
    let path = state.host[0].mount_info.path.clone();

    let taken = storage.mount_nas("ssd", "nas", "/other").await.unwrap_err();
    assert_eq!(
        taken.cast::<DuplicateName>().unwrap().object,
        named(simulator, "ssd")
    );
    let known = storage.mount_nas("again", "nas", "/iso").await.unwrap_err();
    assert_eq!(
        known.cast::<AlreadyExists>().unwrap().name.as_deref(),
        Some("iso")
    );
    for (server, path) in [("nas.invalid", "/iso"), ("nas", "iso")] {
        let refused = storage.mount_nas("x", server, path).await.unwrap_err();
        assert!(refused.is::<PlatformConfigFault>(), "{refused:?}");
    }
    let local = CreateLocalDatastore {
        this: storage.datastores.clone(),
        name: "local".to_owned(),
        path: "/local".to_owned(),
        ..CreateLocalDatastore::default()
    };
    assert!(
        host.client
            .call(&local)
            .await
            .unwrap_err()
            .is::<NotSupported>()
    );

    assert!(simulator.write_file("[iso] a.iso", "image"));
    storage.remove(&made).await.unwrap();
    assert!(
        simulator
            .properties::<properties::Datastore>(&made)
            .is_none()
    );
    assert_eq!(viewed(), 2);
    assert!(!storage.state().datastore.contains(&made));
    assert!(storage.remove(&made).await.unwrap_err().is::<NotFound>());
    // The server still has the files.
    let again = storage.mount_nas("images", "nas", "/iso").await.unwrap();
    assert_eq!(store(simulator, &again).host[0].mount_info.path, path);
    assert_eq!(simulator.file("[images] a.iso").unwrap(), "image");
    let told = events(simulator);
    assert_eq!(
        told,
        [
            "NASDatastoreCreatedEvent",
            "DatastoreRemovedOnHostEvent",
            "NASDatastoreCreatedEvent"
        ]
    );
}

#[tokio::test]
async fn volumes_are_made_on_free_disks_and_grow() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let simulator = &host.simulator;
    let free = storage.free_disks().await;
    assert_eq!(free.len(), 4, "two in the host, two of the iSCSI target");
    let (disk, other) = (&free[0], &free[2]);
    let made = storage.create_vmfs("big", disk).await.unwrap();
    let state = store(simulator, &made);
    let info = state
        .info
        .as_ref()
        .unwrap()
        .cast::<VmfsDatastoreInfo>()
        .unwrap();
    let vmfs = info.vmfs.as_deref().unwrap();
    assert_eq!(
        Some(&vmfs.extent[0].disk_name),
        disk.base.canonical_name.as_ref()
    );
    let summary = state.summary.as_deref().unwrap();
    assert!(summary.capacity > (1 << 40) - (1 << 30) && summary.capacity < 1 << 40);
    assert_eq!(storage.free_disks().await.len(), 3);
    let options = |path: &str| QueryVmfsDatastoreCreateOptions {
        this: storage.datastores.clone(),
        device_path: path.to_owned(),
        ..QueryVmfsDatastoreCreateOptions::default()
    };
    assert_eq!(
        host.client.call(&options(&disk.device_path)).await.unwrap(),
        []
    );
    let missing = host
        .client
        .call(&options("/vmfs/devices/disks/no"))
        .await
        .unwrap_err();
    assert!(missing.is::<NotFound>());
    let taken = storage.create_vmfs("ssd", other).await.unwrap_err();
    assert!(taken.is::<DuplicateName>());

    // It has its whole disk, and gets another one.
    let expand = QueryVmfsDatastoreExpandOptions {
        this: storage.datastores.clone(),
        datastore: made.clone(),
        ..QueryVmfsDatastoreExpandOptions::default()
    };
    assert_eq!(host.client.call(&expand).await.unwrap(), []);
    let extend = QueryVmfsDatastoreExtendOptions {
        this: storage.datastores.clone(),
        datastore: made.clone(),
        device_path: other.device_path.clone(),
        ..QueryVmfsDatastoreExtendOptions::default()
    };
    let options = host.client.call(&extend).await.unwrap();
    let extend = ExtendVmfsDatastore {
        this: storage.datastores.clone(),
        datastore: made.clone(),
        spec: options[0]
            .spec
            .cast::<VmfsDatastoreExtendSpec>()
            .unwrap()
            .clone(),
        ..ExtendVmfsDatastore::default()
    };
    host.client.call(&extend).await.unwrap();
    let grown = store(simulator, &made).summary.unwrap();
    assert!(grown.capacity > summary.capacity + (99 << 30), "{grown:?}");
    assert_eq!(storage.free_disks().await.len(), 2);

    let machine = simulator.vm("web01").unwrap();
    let used = simulator
        .properties::<properties::VirtualMachine>(&machine)
        .unwrap()
        .datastore
        .remove(0);
    let refused = storage.remove(&used).await.unwrap_err();
    assert_eq!(refused.string, "The resource 'ssd' is in use.");
    assert!(refused.is::<ResourceInUse>());
    assert!(simulator.write_file("[big] a", "text"));
    storage.remove(&made).await.unwrap();
    assert_eq!(storage.free_disks().await.len(), 4);
    let again = storage.create_vmfs("big", disk).await.unwrap();
    assert!(simulator.file("[big] a").is_none(), "a new volume is empty");
    assert_ne!(again, made);
    let told = events(simulator);
    let expected = [
        "VMFSDatastoreCreatedEvent",
        "DatastoreCapacityIncreasedEvent",
        "VMFSDatastoreExtendedEvent",
        "DatastoreRemovedOnHostEvent",
        "VMFSDatastoreCreatedEvent",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_volume_grows_to_the_end_of_its_disk() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let disk = storage.free_disks().await.remove(0);
    let request = QueryVmfsDatastoreCreateOptions {
        this: storage.datastores.clone(),
        device_path: disk.device_path.clone(),
        ..QueryVmfsDatastoreCreateOptions::default()
    };
    let options = host.client.call(&request).await.unwrap();
    let mut spec = options[0]
        .spec
        .cast::<VmfsDatastoreCreateSpec>()
        .unwrap()
        .clone();
    "half".clone_into(&mut spec.vmfs.volume_name);
    spec.partition.partition[0].end_sector /= 2;
    let request = CreateVmfsDatastore {
        this: storage.datastores.clone(),
        spec,
        ..CreateVmfsDatastore::default()
    };
    let made = host.client.call(&request).await.unwrap();
    let half = store(&host.simulator, &made).summary.unwrap().capacity;
    assert!(half <= 512 << 30, "{half}");
    let request = QueryVmfsDatastoreExpandOptions {
        this: storage.datastores.clone(),
        datastore: made.clone(),
        ..QueryVmfsDatastoreExpandOptions::default()
    };
    let options = host.client.call(&request).await.unwrap();
    let request = ExpandVmfsDatastore {
        this: storage.datastores.clone(),
        datastore: made.clone(),
        spec: options[0]
            .spec
            .cast::<VmfsDatastoreExpandSpec>()
            .unwrap()
            .clone(),
        ..ExpandVmfsDatastore::default()
    };
    host.client.call(&request).await.unwrap();
    let whole = store(&host.simulator, &made).summary.unwrap().capacity;
    assert!(whole > 1023 << 30, "{whole}");
}

#[tokio::test]
async fn disks_tell_what_is_on_them() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let info = storage.devices();
    let disks = info
        .scsi_lun
        .iter()
        .filter_map(|lun| lun.cast::<HostScsiDisk>());
    let request = RetrieveDiskPartitionInfo {
        this: storage.system.clone(),
        device_path: disks.map(|disk| disk.device_path.clone()).collect(),
        ..RetrieveDiskPartitionInfo::default()
    };
    let found = host.client.call(&request).await.unwrap();
    let kinds: Vec<_> = found
        .iter()
        .map(|info| info.spec.partition.first().map_or("", |one| &one.r#type))
        .collect();
    assert_eq!(kinds, ["vmfs", "vmfs", "", "ntfs", "", ""]);
}

#[tokio::test]
async fn targets_are_found_after_a_rescan() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let first = ("iqn.2001-05.com.example:storage.disk1".to_owned(), 2);
    assert_eq!(storage.reached(), [first.clone()]);
    storage
        .add_target(static_target(BACKUP, ADDRESS))
        .await
        .unwrap();
    let again = storage
        .add_target(static_target(BACKUP, ADDRESS))
        .await
        .unwrap_err();
    assert!(again.is::<PlatformConfigFault>());
    storage
        .add_target(static_target(BACKUP, "192.0.2.51"))
        .await
        .unwrap();
    storage
        .add_target(static_target("iqn.2001-05.com.example:nobody", ADDRESS))
        .await
        .unwrap();
    assert_eq!(
        storage.reached(),
        [first.clone()],
        "nobody has looked for it"
    );
    storage.rescan().await;
    let backup = (BACKUP.to_owned(), 1);
    assert_eq!(
        storage.reached(),
        [first.clone(), backup.clone(), backup],
        "two ways"
    );
    let info = storage.devices();
    let disks = info.scsi_lun.len();
    assert_eq!(disks, 7, "each disk once");
    let units = &info.multipath_info.as_deref().unwrap().lun;
    let ways: Vec<_> = units.iter().map(|unit| unit.path.len()).collect();
    assert_eq!(ways, [1, 1, 1, 1, 1, 1, 2]);
    for address in [ADDRESS, "192.0.2.51"] {
        storage
            .remove_target(static_target(BACKUP, address))
            .await
            .unwrap();
    }
    let gone = storage
        .remove_target(static_target(BACKUP, ADDRESS))
        .await
        .unwrap_err();
    assert!(gone.is::<NotFound>());
    storage.rescan().await;
    assert_eq!(storage.reached(), [first]);
    let request = RescanHba {
        this: storage.system.clone(),
        hba_device: "vmhba9".to_owned(),
        ..RescanHba::default()
    };
    assert!(
        host.client
            .call(&request)
            .await
            .unwrap_err()
            .is::<NotFound>()
    );
}

#[tokio::test]
async fn a_target_with_a_secret_lets_in_who_knows_it() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let wrong = HostInternetScsiHbaStaticTarget {
        authentication_properties: Some(chap("wrong").into()),
        ..static_target(SECURE, ADDRESS)
    };
    storage.add_target(wrong).await.unwrap();
    storage.rescan().await;
    assert_eq!(storage.reached().len(), 1);
    let update = UpdateInternetScsiAuthenticationProperties {
        this: storage.system.clone(),
        i_scsi_hba_device: HBA.to_owned(),
        authentication_properties: chap("simulated-secret"),
        target_set: Some(
            HostInternetScsiHbaTargetSet {
                static_targets: vec![static_target(SECURE, ADDRESS)],
                ..HostInternetScsiHbaTargetSet::default()
            }
            .into(),
        ),
        ..UpdateInternetScsiAuthenticationProperties::default()
    };
    host.client.call(&update).await.unwrap();
    storage.rescan().await;
    assert_eq!(storage.reached().last(), Some(&(SECURE.to_owned(), 1)));
    let adapter = storage.adapter();
    let target = adapter.configured_static_target.last().unwrap();
    let shown = target.authentication_properties.as_deref().unwrap();
    assert_eq!(
        (shown.chap_name.as_deref(), shown.chap_secret.as_deref()),
        (Some("esx"), None)
    );

    // The adapter's own, which targets inherit.
    storage
        .remove_target(static_target(SECURE, ADDRESS))
        .await
        .unwrap();
    storage
        .add_target(static_target(SECURE, ADDRESS))
        .await
        .unwrap();
    storage.rescan().await;
    assert_eq!(
        storage.reached().len(),
        1,
        "the secret went with the target"
    );
    let update = UpdateInternetScsiAuthenticationProperties {
        target_set: None,
        ..update
    };
    host.client.call(&update).await.unwrap();
    storage.rescan().await;
    assert_eq!(storage.reached().len(), 2);
}

#[tokio::test]
async fn an_address_tells_its_targets() {
    let target = IscsiTarget::new("iqn.2001-05.com.example:more")
        .portal("192.0.2.60", 3261)
        .lun(1 << 30)
        .configured(false);
    let host = Host::of(Simulator::esx().iscsi_target(target).build()).await;
    let storage = Storage::new(&host, 0);
    let source = HostInternetScsiHbaSendTarget {
        address: "192.0.2.60".to_owned(),
        port: Some(3261),
        ..HostInternetScsiHbaSendTarget::default()
    };
    let add = AddInternetScsiSendTargets {
        this: storage.system.clone(),
        i_scsi_hba_device: HBA.to_owned(),
        targets: vec![source.clone()],
        ..AddInternetScsiSendTargets::default()
    };
    host.client.call(&add).await.unwrap();
    storage.rescan().await;
    let adapter = storage.adapter();
    let found = adapter.configured_static_target.last().unwrap();
    assert_eq!(found.i_scsi_name, "iqn.2001-05.com.example:more");
    assert_eq!(found.discovery_method.as_deref(), Some("sendTargetMethod"));
    assert_eq!(found.parent.as_deref(), Some("192.0.2.60:3261"));
    assert_eq!(storage.reached().len(), 2);
    let remove = RemoveInternetScsiSendTargets {
        this: storage.system.clone(),
        i_scsi_hba_device: HBA.to_owned(),
        targets: vec![source],
        ..RemoveInternetScsiSendTargets::default()
    };
    host.client.call(&remove).await.unwrap();
    storage.rescan().await;
    assert_eq!(storage.adapter().configured_static_target.len(), 1);
    assert_eq!(storage.reached().len(), 1);
}

#[tokio::test]
async fn the_software_adapter_comes_and_goes() {
    let host = Host::of(Simulator::esx().iscsi(false).build()).await;
    let storage = Storage::new(&host, 0);
    assert_eq!(storage.devices().host_bus_adapter.len(), 1);
    for (enabled, adapters) in [(true, 2), (true, 2), (false, 1)] {
        let request = UpdateSoftwareInternetScsiEnabled {
            this: storage.system.clone(),
            enabled,
            ..UpdateSoftwareInternetScsiEnabled::default()
        };
        host.client.call(&request).await.unwrap();
        let info = storage.devices();
        assert_eq!(info.software_internet_scsi_enabled, enabled);
        assert_eq!(info.host_bus_adapter.len(), adapters);
        let hardware = storage.state().summary.unwrap().hardware.unwrap();
        assert_eq!(hardware.num_hbas, adapters as i32);
    }
}

#[tokio::test]
async fn a_datastore_is_lost_with_its_disk() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let disk = storage.free_disks().await.remove(2);
    let made = storage.create_vmfs("remote", &disk).await.unwrap();
    let name = "iqn.2001-05.com.example:storage.disk1";
    storage
        .remove_target(static_target(name, ADDRESS))
        .await
        .unwrap();
    storage.rescan().await;
    assert!(!store(&host.simulator, &made).summary.unwrap().accessible);
    let fault: InaccessibleDatastore = host.fails(&disk_on("[remote] a.vmdk", 1024, "thin")).await;
    assert_eq!(fault.base.name.as_deref(), Some("remote"));
    storage
        .add_target(static_target(name, ADDRESS))
        .await
        .unwrap();
    storage.rescan().await;
    assert!(store(&host.simulator, &made).summary.unwrap().accessible);
}

#[tokio::test]
async fn volumes_are_unmounted_and_mounted_again() {
    let host = Host::esx().await;
    let storage = Storage::new(&host, 0);
    let disk = storage.free_disks().await.remove(0);
    let made = storage.create_vmfs("other", &disk).await.unwrap();
    let uuid = |name: &str| {
        let state = store(&host.simulator, &named(&host.simulator, name));
        let info = state
            .info
            .as_ref()
            .unwrap()
            .cast::<VmfsDatastoreInfo>()
            .unwrap();
        info.vmfs.as_deref().unwrap().uuid.clone()
    };
    let unmount = |uuid: String| UnmountVmfsVolume {
        this: storage.system.clone(),
        vmfs_uuid: uuid,
        ..UnmountVmfsVolume::default()
    };
    let mount = |uuid: String| MountVmfsVolume {
        this: storage.system.clone(),
        vmfs_uuid: uuid,
        ..MountVmfsVolume::default()
    };
    let refused = host.client.call(&unmount(uuid("ssd"))).await.unwrap_err();
    assert!(refused.is::<ResourceInUse>());
    assert!(
        host.client
            .call(&unmount("x".to_owned()))
            .await
            .unwrap_err()
            .is::<NotFound>()
    );
    assert!(
        host.client
            .call(&mount(uuid("other")))
            .await
            .unwrap_err()
            .is::<InvalidState>()
    );
    host.client.call(&unmount(uuid("other"))).await.unwrap();
    let info = store(&host.simulator, &made).host[0].mount_info.clone();
    assert_eq!((info.mounted, info.accessible), (Some(false), Some(false)));
    assert!(storage.state().datastore.contains(&made));
    assert!(
        host.client
            .call(&unmount(uuid("other")))
            .await
            .unwrap_err()
            .is::<InvalidState>()
    );
    assert!(
        storage
            .remove(&made)
            .await
            .unwrap_err()
            .is::<PlatformConfigFault>()
    );
    host.client.call(&mount(uuid("other"))).await.unwrap();
    assert!(store(&host.simulator, &made).summary.unwrap().accessible);
    host.client.call(&unmount(uuid("other"))).await.unwrap();
    let forget = DeleteVmfsVolumeState {
        this: storage.system.clone(),
        vmfs_uuid: uuid("other"),
        ..DeleteVmfsVolumeState::default()
    };
    host.client.call(&forget).await.unwrap();
    assert!(!storage.state().datastore.contains(&made));
}

#[tokio::test]
async fn hosts_of_a_vcenter_share_datastores() {
    let host = Host::vcenter().await;
    let (one, two) = (Storage::new(&host, 0), Storage::new(&host, 1));
    let simulator = &host.simulator;
    let shared = one.mount_nas("iso", "nas", "/iso").await.unwrap();
    assert!(shared.value.starts_with("datastore-"), "{shared}");
    let other_name = two.mount_nas("images", "nas", "/iso").await.unwrap_err();
    assert!(other_name.is::<DuplicateName>());
    assert_eq!(two.mount_nas("iso", "nas", "/iso").await.unwrap(), shared);
    let state = store(simulator, &shared);
    assert_eq!(state.host.len(), 2);
    assert_eq!(state.summary.unwrap().multiple_host_access, Some(true));

    let disk = one
        .free_disks()
        .await
        .into_iter()
        .find(|disk| disk.local_disk == Some(false))
        .unwrap();
    let volume = one.create_vmfs("lun", &disk).await.unwrap();
    assert!(!two.state().datastore.contains(&volume));
    let rescan = RescanVmfs {
        this: two.system.clone(),
        ..RescanVmfs::default()
    };
    host.client.call(&rescan).await.unwrap();
    assert!(two.state().datastore.contains(&volume));
    assert!(!two.free_disks().await.contains(&disk));

    one.remove(&shared).await.unwrap();
    assert_eq!(
        store(simulator, &shared).host.len(),
        1,
        "the other host has it still"
    );
    assert!(
        host.client
            .call(&DestroyDatastore {
                this: shared.clone(),
                ..Default::default()
            })
            .await
            .unwrap_err()
            .is::<ResourceInUse>()
    );
    two.remove(&shared).await.unwrap();
    assert!(
        simulator
            .properties::<properties::Datastore>(&shared)
            .is_none()
    );
    // A VMFS volume is gone for everybody.
    one.remove(&volume).await.unwrap();
    assert!(!two.state().datastore.contains(&volume));
    let fault: ResourceInUse = host
        .fails(&destroy(&named(simulator, "production-shared")))
        .await;
    assert_eq!(fault.name.as_deref(), Some("production-shared"));
}

#[tokio::test]
async fn a_datastore_for_one_host_is_only_there() {
    let text = "nfs:edge:nas:/edge,host=esx-edge.example.com";
    let simulator = Simulator::vcenter()
        .datastore(text.parse::<NewDatastore>().unwrap())
        .build();
    let made = named(&simulator, "edge");
    assert_eq!(store(&simulator, &made).host.len(), 1);
}

#[tokio::test]
async fn a_new_name_is_in_all_paths() {
    let host = Host::esx().await;
    let simulator = &host.simulator;
    let ssd = named(simulator, "ssd");
    let vm = simulator.vm("web01").unwrap();
    let taken = RenameDatastore {
        this: ssd.clone(),
        new_name: "datastore1".to_owned(),
        ..RenameDatastore::default()
    };
    assert!(
        host.client
            .call(&taken)
            .await
            .unwrap_err()
            .is::<DuplicateName>()
    );
    host.succeeds(&rename(&ssd, "fast one")).await;
    let state = store(simulator, &ssd);
    let summary = state.summary.as_deref().unwrap();
    assert_eq!(
        (state.name.as_deref(), &*summary.name),
        (Some("fast one"), "fast one")
    );
    let machine = host.vm(&vm);
    let path = machine
        .config
        .as_ref()
        .unwrap()
        .files
        .vm_path_name
        .as_deref();
    assert_eq!(path, Some("[fast one] web01/web01.vmx"));
    let mut wire = Writer::new();
    wire.properties(&machine);
    assert!(!wire.finish().contains("[ssd]"));
    assert!(simulator.file("[fast one] web01/web01.vmx").is_some());
    let told = events(simulator);
    assert_eq!(
        told,
        ["DatastoreRenamedOnHostEvent", "DatastoreRenamedEvent"]
    );
}

#[tokio::test]
async fn only_a_datastore_without_machines_is_maintained() {
    let host = Host::vcenter().await;
    let simulator = &host.simulator;
    let storage = Storage::new(&host, 0);
    let empty = storage.mount_nas("iso", "nas", "/iso").await.unwrap();
    for (one, mode) in [
        (&named(simulator, "production-shared"), "normal"),
        (&empty, "inMaintenance"),
    ] {
        let request = DatastoreEnterMaintenanceMode {
            this: one.clone(),
            ..DatastoreEnterMaintenanceMode::default()
        };
        let begun = host.client.call(&request).await.unwrap();
        let now = |one: &ManagedObjectReference| {
            store(simulator, one)
                .summary
                .unwrap()
                .maintenance_mode
                .unwrap()
        };
        assert_eq!(now(one), "enteringMaintenance");
        while simulator.step_tasks() {}
        assert_eq!(now(one), mode);
        let task: properties::Task = simulator.properties(&begun.task.unwrap()).unwrap();
        let expected = if mode == "normal" {
            TaskInfoState::Error
        } else {
            TaskInfoState::Success
        };
        assert_eq!(task.info.unwrap().state, expected);
    }
    let exit = DatastoreExitMaintenanceModeTask {
        this: empty.clone(),
        ..DatastoreExitMaintenanceModeTask::default()
    };
    host.succeeds(&exit).await;
    let fault: InvalidState = host.fails(&exit).await;
    assert_eq!(fault, InvalidState::default());
}

#[tokio::test]
async fn states_of_datastores_are_respected() {
    let builder = [
        "vmfs:full:1G,free=10M",
        "nfs:ro:nas:/ro,readonly",
        "vmfs:gone,inaccessible",
        "vsan:vs",
    ];
    let builder = builder.iter().fold(Simulator::esx(), |builder, text| {
        builder.datastore(text.parse().unwrap())
    });
    let host = Host::of(builder.build()).await;
    let simulator = &host.simulator;
    let fault: NoDiskSpace = host
        .fails(&disk_on("[full] a.vmdk", 20 << 10, "preallocated"))
        .await;
    assert_eq!(
        (&*fault.datastore, &*fault.base.file),
        ("full", "[full] a.vmdk")
    );
    assert!(simulator.file("[full] a.vmdk").is_none());
    host.succeeds(&disk_on("[full] thin.vmdk", 20 << 10, "thin"))
        .await;
    host.succeeds(&disk_on("[full] thick.vmdk", 8 << 10, "eagerZeroedThick"))
        .await;
    let free = store(simulator, &named(simulator, "full"))
        .summary
        .unwrap()
        .free_space;
    assert!(free < 2 << 20 && free > 1 << 20, "{free}");

    let fault: DatastoreNotWritableOnHost = host.fails(&disk_on("[ro] a.vmdk", 1024, "thin")).await;
    assert_eq!(fault.base.name.as_deref(), Some("ro"));
    let fault: InaccessibleDatastore = host.fails(&disk_on("[gone] a.vmdk", 1024, "thin")).await;
    assert_eq!(fault.base.name.as_deref(), Some("gone"));
    let folder = |name: &str| MakeDirectory {
        name: name.to_owned(),
        ..MakeDirectory::default()
    };
    let refused = host.client.call(&folder("[vs] a")).await.unwrap_err();
    assert_eq!(refused.string, "Cannot create file [vs] a");
    let refresh = RefreshDatastore {
        this: named(simulator, "ssd"),
        ..RefreshDatastore::default()
    };
    let time = || {
        store(simulator, &named(simulator, "ssd"))
            .info
            .unwrap()
            .timestamp
            .clone()
    };
    let before = time();
    host.client.call(&refresh).await.unwrap();
    assert_ne!(time(), before);
}
