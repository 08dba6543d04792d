//! Settings of a simulator.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::watch;

use super::dispatch::{Shared, State};
use super::{Settings, Simulator};
use crate::changes::{Changes, Churn};
use crate::event::Clock;
use crate::files::Store;
use crate::health::{self, PartHealth};
use crate::hosts::Hosts;
use crate::network::NewDistributedSwitch;
use crate::objects::property_collector::Collectors;
use crate::server::UriParts;
use crate::session::Sessions;
use crate::storage::{self, IscsiTarget, NewDatastore};
use crate::task::Tasks;
use crate::transfers::Transfers;
use crate::version::Release;
use crate::world::inventory::storage::Equipment;
use crate::world::inventory::virtual_machine::Machines;
use crate::world::inventory::{self, ServerKind};

/// Settings of a simulator; [`Simulator::esx`] and [`Simulator::vcenter`] make one.
#[derive(Clone)]
pub struct Builder {
    kind: ServerKind,
    vms: Option<usize>,
    only: Option<Vec<String>>,
    hosts: Option<u16>,
    release: &'static Release,
    user: String,
    password: String,
    page: Option<usize>,
    recording: bool,
    gzip: bool,
    licence: Licence,
    changes: Option<Changes>,
    churn: Option<Churn>,
    live: bool,
    steady_clock: bool,
    equipment: Equipment,
    switches: Vec<NewDistributedSwitch>,
    opaque_networks: Vec<String>,
    health: Vec<PartHealth>,
    store: Option<Store>,
}

/// What the licence of a server allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Licence {
    /// Everything.
    #[default]
    Full,
    /// Reading only: every other call fails with `RestrictedVersion`, as on a host with VMware's free licence.
    Free,
}

/// The requested release of the VI API cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[error(
    "{asked:?} is not an API version that can be simulated; there are {}",
    known()
)]
pub struct UnknownRelease {
    asked: String,
}

fn known() -> String {
    let names: Vec<_> = crate::version::RELEASES
        .iter()
        .map(|release| release.asked)
        .collect();
    names.join(", ")
}

impl Builder {
    pub(super) fn new(kind: ServerKind, user: &str) -> Self {
        Self {
            kind,
            vms: None,
            only: None,
            hosts: None,
            release: Release::newest(),
            user: user.to_owned(),
            password: "password".to_owned(),
            page: None,
            recording: true,
            gzip: false,
            licence: Licence::Full,
            changes: None,
            churn: None,
            live: false,
            steady_clock: false,
            equipment: Equipment {
                datastores: Vec::new(),
                initiator: true,
                targets: storage::presets(),
            },
            switches: Vec::new(),
            opaque_networks: Vec::new(),
            health: Vec::new(),
            store: None,
        }
    }

    /// The most virtual machines: twice what a vCenter manages, and some gigabytes of memory.
    pub const MOST_VMS: usize = 100_000;

    /// The most hosts: as many as a vCenter manages.
    pub const MOST_HOSTS: u16 = 2_500;

    /// Number of virtual machines (default: a small mixed set), at most [`MOST_VMS`](Self::MOST_VMS). The content of a machine
    /// depends only on its number.
    #[must_use]
    pub fn vms(self, count: usize) -> Self {
        Self {
            vms: Some(count.min(Self::MOST_VMS)),
            ..self
        }
    }

