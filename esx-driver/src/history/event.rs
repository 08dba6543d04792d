//! An event of the history.

use vi_client::event_history::{event_id, event_type};
use vi_client::vi_types::objects::Event;
use vi_client::vi_types::{DateTime, Poly};

use super::value::{self, HistoryValue};

/// An event of a host's history.
///
/// Serialized, it has everything that the server has told.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistoryEvent {
    /// Its number. Numbers grow; those of an ESX host begin again at 0 when it restarts.
    pub key: i32,
    /// The number of the event that it follows from; its own if it is the first.
    pub chain: i32,
    /// When it happened, by the server's clock.
    pub time: DateTime,
    /// Who brought it about; empty if the server did.
    pub user: String,
    /// The class as the VI API names it: `VmPoweredOnEvent`.
    pub class: String,
    /// What identifies the kind: the id of an extended event, and the class of any other.
    pub id: String,
    /// The server's text, in the language of the session.
    pub message: Option<String>,
    /// Name of the domain that it is about, as the server has it.
    pub domain: Option<String>,
    /// Name of the host that it is about.
    pub host: Option<String>,
    /// All properties as the server names them, those above included. It is an [`HistoryValue::Object`].
    pub properties: HistoryValue,
}

impl HistoryEvent {
    pub(super) fn new(event: Poly<Event>) -> HistoryEvent {
        HistoryEvent {
            key: event.key,
            chain: event.chain_id,
            time: event.created_time.clone(),
            user: event.user_name.clone(),
            class: event_type(&event).to_owned(),
            id: event_id(&event).to_owned(),
            message: event.full_formatted_message.clone(),
            domain: event.vm.as_deref().map(|vm| vm.name.clone()),
            host: event.host.as_deref().map(|host| host.name.clone()),
            properties: value::object(event.as_object()),
        }
    }
}
