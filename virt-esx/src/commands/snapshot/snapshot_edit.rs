use esx_driver::{DomainSnapshot, SnapshotEntry};
use serde::Serialize;
use virt_model::flags::SnapshotXmlFlags;
use virt_model::{Document as _, SnapshotDef};

use super::definition;
use super::lookup::{self, Current};
use crate::answer::Answer;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::editor::{self, Refusal};
use crate::commands::options::check_exclusive;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// edit XML for a snapshot
///
/// Edit the domain snapshot XML for a named snapshot. The name (with --rename) and the description can be changed. The
/// editor is that of the environment variable VISUAL or EDITOR, else vi.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotEdit {
    #[command(flatten)]
    domain: DomainArg,

    /// snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,

    /// also set edited snapshot as current
    #[arg(long)]
    current: bool,

    /// allow renaming an existing snapshot
    #[arg(long)]
    rename: bool,

    /// allow cloning to new name
    #[arg(long)]
    clone: bool,
}

/// A snapshot that was edited.
#[derive(Debug, Serialize)]
struct Edited {
    domain: String,
    /// The name before.
    name: String,
    new_name: String,
    /// Whether anything was changed.
    changed: bool,
}

impl Command for SnapshotEdit {
    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("rename", self.rename), ("clone", self.clone)])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let name = self.snapshotname.as_deref();
        let found = lookup::find(&domain, name, self.current, Current::WithName).await?;
        let name = found.snapshot.name();
        let line = format!("Failed to update {name}");
        // libvirt gives secrets to be edited, which a read-only connection must not have.
        if connection.is_readonly() {
            let forbidden = definition::of(connection, &found, SnapshotXmlFlags::SECURE);
            forbidden.map_err(|reason| Failure::because(&line, reason))?;
        }
        let edited = self.edit(ui, &found).await;
        let edited = edited.map_err(|failure| failure.followed_by(line))?;
        let new_name = edited.as_ref().unwrap_or(&found.snapshot).name();
        Ok(ui.answer(&Edited {
            domain: domain.name().to_owned(),
            name: name.to_owned(),
            new_name: new_name.to_owned(),
            changed: edited.is_some(),
        })?)
    }
}

impl SnapshotEdit {
    /// The snapshot with its new name, if anything was changed.
    async fn edit(
        &self,
        ui: &Ui,
        found: &SnapshotEntry,
    ) -> Result<Option<DomainSnapshot>, Failure> {
        if self.snapshotname.is_some() && self.current && !found.is_current {
            let line =
                "unsupported configuration: only a revert makes another snapshot the current one";
            return Err(Failure::new(line));
        }
        let xml = found.xml_desc(SnapshotXmlFlags::NONE)?;
        editor::edit(ui, &xml, async |text, is_forced| {
            let (name, description) = self.changes(found, text)?;
            if !is_forced && found.snapshot.xml_desc(SnapshotXmlFlags::NONE).await? != xml {
                return Err(Refusal::Changed);
            }
            let renamed = found.snapshot.rename(Some(&name), Some(&description));
            Ok(renamed.await?)
        })
        .await
    }

    /// The name and the description of an edited document.
    fn changes(&self, found: &SnapshotEntry, text: &str) -> Result<(String, String), Failure> {
        let read = SnapshotDef::read_xml(text);
        let read = read.map_err(|error| Failure::new(error.number().with(error.message())))?;
        let mut def = read.document;
        let old = found.definition();
        let name = def.name.take().unwrap_or_default();
        let description = def.description.take().unwrap_or_default();
        let (old_name, is_clone) = (found.snapshot.name(), self.clone);
        def.name = old.name.clone();
        def.description = old.description.clone();
        let refusal = match name == old_name {
            _ if def != old || !read.unmodelled.is_empty() => {
                "unsupported configuration: only the name and the description of a snapshot can be changed".to_owned()
            }
            true => return Ok((name, description)),
            false if name.is_empty() => "unsupported configuration: a snapshot needs a name".to_owned(),
            false if self.rename => return Ok((name, description)),
            false if is_clone => "unsupported configuration: snapshots cannot be cloned".to_owned(),
            false => format!("Must use --rename or --clone to change {old_name} to {name}"),
        };
        Err(Failure::new(refusal))
    }
}

impl Answer for Edited {
    const SCHEMA: &'static str = "virt-esx/snapshot-edited/1";

    fn text(&self, quiet: bool) -> String {
        let Self {
            name,
            new_name,
            changed,
            ..
        } = self;
        let (name, new_name) = (foreign::line(name), foreign::line(new_name));
        match changed {
            _ if quiet => String::new(),
            false => format!("Snapshot {name} XML configuration not changed.\n"),
            true if name == new_name => format!("Snapshot {name} edited.\n"),
            true => format!("Snapshot {name} renamed to {new_name}.\n"),
        }
    }
}
