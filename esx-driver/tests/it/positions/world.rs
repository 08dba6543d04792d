//! What a server has that calls may change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use esx_sim::Simulator;
use vi_types::{
    ManagedObject, ManagedObjectReference,
    objects::{HostInternetScsiHba, VirtualMachineSnapshotTree},
    properties::{
        Datastore, DistributedVirtualPortgroup, Folder, HostAutoStartManager, HostSystem,
        ResourcePool, VirtualMachine,
    },
};

/// Everything by its name: `domain 'web01': power`, `snapshot 'installed' of domain 'db01'`, `file '[ssd] x.vmx'`; and the
/// files that belong to a domain, which come and go with what the domain is.
#[derive(Debug, Default)]
pub(crate) struct World(BTreeMap<String, String>, BTreeSet<String>);

/// Domains that no call changes, as a look at all of them takes long.
const UNTOUCHED: [&str; 5] = ["build/ci", "desktop", "files", "installer", "router"];

impl World {
    pub(crate) fn of(simulator: &Simulator) -> World {
        let mut world = World::default();
        // Without copies of the objects, which are large.
        world.add_all(simulator, World::add_domain);
        world.add_all(simulator, |world, manager: &HostAutoStartManager| {
            world.add("autostart", &manager.config);
        });
        world.add_all(simulator, |world, folder: &Folder| {
            world.add(&format!("folder {:?}", folder.name), &folder.parent);
        });
        world.add_all(simulator, |world, pool: &ResourcePool| {
            world.add(&format!("pool {:?}", pool.name), &pool.config);
        });
        world.add_all(simulator, |world, datastore: &Datastore| {
            let mounts = datastore.host.iter().map(|mount| {
                let info = &mount.mount_info;
                (&mount.key, info.mounted)
            });
            let name = datastore.name.clone().unwrap_or_default();
            let what = format!("datastore '{name}'");
            world.add(&what, &mounts.collect::<Vec<_>>());
        });
        world.add_all(simulator, |world, host: &HostSystem| {
            world.add_targets(host);
            world.add_switches(host);
            let config = host.config.as_ref();
            let infos = config.map(|config| {
                let infos = config.pci_passthru_info.iter();
                infos.map(|info| info.passthru_enabled).collect::<Vec<_>>()
            });
            world.add("devices that are passed through", &infos);
            world.add_mode(host);
            world.add_systems(host);
        });
        world.add_all(simulator, |world, group: &DistributedVirtualPortgroup| {
            let config = group.config.clone().unwrap_or_default();
            let what = format!("port group '{}'", config.name);
            world.add(&what, &config.default_port_config);
        });
        for (path, length) in simulator.files() {
            if !world.1.contains(&path) {
                world.add(&format!("file '{path}'"), &length);
            }
        }
        world
    }

    fn add(&mut self, what: &str, value: &impl Debug) {
        // Names of objects need not be unique: another one of the name is a difference.
        let mut what = what.to_owned();
        while self.0.contains_key(&what) {
            what += " again";
        }
        self.0.insert(what, format!("{value:?}"));
    }

    /// What a function takes from all objects of a type.
    fn add_all<T: ManagedObject>(&mut self, simulator: &Simulator, add: impl Fn(&mut World, &T)) {
        for object in simulator.objects(T::TYPE) {
            simulator.read(&object, |object| add(self, object)).unwrap();
        }
    }

    fn add_domain(&mut self, vm: &VirtualMachine) {
        let name = vm.name.as_deref().unwrap_or_default();
        let domain = format!("domain '{name}'");
        let runtime = vm.runtime.as_deref().cloned().unwrap_or_default();
        self.add(&format!("{domain}: power"), &runtime.power_state);
        let files = vm.layout_ex.iter().flat_map(|layout| &layout.file);
        self.1.extend(files.map(|file| file.name.clone()));
        if UNTOUCHED.contains(&name) {
            return;
        }
        self.add(&format!("{domain}: host"), &runtime.host);
        self.add(
            &format!("{domain}: question"),
            &runtime.question.map(|question| question.id),
        );
        self.add(&format!("{domain}: folder"), &vm.parent);
        if let Some(mut config) = vm.config.clone() {
            // What is different each time.
            config.modified = Default::default();
            config.change_version = Default::default();
            config.uuid = Default::default();
            config.instance_uuid = Default::default();
            let devices = std::mem::take(&mut config.hardware.device);
            for device in devices {
                self.add(&format!("{domain}: device {}", device.key), &device);
            }
            self.add(&format!("{domain}: configuration"), &config);
        }
        if let Some(snapshots) = &vm.snapshot {
            let current = snapshots.current_snapshot.as_ref();
            self.add_snapshots(&domain, current, "", &snapshots.root_snapshot_list);
        }
    }

