//! The argument that names a domain.

use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use esx_driver::vi_client::retrieve::PropertySet;
use esx_driver::{Connect, Domain, ErrorKind, NoProperties, What};
use virt_model::Uuid;

use super::{nearest_of as nearest, options};
use crate::failure::Failure;

/// The argument `domain` of a command: `#[command(flatten)] domain: DomainArg`. `K` says by what the
/// command finds its domain.
pub(crate) struct DomainArg<K = Any> {
    text: String,
    keys: PhantomData<K>,
}

/// By what a command finds its domain.
pub(crate) trait Keys {
    const KEYS: KeySet;

    /// The argument's help.
    const HELP: &'static str;
}

/// Id, UUID and name: most commands.
pub(crate) struct Any;

/// For the command that prints the id.
pub(crate) struct NameOrUuid;

/// For the command that prints the name.
pub(crate) struct IdOrUuid;

/// For the command that prints the UUID.
pub(crate) struct NameOrId;

/// Keys of a domain, which are tried in this order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeySet {
    /// A running or paused domain's number.
    id: bool,
    /// The UUID with its four hyphens.
    uuid: bool,
    /// The name.
    name: bool,
}

impl Keys for Any {
    const KEYS: KeySet = KeySet {
        id: true,
        uuid: true,
        name: true,
    };
    const HELP: &'static str = "domain name, id or uuid";
}

impl Keys for NameOrUuid {
    const KEYS: KeySet = KeySet {
        id: false,
        uuid: true,
        name: true,
    };
    const HELP: &'static str = "domain name or uuid";
}

impl Keys for IdOrUuid {
    const KEYS: KeySet = KeySet {
        id: true,
        uuid: true,
        name: false,
    };
    const HELP: &'static str = "domain id or uuid";
}

impl Keys for NameOrId {
    const KEYS: KeySet = KeySet {
        id: true,
        uuid: false,
        name: true,
    };
    const HELP: &'static str = "domain id or name";
}

impl<K: Keys> DomainArg<K> {
    /// Finds the domain.
    ///
    /// # Errors
    /// virsh's text. The reason follows in a second line if it is not that the domain is missing.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<Domain, Failure> {
        self.find_with::<NoProperties>(connection)
            .await
            .map(|(domain, _)| domain)
    }

    /// Finds the domain, and reads properties of it in the same request.
    ///
    /// # Errors
    /// As [`find`](Self::find). That the properties cannot be read is told apart.
    pub(crate) async fn find_with<P: PropertySet>(
        &self,
        connection: &Connect,
    ) -> Result<(Domain, esx_driver::Result<P>), Failure> {
        check(&self.text)?;
        find_with(connection, &self.text, K::KEYS).await
    }
}

impl<K> Debug for DomainArg<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<K: Keys> Args for DomainArg<K> {
    fn augment_args(command: Command) -> Command {
        command.arg(
            Arg::new("domain")
                .value_name("domain")
                .required(true)
                .help(K::HELP),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<K> FromArgMatches for DomainArg<K> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            // Required: without it there are no matches.
            text: matches.get_one("domain").cloned().unwrap_or_default(),
            keys: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Refuses an empty domain argument as virsh does.
pub(crate) fn check(text: &str) -> Result<(), Failure> {
    options::check_text("domain", Some(text))
}

/// Finds the domain that the argument `text` means.
///
/// virsh says only that it failed to get the domain. Here the reason follows if it is not that the domain is missing.
pub(crate) async fn find(
    connection: &Connect,
    text: &str,
    keys: KeySet,
) -> Result<Domain, Failure> {
    let found = find_with::<NoProperties>(connection, text, keys).await;
    found.map(|(domain, _)| domain)
}

async fn find_with<P: PropertySet>(
    connection: &Connect,
    text: &str,
    keys: KeySet,
) -> Result<(Domain, esx_driver::Result<P>), Failure> {
    let (mut reason, mut advice) = (None, None);
    let mut keep = |error: esx_driver::Error| match error.code() {
        virt_model::ErrorNumber::NoDomain => {
            advice = advice.take().or(error.advice().map(str::to_owned));
        }
        _ => drop(reason.get_or_insert(error)),
    };
    if let Some(id) = parse_id(text).filter(|_| keys.id) {
        match connection.lookup_by_id_with(id).await {
            Ok(found) => return Ok(found),
            Err(error) => keep(error),
        }
    }
    if let Some(uuid) = parse_uuid(text).filter(|_| keys.uuid) {
        match connection.lookup_by_uuid_with(uuid).await {
            Ok(found) => return Ok(found),
            Err(error) => keep(error),
        }
    }
    if keys.name {
        match connection.lookup_by_name_with(text).await {
            Ok(found) => return Ok(found),
            Err(error) => keep(error),
        }
    }
    Err(match (reason, advice) {
        (Some(reason), _) => Failure::because(line(text), reason),
        (None, Some(advice)) => not_found(text).advise(advice),
        (None, None) => not_found(text),
    })
}

/// Finds the domain that the argument `text` means among those of a listing.
pub(crate) fn find_among(domains: &[&Domain], text: &str, keys: KeySet) -> Result<Domain, Failure> {
    let id = parse_id(text).filter(|_| keys.id);
    let uuid = parse_uuid(text).filter(|_| keys.uuid);
    let find = |is_it: &dyn Fn(&Domain) -> bool| domains.iter().find(|domain| is_it(domain));
    id.and_then(|id| find(&|domain| domain.id() == Some(id)))
        .or_else(|| uuid.and_then(|uuid| find(&|domain| domain.uuid() == uuid)))
        .or_else(|| find(&|domain| keys.name && domain.name() == text))
        .map(|domain| Domain::clone(domain))
        .ok_or_else(|| {
            let failure = not_found(text);
            match nearest(domains.iter().map(|domain| domain.name()), text) {
                Some(name) if keys.name => failure.advise(format!("did you mean '{name}'?")),
                _ => failure,
            }
        })
}

fn line(text: &str) -> String {
    format!("failed to get domain '{text}'")
}

fn not_found(text: &str) -> Failure {
    let kind = ErrorKind::NotFound(What::Domain);
    Failure::new(line(text)).of_kind(kind, virt_model::ErrorNumber::NoDomain)
}

/// An id: virsh takes negative numbers for names.
fn parse_id(text: &str) -> Option<i32> {
    options::number(text).ok().filter(|id| *id >= 0)
}

/// A UUID of 36 characters; virsh takes every other length for a name.
fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_id, parse_uuid};

    #[test]
    fn an_id_is_what_strtol_reads_whole() {
        for (text, expected) in [
            ("1", Some(1)),
            ("01", Some(1)),
            ("+1", Some(1)),
            (" 1", Some(1)),
            ("0", Some(0)),
        ] {
            assert_eq!(parse_id(text), expected, "{text:?}");
        }
        for text in ["", "-1", "1x", "1 ", "99999999999", "+", "0x1", "+-1"] {
            assert_eq!(parse_id(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_hyphenated_form_is_a_uuid() {
        let uuid = "6695eb01-f6a4-8304-79aa-97f2502e193f";
        assert!(parse_uuid(uuid).is_some());
        assert!(parse_uuid(&uuid.to_uppercase()).is_some());
        assert!(parse_uuid(&uuid.replace('-', "")).is_none());
        assert!(parse_uuid(&uuid.replace('f', "g")).is_none());
    }
}
