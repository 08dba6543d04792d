//! Conversion between VMX files and libvirt's XML documents, without a domain.

use virt_model::{Document, DomainXmlFlags, ErrorNumber};

use crate::{Connect, Error, ErrorKind, Result};

/// libvirt's name for the VMX format.
const VMX: &str = "vmware-vmx";

impl Connect {
    /// Converts a VMX file into libvirt's XML document. `format` must be `vmware-vmx`; the file names its encoding.
    ///
    /// Relative file names become `[?] ?/NAME`, since the file's directory is not known; absolute file names need the
    /// host's datastores, one request.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the file cannot be converted, [`ErrorKind::ConfigFormat`] for another format.
    #[doc(alias = "virConnectDomainXMLFromNative")]
    pub async fn domain_xml_from_native(
        &self,
        format: &str,
        config: impl AsRef<[u8]>,
    ) -> Result<String> {
        check_format(format)?;
        let options = self.parse_options();
        let directory = "[?] ?".to_owned();
        let def = self.read_vmx(config.as_ref(), directory, &options).await?;
        Ok(def.to_xml(DomainXmlFlags::INACTIVE))
    }

    /// Converts libvirt's XML document into a VMX file for this host. `format` must be `vmware-vmx`.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if VMX cannot express the document, [`ErrorKind::ConfigFormat`] for another format.
    #[doc(alias = "virConnectDomainXMLToNative")]
    pub async fn domain_xml_to_native(&self, format: &str, xml: &str) -> Result<String> {
        check_format(format)?;
        let def = self.read_definition(xml, false)?;
        self.write_definition(&def).await
    }
}

fn check_format(format: &str) -> Result<()> {
    if format == VMX {
        return Ok(());
    }
    let message = format!("Unsupported config format '{format}'");
    let error = Error::new(ErrorKind::ConfigFormat, ErrorNumber::InvalidArg, message);
    Err(error.advise(format!("the only one is '{VMX}'")))
}
