//! Lookups of domains by id, UUID or name.

use tracing::debug;
use vi_client::{
    Error as Cause, property_set,
    retrieve::{ObjectProperties, PropertySet, Retrieve, Selection},
};
use vi_types::{
    ManagedObject as _, ManagedObjectReference, Method,
    enums::VirtualMachinePowerState,
    methods::{FindByInventoryPath, FindByUuid, FindChild},
    properties::{HostSystem, VirtualMachine},
};
use virt_model::Uuid;
use vmx::escape::PERCENT;

use super::{
    Domain, NoProperties,
    identity::{self, Name},
    no_domain, no_domain_with_uuid,
};
use crate::{Connect, Error, Result, connect::ProductLine, inventory, near::Near};

/// What hosts call their only datacenter. It saves reading the inventory before a name is looked up; what is found tells
/// where it is.
const HOSTS_DATACENTER: &str = "ha-datacenter";

property_set! {
    struct Machines: HostSystem {
        vm: Vec<ManagedObjectReference> = vm,
    }
}

property_set! {
    struct Named: VirtualMachine {
        name: String = name,
        power_state: VirtualMachinePowerState = runtime.power_state,
    }
}

property_set! {
    struct Host: VirtualMachine {
        host: Option<ManagedObjectReference> = runtime.host,
    }
}

impl Connect {
    /// The domain with that id. Domains that are off have none.
    ///
    /// One request. If no virtual machine has the reference that an id usually has, the references of all the host's are read.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    #[doc(alias = "virDomainLookupByID")]
    pub async fn lookup_by_id(&self, id: i32) -> Result<Domain> {
        self.lookup_by_id_with::<NoProperties>(id)
            .await
            .map(|(domain, _)| domain)
    }

    /// The domain with that id, and properties of its virtual machine that are read with it, in the same request.
    ///
    /// # Errors
    /// As [`lookup_by_id`](Connect::lookup_by_id).
    pub async fn lookup_by_id_with<P: PropertySet>(&self, id: i32) -> Result<(Domain, Result<P>)> {
        let found = match self.of_usual_reference(id).await? {
            Some(found) => Some(found),
            None => self.of_any_reference(id).await?,
        };
        found
            .filter(|(domain, _)| domain.id == Some(id))
            .ok_or_else(|| no_domain(format!("No domain with ID {id}")))
    }

    /// The domain of the host whose reference is what the product makes of ids.
    async fn of_usual_reference<P: PropertySet>(
        &self,
        id: i32,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let value = match self.product().line {
            ProductLine::Vpx => format!("vm-{id}"),
            ProductLine::Esx | ProductLine::Gsx => id.to_string(),
        };
        let moref = ManagedObjectReference::new(VirtualMachine::TYPE, value);
        self.on_host(&moref).await
    }

    /// The domain whose reference among those of the host's virtual machines has the id.
    async fn of_any_reference<P: PropertySet>(
        &self,
        id: i32,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let machines: Option<Machines> = self.client().read_opt(self.host_system().await?).await?;
        let machines = machines.map(|machines| machines.vm).unwrap_or_default();
        let is_it = |moref: &&ManagedObjectReference| {
            identity::id(&moref.value).is_ok_and(|found| found == id)
        };
        match machines.iter().find(is_it) {
            Some(moref) => self.domain_with(moref).await,
            None => Ok(None),
        }
    }

    /// The domain with that UUID, on any host of the datacenter.
    ///
    /// Two requests.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none. If a domain has it as its other UUID (the one of the
    /// BIOS, or of the instance), the error's advice says which one, and what the URI needs.
    #[doc(alias = "virDomainLookupByUUID")]
    pub async fn lookup_by_uuid(&self, uuid: Uuid) -> Result<Domain> {
        self.lookup_by_uuid_with::<NoProperties>(uuid)
            .await
            .map(|(domain, _)| domain)
    }

    /// The domain with that UUID, and properties of its virtual machine that are read with it, in the same request.
    ///
    /// # Errors
    /// As [`lookup_by_uuid`](Connect::lookup_by_uuid).
    pub async fn lookup_by_uuid_with<P: PropertySet>(
        &self,
        uuid: Uuid,
    ) -> Result<(Domain, Result<P>)> {
        if let Some(found) = self.find_uuid(uuid).await? {
            return Ok(found);
        }
        // What cannot be found out is no reason to tell something else.
        let advice = self.whose_other_uuid(uuid).await.ok().flatten();
        Err(match advice {
            Some(advice) => no_domain_with_uuid(uuid).advise(advice),
            None => no_domain_with_uuid(uuid),
        })
    }

