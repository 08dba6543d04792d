//! Lists of domains.

use std::collections::HashMap;

use tracing::warn;
use vi_client::{
    property_set,
    retrieve::{ObjectProperties, PropertySet as _, Retrieve},
};
use vi_types::{
    ManagedObjectReference, enums::VirtualMachinePowerState, objects::VirtualMachineSnapshotTree,
};
use virt_model::{DomainFilter, DomainState, flags::refuse_unknown};

use super::{
    Domain,
    autostart::AutoStart,
    identity::{self, Condition, Identity},
};
use crate::{Connect, Error, Result};

property_set! {
    struct Snapshots: VirtualMachine {
        roots: Vec<VirtualMachineSnapshotTree> = snapshot.root_snapshot_list,
    }
}

/// A list of domains, in the server's order.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DomainList {
    /// The domains that the filter admits.
    pub domains: Vec<DomainEntry>,
    /// Virtual machines that lack what makes them domains. libvirt leaves them out silently.
    pub skipped: Vec<SkippedDomain>,
}

/// A domain of a list, with its state.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainEntry {
    /// The domain.
    pub domain: Domain,
    /// Its state when the list was read.
    pub state: DomainState,
}

/// A virtual machine that a list leaves out.
#[derive(Debug)]
#[non_exhaustive]
pub struct SkippedDomain {
    /// The server's reference of it.
    pub moref: ManagedObjectReference,
    /// What it lacks.
    pub error: Error,
}

impl IntoIterator for DomainList {
    type Item = DomainEntry;
    type IntoIter = std::vec::IntoIter<DomainEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.domains.into_iter()
    }
}

impl<'a> IntoIterator for &'a DomainList {
    type Item = &'a DomainEntry;
    type IntoIter = std::slice::Iter<'a, DomainEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.domains.iter()
    }
}

/// What a table shows of a domain: enough to name it, too little for a [`Domain`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DomainRow {
    /// The id; `None` if the domain is off.
    pub id: Option<i32>,
    /// The name.
    pub name: String,
    /// Its state when the list was read.
    pub state: DomainState,
}

impl Connect {
    /// The host's domains that `filter` admits, with their states.
    ///
    /// One request at any number of domains (one a page if the server answers in pages); the
    /// autostart filters take one more, and so do virtual machines without a UUID. Every domain is persistent and none has a
    /// managed save image or a checkpoint, so some filters are answered without asking. (libvirt passes over the
    /// checkpoint filters and lists every domain.)
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have. A domain that cannot be
    /// read is not an error, see [`DomainList::skipped`].
    #[doc(alias = "virConnectListAllDomains")]
    pub async fn list_all_domains(&self, filter: DomainFilter) -> Result<DomainList> {
        let Some(criteria) = self.criteria(filter).await? else {
            return Ok(DomainList::default());
        };
        let request = criteria.read(self.with_name_and_uuid(self.virtual_machines().await?));
        let mut found = Vec::new();
        let mut without_uuid = Vec::new();
        for mut properties in self.client().retrieve(&request).await? {
            let moref = properties.object.clone();
            let read = criteria
                .admitted(&mut properties)
                .and_then(|read| Ok((read, self.raw_uuid(&mut properties)?)));
            match read {
                Ok((None, _)) => continue,
                Ok((Some(identity), raw_uuid)) => {
                    if raw_uuid.is_none() {
                        without_uuid.push(moref.clone());
                    }
                    found.push((moref, Ok((identity, raw_uuid))));
                }
                Err(error) => found.push((moref, Err(error))),
            }
        }
        let mut conditions = self.conditions(without_uuid).await?;
        let mut list = DomainList::default();
        for (moref, read) in found {
            let made = read.and_then(|(identity, raw_uuid)| {
                let state = identity::state(&identity.power_state);
                let domain = match raw_uuid {
                    Some(raw) => self.with_uuid(identity, &raw)?,
                    None => match conditions.remove(&moref) {
                        Some(condition) => self.without_uuid(identity, condition?)?,
                        // It is gone meanwhile.
                        None => return Ok(None),
                    },
                };
                Ok(Some(DomainEntry { domain, state }))
            });
            match made {
                Ok(entry) => list.domains.extend(entry),
                Err(error) => {
                    left_out(&moref, &error);
                    list.skipped.push(SkippedDomain { moref, error });
                }
            }
        }
        Ok(list)
    }

