//! Lists of domains.

use tracing::warn;
use vi_client::{property_set, retrieve::PropertySet as _};
use vi_types::{
    ManagedObjectReference, enums::VirtualMachinePowerState, objects::VirtualMachineSnapshotTree,
};
use virt_model::{DomainFilter, DomainState, flags::refuse_unknown};

use super::{Domain, autostart::AutoStart, identity};
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

impl Connect {
    /// The host's domains that `filter` admits, with their states.
    ///
    /// One request at any number of domains (one a page if the server answers in pages); the
    /// autostart filters take one more. Every domain is persistent and none has a managed save image
    /// or a checkpoint, so some filters are answered without asking. (libvirt passes over the
    /// checkpoint filters and lists every domain.)
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have. A domain that cannot be
    /// read is not an error, see [`DomainList::skipped`].
    #[doc(alias = "virConnectListAllDomains")]
    pub async fn list_all_domains(&self, filter: DomainFilter) -> Result<DomainList> {
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
            return Ok(DomainList::default());
        }
        let criteria = self.criteria(filter).await?;

        let mut request = self.with_identity(self.virtual_machines());
        if filter.restricts(DomainFilter::FILTERS_SNAPSHOT) {
            request = request.set::<Snapshots>();
        }
        let mut list = DomainList::default();
        for mut properties in self.client().retrieve(&request).await? {
            let moref = properties.object.clone();
            let snapshots = Snapshots::from_properties(&mut properties);
            let has_snapshot = snapshots.is_ok_and(|snapshots| !snapshots.roots.is_empty());
            match self.identify_with_state(properties) {
                Ok((domain, power_state)) => {
                    if criteria.admit(&domain, &power_state, has_snapshot) {
                        let state = identity::state(&power_state);
                        list.domains.push(DomainEntry { domain, state });
                    }
                }
                Err(error) => {
                    warn!(%moref, %error, "left out of the list");
                    list.skipped.push(SkippedDomain { moref, error });
                }
            }
        }
        Ok(list)
    }

    /// The ids of the domains that run. A paused domain has an id too, but libvirt lists it with those that are
    /// [defined](Connect::list_defined_domains) (libvirt 9.0.0, esxConnectListDomains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectListDomains")]
    pub async fn list_domains(&self) -> Result<Vec<i32>> {
        let running = self.list_all_domains(DomainFilter::RUNNING).await?;
        let ids = running.domains.iter().filter_map(|entry| entry.domain.id);
        Ok(ids.collect())
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
        let defined = self.list_all_domains(filter).await?;
        let names = defined.domains.into_iter().map(|entry| entry.domain.name);
        Ok(names.collect())
    }

    /// The number of [domains that do not run](Connect::list_defined_domains).
    ///
    /// # Errors
    /// As [`list_all_domains`](Connect::list_all_domains).
    #[doc(alias = "virConnectNumOfDefinedDomains")]
    pub async fn num_of_defined_domains(&self) -> Result<usize> {
        Ok(self.list_defined_domains().await?.len())
    }

    async fn criteria(&self, filter: DomainFilter) -> Result<Criteria> {
        let auto_start = if filter.restricts(DomainFilter::FILTERS_AUTOSTART) {
            Some(self.auto_start().await?)
        } else {
            None
        };
        Ok(Criteria { filter, auto_start })
    }
}

/// The properties that a filter wants domains to have.
struct Criteria {
    filter: DomainFilter,
    auto_start: Option<AutoStart>,
}

impl Criteria {
    fn admit(
        &self,
        domain: &Domain,
        power_state: &VirtualMachinePowerState,
        has_snapshot: bool,
    ) -> bool {
        let active = *power_state != VirtualMachinePowerState::PoweredOff;
        let auto_start = |settings: &AutoStart| {
            let starts = settings.starts(&domain.moref);
            self.filter
                .admits(DomainFilter::AUTOSTART, starts, DomainFilter::NO_AUTOSTART)
        };
        self.filter
            .admits(DomainFilter::ACTIVE, active, DomainFilter::INACTIVE)
            && admits_state(self.filter, identity::state(power_state))
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
