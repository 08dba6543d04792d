//! Where the kinds of events come from.

use virt_model::event::{
    DomainEventId, NetworkEventId, NodeDeviceEventId, SecretEventId, StoragePoolEventId,
};

use super::ParityError;

/// The list: `NOUN KIND: SOURCE`, where `no: ` begins a reason why there is none.
const SOURCES: &str = include_str!("events.txt");

/// The page's section, or the kinds that the list lacks or that do not exist.
pub(super) fn section() -> Result<String, ParityError> {
    let mut wrong = Vec::new();
    let mut listed: Vec<(&str, &str)> = SOURCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .collect();
    let mut section = "\n## Kinds of events, and where they come from\n\n\
         | kind | number | source in the VI API: properties and events |\n|---|---|---|\n"
        .to_owned();
    for (kind, number) in kinds() {
        let Some(at) = listed.iter().position(|(known, _)| *known == kind) else {
            wrong.push(format!("events.txt says nothing of '{kind}'"));
            continue;
        };
        let (_, source) = listed.remove(at);
        section += &format!("| {kind} | {number} | {source} |\n");
    }
    for (kind, _) in listed {
        wrong.push(format!("events.txt: there is no kind '{kind}'"));
    }
    match wrong.is_empty() {
        true => Ok(section),
        false => Err(ParityError::Disagree(wrong)),
    }
}

/// Every kind with its noun and libvirt's number.
fn kinds() -> Vec<(String, u32)> {
    let mut kinds = Vec::new();
    let mut add = |noun: &str, name: &str, number| kinds.push((format!("{noun} {name}"), number));
    for id in DomainEventId::ALL {
        add("domain", id.as_str(), id.number());
    }
    for id in NetworkEventId::ALL {
        add("network", id.as_str(), id.number());
    }
    for id in StoragePoolEventId::ALL {
        add("storage pool", id.as_str(), id.number());
    }
    for id in NodeDeviceEventId::ALL {
        add("node device", id.as_str(), id.number());
    }
    for id in SecretEventId::ALL {
        add("secret", id.as_str(), id.number());
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_source() {
        let section = section().unwrap();
        assert!(section.contains("| domain question | 1000 | runtime.question"));
    }
}
