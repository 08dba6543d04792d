//! One domain by its id, UUID or name.

use tracing::debug;
use vi_client::{
    property_set,
    retrieve::{ObjectProperties, Retrieve, Selection},
};
use vi_types::{
    ManagedObjectReference, enums::VirtualMachinePowerState, methods::FindByUuid,
    objects::ManagedObjectNotFound,
};
use virt_model::Uuid;

use super::{Domain, identity, no_domain, no_domain_with_uuid};
use crate::{Connect, Error, Result};

property_set! {
    struct Named: VirtualMachine {
        name: String = name,
        power_state: VirtualMachinePowerState = runtime.power_state,
    }
}

impl Connect {
    /// The domain with that id. Domains that are off have none.
    ///
    /// Two requests: the references of the host's virtual machines, and what makes that one a
    /// domain.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    pub async fn lookup_by_id(&self, id: i32) -> Result<Domain> {
        let missing = || no_domain(format!("No domain with ID {id}"));
        let virtual_machines: Vec<ManagedObjectReference> = self
            .client()
            .property(&self.place().host_system, "vm")
            .await?;
        let moref = virtual_machines
            .into_iter()
            .find(|moref| identity::id(&moref.value).is_ok_and(|found| found == id))
            .ok_or_else(missing)?;
        let domain = self
            .domain(&moref)
            .await?
            .filter(|domain| domain.id == Some(id));
        domain.ok_or_else(missing)
    }

    /// The domain with that UUID, wherever in the host's datacenter it is.
    ///
    /// Two requests.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    pub async fn lookup_by_uuid(&self, uuid: Uuid) -> Result<Domain> {
        let missing = || no_domain_with_uuid(uuid);
        let request = FindByUuid {
            datacenter: Some(self.place().datacenter.clone()),
            uuid: uuid.to_string(),
            vm_search: true,
            // Servers before API 4.0 do not know it.
            instance_uuid: self.by_instance_uuid().then_some(true),
            ..Default::default()
        };
        let moref = self.client().call(&request).await?.ok_or_else(missing)?;
        let request = Retrieve::from(&moref);
        let found = match self.client().retrieve_set::<Named>(request).await {
            Ok(mut found) => found.pop().ok_or_else(missing)?,
            Err(error) if error.is_fault::<ManagedObjectNotFound>() => {
                return Err(missing().because(error));
            }
            Err(error) => return Err(error.into()),
        };
        let named = found.properties.map_err(Error::missing_property)?;
        let on = named.power_state != VirtualMachinePowerState::PoweredOff;
        Ok(Domain {
            connect: self.clone(),
            name: identity::name(&named.name)?,
            uuid,
            id: if on {
                Some(identity::id(&moref.value)?)
            } else {
                None
            },
            moref,
        })
    }

    /// The domain of that name on the host.
    ///
    /// Two requests: the names of the host's virtual machines, and what else makes that one a
    /// domain.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    pub async fn lookup_by_name(&self, name: &str) -> Result<Domain> {
        let missing = || no_domain(format!("Could not find domain with name '{name}'"));
        let request = self
            .virtual_machines()
            .properties("VirtualMachine", ["name"]);
        let mut near: Option<(f64, String)> = None;
        for mut properties in self.client().retrieve(&request).await? {
            let raw: String = match properties.take("name") {
                Ok(raw) => raw,
                Err(error) => {
                    debug!(%error, "left out of the search");
                    continue;
                }
            };
            // A name with a broken escape hinders only itself; libvirt's search ends there.
            let found = identity::name(&raw).unwrap_or(raw);
            if found == name {
                return self.domain(&properties.object).await?.ok_or_else(missing);
            }
            let likeness =
                strsim::normalized_damerau_levenshtein(&found.to_lowercase(), &name.to_lowercase());
            if likeness > near.as_ref().map_or(0.7, |(best, _)| *best) {
                near = Some((likeness, found));
            }
        }
        Err(match near {
            Some((_, near)) => missing().advise(format!("did you mean '{near}'?")),
            None => missing(),
        })
    }

    /// The domain of a virtual machine; `None` if it is gone.
    pub(crate) async fn domain(&self, moref: &ManagedObjectReference) -> Result<Option<Domain>> {
        let request = Retrieve::from(moref).properties("VirtualMachine", self.identity_paths());
        match self.client().retrieve(&request).await {
            Ok(mut found) => found
                .pop()
                .map(|properties| self.identify(properties))
                .transpose(),
            Err(error) if error.is_fault::<ManagedObjectNotFound>() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A request for properties of the host's virtual machines.
    pub(super) fn virtual_machines(&self) -> Retrieve {
        Retrieve::from(&self.place().host_system)
            .skip_start()
            .select(Selection::traverse("HostSystem", "vm"))
    }

    /// The properties that make a virtual machine a domain.
    pub(crate) fn identity_paths(&self) -> [&'static str; 4] {
        [
            "configStatus",
            "name",
            self.uuid_path(),
            "runtime.powerState",
        ]
    }

    pub(super) fn uuid_path(&self) -> &'static str {
        if self.by_instance_uuid() {
            "config.instanceUuid"
        } else {
            "config.uuid"
        }
    }

    /// The domain that these properties make.
    pub(super) fn identify(&self, properties: ObjectProperties) -> Result<Domain> {
        self.identify_with_state(properties)
            .map(|(domain, _)| domain)
    }
}
