//! What the URI of a file names.

use http::Uri;
use percent_encoding::percent_decode_str;
use vi_types::{ManagedObjectReference, properties};

use crate::files::DatastorePath;
use crate::world::World;
use crate::world::inventory::{ServerKind, ancestors};

/// The datacenter of an ESX host.
const HOSTS_OWN: &str = "ha-datacenter";

/// What a URI names.
pub(super) enum Place {
    Server,
    Datacenter(ManagedObjectReference),
    DatastorePath(DatastorePath),
}

/// Why a URI names nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// It is no URI of a file.
    Invalid,
    /// There is no such thing.
    NotFound,
}

impl Place {
    /// At the address of a vCenter, or of one of its hosts.
    pub(super) fn of(
        world: &World,
        host: Option<&ManagedObjectReference>,
        uri: &Uri,
    ) -> Result<Self, NoPlace> {
        let path = decode(uri.path().strip_prefix("/folder").unwrap_or_default())?;
        let (mut datacenter, mut datastore) = (None, None);
        for pair in uri.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("dcPath", value)) => datacenter = Some(decode(value)?),
                Some(("dsName", value)) => datastore = Some(decode(value)?),
                _ => {}
            }
        }
        let path = path.trim_matches('/');
        if path.split('/').any(|part| part == "..") {
            return Err(NoPlace::NotFound);
        }
        let is_a_hosts = host.is_some() || world.kind() == ServerKind::Esx;
        let found = match datacenter.as_deref() {
            // A host has only one, which it does not need to be told.
            Some(wanted)
                if host.is_some() && named(wanted, vec![(HOSTS_OWN.to_owned(), ())]).is_some() =>
            {
                None
            }
            Some(_) if host.is_some() => return Err(NoPlace::NotFound),
            Some(wanted) => {
                let all = world.all("Datacenter");
                let all = all.map(|one| (datacenter_path(world, one), one));
                Some(
                    named(wanted, all.collect())
                        .ok_or(NoPlace::NotFound)?
                        .clone(),
                )
            }
            None => None,
        };
        let Some(datastore) = datastore else {
            return match (path, found) {
                ("", Some(found)) => Ok(Self::Datacenter(found)),
                ("", None) => Ok(Self::Server),
                _ => Err(NoPlace::NotFound),
            };
        };
        if found.is_none() && !is_a_hosts {
            return Err(NoPlace::NotFound);
        }
        let own = host.and_then(|host| world.read::<properties::HostSystem>(host));
        let is_there = |one: &ManagedObjectReference| match (&found, own) {
            (Some(found), _) => ancestors(world, one).any(|ancestor| ancestor == found),
            (None, Some(own)) => own.datastore.contains(one),
            (None, None) => true,
        };
        let all = world.all("Datastore").filter(|one| is_there(one));
        let all = all.map(|one| (world.name(one).unwrap_or_default().to_owned(), one));
        let store = named(&datastore, all.collect()).ok_or(NoPlace::NotFound)?;
        Ok(Self::DatastorePath(DatastorePath::new(store, path)))
    }
}

/// The path that a URI names, for rules: the file on its datastore, as far as it can be read.
pub(crate) fn path_in(uri: &Uri) -> Option<String> {
    let path = decode(uri.path().strip_prefix("/folder")?).ok()?;
    Some(path.trim_matches('/').to_owned())
}

/// What has that name, of all that have one. Paths of the inventory may begin with a slash, as govc sends them. libvirt 12
/// and later encode names twice, since there are servers that decode them twice. Go writes a blank as `+`. Servers have `%2f` for a slash
/// in names, which a client may send as the slash or with another spelling of the code.
fn named<T>(given: &str, mut all: Vec<(String, T)>) -> Option<T> {
    let readings = [
        Some(given.to_owned()),
        decode(given).ok(),
        Some(given.replace('+', " ")),
    ];
    let readings: Vec<_> = readings.into_iter().flatten().collect();
    let exact = readings.iter().find_map(|reading| {
        let reading = reading.trim_matches('/');
        all.iter().position(|(name, _)| name == reading)
    });
    let place = exact.or_else(|| {
        readings.iter().find_map(|reading| {
            let reading = shown(reading.trim_matches('/'));
            all.iter().position(|(name, _)| shown(name) == reading)
        })
    })?;
    Some(all.swap_remove(place).1)
}

