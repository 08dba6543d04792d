//! The pages that show what is in a folder.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use vi_types::{DateTime, ManagedObjectReference};

use super::http_date;
use super::place::datacenter_path;
use crate::files::{DatastorePath, Entry};
use crate::world::World;
use crate::world::inventory::ancestors;
use crate::world::inventory::parts::made_time;

/// What stays as it is in a link.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The datacenters.
pub(super) fn server(world: &World) -> String {
    let mut names: Vec<_> = world
        .all("Datacenter")
        .map(|datacenter| datacenter_path(world, datacenter))
        .collect();
    names.sort();
    let rows = names.into_iter().map(|name| Row {
        link: format!("/folder?dcPath={}", encode(&name)),
        name,
        length: None,
        modified: made_time(),
    });
    page("datacenters", rows)
}

/// The datastores of a datacenter.
pub(super) fn datacenter(world: &World, datacenter: &ManagedObjectReference) -> String {
    let path = datacenter_path(world, datacenter);
    let is_in = |store: &&ManagedObjectReference| {
        ancestors(world, store).any(|ancestor| ancestor == datacenter)
    };
    let stores = world.all("Datastore").filter(is_in);
    let mut names: Vec<_> = stores.filter_map(|store| world.name(store)).collect();
    names.sort_unstable();
    let rows = names.into_iter().map(|name| Row {
        link: format!("/folder?dcPath={}&dsName={}", encode(&path), encode(name)),
        name: name.to_owned(),
        length: None,
        modified: made_time(),
    });
    page(&format!("datastores of {path}"), rows)
}

/// The files in a folder.
pub(super) fn folder(world: &World, location: &DatastorePath) -> String {
    let datacenter = ancestors(world, &location.store).find(|one| one.r#type == "Datacenter");
    let datacenter = datacenter.map(|one| datacenter_path(world, one));
    let query = format!(
        "dcPath={}&dsName={}",
        encode(&datacenter.unwrap_or_default()),
        encode(world.name(&location.store).unwrap_or_default()),
    );
    let rows = world.list(location).into_iter().map(|(name, entry)| {
        let is_folder = matches!(entry, Entry::Folder);
        let slash = if is_folder { "/" } else { "" };
        Row {
            link: format!(
                "/folder/{}{slash}?{query}",
                encode(&location.join(name).path)
            ),
            name: format!("{name}{slash}"),
            length: world.length(entry),
            modified: world.modified(entry),
        }
    });
    page(&location.display(world), rows)
}

struct Row {
    name: String,
    link: String,
    length: Option<u64>,
    modified: DateTime,
}

fn page(title: &str, rows: impl Iterator<Item = Row>) -> String {
    let title = escape(title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html><head><title>Index of {title}</title></head><body>\n\
         <h1>Index of {title}</h1>\n<table><tr><th>Name</th><th>Last modified</th><th>Size</th></tr>\n"
    );
    for row in rows {
        let length = row
            .length
            .map_or("-".to_owned(), |length| length.to_string());
        let _ = writeln!(
            page,
            "<tr><td><a href=\"{}\">{}</a></td><td>{}</td><td>{length}</td></tr>",
            escape(&row.link),
            escape(&row.name),
            date(row.modified),
        );
    }
    page + "</table></body></html>\n"
}

/// `01-Mar-2024 08:00`, of `Fri, 01 Mar 2024 08:00:00 GMT`.
fn date(time: DateTime) -> String {
    let date = http_date(&time);
    let mut words = date.split(' ').skip(1);
    let mut next = || words.next().unwrap_or_default();
    let (day, month, year, clock) = (next(), next(), next(), next());
    format!("{day}-{month}-{year} {}", clock.get(..5).unwrap_or(clock))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_day_and_the_minute() {
        assert_eq!(date(made_time()), "01-Mar-2024 08:00");
    }
}
