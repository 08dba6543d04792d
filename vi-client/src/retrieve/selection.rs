use vi_types::objects::{SelectionSpec, TraversalSpec};
use vi_types::path::{Path, Through};
use vi_types::{ManagedObject, ManagedObjectReference, Poly};

/// Leads from one object to others: to the objects that a property refers to, and on from those.
#[derive(Clone, Debug)]
pub struct Selection(Poly<SelectionSpec>);

impl Selection {
    /// Leads from objects of the type `ty` to the objects that their property `path` refers to.
    pub fn traverse(ty: impl Into<String>, path: impl Into<String>) -> Self {
        Self(Poly::new(TraversalSpec {
            r#type: ty.into(),
            path: path.into(),
            skip: Some(false),
            ..TraversalSpec::default()
        }))
    }

    /// From an object to those that one of its properties refers to, by the field of a struct of
    /// [`vi_types::properties`].
    ///
    /// ```
    /// use vi_client::retrieve::Selection;
    /// use vi_client::vi_types::properties::HostSystem;
    ///
    /// let machines = Selection::along(|host: &HostSystem| &host.vm);
    /// ```
    ///
    /// A property that refers to nothing:
    ///
    /// ```compile_fail,E0277
    /// # use vi_client::retrieve::Selection;
    /// # use vi_client::vi_types::properties::HostSystem;
    /// let names = Selection::along(|host: &HostSystem| &host.name);
    /// ```
    pub fn along<P, R>(property: fn(&P) -> &R) -> Self
    where
        P: ManagedObject + Through<Object = P>,
        R: Refers + 'static,
    {
        Self::traverse(P::TYPE, Path::<P>::start().step(property).as_str())
    }

    /// Refers to the selection with this name in the same request. A selection may contain itself by name.
    pub fn by_name(name: impl Into<String>) -> Self {
        Self(Poly::new(SelectionSpec {
            name: Some(name.into()),
            ..Default::default()
        }))
    }

    /// Names the selection.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// Does not read the objects that this selection reaches, only follows them further.
    #[must_use]
    pub fn skip(mut self) -> Self {
        if let Some(traversal) = self.0.cast_mut::<TraversalSpec>() {
            traversal.skip = Some(true);
        }
        self
    }

    /// Follows `next` from the objects reached, beside the selections given before.
    #[must_use]
    pub fn select(mut self, next: Self) -> Self {
        if let Some(traversal) = self.0.cast_mut::<TraversalSpec>() {
            traversal.select_set.push(next.0);
        }
        self
    }

    /// Leads from a folder, datacenter or compute resource to everything below: folders, datacenters, virtual machines,
    /// compute resources and hosts, the types of API 2.5. Only types whose properties are requested are read.
    pub fn inventory() -> Vec<Self> {
        let again = || ["folder", "vmFolder", "hostFolder", "host"].map(Self::by_name);
        let way = |ty, path, name: &str, next: &[Self]| {
            next.iter()
                .cloned()
                .fold(Self::traverse(ty, path).named(name), Self::select)
        };
        vec![
            way("Folder", "childEntity", "folder", &again()),
            way(
                "Datacenter",
                "vmFolder",
                "vmFolder",
                &[Self::by_name("folder")],
            ),
            way(
                "Datacenter",
                "hostFolder",
                "hostFolder",
                &[Self::by_name("folder")],
            ),
            way("ComputeResource", "host", "host", &[]),
        ]
    }

    pub(super) fn spec(&self) -> &Poly<SelectionSpec> {
        &self.0
    }
}

/// What a property that refers to objects is: a reference, an optional one, or a list of them.
#[diagnostic::on_unimplemented(message = "a property that is a `{Self}` refers to no objects")]
pub trait Refers {}

impl Refers for ManagedObjectReference {}
impl Refers for Option<ManagedObjectReference> {}
impl Refers for Vec<ManagedObjectReference> {}
