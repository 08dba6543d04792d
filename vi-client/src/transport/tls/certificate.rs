//! What is needed of a server's certificate, read without the rules that only certificates of public authorities keep.
//!
//! webpki refuses certificates of version 1, negative serial numbers, extensions that it does not know and more. Hosts have such
//! certificates, and who pins one does not ask for these rules.

use std::net::IpAddr;

use rustls_pki_types::ServerName;
use vi_types::DateTime;

use super::der::{self, Element, Elements};
use super::key::PublicKey;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];

/// A certificate, as far as it is looked at.
pub(super) struct Certificate<'a> {
    /// 1, 2 or 3; 0 if it is another one.
    pub(super) version: u8,
    pub(super) key: PublicKey<'a>,
    issuer: &'a [u8],
    subject: &'a [u8],
    not_before: Element<'a>,
    not_after: Element<'a>,
    extensions: Elements<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER form; none if it is no certificate.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let certificate = Elements(der).expect(der::SEQUENCE)?;
        let body = certificate.inside().expect(der::SEQUENCE)?;
        let mut fields = body.inside();
        let mut serial = fields.next()?;
        let mut version = 1;
        if serial.tag == der::wrapped(0) {
            version = match serial.inside().expect(der::INTEGER)?.content {
                [number @ 0..=2] => number + 1,
                _ => 0,
            };
            serial = fields.next()?;
        }
        if serial.tag != der::INTEGER {
            return None;
        }
        let _algorithm = fields.expect(der::SEQUENCE)?;
        let issuer = fields.expect(der::SEQUENCE)?.content;
        let mut dates = fields.expect(der::SEQUENCE)?.inside();
        let (not_before, not_after) = (dates.next()?, dates.next()?);
        let subject = fields.expect(der::SEQUENCE)?.content;
        let key = PublicKey::read(fields.expect(der::SEQUENCE)?)?;
        // Identifiers of issuer and subject may come before the extensions.
        let extensions = fields
            .find(|field| field.tag == der::wrapped(3))
            .and_then(|field| field.inside().expect(der::SEQUENCE));
        Some(Self {
            version,
            key,
            issuer,
            subject,
            not_before,
            not_after,
            extensions: extensions.map_or(Elements(&[]), Element::inside),
        })
    }

    /// Whether it says that it signed itself.
    pub(super) fn is_self_signed(&self) -> bool {
        self.issuer == self.subject
    }

    /// The moments between which it is valid, in seconds since 1970; none if they cannot be read.
    pub(super) fn validity(&self) -> Option<(i64, i64)> {
        Some((seconds(self.not_before)?, seconds(self.not_after)?))
    }

    /// Whether it limits the names of the certificates that it signs.
    pub(super) fn limits_names(&self) -> bool {
        self.extension(NAME_CONSTRAINTS).is_some()
    }

    /// The hosts and addresses that it is for by its alternative names.
    pub(super) fn alternative_names(&self) -> Vec<Name> {
        let names = self
            .extension(ALTERNATIVE_NAMES)
            .and_then(|value| Elements(value).expect(der::SEQUENCE))
            .map_or(Elements(&[]), Element::inside);
        names.filter_map(Name::alternative).collect()
    }

    /// The last common name of its subject.
    pub(super) fn common_name(&self) -> Option<Name> {
        let relative = Elements(self.subject).filter(|element| element.tag == der::SET);
        let attributes = relative.flat_map(Element::inside);
        let common = attributes.filter_map(|attribute| {
            let mut parts = attribute.inside();
            let kind = parts.expect(der::OBJECT_IDENTIFIER)?;
            let value = parts.next()?;
            (kind.content == COMMON_NAME).then(|| Name::Host(text(value)))
        });
        common.last()
    }

    /// The names that it is for. Without alternative names the common name counts, as curl, OpenSSL and GnuTLS have it.
    pub(super) fn names(&self) -> Vec<Name> {
        let names = self.alternative_names();
        match names.is_empty() {
            true => self.common_name().into_iter().collect(),
            false => names,
        }
    }

    fn extension(&self, wanted: &[u8]) -> Option<&'a [u8]> {
        let mut extensions = self.extensions;
        extensions.find_map(|extension| {
            let mut parts = extension.inside();
            let kind = parts.expect(der::OBJECT_IDENTIFIER)?;
            let value = parts.find(|part| part.tag == der::OCTET_STRING)?;
            (kind.content == wanted).then_some(value.content)
        })
    }
}

