//! Conversions of files, which need no host.

mod convert;
mod vmx2xml;
mod xml2vmx;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Files without a host",
    keyword: "files",
    rows: &[
        Row::local::<vmx2xml::Vmx2xml>("vmx2xml"),
        Row::local::<xml2vmx::Xml2vmx>("xml2vmx"),
    ],
};
