//! Which events are wanted.

use vi_types::enums::EventFilterSpecRecursionOption;
use vi_types::objects::{
    EventFilterSpec, EventFilterSpecByEntity, EventFilterSpecByTime, EventFilterSpecByUsername,
};
use vi_types::{DateTime, ManagedObjectReference};

use crate::Client;

/// Which events are wanted: all that fit everything that is set.
#[derive(Clone, Debug, Default)]
pub struct EventFilter(EventFilterSpec);

impl EventFilter {
    /// All events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Events of one of these types: names of classes, such as `VmPoweredOnEvent`, and `eventTypeId`s of `EventEx`, such as
    /// `esx.problem.net.connectivity.lost`. Descendants of a class are types of their own.
    #[must_use]
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        let types = types.into_iter().map(Into::into);
        self.0.event_type_id.extend(types);
        self
    }

    /// Events about an object of the inventory, about those below it, or about all of them.
    #[must_use]
    pub fn entity(
        mut self,
        entity: impl Into<ManagedObjectReference>,
        recursion: EventFilterSpecRecursionOption,
    ) -> Self {
        let by_entity = EventFilterSpecByEntity {
            entity: entity.into(),
            recursion,
            ..EventFilterSpecByEntity::default()
        };
        self.0.entity = Some(by_entity.into());
        self
    }

    /// Events that happened at this time of the server's clock or later.
    #[must_use]
    pub fn since(mut self, time: DateTime) -> Self {
        self.time().begin_time = Some(time);
        self
    }

    /// Events that happened at this time of the server's clock or earlier.
    #[must_use]
    pub fn until(mut self, time: DateTime) -> Self {
        self.time().end_time = Some(time);
        self
    }

    /// Events that these users brought about.
    #[must_use]
    pub fn users<T: Into<String>>(mut self, users: impl IntoIterator<Item = T>) -> Self {
        let users = users.into_iter().map(Into::into);
        self.user_name().user_list.extend(users);
        self
    }

    /// Events that the server brought about by itself, beside those of [`users`](Self::users).
    #[must_use]
    pub fn system_user(mut self) -> Self {
        self.user_name().system_user = true;
        self
    }

    /// Events of one chain, such as those of a task ([`TaskInfo::event_chain_id`](vi_types::objects::TaskInfo)).
    #[must_use]
    pub fn chain(mut self, id: i32) -> Self {
        self.0.event_chain_id = Some(id);
        self
    }

    /// Events of one of these categories: `info`, `warning`, `error`, `user`.
    #[must_use]
    pub fn categories<T: Into<String>>(mut self, categories: impl IntoIterator<Item = T>) -> Self {
        let categories = categories.into_iter().map(Into::into);
        self.0.category.extend(categories);
        self
    }

    /// The events come without `fullFormattedMessage`, which the server need not write then.
    #[must_use]
    pub fn without_messages(mut self) -> Self {
        self.0.disable_full_message = Some(true);
        self
    }

    /// The filter as the server gets it. Servers before 4.0 have no `eventTypeId`; they get `type`.
    pub(super) fn into_spec(self, client: &Client) -> EventFilterSpec {
        let mut spec = self.0;
        if !client.api_version().has("4.0") {
            let types = std::mem::take(&mut spec.event_type_id);
            spec.r#type.extend(types);
        }
        spec
    }

    fn time(&mut self) -> &mut EventFilterSpecByTime {
        self.0.time.get_or_insert_default()
    }

    fn user_name(&mut self) -> &mut EventFilterSpecByUsername {
        self.0.user_name.get_or_insert_default()
    }
}

impl From<EventFilterSpec> for EventFilter {
    fn from(spec: EventFilterSpec) -> Self {
        Self(spec)
    }
}
