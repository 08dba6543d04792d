use virt_model::DomainDef;
use virt_model::domain::{CharSource, SocketMode, TcpProtocol};

use super::validate::missing_attribute;
use super::{Writer, ports};
use crate::VmxError;

impl Writer<'_> {
    /// Writes serial ports.
    pub(super) fn serials(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        for serial in &def.devices.serials {
            let port = serial.target_port.unwrap_or_default();
            ports::check("Serial", port, 3)?;
            self.serial(port, &serial.source)?;
        }
        Ok(())
    }

    fn serial(&mut self, port: u32, source: &CharSource) -> Result<(), VmxError> {
        let key = |name: &str| format!("serial{port}.{name}");
        self.line(&key("present"), "true");
        match source {
            CharSource::Dev { path } => {
                self.line(&key("fileType"), "device");
                if let Some(path) = path {
                    self.text(&key("fileName"), path);
                }
            }
            CharSource::Null if self.lenient() => self.line(&key("fileType"), "device"),
            CharSource::File { path, .. } => {
                self.line(&key("fileType"), "file");
                let path = path.as_ref().ok_or_else(|| missing_attribute("path"))?;
                self.file_name(&key("fileName"), path)?;
            }
            CharSource::Pipe { path } => {
                self.line(&key("fileType"), "pipe");
                // libvirt's definition does not tell which side of the pipe the machine is.
                self.line(&key("pipe.endPoint"), "client");
                self.line(&key("tryNoRxLoss"), "false");
                if let Some(path) = path {
                    self.text(&key("fileName"), path);
                }
            }
            CharSource::Tcp {
                mode,
                host,
                service,
                protocol,
            } => {
                let scheme = match protocol {
                    TcpProtocol::Raw => "tcp",
                    TcpProtocol::Telnet => "telnet",
                    TcpProtocol::Telnets => "telnets",
                    TcpProtocol::Tls => "ssl",
                    other => {
                        return Err(VmxError::unsupported(format!(
                            "Unsupported character device TCP protocol '{other}'"
                        )));
                    }
                };
                let end = match mode {
                    SocketMode::Bind => "server",
                    _ => "client",
                };
                let host = host.as_deref().unwrap_or_default();
                let service = service
                    .as_ref()
                    .ok_or_else(|| missing_attribute("service"))?;
                self.line(&key("fileType"), "network");
                self.text(&key("fileName"), &format!("{scheme}://{host}:{service}"));
                self.line(&key("network.endPoint"), end);
            }
            other => return Err(ports::unsupported(other)),
        }
        self.line(&key("yieldOnMsrRead"), "true");
        Ok(())
    }
}
