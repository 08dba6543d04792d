//! The checks that libvirt makes before it writes VMX.

use virt_model::{DomainDef, ErrorNumber, LibvirtVersion, XmlError};

use crate::VmxError;

/// Checks that VMware's hosts can run the domain, and that the libvirt version knows everything in it.
pub(super) fn check_known(def: &DomainDef, libvirt: LibvirtVersion) -> Result<(), VmxError> {
    check_capabilities(def)?;
    def.check_known_to(libvirt).map_err(of_document)
}

/// Checks that VMware's hosts can run the domain: full virtualization of PCs.
fn check_capabilities(def: &DomainDef) -> Result<(), VmxError> {
    let arch = def.os.arch.as_deref().unwrap_or("i686");
    let os_type = match def.os.os_type.as_str() {
        "hvm" => String::new(),
        other => format!("ostype={other} "),
    };
    let kind = match def.virt_type.as_str() {
        // libvirt reads the type `none` as any type.
        "none" => String::new(),
        kind => format!("domaintype={kind} "),
    };
    let known = matches!(arch, "i686" | "x86_64") && os_type.is_empty();
    if known && (kind.is_empty() || def.virt_type == "vmware") {
        return Ok(());
    }
    // libvirt's text ends in a blank (virCapabilitiesDomainDataLookup).
    let text = format!("could not find capabilities for {os_type}arch={arch} {kind}");
    Err(VmxError::new(ErrorNumber::InvalidArg, text)
        .with_help("use type 'vmware', arch 'i686' or 'x86_64', os type 'hvm'"))
}

/// Checks a complete definition as libvirt checks it for every driver.
pub(super) fn check(def: &DomainDef) -> Result<(), VmxError> {
    def.validate(&crate::defaults()).map_err(of_document)
}

/// Converts the error of a generic check.
pub(super) fn of_document(error: XmlError) -> VmxError {
    if error.number() == ErrorNumber::NoSource {
        return no_source(error.message());
    }
    let found = VmxError::new(error.number(), error.message());
    match error.value() {
        Some(value) => found.with_value(value),
        None => found,
    }
}

/// The error for a device without the source that it needs.
pub(super) fn no_source(device: &str) -> VmxError {
    VmxError::new(ErrorNumber::NoSource, device).with_help("add a <source>")
}

/// The error for a port whose source lacks an attribute.
pub(super) fn missing_attribute(name: &str) -> VmxError {
    VmxError::internal(format!("Missing source {name} attribute for char device"))
}
