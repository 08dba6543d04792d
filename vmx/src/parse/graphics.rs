use virt_model::DomainDef;
use virt_model::domain::{Graphics, GraphicsType, Listen};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// Reads the VNC server.
    pub(super) fn graphics(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if !self.boolean("RemoteDisplay.vnc.enabled", false)? {
            return Ok(());
        }
        let key = "RemoteDisplay.vnc.port";
        let mut port = self.long(key, -1)?;
        if port == 0 && self.lenient() {
            // libvirt writes port -1, and reads it as no port.
            port = -1;
        }
        if self.is_beyond(key, port, i64::from(u16::MAX), "the hypervisor chooses one") {
            port = -1;
        } else if port < 0 {
            self.warn(key, "there is no port; the hypervisor chooses one");
        } else if !(5900..=5964).contains(&port) {
            self.warn(
                key,
                "the port is outside of 5900 to 5964, which VMware recommends",
            );
        }
        // libvirt keeps the lower 32 bits, and 0 is no port.
        let number = Some(port as i32).filter(|number| port >= 0 && *number != 0);
        let text = |name: &str| {
            let value = self.string(&format!("RemoteDisplay.vnc.{name}"))?;
            self.is_name(&value).then(|| value.into_owned())
        };
        def.devices.graphics.push(Graphics {
            kind: GraphicsType::Vnc,
            port: number,
            autoport: port < 0,
            keymap: text("keymap"),
            passwd: text("password"),
            listens: vec![Listen::Address {
                address: text("ip"),
            }],
            ..Graphics::default()
        });
        Ok(())
    }
}
