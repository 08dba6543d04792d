//! Proxies: HTTP CONNECT and SOCKS 4, 4a and 5, without authentication.
//!
//! hyper-util has such connectors too, but they drop the proxy's answer, which our errors report.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::error::ProxyProblem;

/// A proxy between the client and the server.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The proxy's protocol.
    pub kind: ProxyKind,
    /// The proxy's name or address; IPv6 without brackets.
    pub host: String,
    /// The proxy's port.
    pub port: u16,
}

impl Proxy {
    /// The default port of all kinds of proxies, as in libvirt's ESX driver, which leaves it to libcurl.
    pub const DEFAULT_PORT: u16 = 1080;

    /// A proxy at a port, usually [`DEFAULT_PORT`](Self::DEFAULT_PORT).
    pub fn new(kind: ProxyKind, host: impl Into<String>, port: u16) -> Self {
        Self {
            kind,
            host: host.into(),
            port,
        }
    }
}

/// The protocol of a [`Proxy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyKind {
    /// HTTP: CONNECT for HTTPS servers, requests in absolute form for HTTP servers.
    Http,
    /// SOCKS 4: IPv4 only; the client looks the server's name up.
    Socks4,
    /// SOCKS 4a: the proxy looks the server's name up.
    Socks4a,
    /// SOCKS 5 without authentication; the proxy looks the server's name up.
    Socks5,
}

impl ProxyKind {
    /// The name in URIs: `http`, `socks4`, `socks4a`, `socks5`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socks4 => "socks4",
            Self::Socks4a => "socks4a",
            Self::Socks5 => "socks5",
        }
    }
}

impl fmt::Display for ProxyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}:{}",
            self.kind,
            super::https::bracketed(&self.host),
            self.port
        )
    }
}

/// Asks an HTTP proxy for a tunnel (RFC 9110, section 9.3.6). `target` is `host:port`.
pub(super) async fn http_connect<S>(stream: &mut S, target: &str) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;

    // One byte at a time: what follows the head belongs to the tunnel.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == 8192 {
            return Err(ProxyProblem::Protocol("HTTP"));
        }
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    let Some(status) = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split_once(' '))
        .map(|(_, status)| status)
    else {
        return Err(ProxyProblem::Protocol("HTTP"));
    };
    match status.get(..3) {
        Some(code) if code.starts_with('2') => Ok(()),
        Some("407") => Err(ProxyProblem::WantsAuthentication),
        _ => Err(ProxyProblem::Status(status.to_owned())),
    }
}

/// Asks a SOCKS 4 proxy for a connection to an address.
pub(super) async fn socks4<S>(stream: &mut S, server: SocketAddr) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let IpAddr::V4(address) = server.ip() else {
        return Err(ProxyProblem::Address("SOCKS4 knows no IPv6 addresses"));
    };
    socks4_request(stream, address, server.port(), None).await
}

/// Asks a SOCKS 4a proxy for a connection to a host that the proxy looks up.
pub(super) async fn socks4a<S>(stream: &mut S, host: &str, port: u16) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match host.parse() {
        Ok(IpAddr::V4(address)) => socks4_request(stream, address, port, None).await,
        Ok(IpAddr::V6(_)) => Err(ProxyProblem::Address("SOCKS4a knows no IPv6 addresses")),
        // 0.0.0.x, x not 0, says that a name follows
        Err(_) => socks4_request(stream, Ipv4Addr::new(0, 0, 0, 1), port, Some(host)).await,
    }
}

async fn socks4_request<S>(
    stream: &mut S,
    address: Ipv4Addr,
    port: u16,
    name: Option<&str>,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![4, 1];
    request.extend(port.to_be_bytes());
    request.extend(address.octets());
    request.push(0); // an empty user id
    if let Some(name) = name {
        request.extend(name.as_bytes());
        request.push(0);
    }
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await?;
    match answer {
        [0, 90, ..] => Ok(()),
        [0, 91, ..] => Err(ProxyProblem::Refused("request rejected or failed")),
        [0, 92 | 93, ..] => Err(ProxyProblem::Refused("it cannot verify our user id")),
        _ => Err(ProxyProblem::Protocol("SOCKS4")),
    }
}

/// Asks a SOCKS 5 proxy for a connection to a host that the proxy looks up (RFC 1928).
pub(super) async fn socks5<S>(stream: &mut S, host: &str, port: u16) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&[5, 1, 0]).await?;
    stream.flush().await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match chosen {
        [5, 0] => {}
        [5, 0xff] => return Err(ProxyProblem::WantsAuthentication),
        _ => return Err(ProxyProblem::Protocol("SOCKS5")),
    }

    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| {
                ProxyProblem::Address("SOCKS5 knows no names longer than 255 bytes")
            })?;
            request.extend([3, length]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    let [5, reply, _, kind] = answer else {
        return Err(ProxyProblem::Protocol("SOCKS5"));
    };
    if reply != 0 {
        return Err(ProxyProblem::Refused(socks5_reply(reply)));
    }
    let bound = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyProblem::Protocol("SOCKS5")),
    };
    let mut address_and_port = vec![0; bound + 2];
    stream.read_exact(&mut address_and_port).await?;
    Ok(())
}

/// RFC 1928, section 6.
fn socks5_reply(code: u8) -> &'static str {
    match code {
        1 => "general failure of the proxy",
        2 => "its rules do not allow the connection",
        3 => "network is unreachable",
        4 => "no route to host",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "it does not support the command",
        8 => "it does not support this type of address",
        _ => "it refused without a known reason",
    }
}
