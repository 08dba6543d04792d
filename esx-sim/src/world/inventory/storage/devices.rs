//! The disks that a host sees, and the ways to them.

use vi_types::Poly;
use vi_types::objects::{
    HostDiskDimensionsLba, HostHostBusAdapter, HostMultipathInfo,
    HostMultipathInfoFixedLogicalUnitPolicy, HostMultipathInfoLogicalUnit,
    HostMultipathInfoLogicalUnitStorageArrayTypePolicy, HostMultipathInfoPath, HostScsiDisk,
    HostScsiTopology, HostScsiTopologyInterface, HostScsiTopologyLun, HostScsiTopologyTarget,
    ScsiLun, ScsiLunCapabilities, ScsiLunDescriptor, ScsiLunDurableName,
};

use super::Reached;
use crate::world::World;
use crate::world::fabric::{Disk, DiskKind};
use crate::world::inventory::parts::text;

/// The disks, each once.
pub(super) fn luns(world: &World, reached: &[Reached]) -> Vec<Poly<ScsiLun>> {
    let mut known = Vec::new();
    let mut found: Vec<Poly<ScsiLun>> = Vec::new();
    for way in reached.iter().flat_map(|target| &target.ways) {
        if !known.contains(&&way.disk.name) {
            known.push(&way.disk.name);
            found.push(scsi_disk(world, &way.disk, way.lun).into());
        }
    }
    found
}

pub(super) fn lun_number(lun: i32) -> usize {
    usize::try_from(lun).unwrap_or_default()
}

fn scsi_disk(world: &World, disk: &Disk, lun: i32) -> HostScsiDisk {
    let uuid = disk.uuid(lun_number(lun));
    let is_local = disk.kind != DiskKind::Iscsi;
    let (vendor, model) = match is_local {
        true => ("ATA     ", "Simulated SSD   "),
        false => ("EXAMPLE ", "iSCSI Disk      "),
    };
    let label = if is_local {
        "Local ATA Disk"
    } else {
        "EXAMPLE iSCSI Disk"
    };
    let since = |version: &str| world.since(version);
    HostScsiDisk {
        base: ScsiLun {
            base: vi_types::objects::HostDevice {
                device_name: disk.path(),
                device_type: "disk".to_owned(),
                ..vi_types::objects::HostDevice::default()
            },
            key: Some(lun_key(&uuid)),
            uuid: uuid.clone(),
            descriptor: match since("4.0") {
                true => vec![ScsiLunDescriptor {
                    quality: "highQuality".to_owned(),
                    id: disk.name.clone(),
                    ..ScsiLunDescriptor::default()
                }],
                false => Vec::new(),
            },
            canonical_name: Some(disk.name.clone()),
            display_name: since("4.0").then(|| format!("{label} ({})", disk.name)),
            lun_type: "disk".to_owned(),
            vendor: text(vendor),
            model: text(model),
            revision: text("1.0 "),
            scsi_level: Some(6),
            serial_number: text("unavailable"),
            durable_name: Some(
                ScsiLunDurableName {
                    namespace: "GENERIC_VPD".to_owned(),
                    namespace_id: 5,
                    ..ScsiLunDurableName::default()
                }
                .into(),
            ),
            queue_depth: Some(if is_local { 31 } else { 128 }),
            operational_state: vec!["ok".to_owned()],
            capabilities: since("4.0").then(|| {
                ScsiLunCapabilities {
                    update_display_name_supported: true,
                    ..ScsiLunCapabilities::default()
                }
                .into()
            }),
            v_storage_support: text("vStorageUnknown").filter(|_| since("4.1")),
            protocol_endpoint: since("6.0").then_some(false),
            perennially_reserved: since("6.7.2").then_some(false),
            clustered_vmdk_supported: since("7.0.0.0").then_some(false),
            application_protocol: text("SCSI").filter(|_| since("8.0.1.0")),
            dispersed_ns: since("8.0.1.0").then_some(false),
            ..ScsiLun::default()
        },
        capacity: HostDiskDimensionsLba {
            block_size: 512,
            block: i64::try_from(disk.bytes / 512).unwrap_or(i64::MAX),
            ..HostDiskDimensionsLba::default()
        },
        device_path: disk.path(),
        ssd: since("5.0").then_some(is_local),
        local_disk: since("6.0").then_some(is_local),
        emulated_dixdif_enabled: since("6.0").then_some(false),
        scsi_disk_type: text("native512").filter(|_| since("6.5")),
        ..HostScsiDisk::default()
    }
}

