use xmltree::Element;

use super::{
    NodeDeviceDef,
    capability::within,
    fields::{maybe_number, number},
};
use crate::{
    ErrorNumber,
    xml::{Build, Node, XmlError},
};

/// An adapter of SCSI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScsiHost {
    /// The number of the adapter.
    pub host: u32,
    /// The number that the adapter keeps.
    pub unique_id: Option<i32>,
    /// What an adapter of Fibre Channel has.
    pub fc_host: Option<FcHost>,
    /// Whether the adapter can have virtual ports.
    pub vport_ops: Option<VportOps>,
    #[doc(hidden)]
    pub _more: (),
}

/// What an adapter of Fibre Channel has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FcHost {
    /// The world wide name of the node.
    pub wwnn: String,
    /// The world wide name of the port.
    pub wwpn: String,
    /// The world wide name of the fabric.
    pub fabric_wwn: Option<String>,
}

/// The virtual ports of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VportOps {
    /// How many the adapter can have.
    pub max_vports: i32,
    /// How many it has.
    pub vports: i32,
}

/// A target of SCSI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScsiTarget {
    /// The name.
    pub name: String,
    /// The port of Fibre Channel that the target is behind.
    pub fc_remote_port: Option<FcRemotePort>,
    #[doc(hidden)]
    pub _more: (),
}

/// A port of Fibre Channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FcRemotePort {
    /// The name.
    pub rport: String,
    /// The world wide name.
    pub wwpn: String,
}

/// A unit of a target of SCSI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScsiUnit {
    /// The number of the adapter.
    pub host: u32,
    /// The number of the bus.
    pub bus: u32,
    /// The number of the target.
    pub target: u32,
    /// The number of the unit.
    pub lun: u32,
    /// What the unit is, such as `disk`.
    pub kind: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl ScsiHost {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<ScsiHost, XmlError> {
        let mut host = ScsiHost {
            host: number(node, "host", "SCSI host ID", def)?,
            unique_id: maybe_number(node, "unique_id", "unique_id", def)?,
            ..ScsiHost::default()
        };
        for mut capability in node.children("capability") {
            let Some(kind) = capability.attr("type") else {
                return Err(def.error(&capability, "missing SCSI host capability type"));
            };
            match kind.as_str() {
                "vport_ops" => {
                    let mut count = |name| {
                        let text = capability.text_of(name);
                        text.and_then(|text| text.parse().ok()).unwrap_or(0)
                    };
                    host.vport_ops = Some(VportOps {
                        max_vports: count("max_vports"),
                        vports: count("vports"),
                    });
                }
                "fc_host" => host.fc_host = Some(FcHost::read(&mut capability, def)?),
                other => {
                    let message = format!("unknown SCSI host capability type '{other}'");
                    return Err(def.error(&capability, &message));
                }
            }
        }
        Ok(host)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        element
            .maybe_text("host", Some(self.host))
            .maybe_text("unique_id", self.unique_id.filter(|id| *id >= 0))
            .children(self.fc_host.iter().map(|fc| {
                within("fc_host")
                    .maybe_text("wwnn", Some(&fc.wwnn))
                    .maybe_text("wwpn", Some(&fc.wwpn))
                    .maybe_text("fabric_wwn", fc.fabric_wwn.as_ref())
            }))
            .children(self.vport_ops.iter().map(|vports| {
                within("vport_ops")
                    .maybe_text("max_vports", Some(vports.max_vports))
                    .maybe_text("vports", Some(vports.vports))
            }))
    }
}

impl FcHost {
    fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<FcHost, XmlError> {
        let mut name = |element: &str, what: &str| {
            let text = node.text_of(element);
            text.ok_or_else(|| {
                let name = &def.name;
                let message =
                    format!("no {what} supplied for '{name}', and auto-generation failed");
                node.fail(ErrorNumber::InternalError, message)
            })
        };
        Ok(FcHost {
            wwnn: name("wwnn", "WWNN")?,
            wwpn: name("wwpn", "WWPN")?,
            fabric_wwn: node.text_of("fabric_wwn"),
        })
    }
}

impl ScsiTarget {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<ScsiTarget, XmlError> {
        let Some(name) = node.text_of("target") else {
            return Err(def.error(node, "no target name supplied"));
        };
        let mut target = ScsiTarget {
            name,
            ..ScsiTarget::default()
        };
        for mut capability in node.children("capability") {
            match capability.attr("type").as_deref() {
                None => {
                    return Err(def.error(&capability, "missing type for SCSI target capability"));
                }
                Some("fc_remote_port") => {
                    let Some(rport) = capability.text_of("rport") else {
                        return Err(def.error(&capability, "missing rport name"));
                    };
                    let Some(wwpn) = capability.text_of("wwpn") else {
                        return Err(def.error(&capability, "missing wwpn"));
                    };
                    target.fc_remote_port = Some(FcRemotePort { rport, wwpn });
                }
                Some(other) => {
                    let message = format!("unknown SCSI target capability type '{other}'");
                    return Err(def.error(&capability, &message));
                }
            }
        }
        Ok(target)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let port = self.fc_remote_port.as_ref();
        element
            .maybe_text("target", Some(&self.name))
            .children(port.map(|port| {
                within("fc_remote_port")
                    .maybe_text("rport", Some(&port.rport))
                    .maybe_text("wwpn", Some(&port.wwpn))
            }))
    }
}

impl ScsiUnit {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<ScsiUnit, XmlError> {
        Ok(ScsiUnit {
            host: number(node, "host", "SCSI host ID", def)?,
            bus: number(node, "bus", "SCSI bus ID", def)?,
            target: number(node, "target", "SCSI target ID", def)?,
            lun: number(node, "lun", "SCSI LUN ID", def)?,
            kind: node.text_of("type"),
            _more: (),
        })
    }

    pub(super) fn write(&self, element: Element) -> Element {
        element
            .maybe_text("host", Some(self.host))
            .maybe_text("bus", Some(self.bus))
            .maybe_text("target", Some(self.target))
            .maybe_text("lun", Some(self.lun))
            .maybe_text("type", self.kind.as_ref())
    }
}