    /// The domain with that UUID, if there is one.
    pub(super) async fn find_uuid<P: PropertySet>(
        &self,
        uuid: Uuid,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let Some(moref) = self.find_by_uuid(uuid, self.by_instance_uuid()).await? else {
            return Ok(None);
        };
        let request = Retrieve::from(&moref).set::<Named>().set::<P>();
        let Some(mut properties) = self.read_machine(&moref, request).await? else {
            return Ok(None);
        };
        let along = along(&properties);
        let named = Named::from_properties(&mut properties).map_err(Error::missing_property)?;
        let on = named.power_state != VirtualMachinePowerState::PoweredOff;
        let domain = Domain {
            connect: self.clone(),
            name: identity::name(&named.name)?,
            uuid,
            id: if on {
                Some(identity::id(&moref.value)?)
            } else {
                None
            },
            moref,
        };
        Ok(Some((domain, along)))
    }

    async fn find_by_uuid(
        &self,
        uuid: Uuid,
        is_instance: bool,
    ) -> Result<Option<ManagedObjectReference>> {
        let request = FindByUuid {
            // A host that is not known yet is the only one of its server.
            datacenter: self.known_place().map(|place| place.datacenter.clone()),
            uuid: uuid.to_string(),
            vm_search: true,
            // Servers before API 4.0 do not know it.
            instance_uuid: is_instance.then_some(true),
            ..Default::default()
        };
        Ok(self.client().call(&request).await?)
    }

    /// The advice to somebody who has the other UUID of a domain.
    async fn whose_other_uuid(&self, uuid: Uuid) -> Result<Option<String>> {
        if !self.client().api_version().at_least(4, 0) {
            return Ok(None);
        }
        let is_instance = !self.by_instance_uuid();
        let Some(moref) = self.find_by_uuid(uuid, is_instance).await? else {
            return Ok(None);
        };
        let named: Option<Named> = self.client().read_opt(&moref).await?;
        let Some(name) = named.and_then(|named| identity::name(&named.name).ok()) else {
            return Ok(None);
        };
        Ok(Some(match is_instance {
            true => format!(
                "'{name}' has it as its instance UUID: leave legacy_uuid=1 and the old libvirt= out of the URI"
            ),
            false => format!(
                "'{name}' has it as its BIOS UUID, which libvirt before 12.4 shows: set legacy_uuid=1 in the URI"
            ),
        }))
    }

    /// The domain of that name on the host. Of several with the name, it is the one that is registered in the datacenter's
    /// own folder of virtual machines, or else the first in the server's order.
    ///
    /// Two requests, however many virtual machines there are: the server looks the name up in that folder, and tells the
    /// properties of the virtual machine with the name, with the host's place in the inventory if that is not known yet. If
    /// none is found there (a vCenter's virtual machines may be in other folders and in vApps), the names of the host's virtual
    /// machines are read.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    #[doc(alias = "virDomainLookupByName")]
    pub async fn lookup_by_name(&self, name: &str) -> Result<Domain> {
        self.lookup_by_name_with::<NoProperties>(name)
            .await
            .map(|(domain, _)| domain)
    }

