use std::future::IntoFuture as _;
use std::io::IsTerminal as _;
use std::pin::pin;
use std::time::Duration;

use esx_driver::virt_model::MigrateFlags;
use esx_driver::{Connect, Domain, MigrateParameters, MigratePriority, Operation, Progress};
use serde::Serialize;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::{self, check_exclusive, check_requires, check_text};
use crate::commands::{Command, file};
use crate::connection::{self, Connection};
use crate::failure::Failure;
use crate::ui::Ui;
use crate::ui::progress;

/// migrate domain to another host
///
/// Migrate a domain to another host of its vCenter. Both connections have to be ones to the vCenter (vpx://), or to
/// its hosts with vcenter= in the URI. Ctrl-C cancels the migration.
///
/// With --direct there is no second connection: --desturi is the name of a host of the vCenter, its reference, or its
/// vpx:// URI.
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    domain: DomainArg,

    /// connection URI of the destination host as seen from the client(normal migration) or source(p2p migration)
    #[arg(value_name = "desturi")]
    desturi: String,

    /// live migration
    #[arg(long)]
    live: bool,

    /// offline migration
    #[arg(long)]
    offline: bool,

    /// peer-2-peer migration
    #[arg(long)]
    p2p: bool,

    /// direct migration
    #[arg(long)]
    direct: bool,

    /// tunnelled migration
    #[arg(long)]
    tunnelled: bool,

    /// persist VM on destination
    #[arg(long)]
    persistent: bool,

    /// undefine VM on source
    #[arg(long)]
    undefinesource: bool,

    /// do not restart the domain on the destination host
    #[arg(long)]
    suspend: bool,

    /// migration with non-shared storage with full disk copy
    #[arg(long)]
    copy_storage_all: bool,

    /// migration with non-shared storage with incremental copy (same base image shared between source and destination)
    #[arg(long)]
    copy_storage_inc: bool,

    /// force guest disk writes to be synchronously written to the destination to improve storage migration convergence
    #[arg(long)]
    copy_storage_synchronous_writes: bool,

    /// prevent any configuration changes to domain until migration ends
    #[arg(long)]
    change_protection: bool,

    /// force migration even if it may be unsafe
    #[arg(long = "unsafe")]
    is_unsafe: bool,

    /// display the progress of migration
    #[arg(long)]
    verbose: bool,

    /// compress repeated pages during live migration
    #[arg(long)]
    compressed: bool,

    /// force convergence during live migration
    #[arg(long)]
    auto_converge: bool,

    /// pin all memory before starting RDMA live migration
    #[arg(long)]
    rdma_pin_all: bool,

    /// abort on soft errors during migration
    #[arg(long)]
    abort_on_error: bool,

    /// enable post-copy migration; switch to it using migrate-postcopy command
    #[arg(long)]
    postcopy: bool,

    /// automatically switch to post-copy migration after one pass of pre-copy
    #[arg(long)]
    postcopy_after_precopy: bool,

    /// resume failed post-copy migration
    #[arg(long)]
    postcopy_resume: bool,

    /// use zero-copy mechanism for migrating memory pages
    #[arg(long)]
    zerocopy: bool,

    /// migration URI, usually can be omitted
    #[arg(value_name = "migrateuri")]
    migrateuri: Option<String>,

    /// graphics URI to be used for seamless graphics migration
    #[arg(value_name = "graphicsuri")]
    graphicsuri: Option<String>,

    /// listen address that destination should bind to for incoming migration
    #[arg(value_name = "listen-address", id = "listen-address")]
    listen_address: Option<String>,

    /// rename to new name during migration (if supported)
    #[arg(value_name = "dname")]
    dname: Option<String>,

    /// run action specified by --timeout-* option (suspend by default) if live migration exceeds timeout (in seconds)
    #[arg(value_name = "timeout", value_parser = Number::parser())]
    timeout: Option<Number>,

    /// suspend the guest after timeout
    #[arg(long)]
    timeout_suspend: bool,

    /// switch to post-copy after timeout
    #[arg(long)]
    timeout_postcopy: bool,

    /// filename containing updated XML for the target
    #[arg(value_name = "xml")]
    xml: Option<String>,

    /// comma separated list of disks to be migrated
    #[arg(value_name = "migrate-disks", id = "migrate-disks")]
    migrate_disks: Option<String>,

    /// port to use by target server for incoming disks migration
    #[arg(value_name = "disks-port", id = "disks-port", value_parser = Number::parser())]
    disks_port: Option<Number>,

    /// URI to use for disks migration (overrides --disks-port)
    #[arg(value_name = "disks-uri", id = "disks-uri")]
    disks_uri: Option<String>,

    /// comma separated list of compression methods to be used
    #[arg(value_name = "comp-methods", id = "comp-methods")]
    comp_methods: Option<String>,

    /// compress level for multithread compression
    #[arg(value_name = "comp-mt-level", id = "comp-mt-level", value_parser = Number::parser())]
    comp_mt_level: Option<Number>,

    /// number of compression threads for multithread compression
    #[arg(value_name = "comp-mt-threads", id = "comp-mt-threads", value_parser = Number::parser())]
    comp_mt_threads: Option<Number>,

    /// number of decompression threads for multithread compression
    #[arg(value_name = "comp-mt-dthreads", id = "comp-mt-dthreads", value_parser = Number::parser())]
    comp_mt_dthreads: Option<Number>,

    /// page cache size for xbzrle compression
    #[arg(value_name = "comp-xbzrle-cache", id = "comp-xbzrle-cache", value_parser = Number::parser())]
    comp_xbzrle_cache: Option<Number>,

    /// initial CPU throttling rate for auto-convergence
    #[arg(value_name = "auto-converge-initial", id = "auto-converge-initial", value_parser = Number::parser())]
    auto_converge_initial: Option<Number>,

    /// CPU throttling rate increment for auto-convergence
    #[arg(value_name = "auto-converge-increment", id = "auto-converge-increment", value_parser = Number::parser())]
    auto_converge_increment: Option<Number>,

    /// filename containing updated persistent XML for the target
    #[arg(value_name = "persistent-xml", id = "persistent-xml")]
    persistent_xml: Option<String>,

    /// use TLS for migration
    #[arg(long)]
    tls: bool,

    /// post-copy migration bandwidth limit in MiB/s
    #[arg(value_name = "postcopy-bandwidth", id = "postcopy-bandwidth", value_parser = Number::parser())]
    postcopy_bandwidth: Option<Number>,

    /// enable parallel migration
    #[arg(long)]
    parallel: bool,

    /// number of connections for parallel migration
    #[arg(value_name = "parallel-connections", id = "parallel-connections", value_parser = Number::parser())]
    parallel_connections: Option<Number>,

    /// migration bandwidth limit in MiB/s
    #[arg(value_name = "bandwidth", value_parser = Number::parser())]
    bandwidth: Option<Number>,

    /// override the destination host name used for TLS verification
    #[arg(value_name = "tls-destination", id = "tls-destination")]
    tls_destination: Option<String>,

    /// move the domain's files to this datastore; only with --direct
    #[arg(long, value_name = "string")]
    datastore: Option<String>,

    /// how much the hosts reserve for the migration; only with --direct
    #[arg(long, value_name = "PRIORITY", value_enum, default_value_t)]
    priority: Priority,

    #[command(flatten)]
    answering: Answering,

    #[command(flatten)]
    progress: progress::Options,
}

