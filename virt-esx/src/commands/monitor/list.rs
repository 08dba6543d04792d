use serde::Serialize;
use virt_model::{DomainFilter, DomainState};

use crate::answer::{self, Answer, Format};
use crate::commands::options::check_exclusive;
use crate::commands::{Command, state};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::Ui;

/// list domains
///
/// Running and paused domains are listed unless options say otherwise. Options of one kind widen
/// the choice (--state-running --state-paused), options of different kinds narrow it.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,

    #[command(flatten)]
    columns: Columns,
}

/// Which domains are listed.
#[derive(Debug, clap::Args)]
struct Filter {
    /// list inactive domains
    #[arg(long)]
    inactive: bool,

    /// list inactive & active domains
    #[arg(long)]
    all: bool,

    /// list transient domains
    #[arg(long)]
    transient: bool,

    /// list persistent domains
    #[arg(long)]
    persistent: bool,

    /// list domains with existing snapshot
    #[arg(long)]
    with_snapshot: bool,

    /// list domains without a snapshot
    #[arg(long)]
    without_snapshot: bool,

    /// list domains with existing checkpoint
    #[arg(long)]
    with_checkpoint: bool,

    /// list domains without a checkpoint
    #[arg(long)]
    without_checkpoint: bool,

    /// list domains in running state
    #[arg(long)]
    state_running: bool,

    /// list domains in paused state
    #[arg(long)]
    state_paused: bool,

    /// list domains in shutoff state
    #[arg(long)]
    state_shutoff: bool,

    /// list domains in other states
    #[arg(long)]
    state_other: bool,

    /// list domains with autostart enabled
    #[arg(long)]
    autostart: bool,

    /// list domains with autostart disabled
    #[arg(long)]
    no_autostart: bool,

    /// list domains with managed save state
    #[arg(long)]
    with_managed_save: bool,

    /// list domains without managed save
    #[arg(long)]
    without_managed_save: bool,
}

/// What is shown of each domain in the text form; the JSON form has it all.
#[derive(Debug, Clone, Default, clap::Args)]
struct Columns {
    /// list uuid's only
    #[arg(long)]
    uuid: bool,

    /// list domain names only
    #[arg(long)]
    name: bool,

    /// list domain IDs only
    #[arg(long)]
    id: bool,

    /// list table (default)
    #[arg(long)]
    table: bool,

    /// mark inactive domains with managed save state
    #[arg(long)]
    managed_save: bool,

    /// show domain title
    #[arg(long)]
    title: bool,
}

/// The domains found, in virsh's order: active ones by id, then the others by name.
#[derive(Debug, Serialize)]
pub(crate) struct Domains {
    domains: Vec<Row>,

    #[serde(skip)]
    columns: Columns,
}

/// One domain.
#[derive(Debug, Serialize)]
struct Row {
    /// Null for an inactive domain.
    id: Option<i32>,
    name: String,
    /// Only if it is shown: it doubles the bytes of the list.
    uuid: Option<String>,
    #[serde(serialize_with = "state::name")]
    state: DomainState,
}

impl Command for List {
    fn check(&self) -> Result<(), Failure> {
        let Columns {
            table,
            name,
            uuid,
            id,
            ..
        } = self.columns;
        let mut others = [("name", name), ("uuid", uuid), ("id", id)].into_iter();
        others.try_for_each(|other| check_exclusive([("table", table), other]))
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let shows_uuids = self.columns.uuid || ui.format() != Format::Text;
        let rows = match shows_uuids {
            true => rows_with_uuids(connection, self.filter.flags()).await,
            false => rows(connection, self.filter.flags()).await,
        };
        let rows = rows.map_err(|error| Failure::because("Failed to list domains", error))?;
        ui.answer(&Domains::new(rows, self.columns))?;
        Ok(())
    }
}

async fn rows(connection: &Connection, filter: DomainFilter) -> esx_driver::Result<Vec<Row>> {
    let rows = connection.domain_rows(filter).await?.into_iter();
    let rows = rows.map(|row| Row {
        id: row.id,
        name: row.name,
        uuid: None,
        state: row.state,
    });
    Ok(rows.collect())
}

async fn rows_with_uuids(
    connection: &Connection,
    filter: DomainFilter,
) -> esx_driver::Result<Vec<Row>> {
    let list = connection.list_all_domains(filter).await?;
    let rows = list.domains.into_iter().map(|entry| Row {
        id: entry.domain.id(),
        name: entry.domain.name().to_owned(),
        uuid: Some(entry.domain.uuid().to_string()),
        state: entry.state,
    });
    Ok(rows.collect())
}

