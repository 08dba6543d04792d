//! Connection URIs: `{esx|gsx|vpx}://[USER@]SERVER[:PORT]/[PATH][?PARAMETER=VALUE[&…]]`.

use std::{
    fmt::{self, Write as _},
    net::Ipv6Addr,
    path::{Path, PathBuf},
    str::FromStr,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use vi_client::transport::{InvalidProxy, Proxy, Thumbprint};
use virt_model::{ErrorDomain, ErrorNumber};
use vmx::LibvirtVersion;

use crate::{Error, ErrorKind, Result};

/// The URI of a connection, read and checked.
///
#[doc = include_str!("uri.md")]
///
/// [`warnings`](EsxUri::warnings) has the parts that are ignored. [`auth`](crate::auth) says where the user and the password come
/// from, [`Proxy::of_environment`] which proxy is used without `proxy=`, and [`Rules`](crate::policy::Rules) what is in the file
/// of `answers=`.
///
/// Differences from libvirt 9.0.0, all intended: IPv6 proxies in brackets work (libvirt cuts them at the first colon);
/// `proxy=` without a host and ports above 65535 are errors; an empty port is the default port; characters outside ASCII
/// may stand unencoded in the path and the query; schemes may be upper case.
///
/// [`Display`](fmt::Display) writes the URI with its port; the query stays as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EsxUri {
    scheme: Scheme,
    user: Option<String>,
    server: String,
    port: u16,
    path: RawPath,
    query: Option<String>,
    fragment: Option<String>,
    parameters: Parameters,
    warnings: Vec<String>,
}

/// The kind of server that a URI names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A vCenter: `vpx`.
    Vpx,
    /// An ESX or ESXi host: `esx`.
    Esx,
    /// A VMware Server: `gsx`.
    Gsx,
}

/// How requests travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// Unencrypted.
    Http,
    /// Over TLS.
    #[default]
    Https,
}

/// The value of `vcenter=`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VCenter {
    /// `*`: the vCenter that the host names.
    OfHost,
    /// A name or address.
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Parameters {
    transport: Transport,
    vcenter: Option<VCenter>,
    no_verify: bool,
    auto_answer: bool,
    answers: Option<PathBuf>,
    libvirt: Option<LibvirtVersion>,
    proxy: Option<Proxy>,
    cacert: Option<PathBuf>,
    /// What `legacy_uuid=` says.
    legacy_uuid: Option<bool>,
    authfile: Option<PathBuf>,
    thumbprint: Option<Thumbprint>,
}