/// How much the hosts reserve for a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Priority {
    /// little: it may take longer
    Low,
    /// the vCenter's default
    #[default]
    Default,
    /// much, or the migration fails
    High,
}

/// A domain that was migrated.
#[derive(Debug, Serialize)]
struct Migrated {
    name: String,
    uuid: String,
    destination: String,
}

impl Answer for Migrated {
    const SCHEMA: &'static str = "virt-esx/domain-migrated/1";

    fn text(&self, _: bool) -> String {
        String::new()
    }
}

impl Command for Migrate {
    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("live", self.live), ("offline", self.offline)])?;
        check_exclusive([
            ("timeout-suspend", self.timeout_suspend),
            ("timeout-postcopy", self.timeout_postcopy),
        ])?;
        let postcopy = ("postcopy", self.postcopy);
        check_requires(
            ("postcopy-after-precopy", self.postcopy_after_precopy),
            postcopy,
        )?;
        check_requires(("postcopy-resume", self.postcopy_resume), postcopy)?;
        check_requires(("timeout-postcopy", self.timeout_postcopy), postcopy)?;
        check_requires(
            ("persistent-xml", self.persistent_xml.is_some()),
            ("persistent", self.persistent),
        )?;
        check_requires(
            ("tls-destination", self.tls_destination.is_some()),
            ("tls", self.tls),
        )?;
        let direct = ("direct", self.direct);
        check_requires(("datastore", self.datastore.is_some()), direct)?;
        check_requires(("priority", self.priority != Priority::Default), direct)?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let connect = connection.with_policy(policy);
        let domain = self.domain.find(&connect).await?;
        let timeout = self.timeout()?;
        if self.postcopy_after_precopy {
            // virsh waits for libvirt's event of a pass, which no ESX driver has.
            return Err(Failure::unsupported("virConnectDomainEventRegisterAny"));
        }
        check_text("desturi", Some(&self.desturi))?;
        match self.direct || self.p2p {
            true => self.migrate(ui, connection, &domain, None, timeout).await?,
            false => {
                let destination = connection::to(&self.desturi, ui).await?;
                let there = Some(&destination);
                let done = self.migrate(ui, connection, &domain, there, timeout).await;
                // The domain is where it is, whether or not the session ends well.
                let closed = destination.close().await;
                done?;
                closed?;
            }
        }
        Ok(ui.answer(&Migrated {
            name: domain.name().to_owned(),
            uuid: domain.uuid().to_string(),
            destination: self.desturi,
        })?)
    }
}

