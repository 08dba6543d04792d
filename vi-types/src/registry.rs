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

    /// Everything that descends from a type, itself left out, in the order of names.
    ///
    /// ```
    /// # #[cfg(feature = "api")] {
    /// use vi_types::{Object, objects::VirtualController};
    ///
    /// let controllers = vi_types::registry().descendants(VirtualController::type_info());
    /// let names: Vec<_> = controllers.map(|info| info.name).collect();
    /// assert!(names.contains(&"ParaVirtualSCSIController"));
    /// assert!(!names.contains(&"VirtualController"));
    /// # }
    /// ```
    pub fn descendants(
        &self,
        base: &'static ObjectInfo,
    ) -> impl Iterator<Item = &'static ObjectInfo> {
        let descends = move |info: &&'static ObjectInfo| {
            info.ancestry().skip(1).any(|one| std::ptr::eq(one, base))
        };
        self.objects.iter().copied().filter(descends)
    }

    /// The types whose base class this one is, in the order of names: one step down the tree.
    pub fn children(&self, base: &'static ObjectInfo) -> impl Iterator<Item = &'static ObjectInfo> {
        let is_child = move |info: &&'static ObjectInfo| {
            info.base.is_some_and(|parent| std::ptr::eq(parent, base))
        };
        self.objects.iter().copied().filter(is_child)
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
