use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::escape::PERCENT;

/// The address of a network serial port, read as libxml2 reads a URI.
#[derive(Debug, PartialEq)]
pub(super) struct Uri<'a> {
    pub(super) scheme: Option<&'a str>,
    /// Unescaped, and without the brackets of an IPv6 address.
    pub(super) host: Option<Cow<'a, str>>,
    /// 0 when there is none.
    pub(super) port: u32,
}

impl<'a> Uri<'a> {
    /// `None` when the text is no URI and no relative reference.
    pub(super) fn parse(text: &'a str) -> Option<Uri<'a>> {
        let escaped = |(at, _)| {
            let digits = text.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        if !text.bytes().all(is_uri_byte) || !text.match_indices('%').all(escaped) {
            return None;
        }
        let hierarchy = text.split(['?', '#']).next().unwrap_or_default();
        let (query, fragment) = text[hierarchy.len()..]
            .split_once('#')
            .unwrap_or((&text[hierarchy.len()..], ""));
        if query.contains(['[', ']']) || fragment.contains('#') {
            return None;
        }
        let first_segment = hierarchy.split('/').next().unwrap_or_default();
        let (scheme, rest) = match first_segment.split_once(':') {
            Some((scheme, _)) if is_scheme(scheme) => {
                (Some(scheme), &hierarchy[scheme.len() + 1..])
            }
            // A reference without a scheme has no colon in its first segment.
            Some(_) => return None,
            None => (None, hierarchy),
        };
        let Some(authority) = rest.strip_prefix("//") else {
            return Some(Uri {
                scheme,
                host: None,
                port: 0,
            });
        };
        let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
        let (user, server) = match authority.split_once('@') {
            Some((user, server)) => (user, server),
            None => ("", authority),
        };
        // An address in brackets has colons of its own.
        let host_end = match server.starts_with('[') {
            true => server.find(']')? + 1,
            false => server.find(':').unwrap_or(server.len()),
        };
        let (host, port) = server.split_at(host_end);
        let inside = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let plain = [user, inside.unwrap_or(host), path];
        if plain.iter().any(|part| part.contains(['[', ']'])) || host.contains('@') {
            return None;
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 0,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse::<i32>().ok()? as u32
            }
            _ => return None,
        };
        // libxml2 has no port where there is no host.
        let port = if host.is_empty() { 0 } else { port };
        let host = match inside {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => Cow::Borrowed(address),
            _ => PERCENT.unescape(host).unwrap_or(Cow::Borrowed(host)),
        };
        Some(Uri {
            scheme,
            host: Some(host).filter(|host| !host.is_empty()),
            port,
        })
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
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
