//! Events of descriptions, titles and metadata.

use std::collections::BTreeMap;

use vi_client::property_set;
use vi_types::{Any, Poly, objects::OptionValue};
use virt_model::event::MetadataType;
use virt_model::xml::Element;

use super::DomainEventDetail;
use crate::domain::{ELEMENTS, TITLE};

property_set! {
    pub(super) struct Configured: VirtualMachine {
        annotation: Option<String> = config.annotation,
        options: Vec<Poly<OptionValue>> = config.extra_config,
    }
}

/// The metadata of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Metadata {
    description: String,
    title: String,
    /// The elements by their namespaces.
    elements: BTreeMap<String, String>,
}

impl From<Configured> for Metadata {
    fn from(configured: Configured) -> Metadata {
        let option = |key: &str| {
            let mut options = configured.options.iter();
            match &options.find(|option| option.key == key)?.value {
                Some(Any::String(text)) => Some(text.as_str()),
                _ => None,
            }
        };
        let elements = option(ELEMENTS).and_then(|text| text.parse::<Element>().ok());
        let elements = elements.as_ref().map(|all| {
            let named = all
                .children()
                .filter_map(|element| Some((element.namespace()?.to_owned(), element.to_string())));
            named.collect()
        });
        Metadata {
            title: option(TITLE).unwrap_or_default().to_owned(),
            elements: elements.unwrap_or_default(),
            description: configured.annotation.unwrap_or_default(),
        }
    }
}

/// The events that lead from some metadata to others.
pub(super) fn events(before: &Metadata, now: &Metadata) -> Vec<DomainEventDetail> {
    let event = |kind, uri| DomainEventDetail::MetadataChange { kind, uri };
    let mut events = Vec::new();
    if before.description != now.description {
        events.push(event(MetadataType::Description, None));
    }
    if before.title != now.title {
        events.push(event(MetadataType::Title, None));
    }
    let (old, new) = (before.elements.keys(), now.elements.keys());
    let mut namespaces: Vec<_> = old.chain(new).collect();
    namespaces.sort();
    namespaces.dedup();
    for uri in namespaces {
        if before.elements.get(uri) != now.elements.get(uri) {
            events.push(event(MetadataType::Element, Some(uri.clone())));
        }
    }
    events
}
