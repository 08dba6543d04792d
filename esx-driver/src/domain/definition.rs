//! Definitions of domains: reading a domain's definition, and removing a domain. [`define`] makes a domain of a definition,
//! [`convert`] converts between libvirt's form and VMware's.

mod controllers;
mod convert;
mod create;
mod define;
mod difference;
mod native;
mod settings;

use vi_client::{Client, property_set};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::references;
use virt_model::flags::refuse_unknown;
use virt_model::{Document, DomainDef, DomainXmlFlags, ErrorNumber};
use vmx::{LibvirtVersion, VmwareNamespace};

use super::{Domain, Power};
use crate::engine::{Change, Effect};
use crate::{DatastorePath, Error, ErrorKind, Operation, Result, UndefineFlags};

property_set! {
    struct Configuration: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        path: String = config.files.vm_path_name,
    }
}

/// The flags that esxDomainGetXMLDesc of libvirt 9.0.0 accepts.
const XML_FLAGS: DomainXmlFlags = DomainXmlFlags::from_bits(
    DomainXmlFlags::SECURE.bits()
        | DomainXmlFlags::INACTIVE.bits()
        | DomainXmlFlags::MIGRATABLE.bits(),
);

impl Domain {
    /// The domain's definition as libvirt's XML document, converted from its VMX file on the datastore.
    ///
    /// Values that libvirt refuses are converted as well as possible, with warnings in the log. With `libvirt=VERSION` in
    /// the URI, the result is that libvirt's document or its error.
    ///
    /// Two requests, and one more if the file has absolute file names, which need the host's datastores.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more; [`ErrorKind::File`] if the VMX file cannot be
    /// downloaded; [`ErrorKind::Definition`] if it cannot be converted; [`ErrorKind::UnsupportedFlags`] for
    /// [`DomainXmlFlags::UPDATE_CPU`].
    #[doc(alias = "virDomainGetXMLDesc")]
    pub async fn xml_desc(&self, flags: DomainXmlFlags) -> Result<String> {
        refuse_unknown(flags, XML_FLAGS, "esxDomainGetXMLDesc")?;
        let configuration: Configuration = self.properties().await?;
        let def = self
            .definition(&configuration.path, &configuration.power_state)
            .await?;
        Ok(def.to_xml(flags))
    }

    /// The definition that [`xml_desc`](Domain::xml_desc) describes, converted from the VMX file at `path`.
    async fn definition(
        &self,
        path: &str,
        power_state: &VirtualMachinePowerState,
    ) -> Result<DomainDef> {
        let path: DatastorePath = path.parse()?;
        let text = self.connect.download(&path).await?;
        let mut options = self.connect.parse_options();
        options.default_name = Some(self.name.clone());
        let datacenter_path = &self.connect.place().datacenter_path;
        options.namespace = VmwareNamespace::new(datacenter_path, &self.moref.value);
        let directory = path.parent().to_string();
        let mut def = self.connect.read_vmx(&text, directory, &options).await?;
        if *power_state != VirtualMachinePowerState::PoweredOff {
            let id = super::identity::id(&self.moref.value)?;
            def.id = u32::try_from(id).ok();
        }
        // Since libvirt 12.4 a definition has both UUIDs; before, its only UUID is the BIOS UUID.
        let has_both = options.libvirt >= LibvirtVersion::V12_4;
        if has_both && !self.connect.by_instance_uuid() {
            def.uuid = Some(def.hwuuid.unwrap_or_default());
        }
        Ok(def)
    }

    /// Removes the domain, which must be off or paused, from the host's inventory. Its files stay on their datastores.
    ///
    /// With `vcenter=` the vCenter removes it, as in libvirt 9.0.0 (esxDomainUndefineFlags).
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it runs; [`ErrorKind::UnsupportedFlags`] for any flag but
    /// [`UndefineFlags::SNAPSHOTS_METADATA`].
    #[doc(alias("virDomainUndefine", "virDomainUndefineFlags"))]
    pub fn undefine(&self, flags: UndefineFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not undefine domain", move |mut runner| {
            Box::pin(async move {
                let known = UndefineFlags::SNAPSHOTS_METADATA;
                refuse_unknown(flags, known, "esxDomainUndefineFlags")?;
                runner.prepare(domain.ensure_not_on()).await?;
                let (client, vm) = runner.prepare(domain.at_vcenter()).await?;
                let change = Change::call(&client, vm.unregister_vm())
                    .verified_by(move || Box::pin(is_unregistered(client.clone(), vm.clone())));
                runner.perform(change).await
            })
        })
    }

    /// Fails if the domain runs.
    async fn ensure_not_on(&self) -> Result<()> {
        let power: Power = self.properties().await?;
        if power.power_state != VirtualMachinePowerState::PoweredOn {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            "Domain is not suspended or powered off",
        ))
    }
}

/// Whether the virtual machine is no longer in the server's inventory.
async fn is_unregistered(client: Client, vm: references::VirtualMachine) -> Result<Effect<()>> {
    let found = client.read_opt::<Power>(vm.as_ref()).await?;
    Ok(match found {
        Some(_) => Effect::NotDone,
        None => Effect::Done(()),
    })
}
