//! What a monitor knows, without any I/O: changes and numbers go in, snapshots come out.

mod domain;
mod entity;

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use vi_client::retrieve::ObjectProperties;
use vi_types::ManagedObjectReference;
use vi_types::enums::ObjectUpdateKind;
use vi_types::objects::ObjectUpdate;

use self::domain::DomainRow;
use self::entity::{HostRow, PoolRow, StoreRow};
use super::counters::Catalogue;
use super::inventory::{Inventory, Kind};
use super::query::{Asked, Question};
use super::samples::Samples;
use super::snapshot::{
    MonitorConnection, MonitorPoll, MonitorSnapshot, MonitoredDatastore, MonitoredDomain,
    MonitoredHost, MonitoredResourcePool,
};
use super::table::Table;
use super::usage::Usages;
use crate::Connect;

/// All that a monitor knows.
pub(super) struct Picture {
    connect: Connect,
    inventory: Inventory,
    objects: HashMap<ManagedObjectReference, ObjectProperties>,
    domains: Table<DomainRow, MonitoredDomain>,
    hosts: Table<HostRow, MonitoredHost>,
    datastores: Table<StoreRow, MonitoredDatastore>,
    pools: Table<PoolRow, MonitoredResourcePool>,
    /// Whether domains have come, gone or moved, so that others have to count them.
    has_moved: bool,
    number: u64,
    /// The time of the newest sample of all. An object that comes later has no samples before it.
    newest: Option<i64>,
    pub(super) connection: MonitorConnection,
    pub(super) poll: MonitorPoll,
}

impl Picture {
    pub(super) fn new(connect: Connect) -> Picture {
        Picture {
            connect,
            inventory: Inventory::default(),
            objects: HashMap::new(),
            domains: Table::default(),
            hosts: Table::default(),
            datastores: Table::default(),
            pools: Table::default(),
            has_moved: false,
            number: 0,
            newest: None,
            connection: MonitorConnection::default(),
            poll: MonitorPoll::default(),
        }
    }

    /// Forgets the objects that the first answer of a new watch does not have.
    pub(super) fn keep_only(&mut self, first: &[ObjectUpdate]) {
        let told: HashSet<_> = first.iter().map(|update| &update.obj).collect();
        let gone = self.objects.keys().filter(|moref| !told.contains(moref));
        for moref in gone.cloned().collect::<Vec<_>>() {
            self.leave(&moref);
        }
    }

