//! `test:///vcenter`: two datacenters with folders, a cluster and stand-alone hosts.
//!
//! ```text
//! Datacenters
//! ├─ Berlin                  host: Production (cluster of esx-01 and esx-02), Edge/esx-edge
//! │                          vm: Web, Databases/Archive
//! ├─ Europe/Paris            host: Racks/Row A/esx-01
//! └─ Hall                    host: Cluster 01 (20 hosts: esx-0005, …), Cluster 02, …; only if there are more hosts
//! ```

use vi_types::enums::DrsBehavior;
use vi_types::objects::{
    ClusterComputeResourceSummary, ClusterConfigInfo, ClusterConfigInfoEx, ClusterDasConfigInfo,
    ClusterDrsConfigInfo, ComputeResourceConfigInfo,
};
use vi_types::{ManagedObjectReference, properties};

use super::esx::compute_summary;
use super::folders::{self, ANY_COMPUTE, ANY_DATACENTER, ANY_VM, Folders};
use super::host::{self, HostSpec};
use super::parts::{entity, folder};
use super::virtual_machine::{self, Machines, Site};
use super::{ServerKind, datastore, network, service};
use crate::machine::Place;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::version::{ApiVersion, Release};
use crate::world::World;

/// The address of the vCenter, as its hosts know it.
const ADDRESS: &str = "192.0.2.100";

/// The vCenter with everything in it, and the inventory path of its first host.
pub(crate) fn make(
    release: &'static Release,
    machines: Machines<'_>,
    hosts: Option<u16>,
) -> (World, String) {
    let mut maker = Maker {
        world: World::new(ServerKind::VCenter, release),
        release,
        hosts: 0,
        compute: Vec::new(),
    };
    maker.make(machines, hosts.unwrap_or_default());
    (
        maker.world,
        "Berlin/Production/esx-01.example.com".to_owned(),
    )
}

/// How many hosts are in each cluster beyond the preset.
const CLUSTER: u16 = 20;

struct Maker {
    world: World,
    release: &'static Release,
    /// The number of the last host.
    hosts: u16,
    compute: Vec<Compute>,
}

/// A compute resource.
struct Compute {
    pool: ManagedObjectReference,
    hosts: Vec<HostSpec>,
    datastores: Vec<ManagedObjectReference>,
    /// The first one is that of the virtual machines.
    networks: Vec<ManagedObjectReference>,
}

impl Maker {
    fn make(&mut self, machines: Machines<'_>, hosts: u16) {
        let root = ManagedObjectReference::new("Folder", "group-d1");
        service::add(&mut self.world, ServerKind::VCenter, self.release, &root);
        self.world
            .add("group-d1", folder("Datacenters", None, ANY_DATACENTER));

        let berlin = self.datacenter(&root, "Berlin");
        let production = self.compute(
            &berlin,
            &berlin.host,
            Some("Production"),
            &["esx-01", "esx-02"],
        );
        let edge = self.folder(&berlin.host, "Edge", ANY_COMPUTE);
        let stand_alone = self.compute(&berlin, &edge, None, &["esx-edge"]);
        let web = self.folder(&berlin.vm, "Web", ANY_VM);
        let databases = self.folder(&berlin.vm, "Databases", ANY_VM);
        let archive = self.folder(&databases, "Archive", ANY_VM);

        let europe = self.folder(&root, "Europe", ANY_DATACENTER);
        let paris = self.datacenter(&europe, "Paris");
        let racks = self.folder(&paris.host, "Racks", ANY_COMPUTE);
        let row = self.folder(&racks, "Row A", ANY_COMPUTE);
        let far = self.compute(&paris, &row, None, &["esx-01.paris"]);

        let mut sites = vec![
            self.site("", &web, production, 0),
            self.site("b-", &databases, production, 1),
            self.site("edge-", &archive, stand_alone, 0),
            self.site("paris-", &paris.vm, far, 0),
        ];
        let hall = self.hall(&root, hosts);
        // The handful of different machines is only in the preset's places.
        if let Machines::Many(_) = machines {
            sites.extend(hall);
        }
        virtual_machine::add(&mut self.world, &sites, machines, 101);
        for spec in self.compute.iter().flat_map(|compute| &compute.hosts) {
            host::start_first_vm(&mut self.world, &spec.reference);
        }
    }