/// What a certificate is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A host, or `*.` and its domain. Hosts write addresses like this, too.
    Host(String),
    /// An address.
    Address(IpAddr),
}

impl Name {
    fn alternative(element: Element<'_>) -> Option<Self> {
        const HOST: u8 = der::renamed(2);
        const ADDRESS: u8 = der::renamed(7);
        match element.tag {
            HOST => Some(Self::Host(text(element))),
            ADDRESS => {
                let v4 = <[u8; 4]>::try_from(element.content).map(IpAddr::from);
                let v6 = <[u8; 16]>::try_from(element.content).map(IpAddr::from);
                v4.or(v6).ok().map(Self::Address)
            }
            _ => None,
        }
    }

    /// Whether it is the server's.
    pub(super) fn fits(&self, server: &ServerName<'_>) -> bool {
        match (self, server) {
            (Self::Address(own), ServerName::IpAddress(wanted)) => *own == IpAddr::from(*wanted),
            // libcurl with GnuTLS, virsh's, takes an address among the names of hosts as well.
            (Self::Host(own), ServerName::IpAddress(wanted)) => {
                own.parse() == Ok(IpAddr::from(*wanted))
            }
            (Self::Host(own), ServerName::DnsName(wanted)) => is_host(own, wanted.as_ref()),
            _ => false,
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Whether `pattern`, which may begin with `*.`, is the name of a host.
fn is_host(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.trim_end_matches('.'), host.trim_end_matches('.'));
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((_, own))) => domain.eq_ignore_ascii_case(own),
        _ => pattern.eq_ignore_ascii_case(host),
    }
}

