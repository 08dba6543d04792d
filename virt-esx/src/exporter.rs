//! An exporter of metrics: a listener that tells what monitors of servers know. A scrape asks no server.
//!
//! [`source`] watches a server, [`metrics`] writes what is known in a [`format`], [`server`] answers with it, and [`web`] says
//! to whom.

mod format;
mod metrics;
mod process;
mod server;
mod source;
mod web;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::warn;

use self::format::Format;
use self::metrics::Scrape;
pub(crate) use self::server::Limits;
use self::server::Metrics;
use self::source::Source;
pub(crate) use self::source::SourceOptions;
use self::web::Web;
use crate::failure::Failure;

/// How long the servers may take to log out.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where to listen, and what to watch.
pub(crate) struct ExporterOptions {
    /// Address and port.
    pub(crate) listen: String,
    /// Where the metrics are.
    pub(crate) path: String,
    /// The web configuration file.
    pub(crate) web: Option<PathBuf>,
    pub(crate) sources: Vec<SourceOptions>,
    pub(crate) limits: Limits,
}

/// Serves metrics until `over` comes. `begin` gets the URL of the metrics as soon as there are some to be got.
///
/// # Errors
/// When the address cannot be bound, or the web configuration cannot be used.
pub(crate) async fn run(
    options: ExporterOptions,
    begin: impl FnOnce(&str) -> Result<(), Failure>,
    over: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let web = Web::new(options.web).map_err(|error| Failure::new(error.to_string()))?;
    let is_tls = web.acceptor().is_ok_and(|acceptor| acceptor.is_some());
    let listener = TcpListener::bind(&options.listen)
        .await
        .map_err(|error| Failure::because(format!("cannot listen on {}", options.listen), error))?;
    let address: SocketAddr = listener
        .local_addr()
        .map_err(|error| Failure::because("cannot listen", error))?;
    begin(&server::shown(address, is_tls, &options.path))?;

    let (end, is_over) = watch::channel(false);
    let sources = options.sources.into_iter();
    let sources: Vec<_> = sources
        .map(|source| Source::start(source, is_over.clone()))
        .collect();
    let known = std::sync::Arc::new(Known {
        started: SystemTime::now(),
        sources,
        documents: Mutex::default(),
        length: AtomicUsize::new(0),
    });
    let serving = server::serve(
        listener,
        std::sync::Arc::clone(&known),
        web,
        options.path,
        options.limits,
        is_over,
    );
    tokio::select! {
        () = serving => {}
        () = over => {}
    }
    end.send_replace(true);
    let goodbye = async {
        for source in &known.sources {
            source.ended().await;
        }
    };
    if tokio::time::timeout(FAREWELL, goodbye).await.is_err() {
        warn!("a server did not answer the logout");
    }
    Ok(())
}

/// What is known of all servers.
struct Known {
    started: SystemTime,
    sources: Vec<Source>,
    /// The last documents, each with what it depends on.
    documents: Mutex<HashMap<Format, (Key, Bytes)>>,
    /// The length of the last document.
    length: AtomicUsize,
}

/// What documents depend on: the second, and for each server the number of its snapshot and its errors.
type Key = (u64, Vec<(u64, u64, bool)>);

impl Metrics for std::sync::Arc<Known> {
    /// Scrapes within a second that know the same share a document, so that many scrapers take no more memory than one.
    fn document(&self, format: Format) -> Bytes {
        let now = SystemTime::now();
        let targets: Vec<_> = self
            .sources
            .iter()
            .map(|source| source.target(now))
            .collect();
        let second = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let states = targets.iter().map(|target| {
            let number = target.snapshot.as_ref().map_or(0, |known| known.number);
            (number, target.errors, target.is_up)
        });
        let key = (second, states.collect());
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((known, document)) = documents.get(&format)
            && *known == key
        {
            return document.clone();
        }
        // The old document is given back before there is a new one.
        documents.remove(&format);
        let scrape = Scrape {
            started: self.started,
            cpu_seconds: process::cpu_seconds(),
            resident_bytes: process::resident_bytes(),
            targets,
        };
        let length = self.length.load(Ordering::Relaxed);
        let document = Bytes::from(metrics::render(&scrape, format, length));
        self.length.store(document.len(), Ordering::Relaxed);
        documents.insert(format, (key, document.clone()));
        document
    }
}

#[cfg(test)]
mod tests;