    /// The targets that a host's adapters have.
    fn add_targets(&mut self, host: &HostSystem) {
        let config = host.config.as_ref();
        let devices = config.and_then(|config| config.storage_device.as_ref());
        let adapters = devices.iter().flat_map(|devices| &devices.host_bus_adapter);
        for adapter in adapters.filter_map(|adapter| adapter.cast::<HostInternetScsiHba>()) {
            for target in &adapter.configured_static_target {
                let what = format!("target '{}'", target.i_scsi_name);
                self.add(&what, &(&adapter.base.device, &target.address));
            }
        }
    }

    /// The switches and port groups of a host.
    fn add_switches(&mut self, host: &HostSystem) {
        let config = host.config.as_ref();
        let network = config.and_then(|config| config.network.as_ref());
        let Some(network) = network else {
            return;
        };
        for switch in &network.vswitch {
            let what = format!("switch '{}'", switch.name);
            self.add(&what, &(&switch.spec, &switch.pnic));
        }
        for group in &network.portgroup {
            let what = format!("port group '{}'", group.spec.name);
            self.add(&what, &group.spec);
        }
        for nic in network.vnic.iter().chain(&network.console_vnic) {
            self.add(&format!("interface '{}'", nic.device), &nic.spec);
        }
        self.add("gateways", &network.ip_route_config);
        for switch in &network.proxy_switch {
            let what = format!("switch '{}'", switch.dvs_name);
            self.add(&what, &switch.pnic);
        }
    }

    /// Whether a host is in maintenance mode, and its power.
    fn add_mode(&mut self, host: &HostSystem) {
        let name = host.name.as_deref().unwrap_or_default();
        let runtime = host.runtime.as_ref();
        let mode = runtime.map(|runtime| runtime.in_maintenance_mode);
        self.add(&format!("host '{name}': maintenance"), &mode);
        let power = runtime.map(|runtime| &runtime.power_state);
        self.add(&format!("host '{name}': power"), &power);
    }

    /// The services, the rulesets of the firewall and the time servers of a host.
    fn add_systems(&mut self, host: &HostSystem) {
        let Some(config) = host.config.as_ref() else {
            return;
        };
        for service in config.service.iter().flat_map(|info| &info.service) {
            let what = format!("service '{}'", service.key);
            self.add(&what, &(service.running, &service.policy));
        }
        for ruleset in config.firewall.iter().flat_map(|info| &info.ruleset) {
            let what = format!("ruleset '{}'", ruleset.key);
            self.add(&what, &(ruleset.enabled, &ruleset.allowed_hosts));
        }
        let time = config.date_time_info.as_ref();
        self.add("time", &time.map(|info| &info.ntp_config));
    }

    fn add_snapshots(
        &mut self,
        domain: &str,
        current: Option<&ManagedObjectReference>,
        parent: &str,
        trees: &[VirtualMachineSnapshotTree],
    ) {
        for tree in trees {
            let what = format!("snapshot '{}' of {domain}", tree.name);
            let is_current = current == Some(&tree.snapshot);
            self.add(&what, &(parent, &tree.description, &tree.state, is_current));
            self.add_snapshots(domain, current, &tree.name, &tree.child_snapshot_list);
        }
    }

    /// What `other` has otherwise, or only one of the two has.
    pub(crate) fn differences(&self, other: &World) -> Vec<String> {
        let ours = self.0.iter();
        let ours = ours.filter(|(what, value)| other.0.get(*what) != Some(value));
        let theirs = other.0.keys().filter(|what| !self.0.contains_key(*what));
        let differences = ours.map(|(what, _)| what).chain(theirs);
        let has_owner = |what: &&String| {
            let path = what.strip_prefix("file '").unwrap_or_default();
            let path = path.trim_end_matches('\'');
            self.1.contains(path) || other.1.contains(path)
        };
        differences
            .filter(|what| !has_owner(what))
            .cloned()
            .collect()
    }
}

/// The names by which an error may name something: what stands in quotes, and for a file also its folder.
pub(super) fn names(what: &str) -> impl Iterator<Item = &str> {
    let quoted = what.split('\'').skip(1).step_by(2);
    quoted.flat_map(|name| {
        let folder = name
            .starts_with('[')
            .then(|| name.rsplit_once('/'))
            .flatten();
        [Some(name), folder.map(|(folder, _)| folder)]
            .into_iter()
            .flatten()
    })
}
