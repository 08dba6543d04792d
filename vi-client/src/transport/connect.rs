//! From an endpoint to a byte stream: name lookup, TCP, proxy, TLS.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::TransportError;
use super::error::ProxyProblem;
use super::https::{Endpoint, Scheme};
use super::proxy::{self, Proxy, ProxyKind};
use super::tls::Tls;

/// TLS reads records of 16 KiB in small pieces; from a buffer of this size, a system call reads several records.
const TLS_BUFFER: usize = 128 << 10;

/// How long to wait for one address before the next one is tried in parallel (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Opens a stream to `endpoint`, ready for HTTP.
pub(super) async fn open(
    endpoint: &Endpoint,
    via: Option<&Proxy>,
    tls: &Tls,
) -> Result<Box<dyn ByteStream>, TransportError> {
    loop {
        let tcp = match via {
            None => dial(&endpoint.host, endpoint.port).await?,
            Some(via) => through(via, endpoint).await?,
        };
        if endpoint.scheme == Scheme::Http {
            return Ok(Box::new(tcp));
        }
        let buffered = BufReader::with_capacity(TLS_BUFFER, tcp);
        if let Some(stream) = tls.handshake(endpoint, buffered).await? {
            return Ok(Box::new(stream));
        }
    }
}

async fn through(via: &Proxy, endpoint: &Endpoint) -> Result<TcpStream, TransportError> {
    let mut tcp = dial(&via.host, via.port).await?;
    let (host, port) = (endpoint.host.as_str(), endpoint.port);
    let asked = match (via.kind, endpoint.scheme) {
        // The request line names the server.
        (ProxyKind::Http, Scheme::Http) => Ok(()),
        (ProxyKind::Http, Scheme::Https) => {
            proxy::http_connect(&mut tcp, &endpoint.authority(), via).await
        }
        (ProxyKind::Socks4, _) => {
            let addresses = resolve(host, port).await?;
            match addresses.iter().find(|address| address.is_ipv4()) {
                Some(&address) => proxy::socks4(&mut tcp, address, via).await,
                None => Err(ProxyProblem::Address(
                    "the server has no IPv4 address, and SOCKS4 knows no other",
                )),
            }
        }
        (ProxyKind::Socks4a, _) => proxy::socks4a(&mut tcp, host, port, via).await,
        (ProxyKind::Socks5, _) => proxy::socks5(&mut tcp, host, port, via).await,
    };
    asked.map_err(|problem| TransportError::Proxy {
        proxy: Box::new(via.clone()),
        server: endpoint.authority(),
        problem,
    })?;
    Ok(tcp)
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
    let failed = |source| TransportError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses: Vec<_> = tokio::net::lookup_host((host, port))
        .await
        .map_err(failed)?
        .collect();
    if addresses.is_empty() {
        return Err(failed(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )));
    }
    Ok(addresses)
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, TransportError> {
    let addresses = alternate(resolve(host, port).await?);
    let stream = race(addresses)
        .await
        .map_err(|source| TransportError::Connect {
            server: format!("{}:{port}", super::https::bracketed(host)),
            source,
        })?;
    // Nagle's algorithm would only delay small requests that wait for their answers.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// IPv6 and IPv4 addresses by turns, beginning with the resolver's first choice.
fn alternate(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut turns = VecDeque::new();
    while !first.is_empty() || !second.is_empty() {
        turns.extend(first.pop_front());
        turns.extend(second.pop_front());
    }
    turns
}

/// Connects to the first address that answers; fails with the error of the last one.
async fn race(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    if addresses.len() == 1 {
        return TcpStream::connect(addresses[0]).await;
    }
    let mut attempts = JoinSet::new();
    let mut last_error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match addresses.pop_front() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
            }
            None if attempts.is_empty() => return Err(last_error),
            None => {}
        }
        let patience = if addresses.is_empty() {
            Duration::MAX
        } else {
            ATTEMPT_DELAY
        };
        match tokio::time::timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => last_error = error,
            Ok(Some(Err(panicked))) => last_error = io::Error::other(panicked),
            Ok(None) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |text: &str| text.parse::<SocketAddr>().unwrap();
        let turns = alternate(vec![
            parse("[::1]:1"),
            parse("[::2]:1"),
            parse("[::3]:1"),
            parse("127.0.0.1:1"),
        ]);
        let ports: Vec<_> = turns.iter().map(ToString::to_string).collect();
        assert_eq!(ports, ["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"]);
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hide_a_live_one() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = listener.local_addr().unwrap();
        let dead = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let stream = race(VecDeque::from([dead, live])).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
        let error = race(VecDeque::from([dead, dead])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
