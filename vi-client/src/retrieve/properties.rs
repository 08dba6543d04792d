use vi_types::enums::{ObjectUpdateKind, PropertyChangeOp};
use vi_types::objects::{
    DynamicProperty, LocalizedMethodFault, MissingProperty, NotAuthenticated, ObjectContent,
    ObjectUpdate, PropertyChange,
};
use vi_types::{Any, CastError, FromAny, ManagedObjectReference, SoapFault};

/// The properties of one object in an answer.
///
/// A property has a value, is unset, is missing (the server refuses it with a fault), or has a value that cannot be
/// decoded. The last two do not affect the other properties; [`problems`](Self::problems) lists them.
#[derive(Clone, Debug, Default)]
pub struct ObjectProperties {
    /// The object.
    pub object: ManagedObjectReference,
    values: Vec<DynamicProperty>,
    missing: Vec<MissingProperty>,
}

/// How many properties of an object updates may tell: each is looked for among the others. A filter names a few dozen.
const MOST_TOLD: usize = 1024;

impl ObjectProperties {
    /// The paths of the properties that have a value, in the server's order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|property| property.name.as_str())
    }

    /// The value of a property, if it has one.
    pub fn get(&self, path: &str) -> Option<&Any> {
        self.values
            .iter()
            .find(|property| property.name == path)
            .map(|property| &property.val)
    }

    /// The fault with which the server refuses a property.
    pub fn missing(&self, path: &str) -> Option<&LocalizedMethodFault> {
        self.missing
            .iter()
            .find(|missing| missing.path == path)
            .map(|missing| &missing.fault)
    }

    /// Takes a property out as a `T`. An unset property is `None` if `T` is an `Option`, an empty list if `T` is a `Vec`,
    /// and an error otherwise.
    ///
    /// # Errors
    /// If the property is unset, missing, not decodable or of another type.
    pub fn take<T: FromAny>(&mut self, path: &str) -> Result<T, PropertyError> {
        let kind = match self
            .values
            .iter()
            .position(|property| property.name == path)
        {
            Some(at) => {
                // A value that cannot be decoded stays here for `problems`.
                if let Any::Undecodable(value) = &self.values[at].val {
                    PropertyErrorKind::Undecodable(Box::new(value.error.clone()))
                } else {
                    match self.values.swap_remove(at).val.cast() {
                        Ok(value) => return Ok(value),
                        Err(error) => PropertyErrorKind::Type(error),
                    }
                }
            }
            None => match self.missing(path) {
                Some(fault) => PropertyErrorKind::Missing(Box::new(fault.clone())),
                None => match T::from_any(Any::None) {
                    Ok(nothing) => return Ok(nothing),
                    Err(_) => PropertyErrorKind::Unset,
                },
            },
        };
        Err(self.error(path, kind))
    }

    /// Like [`take`](Self::take), but treats a property that is missing or not decodable as unset; it remains among the
    /// [`problems`](Self::problems).
    ///
    /// # Errors
    /// If the property is of another type, or if `T` needs a value and there is none.
    pub fn take_if_readable<T: FromAny>(&mut self, path: &str) -> Result<T, PropertyError> {
        self.take(path).or_else(|error| match error.kind {
            PropertyErrorKind::Missing(_) | PropertyErrorKind::Undecodable(_) => {
                T::from_any(Any::None).map_err(|_| error)
            }
            _ => Err(error),
        })
    }

    /// Brings the properties up to date with what a [`Watch`](crate::Watch) tells of the object: an object that enters
    /// has these properties and no others; of one that is modified, these changed; one that leaves has none.
    pub fn apply(&mut self, update: ObjectUpdate) {
        self.object = update.obj;
        if update.kind != ObjectUpdateKind::Modify {
            self.values.clear();
            self.missing.clear();
        }
        for change in update.change_set {
            self.forget(&change.name);
            let val = change.val.filter(|val| !val.is_none());
            // An unset property is told without a value, or as removed with the property that held it.
            if let (Some(val), PropertyChangeOp::Assign | PropertyChangeOp::Add) = (val, change.op)
                && self.has_room()
            {
                self.values.push(DynamicProperty {
                    name: change.name,
                    val,
                    ..Default::default()
                });
            }
        }
        for missing in update.missing_set {
            self.set_missing(missing);
        }
    }

    /// Brings the properties up to date like [`apply`](Self::apply), and returns what is new about an object that was known
    /// before; `None` if nothing is. With `is_whole`, the update has all properties of the object.
    pub(crate) fn take_difference(
        &mut self,
        mut update: ObjectUpdate,
        is_whole: bool,
    ) -> Option<ObjectUpdate> {
        if is_whole {
            let known = self.values.iter().map(|property| &property.name);
            let known = known.chain(self.missing.iter().map(|missing| &missing.path));
            let is_told = |name: &String| {
                let mut changes = update.change_set.iter();
                changes.any(|change| change.name == *name)
                    || update
                        .missing_set
                        .iter()
                        .any(|missing| missing.path == *name)
            };
            let unset = known
                .filter(|name| !is_told(name))
                .map(|name| PropertyChange {
                    name: name.clone(),
                    op: PropertyChangeOp::Assign,
                    ..PropertyChange::default()
                });
            let unset: Vec<_> = unset.collect();
            update.change_set.extend(unset);
        }
        update.change_set.retain(
            |change| match change.val.as_ref().filter(|val| !val.is_none()) {
                Some(val)
                    if matches!(change.op, PropertyChangeOp::Assign | PropertyChangeOp::Add) =>
                {
                    self.get(&change.name) != Some(val)
                }
                _ => self.get(&change.name).is_some() || self.missing(&change.name).is_some(),
            },
        );
        let missing = &mut update.missing_set;
        missing.retain(|missing| self.missing(&missing.path).is_none());
        if update.change_set.is_empty() && update.missing_set.is_empty() {
            return None;
        }
        update.kind = ObjectUpdateKind::Modify;
        self.apply(update.clone());
        Some(update)
    }

    /// What an update tells. Unlike [`apply`](Self::apply), it keeps the names of properties that lost their value.
    pub(crate) fn told_by(update: ObjectUpdate) -> Self {
        let mut told = Self {
            object: update.obj,
            ..Self::default()
        };
        for change in update.change_set {
            let val = match change.op {
                PropertyChangeOp::Assign | PropertyChangeOp::Add => change.val.unwrap_or_default(),
                _ => Any::None,
            };
            told.set(DynamicProperty {
                name: change.name,
                val,
                ..Default::default()
            });
        }
        for missing in update.missing_set {
            told.set_missing(missing);
        }
        told
    }

    /// Adds what was told later.
    pub(crate) fn extend(&mut self, later: Self) {
        later.values.into_iter().for_each(|value| self.set(value));
        let missing = later.missing.into_iter();
        missing.for_each(|missing| self.set_missing(missing));
    }

    fn set(&mut self, property: DynamicProperty) {
        self.forget(&property.name);
        if self.has_room() {
            self.values.push(property);
        }
    }

    fn set_missing(&mut self, missing: MissingProperty) {
        self.forget(&missing.path);
        if self.has_room() {
            self.missing.push(missing);
        }
    }

    /// Whether there is room for another property that an update tells.
    fn has_room(&self) -> bool {
        self.values.len() + self.missing.len() < MOST_TOLD
    }

    fn forget(&mut self, path: &str) {
        self.values.retain(|property| property.name != path);
        self.missing.retain(|missing| missing.path != path);
    }

    /// For [`property_set!`](crate::property_set): takes a property out, or copies the value before if there is one and
    /// nothing is told of the property.
    #[doc(hidden)]
    pub fn take_or_copy<T: FromAny + Clone>(
        &mut self,
        path: &str,
        before: Option<&T>,
    ) -> Result<T, PropertyError> {
        match before {
            Some(before) if self.get(path).is_none() && self.missing(path).is_none() => {
                Ok(before.clone())
            }
            _ => self.take_if_readable(path),
        }
    }

    /// For [`property_set!`](crate::property_set): whether [`take_or_copy`](Self::take_or_copy) finds a value, as far as
    /// can be seen without taking it.
    #[doc(hidden)]
    pub fn suffices<T: FromAny>(&self, path: &str, has_before: bool) -> bool {
        match self.get(path) {
            Some(Any::None | Any::Undecodable(_)) => T::from_any(Any::None).is_ok(),
            Some(_) => true,
            None if has_before && self.missing(path).is_none() => true,
            None => T::from_any(Any::None).is_ok(),
        }
    }

    /// The properties that the server refused or that could not be decoded.
    pub fn problems(&self) -> impl Iterator<Item = PropertyError> {
        let missing = self.missing.iter().map(|missing| {
            let kind = PropertyErrorKind::Missing(Box::new(missing.fault.clone()));
            self.error(&missing.path, kind)
        });
        let undecodable = self.values.iter().filter_map(|property| {
            let Any::Undecodable(value) = &property.val else {
                return None;
            };
            let kind = PropertyErrorKind::Undecodable(Box::new(value.error.clone()));
            Some(self.error(&property.name, kind))
        });
        missing.chain(undecodable)
    }

    /// Whether the server refuses a property for lack of a session, instead of the call.
    pub(super) fn lacks_session(&self) -> bool {
        self.missing
            .iter()
            .any(|missing| missing.fault.fault.is::<NotAuthenticated>())
    }

    fn error(&self, path: &str, kind: PropertyErrorKind) -> PropertyError {
        PropertyError {
            object: self.object.clone(),
            path: path.to_owned(),
            kind,
        }
    }
}