impl Migrate {
    /// Migrates the domain to the host of the other connection, or without one directly.
    async fn migrate(
        &self,
        ui: &Ui,
        connection: &Connection,
        domain: &Domain,
        destination: Option<&Connect>,
        timeout: Option<Duration>,
    ) -> Result<(), Failure> {
        let parameters = self.parameters().await?;
        if self.copy_storage_synchronous_writes && !(self.copy_storage_all || self.copy_storage_inc)
        {
            return Err(Failure::new(
                "'--copy-storage-synchronous-writes' requires one of '--copy-storage-all', 'copy-storage-inc'",
            ));
        }
        connection.check_writable(match destination {
            Some(_) => "virDomainMigrate3",
            None => "virDomainMigrateToURI3",
        })?;
        let flags = self.flags();
        match destination {
            Some(destination) => {
                let operation = domain.migrate(destination, flags, parameters);
                self.perform(ui, domain, operation, timeout).await
            }
            None => {
                let operation = domain.migrate_to_uri(&self.desturi, flags, parameters);
                self.perform(ui, domain, operation, timeout).await
            }
        }
    }

    /// The time after which the guest is suspended, if there is one.
    fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds: u32 = number("timeout", &self.timeout)?.unwrap_or(0);
        if seconds > 0 && !self.live {
            return Err(Failure::new(
                "migrate: Unexpected timeout for offline migration",
            ));
        }
        if seconds == 0 && (self.timeout_suspend || self.timeout_postcopy) {
            return Err(Failure::new(
                "migrate: Unexpected --timeout-* option without --timeout",
            ));
        }
        Ok((seconds > 0).then(|| Duration::from_secs(seconds.into())))
    }

    /// Checks the other options in virsh's order.
    async fn parameters(&self) -> Result<MigrateParameters, Failure> {
        let mut others = Vec::new();
        let mut text = |option, value: &Option<String>, name: Option<&str>| {
            check_text(option, value.as_deref())?;
            if value.is_some() {
                others.extend(name.map(str::to_owned));
            }
            Ok::<_, Failure>(())
        };
        text("migrateuri", &self.migrateuri, None)?;
        text("graphicsuri", &self.graphicsuri, Some("graphics_uri"))?;
        text(
            "listen-address",
            &self.listen_address,
            Some("listen_address"),
        )?;
        let disks_port: Option<i32> = number("disks-port", &self.disks_port)?;
        text("disks-uri", &self.disks_uri, Some("disks_uri"))?;
        text("dname", &self.dname, None)?;
        text("migrate-disks", &self.migrate_disks, Some("migrate_disks"))?;
        text("comp-methods", &self.comp_methods, Some("compression"))?;
        let mut others: Vec<String> = others;
        if disks_port.is_some_and(|port| port != 0) {
            others.push("disks_port".to_owned());
        }
        let mut count = |option, value, name: &str| {
            let number: Option<i32> = number(option, value)?;
            if number.is_some() {
                others.push(name.to_owned());
            }
            Ok::<_, Failure>(())
        };
        count("comp-mt-level", &self.comp_mt_level, "compression.mt.level")?;
        count(
            "comp-mt-threads",
            &self.comp_mt_threads,
            "compression.mt.threads",
        )?;
        count(
            "comp-mt-dthreads",
            &self.comp_mt_dthreads,
            "compression.mt.dthreads",
        )?;
        let cache: Option<u64> = number("comp-xbzrle-cache", &self.comp_xbzrle_cache)?;
        let xml = document("xml", &self.xml).await?;
        let persistent_xml = document("persistent-xml", &self.persistent_xml).await?;
        let mut count = |option, value, name: &str| {
            let number: Option<i32> = number(option, value)?;
            if number.is_some() {
                others.push(name.to_owned());
            }
            Ok::<_, Failure>(())
        };
        count(
            "auto-converge-initial",
            &self.auto_converge_initial,
            "auto_converge.initial",
        )?;
        count(
            "auto-converge-increment",
            &self.auto_converge_increment,
            "auto_converge.increment",
        )?;
        let postcopy: Option<u64> = number("postcopy-bandwidth", &self.postcopy_bandwidth)?;
        let connections: Option<i32> = number("parallel-connections", &self.parallel_connections)?;
        let bandwidth: Option<u64> = number("bandwidth", &self.bandwidth)?;
        check_text("tls-destination", self.tls_destination.as_deref())?;
        for (is_given, name) in [
            (cache.is_some(), "compression.xbzrle.cache"),
            (persistent_xml.is_some(), "persistent_xml"),
            (postcopy.is_some(), "bandwidth.postcopy"),
            (connections.is_some(), "parallel.connections"),
            (self.tls_destination.is_some(), "tls.destination"),
        ] {
            if is_given {
                others.push(name.to_owned());
            }
        }
        Ok(MigrateParameters {
            uri: self.migrateuri.clone(),
            destination_name: self.dname.clone(),
            destination_xml: xml,
            bandwidth: bandwidth.unwrap_or(0),
            others,
            datastore: self.datastore.clone(),
            priority: match self.priority {
                Priority::Low => MigratePriority::Low,
                Priority::Default => MigratePriority::Default,
                Priority::High => MigratePriority::High,
            },
        })
    }

    fn flags(&self) -> MigrateFlags {
        type Flags = MigrateFlags;
        let flags = [
            (self.live, Flags::LIVE),
            (self.p2p, Flags::PEER2PEER),
            (self.tunnelled, Flags::TUNNELLED),
            (self.persistent, Flags::PERSIST_DEST),
            (self.undefinesource, Flags::UNDEFINE_SOURCE),
            (self.suspend, Flags::PAUSED),
            (self.copy_storage_all, Flags::NON_SHARED_DISK),
            (self.copy_storage_inc, Flags::NON_SHARED_INC),
            (
                self.copy_storage_synchronous_writes,
                Flags::NON_SHARED_SYNCHRONOUS_WRITES,
            ),
            (self.change_protection, Flags::CHANGE_PROTECTION),
            (self.is_unsafe, Flags::UNSAFE),
            (self.offline, Flags::OFFLINE),
            (self.compressed, Flags::COMPRESSED),
            (self.abort_on_error, Flags::ABORT_ON_ERROR),
            (self.auto_converge, Flags::AUTO_CONVERGE),
            (self.rdma_pin_all, Flags::RDMA_PIN_ALL),
            (self.postcopy, Flags::POSTCOPY),
            (self.postcopy_resume, Flags::POSTCOPY_RESUME),
            (self.zerocopy, Flags::ZEROCOPY),
            (self.tls, Flags::TLS),
            (self.parallel, Flags::PARALLEL),
        ];
        options::flags(Flags::NONE, flags)
    }

    /// Brings the migration to its end, with its progress. After `timeout` the guest is suspended.
    async fn perform<T>(
        &self,
        ui: &Ui,
        domain: &Domain,
        operation: Operation<'static, T>,
        timeout: Option<Duration>,
    ) -> Result<(), Failure> {
        let line = ui.progresses(&self.progress).begin(domain.name());
        let shown = |progress: Progress| {
            if let Some(line) = &line {
                line.show(&progress);
            }
        };
        let terminal = ui.terminal().clone();
        let operation = operation.cancelled_by(ui.interruption().comes());
        // Elsewhere than on a terminal virsh's line is of no use before the end.
        let shows_percents = self.verbose && std::io::stderr().is_terminal();
        let operation = match (shows_percents, &line) {
            (true, _) => operation.on_progress(move |progress| {
                terminal.tell_styled(&shown_as_virsh(progress.percent.unwrap_or(0)));
            }),
            (false, Some(_)) => operation.on_progress(shown),
            (false, None) => operation,
        };
        let mut migration = operation.into_future();
        let mut suspension = pin!(suspend(ui, domain, timeout.unwrap_or_default()));
        let mut may_suspend = timeout.is_some();
        loop {
            tokio::select! {
                biased;
                done = &mut migration => {
                    done?;
                    break;
                }
                () = &mut suspension, if may_suspend => may_suspend = false,
            }
        }
        if self.verbose {
            ui.terminal().tell_styled(&shown_as_virsh(100));
        }
        Ok(())
    }
}

