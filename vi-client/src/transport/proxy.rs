//! Proxies: HTTP CONNECT and SOCKS 4, 4a and 5, with a user and a password where the protocol has them.
//!
//! hyper-util has such connectors too, but they drop the proxy's answer, which our errors report.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::error::ProxyProblem;
use crate::Password;

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
    /// The user, if the proxy wants one. SOCKS 4 knows users, but no passwords.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Password>,
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
            user: None,
            password: None,
        }
    }

    /// Logs in to the proxy: Basic (RFC 7617) for HTTP, RFC 1929 for SOCKS 5.
    #[must_use]
    pub fn login(mut self, user: impl Into<String>, password: Option<Password>) -> Self {
        self.user = Some(user.into());
        self.password = password;
        self
    }

    /// What status 407 says.
    pub(super) fn login_problem(&self) -> ProxyProblem {
        match self.user {
            Some(_) => ProxyProblem::WrongLogin,
            None => ProxyProblem::WantsAuthentication,
        }
    }

    fn secret(&self) -> &str {
        self.password.as_ref().map_or("", Password::reveal)
    }

    /// The value of `Proxy-Authorization`. It is a secret.
    pub(super) fn authorization(&self) -> Option<String> {
        let user = self.user.as_ref()?;
        let login = STANDARD.encode(format!("{user}:{}", self.secret()));
        Some(format!("Basic {login}"))
    }
}

/// The text names no proxy. No error shows a part that can hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// The protocol is not supported; its name, if it is one.
    #[error("unexpected type{} (should be (http|socks(|4|4a|5))", quoted(.0))]
    Kind(Option<String>),
    /// There is no host.
    #[error("no hostname")]
    Host,
    /// The port is no port; the number, if it is one.
    #[error("unexpected port value{} (should be [1..65535])", quoted(.0))]
    Port(Option<String>),
}

fn quoted(text: &Option<String>) -> String {
    text.as_ref()
        .map_or_else(String::new, |text| format!(" '{text}'"))
}

/// `[http://|socks://|socks4://|socks4a://|socks5://][USER[:PASSWORD]@]HOST[:PORT]`. The last `@` ends the password, so that
/// it may have all characters.
impl FromStr for Proxy {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let (kind, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = match kind {
            "http" => ProxyKind::Http,
            "socks" | "socks5" => ProxyKind::Socks5,
            "socks4" => ProxyKind::Socks4,
            "socks4a" => ProxyKind::Socks4a,
            other => {
                let is_name =
                    !rest.contains('@') && other.bytes().all(|c| c.is_ascii_alphanumeric());
                return Err(InvalidProxy::Kind(is_name.then(|| other.to_owned())));
            }
        };
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        let in_brackets = address
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'));
        let (host, port) = match in_brackets {
            Some((host, port)) if port.is_empty() || port.starts_with(':') => {
                (host, port.strip_prefix(':'))
            }
            _ => match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        if host.is_empty() {
            return Err(InvalidProxy::Host);
        }
        let port = match port {
            None => Self::DEFAULT_PORT,
            Some(text) => number(text).ok_or_else(|| {
                let digits = text.trim_start_matches(['+', '-']);
                let is_number = !digits.is_empty()
                    && digits.len() < 8
                    && digits.bytes().all(|c| c.is_ascii_digit());
                InvalidProxy::Port(is_number.then(|| text.to_owned()))
            })?,
        };
        let proxy = Self::new(kind, host, port);
        Ok(
            match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
                Some((user, password)) => {
                    let password = (!password.is_empty()).then(|| password.into());
                    proxy.login(user, password)
                }
                None => proxy,
            },
        )
    }
}

/// A port as C's `strtol` reads it when nothing may follow: white space and a sign in front.
fn number(text: &str) -> Option<u16> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    text.parse().ok().filter(|port| *port > 0)
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
    /// SOCKS 5; the proxy looks the server's name up.
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
pub(super) async fn http_connect<S>(
    stream: &mut S,
    target: &str,
    via: &Proxy,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let login = via.authorization().map_or_else(String::new, |login| {
        format!("Proxy-Authorization: {login}\r\n")
    });
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
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
        Some("407") => Err(via.login_problem()),
        _ => Err(ProxyProblem::Status(status.to_owned())),
    }
}

/// Asks a SOCKS 4 proxy for a connection to an address.
pub(super) async fn socks4<S>(
    stream: &mut S,
    server: SocketAddr,
    via: &Proxy,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let IpAddr::V4(address) = server.ip() else {
        return Err(ProxyProblem::Address("SOCKS4 knows no IPv6 addresses"));
    };
    socks4_request(stream, via, address, server.port(), None).await
}

/// Asks a SOCKS 4a proxy for a connection to a host that the proxy looks up.
pub(super) async fn socks4a<S>(
    stream: &mut S,
    host: &str,
    port: u16,
    via: &Proxy,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match host.parse() {
        Ok(IpAddr::V4(address)) => socks4_request(stream, via, address, port, None).await,
        Ok(IpAddr::V6(_)) => Err(ProxyProblem::Address("SOCKS4a knows no IPv6 addresses")),
        // 0.0.0.x, x not 0, says that a name follows
        Err(_) => socks4_request(stream, via, Ipv4Addr::new(0, 0, 0, 1), port, Some(host)).await,
    }
}

async fn socks4_request<S>(
    stream: &mut S,
    via: &Proxy,
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
    let user = via.user.as_deref().unwrap_or_default();
    if user.contains('\0') {
        return Err(ProxyProblem::Address(
            "SOCKS4 knows no user names with a NUL",
        ));
    }
    request.extend(user.as_bytes());
    request.push(0);
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
pub(super) async fn socks5<S>(
    stream: &mut S,
    host: &str,
    port: u16,
    via: &Proxy,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = match &via.user {
        Some(_) => &[5, 2, 0, 2],
        None => &[5, 1, 0],
    };
    stream.write_all(methods).await?;
    stream.flush().await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match chosen {
        [5, 0] => {}
        [5, 2] if via.user.is_some() => socks5_login(stream, via).await?,
        [5, 0xff] if via.user.is_some() => return Err(ProxyProblem::WrongLogin),
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

/// RFC 1929.
async fn socks5_login<S>(stream: &mut S, via: &Proxy) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![1];
    for word in [via.user.as_deref().unwrap_or_default(), via.secret()] {
        let length = u8::try_from(word.len()).map_err(|_| {
            ProxyProblem::Address("SOCKS5 knows no user names and passwords longer than 255 bytes")
        })?;
        request.push(length);
        request.extend(word.as_bytes());
    }
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    match answer {
        [1, 0] => Ok(()),
        [1, _] => Err(ProxyProblem::WrongLogin),
        _ => Err(ProxyProblem::Protocol("SOCKS5")),
    }
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