    /// A datacenter with the hosts that are missing to that number.
    fn hall(&mut self, root: &ManagedObjectReference, hosts: u16) -> Vec<Site> {
        let mut sites = Vec::new();
        if hosts <= self.hosts {
            return sites;
        }
        let hall = self.datacenter(root, "Hall");
        for cluster in 1.. {
            let names = (self.hosts + 1..=hosts).take(CLUSTER.into());
            let names: Vec<_> = names.map(|number| format!("esx-{number:04}")).collect();
            if names.is_empty() {
                break;
            }
            let name = format!("Cluster {cluster:02}");
            let folder = self.folder(&hall.vm, &name, ANY_VM);
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let made = self.compute(&hall, &hall.host, Some(&name), &names);
            let own = 0..names.len();
            sites.extend(own.map(|host| self.site("hall-", &folder, made, host)));
        }
        sites
    }

    fn number(&mut self, kind: &str) -> String {
        self.world.next_value(kind)
    }

    fn folder(
        &mut self,
        parent: &ManagedObjectReference,
        name: &str,
        child_type: &[&str],
    ) -> ManagedObjectReference {
        folders::add(&mut self.world, parent, name, child_type)
    }

    fn put(&mut self, into: &ManagedObjectReference, object: &ManagedObjectReference) {
        folders::put(&mut self.world, into, object);
    }

    fn datacenter(&mut self, parent: &ManagedObjectReference, name: &str) -> Folders {
        folders::add_datacenter(&mut self.world, parent, name)
    }

    /// A cluster with a name, or a host on its own, which gives its name to its compute resource.
    fn compute(
        &mut self,
        folders: &Folders,
        parent: &ManagedObjectReference,
        cluster: Option<&str>,
        hosts: &[&str],
    ) -> usize {
        let (ty, kind) = match cluster {
            Some(_) => ("ClusterComputeResource", "domain-c"),
            None => ("ComputeResource", "domain-s"),
        };
        let own = ManagedObjectReference::new(ty, self.number(kind));
        let pool = ManagedObjectReference::new("ResourcePool", self.number("resgroup-"));
        let specs: Vec<_> = hosts
            .iter()
            .map(|host| {
                self.hosts += 1;
                HostSpec {
                    reference: ManagedObjectReference::new("HostSystem", self.number("host-")),
                    parent: own.clone(),
                    name: format!("{host}.example.com"),
                    number: self.hosts,
                    release: self.release,
                    managed_by: Some(ADDRESS.to_owned()),
                }
            })
            .collect();
        let on: Vec<_> = specs.iter().collect();
        let label = cluster.unwrap_or(hosts[0]).to_ascii_lowercase();
        let datastores: Vec<_> = ["shared", "local"]
            .into_iter()
            .map(|kind| {
                let value = self.number("datastore-");
                let name = format!("{label}-{kind}");
                let new = NewDatastore::new(name, DatastoreKind::Vmfs).capacity(4 << 40);
                let made = datastore::add(&mut self.world, &value, &new, None);
                self.world
                    .change(&made, |made: &mut properties::Datastore| {
                        made.parent = Some(folders.datastore.clone());
                    });
                self.put(&folders.datastore, &made);
                made
            })
            .collect();
        let networks = self.networks(folders, &on);
        let name = cluster.map_or_else(|| specs[0].name.clone(), str::to_owned);
        let base = properties::ComputeResource {
            base: entity(&name, Some(parent)),
            resource_pool: Some(pool.clone()),
            host: specs.iter().map(|spec| spec.reference.clone()).collect(),
            datastore: datastores.clone(),
            network: networks.clone(),
            ..properties::ComputeResource::default()
        };
        match cluster {
            Some(_) => self.world.add(
                own.value.clone(),
                in_cluster(base, hosts.len() as i16, self.release),
            ),
            None => self.world.add(own.value.clone(), alone(base)),
        };
        self.put(parent, &own);
        self.world
            .add(pool.value.clone(), host::pool("Resources", &pool, &own));
        for spec in &specs {
            host::add(&mut self.world, spec, &datastores, &networks);
        }
        self.world.change(
            &folders.datacenter,
            |datacenter: &mut properties::Datacenter| {
                datacenter.datastore.extend(datastores.iter().cloned());
            },
        );
        self.compute.push(Compute {
            pool,
            hosts: specs,
            datastores,
            networks,
        });
        self.compute.len() - 1
    }