fn lun_key(uuid: &str) -> String {
    format!("key-vim.host.ScsiDisk-{uuid}")
}

pub(super) fn topology(
    adapters: &[Poly<HostHostBusAdapter>],
    reached: &[Reached],
) -> HostScsiTopology {
    let adapters = adapters.iter().map(|adapter| {
        let own = reached
            .iter()
            .filter(|target| target.adapter == adapter.device);
        HostScsiTopologyInterface {
            key: format!("key-vim.host.ScsiTopology.Interface-{}", adapter.device),
            adapter: adapter.key.clone().unwrap_or_default(),
            target: own
                .map(|target| HostScsiTopologyTarget {
                    key: format!(
                        "key-vim.host.ScsiTopology.Target-{}:{}:{}",
                        target.adapter, target.channel, target.target
                    ),
                    target: i32::try_from(target.target).unwrap_or(i32::MAX),
                    lun: target
                        .ways
                        .iter()
                        .map(|way| {
                            let uuid = way.disk.uuid(lun_number(way.lun));
                            HostScsiTopologyLun {
                                key: format!("key-vim.host.ScsiTopology.Lun-{uuid}"),
                                lun: way.lun,
                                scsi_lun: lun_key(&uuid),
                                ..HostScsiTopologyLun::default()
                            }
                        })
                        .collect(),
                    transport: Some(target.transport.clone()),
                    ..HostScsiTopologyTarget::default()
                })
                .collect(),
            ..HostScsiTopologyInterface::default()
        }
    });
    HostScsiTopology {
        adapter: adapters.collect(),
        ..HostScsiTopology::default()
    }
}

/// The ways to each disk.
pub(super) fn multipath(world: &World, reached: &[Reached]) -> HostMultipathInfo {
    let since_4_0 = world.since("4.0");
    let mut units: Vec<HostMultipathInfoLogicalUnit> = Vec::new();
    for target in reached {
        for way in &target.ways {
            let uuid = way.disk.uuid(lun_number(way.lun));
            let key = format!("key-vim.host.MultipathInfo.LogicalUnit-{uuid}");
            let name = format!(
                "{}:C{}:T{}:L{}",
                target.adapter, target.channel, target.target, way.lun
            );
            let kind = if way.disk.kind == DiskKind::Iscsi {
                "InternetScsiHba"
            } else {
                "BlockHba"
            };
            let path = HostMultipathInfoPath {
                key: format!("key-vim.host.MultipathInfo.Path-{name}"),
                name: name.clone(),
                path_state: "active".to_owned(),
                state: text("active").filter(|_| since_4_0),
                is_working_path: since_4_0.then_some(true),
                adapter: format!("key-vim.host.{kind}-{}", target.adapter),
                lun: key.clone(),
                transport: Some(target.transport.clone()),
                ..HostMultipathInfoPath::default()
            };
            if let Some(unit) = units.iter_mut().find(|unit| unit.key == key) {
                unit.path.push(HostMultipathInfoPath {
                    is_working_path: since_4_0.then_some(false),
                    ..path
                });
                continue;
            }
            let policy = if since_4_0 { "VMW_PSP_FIXED" } else { "fixed" };
            units.push(HostMultipathInfoLogicalUnit {
                key,
                lun: lun_key(&uuid),
                id: uuid,
                path: vec![path],
                policy: HostMultipathInfoFixedLogicalUnitPolicy {
                    base: vi_types::objects::HostMultipathInfoLogicalUnitPolicy {
                        policy: policy.to_owned(),
                        ..Default::default()
                    },
                    prefer: name,
                    ..HostMultipathInfoFixedLogicalUnitPolicy::default()
                }
                .into(),
                storage_array_type_policy: since_4_0.then(|| {
                    HostMultipathInfoLogicalUnitStorageArrayTypePolicy {
                        policy: "VMW_SATP_LOCAL".to_owned(),
                        ..Default::default()
                    }
                    .into()
                }),
                ..HostMultipathInfoLogicalUnit::default()
            });
        }
    }
    HostMultipathInfo {
        lun: units,
        ..HostMultipathInfo::default()
    }
}
