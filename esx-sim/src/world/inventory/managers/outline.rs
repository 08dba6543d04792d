//! Managed objects whose types are in no table of the API's core: their descriptions, properties and fixed answers.

use std::collections::HashMap;

use vi_types::{Any, BASE, INFO, Object, ObjectInfo, Property, PropertyMut};

/// A managed object of which only the properties are known. They never change.
pub(crate) struct Outline {
    info: &'static ObjectInfo,
    /// The value of each property, by its index.
    values: Vec<Any>,
}

impl Outline {
    /// An object of that type, with these properties by their names.
    pub(super) fn new(info: &'static ObjectInfo, mut values: HashMap<&str, Any>) -> Self {
        let values = info.all_fields().map(|field| values.remove(field.name));
        Self {
            info,
            values: values.map(Option::unwrap_or_default).collect(),
        }
    }
}

/// Nothing is declared with the type of an [`Outline`], so that nobody makes one by it.
static OUTLINE: ObjectInfo = ObjectInfo::new("", None, "", no_object);

/// What makes an object of a type that is known by its description only.
pub(super) fn no_object() -> Box<dyn Object> {
    Box::new(Outline {
        info: &OUTLINE,
        values: Vec::new(),
    })
}

impl Object for Outline {
    fn type_info() -> &'static ObjectInfo {
        &OUTLINE
    }

    fn get(&self, index: usize) -> Property<'_> {
        match index {
            INFO => Property::Info(self.info),
            BASE => Property::Absent,
            index => match self.values.get(index) {
                None | Some(Any::None) => Property::Absent,
                Some(value) => Property::Value(value),
            },
        }
    }

    fn get_mut(&mut self, _: usize) -> PropertyMut<'_> {
        PropertyMut::Absent
    }
}
