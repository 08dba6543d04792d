use serde::Serialize;
use virt_model::flags::SnapshotCreateFlags;

use super::specification;
use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup;
use crate::ui::Ui;
use crate::ui::progress;

/// Create a snapshot from a set of args
///
/// The snapshot has the memory of a running domain. Ctrl-C cancels the host's task.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotCreateAs {
    #[command(flatten)]
    domain: DomainArg,

    /// name of snapshot
    #[arg(value_name = "name")]
    name: Option<String>,

    /// description of snapshot
    #[arg(value_name = "description")]
    description: Option<String>,

    /// print XML document rather than create
    #[arg(long)]
    print_xml: bool,

    /// take snapshot but create no metadata
    #[arg(long)]
    no_metadata: bool,

    /// halt domain after snapshot is created
    #[arg(long)]
    halt: bool,

    /// capture disk state but not vm state
    #[arg(long)]
    disk_only: bool,

    /// reuse any existing external files
    #[arg(long)]
    reuse_external: bool,

    /// quiesce guest's file systems
    #[arg(long)]
    quiesce: bool,

    /// require atomic operation
    #[arg(long)]
    atomic: bool,

    /// take a live snapshot
    #[arg(long)]
    live: bool,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    /// memory attributes: [file=]name[,snapshot=type]
    #[arg(long, value_name = "string")]
    memspec: Option<String>,

    /// disk attributes: disk[,snapshot=type][,driver=type][,stype=type][,file=name]
    #[arg(value_name = "diskspec", num_args = 0..)]
    diskspec: Vec<String>,

    #[command(flatten)]
    progress: progress::Options,
}

/// A snapshot that was taken.
#[derive(Debug, Serialize)]
struct Created {
    domain: String,
    name: String,
}

/// A snapshot's definition.
#[derive(Debug, Serialize)]
struct Definition {
    /// libvirt's document.
    xml: String,
}

impl Command for SnapshotCreateAs {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let xml = self.xml()?;
        if self.print_xml {
            return Ok(ui.answer(&Definition { xml })?);
        }
        connection.check_writable("virDomainSnapshotCreateXML")?;
        let interruption = ui.interruption();
        let operation = domain
            .snapshot_create_xml(&xml, self.flags())
            .cancelled_by(interruption.comes());
        // Watching a task costs requests, which is for nothing when no progress is shown.
        let operation = match ui.progresses(&self.progress).begin(domain.name()) {
            Some(line) => operation.on_progress(move |progress| line.show(&progress)),
            None => operation,
        };
        let snapshot = operation.await?;
        Ok(ui.answer(&Created {
            domain: domain.name().to_owned(),
            name: snapshot.name().to_owned(),
        })?)
    }
}

impl SnapshotCreateAs {
    /// libvirt's document, as virsh writes it.
    fn xml(&self) -> Result<String, Failure> {
        options::check_text("name", self.name.as_deref())?;
        options::check_text("description", self.description.as_deref())?;
        let mut xml = "<domainsnapshot>\n".to_owned();
        for (element, text) in [("name", &self.name), ("description", &self.description)] {
            if let Some(text) = text {
                let text = markup::escaped(text);
                xml += &format!("  <{element}>{text}</{element}>\n");
            }
        }
        options::check_text("memspec", self.memspec.as_deref())?;
        if let Some(memory) = &self.memspec {
            xml += &format!("  {}", specification::memory(memory)?);
        }
        if !self.diskspec.is_empty() {
            xml += "  <disks>\n";
            for disk in &self.diskspec {
                for line in specification::disk(disk)?.lines() {
                    xml += &format!("    {line}\n");
                }
            }
            xml += "  </disks>\n";
        }
        Ok(xml + "</domainsnapshot>\n")
    }

    fn flags(&self) -> SnapshotCreateFlags {
        let flags = [
            (self.no_metadata, SnapshotCreateFlags::NO_METADATA),
            (self.halt, SnapshotCreateFlags::HALT),
            (self.disk_only, SnapshotCreateFlags::DISK_ONLY),
            (self.reuse_external, SnapshotCreateFlags::REUSE_EXT),
            (self.quiesce, SnapshotCreateFlags::QUIESCE),
            (self.atomic, SnapshotCreateFlags::ATOMIC),
            (self.live, SnapshotCreateFlags::LIVE),
            (self.validate, SnapshotCreateFlags::VALIDATE),
        ];
        options::flags(SnapshotCreateFlags::NONE, flags)
    }
}

impl Answer for Created {
    const SCHEMA: &'static str = "virt-esx/snapshot-created/1";

    fn text(&self, quiet: bool) -> String {
        match quiet {
            true => String::new(),
            false => format!("Domain snapshot {} created\n", self.name),
        }
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/snapshot-definition/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
