use virt_model::flags::SnapshotCreateFlags;

use super::create::{self, How};
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;
use crate::ui::progress;

/// Create a snapshot from XML
///
/// Create a snapshot (disk and RAM) from XML. Without a file its name is the time in seconds. Ctrl-C cancels the host's
/// task.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotCreate {
    #[command(flatten)]
    domain: DomainArg,

    /// domain snapshot XML
    #[arg(value_name = "xmlfile")]
    xmlfile: Option<String>,

    /// redefine metadata for existing snapshot
    #[arg(long)]
    redefine: bool,

    /// with redefine, set current snapshot
    #[arg(long)]
    current: bool,

    #[command(flatten)]
    how: How,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for SnapshotCreate {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        options::check_text("xmlfile", self.xmlfile.as_deref())?;
        let xml = match &self.xmlfile {
            Some(path) => file::read(path).await?,
            None => "<domainsnapshot/>".to_owned(),
        };
        let flags = [
            (self.redefine, SnapshotCreateFlags::REDEFINE),
            (self.current, SnapshotCreateFlags::CURRENT),
        ];
        let flags = options::flags(self.how.flags(), flags);
        let document = (xml.as_str(), self.xmlfile);
        create::create(ui, connection, &domain, document, flags, &self.progress).await
    }
}
