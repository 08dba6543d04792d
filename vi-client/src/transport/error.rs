use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Proxy, Thumbprint};

/// Why a request got no complete answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The name of the server, or of the proxy, has no address.
    #[error("cannot find the address of '{host}'")]
    Resolve {
        /// The name that was looked up.
        host: String,
        /// The resolver's error.
        source: io::Error,
    },
    /// No TCP connection: refused, or the host is unreachable.
    #[error("cannot connect to {server}: {}", reason(.source))]
    Connect {
        /// Host and port.
        server: String,
        /// The system's error for the last address tried.
        source: io::Error,
    },
    /// No connection (TCP, proxy and TLS together) within the timeout.
    #[error("cannot connect to {server}: no connection after {} s", .after.as_secs_f32())]
    ConnectTimeout {
        /// Host and port.
        server: String,
        /// The timeout.
        after: Duration,
    },
    /// The proxy was reached but did not connect to the server.
    #[error("the proxy {proxy} gives no connection to {server}: {problem}")]
    Proxy {
        /// The proxy.
        proxy: Box<Proxy>,
        /// Host and port behind it.
        server: String,
        /// The reason.
        problem: ProxyProblem,
    },
    /// TLS could not be set up, or the server's certificate is not trusted.
    #[error("no secure connection to {server}: {problem}")]
    Tls {
        /// Host and port.
        server: String,
        /// The reason.
        problem: TlsError,
    },
    /// The connection ended before the end of the answer.
    #[error("{server} closed the connection {}", if *.answering { "in the middle of its answer" } else { "without an answer" })]
    Closed {
        /// Host and port.
        server: String,
        /// Whether the answer had begun.
        answering: bool,
        /// Whether an earlier request had used the connection. The server may have closed it while it was idle, so a
        /// request that only reads may be sent again.
        reused: bool,
        /// The cause, if it is more than the end of the stream.
        source: Option<io::Error>,
    },
    /// The program on this port does not speak HTTP.
    #[error("{server} does not speak HTTP: {reason}")]
    NotHttp {
        /// Host and port.
        server: String,
        /// The mistake in its answer.
        reason: String,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than the {limit} bytes allowed{}", .announced.map(|n| format!(" ({n} announced)")).unwrap_or_default())]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
        /// The `Content-Length`, if the server sent one.
        announced: Option<u64>,
    },
    /// The request cannot be sent over this transport, for example because its URI names another server.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
    /// What is to be sent cannot be read.
    #[error("what is to be sent cannot be read: {0}")]
    Source(#[source] io::Error),
    /// A recording cannot be read or written.
    #[error("cannot use the recording '{}': {reason}", .path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
        /// The file system's error, if there is one.
        source: Option<io::Error>,
    },
    /// A replayed recording has no such request.
    #[error("the recording '{}' has no answer to {request}", .path.display())]
    NotRecorded {
        /// The file.
        path: PathBuf,
        /// HTTP method, path and SOAP method.
        request: String,
    },
}

