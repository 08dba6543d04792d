//! Types by their names on the wire.

use crate::method::MethodInfo;
use crate::object::ObjectInfo;

/// The types and methods of one generated set of bindings, each table sorted by name.
#[derive(Debug)]
pub struct Registry {
    /// Data objects and faults.
    pub objects: &'static [(&'static str, &'static ObjectInfo)],
    /// Enumerations and their values.
    pub enumerations: &'static [(&'static str, &'static [&'static str])],
    /// Methods.
    pub methods: &'static [(&'static str, &'static MethodInfo)],
    /// The properties of managed objects.
    pub managed_objects: &'static [(&'static str, &'static ObjectInfo)],
}

impl Registry {
    /// The data object or fault with this name.
    pub fn object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.objects, name)
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
        find(self.methods, name)
    }

    /// The properties of the managed object with this name.
    pub fn managed_object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.managed_objects, name)
    }
}

fn find<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    let index = table.binary_search_by(|entry| entry.0.cmp(name)).ok()?;
    Some(table[index].1)
}
