//! Types by their names on the wire.

use crate::method::MethodInfo;
use crate::object::ObjectInfo;

/// The types and methods of one generated set of bindings, each table sorted by name.
#[derive(Debug)]
pub struct Registry {
    /// Data objects and faults.
    pub objects: &'static [&'static ObjectInfo],
    /// Enumerations and their values.
    pub enumerations: &'static [(&'static str, &'static [&'static str])],
    /// Methods.
    pub methods: &'static [&'static MethodInfo],
    /// The properties of managed objects.
    pub managed_objects: &'static [&'static ObjectInfo],
}

impl Registry {
    /// The data object or fault with this name.
    pub fn object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.objects, name, |info| info.name)
    }

    /// The enumeration with this name, and its values.
    pub fn enumeration(&self, name: &str) -> Option<(&'static str, &'static [&'static str])> {
        let index = self
            .enumerations
            .binary_search_by(|entry| entry.0.cmp(name))
            .ok()?;
        Some(self.enumerations[index])
    }

    /// The method with this name.
    pub fn method(&self, name: &str) -> Option<&'static MethodInfo> {
        find(self.methods, name, |info| info.name)
    }

    /// The properties of the managed object with this name.
    pub fn managed_object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.managed_objects, name, |info| info.name)
    }
}

fn find<T>(
    table: &'static [&'static T],
    name: &str,
    name_of: impl Fn(&'static T) -> &'static str,
) -> Option<&'static T> {
    let index = table
        .binary_search_by(|entry| name_of(entry).cmp(name))
        .ok()?;
    Some(table[index])
}
