use vi_types::Poly;
use vi_types::objects::{SelectionSpec, TraversalSpec};

/// A way from one object to others: the objects that a property refers to, and where to go from those.
#[derive(Clone, Debug)]
pub struct Selection(Poly<SelectionSpec>);

impl Selection {
    /// From an object of the type `ty` to those that its property `path` refers to.
    pub fn traverse(ty: impl Into<String>, path: impl Into<String>) -> Self {
        Self(Poly::new(TraversalSpec {
            r#type: ty.into(),
            path: path.into(),
            skip: Some(false),
            ..TraversalSpec::default()
        }))
    }

    /// The selection that has this name elsewhere in the same request; naming one that contains it makes a recursion.
    pub fn by_name(name: impl Into<String>) -> Self {
        Self(Poly::new(SelectionSpec {
            name: Some(name.into()),
            ..Default::default()
        }))
    }

    /// Gives the selection a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// Does not read the objects reached, only those reached from them.
    #[must_use]
    pub fn skip(mut self) -> Self {
        if let Some(traversal) = self.0.cast_mut::<TraversalSpec>() {
            traversal.skip = Some(true);
        }
        self
    }

    /// Goes on from the objects reached along `next` (and along those given before).
    #[must_use]
    pub fn select(mut self, next: Self) -> Self {
        if let Some(traversal) = self.0.cast_mut::<TraversalSpec>() {
            traversal.select_set.push(next.0);
        }
        self
    }

    /// From a folder, datacenter or compute resource to everything below it that the API has had since 2.5: folders,
    /// datacenters, virtual machines, compute resources, hosts. Only types whose properties are asked for are read.
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
