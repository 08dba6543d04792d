//! Which events a client asks for.

use std::cmp::Ordering;

use vi_types::enums::EventFilterSpecRecursionOption as Recursion;
use vi_types::objects::{Event, EventEx, EventFilterSpec, ExtendedEvent};
use vi_types::{DateTime, Poly};

use super::{Entry, text};

/// A filter of events.
pub(crate) struct Filter(EventFilterSpec);

impl Filter {
    pub(crate) fn new(spec: EventFilterSpec) -> Self {
        Self(spec)
    }

    /// Whether an event is one of those that are asked for.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let spec = &self.0;
        let event = &entry.event;
        let has = |list: &[String], one: &str| list.is_empty() || list.iter().any(|of| of == one);
        self.fits_entity(entry)
            && self.fits_type(event)
            && (spec.category.is_empty() || has(&spec.category, text::category(event)))
            && has(&spec.tag, event.change_tag.as_deref().unwrap_or_default())
            && spec.event_chain_id.is_none_or(|chain| chain == event.chain_id)
            // There are neither alarms nor scheduled tasks.
            && spec.alarm.is_none()
            && spec.scheduled_task.is_none()
            && self.fits_user(&event.user_name)
            && self.fits_time(&event.created_time)
    }

    /// The event as the client gets it.
    pub(crate) fn shown(&self, entry: &Entry) -> Poly<Event> {
        let mut event = entry.event.clone();
        if self.0.disable_full_message == Some(true) {
            event.full_formatted_message = None;
        }
        event
    }

    /// The older `type` names classes, descendants included; `eventTypeId` names classes exactly, and the ids of events
    /// that have one.
    fn fits_type(&self, event: &Poly<Event>) -> bool {
        let info = event.as_object().info();
        let of_class = |name: &String| info.is_a(name) || event.type_name() == name;
        let id = event.cast::<EventEx>().map(|event| &event.event_type_id);
        let id = id.or(event
            .cast::<ExtendedEvent>()
            .map(|event| &event.event_type_id));
        let of_id = |name: &String| event.type_name() == name || id == Some(name);
        (self.0.r#type.is_empty() || self.0.r#type.iter().any(of_class))
            && (self.0.event_type_id.is_empty() || self.0.event_type_id.iter().any(of_id))
    }

    fn fits_user(&self, user: &str) -> bool {
        let Some(users) = self.0.user_name.as_deref() else {
            return true;
        };
        let is_system = matches!(user, "" | "User");
        (users.system_user && is_system) || users.user_list.iter().any(|one| one == user)
    }

    fn fits_time(&self, time: &DateTime) -> bool {
        let Some(span) = self.0.time.as_deref() else {
            return true;
        };
        let is = |bound: Option<&DateTime>, side: Ordering| {
            bound.is_none_or(|bound| compare(time, bound) != side)
        };
        is(span.begin_time.as_ref(), Ordering::Less)
            && is(span.end_time.as_ref(), Ordering::Greater)
    }

    fn fits_entity(&self, entry: &Entry) -> bool {
        let Some(wanted) = self.0.entity.as_deref() else {
            return true;
        };
        let own = entry.own == wanted.entity;
        let below = entry.above.contains(&wanted.entity);
        match wanted.recursion {
            Recursion::Self_ => own,
            Recursion::Children => below,
            _ => own || below,
        }
    }
}

fn compare(one: &DateTime, other: &DateTime) -> Ordering {
    // Neither is odd: requests with odd dates are refused.
    let key = |time: &DateTime| {
        let seconds = time.epoch_seconds().unwrap_or_default();
        (seconds, time.subsecond_nanoseconds())
    };
    key(one).cmp(&key(other))
}