/// A name as people see it, without the codes that servers have for the characters of paths.
fn shown(name: &str) -> String {
    let mut shown = name.to_owned();
    for (code, character) in [("%2f", "/"), ("%5c", "\\"), ("%25", "%")] {
        shown = shown.replace(code, character);
        shown = shown.replace(&code.to_ascii_uppercase(), character);
    }
    shown
}

/// Undoes percent-encoding. Half a code, text that is not UTF-8 and a NUL are invalid.
fn decode(text: &str) -> Result<String, NoPlace> {
    let mut codes = text.split('%').skip(1);
    let is_code =
        |code: &str| code.len() >= 2 && code.bytes().take(2).all(|c| c.is_ascii_hexdigit());
    if !codes.all(is_code) {
        return Err(NoPlace::Invalid);
    }
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| NoPlace::Invalid)?;
    match decoded.contains('\0') {
        true => Err(NoPlace::Invalid),
        false => Ok(decoded.into_owned()),
    }
}

/// The folders and the name of a datacenter, with slashes between them.
pub(super) fn datacenter_path(world: &World, datacenter: &ManagedObjectReference) -> String {
    let above = ancestors(world, datacenter);
    let mut names: Vec<_> = std::iter::once(datacenter)
        .chain(above)
        .filter_map(|one| world.name(one))
        .collect();
    // The last one is the root folder, which is in no path.
    names.pop();
    names.reverse();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_or_refused() {
        for (text, expected) in [
            ("a%20b%2Fc", Ok("a b/c")),
            ("", Ok("")),
            ("%E4%B8%AD", Ok("中")),
            ("a+b", Ok("a+b")),
            ("%", Err(NoPlace::Invalid)),
            ("a%2", Err(NoPlace::Invalid)),
            ("a%zz", Err(NoPlace::Invalid)),
            ("%FF%FE", Err(NoPlace::Invalid)),
            ("a%00", Err(NoPlace::Invalid)),
        ] {
            assert_eq!(decode(text), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn names_may_have_slashes_around_and_be_encoded_twice() {
        for (given, name, expected) in [
            ("ha-datacenter", "ha-datacenter", true),
            ("/ha-datacenter", "ha-datacenter", true),
            ("%2Fha-datacenter", "ha-datacenter", true),
            ("Europe%2FParis", "Europe/Paris", true),
            ("100%", "100%", true),
            ("100%25", "100%25", true),
            ("ha", "ha-datacenter", false),
            ("my+store", "my store", true),
            ("my store", "my+store", false),
            ("Europe/Paris", "Europe%2fParis", true),
            ("/Europe/Paris", "Europe%2fParis", true),
            ("Europe%2fParis", "Europe%2fParis", true),
            ("Europe%2FParis", "Europe%2fParis", true),
            ("Europe%252FParis", "Europe%2fParis", true),
            ("Folder/Europe%2FParis", "Folder/Europe%2fParis", true),
            ("A\\B 100%", "A%5cB 100%25", true),
            ("Europe", "Europe%2fParis", false),
            ("Paris", "Europe%2fParis", false),
        ] {
            let found = named(given, vec![("other".to_owned(), 1), (name.to_owned(), 2)]);
            assert_eq!(found, expected.then_some(2), "{given}");
        }
        let both = vec![("a b".to_owned(), 1), ("a+b".to_owned(), 2)];
        assert_eq!(named("a+b", both), Some(2), "the name itself goes first");
        let both = vec![("a%2fb".to_owned(), 1), ("a/b".to_owned(), 2)];
        assert_eq!(named("a/b", both), Some(2), "the name itself goes first");
    }
}
