//! EnvironmentBrowser, and what a host tells a vCenter of itself.

use std::collections::BTreeSet;

use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::methods::{
    QueryConfigOption, QueryConfigOptionDescriptor, QueryConfigOptionEx, QueryConfigTarget,
    QueryHostConnectionInfo,
};
use vi_types::objects::{
    EnvironmentBrowserConfigOptionQuerySpec, InvalidArgument, VirtualDiskOption,
    VirtualMachineConfigOption, VirtualPciControllerOption, VirtualScsiControllerOption,
};
use vi_types::{ManagedObjectReference, properties};

use crate::client::{Client, moref};

const RELEASES: [&str; 11] = [
    "2.5", "4.0", "4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0",
];

/// The browser of the first host's compute resource.
fn browser(simulator: &Simulator) -> (ManagedObjectReference, ManagedObjectReference) {
    let host = simulator.objects("HostSystem").remove(0);
    let parent = simulator.properties::<properties::HostSystem>(&host);
    let parent = parent.unwrap().base.parent.unwrap();
    let compute = simulator.properties::<properties::ComputeResource>(&parent);
    (compute.unwrap().environment_browser.unwrap(), host)
}

async fn options(
    client: &Client,
    browser: &ManagedObjectReference,
    key: Option<&str>,
) -> VirtualMachineConfigOption {
    let request = QueryConfigOption {
        key: key.map(str::to_owned),
        ..QueryConfigOption::default()
    };
    *client.call_on(browser, &request).await.unwrap().unwrap()
}