/// A string of one of the many types that names have. Characters that would change a terminal are replaced.
fn text(element: Element<'_>) -> String {
    let text = match (element.tag, std::str::from_utf8(element.content)) {
        (der::BMP_STRING, _) => {
            let units = element.content.chunks_exact(2);
            let units: Vec<_> = units
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        (_, Ok(text)) => text.to_owned(),
        (_, Err(_)) => element
            .content
            .iter()
            .map(|byte| char::from(*byte))
            .collect(),
    };
    text.replace(char::is_control, "\u{fffd}")
}

/// `YYMMDDhhmm[ss]Z` or `YYYYMMDDhhmm[ss]Z`, or with `+hhmm` for `Z`, as seconds since 1970.
fn seconds(time: Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(time.content).ok()?;
    // RFC 5280, section 4.1.2.5: no date.
    if text == "99991231235959Z" {
        return Some(i64::MAX);
    }
    let (year, rest) = match time.tag {
        der::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        der::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, zone) = rest.split_at(end);
    let digits = match digits.len() {
        8 => format!("{digits}00"),
        10 => digits.to_owned(),
        _ => return None,
    };
    let zone = match zone.len() {
        5 if zone.is_ascii() => format!("{}:{}", &zone[..3], &zone[3..]),
        _ => zone.to_owned(),
    };
    let part = |at: usize| &digits[at..at + 2];
    let (month, day, hour, minute, second) = (part(0), part(2), part(4), part(6), part(8));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}{zone}")
        .parse::<DateTime>()
        .and_then(|moment| moment.epoch_seconds())
        .ok()
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
        let file = format!("{folder}/{name}.pem");
        CertificateDer::from_pem_file(file).unwrap().to_vec()
    }

    fn fixtures() -> Vec<(String, Vec<u8>)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|end| end == "pem"));
        let names = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
        names.map(|name| (name.clone(), fixture(&name))).collect()
    }

    /// All that can be asked.
    fn ask(der: &[u8]) -> Option<String> {
        let certificate = Certificate::read(der)?;
        let names: Vec<_> = certificate
            .names()
            .iter()
            .map(ToString::to_string)
            .collect();
        Some(format!(
            "v{} {} {:?} {:?} {} {}",
            certificate.version,
            certificate.key,
            names,
            certificate.validity(),
            certificate.is_self_signed(),
            certificate.limits_names(),
        ))
    }

    #[test]
    fn every_kind_of_certificate_is_read() {
        let all = fixtures();
        assert!(all.len() > 40);
        for (name, der) in all {
            assert!(ask(&der).is_some(), "{name}");
        }
        let valid = "Some((1577836800, 4733510400)) true false";
        for (name, expected) in [
            ("v1", "v1 an RSA key of 2048 bits [\"127.0.0.1\"]"),
            ("v1-rsa1024", "v1 an RSA key of 1024 bits [\"127.0.0.1\"]"),
            ("v1-p521", "v1 an EC key on the curve P-521 [\"127.0.0.1\"]"),
            ("v1-ed25519", "v1 an Ed25519 key [\"127.0.0.1\"]"),
            ("v1-empty-subject", "v1 an RSA key of 2048 bits []"),
            ("version-2", "v2 an RSA key of 2048 bits [\"127.0.0.1\"]"),
            ("version-9", "v0 an RSA key of 2048 bits [\"127.0.0.1\"]"),
            ("cn-utf16", "v3 an RSA key of 2048 bits [\"localhost\"]"),
            (
                "cn-beside-names",
                "v3 an RSA key of 2048 bits [\"esx7.example\"]",
            ),
            (
                "unique-identifiers",
                "v3 an RSA key of 2048 bits [\"127.0.0.1\"]",
            ),
        ] {
            let expected = format!("{expected} {valid}");
            assert_eq!(ask(&fixture(name)).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn dates_of_all_forms() {
        let at = |tag, text: &str| {
            let content = text.as_bytes();
            let whole = content;
            seconds(Element {
                tag,
                content,
                whole,
            })
        };
        assert_eq!(at(der::UTC_TIME, "110203000000Z"), Some(1_296_691_200));
        assert_eq!(at(der::UTC_TIME, "1102030000Z"), Some(1_296_691_200));
        assert_eq!(at(der::UTC_TIME, "110203013000+0130"), Some(1_296_691_200));
        assert_eq!(at(der::UTC_TIME, "500101000000Z"), Some(-631_152_000));
        assert_eq!(
            at(der::GENERALIZED_TIME, "20110203000000Z"),
            Some(1_296_691_200)
        );
        assert_eq!(at(der::GENERALIZED_TIME, "99991231235959Z"), Some(i64::MAX));
        for text in [
            "",
            "never",
            "110203",
            "110203000000",
            "1102030000001Z",
            "é10203000000Z",
            "110203000000+1é",
        ] {
            assert_eq!(at(der::UTC_TIME, text), None, "{text}");
        }
        assert_eq!(at(der::GENERALIZED_TIME, "2011é203000000Z"), None);
        assert_eq!(at(der::INTEGER, "110203000000Z"), None);
    }

    #[test]
    fn names_of_hosts_and_addresses() {
        let fits = |name: &str, server: &str| {
            Name::Host(name.to_owned()).fits(&ServerName::try_from(server).unwrap())
        };
        assert!(fits("ESX1.example", "esx1.EXAMPLE."));
        assert!(fits("*.example", "esx1.example"));
        assert!(fits("192.0.2.1", "192.0.2.1"));
        assert!(fits("2001:db8:0::1", "2001:db8::1"));
        assert!(!fits("*.example", "a.esx1.example"));
        assert!(!fits("*.example", "example"));
        assert!(!fits("*", "esx1"));
        assert!(!fits("esx1.example\u{fffd}.evil", "esx1.example"));
        assert!(!fits("*.0.2.1", "192.0.2.1"));
        let address = Name::Address("192.0.2.1".parse().unwrap());
        assert!(address.fits(&ServerName::try_from("192.0.2.1").unwrap()));
        assert!(!address.fits(&ServerName::try_from("192.0.2.2").unwrap()));
    }

    /// No certificate, whatever is cut off or changed, is more than an error.
    #[test]
    fn hostile_certificates_are_errors() {
        for (name, der) in fixtures() {
            for end in 0..der.len() {
                assert_eq!(ask(&der[..end]), None, "{name} cut at {end}");
            }
            for at in 0..der.len() {
                for change in [0x01, 0xff] {
                    let mut changed = der.clone();
                    changed[at] ^= change;
                    let _ = ask(&changed);
                }
            }
        }
        let mut deep = vec![0x30; 100_000];
        deep.extend([0x84, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(ask(&deep), None);
        assert_eq!(ask(&[0x30, 0x80].repeat(50_000)), None);
    }
}
