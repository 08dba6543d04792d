//! libvirt's values and XML documents.
