//! The web configuration file: TLS, passwords and headers of the listener, as Prometheus' exporters have them.
//!
//! The file is read again for every connection and every request. Source: exporter-toolkit's description of
//! `--web.config.file`.

mod config;
mod tls;
mod users;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hyper::header::{HeaderName, HeaderValue};
use tracing::warn;

use self::config::{Config, RateLimit};
pub(crate) use self::tls::Acceptor;
use self::users::Users;

/// The most bytes of a web configuration, and of a file that it names.
const LARGEST: usize = 4 << 20;

/// Why a web configuration cannot be used: the file, and what is wrong.
#[derive(Debug)]
pub(crate) struct WebError(String);

impl std::fmt::Display for WebError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WebError {}

impl WebError {
    fn new(file: &Path, reason: impl std::fmt::Display) -> Self {
        Self(format!("{}: {reason}", file.display()))
    }
}

/// The web configuration, or none.
pub(crate) struct Web {
    file: Option<PathBuf>,
    users: Users,
    /// Requests that may still come at once, and when that was counted.
    tokens: Mutex<Option<(f64, Instant)>>,
}

/// Whether a request is answered.
pub(crate) enum Checked {
    /// It is, with these headers.
    Allowed {
        headers: Vec<(HeaderName, HeaderValue)>,
    },
    /// Name or password are wrong or missing.
    Refused,
    /// It came over a connection without TLS, which is older than the file.
    Unprotected,
    /// The file cannot be used.
    Misconfigured,
    /// There are more requests than the file allows.
    Busy,
}

impl Web {
    /// The configuration of a file.
    ///
    /// # Errors
    /// When the file, or a file that it names, cannot be used.
    pub(crate) fn new(file: Option<PathBuf>) -> Result<Self, WebError> {
        let web = Self {
            file,
            users: Users::default(),
            tokens: Mutex::default(),
        };
        web.config()?;
        web.acceptor()?;
        Ok(web)
    }

    fn config(&self) -> Result<Config, WebError> {
        match &self.file {
            Some(file) => Config::read(file),
            None => Ok(Config::default()),
        }
    }

    /// What makes TLS connections. `None` for plain HTTP.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub(crate) fn acceptor(&self) -> Result<Option<Acceptor>, WebError> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let config = self.config()?;
        let acceptor = config
            .tls_server_config
            .map(|tls| Acceptor::new(&tls, file));
        acceptor.transpose()
    }

    /// Whether a request with this `Authorization` is answered.
    ///
    /// `is_tls` says whether it came over TLS.
    pub(crate) async fn check(&self, authorization: &str, is_tls: bool) -> Checked {
        let config = match self.config() {
            Ok(config) => config,
            Err(error) => {
                warn!("{error}");
                return Checked::Misconfigured;
            }
        };
        if config.tls_server_config.is_some() && !is_tls {
            return Checked::Unprotected;
        }
        if let Some(limit) = &config.rate_limit
            && !self.is_within(limit)
        {
            return Checked::Busy;
        }
        if !config.basic_auth_users.is_empty()
            && !self
                .users
                .allow(&config.basic_auth_users, authorization)
                .await
        {
            return Checked::Refused;
        }
        let headers = config.http_server_config.map(|http| http.headers);
        let headers = headers.unwrap_or_default().into_iter();
        Checked::Allowed {
            headers: headers
                .filter_map(|(name, value)| {
                    Some((
                        HeaderName::from_bytes(name.as_bytes()).ok()?,
                        HeaderValue::from_str(&value).ok()?,
                    ))
                })
                .collect(),
        }
    }

    /// Takes a token, of which there is a new one every interval.
    fn is_within(&self, limit: &RateLimit) -> bool {
        let interval = limit.interval.as_secs_f64();
        if interval <= 0.0 {
            return true;
        }
        let most = f64::from(limit.burst);
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = tokens.unwrap_or((most, now));
        let left = (left + now.duration_since(since).as_secs_f64() / interval).min(most);
        let is_within = left >= 1.0;
        *tokens = Some((if is_within { left - 1.0 } else { left }, now));
        is_within
    }
}