    /// The datacenter's networks, which all of its hosts have.
    fn networks(&mut self, folders: &Folders, hosts: &[&HostSpec]) -> Vec<ManagedObjectReference> {
        let datacenter = self
            .world
            .read::<properties::Datacenter>(&folders.datacenter);
        let known = datacenter.map(|datacenter| datacenter.network.clone());
        if let Some(known) = known.filter(|known| !known.is_empty()) {
            for network in &known {
                self.world
                    .change(network, |network: &mut properties::Network| {
                        let added = hosts.iter().map(|host| host.reference.clone());
                        network.host.extend(added);
                    });
            }
            return known;
        }
        let names = network::vm_networks();
        let made: Vec<_> = names
            .map(|name| self.network(folders, name, hosts))
            .collect();
        self.world.change(
            &folders.datacenter,
            |datacenter: &mut properties::Datacenter| datacenter.network.clone_from(&made),
        );
        made
    }

    fn network(
        &mut self,
        folders: &Folders,
        name: &str,
        hosts: &[&HostSpec],
    ) -> ManagedObjectReference {
        let value = self.number("network-");
        let made = network::add(&mut self.world, &value, name, hosts);
        self.world.change(&made, |made: &mut properties::Network| {
            made.parent = Some(folders.network.clone());
        });
        self.put(&folders.network, &made);
        made
    }

    fn site(
        &self,
        prefix: &'static str,
        folder: &ManagedObjectReference,
        compute: usize,
        host: usize,
    ) -> Site {
        let compute = &self.compute[compute];
        Site {
            prefix,
            place: Place {
                folder: folder.clone(),
                pool: Some(compute.pool.clone()),
                host: compute.hosts[host].reference.clone(),
            },
            datastores: compute.datastores.clone(),
            network: compute.networks[0].clone(),
        }
    }
}

fn configuration() -> ComputeResourceConfigInfo {
    ComputeResourceConfigInfo {
        vm_swap_placement: "vmDirectory".to_owned(),
        ..ComputeResourceConfigInfo::default()
    }
}

fn alone(base: properties::ComputeResource) -> properties::ComputeResource {
    properties::ComputeResource {
        summary: Some(compute_summary(1).into()),
        configuration_ex: Some(configuration().into()),
        ..base
    }
}

fn in_cluster(
    base: properties::ComputeResource,
    hosts: i16,
    release: &Release,
) -> properties::ClusterComputeResource {
    let summary = || ClusterComputeResourceSummary {
        base: compute_summary(hosts),
        current_failover_level: -1,
        num_vmotions: 3,
        ..ClusterComputeResourceSummary::default()
    };
    let das = || ClusterDasConfigInfo {
        enabled: Some(false),
        ..ClusterDasConfigInfo::default()
    };
    let drs = || ClusterDrsConfigInfo {
        enabled: Some(true),
        default_vm_behavior: Some(DrsBehavior::FullyAutomated),
        vmotion_rate: Some(3),
        ..ClusterDrsConfigInfo::default()
    };
    properties::ClusterComputeResource {
        base: properties::ComputeResource {
            summary: Some(summary().into()),
            configuration_ex: Some(
                ClusterConfigInfoEx {
                    base: configuration(),
                    das_config: das(),
                    drs_config: drs(),
                    ..ClusterConfigInfoEx::default()
                }
                .into(),
            ),
            ..base
        },
        configuration: Some(
            ClusterConfigInfo {
                das_config: das(),
                drs_config: drs(),
                ..ClusterConfigInfo::default()
            }
            .into(),
        ),
        summary_ex: (release.version() >= ApiVersion::since("7.0.1.1")).then(|| summary().into()),
        ..properties::ClusterComputeResource::default()
    }
}
