//! Migration URIs: `vpxmigr://VCENTER/RESOURCEPOOL/HOSTSYSTEM`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::invalid_uri;
use crate::Error;

/// The scheme of migration URIs.
pub(super) const SCHEME: &str = "vpxmigr";

/// Where a domain is migrated to: the references of a resource pool and a host of a vCenter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MigrationUri {
    /// The name or address of the vCenter.
    pub(super) server: Option<String>,
    pub(super) pool: String,
    pub(super) host: String,
}

impl FromStr for MigrationUri {
    type Err = Error;

    /// Reads what libvirt 9.0.0 reads (esxDomainMigratePerform): empty parts of the path are skipped, and those behind the
    /// host. A URI without a server is read too; libvirt compares its missing server.
    fn from_str(text: &str) -> Result<MigrationUri, Error> {
        let rest = text
            .split_once(':')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
            .map(|(_, rest)| rest);
        let rest =
            rest.ok_or_else(|| invalid_uri("Only vpxmigr:// migration URIs are supported"))?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => match rest.find('/') {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            },
            None => ("", rest),
        };
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let mut part = || {
            let part = percent_decode_str(parts.next()?).decode_utf8().ok()?;
            Some(part.into_owned())
        };
        let (Some(pool), Some(host)) = (part(), part()) else {
            return Err(invalid_uri(
                "Migration URI has to specify resource pool and host system",
            ));
        };
        Ok(MigrationUri {
            server: server(authority),
            pool,
            host,
        })
    }
}

/// The server of `[USER@]SERVER[:PORT]`.
fn server(authority: &str) -> Option<String> {
    let (_, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    let server = match server
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address,
        None => match server.rsplit_once(':') {
            // libvirt writes IPv6 addresses without brackets.
            Some(_) if server.parse::<Ipv6Addr>().is_ok() => server,
            Some((name, _)) => name,
            None => server,
        },
    };
    Some(server)
        .filter(|server| !server.is_empty())
        .map(str::to_owned)
}

impl fmt::Display for MigrationUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server.as_deref().unwrap_or_default();
        let (open, close) = match server.contains(':') {
            true => ("[", "]"),
            false => ("", ""),
        };
        let (pool, host) = (&self.pool, &self.host);
        write!(f, "{SCHEME}://{open}{server}{close}/{pool}/{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for server in ["192.0.2.1", "2001:db8::1", "vc.example.com"] {
            let uri = MigrationUri {
                server: Some(server.to_owned()),
                pool: "resgroup-8".to_owned(),
                host: "host-9".to_owned(),
            };
            assert_eq!(uri.to_string().parse::<MigrationUri>().unwrap(), uri);
        }
    }

    #[test]
    fn what_libvirt_reads() {
        for (text, server) in [
            ("vpxmigr://192.0.2.1/p/h", Some("192.0.2.1")),
            ("VPXMIGR://192.0.2.1/p/h", Some("192.0.2.1")),
            ("vpxmigr://root@vc:443//p//h/x?a=b#c", Some("vc")),
            ("vpxmigr://2001:db8::1/p/h", Some("2001:db8::1")),
            ("vpxmigr://[2001:db8::1]:443/p/h", Some("2001:db8::1")),
            ("vpxmigr:///p/h", None),
            ("vpxmigr:p/h", None),
        ] {
            let uri: MigrationUri = text.parse().unwrap();
            assert_eq!(uri.server.as_deref(), server, "{text}");
            assert_eq!((&*uri.pool, &*uri.host), ("p", "h"), "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        let scheme = "invalid argument: Only vpxmigr:// migration URIs are supported";
        let parts = "invalid argument: Migration URI has to specify resource pool and host system";
        for (text, message) in [
            ("", scheme),
            ("foo", scheme),
            ("esx://192.0.2.1/p/h", scheme),
            ("vpxmigr:x", parts),
            ("vpxmigr://", parts),
            ("vpxmigr://192.0.2.1", parts),
            ("vpxmigr://192.0.2.1/p", parts),
            ("vpxmigr://192.0.2.1/p/", parts),
        ] {
            let error = text.parse::<MigrationUri>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
    }
}
