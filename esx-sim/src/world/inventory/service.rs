//! The objects behind a server's door: service content, session manager, collectors.

use vi_types::objects::{AboutInfo, Capability, ServiceContent};
use vi_types::{ManagedObjectReference, properties};

use super::parts::{made_time, text};
use super::{ServerKind, evc};
use crate::event;
use crate::objects::event_manager::MOST_COLLECTORS;
use crate::objects::performance_manager;
use crate::task;
use crate::version::{ApiVersion, Release};
use crate::world::World;

/// Puts the service objects in; `root` is the root folder.
pub(crate) fn add(
    world: &mut World,
    kind: ServerKind,
    release: &'static Release,
    root: &ManagedObjectReference,
) {
    let esx = kind == ServerKind::Esx;
    let name = |on_esx: &'static str, on_vcenter: &'static str| match esx {
        true => on_esx,
        false => on_vcenter,
    };
    let collector = world.add(
        name("ha-property-collector", "propertyCollector"),
        properties::PropertyCollector::default(),
    );
    let view_manager = world.add("ViewManager", properties::ViewManager::default());
    let session_manager = world.add(
        name("ha-sessionmgr", "SessionManager"),
        properties::SessionManager {
            message: text(""),
            message_locale_list: vec!["en".to_owned()],
            supported_locale_list: vec!["en".to_owned()],
            default_locale: text("en"),
            ..properties::SessionManager::default()
        },
    );
    let search_index = world.add(
        name("ha-searchindex", "SearchIndex"),
        properties::SearchIndex::default(),
    );
    let task_manager = world.add(
        name("ha-taskmgr", "TaskManager"),
        properties::TaskManager {
            description: Some(task::description().into()),
            max_collector: Some(32),
            ..properties::TaskManager::default()
        },
    );
    let file_manager = world.add(
        name("ha-nfc-file-manager", "FileManager"),
        properties::FileManager::default(),
    );
    let virtual_disk_manager = world.add(
        name("ha-vdiskmanager", "virtualDiskManager"),
        properties::VirtualDiskManager::default(),
    );
    let performance_manager = world.add(
        name("ha-perfmgr", "PerfMgr"),
        performance_manager::properties(kind),
    );
    let setting = world.add(
        name("HostAgentSettings", "VpxSettings"),
        properties::OptionManager {
            setting: performance_manager::settings(world),
            ..properties::OptionManager::default()
        },
    );
    let event_manager = world.add(
        name("ha-eventmgr", "EventManager"),
        properties::EventManager {
            description: Some(event::description().into()),
            max_collector: Some(MOST_COLLECTORS),
            ..properties::EventManager::default()
        },
    );
    let switch_manager = world.add(
        name("ha-dvsmanager", "DVSManager"),
        properties::DistributedVirtualSwitchManager::default(),
    );
    let since = |version: &str| release.version() >= ApiVersion::since(version);
    let content = ServiceContent {
        root_folder: root.clone(),
        property_collector: collector,
        view_manager: Some(view_manager),
        about: about(kind, release),
        session_manager: Some(session_manager),
        setting: Some(setting),
        perf_manager: Some(performance_manager),
        search_index: Some(search_index),
        task_manager: Some(task_manager),
        event_manager: Some(event_manager),
        dv_switch_manager: since("4.0").then_some(switch_manager),
        file_manager: since("2.5").then_some(file_manager),
        virtual_disk_manager: since("2.5").then_some(virtual_disk_manager),
        ..ServiceContent::default()
    };
    world.add(
        "ServiceInstance",
        properties::ServiceInstance {
            capability: Some(
                Capability {
                    provisioning_supported: !esx,
                    multi_host_supported: !esx,
                    user_shell_access_supported: esx,
                    supported_evc_mode: match esx || !since("4.0") {
                        true => Vec::new(),
                        false => evc::modes(release),
                    },
                    ..Capability::default()
                }
                .into(),
            ),
            // What is read is the time of reading.
            server_clock: Some(made_time()),
            content: Some(content.into()),
            ..properties::ServiceInstance::default()
        },
    );
}

/// What the server tells of itself.
pub(crate) fn about(kind: ServerKind, release: &Release) -> AboutInfo {
    let since = |version: &str| release.version() >= ApiVersion::since(version);
    let (name, license, version, build) = match kind {
        ServerKind::Esx => (
            "VMware ESXi",
            "VMware ESX Server",
            release.esx,
            release.esx_build,
        ),
        ServerKind::VCenter => (
            "VMware vCenter Server",
            "VMware VirtualCenter Server",
            release.vcenter,
            release.vcenter_build,
        ),
    };
    let major = version.split('.').next().unwrap_or(version);
    AboutInfo {
        name: name.to_owned(),
        full_name: format!("{name} {version} build-{build}"),
        vendor: "VMware, Inc.".to_owned(),
        version: version.to_owned(),
        patch_level: since("7.0.2.0").then(|| "0".to_owned()),
        build: build.to_owned(),
        locale_version: text("INTL"),
        locale_build: text("000"),
        os_type: match kind {
            ServerKind::Esx => "vmnix-x86".to_owned(),
            ServerKind::VCenter => "linux-x64".to_owned(),
        },
        product_line_id: match kind {
            ServerKind::Esx => "embeddedEsx".to_owned(),
            ServerKind::VCenter => "vpx".to_owned(),
        },
        api_type: match kind {
            ServerKind::Esx => "HostAgent".to_owned(),
            ServerKind::VCenter => "VirtualCenter".to_owned(),
        },
        api_version: release.api.to_owned(),
        instance_uuid: (kind == ServerKind::VCenter && since("4.0"))
            .then(|| super::parts::uuid(0x9c1e, 1)),
        license_product_name: since("4.0").then(|| license.to_owned()),
        license_product_version: since("4.0").then(|| format!("{major}.0")),
        ..AboutInfo::default()
    }
}
