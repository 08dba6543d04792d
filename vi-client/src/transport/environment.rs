//! The proxy variables of the environment, as libcurl follows them.

use std::net::IpAddr;

use super::https::{Endpoint, Scheme};
use super::proxy::{InvalidProxy, Proxy};
use crate::Password;

/// A proxy variable of the environment cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable} names no proxy that can be used: {reason}")]
pub struct InvalidProxyVariable {
    /// Its name.
    pub variable: &'static str,
    /// The reason, without its value, which can hold a password.
    pub reason: InvalidProxy,
}

impl Proxy {
    /// The proxy that the environment names for a server: `https_proxy`, `HTTPS_PROXY`, `all_proxy` or `ALL_PROXY` for
    /// HTTPS, `http_proxy`, `all_proxy` or `ALL_PROXY` for HTTP; the first one that is set counts, and an empty one says that
    /// there is none. `no_proxy` or `NO_PROXY` lists the servers that are reached without one.
    ///
    /// This is what libcurl does, with which libvirt reaches its servers. User and password of these variables are
    /// percent-encoded.
    ///
    /// # Errors
    /// If the variable names no proxy.
    pub fn of_environment(endpoint: &Endpoint) -> Result<Option<Self>, InvalidProxyVariable> {
        find(endpoint, |name| std::env::var(name).ok())
    }
}

fn find(
    endpoint: &Endpoint,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, InvalidProxyVariable> {
    // HTTP_PROXY in capitals is no setting but a header of a request where a program answers web requests.
    let names: &[&'static str] = match endpoint.scheme {
        Scheme::Https => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        Scheme::Http => &["http_proxy", "all_proxy", "ALL_PROXY"],
    };
    let found = names
        .iter()
        .find_map(|name| Some((*name, variable(name)?)))
        .filter(|(_, value)| !value.is_empty());
    let Some((name, value)) = found else {
        return Ok(None);
    };
    let exempt = variable("no_proxy").or_else(|| variable("NO_PROXY"));
    if exempt.is_some_and(|list| is_exempt(&endpoint.host, &list)) {
        return Ok(None);
    }
    // What follows the address says nothing.
    let value = value.trim_end_matches('/');
    // With libcurl, only `socks5h` lets the proxy look the server's name up, as every SOCKS 5 proxy does here.
    let text = match value.strip_prefix("socks5h://") {
        Some(rest) => format!("socks5://{rest}"),
        None => value.to_owned(),
    };
    let mut proxy: Proxy = text.parse().map_err(|reason| InvalidProxyVariable {
        variable: name,
        reason,
    })?;
    proxy.user = proxy.user.map(|user| decoded(&user));
    proxy.password = proxy
        .password
        .map(|password| Password::from(decoded(password.reveal())));
    Ok(Some(proxy))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// Whether a list of names, domains, addresses and networks has the host.
fn is_exempt(host: &str, list: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).any(|item| {
        let item = item.trim().trim_end_matches('.').to_ascii_lowercase();
        let item = item.trim_start_matches('[').trim_end_matches(']');
        match (item, address) {
            ("", _) => false,
            ("*", _) => true,
            (item, Some(address)) => is_in_network(address, item),
            (item, None) => {
                let domain = item.trim_start_matches('.');
                host == domain
                    || host
                        .strip_suffix(domain)
                        .is_some_and(|rest| rest.ends_with('.'))
            }
        }
    })
}

/// Whether an address is `item`, or in the network `item` (`10.0.0.0/8`).
fn is_in_network(address: IpAddr, item: &str) -> bool {
    let (network, bits) = match item.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (item, Some(128)),
    };
    let Some(bits) = bits else { return false };
    match (address, network.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) => {
            let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) => {
            let mask = u128::MAX.checked_shl(128 - bits.min(128)).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::ProxyKind;

    fn found(endpoint: &Endpoint, variables: &[(&str, &str)]) -> String {
        let variable = |name: &str| {
            let mut variables = variables.iter();
            variables.find_map(|(known, value)| (*known == name).then(|| (*value).to_owned()))
        };
        match find(endpoint, variable) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "none".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_variables_are_those_of_libcurl() {
        let https = Endpoint::https("esx1.example", 443);
        let http = Endpoint::http("esx1.example", 80);
        for (endpoint, variables, expected) in [
            (&https, &[][..], "none"),
            (&https, &[("https_proxy", "p:3128")], "http://p:3128"),
            (&https, &[("HTTPS_PROXY", "http://p")], "http://p:1080"),
            (
                &https,
                &[("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2")],
                "http://a:1",
            ),
            (&https, &[("ALL_PROXY", "socks5h://p:1")], "socks5://p:1"),
            (&https, &[("https_proxy", ""), ("all_proxy", "p:1")], "none"),
            (&https, &[("http_proxy", "p:1")], "none"),
            (&http, &[("http_proxy", "http://p:1/")], "http://p:1"),
            (&http, &[("HTTP_PROXY", "p:1")], "none"),
            (
                &http,
                &[("https_proxy", "p:1"), ("all_proxy", "q:1")],
                "http://q:1",
            ),
            (
                &https,
                &[("https_proxy", "p:1"), ("no_proxy", "other, .EXAMPLE")],
                "none",
            ),
            (&https, &[("https_proxy", "p:1"), ("NO_PROXY", "*")], "none"),
            (
                &https,
                &[("https_proxy", "p:1"), ("no_proxy", "ample,esx1")],
                "http://p:1",
            ),
        ] {
            assert_eq!(found(endpoint, variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn addresses_are_exempt_by_themselves_and_by_networks() {
        for (host, list, expected) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4,11.0.0.0/8,10.1.2.3/x,example", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("fd00::1", "[fd00::1]", true),
            ("fd00::1", "fd00::/8", true),
            ("fd00::1", "fe00::/8,10.0.0.0/8", false),
            ("esx1.example.", "esx1.example", true),
        ] {
            assert_eq!(is_exempt(host, list), expected, "{host} {list}");
        }
    }

    #[test]
    fn a_login_is_decoded_and_never_shown() {
        let endpoint = Endpoint::https("esx1.example", 443);
        let variable = |name: &str| {
            (name == "https_proxy").then(|| "http://us%65r:pa%40ss:w@p:3128".to_owned())
        };
        let proxy = find(&endpoint, variable).unwrap().unwrap();
        let expected = Proxy::new(ProxyKind::Http, "p", 3128).login("user", Some("pa@ss:w".into()));
        assert_eq!(proxy, expected);
        assert!(!format!("{proxy} {proxy:?}").contains("ss:w"));
        for value in [
            "user:secret",
            "https://user:secret@p",
            "us:secret://p",
            "http://:secret@:1",
            "http://u:secret@p:secret",
        ] {
            let told = found(&endpoint, &[("https_proxy", value)]);
            assert!(
                told.contains("https_proxy") && !told.contains("secret"),
                "{told}"
            );
        }
    }
}