impl Parameters {
    /// Reads a parameter; false if there is none of this name, which is in lower case.
    fn read(&mut self, name: &str, value: String) -> Result<bool> {
        match name {
            "transport" => self.transport = transport(value)?,
            "vcenter" => self.vcenter = vcenter(value),
            "no_verify" => self.no_verify = switch("no_verify", value)?,
            "auto_answer" => self.auto_answer = switch("auto_answer", value)?,
            "answers" => self.answers = (!value.is_empty()).then(|| PathBuf::from(value)),
            "libvirt" => self.libvirt = Some(libvirt(&value)?),
            "proxy" => self.proxy = Some(proxy(&value)?),
            "cacert" => self.cacert = Some(PathBuf::from(value)),
            "legacy_uuid" => self.legacy_uuid = Some(switch("legacy_uuid", value)?),
            "authfile" => self.authfile = (!value.is_empty()).then(|| PathBuf::from(value)),
            "thumbprint" => self.thumbprint = Some(thumbprint(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl EsxUri {
    /// What can stand in a URI, in Markdown: for the manuals of programs that take URIs.
    pub const MANUAL: &'static str = include_str!("uri.md");

    /// A text for people that has a URI in it, or what should be one: without what can be a password. Everything between a user's
    /// colon and an `@` is taken for one, as characters that should have been encoded may be in it.
    ///
    /// ```
    /// use esx_driver::EsxUri;
    ///
    /// let shown = EsxUri::without_secrets("esx://root:se/cret@h/?proxy=http://me:se&cret@p");
    /// assert_eq!(shown, "esx://root@h/?proxy=http://me@p");
    /// ```
    pub fn without_secrets(text: &str) -> String {
        without_password(text)
    }

    /// The kind of server.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user to log in as, if the URI names one.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The server's name or address, IPv6 without brackets.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The server's port; the default port if the URI has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, decoded: `/Datacenter/cluster/host`; empty if there is none.
    pub fn path(&self) -> &str {
        &self.path.decoded
    }

    /// The names in the path, each decoded by itself; empty names are left out.
    pub fn path_names(&self) -> &[String] {
        &self.path.names
    }

    /// `transport=`: how requests travel.
    pub fn transport(&self) -> Transport {
        self.parameters.transport
    }

    /// `vcenter=`: the vCenter to log in to besides the host. `vpx://` ignores it.
    pub fn vcenter(&self) -> Option<&VCenter> {
        self.parameters.vcenter.as_ref()
    }

    /// `no_verify=`: whether any certificate is accepted.
    pub fn no_verify(&self) -> bool {
        self.parameters.no_verify
    }

    /// `auto_answer=`: whether questions of virtual machines get their default answers.
    pub fn auto_answer(&self) -> bool {
        self.parameters.auto_answer
    }

    /// `answers=`: the file of rules that answer questions. It is read when a connection is opened. An empty value counts as
    /// none.
    pub fn answers(&self) -> Option<&Path> {
        self.parameters.answers.as_deref()
    }

    /// `libvirt=`: the libvirt version whose documents, VMX files and errors to reproduce.
    pub fn libvirt(&self) -> Option<LibvirtVersion> {
        self.parameters.libvirt
    }

    /// `proxy=`: the proxy for all requests.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.parameters.proxy.as_ref()
    }

    /// `cacert=`: the file of certificates that replace the system's. It is read when a connection is opened.
    pub fn cacert(&self) -> Option<&Path> {
        self.parameters.cacert.as_deref()
    }

    /// `legacy_uuid=`: whether domains are identified by their BIOS UUID. Without it, they are if `libvirt=` is older than 12.4.
    pub fn legacy_uuid(&self) -> bool {
        let is_old = || {
            self.libvirt()
                .is_some_and(|libvirt| libvirt < LibvirtVersion::V12_4)
        };
        self.parameters.legacy_uuid.unwrap_or_else(is_old)
    }

    /// `authfile=`: the `auth.conf` to read. An empty value counts as none.
    pub fn authfile(&self) -> Option<&Path> {
        self.parameters.authfile.as_deref()
    }

    /// `thumbprint=`: the only certificate that is accepted.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        self.parameters.thumbprint
    }

    /// Warnings about parts of the URI that are ignored, in libvirt's words.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl Scheme {
    /// `vpx`, `esx` or `gsx`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Vpx => "vpx",
            Scheme::Esx => "esx",
            Scheme::Gsx => "gsx",
        }
    }

    /// The default user, if neither the URI nor `auth.conf` names one.
    pub const fn default_user(self) -> &'static str {
        match self {
            Scheme::Esx | Scheme::Gsx => "root",
            Scheme::Vpx => "administrator@vsphere.local",
        }
    }

