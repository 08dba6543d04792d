//! Definitions of domains: reading a domain's definition. [`define`] makes a domain of a definition,
//! [`convert`] converts between libvirt's form and VMware's.

mod capabilities;
mod controllers;
mod convert;
mod create;
mod define;
mod difference;
mod native;
mod settings;

use vi_client::property_set;
use vi_types::enums::VirtualMachinePowerState;
use virt_model::flags::refuse_unknown;
use virt_model::{Document, DomainDef, DomainXmlFlags};
use vmx::{LibvirtVersion, VmwareNamespace};

use super::Domain;
use crate::{DatastorePath, Result};

property_set! {
    /// Where the definition of a domain is, for [`Domain::xml_desc_of`].
    #[derive(Debug, Clone)]
    pub struct DomainConfiguration: VirtualMachine {
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
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such virtual machine any more;
    /// [`File`](crate::ErrorKind::File) if the VMX file cannot be downloaded;
    /// [`Definition`](crate::ErrorKind::Definition) if it cannot be converted;
    /// [`UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for [`DomainXmlFlags::UPDATE_CPU`].
    #[doc(alias = "virDomainGetXMLDesc")]
    pub async fn xml_desc(&self, flags: DomainXmlFlags) -> Result<String> {
        refuse_unknown(flags, XML_FLAGS, "esxDomainGetXMLDesc")?;
        let configuration: DomainConfiguration = self.properties().await?;
        self.xml_desc_of(&configuration, flags).await
    }

    /// The domain's definition, as [`xml_desc`](Domain::xml_desc), from a configuration that was read before: a request
    /// less. A [lookup](crate::Connect::lookup_by_name_with) can read it.
    ///
    /// # Errors
    /// As [`xml_desc`](Domain::xml_desc).
    pub async fn xml_desc_of(
        &self,
        configuration: &DomainConfiguration,
        flags: DomainXmlFlags,
    ) -> Result<String> {
        refuse_unknown(flags, XML_FLAGS, "esxDomainGetXMLDesc")?;
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
        // Devices are found by libvirt's names of their places.
        options.libvirts_disk_names = true;
        let datacenter_path = &self.connect.place().await?.datacenter_path;
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
}
