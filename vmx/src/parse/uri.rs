use std::borrow::Cow;

use crate::escape::PERCENT;

/// The URI of a network serial port, read as libxml2's `xmlParseURI` reads it.
#[derive(Debug, PartialEq)]
pub(super) struct Uri<'a> {
    pub(super) scheme: Option<&'a str>,
    /// The host, unescaped and without the brackets of an IPv6 address.
    pub(super) host: Option<Cow<'a, str>>,
    /// The port; 0 if there is none.
    pub(super) port: u32,
}

impl<'a> Uri<'a> {
    /// Reads the address of a port that is open on all addresses of the host: `telnet://:2001`, `tcp://*:2001`. libxml2
    /// reads no port there. None for all others.
    pub(super) fn on_all_addresses(text: &'a str) -> Option<Uri<'a>> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            Some(_) => return None,
            None => (None, text.strip_prefix("//").unwrap_or(text)),
        };
        let rest = rest.strip_prefix('*').unwrap_or(rest).strip_prefix(':')?;
        let port = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port != 0)?;
        // libvirt demands an address, also of a port that listens.
        let host = Some(Cow::Borrowed("0.0.0.0"));
        Some(Uri { scheme, host, port })
    }

    /// None if the text is neither a URI nor a relative reference.
    pub(super) fn parse(text: &'a str) -> Option<Uri<'a>> {
        let first_segment = text.split(['/', '?', '#']).next().unwrap_or_default();
        let (scheme, rest) = match first_segment.split_once(':') {
            Some((scheme, _)) if is_scheme(scheme) => (Some(scheme), &text[scheme.len() + 1..]),
            // A reference without a scheme has no colon in its first segment.
            Some(_) => return None,
            None => (None, text),
        };
        let (host, port, rest) = match rest.strip_prefix("//") {
            Some(authority) => authority_of(authority)?,
            None => (None, 0, rest),
        };
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let whole = [(path, ":@/"), (query, ":@/?"), (fragment, ":@/?[]")]
            .iter()
            .all(|(part, others)| run(part, others) == part.len());
        whole.then_some(Uri { scheme, host, port })
    }
}

/// The host and port at the start of `text`, and the rest.
fn authority_of(text: &str) -> Option<(Option<Cow<'_, str>>, u32, &str)> {
    let user = run(text, ":");
    let text = text[user..].strip_prefix('@').unwrap_or(text);
    // libxml2 accepts any text in brackets as an address.
    let host_end = match text.starts_with('[') {
        true => text.find(']')? + 1,
        false => run(text, ""),
    };
    let (host, rest) = text.split_at(host_end);
    let (port, rest) = match rest.strip_prefix(':') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (rest[..digits].parse::<i32>().ok()? as u32, &rest[digits..])
        }
        None => (0, rest),
    };
    if !rest.is_empty() && !rest.starts_with(['/', '?', '#']) {
        return None;
    }
    if host.is_empty() {
        // libxml2 reads no port without a host.
        return Some((None, 0, rest));
    }
    Some((Some(plain(host)), port, rest))
}

/// Unescapes a host, and removes the brackets if it has colons.
fn plain(host: &str) -> Cow<'_, str> {
    let mut host = PERCENT.unescape(host).unwrap_or(Cow::Borrowed(host));
    // A C string ends at a NUL.
    if let Some(end) = host.find('\0') {
        host.to_mut().truncate(end);
    }
    let inside = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match inside {
        Some(inside) if inside.contains(':') => Cow::Owned(inside.to_owned()),
        _ => host,
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The number of bytes at the start of `text` that may be anywhere in a URI, or are in `others`.
fn run(text: &str, others: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'%' if bytes.len() > at + 2
                && bytes[at + 1..at + 3].iter().all(u8::is_ascii_hexdigit) =>
            {
                3
            }
            byte if byte.is_ascii_alphanumeric() => 1,
            byte if b"-._~!$&'()*+,;=".contains(byte) => 1,
            byte if others.as_bytes().contains(byte) => 1,
            _ => break,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(Option<&str>, Option<&str>, u32)>) {
        let uri = Uri::parse(text);
        let parsed = uri
            .as_ref()
            .map(|uri| (uri.scheme, uri.host.as_deref(), uri.port));
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn addresses() {
        check(
            "telnet://0.0.0.0:42001",
            Some((Some("telnet"), Some("0.0.0.0"), 42001)),
        );
        check(
            "tcp+ssl://[::1]:1/x?y",
            Some((Some("tcp+ssl"), Some("::1"), 1)),
        );
        check("tcp://user@h:1", Some((Some("tcp"), Some("h"), 1)));
        check("//h:1", Some((None, Some("h"), 1)));
        check("tcp://[x]:1", Some((Some("tcp"), Some("[x]"), 1)));
        check("tcp://[a:b%x]:1", Some((Some("tcp"), Some("a:b%x"), 1)));
        check("tcp://[?#/: ]:1?x", Some((Some("tcp"), Some("?#/: "), 1)));
        check("tcp://h%00x:1", Some((Some("tcp"), Some("h"), 1)));
        check("[x]a", None);
        check("tcp:/[x]", None);
        check("tcp://h:1[", None);
        check("tcp://h%20x:1", Some((Some("tcp"), Some("h x"), 1)));
        check("tcp://:1", Some((Some("tcp"), None, 0)));
        check("tcp://h", Some((Some("tcp"), Some("h"), 0)));
        check("h:1", Some((Some("h"), None, 0)));
        check("", Some((None, None, 0)));
        check("192.0.2.1:1", None);
        check("tcp://h:x", None);
        check("tcp://h:", None);
        check("tcp://a@b@c:1", None);
        check("tcp://h%zz:1", None);
        check("a b", None);
        check("tcp://[::1:1", None);
    }
}