    /// The default port of this scheme.
    pub const fn default_port(self, transport: Transport) -> u16 {
        match (self, transport) {
            (Scheme::Vpx | Scheme::Esx, Transport::Https) => 443,
            (Scheme::Vpx | Scheme::Esx, Transport::Http) => 80,
            (Scheme::Gsx, Transport::Https) => 8333,
            (Scheme::Gsx, Transport::Http) => 8222,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Http => "http",
            Transport::Https => "https",
        })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EsxUri {
    type Err = Error;

    fn from_str(text: &str) -> Result<EsxUri> {
        let malformed = || {
            Error::new(
                ErrorKind::Uri,
                ErrorNumber::InternalError,
                format!("Unable to parse URI {}", without_password(text)),
            )
            .in_part(ErrorDomain::Uri)
        };
        let raw = Raw::split(text).ok_or_else(malformed)?;
        let scheme = scheme(raw.scheme, text)?;
        let authority = raw
            .authority
            .filter(|authority| !authority.is_empty())
            .ok_or_else(|| invalid(ErrorKind::Uri, "URI is missing the server part"))?;
        let Authority { user, server, port } = Authority::parse(authority, malformed)?;
        let (parameters, mut warnings) = parameters(
            raw.query.unwrap_or_default(),
            raw.fragment.unwrap_or_default(),
        )?;
        let mut path = RawPath::decode(raw.path).ok_or_else(malformed)?;
        check_path(scheme, &path, &mut warnings)?;
        // It is ignored, and can be the end of a password with a slash in it.
        if scheme != Scheme::Vpx && path.decoded.contains('@') {
            path.encoded.clear();
        }
        // A password that should have been encoded may have a `#` in it.
        let (query, fragment) = match (raw.query, raw.fragment) {
            (Some(query), Some(fragment)) => {
                let shown = without_secrets(&format!("{query}#{fragment}"));
                let (query, fragment) = cut(&shown, '#');
                (Some(query.to_owned()), fragment.map(str::to_owned))
            }
            (query, fragment) => (query.map(without_secrets), fragment.map(without_secrets)),
        };
        Ok(EsxUri {
            scheme,
            user,
            server,
            port: port.unwrap_or(scheme.default_port(parameters.transport)),
            path,
            query,
            fragment,
            parameters,
            warnings,
        })
    }
}

impl fmt::Display for EsxUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            write!(f, "{}@", utf8_percent_encode(user, IN_USER))?;
        }
        if self.server.contains(':') {
            write!(f, "[{}]", self.server.replacen('%', "%25", 1))?;
        } else {
            write!(f, "{}", utf8_percent_encode(&self.server, IN_SERVER))?;
        }
        write!(f, ":{}{}", self.port, self.path.encoded)?;
        if let Some(query) = &self.query {
            write!(f, "?{}", utf8_percent_encode(query, AS_IT_IS))?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "#{}", utf8_percent_encode(fragment, AS_IT_IS))?;
        }
        Ok(())
    }
}

// The characters that libxml2, with which libvirt writes URIs, does not encode. libxml2 does not encode `:` in users
// either; here it is encoded, since it would read back as a password.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
const IN_SERVER: &AsciiSet = UNRESERVED;
const IN_USER: &AsciiSet = &UNRESERVED
    .remove(b';')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b',');
const IN_NAME: &AsciiSet = &IN_USER.remove(b'@');
/// Encodes only characters outside ASCII.
const AS_IT_IS: &AsciiSet = &AsciiSet::EMPTY;

/// The path, encoded and decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RawPath {
    encoded: String,
    decoded: String,
    names: Vec<String>,
}

impl RawPath {
    fn decode(raw: &str) -> Option<RawPath> {
        let mut path = RawPath {
            encoded: String::new(),
            decoded: decode(raw)?,
            names: Vec::new(),
        };
        for (i, part) in raw.split('/').enumerate() {
            let name = decode(part)?;
            if i > 0 {
                path.encoded.push('/');
            }
            // Writing to a String cannot fail.
            let _ = write!(path.encoded, "{}", utf8_percent_encode(&name, IN_NAME));
            if !name.is_empty() {
                path.names.push(name);
            }
        }
        Some(path)
    }
}

/// The five parts of a URI, still encoded; each has only characters that are allowed there.
struct Raw<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Raw<'a> {
    fn split(text: &'a str) -> Option<Raw<'a>> {
        let (scheme, rest) = text.split_once(':')?;
        let (rest, fragment) = cut(rest, '#');
        let (rest, query) = cut(rest, '?');
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let letters = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
        let characters = may_stand(authority.unwrap_or_default(), |c| c.is_ascii())
            && may_stand(path, |c| !"[]".contains(c))
            && may_stand(query.unwrap_or_default(), |_| true)
            && may_stand(fragment.unwrap_or_default(), |_| true);
        (letters && characters).then_some(Raw {
            scheme,
            authority,
            path,
            query,
            fragment,
        })
    }
}

