use virt_model::DomainDef;
use virt_model::domain::{CharDevice, CharSource, SocketMode, TcpProtocol};

use super::disk::AUTO;
use super::reader::Reader;
use super::uri::Uri;
use crate::names::Missing;
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Reads serial ports.
    pub(super) fn serials(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        for port in 0..4 {
            let source = self.serial(port)?;
            let serial = source.map(|source| CharDevice::new(source, port));
            def.devices.serials.extend(serial);
        }
        Ok(())
    }

    fn serial(&mut self, port: u32) -> Result<Option<CharSource>, VmxError> {
        let device = format!("serial{port}");
        let present = self.boolean(&format!("{device}.present"), false)?;
        let connected = self.starts_connected(&device)?;
        if !present {
            return Ok(None);
        }
        self.carried(&device);
        if !connected {
            self.warn_unconnected(&device);
        }
        let type_key = format!("{device}.fileType");
        let name_key = format!("{device}.fileName");
        let file_type = self.string(&type_key);
        let path = self.text(&name_key);
        let lower = file_type.as_ref().map(|kind| kind.to_ascii_lowercase());
        let has_end = matches!(lower.as_deref(), Some("file" | "pipe"));
        let is_device = matches!(lower.as_deref(), None | Some("device" | ""));
        if (has_end || is_device) && self.has_no_end(&name_key, path.as_deref())? {
            return Ok(Some(CharSource::Null));
        }
        match lower.as_deref() {
            Some("") if self.lenient() => Ok(Some(CharSource::Dev { path })),
            None | Some("device") => Ok(Some(CharSource::Dev { path })),
            Some("file") => {
                let name = path.unwrap_or_default();
                let path = self.file_name(&name_key, &name, Missing::Refused)?;
                Ok(Some(CharSource::File { path, append: None }))
            }
            Some("pipe") => Ok(Some(CharSource::Pipe { path })),
            Some("network") => self.network_serial(&device, path.as_deref()),
            Some(_) => {
                let found = file_type.unwrap_or_default();
                let accepted = "'device', 'file' or 'pipe' or 'network'";
                let error = self.expecting(&type_key, accepted, &found);
                self.tolerate(error, "the serial port is not connected")?;
                Ok(Some(CharSource::Null))
            }
        }
    }

    /// Whether, in lenient mode, a port has neither a file nor a device, with a warning. libvirt reads such ports, and defines no
    /// domain with one.
    pub(super) fn has_no_end(&mut self, key: &str, name: Option<&str>) -> Result<bool, VmxError> {
        let name = name.unwrap_or_default().trim();
        if !self.lenient() || !name.is_empty() && !name.eq_ignore_ascii_case(AUTO) {
            return Ok(false);
        }
        if name.is_empty() {
            self.lacks(key, NOT_CONNECTED)?;
        } else {
            self.warn(
                key,
                format!("any port of the host that is free; {NOT_CONNECTED}"),
            );
        }
        Ok(true)
    }

    fn network_serial(
        &mut self,
        device: &str,
        name: Option<&str>,
    ) -> Result<Option<CharSource>, VmxError> {
        let name_key = format!("{device}.fileName");
        let mode_key = format!("{device}.network.endPoint");
        let is_client = || {
            let end = self.string(&mode_key);
            end.is_some_and(|end| end.eq_ignore_ascii_case("client"))
        };
        let everywhere = name.filter(|_| self.lenient() && !is_client());
        let parsed = match everywhere.and_then(Uri::on_all_addresses) {
            Some(uri) => Some(uri),
            None => name.and_then(Uri::parse),
        };
        let uri = match parsed {
            Some(uri) if self.lenient() && uri.port > u32::from(u16::MAX) => {
                let port = uri.port;
                let text = format!("there is no port {port}; the serial port is not connected");
                self.warn(&name_key, text);
                return Ok(Some(CharSource::Null));
            }
            Some(uri) if uri.port != 0 => uri,
            _ if self.since(LibvirtVersion::V11_3) => {
                self.warn(
                    &name_key,
                    "the address has no port; the serial port is not connected",
                );
                return Ok(Some(CharSource::Null));
            }
            parsed => {
                let text = match parsed {
                    Some(_) => format!("VMX entry '{name_key}' doesn't contain a port part"),
                    None => format!("Unable to parse URI {}", name.unwrap_or("(null)")),
                };
                let error = self.error(&name_key, text).with_help(ADDRESS);
                self.tolerate(error, "the serial port is not connected")?;
                return Ok(Some(CharSource::Null));
            }
        };
        let scheme = uri.scheme.map(str::to_ascii_lowercase);
        let protocol = match scheme.as_deref() {
            None | Some("tcp" | "tcp4" | "tcp6") => TcpProtocol::Raw,
            Some("telnet") => TcpProtocol::Telnet,
            Some("telnets") => TcpProtocol::Telnets,
            Some("ssl" | "tcp+ssl" | "tcp4+ssl" | "tcp6+ssl") => TcpProtocol::Tls,
            Some(_) => {
                let scheme = uri.scheme.unwrap_or_default();
                let text = format!("VMX entry '{name_key}' contains unsupported scheme '{scheme}'");
                let error = self.error(&name_key, text).with_help(ADDRESS);
                self.tolerate(error, "plain TCP is used")?;
                TcpProtocol::Raw
            }
        };
        let end = self.string(&mode_key);
        let lower = end.as_ref().map(|end| end.to_ascii_lowercase());
        let mode = match lower.as_deref() {
            None | Some("server") => SocketMode::Bind,
            Some("client") => SocketMode::Connect,
            Some(_) => {
                let found = end.unwrap_or_default();
                let error = self.expecting(&mode_key, "'server' or 'client'", &found);
                self.tolerate(error, "server is used")?;
                SocketMode::Bind
            }
        };
        Ok(Some(CharSource::Tcp {
            mode,
            host: uri.host.map(|host| host.into_owned()),
            service: Some(uri.port.to_string()),
            protocol,
        }))
    }
}

const NOT_CONNECTED: &str = "the port is not connected";

const ADDRESS: &str =
    "write tcp, telnet, telnets or ssl with an address and a port: telnet://192.0.2.1:4001";