/// Why a proxy did not connect to the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyProblem {
    /// An HTTP proxy answered CONNECT with something other than 200.
    #[error("it answered {0}")]
    Status(String),
    /// A SOCKS proxy refused; the text explains its code.
    #[error("{0}")]
    Refused(&'static str),
    /// The proxy requires a user name and password, and there are none.
    #[error("it asks for a user name and a password (proxy=http://USER:PASSWORD@HOST:PORT)")]
    WantsAuthentication,
    /// The proxy refuses the user name and password.
    #[error(
        "it refuses the user name and the password, or asks for another kind of login than Basic"
    )]
    WrongLogin,
    /// The proxy does not speak the protocol.
    #[error("it does not speak {0}")]
    Protocol(&'static str),
    /// The protocol has no form for the server's address: SOCKS4 has IPv4 only, and names have a length limit.
    #[error("{0}")]
    Address(&'static str),
    /// The connection to the proxy broke.
    #[error("the connection to it broke: {}", reason(.0))]
    Io(#[from] io::Error),
}

/// Why a TLS connection failed or is not trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificate is self-signed.
    #[error("its certificate is self-signed{}", advice(.ca_file.as_deref(), *.thumbprint, "the certificate"))]
    SelfSigned {
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
        /// The file of certificates that was given, none of which it is.
        ca_file: Option<PathBuf>,
    },
    /// No trusted certificate authority signed the certificate.
    #[error(
        "its certificate is signed by an authority that is not trusted{}",
        advice(.ca_file.as_deref(), *.thumbprint, "the authority's certificate")
    )]
    UnknownIssuer {
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
        /// The file of certificates that was given, none of which it is or signed it.
        ca_file: Option<PathBuf>,
    },
    /// The certificate has expired.
    #[error("its certificate expired on {not_after} (SHA-256 thumbprint {thumbprint}); {ACCEPT}")]
    Expired {
        /// The last moment it was valid, as `2024-01-31 12:00:00 UTC`.
        not_after: String,
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// The certificate is not valid yet, or this machine's clock is wrong.
    #[error(
        "its certificate is not valid before {not_before} (SHA-256 thumbprint {thumbprint}); is this machine's clock right? \
         Otherwise, {ACCEPT}"
    )]
    NotYetValid {
        /// The first moment it is valid, as `2024-01-31 12:00:00 UTC`.
        not_before: String,
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// The certificate is for another name.
    #[error(
        "its certificate is not for '{expected}' but for {} (SHA-256 thumbprint {thumbprint}); connect by a name that it has; \
         or {ACCEPT}",
        if .presented.is_empty() { "no name at all".to_owned() } else { .presented.join(", ") }
    )]
    WrongName {
        /// The host of the endpoint.
        expected: String,
        /// The names and addresses the certificate is for.
        presented: Vec<String>,
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// The certificate is not the pinned one.
    #[error(
        "its certificate has the thumbprint {presented}, not the expected {expected}; if the server has a new certificate, give \
         its thumbprint"
    )]
    OtherThumbprint {
        /// The pin.
        expected: Thumbprint,
        /// The thumbprint of the server's certificate.
        presented: Thumbprint,
    },
    /// The certificate is unusable for another reason.
    #[error("its certificate is not usable: {reason} (SHA-256 thumbprint {thumbprint}); {ACCEPT}")]
    BadCertificate {
        /// The reason.
        reason: String,
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// The certificate is trusted, but the server does not have its key: it shows the certificate of another one.
    #[error(
        "it does not have the key of the certificate that it shows (SHA-256 thumbprint {thumbprint}); it may not be the server \
         that it says it is"
    )]
    WrongKey {
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// Whether the server has the key of its certificate cannot be checked: RSA with more than 8192 bits or less than 1024 (2048,
    /// unless the certificate itself is trusted), curves other than P-256, P-384 and Ed25519, DSA.
    #[error(
        "its certificate has {key}, with which it cannot be checked that the certificate is its own (SHA-256 thumbprint \
         {thumbprint}); {}give the server another certificate (RSA of 2048 to 8192 bits, or EC on P-256 or P-384), or switch the \
         verification off (no_verify)",
        if *.can_be_pinned { "pin the thumbprint (thumbprint), " } else { "" }
    )]
    UnverifiableKey {
        /// The kind of the key, as `an RSA key of 512 bits`.
        key: String,
        /// Whether it is enough for a certificate that is pinned.
        can_be_pinned: bool,
        /// The certificate's SHA-256 thumbprint.
        thumbprint: Thumbprint,
    },
    /// The CA file cannot be read or holds no certificate.
    #[error("cannot take certificates from '{}': {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The system has no usable certificate authorities.
    #[error(
        "the system's certificate authorities cannot be read: {0}; install them (ca-certificates), give the server's certificate \
         or its authority's as a CA file (cacert), pin the certificate's thumbprint (thumbprint), or switch the verification off \
         (no_verify)"
    )]
    NoSystemRoots(String),
    /// The server speaks only unsafe versions of TLS, like ESX before 5.5.
    #[error("it speaks neither TLS 1.2 nor TLS 1.3; {OLD}")]
    TooOld,
    /// The server has no cipher suite that is safe: none with ECDHE and AES-GCM or ChaCha20-Poly1305.
    #[error("it has no cipher suite in common with us; it may be too old: {OLD}")]
    NoCipher,
    /// The program on this port does not speak TLS.
    #[error("it does not speak TLS on this port; is it a port for plain http (transport=http)?")]
    NotTls,
    /// The host of the endpoint is neither a name nor an address.
    #[error("'{0}' is neither a host name nor an address")]
    InvalidName(String),
    /// The handshake failed in another way.
    #[error("{0}")]
    Handshake(String),
}

/// What to do with a certificate that nobody else vouches for.
const ACCEPT: &str = "if it is the right one, pin the thumbprint (thumbprint), or switch the verification off (no_verify)";

/// What to do with a server that knows no safe way.
const OLD: &str = "update it, or let a program on the way speak TLS with it, such as stunnel (then transport=http)";

/// What to do with a certificate that is not trusted. A file that was given did not help, so no other is advised.
fn advice(ca_file: Option<&Path>, thumbprint: Thumbprint, which: &str) -> String {
    match ca_file {
        None => format!(
            " (SHA-256 thumbprint {thumbprint}); if that is the right one, give {which} as a CA file (cacert), pin the \
             thumbprint (thumbprint), or switch the verification off (no_verify)"
        ),
        Some(path) => format!(
            " and does not match the certificates in '{}' (SHA-256 thumbprint {thumbprint}); {ACCEPT}",
            path.display()
        ),
    }
}

/// A short text for common failures, the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network is unreachable".to_owned(),
        io::ErrorKind::TimedOut => "connection timed out".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => error.to_string().to_lowercase(),
    }
}