/// Whether `text` has only characters that are allowed in a URI, `%` only before two digits, and none that `also` refuses.
fn may_stand(text: &str, also: impl Fn(char) -> bool) -> bool {
    let excluded = |c: char| c.is_ascii_control() || " \"<>\\^`{|}".contains(c);
    let escapes = text.split('%').skip(1).all(|after| {
        after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    });
    escapes && text.chars().all(|c| !excluded(c) && also(c))
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn decode(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    // C's strings end at a NUL, so libvirt has no name, path or value with one.
    (!text.contains('\0')).then(|| text.into_owned())
}

/// A URI for error texts: the password of `user:password@` is removed, and that of a proxy.
///
/// What should have been encoded in a password may stand in it as it is, so that everything up to an `@` is taken for it.
fn without_password(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.contains([':', '@']) => (format!("{scheme}://"), rest),
        _ => (String::new(), text),
    };
    let (address, query) = match rest.find('?') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if let Some((user, _)) = address.rsplit_once('@') {
        let name = user.split(':').next().unwrap_or_default();
        let server = &address[user.len()..];
        return format!("{scheme}{name}{server}{}", without_secrets(query));
    }
    // An `@` of the query may be the end of a password with a `?` in it, unless there is a proxy before it.
    let authority = address.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let at = query.rfind('@');
    let proxy = proxy_value(query);
    if let (Some(at), Some(colon)) = (at, address.find(':'))
        && (!is_port || proxy.is_none_or(|proxy| proxy > at))
    {
        return format!("{scheme}{}{}", &address[..colon], &query[at..]);
    }
    format!("{scheme}{address}{}", without_secrets(query))
}

/// Where the value of the first parameter `proxy` begins in a query.
fn proxy_value(query: &str) -> Option<usize> {
    let plain = query.to_ascii_lowercase().find("proxy=");
    let plain = plain.map(|at| at + "proxy=".len());
    let mut start = 0;
    let encoded = query.split(['&', ';']).find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let at = start + pair.len() - value.len();
        start += pair.len() + 1;
        let name = percent_decode_str(name).decode_utf8_lossy();
        let name = name.trim_start_matches('?');
        name.eq_ignore_ascii_case("proxy").then_some(at)
    });
    [plain, encoded].into_iter().flatten().min()
}

/// The end of what can be a password in a query: its last `@`, if something is in front of it that can be one. The separators
/// of parameters can be in a password that should have been encoded.
fn secret_end(query: &str) -> Option<usize> {
    let lower = query.to_ascii_lowercase();
    lower.rfind('@').max(lower.rfind("%40"))
}

/// A query without the password in the value of `proxy`, and without names of parameters that can be the end of a password.
fn without_secrets(query: &str) -> String {
    let Some(end) = secret_end(query) else {
        return query.to_owned();
    };
    if let Some(value) = proxy_value(query).filter(|value| *value <= end) {
        let lower = query[value..end].to_ascii_lowercase();
        let behind = |mark: &str| lower.find(mark).map(|at| (at, at + mark.len()));
        let login = behind("://").or_else(|| behind("%3a%2f%2f"));
        let is_scheme = |(end, _): &(usize, usize)| {
            lower[..*end]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
        };
        let login = login.filter(is_scheme).map_or(0, |(_, login)| login);
        let colon = match (lower[login..].find(':'), lower[login..].find("%3a")) {
            (Some(plain), Some(encoded)) => Some(plain.min(encoded)),
            (plain, encoded) => plain.or(encoded),
        };
        return match colon {
            Some(colon) => format!("{}{}", &query[..value + login + colon], &query[end..]),
            None => query.to_owned(),
        };
    }
    // Without a proxy before it, an `@` is right in values only.
    let start = query[..end].rfind(['&', ';', '#']).map_or(0, |at| at + 1);
    match query[start..end].contains('=') {
        true => query.to_owned(),
        false => {
            let mark = if query.starts_with('?') && start == 0 {
                "?"
            } else {
                ""
            };
            format!("{mark}{}{}", &query[..start], &query[end..])
        }
    }
}

fn invalid(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, ErrorNumber::InvalidArg, message)
}