impl From<ObjectContent> for ObjectProperties {
    fn from(content: ObjectContent) -> Self {
        Self {
            object: content.obj,
            values: content.prop_set,
            missing: content.missing_set,
        }
    }
}

/// A property that cannot be read.
#[non_exhaustive]
#[derive(Clone, Debug, thiserror::Error)]
#[error("property '{path}' of {object}: {kind}")]
pub struct PropertyError {
    /// The object.
    pub object: ManagedObjectReference,
    /// The property's path.
    pub path: String,
    /// The reason.
    pub kind: PropertyErrorKind,
}

/// Why a property cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PropertyErrorKind {
    /// The property has no value, or was not requested.
    #[error("not set")]
    Unset,
    /// The server refuses the property.
    #[error("the server does not give it: {}", fault_text(.0))]
    Missing(Box<LocalizedMethodFault>),
    /// The value cannot be decoded; the error names the place in the value.
    #[error("cannot be decoded: {0}")]
    Undecodable(Box<vi_types::DecodeError>),
    /// The value is of another type.
    #[error(transparent)]
    Type(CastError),
}

/// The fault with its own properties, such as the privilege that is lacking, and the server's text.
fn fault_text(fault: &LocalizedMethodFault) -> String {
    let fault = SoapFault::from(fault.clone());
    let what = fault.described().unwrap_or_default();
    match fault.string.trim() {
        "" => what,
        text => format!("{what} - {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(kind: ObjectUpdateKind, changes: &[(&str, PropertyChangeOp, Any)]) -> ObjectUpdate {
        let change = |(name, op, val): &(&str, PropertyChangeOp, Any)| PropertyChange {
            name: (*name).to_owned(),
            op: op.clone(),
            val: Some(val.clone()),
            ..PropertyChange::default()
        };
        ObjectUpdate {
            kind,
            obj: ManagedObjectReference::new("VirtualMachine", "1"),
            change_set: changes.iter().map(change).collect(),
            ..ObjectUpdate::default()
        }
    }

    #[test]
    fn updates_are_applied() {
        use ObjectUpdateKind::{Enter, Leave, Modify};
        use PropertyChangeOp::{Assign, IndirectRemove};

        let text = |text: &str| Any::from(text.to_owned());
        let mut object = ObjectProperties::default();
        for (update, expected) in [
            (
                update(
                    Enter,
                    &[("name", Assign, text("a")), ("tag", Assign, text("t"))],
                ),
                "name=a tag=t",
            ),
            (
                update(Modify, &[("name", Assign, text("b"))]),
                "name=b tag=t",
            ),
            (update(Modify, &[("tag", Assign, Any::None)]), "name=b"),
            (
                update(Modify, &[("tag", Assign, text("u"))]),
                "name=b tag=u",
            ),
            (
                update(Modify, &[("tag", IndirectRemove, Any::None)]),
                "name=b",
            ),
            // Told anew, as after a lost session.
            (update(Enter, &[("tag", Assign, text("v"))]), "tag=v"),
            (update(Leave, &[]), ""),
        ] {
            object.apply(update);
            let mut values: Vec<_> = object
                .values
                .iter()
                .map(|property| {
                    let value: String = property.val.clone().cast().unwrap();
                    format!("{}={value}", property.name)
                })
                .collect();
            values.sort();
            assert_eq!(values.join(" "), expected);
        }
        assert_eq!(object.object.value, "1");
    }
}
