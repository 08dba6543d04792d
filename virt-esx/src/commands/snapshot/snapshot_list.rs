use esx_driver::{Domain, DomainSnapshot, SnapshotEntry};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use virt_model::DomainState;
use virt_model::flags::SnapshotListFlags;

use crate::answer::{self, Answer};
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_exclusive;
use crate::commands::tree::{self, Node};
use crate::commands::{Query, options, state};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// List snapshots for a domain
///
/// Options of one kind widen the choice, options of different kinds narrow it.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotList {
    #[command(flatten)]
    domain: DomainArg,

    #[command(flatten)]
    filter: Filter,

    /// limit list to children of given snapshot
    #[arg(value_name = "from")]
    from: Option<String>,

    /// limit list to children of current snapshot
    #[arg(long)]
    current: bool,

    /// with --from, list all descendants
    #[arg(long)]
    descendants: bool,

    #[command(flatten)]
    form: Form,
}

/// Which snapshots are listed.
#[derive(Debug, clap::Args)]
struct Filter {
    /// list only snapshots without parents
    #[arg(long)]
    roots: bool,

    /// list only snapshots without children
    #[arg(long)]
    leaves: bool,

    /// list only snapshots that are not leaves (with children)
    #[arg(long)]
    no_leaves: bool,

    /// list only snapshots that have metadata that would prevent undefine
    #[arg(long)]
    metadata: bool,

    /// list only snapshots that have no metadata managed by libvirt
    #[arg(long)]
    no_metadata: bool,

    /// filter by snapshots taken while inactive
    #[arg(long)]
    inactive: bool,

    /// filter by snapshots taken while active (system checkpoints)
    #[arg(long)]
    active: bool,

    /// filter by disk-only snapshots
    #[arg(long)]
    disk_only: bool,

    /// filter by internal snapshots
    #[arg(long)]
    internal: bool,

    /// filter by external snapshots
    #[arg(long)]
    external: bool,
}

/// What is shown of each snapshot in the text form, and in which order; the JSON form has it all.
#[derive(Debug, Clone, Default, clap::Args)]
struct Form {
    /// add a column showing parent snapshot
    #[arg(long)]
    parent: bool,

    /// list snapshots in a tree
    #[arg(long)]
    tree: bool,

    /// list snapshot names only
    #[arg(long)]
    name: bool,

    /// sort list topologically rather than by name
    #[arg(long)]
    topological: bool,
}

/// A domain's snapshots.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshots {
    domain: String,
    snapshots: Vec<Row>,

    #[serde(skip)]
    form: Form,
}

/// One snapshot.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    description: String,
    parent: Option<String>,
    /// Seconds since the epoch.
    creation_time: Option<i64>,
    #[serde(serialize_with = "state::name")]
    state: DomainState,
}

/// A line of the list as JSON lines.
#[derive(Debug, Serialize)]
struct Line<'a> {
    domain: &'a str,
    #[serde(flatten)]
    snapshot: &'a Row,
}

impl Query for SnapshotList {
    type Answer = Snapshots;

    fn check(&self) -> Result<(), Failure> {
        let Form {
            parent, tree, name, ..
        } = self.form;
        let roots = self.filter.roots;
        check_exclusive([("tree", tree), ("name", name)])?;
        check_exclusive([("parent", parent), ("roots", roots)])?;
        check_exclusive([("parent", parent), ("tree", tree)])?;
        check_exclusive([("roots", roots), ("tree", tree)])?;
        check_exclusive([("roots", roots), ("from", self.from.is_some())])?;
        check_exclusive([("roots", roots), ("current", self.current)])?;
        let filters = self.filter.with_flags();
        let with_tree = filters.iter().find(|(_, given, _)| *given && tree);
        if let Some((name, ..)) = with_tree {
            let line = format!("--{name} and --tree are mutually exclusive");
            return Err(Failure::new(line));
        }
        if self.descendants && self.from.is_none() && !self.current {
            let line = "--descendants requires either --from or --current";
            return Err(Failure::new(line));
        }
        Ok(())
    }

    async fn ask(self, connection: &Connection) -> Result<Snapshots, Failure> {
        let domain = self.domain.find(connection).await?;
        let mut rows: Vec<_> = match self.start(&domain).await? {
            Some(start) => self.below(&domain, &start).await?,
            None => domain.list_all_snapshots(self.flags()).await?,
        }
        .into_iter()
        .map(Row::new)
        .collect();
        if !self.form.topological {
            rows.sort_by_cached_key(|row| row.name.to_lowercase());
        }
        Ok(Snapshots {
            domain: domain.name().to_owned(),
            snapshots: rows,
            form: self.form,
        })
    }
}

impl SnapshotList {
    /// The snapshot whose children are listed, if not all are.
    async fn start(&self, domain: &Domain) -> Result<Option<DomainSnapshot>, Failure> {
        options::check_text("from", self.from.as_deref())?;
        match (&self.from, self.current) {
            (Some(_), true) => Err(Failure::new("--from and --current are mutually exclusive")),
            (Some(name), false) => Ok(Some(domain.snapshot_lookup_by_name(name).await?)),
            (None, true) => Ok(Some(domain.snapshot_current().await?)),
            (None, false) => Ok(None),
        }
    }

