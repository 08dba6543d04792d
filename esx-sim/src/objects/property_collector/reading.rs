//! Reading the properties of one object.

use vi_types::objects::{DynamicProperty, LocalizedMethodFault, MissingProperty, ObjectContent};
use vi_types::{Any, Array, ManagedObjectReference, Object, View, path, properties};

use super::selection::{Selection, Wanted};
use super::updates::Limits;
use crate::call::Call;
use crate::fault;
use crate::objects::{property_collector, service_instance, session_manager};
use crate::performance;
use crate::simulator::State;
use crate::version::ApiVersion;
use crate::world::World;

/// The world as one caller sees it.
pub(crate) struct Scope<'a> {
    state: &'a State,
    version: ApiVersion,
    cookie: Option<&'a str>,
    session: Option<&'a str>,
}

/// An object's properties, as they are stored or made for the occasion.
pub(crate) enum Seen<'a> {
    Stored(&'a dyn Object),
    Made(Box<dyn Object>),
}

impl Seen<'_> {
    pub(crate) fn as_object(&self) -> &dyn Object {
        match self {
            Self::Stored(object) => *object,
            Self::Made(object) => &**object,
        }
    }
}

/// Properties that can be read without a session.
const ANONYMOUS: &[(&str, &str)] = &[
    ("ServiceInstance", "content"),
    ("SessionManager", "currentSession"),
    ("SessionManager", "defaultLocale"),
    ("SessionManager", "messageLocaleList"),
    ("SessionManager", "supportedLocaleList"),
];

impl<'a> Scope<'a> {
    /// What the caller of a method sees.
    pub(crate) fn of(call: &'a Call<'_>) -> Self {
        Self {
            state: call.state,
            version: call.settings.version(),
            cookie: call.cookie,
            session: call.session(),
        }
    }

    /// What the server limits in updates.
    pub(crate) fn limits(&self) -> &'a Limits {
        &self.state.collectors.limits
    }

    /// The world, whoever looks at it.
    pub(crate) fn world(&self) -> &'a World {
        &self.state.world
    }

    pub(crate) fn exists(&self, object: &ManagedObjectReference) -> bool {
        self.state.world.is_visible(object, self.session)
    }

    /// The object's properties; `None` when there is no such object for the caller.
    pub(crate) fn object(&self, reference: &ManagedObjectReference) -> Option<Seen<'a>> {
        if !self.exists(reference) {
            return None;
        }
        let stored = self.state.world.get(reference)?;
        if let Some(manager) = stored.downcast_ref::<properties::SessionManager>() {
            let made = session_manager::properties(manager, &self.state.sessions, self.cookie);
            return Some(Seen::Made(Box::new(made)));
        }
        if let Some(instance) = stored.downcast_ref::<properties::ServiceInstance>() {
            return Some(Seen::Made(Box::new(service_instance::properties(
                &self.state.world,
                instance,
            ))));
        }
        if stored
            .downcast_ref::<properties::PropertyCollector>()
            .is_some()
        {
            let collectors = &self.state.collectors;
            let made = property_collector::properties(reference, collectors, self.session);
            return Some(Seen::Made(Box::new(made)));
        }
        Some(Seen::Stored(stored))
    }

    /// Whether the caller may read a property.
    pub(crate) fn may_read(&self, object: &ManagedObjectReference, path: &str) -> bool {
        self.refusal(object, path).is_none()
    }

    /// Why the caller may not read a property.
    pub(crate) fn refusal(
        &self,
        object: &ManagedObjectReference,
        path: &str,
    ) -> Option<LocalizedMethodFault> {
        if self.session.is_none() && !is_anonymous(object, path) {
            return Some(fault::property_not_authenticated(object));
        }
        (!self.is_permitted(object, path)).then(|| fault::property_no_permission(object))
    }

    /// Whether no rule forbids it.
    fn is_permitted(&self, object: &ManagedObjectReference, path: &str) -> bool {
        !self.state.unreadable.iter().any(|(ty, forbidden)| {
            *ty == object.r#type
                && path
                    .strip_prefix(forbidden.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

fn is_anonymous(object: &ManagedObjectReference, path: &str) -> bool {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    ANONYMOUS.contains(&(object.r#type.as_str(), first))
}

/// What a selection wants of an object; `None` when the object is gone.
pub(crate) fn content(
    scope: &Scope<'_>,
    selection: &Selection,
    object: ManagedObjectReference,
) -> Option<ObjectContent> {
    let state = scope.object(&object)?;
    let state = state.as_object();
    let mut content = ObjectContent {
        obj: object,
        ..ObjectContent::default()
    };
    match selection.wanted(state.info())? {
        Wanted::Paths(paths) => {
            for path in paths {
                read(scope, state, path, &mut content);
            }
        }
        Wanted::All => {
            for field in state.info().all_fields() {
                let known =
                    field.since.is_empty() || ApiVersion::since(field.since) <= scope.version;
                if known
                    && state
                        .property(field.name)
                        .is_some_and(|view| view != View::Unset)
                {
                    read(scope, state, field.name, &mut content);
                }
            }
        }
    }
    Some(content)
}

/// Reads one property, or says why it cannot be read.
fn read(scope: &Scope<'_>, state: &dyn Object, path: &str, content: &mut ObjectContent) {
    if let Some(fault) = scope.refusal(&content.obj, path) {
        content.missing_set.push(MissingProperty {
            path: path.to_owned(),
            fault,
            ..MissingProperty::default()
        });
        return;
    }
    let measured = performance::measured(&scope.state.world, state, path);
    if let Some(val) = value(measured.as_deref().unwrap_or(state), path) {
        content.prop_set.push(DynamicProperty {
            name: path.to_owned(),
            val,
            ..DynamicProperty::default()
        });
    }
}

/// The value of a property: an empty array for a list without items, nothing for what is not set.
///
/// A path that this object's own type doesn't have, though one of its kind could, is just not set.
pub(crate) fn value(state: &dyn Object, path: &str) -> Option<Any> {
    let found = path::find(state, path).ok()?;
    match found.view {
        View::Unset if found.list => Some(Any::Array(Box::new(Array {
            item: found.ty.to_owned(),
            items: Vec::new(),
        }))),
        View::Unset => None,
        view => Some(view.to_any(found.ty)),
    }
}