#[tokio::test]
async fn every_release_tells_what_its_machines_can_be_like() {
    for release in RELEASES {
        for builder in [Simulator::esx(), Simulator::vcenter()] {
            let simulator = builder.api_version(release).unwrap().build();
            let client = Client::login(&simulator).await;
            let (browser, host) = browser(&simulator);
            let described = QueryConfigOptionDescriptor::default();
            let known = client.call_on(&browser, &described).await.unwrap();
            let default = known.last().unwrap();
            assert_eq!(default.default_config_option, Some(true));
            let newest = options(&client, &browser, None).await;
            assert_eq!(newest.version, default.key, "{release}");
            for version in &known {
                let options = options(&client, &browser, Some(&version.key)).await;
                assert_eq!(options.version, version.key);
                assert_eq!(Some(&options.description), version.description.as_ref());
                let hardware = &options.hardware_options;
                assert_eq!(format!("vmx-{:02}", hardware.hw_version), version.key);
                let types = hardware.virtual_device_option.iter();
                let types: BTreeSet<_> = types.map(|option| option.r#type.as_str()).collect();
                let mut disks = hardware.virtual_device_option.iter();
                let disk = disks.find_map(|option| option.cast::<VirtualDiskOption>());
                let operations = disk.unwrap().io_allocation_option.as_deref();
                let is_old = ["2.5", "4.0"].contains(&release);
                let limits = operations.map(|option| option.limit_option.default_value);
                assert_eq!(limits, (!is_old).then_some(-1), "{release}");
                assert_eq!(types.contains("VirtualVmxnet3"), hardware.hw_version >= 7);
                assert_eq!(
                    types.contains("VirtualNVMEController"),
                    hardware.hw_version >= 13
                );
                for ty in ["VirtualDisk", "VirtualE1000", "VirtualIDEController"] {
                    assert!(types.contains(ty), "{ty} {types:?}");
                }
                // What guests take is there.
                for guest in &options.guest_os_descriptor {
                    let wanted = guest.supported_disk_controller_list.iter();
                    let wanted = wanted.chain(&guest.supported_ethernet_card);
                    let wanted = wanted.chain([&guest.recommended_disk_controller]);
                    let wanted = wanted.chain(&guest.recommended_ethernet_card);
                    for one in wanted {
                        assert!(types.contains(one.as_str()), "{} {one}", guest.id);
                    }
                }
            }
            let request = QueryConfigTarget {
                host: Some(host.clone()),
                ..QueryConfigTarget::default()
            };
            let target = client.call_on(&browser, &request).await.unwrap().unwrap();
            let state = simulator
                .properties::<properties::HostSystem>(&host)
                .unwrap();
            assert_eq!((target.num_cpus, target.num_cpu_cores), (32, 16));
            assert_eq!(target.num_numa_nodes, 2);
            assert_eq!(target.datastore.len(), state.datastore.len());
            let standard = state.network.iter().filter(|one| one.r#type == "Network");
            assert_eq!(target.network.len(), standard.count());
            assert!(target.resource_pool.is_some());
            let request = QueryHostConnectionInfo::default();
            let info = client.call_on(&host, &request).await.unwrap();
            assert_eq!(info.host.host, Some(host));
            assert_eq!(info.vm.len(), state.vm.len());
            assert_eq!(info.network.len(), state.network.len());
            assert_eq!(info.datastore.len(), state.datastore.len());
        }
    }
}

#[tokio::test]
async fn options_are_those_of_the_simulated_machines() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let (browser, _) = browser(&simulator);
    let new = options(&client, &browser, None).await;
    let old = options(&client, &browser, Some("vmx-04")).await;
    assert_eq!(new.hardware_options.num_cpu.len(), 128);
    assert_eq!(old.hardware_options.num_cpu, [1, 2, 3, 4]);
    let find = |options: &VirtualMachineConfigOption, ty: &str| {
        let mut all = options.hardware_options.virtual_device_option.iter();
        all.find(|option| option.r#type == ty).cloned().unwrap()
    };
    let scsi = find(&new, "ParaVirtualSCSIController");
    let scsi = scsi.cast::<VirtualScsiControllerOption>().unwrap();
    assert_eq!(scsi.num_scsi_disks.max, 64);
    let scsi = find(&old, "VirtualLsiLogicController");
    let scsi = scsi.cast::<VirtualScsiControllerOption>().unwrap();
    assert_eq!(scsi.num_scsi_disks.max, 15);
    let disk = find(&new, "VirtualDisk");
    let disk = disk.cast::<VirtualDiskOption>().unwrap();
    assert_eq!(disk.capacity_in_kb.max, 62 << 30);
    let pci = find(&new, "VirtualPCIController");
    let pci = pci.cast::<VirtualPciControllerOption>().unwrap();
    assert_eq!(
        (pci.num_scsi_controllers.max, pci.num_ethernet_cards.max),
        (4, 10)
    );
    // Machines that there are could have been made so.
    let ids: Vec<_> = new
        .guest_os_descriptor
        .iter()
        .map(|guest| &guest.id)
        .collect();
    for vm in simulator.objects("VirtualMachine") {
        let vm = simulator
            .properties::<properties::VirtualMachine>(&vm)
            .unwrap();
        let id = vm.config.unwrap().guest_id.clone();
        assert!(ids.contains(&&id), "{id}");
    }
}

#[tokio::test]
async fn options_with_some_guests_only() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let (browser, host) = browser(&simulator);
    let ask = |key: Option<&str>, host: &ManagedObjectReference, guests: &[&str]| {
        let spec = EnvironmentBrowserConfigOptionQuerySpec {
            key: key.map(str::to_owned),
            host: Some(host.clone()),
            guest_id: guests.iter().map(|guest| (*guest).to_owned()).collect(),
            ..EnvironmentBrowserConfigOptionQuerySpec::default()
        };
        QueryConfigOptionEx {
            spec: Some(spec.into()),
            ..QueryConfigOptionEx::default()
        }
    };
    let request = ask(Some("vmx-13"), &host, &["rhel9_64Guest", "unknownGuest"]);
    let found = client.call_on(&browser, &request).await.unwrap().unwrap();
    assert_eq!(found.version, "vmx-13");
    assert_eq!(found.guest_os_descriptor.len(), 1);
    let other = moref("HostSystem", "host-0");
    for (request, argument) in [
        (ask(Some("vmx-99"), &host, &[]), "spec.key"),
        (ask(Some("vmx-03"), &host, &[]), "spec.key"),
        (ask(None, &other, &[]), "spec.host"),
        (ask(None, &host, &["unknownGuest"]), "spec.guestId"),
    ] {
        let fault = client.call_on(&browser, &request).await.unwrap_err();
        let invalid = fault.cast::<InvalidArgument>().unwrap();
        assert_eq!(invalid.invalid_property.as_deref(), Some(argument));
    }
}

#[tokio::test]
async fn a_target_has_distributed_port_groups_and_opaque_networks() {
    let switch = NewDistributedSwitch::new("dvSwitch0").port_group("web", 10);
    let simulator = Simulator::vcenter()
        .distributed_switch(switch)
        .opaque_network("segment")
        .build();
    let client = Client::login(&simulator).await;
    let (browser, _) = browser(&simulator);
    let request = QueryConfigTarget::default();
    let target = client.call_on(&browser, &request).await.unwrap().unwrap();
    let groups = target.distributed_virtual_portgroup.iter();
    let groups = groups.map(|group| (group.portgroup_name.as_str(), group.uplink_portgroup));
    let groups: Vec<_> = groups.collect();
    assert!(groups.contains(&("web", false)), "{groups:?}");
    assert_eq!(target.distributed_virtual_switch.len(), 1);
    assert_eq!(
        target.distributed_virtual_switch[0].switch_name,
        "dvSwitch0"
    );
    assert_eq!(target.opaque_network.len(), 1);
    assert_eq!(target.opaque_network[0].base.name, "segment");
}