    /// What is below a snapshot; in a tree also the snapshot itself.
    async fn below(
        &self,
        domain: &Domain,
        start: &DomainSnapshot,
    ) -> Result<Vec<SnapshotEntry>, Failure> {
        let mut entries = Vec::new();
        if self.form.tree {
            let all = domain.list_all_snapshots(SnapshotListFlags::NONE).await?;
            entries.extend(
                all.into_iter()
                    .filter(|entry| entry.snapshot.moref() == start.moref()),
            );
        }
        entries.extend(start.list_all_children(self.flags()).await?);
        Ok(entries)
    }

    fn flags(&self) -> SnapshotListFlags {
        let filters = self
            .filter
            .with_flags()
            .map(|(_, given, flag)| (given, flag));
        let flags = options::flags(SnapshotListFlags::NONE, filters);
        let more = [
            // Of a snapshot's children this bit means all descendants.
            (
                self.filter.roots || self.descendants || self.form.tree,
                SnapshotListFlags::ROOTS,
            ),
            (self.form.topological, SnapshotListFlags::TOPOLOGICAL),
        ];
        match self.form.tree && self.from.is_none() && !self.current {
            true => flags,
            false => options::flags(flags, more),
        }
    }
}

impl Filter {
    /// The options that choose snapshots and can't be given with --tree.
    fn with_flags(&self) -> [(&'static str, bool, SnapshotListFlags); 9] {
        [
            ("leaves", self.leaves, SnapshotListFlags::LEAVES),
            ("no-leaves", self.no_leaves, SnapshotListFlags::NO_LEAVES),
            ("inactive", self.inactive, SnapshotListFlags::INACTIVE),
            ("active", self.active, SnapshotListFlags::ACTIVE),
            ("disk-only", self.disk_only, SnapshotListFlags::DISK_ONLY),
            ("internal", self.internal, SnapshotListFlags::INTERNAL),
            ("external", self.external, SnapshotListFlags::EXTERNAL),
            ("metadata", self.metadata, SnapshotListFlags::METADATA),
            (
                "no-metadata",
                self.no_metadata,
                SnapshotListFlags::NO_METADATA,
            ),
        ]
    }
}

impl Row {
    fn new(entry: SnapshotEntry) -> Self {
        Self {
            name: entry.snapshot.name().to_owned(),
            description: entry.description,
            parent: entry.parent,
            creation_time: entry.creation_time,
            state: entry.state,
        }
    }

    /// The time in this time zone, as virsh prints it.
    fn time(&self, zone: &TimeZone) -> String {
        let Some(seconds) = self.creation_time else {
            return "-".to_owned();
        };
        match Timestamp::from_second(seconds) {
            Ok(time) => time
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %z")
                .to_string(),
            Err(_) => seconds.to_string(),
        }
    }
}

impl Answer for Snapshots {
    const SCHEMA: &'static str = "virt-esx/snapshots/1";

    fn json_lines(&self) -> Option<String> {
        let lines = self.snapshots.iter().map(|snapshot| Line {
            domain: &self.domain,
            snapshot,
        });
        let lines: Vec<_> = lines.collect();
        Some(answer::json_lines("virt-esx/snapshot/1", &lines))
    }

    fn is_document(&self) -> bool {
        self.form.name
    }

    fn text(&self, quiet: bool) -> String {
        if self.form.name {
            let lines = self.snapshots.iter().map(|row| format!("{}\n", row.name));
            return lines.collect();
        }
        match self.form.tree {
            true => self.tree(),
            false => self.table(!quiet, &TimeZone::system()),
        }
    }
}

impl Snapshots {
    fn table(&self, header: bool, zone: &TimeZone) -> String {
        let titles = ["Name", "Creation Time", "State", "Parent"];
        let count = if self.form.parent { 4 } else { 3 };
        let mut table = Table::new(titles.into_iter().take(count));
        for row in &self.snapshots {
            let time = row.time(zone);
            let parent = row.parent.as_deref().unwrap_or_default();
            let cells = [&*row.name, &time, row.state.as_str(), parent];
            table.push(cells.into_iter().take(count));
        }
        table.render(header)
    }

    fn tree(&self) -> String {
        let place = |name: &str| self.snapshots.iter().position(|row| row.name == name);
        let nodes = self.snapshots.iter().map(|row| Node {
            name: &row.name,
            parent: row.parent.as_deref().and_then(place),
        });
        tree::draw(&nodes.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};
    use virt_model::DomainState;

    use super::{Form, Row, Snapshots};

    #[test]
    fn times_are_those_of_the_time_zone() {
        let row = |name: &str, parent: Option<&str>| Row {
            name: name.to_owned(),
            description: String::new(),
            parent: parent.map(str::to_owned),
            creation_time: Some(1_709_366_400),
            state: DomainState::Running,
        };
        let snapshots = Snapshots {
            domain: "web01".to_owned(),
            snapshots: vec![row("b", Some("a")), row("a", None)],
            form: Form {
                parent: true,
                ..Form::default()
            },
        };
        let zone = TimeZone::fixed(Offset::from_seconds(-12_600).unwrap());
        let expected = "\x20Name   Creation Time               State     Parent
------------------------------------------------------
\x20b      2024-03-02 04:30:00 -0330   running   a
\x20a      2024-03-02 04:30:00 -0330   running   \n";
        assert_eq!(snapshots.table(true, &zone), expected);
    }
}
