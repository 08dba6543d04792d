use virt_model::DomainDef;
use virt_model::domain::{CharSource, SocketMode, TcpProtocol};

use super::{Writer, ports};
use crate::VmxError;

impl Writer<'_> {
    /// Serial ports.
    pub(super) fn serials(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        for (port, serial) in ports::numbered(&def.devices.serials) {
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
                self.optional(&key("fileName"), path.as_deref());
            }
            CharSource::File { path, .. } => {
                self.line(&key("fileType"), "file");
                self.file_name(&key("fileName"), path.as_deref())?;
            }
            CharSource::Pipe { path } => {
                self.line(&key("fileType"), "pipe");
                // libvirt doesn't know on which end of the pipe the machine is.
                self.line(&key("pipe.endPoint"), "client");
                self.line(&key("tryNoRxLoss"), "false");
                self.optional(&key("fileName"), path.as_deref());
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
                let none = if self.lenient() { "" } else { "(null)" };
                let host = host.as_deref().unwrap_or(none);
                let service = service.as_deref().unwrap_or(none);
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