    /// The domain of that name, and properties of its virtual machine that are read with it, in the same request: what the
    /// caller is going to need.
    ///
    /// ```no_run
    /// # use esx_driver::{Connect, DomainConfiguration, Result, virt_model::DomainXmlFlags};
    /// # async fn dumpxml(connect: &Connect) -> Result<String> {
    /// let (domain, configuration) = connect.lookup_by_name_with::<DomainConfiguration>("web01").await?;
    /// domain.xml_desc_of(&configuration?, DomainXmlFlags::NONE).await
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`lookup_by_name`](Connect::lookup_by_name).
    pub async fn lookup_by_name_with<P: PropertySet>(
        &self,
        name: &str,
    ) -> Result<(Domain, Result<P>)> {
        let found = match self.known_place() {
            Some(_) => self.find_child(name).await?,
            None => self.find_by_path(name).await?,
        };
        match found {
            Some(found) => Ok(found),
            None => self.search_name(name).await,
        }
    }

    /// The domain of that name in the folder of virtual machines that hosts have, before anything is known of the inventory.
    async fn find_by_path<P: PropertySet>(
        &self,
        name: &str,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let request = FindByInventoryPath {
            inventory_path: format!("{HOSTS_DATACENTER}/vm/{}", PERCENT.escape(name)),
            ..Default::default()
        };
        if let Some(found) = self.find(name, &request).await? {
            return Ok(Some(found));
        }
        match self.place().await?.datacenter_path == HOSTS_DATACENTER {
            true => Ok(None),
            false => self.find_child(name).await,
        }
    }

    /// The domain of that name in the datacenter's own folder of virtual machines.
    async fn find_child<P: PropertySet>(&self, name: &str) -> Result<Option<(Domain, Result<P>)>> {
        let request = FindChild {
            entity: self.place().await?.vm_folder.clone(),
            name: PERCENT.escape(name).into_owned(),
            ..Default::default()
        };
        self.find(name, &request).await
    }

    /// The domain of that name on the host, if it is what the request finds.
    async fn find<P, M>(&self, name: &str, request: &M) -> Result<Option<(Domain, Result<P>)>>
    where
        P: PropertySet,
        M: Method<Output = Option<ManagedObjectReference>>,
    {
        let moref = match self.client().call(request).await {
            Ok(Some(moref)) if moref.r#type == VirtualMachine::TYPE => moref,
            Ok(_) => return Ok(None),
            // Most likely the user lacks the permission to search, or the name has a character that XML cannot carry.
            Err(error) if error.fault().is_some() || matches!(error, Cause::Unsendable { .. }) => {
                debug!(%error, "the name is looked for in the list");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        // Servers find a name in upper and lower case, and the virtual machine may have been renamed since.
        let found = self.on_host(&moref).await;
        Ok(found?.filter(|(domain, _)| domain.name == name))
    }

    /// The domain of a virtual machine that may be on another host, or no domain at all; then there is none.
    async fn on_host<P: PropertySet>(
        &self,
        moref: &ManagedObjectReference,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let request = self.with_identity(Retrieve::from(moref));
        let request = request.set::<Host>().set::<P>();
        let Some(mut properties) = self.read_machine(moref, request).await? else {
            return Ok(None);
        };
        let host = Host::from_properties(&mut properties).ok();
        let host = host.and_then(|found| found.host);
        if host.as_ref() != Some(self.host_system().await?) {
            return Ok(None);
        }
        Ok(self.identify_along(properties).ok())
    }

    /// The first domain of that name in the list of the host's virtual machines.
    async fn search_name<P: PropertySet>(&self, name: &str) -> Result<(Domain, Result<P>)> {
        let missing = || no_domain(format!("Could not find domain with name '{name}'"));
        let request = self.virtual_machines().await?;
        let mut others = Vec::new();
        for found in self.client().retrieve_set::<Name>(request).await? {
            let raw = match found.properties {
                Ok(Name { name }) => name,
                Err(error) => {
                    debug!(%error, "left out of the search");
                    continue;
                }
            };
            // A name with an invalid escape is compared as it is; libvirt's search fails at it.
            let shown = identity::name(&raw).unwrap_or(raw);
            if shown == name {
                let found = self.domain_with(&found.object).await?;
                return found
                    .filter(|(domain, _)| domain.name == name)
                    .ok_or_else(missing);
            }
            others.push(shown);
        }
        let mut near = Near::new(name);
        others.iter().for_each(|other| near.consider(other));
        Err(near.advise(missing()))
    }

    /// The domain of a virtual machine; `None` if there is no such machine.
    pub(crate) async fn domain(&self, moref: &ManagedObjectReference) -> Result<Option<Domain>> {
        let found = self.domain_with::<NoProperties>(moref).await?;
        Ok(found.map(|(domain, _)| domain))
    }

    async fn domain_with<P: PropertySet>(
        &self,
        moref: &ManagedObjectReference,
    ) -> Result<Option<(Domain, Result<P>)>> {
        let request = self.with_identity(Retrieve::from(moref)).set::<P>();
        let found = self.read_machine(moref, request).await?;
        found
            .map(|properties| self.identify_along(properties))
            .transpose()
    }

    /// The properties of a request for one virtual machine; `None` if there is no such machine. A host that is not known yet
    /// is read with it.
    async fn read_machine(
        &self,
        moref: &ManagedObjectReference,
        request: Retrieve,
    ) -> Result<Option<ObjectProperties>> {
        let is_host_known = self.known_place().is_some();
        let request = match is_host_known {
            true => request,
            false => inventory::with_host(request),
        };
        let mut found = match self.client().retrieve(&request).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let at = found.iter().position(|found| found.object == *moref);
        let machine = at.map(|at| found.swap_remove(at));
        if !is_host_known {
            let mut objects = found.iter().map(|found| &found.object);
            let host = objects.find(|moref| moref.r#type == HostSystem::TYPE);
            if let Some(host) = host.cloned() {
                self.learn_place(&found.into_iter().collect(), &host);
            }
        }
        Ok(machine)
    }

    fn identify_along<P: PropertySet>(
        &self,
        properties: ObjectProperties,
    ) -> Result<(Domain, Result<P>)> {
        let along = along(&properties);
        Ok((self.identify(properties)?, along))
    }

    /// A request for properties of the host's virtual machines.
    pub(super) async fn virtual_machines(&self) -> Result<Retrieve> {
        Ok(Retrieve::from(self.host_system().await?)
            .skip_start()
            .select(Selection::along(|host: &HostSystem| &host.vm)))
    }
}

/// The properties that were read along with an identity, which may be among them.
fn along<P: PropertySet>(properties: &ObjectProperties) -> Result<P> {
    P::from_properties(&mut properties.clone()).map_err(Error::missing_property)
}