    /// Takes changes of properties.
    pub(super) fn apply(&mut self, updates: Vec<ObjectUpdate>) {
        for update in updates {
            let moref = update.obj.clone();
            if update.kind == ObjectUpdateKind::Leave {
                self.leave(&moref);
                continue;
            }
            let object = self.objects.entry(moref.clone()).or_default();
            object.apply(update);
            let properties = object.clone();
            match moref.r#type.as_str() {
                "VirtualMachine" => self.domain_changed(moref, properties),
                "Datastore" => self.datastore_changed(moref, properties),
                ty => {
                    if let Some(kind) = Kind::of(ty) {
                        self.entity_changed(moref, kind, properties);
                    }
                }
            }
        }
    }

    fn leave(&mut self, moref: &ManagedObjectReference) {
        self.objects.remove(moref);
        self.has_moved |= self.domains.remove(moref);
        self.hosts.remove(moref);
        self.datastores.remove(moref);
        self.pools.remove(moref);
        if self.inventory.remove(moref) {
            self.names_changed();
        }
    }

    /// Shows everything anew, because names above have changed.
    fn names_changed(&mut self) {
        self.domains.change_each(|_, _| true);
        self.hosts.change_each(|_, _| true);
        self.datastores.change_each(|_, _| true);
        self.pools.change_each(|_, _| true);
    }

    /// Takes what hosts say about the use of their resources.
    pub(super) fn apply_usages(&mut self, mut usages: Usages) {
        self.domains.change_each(|moref, row| {
            let usage = usages.domains.remove(moref).unwrap_or_default();
            std::mem::replace(&mut row.usage, usage) != row.usage
        });
        self.hosts.change_each(|moref, row| {
            let usage = usages.hosts.remove(moref).unwrap_or_default();
            std::mem::replace(&mut row.usage, usage) != row.usage
        });
    }

    /// What to ask about counters: of every object that runs, what has happened since it was last asked about. Domains of a
    /// host come one after the other, because a vCenter passes the questions on to the hosts.
    pub(super) fn questions(&mut self) -> Vec<Question> {
        let after = self.newest;
        let mut hosts = Vec::new();
        self.hosts.change_each(|moref, row| {
            if row.is_measured {
                hosts.push(row.measures.question(moref, after));
            }
            false
        });
        let mut domains = Vec::new();
        self.domains.change_each(|moref, row| {
            if row.is_measured {
                let question = row.measures.question(moref, after);
                domains.push((row.host().cloned(), question));
            }
            false
        });
        domains.sort_by(|(host, one), (other, than)| {
            host.cmp(other).then_with(|| one.entity.cmp(&than.entity))
        });
        hosts.extend(domains.into_iter().map(|(_, question)| question));
        hosts
    }

    /// Takes what a server says about objects that it was asked about. Returns how many samples were new.
    pub(super) fn apply_samples(&mut self, asked: &Asked, catalogue: &Catalogue) -> u64 {
        let mut silent: HashSet<_> = asked.answered.iter().collect();
        let mut new = 0;
        for answer in &asked.answers {
            let entity = &answer.entity;
            let samples = Samples::read(answer, catalogue.wanted(entity));
            let measures = match entity.r#type.as_str() {
                "HostSystem" => self.hosts.change(entity).map(|row| &mut row.measures),
                _ => self.domains.change(entity).map(|row| &mut row.measures),
            };
            if let Some(measures) = measures {
                let taken = measures.take(&samples);
                if taken > 0 {
                    silent.remove(entity);
                    self.newest = self.newest.max(measures.last);
                }
                new += taken;
            }
        }
        for entity in silent {
            let measures = match entity.r#type.as_str() {
                "HostSystem" => self.hosts.hidden(entity).map(|row| &mut row.measures),
                _ => self.domains.hidden(entity).map(|row| &mut row.measures),
            };
            if let Some(measures) = measures {
                measures.nothing_new();
            }
        }
        new
    }

    /// The next snapshot, made at `time`.
    pub(super) fn snapshot(&mut self, time: SystemTime, requests: u64) -> MonitorSnapshot {
        if std::mem::take(&mut self.has_moved) {
            self.count_domains();
        }
        self.number += 1;
        let inventory = &mut self.inventory;
        MonitorSnapshot {
            number: self.number,
            time,
            connection: self.connection.clone(),
            poll: self.poll.clone(),
            requests,
            domains: self.domains.list(|row| row.show(inventory)),
            hosts: self.hosts.list(|row| row.show(inventory)),
            datastores: self.datastores.list(|row| row.show(inventory)),
            resource_pools: self.pools.list(|row| row.show(inventory)),
        }
    }

    /// Counts the domains of each host, datastore and pool.
    fn count_domains(&mut self) {
        let mut counts: HashMap<&ManagedObjectReference, u32> = HashMap::new();
        for (_, row) in self.domains.iter() {
            for moref in row.places() {
                *counts.entry(moref).or_default() += 1;
            }
        }
        let counted = |moref: &ManagedObjectReference, domains: &mut u32| {
            let now = counts.get(moref).copied().unwrap_or(0);
            std::mem::replace(domains, now) != now
        };
        self.hosts
            .change_each(|moref, row| counted(moref, &mut row.domains));
        self.datastores
            .change_each(|moref, row| counted(moref, &mut row.domains));
        self.pools
            .change_each(|moref, row| counted(moref, &mut row.domains));
    }
}