fn scheme(scheme: &str, text: &str) -> Result<Scheme> {
    match scheme.to_ascii_lowercase().as_str() {
        "vpx" => Ok(Scheme::Vpx),
        "esx" => Ok(Scheme::Esx),
        "gsx" => Ok(Scheme::Gsx),
        other => {
            let error = Error::new(
                ErrorKind::Uri,
                ErrorNumber::NoConnect,
                without_password(text),
            )
            .in_part(ErrorDomain::None);
            Err(match other.split_once('+') {
                Some((plain @ ("vpx" | "esx" | "gsx"), _)) => error.advise(format!(
                    "the driver needs no libvirt daemon, use {plain}://"
                )),
                _ => error.advise("use esx://, gsx:// or vpx://"),
            })
        }
    }
}

struct Authority {
    user: Option<String>,
    server: String,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str, malformed: impl Fn() -> Error) -> Result<Authority> {
        let (user, host) = match text.split_once('@') {
            Some((user, host)) => (user, host),
            None => ("", text),
        };
        if user.contains(':') {
            return Err(invalid(ErrorKind::Uri, "URI must not carry a password")
                .advise("put it into auth.conf, or allow prompts"));
        }
        let user = decode(user).ok_or_else(&malformed)?;
        let (server, port) = match host.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or_else(&malformed)?;
                let address = decode(address).ok_or_else(&malformed)?;
                // The resolver checks a zone (`fe80::1%eth0`).
                let (digits, _zone) = cut(&address, '%');
                digits.parse::<Ipv6Addr>().map_err(|_| malformed())?;
                (address, port)
            }
            None => {
                let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
                (decode(name).ok_or_else(&malformed)?, port)
            }
        };
        if server.contains(['@', '[', ']']) {
            return Err(malformed());
        }
        if server.is_empty() {
            return Err(invalid(ErrorKind::Uri, "URI is missing the server part"));
        }
        let port = match port.strip_prefix(':') {
            Some(port) => self::port(port, malformed)?,
            None if port.is_empty() => None,
            None => return Err(malformed()),
        };
        Ok(Authority {
            user: (!user.is_empty()).then_some(user),
            server,
            port,
        })
    }
}

/// The port of `:PORT`; none when it is empty or 0, libvirt's "the default".
fn port(text: &str, malformed: impl Fn() -> Error) -> Result<Option<u16>> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    match text.trim_start_matches('0') {
        "" => Ok(None),
        digits => digits.parse().map(Some).map_err(|_| {
            invalid(
                ErrorKind::Uri,
                format!("URI has unexpected port value '{text}' (should be [1..65535])"),
            )
        }),
    }
}

