//! Types by their names on the wire.

use crate::enumeration::EnumInfo;
use crate::method::MethodInfo;
use crate::object::ObjectInfo;

/// The types of one generated set of bindings that an answer may name, each table sorted by name.
///
/// Every program that decodes answers contains these tables. Methods are in a table of their own, the [`Interface`].
#[derive(Debug)]
pub struct Registry {
    /// Data objects and faults.
    pub objects: &'static [&'static ObjectInfo],
    /// Enumerations and their values.
    pub enumerations: &'static [EnumInfo],
    /// The properties of managed objects.
    pub managed_objects: &'static [&'static ObjectInfo],
}

/// The methods of one generated set of bindings by name, for servers and tools.
///
/// A client needs no such table, because the type of a request has the method's description,
/// [`Method::INFO`](crate::Method::INFO). So a program contains only the requests that it uses.
#[derive(Debug)]
pub struct Interface {
    /// The types that requests and answers may name.
    pub registry: &'static Registry,
    /// Methods, sorted by name.
    pub methods: &'static [&'static MethodInfo],
}

impl Registry {
    /// The data object or fault with this name.
    pub fn object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.objects, name, |info| info.name)
    }

    /// All descendants of a type, sorted by name.
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

    /// The types whose base class is this type, sorted by name.
    pub fn children(&self, base: &'static ObjectInfo) -> impl Iterator<Item = &'static ObjectInfo> {
        let is_child = move |info: &&'static ObjectInfo| {
            info.base.is_some_and(|parent| std::ptr::eq(parent, base))
        };
        self.objects.iter().copied().filter(is_child)
    }

    /// The enumeration with this name.
    pub fn enumeration(&self, name: &str) -> Option<&'static EnumInfo> {
        let enumerations = self.enumerations;
        let index = enumerations
            .binary_search_by(|info| info.name.cmp(name))
            .ok()?;
        Some(&enumerations[index])
    }

    /// The properties of the managed object with this name.
    pub fn managed_object(&self, name: &str) -> Option<&'static ObjectInfo> {
        find(self.managed_objects, name, |info| info.name)
    }
}

impl Interface {
    /// The method with this name.
    pub fn method(&self, name: &str) -> Option<&'static MethodInfo> {
        find(self.methods, name, |info| info.name)
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