impl Filter {
    /// libvirt's flags; as in virsh --all overrules --inactive and --state-shutoff, and without
    /// any of them only active domains are listed.
    fn flags(&self) -> DomainFilter {
        let activity = match self {
            Self { all: true, .. } => DomainFilter::ACTIVE | DomainFilter::INACTIVE,
            Self { inactive: true, .. }
            | Self {
                state_shutoff: true,
                ..
            } => DomainFilter::INACTIVE,
            _ => DomainFilter::ACTIVE,
        };
        let chosen = [
            (self.persistent, DomainFilter::PERSISTENT),
            (self.transient, DomainFilter::TRANSIENT),
            (self.with_managed_save, DomainFilter::MANAGEDSAVE),
            (self.without_managed_save, DomainFilter::NO_MANAGEDSAVE),
            (self.autostart, DomainFilter::AUTOSTART),
            (self.no_autostart, DomainFilter::NO_AUTOSTART),
            (self.with_snapshot, DomainFilter::HAS_SNAPSHOT),
            (self.without_snapshot, DomainFilter::NO_SNAPSHOT),
            (self.with_checkpoint, DomainFilter::HAS_CHECKPOINT),
            (self.without_checkpoint, DomainFilter::NO_CHECKPOINT),
            (self.state_running, DomainFilter::RUNNING),
            (self.state_paused, DomainFilter::PAUSED),
            (self.state_shutoff, DomainFilter::SHUTOFF),
            (self.state_other, DomainFilter::OTHER),
        ];
        let chosen = chosen
            .into_iter()
            .filter_map(|(given, flag)| given.then_some(flag));
        chosen.fold(activity, |flags, flag| flags | flag)
    }
}

impl Domains {
    fn new(mut domains: Vec<Row>, columns: Columns) -> Self {
        domains.sort_by_cached_key(|row| match row.id {
            Some(id) => (false, id, String::new()),
            None => (true, 0, row.name.to_lowercase()),
        });
        Self { domains, columns }
    }

    fn table(&self, header: bool) -> String {
        let titles = ["Id", "Name", "State", "Title"];
        let shown = if self.columns.title {
            &titles[..]
        } else {
            &titles[..3]
        };
        let mut table = Table::new(shown.iter().copied());
        for row in &self.domains {
            let id = row.id();
            // A VMX file has no place for libvirt's title: it is always empty.
            let cells = [&*id, &row.name, state::word(row.state), ""];
            table.push(cells.into_iter().take(shown.len()));
        }
        table.render(header)
    }

    /// One line a domain: the chosen ones of uuid, id and name.
    fn lines(&self) -> String {
        let Columns { uuid, id, name, .. } = self.columns;
        // Asked for ids only, virsh lists only domains that have one.
        let ids_only = id && !uuid && !name;
        let listed = self
            .domains
            .iter()
            .filter(|row| !ids_only || row.id.is_some());
        let lines = listed.map(|row| {
            let parts = [
                row.uuid.clone().filter(|_| uuid),
                id.then(|| row.id()),
                name.then(|| row.name.clone()),
            ];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ") + "\n"
        });
        lines.collect()
    }
}

impl Row {
    fn id(&self) -> String {
        self.id.map_or_else(|| "-".to_owned(), |id| id.to_string())
    }
}

impl Answer for Domains {
    const SCHEMA: &'static str = "virt-esx/domains/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/domain/1", &self.domains))
    }

    fn is_document(&self) -> bool {
        self.columns.uuid || self.columns.name || self.columns.id
    }

    fn text(&self, quiet: bool) -> String {
        let Columns { uuid, name, id, .. } = self.columns;
        if uuid || name || id {
            self.lines()
        } else {
            self.table(!quiet)
        }
    }
}

#[cfg(test)]
mod tests {
    use virt_model::DomainState;

    use super::{Columns, Domains, Row};
    use crate::answer::Answer as _;

    fn domains(columns: Columns) -> Domains {
        let row = |id, name: &str, state| Row {
            id,
            name: name.to_owned(),
            uuid: Some(format!(
                "00000000-0000-0000-0000-0000000000{:02x}",
                name.len()
            )),
            state,
        };
        let rows = vec![
            row(None, "web", DomainState::Shutoff),
            row(Some(12), "mail", DomainState::Running),
            row(None, "Backup", DomainState::Shutoff),
            row(Some(3), "database", DomainState::Paused),
        ];
        Domains::new(rows, columns)
    }

    #[test]
    fn a_table_lists_active_domains_first() {
        let expected = "\x20Id   Name       State
---------------------------
\x203    database   paused
\x2012   mail       running
\x20-    Backup     shut off
\x20-    web        shut off
";
        assert_eq!(domains(Columns::default()).text(false), expected);
    }

    #[test]
    fn a_quiet_table_has_no_header() {
        let text = domains(Columns::default()).text(true);
        assert!(text.starts_with(" 3    database   paused\n"), "{text}");
    }

    #[test]
    fn titles_are_empty() {
        let text = domains(Columns {
            title: true,
            ..Columns::default()
        })
        .text(true);
        assert!(text.starts_with(" 3    database   paused     \n"), "{text}");
    }

    #[test]
    fn chosen_columns_come_as_uuid_id_name() {
        let columns = Columns {
            name: true,
            id: true,
            uuid: true,
            ..Columns::default()
        };
        let expected = "\
00000000-0000-0000-0000-000000000008 3 database
00000000-0000-0000-0000-000000000004 12 mail
00000000-0000-0000-0000-000000000006 - Backup
00000000-0000-0000-0000-000000000003 - web
";
        assert_eq!(domains(columns).text(false), expected);
    }

    #[test]
    fn ids_alone_leave_out_inactive_domains() {
        assert_eq!(
            domains(Columns {
                id: true,
                ..Columns::default()
            })
            .text(false),
            "3\n12\n"
        );
    }
}
