use virt_model::DeviceModifyFlags;

use super::device_change::{self, Changed, Definition, Verb};
use super::drive::{self, MediaAction, Wanted};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive, check_text};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup;
use crate::ui::Ui;

/// Change media of CD or floppy drive
///
/// Change media of CD or floppy drive. The source is a file of a datastore, `[datastore] folder/image.iso`.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeMedia {
    #[command(flatten)]
    domain: DomainArg,

    /// Fully-qualified path or target of disk device
    #[arg(value_name = "path", required = true)]
    path: String,

    /// source of the media
    #[arg(value_name = "source")]
    source: Option<String>,

    /// Eject the media
    #[arg(long)]
    eject: bool,

    /// Insert the media
    #[arg(long)]
    insert: bool,

    /// Update the media
    #[arg(long)]
    update: bool,

    /// can be either or both of --live and --config, depends on implementation hypervisor driver
    #[arg(long)]
    current: bool,

    /// alter live configuration of running domain
    #[arg(long)]
    live: bool,

    /// alter persistent configuration, effect observed on next boot
    #[arg(long)]
    config: bool,

    /// force media changing
    #[arg(long)]
    force: bool,

    /// print XML document rather than change media
    #[arg(long)]
    print_xml: bool,

    /// source media is a block device
    #[arg(long)]
    block: bool,

    #[command(flatten)]
    answering: Answering,
}

impl Command for ChangeMedia {
    fn check(&self) -> Result<(), Failure> {
        let eject = ("eject", self.eject);
        let (insert, update) = (("insert", self.insert), ("update", self.update));
        check_exclusive([eject, insert])?;
        check_exclusive([eject, update])?;
        check_exclusive([insert, update])?;
        check_exclusive([eject, ("block", self.block)])?;
        let current = ("current", self.current);
        check_exclusive([current, ("live", self.live)])?;
        check_exclusive([current, ("config", self.config)])?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        check_text("source", self.source.as_deref())?;
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        check_text("path", Some(&self.path))?;
        let flags = self.flags();
        let document = device_change::document(&domain, Some(flags)).await?;
        let mut drive = drive::find(document, &self.path, Wanted::WithMedia, self.print_xml)?;
        let action = self.action();
        // virsh lets only --update do without a source: it ejects then.
        let source = self.source.as_deref().filter(|_| !self.eject);
        if source.is_none() && !self.eject && !self.update {
            return Err(Failure::new("New disk media source was not specified"));
        }
        drive::change_medium(&mut drive, &self.path, action, source, self.block)?;
        let xml = markup::text(&drive);
        if self.print_xml {
            return Ok(ui.answer(&Definition::new(xml))?);
        }
        let changed = Verb::Update
            .run(connection, &domain, &xml, Some(flags))
            .await;
        changed.map_err(|reason| {
            let line = format!("Failed to complete action {} on media", action.word());
            Failure::because(line, reason)
        })?;
        let text = match (action, source) {
            (_, None) => "Successfully ejected media.",
            (MediaAction::Insert, _) => "Successfully inserted media.",
            _ => "Successfully updated media.",
        };
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text,
            is_loud: true,
        })?)
    }
}

impl ChangeMedia {
    fn action(&self) -> MediaAction {
        match (self.eject, self.insert) {
            (true, _) => MediaAction::Eject,
            (_, true) => MediaAction::Insert,
            _ => MediaAction::Update,
        }
    }

    fn flags(&self) -> DeviceModifyFlags {
        let flags = [
            (self.config, DeviceModifyFlags::CONFIG),
            (self.live, DeviceModifyFlags::LIVE),
            (self.force, DeviceModifyFlags::FORCE),
        ];
        options::flags(DeviceModifyFlags::NONE, flags)
    }
}