    /// The rows of a table of the domains that `filter` admits: half the bytes of
    /// [`list_all_domains`](Connect::list_all_domains), since no UUID is read. A virtual machine without one has a row, too.
    ///
    /// The requests are those of the list.
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains). A domain that cannot be read is left out with a warning.
    pub async fn domain_rows(&self, filter: DomainFilter) -> Result<Vec<DomainRow>> {
        let Some(criteria) = self.criteria(filter).await? else {
            return Ok(Vec::new());
        };
        let request = criteria.read(identity::with_name(self.virtual_machines().await?));
        let mut rows = Vec::new();
        for mut properties in self.client().retrieve(&request).await? {
            match criteria.admitted(&mut properties) {
                Ok(Some(identity)) => rows.push(DomainRow {
                    id: identity.active_id(),
                    state: identity::state(&identity.power_state),
                    name: identity.name,
                }),
                Ok(None) => {}
                Err(error) => left_out(&properties.object, &error),
            }
        }
        Ok(rows)
    }

    /// The conditions of virtual machines; no request for none of them.
    async fn conditions(
        &self,
        of: Vec<ManagedObjectReference>,
    ) -> Result<HashMap<ManagedObjectReference, Result<Condition>>> {
        if of.is_empty() {
            return Ok(HashMap::new());
        }
        let request = Retrieve::from_each(of);
        let found = self.client().retrieve_set::<Condition>(request).await?;
        let read = found.into_iter().map(|found| {
            let condition = found.properties.map_err(Error::missing_property);
            (found.object, condition)
        });
        Ok(read.collect())
    }

    /// The ids of the domains that run. A paused domain has an id too, but libvirt lists it with those that are
    /// [defined](Connect::list_defined_domains) (libvirt 9.0.0, esxConnectListDomains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectListDomains")]
    pub async fn list_domains(&self) -> Result<Vec<i32>> {
        let running = self.domain_rows(DomainFilter::RUNNING).await?;
        Ok(running.into_iter().filter_map(|row| row.id).collect())
    }

    /// The number of [domains that run](Connect::list_domains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectNumOfDomains")]
    pub async fn num_of_domains(&self) -> Result<usize> {
        Ok(self.list_domains().await?.len())
    }

    /// The names of the domains that do not run: they are off or paused (libvirt 9.0.0, esxConnectListDefinedDomains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectListDefinedDomains")]
    pub async fn list_defined_domains(&self) -> Result<Vec<String>> {
        let filter = DomainFilter::FILTERS_STATE.without(DomainFilter::RUNNING);
        let defined = self.domain_rows(filter).await?;
        Ok(defined.into_iter().map(|row| row.name).collect())
    }

    /// The number of [domains that do not run](Connect::list_defined_domains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectNumOfDefinedDomains")]
    pub async fn num_of_defined_domains(&self) -> Result<usize> {
        Ok(self.list_defined_domains().await?.len())
    }

    /// `None` if no domain can pass the filter.
    async fn criteria(&self, filter: DomainFilter) -> Result<Option<Criteria>> {
        let known = DomainFilter::FILTERS_ALL;
        refuse_unknown(filter, known, "esxConnectListAllDomains")?;
        // These hold for every domain.
        if !(filter.admits(DomainFilter::PERSISTENT, true, DomainFilter::TRANSIENT)
            && filter.admits(
                DomainFilter::MANAGEDSAVE,
                false,
                DomainFilter::NO_MANAGEDSAVE,
            )
            && filter.admits(
                DomainFilter::HAS_CHECKPOINT,
                false,
                DomainFilter::NO_CHECKPOINT,
            ))
        {
            return Ok(None);
        }
        let auto_start = if filter.restricts(DomainFilter::FILTERS_AUTOSTART) {
            Some(self.auto_start().await?)
        } else {
            None
        };
        Ok(Some(Criteria { filter, auto_start }))
    }
}

fn left_out(moref: &ManagedObjectReference, error: &Error) {
    warn!(%moref, %error, "left out of the list");
}

/// The properties that a filter wants domains to have.
struct Criteria {
    filter: DomainFilter,
    auto_start: Option<AutoStart>,
}

impl Criteria {
    /// Adds what the filter has to know to a request.
    fn read(&self, request: Retrieve) -> Retrieve {
        match self.filter.restricts(DomainFilter::FILTERS_SNAPSHOT) {
            true => request.set::<Snapshots>(),
            false => request,
        }
    }

    /// The identity that these properties make, if the filter admits it.
    fn admitted(&self, properties: &mut ObjectProperties) -> Result<Option<Identity>> {
        let snapshots = Snapshots::from_properties(properties);
        let has_snapshot = snapshots.is_ok_and(|snapshots| !snapshots.roots.is_empty());
        let identity = identity::identity(properties)?;
        Ok(self.admit(&identity, has_snapshot).then_some(identity))
    }

    fn admit(&self, identity: &Identity, has_snapshot: bool) -> bool {
        let active = identity.power_state != VirtualMachinePowerState::PoweredOff;
        let auto_start = |settings: &AutoStart| {
            let starts = settings.starts(&identity.moref);
            self.filter
                .admits(DomainFilter::AUTOSTART, starts, DomainFilter::NO_AUTOSTART)
        };
        self.filter
            .admits(DomainFilter::ACTIVE, active, DomainFilter::INACTIVE)
            && admits_state(self.filter, identity::state(&identity.power_state))
            && self.filter.admits(
                DomainFilter::HAS_SNAPSHOT,
                has_snapshot,
                DomainFilter::NO_SNAPSHOT,
            )
            && self.auto_start.as_ref().is_none_or(auto_start)
    }
}

pub(super) fn admits_state(filter: DomainFilter, state: DomainState) -> bool {
    let flag = match state {
        DomainState::Running => DomainFilter::RUNNING,
        DomainState::Paused => DomainFilter::PAUSED,
        DomainState::Shutoff => DomainFilter::SHUTOFF,
        _ => DomainFilter::OTHER,
    };
    !filter.intersects(DomainFilter::FILTERS_STATE) || filter.contains(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let all = [
            DomainState::Running,
            DomainState::Paused,
            DomainState::Shutoff,
            DomainState::NoState,
        ];
        for (filter, expected) in [
            (DomainFilter::NONE, [true, true, true, true]),
            (DomainFilter::ACTIVE, [true, true, true, true]),
            (DomainFilter::RUNNING, [true, false, false, false]),
            (
                DomainFilter::PAUSED | DomainFilter::SHUTOFF,
                [false, true, true, false],
            ),
            (DomainFilter::OTHER, [false, false, false, true]),
            (DomainFilter::FILTERS_STATE, [true, true, true, true]),
        ] {
            assert_eq!(
                all.map(|state| admits_state(filter, state)),
                expected,
                "{filter:?}"
            );
        }
    }
}
