use super::create::{self, How};
use super::definition::Definition;
use super::specification;
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

    #[command(flatten)]
    how: How,

    /// memory attributes: [file=]name[,snapshot=type]
    #[arg(long, value_name = "string")]
    memspec: Option<String>,

    /// disk attributes: disk[,snapshot=type][,driver=type][,stype=type][,file=name]
    #[arg(value_name = "diskspec", num_args = 0..)]
    diskspec: Vec<String>,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for SnapshotCreateAs {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let xml = self.xml()?;
        if self.print_xml {
            return Ok(ui.answer(&Definition { xml, end: "\n" })?);
        }
        let (document, flags) = ((xml.as_str(), None), self.how.flags());
        create::create(ui, connection, &domain, document, flags, &self.progress).await
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
}