    /// Only these virtual machines of the small mixed set, by their names (default: all of it), as they are in the whole set. The
    /// fewer there are, the sooner the simulator is built.
    #[must_use]
    pub fn only<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        Self {
            only: Some(names.into_iter().map(Into::into).collect()),
            ..self
        }
    }

    /// Number of hosts of a vCenter (default and least: 4; at most [`MOST_HOSTS`](Self::MOST_HOSTS)). Those beyond the preset are in clusters of 20 in a datacenter
    /// `Hall`: `Hall/Cluster 01/esx-0005.example.com` and so on; virtual machines are on them only with
    /// [`vms`](Builder::vms). An ESX host is always one.
    #[must_use]
    pub fn hosts(self, count: u16) -> Self {
        Self {
            hosts: Some(count.min(Self::MOST_HOSTS)),
            ..self
        }
    }

    /// The release to simulate: `2.5`, `4.0`, `4.1`, `5.0`, `5.1`, `5.5`, `6.0`, `6.5`, `6.7`, `7.0` or `8.0`.
    ///
    /// An older server has fewer methods and properties, and reports older versions.
    pub fn api_version(self, version: &str) -> Result<Self, UnknownRelease> {
        let release = Release::find(version).ok_or_else(|| UnknownRelease {
            asked: version.to_owned(),
        })?;
        Ok(Self { release, ..self })
    }

    /// User name and password of the only user (default: `root` on ESX, `administrator@vsphere.local` on a vCenter, with
    /// the password `password`).
    #[must_use]
    pub fn credentials(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.user(user).password(password)
    }

    /// Name of the only user.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            ..self
        }
    }

    /// Password of the only user.
    #[must_use]
    pub fn password(self, password: impl Into<String>) -> Self {
        Self {
            password: password.into(),
            ..self
        }
    }

    /// The largest number of objects in one answer of `RetrievePropertiesEx`, even if the client asks for more.
    #[must_use]
    pub fn page_size(self, objects: usize) -> Self {
        Self {
            page: Some(objects),
            ..self
        }
    }

    /// What the licence of the server allows (default: everything).
    #[must_use]
    pub fn licence(self, licence: Licence) -> Self {
        Self { licence, ..self }
    }

    /// Whether `summary.quickStats` follows the server's clock, as a host measures every 20 seconds (default: no). As on
    /// servers, these changes notify nobody.
    ///
    /// Without it, `quickStats` stays as it is, and counters of processors and memory with it. Those of networks and disks
    /// change with time anyway.
    #[must_use]
    pub fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    /// Whether requests are recorded for [`Simulator::requests`] (default: yes).
    #[must_use]
    pub fn record(self, recording: bool) -> Self {
        Self { recording, ..self }
    }

    /// Whether a server on a port compresses its answers for clients that accept gzip (default: no). Servers do it; on the same
    /// machine it only costs time.
    #[must_use]
    pub fn gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// Changes to play in the background from the first request on, see [`Simulator::play`]. Those that cannot be made are
    /// logged as warnings.
    #[must_use]
    pub fn play(self, changes: Changes) -> Self {
        Self {
            changes: Some(changes),
            ..self
        }
    }

    /// Random changes to make in the background from the first request on, see [`Churn`].
    #[must_use]
    pub fn churn(self, churn: Churn) -> Self {
        Self {
            churn: Some(churn),
            ..self
        }
    }

    /// Lets events happen at times that are the same in every run: one each second of 2 March 2024 (default: now).
    #[must_use]
    pub fn steady_clock(self) -> Self {
        Self {
            steady_clock: true,
            ..self
        }
    }

    /// Adds a datastore to those of the preset. On a vCenter, each datacenter gets one of its own.
    #[must_use]
    pub fn datastore(mut self, datastore: NewDatastore) -> Self {
        self.equipment.datastores.push(datastore);
        self
    }

    /// Adds an iSCSI target to those of the preset.
    #[must_use]
    pub fn iscsi_target(mut self, target: IscsiTarget) -> Self {
        self.equipment.targets.push(target);
        self
    }

    /// Whether the hosts have a software iSCSI adapter (default: yes). Without one they have no targets.
    #[must_use]
    pub fn iscsi(mut self, adapter: bool) -> Self {
        self.equipment.initiator = adapter;
        self
    }

    /// Adds a distributed switch to each datacenter of a vCenter (from 4.0 on), instead of the one that it has otherwise:
    /// `DSwitch` with two port groups and no uplinks. An ESX host has none.
    #[must_use]
    pub fn distributed_switch(mut self, switch: NewDistributedSwitch) -> Self {
        self.switches.push(switch);
        self
    }

    /// Adds an opaque network, as NSX makes them, on a switch of its own to all hosts (from 5.5 on).
    #[must_use]
    pub fn opaque_network(mut self, name: impl Into<String>) -> Self {
        self.opaque_networks.push(name.into());
        self
    }

    /// Keeps the bytes that clients write to files in memory, at most so many (default: 1 GiB). Zeros and the blocks that
    /// copies share take no room. Beyond, an upload is answered with status 507.
    #[must_use]
    pub fn files_in_memory(self, limit: u64) -> Self {
        Self {
            store: Some(Store::in_memory(Some(limit))),
            ..self
        }
    }

    /// Keeps the bytes that clients write to files in a file without a name in that folder, at most so many bytes (default:
    /// what fits). It is gone when the simulator ends, however it ends.
    ///
    /// # Errors
    /// The folder is not there, or nothing can be written to it.
    pub fn files_in(self, folder: impl AsRef<Path>, limit: Option<u64>) -> io::Result<Self> {
        let store = Store::in_folder(folder.as_ref(), limit)?;
        Ok(Self {
            store: Some(store),
            ..self
        })
    }

    /// Gives a part of all hosts a state, see [`Simulator::set_health`]. Everything is green by default.
    #[must_use]
    pub fn health(mut self, part: PartHealth) -> Self {
        self.health.push(part);
        self
    }

    /// Builds the server.
    pub fn build(self) -> Simulator {
        let machines = match self.vms {
            Some(count) => Machines::Many(count),
            None => Machines::Handful(self.only.as_deref()),
        };
        let (mut world, path) = inventory::make(
            self.kind,
            self.release,
            machines,
            self.hosts,
            &self.equipment,
            &self.switches,
            &self.opaque_networks,
        );
        for part in &self.health {
            health::set(&mut world, part);
        }
        world.clock.set_live(self.live);
        if let Some(store) = self.store {
            world.set_store(store);
        }
        world.events.open(match self.steady_clock {
            true => Clock::Steady { seconds: 0 },
            false => Clock::default(),
        });
        let settings = Settings {
            uri: UriParts {
                scheme: self.kind.scheme(),
                user: utf8_percent_encode(&self.user, USER).to_string(),
                path,
            },
            kind: self.kind,
            release: self.release,
            user: self.user,
            password: self.password,
            page: self.page,
            recording: self.recording,
            gzip: self.gzip,
            licence: self.licence,
        };
        let changes = watch::Sender::new(world.version());
        let state = State {
            world,
            sessions: Sessions::default(),
            collectors: Collectors::default(),
            tasks: Tasks::default(),
            transfers: Transfers::default(),
            hosts: Hosts::default(),
            unreadable: Vec::new(),
            rules: Vec::new(),
            recorded: Vec::new(),
            tickets: 0,
            waits: 0,
            most_waits: 0,
        };
        Simulator {
            shared: Arc::new(Shared {
                settings,
                state: Mutex::new(state),
                changes,
                restarts: watch::Sender::new(0),
                to_come: Mutex::new(Some((self.changes, self.churn))),
            }),
        }
    }
}

impl fmt::Debug for Builder {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.kind)
            .field("vms", &self.vms)
            .field("api_version", &self.release.api)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What stays as it is in the user part of a URI.
const USER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