fn check_path(scheme: Scheme, path: &RawPath, warnings: &mut Vec<String>) -> Result<()> {
    match scheme {
        Scheme::Vpx if path.names.is_empty() => Err(invalid(
            ErrorKind::InventoryPath,
            "Path has to specify the datacenter and compute resource",
        )
        .advise("vpx://SERVER/DATACENTER/HOST, or vpx://SERVER/DATACENTER/CLUSTER/HOST")),
        Scheme::Esx | Scheme::Gsx if !matches!(path.decoded.as_str(), "" | "/") => {
            // The end of a password with a slash in it would look like a path.
            let shown = match path.decoded.contains('@') {
                true => String::new(),
                false => format!(" '{}'", path.decoded),
            };
            warnings.push(format!(
                "Ignoring unexpected path{shown} for non-vpx scheme '{scheme}'"
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads the query parameters, and returns warnings about them.
fn parameters(query: &str, fragment: &str) -> Result<(Parameters, Vec<String>)> {
    let mut parameters = Parameters::default();
    let mut warnings = Vec::new();
    // What can be the rest of a proxy's password is not shown.
    let whole = format!("{query}#{fragment}");
    let secret = proxy_value(&whole)
        .zip(secret_end(&whole))
        .filter(|(from, to)| from < to);
    let mut end = 0;
    for pair in query.split(['&', ';']) {
        let start = end;
        end += pair.len() + 1;
        let is_shown = secret.is_none_or(|(from, to)| end <= from || start > to);
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // libvirt 9.0.0 (virURIParse) also skips a value without a name.
        if name.is_empty() {
            continue;
        }
        let text = |part| {
            decode(part).ok_or_else(|| {
                let name = if is_shown && !name.contains('@') {
                    format!(" '{name}'")
                } else {
                    String::new()
                };
                let message = format!("Query parameter{name} is not UTF-8");
                invalid(ErrorKind::UriParameter, message)
            })
        };
        let (name, value) = (text(name)?, text(value)?);
        let kind = name.to_ascii_lowercase();
        let read = parameters.read(&kind, value);
        match read {
            Ok(true) => {}
            Ok(false) if is_shown && !name.contains('@') => {
                warnings.push(format!("Ignoring unexpected query parameter '{name}'"));
            }
            Ok(false) => {
                let text = "Ignoring a query parameter that can be the end of a password with '&', ';', '#' or '?' in it";
                warnings.push(text.to_owned());
            }
            Err(error)
                if is_shown || kind == "proxy" && !error.message().contains(" port value '") =>
            {
                return Err(error);
            }
            Err(_) => {
                let message = "a query parameter has an unexpected value, which is not shown since it can be a part of a \
                               proxy's password";
                return Err(invalid(ErrorKind::UriParameter, message)
                    .advise("encode what is special in the password: & is %26, ; is %3B, # is %23, @ is %40"));
            }
        }
    }
    Ok((parameters, warnings))
}

fn transport(value: String) -> Result<Transport> {
    match value.as_str() {
        "http" => Ok(Transport::Http),
        "https" => Ok(Transport::Https),
        _ => Err(unexpected("transport", "value", &value, "http|https")),
    }
}

fn libvirt(value: &str) -> Result<LibvirtVersion> {
    let wanted = "9.0.0 or later, or newest";
    value
        .parse()
        .map_err(|_| unexpected("libvirt", "value", value, wanted))
}

fn vcenter(value: String) -> Option<VCenter> {
    match value.as_str() {
        // libvirt 9.0.0 would try to resolve the empty name.
        "" => None,
        "*" => Some(VCenter::OfHost),
        _ => Some(VCenter::Named(value)),
    }
}

fn switch(name: &str, value: String) -> Result<bool> {
    match c_integer(&value) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(unexpected(name, "value", &value, "0 or 1")),
    }
}

fn proxy(value: &str) -> Result<Proxy> {
    // None of these texts shows what can be a password.
    value.parse().map_err(|error| match error {
        InvalidProxy::Host => {
            let message = "Query parameter 'proxy' doesn't contain a hostname";
            invalid(ErrorKind::UriParameter, message)
        }
        InvalidProxy::Port(Some(port)) => unexpected("proxy", "port value", &port, "[1..65535]"),
        InvalidProxy::Port(None) => {
            let message =
                "Query parameter 'proxy' has an unexpected port value (should be [1..65535])";
            invalid(ErrorKind::UriParameter, message)
        }
        InvalidProxy::Kind(kind) => {
            let kind = kind.map_or_else(
                || "an unexpected type".to_owned(),
                |kind| format!("unexpected type '{kind}'"),
            );
            let message =
                format!("Query parameter 'proxy' contains {kind} (should be (http|socks(|4|4a|5))");
            invalid(ErrorKind::UriParameter, message)
        }
        error => invalid(
            ErrorKind::UriParameter,
            format!("Query parameter 'proxy': {error}"),
        ),
    })
}

fn thumbprint(value: String) -> Result<Thumbprint> {
    value
        .parse()
        .map_err(|_| unexpected("thumbprint", "value", &value, "40 or 64 hexadecimal digits"))
}

fn unexpected(name: &str, what: &str, value: &str, should_be: &str) -> Error {
    invalid(
        ErrorKind::UriParameter,
        format!("Query parameter '{name}' has unexpected {what} '{value}' (should be {should_be})"),
    )
}

/// A number as C's `strtol` reads it when nothing may follow: white space and a sign in front.
fn c_integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| text.parse().ok())?
}
