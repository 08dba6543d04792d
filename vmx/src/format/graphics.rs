use virt_model::DomainDef;
use virt_model::domain::{Graphics, GraphicsType, Listen};

use super::Writer;
use crate::VmxError;

impl Writer<'_> {
    /// Writes the VNC server.
    pub(super) fn graphics(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        for graphics in &def.devices.graphics {
            if graphics.kind != GraphicsType::Vnc {
                return Err(VmxError::unsupported(format!(
                    "Unsupported graphics type '{}'",
                    graphics.kind
                ))
                .with_help("use type 'vnc'"));
            }
            self.vnc(graphics);
        }
        Ok(())
    }

    fn vnc(&mut self, graphics: &Graphics) {
        let key = |name: &str| format!("RemoteDisplay.vnc.{name}");
        self.line(&key("enabled"), "true");
        match graphics.port.filter(|port| *port != -1) {
            _ if graphics.autoport => {}
            Some(port) => self.line(&key("port"), port),
            // libvirt's number for no port. VMware takes 5900 if the key is missing.
            None if self.lenient() => {}
            None => self.line(&key("port"), 0),
        }
        // The address of a network is known while the domain runs only.
        let address = match graphics.listens.first() {
            Some(Listen::Address { address }) => address.as_deref(),
            _ => None,
        };
        for (name, value) in [
            ("ip", address),
            ("keymap", graphics.keymap.as_deref()),
            ("password", graphics.passwd.as_deref()),
        ] {
            if let Some(value) = value {
                self.text(&key(name), value);
            }
        }
    }
}
