//! What the commands about one domain share: finding it, and the names of its states.

use esx_driver::{Connect, Domain};
use serde::Serializer;
use virt_model::{DomainState, Uuid};

use crate::failure::Failure;

/// The ways in which a command takes its domain argument, tried in the order id, UUID, name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    /// A running or paused domain's number.
    pub(crate) id: bool,
    /// The UUID with its four hyphens.
    pub(crate) uuid: bool,
    /// The name.
    pub(crate) name: bool,
}

impl By {
    /// Most commands.
    pub(crate) const ANY: Self = Self {
        id: true,
        uuid: true,
        name: true,
    };
    /// What tells the id.
    pub(crate) const NAME_OR_UUID: Self = Self {
        id: false,
        uuid: true,
        name: true,
    };
    /// What tells the name.
    pub(crate) const ID_OR_UUID: Self = Self {
        id: true,
        uuid: true,
        name: false,
    };
    /// What tells the UUID.
    pub(crate) const NAME_OR_ID: Self = Self {
        id: true,
        uuid: false,
        name: true,
    };
}

/// Refuses an empty domain argument as virsh does.
pub(crate) fn check(domain: &str) -> Result<(), Failure> {
    if domain.is_empty() {
        return Err(Failure::new(
            "Failed to get option 'domain': Option argument is empty",
        ));
    }
    Ok(())
}

/// Finds the domain that the argument `text` means.
///
/// Whatever went wrong in the single look-ups, virsh says only that it failed to get the domain;
/// here a reason other than "there is none" follows.
pub(crate) async fn find(connection: &Connect, text: &str, by: By) -> Result<Domain, Failure> {
    let mut reason = None;
    let mut keep = |error: esx_driver::Error| {
        if error.code() != virt_model::ErrorNumber::NoDomain {
            reason.get_or_insert(error);
        }
    };
    if let Some(id) = parse_id(text).filter(|_| by.id) {
        match connection.lookup_by_id(id).await {
            Ok(domain) => return Ok(domain),
            Err(error) => keep(error),
        }
    }
    if let Some(uuid) = parse_uuid(text).filter(|_| by.uuid) {
        match connection.lookup_by_uuid(uuid).await {
            Ok(domain) => return Ok(domain),
            Err(error) => keep(error),
        }
    }
    if by.name {
        match connection.lookup_by_name(text).await {
            Ok(domain) => return Ok(domain),
            Err(error) => keep(error),
        }
    }
    let line = not_found(text);
    Err(reason.map_or_else(
        || Failure::new(&line),
        |reason| Failure::because(&line, reason),
    ))
}

/// Finds the domain that the argument `text` means among those of a listing.
pub(crate) fn find_among(domains: &[&Domain], text: &str, by: By) -> Result<Domain, Failure> {
    let id = parse_id(text).filter(|_| by.id);
    let uuid = parse_uuid(text).filter(|_| by.uuid);
    let find = |is_it: &dyn Fn(&Domain) -> bool| domains.iter().find(|domain| is_it(domain));
    id.and_then(|id| find(&|domain| domain.id() == Some(id)))
        .or_else(|| uuid.and_then(|uuid| find(&|domain| domain.uuid() == uuid)))
        .or_else(|| find(&|domain| by.name && domain.name() == text))
        .map(|domain| Domain::clone(domain))
        .ok_or_else(|| Failure::new(not_found(text)))
}

fn not_found(text: &str) -> String {
    format!("failed to get domain '{text}'")
}

/// Two options of which only one can be given.
pub(crate) fn exclusive(one: &str, other: &str) -> Failure {
    Failure::new(format!(
        "Options --{one} and --{other} are mutually exclusive"
    ))
}

/// A number as C's `strtol` reads it: blanks and a sign may precede it, nothing may follow it.
fn parse_id(text: &str) -> Option<i32> {
    let number = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    number.parse().ok().filter(|id| *id >= 0)
}

/// A UUID of 36 characters; virsh takes every other length for a name.
fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 {
        text.parse().ok()
    } else {
        None
    }
}

/// virsh's word for a domain's state.
pub(crate) fn state_word(state: DomainState) -> &'static str {
    match state {
        DomainState::NoState => "no state",
        DomainState::Running => "running",
        DomainState::Blocked => "idle",
        DomainState::Paused => "paused",
        DomainState::Shutdown => "in shutdown",
        DomainState::Shutoff => "shut off",
        DomainState::Crashed => "crashed",
        DomainState::PmSuspended => "pmsuspended",
    }
}

/// Serialises a state as libvirt's name of it, such as `shutoff`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn state_name<S: Serializer>(state: &DomainState, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.as_str())
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
