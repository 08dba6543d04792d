//! The content of a web configuration file.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use esx_driver::vi_client::bounded;
use serde::{Deserialize, Deserializer, de};

use super::WebError;

/// A web configuration file. Unknown keys are errors, so that a misspelt one does not leave the listener open.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    pub(super) tls_server_config: Option<TlsConfig>,
    pub(super) http_server_config: Option<HttpConfig>,
    /// bcrypt hashes by names.
    pub(super) basic_auth_users: HashMap<String, String>,
    pub(super) rate_limit: Option<RateLimit>,
}

/// TLS of the listener.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsConfig {
    pub(super) cert: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) client_auth_type: ClientAuth,
    pub(super) client_ca: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_allowed_sans: Vec<String>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
    pub(super) cipher_suites: Vec<String>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Vec<String>,
}

/// Which certificates of clients are wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum ClientAuth {
    /// None.
    #[default]
    NoClientCert,
    /// Any, which is not verified.
    RequestClientCert,
    /// There must be one, which is not verified.
    RequireAnyClientCert,
    /// If there is one, it must be valid.
    VerifyClientCertIfGiven,
    /// There must be a valid one.
    RequireAndVerifyClientCert,
}

/// HTTP of the listener.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpConfig {
    /// There is only HTTP/1.1, whatever this says.
    #[allow(
        dead_code,
        reason = "the key is known, so that files of other exporters can be used"
    )]
    http2: bool,
    #[serde(deserialize_with = "known_headers")]
    pub(super) headers: HashMap<String, String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            http2: true,
            headers: HashMap::new(),
        }
    }
}

/// How many requests are answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    /// The time between two requests, in the long run; 0 for no limit.
    #[serde(deserialize_with = "duration")]
    pub(super) interval: Duration,
    /// How many may come at once.
    pub(super) burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            interval: Duration::ZERO,
            burst: 1,
        }
    }
}

impl Config {
    /// Reads a file. An empty one is plain HTTP.
    pub(super) fn read(file: &Path) -> Result<Self, WebError> {
        let read = bounded::read_trusted_file(file, super::LARGEST);
        let bytes = read.map_err(|error| WebError::new(file, error))?;
        let text = String::from_utf8(bytes).map_err(|error| WebError::new(file, error))?;
        Self::parse(&text).map_err(|reason| WebError::new(file, reason))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Option<Self> =
            serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let config = config.unwrap_or_default();
        for (user, hash) in &config.basic_auth_users {
            if hash.parse::<bcrypt::HashParts>().is_err() {
                // The hash is a secret.
                return Err(format!("the password of '{user}' is not a bcrypt hash"));
            }
        }
        Ok(config)
    }
}

/// The headers that a file may set.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

fn known_headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<HashMap<String, String>, D::Error> {
    let headers = HashMap::<String, String>::deserialize(deserializer)?;
    match headers
        .keys()
        .find(|name| !HEADERS.contains(&name.as_str()))
    {
        Some(name) => Err(de::Error::custom(format!(
            "header '{name}' cannot be set (should be {})",
            HEADERS.join("|")
        ))),
        None => Ok(headers),
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let duration: jiff::SignedDuration = text.parse().map_err(de::Error::custom)?;
    Duration::try_from(duration).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_exporters_are_understood() {
        for text in ["", "{}", "# nothing\n"] {
            let config = Config::parse(text).unwrap();
            assert!(
                config.tls_server_config.is_none() && config.basic_auth_users.is_empty(),
                "{text}"
            );
        }
        let config = Config::parse(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
             client_auth_type: \"RequireAndVerifyClientCert\"\n  client_ca_file: tls-ca-chain.pem\n  min_version: TLS12\n\
             http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n\
             basic_auth_users:\n  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze\n\
             rate_limit:\n  interval: 1s\n  burst: 20\n",
        )
        .unwrap();
        let tls = config.tls_server_config.unwrap();
        assert_eq!(tls.client_auth_type, ClientAuth::RequireAndVerifyClientCert);
        assert_eq!(tls.cert_file.as_deref(), Some("server.crt"));
        assert_eq!(
            config.http_server_config.unwrap().headers["X-Frame-Options"],
            "deny"
        );
        assert!(config.basic_auth_users.contains_key("alice"));
        let limit = config.rate_limit.unwrap();
        assert_eq!((limit.interval, limit.burst), (Duration::from_secs(1), 20));
    }

    #[test]
    fn mistakes_are_errors() {
        for (text, reason) in [
            ("basic_auth_user:\n  a: b\n", "basic_auth_user"),
            ("tls_server_config:\n  cert_fil: a\n", "cert_fil"),
            ("tls_server_config:\n  client_auth_type: Any\n", "Any"),
            (
                "basic_auth_users:\n  alice: secret\n",
                "the password of 'alice' is not a bcrypt hash",
            ),
            (
                "http_server_config:\n  headers:\n    Server: me\n",
                "header 'Server' cannot be set",
            ),
            ("rate_limit:\n  interval: soon\n", "soon"),
            ("- a\n", ""),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
