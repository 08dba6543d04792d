//! VMware's VMX files as libvirt's domain definitions, and back.

pub mod escape;