/// virsh's line of progress, which begins at the start of the line again.
fn shown_as_virsh(percent: u8) -> String {
    format!("\rMigration: [{percent:3} %]")
}

/// Suspends the guest after `timeout`, as virsh does.
async fn suspend(ui: &Ui, domain: &Domain, timeout: Duration) {
    tokio::time::sleep(timeout).await;
    if let Err(error) = domain.suspend().await {
        ui.warn(format!(
            "the migration takes longer, and the guest could not be suspended: {error}"
        ));
    }
}

/// The text of a file that an option names.
async fn document(option: &str, path: &Option<String>) -> Result<Option<String>, Failure> {
    check_text(option, path.as_deref())?;
    let Some(path) = path else {
        return Ok(None);
    };
    let text = file::read(path).await;
    let text =
        text.map_err(|reason| Failure::because(format!("cannot read file '{path}'"), reason));
    text.map(Some)
}

/// The number of an option, if it was given.
fn number<N: std::str::FromStr>(
    option: &str,
    value: &Option<Number>,
) -> Result<Option<N>, Failure> {
    let Some(value) = value else {
        return Ok(None);
    };
    let text = value.text();
    options::number(text).map(Some).map_err(|_| {
        Failure::new(format!(
            "Numeric value '{text}' for <{option}> option is malformed or out of range"
        ))
    })
}
