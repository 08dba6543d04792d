//! Reading properties of many objects at once, through the server's property collector.
//!
//! A [`Retrieve`] names the objects to start from, the way to further objects ([`Selection`]) and the properties to read
//! of each type. The answer is a list of [`ObjectProperties`], read whole ([`Client::retrieve`]), page by page
//! ([`Pages`]), or object by object as they arrive ([`Objects`]).
//!
//! A [`PropertySet`] is a struct of properties whose paths and types the compiler checks: [`Client::read`] reads it of
//! one object, [`Client::retrieve_set`] of many.

mod objects;
mod pages;
mod properties;
mod property_set;
mod selection;
mod view;

use vi_types::objects::{ObjectSpec, PropertyFilterSpec, PropertySpec};
use vi_types::{ManagedObjectReference, Poly};

use crate::{Client, Error};

pub use objects::Objects;
pub use pages::Pages;
pub(crate) use pages::Paging;
pub use properties::{ObjectProperties, PropertyError, PropertyErrorKind};
#[doc(hidden)]
pub use property_set::next_path;
pub use property_set::{PropertySet, Typed};
pub use selection::{Refers, Selection};
pub use view::ContainerView;

/// A request to the property collector: the objects to start from, selections that lead to other objects, and the
/// properties to read of each type.
///
/// ```
/// use vi_client::retrieve::{Retrieve, Selection};
/// use vi_client::vi_types::ManagedObjectReference;
///
/// let root = ManagedObjectReference::new("Folder", "ha-folder-root");
/// let request = Retrieve::from(&root)
///     .select(Selection::traverse("Folder", "childEntity").named("folder").select(Selection::by_name("folder")))
///     .properties("Folder", ["name"]);
/// assert_eq!(request.filter().prop_set[0].path_set, ["name"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Retrieve {
    objects: Vec<ManagedObjectReference>,
    skip_start: bool,
    selections: Vec<Selection>,
    properties: Vec<PropertySpec>,
    page_size: Option<i32>,
}

impl Retrieve {
    /// Starts from this object. Its own properties are read too, if the request has properties of its type.
    pub fn from(object: &ManagedObjectReference) -> Self {
        Self::from_each([object.clone()])
    }

    /// Starts from each of these objects.
    pub fn from_each(objects: impl IntoIterator<Item = ManagedObjectReference>) -> Self {
        Self {
            objects: objects.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Reads only the objects reached by selections, not the objects started from.
    #[must_use]
    pub fn skip_start(mut self) -> Self {
        self.skip_start = true;
        self
    }

    /// Follows this selection from the start, beside the ones given before.
    #[must_use]
    pub fn select(mut self, selection: Selection) -> Self {
        self.selections.push(selection);
        self
    }

    /// Follows each of these selections from the start.
    #[must_use]
    pub fn select_all(mut self, selections: impl IntoIterator<Item = Selection>) -> Self {
        self.selections.extend(selections);
        self
    }

    /// Reads these properties (paths such as `runtime.powerState`) of objects of the type `ty` or a descendant.
    /// Without paths the answer has the references only. Calls for the same type add up.
    #[must_use]
    pub fn properties<P: Into<String>>(
        mut self,
        ty: impl Into<String>,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        let ty = ty.into();
        // One specification for each type: the API does not say what a server does with a second one.
        let known = self.properties.iter().position(|spec| spec.r#type == ty);
        let index = known.unwrap_or_else(|| {
            self.properties.push(PropertySpec {
                r#type: ty,
                all: Some(false),
                ..Default::default()
            });
            self.properties.len() - 1
        });
        let spec = &mut self.properties[index];
        for path in paths.into_iter().map(Into::into) {
            if !spec.path_set.contains(&path) {
                spec.path_set.push(path);
            }
        }
        self
    }

    /// Reads all properties of objects of the type `ty` or a descendant, which may be a lot.
    #[must_use]
    pub fn all_properties(mut self, ty: impl Into<String>) -> Self {
        let ty = ty.into();
        self.properties.retain(|spec| spec.r#type != ty);
        self.properties.push(PropertySpec {
            r#type: ty,
            all: Some(true),
            ..Default::default()
        });
        self
    }

    /// Reads the properties of a [`PropertySet`].
    #[must_use]
    pub fn set<P: PropertySet>(self) -> Self {
        self.properties(P::TYPE, P::paths())
    }

    /// The largest number of objects a page (default: the server decides). Servers before 4.1 answer in one page.
    #[must_use]
    pub fn page_size(mut self, objects: u32) -> Self {
        self.page_size = Some(i32::try_from(objects).unwrap_or(i32::MAX));
        self
    }

    /// The request as the API's filter specification.
    pub fn filter(&self) -> PropertyFilterSpec {
        let select_set: Vec<Poly<_>> = self
            .selections
            .iter()
            .map(|selection| selection.spec().clone())
            .collect();
        let object_set = self
            .objects
            .iter()
            .map(|object| ObjectSpec {
                obj: object.clone(),
                skip: Some(self.skip_start),
                select_set: select_set.clone(),
                ..Default::default()
            })
            .collect();
        PropertyFilterSpec {
            prop_set: self.properties.clone(),
            object_set,
            ..PropertyFilterSpec::default()
        }
    }
}

impl Client {
    /// Reads properties of many objects, all pages.
    ///
    /// A property that cannot be read does not fail the call, see [`ObjectProperties`].
    ///
    /// # Errors
    /// As [`Client::call`]. If the session ends between two pages, it is renewed and reading starts again.
    pub async fn retrieve(&self, request: &Retrieve) -> Result<Vec<ObjectProperties>, Error> {
        let mut begun_again = false;
        loop {
            let logins = self.logins();
            let mut pages = self.pages(request.clone());
            // On the heap: drivers' functions have this future so many levels inside of theirs that the compiler gives up.
            match Box::pin(pages.rest()).await {
                // The pages were lost with the session.
                Err(error)
                    if error.is_not_authenticated()
                        && !matches!(error, Error::Renewal(_))
                        && !begun_again
                        && self.renew(logins).await? =>
                {
                    begun_again = true;
                }
                result => return result,
            }
        }
    }

    /// Reads properties of many objects, page by page.
    pub fn pages(&self, request: Retrieve) -> Pages {
        Pages::new(self.clone(), request)
    }

    /// Reads properties of many objects, object by object as they arrive.
    pub fn objects(&self, request: Retrieve) -> Objects {
        Objects::new(self.pages(request))
    }

    /// Reads the properties of a [`PropertySet`], as that type, of all objects that `request` leads to.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve). A property that cannot be read fails the set of its object only, see [`Typed`].
    pub async fn retrieve_set<P: PropertySet>(
        &self,
        request: Retrieve,
    ) -> Result<Vec<Typed<P>>, Error> {
        let objects = self.retrieve(&request.set::<P>()).await?;
        Ok(objects.into_iter().map(Typed::new).collect())
    }

    /// Reads the properties of a [`PropertySet`] of one object.
    ///
    /// ```no_run
    /// use vi_client::{Client, Error, property_set};
    /// use vi_client::vi_types::ManagedObjectReference;
    /// use vi_client::vi_types::enums::VirtualMachinePowerState;
    ///
    /// property_set! {
    ///     struct Machine: VirtualMachine {
    ///         name: String = name,
    ///         state: VirtualMachinePowerState = runtime.power_state,
    ///     }
    /// }
    ///
    /// # async fn run(client: &Client, vm: &ManagedObjectReference) -> Result<(), Error> {
    /// let machine: Machine = client.read(vm).await?;
    /// tracing::info!(machine.name, state = %machine.state);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve). If the object does not exist, [`Error::is_not_found`] is true of the error. If a
    /// property that the set needs has no value, the error is [`Error::Property`].
    pub async fn read<P: PropertySet>(&self, object: &ManagedObjectReference) -> Result<P, Error> {
        let found = self.read_properties(object, P::TYPE, P::paths()).await?;
        let mut properties = found.ok_or_else(|| Error::NoObject {
            object: object.clone(),
        })?;
        Ok(P::from_properties(&mut properties)?)
    }

    /// Reads the properties of a [`PropertySet`] of one object, which may not exist (any more): then `None`.
    ///
    /// # Errors
    /// As [`read`](Self::read), except for an object that does not exist.
    pub async fn read_opt<P: PropertySet>(
        &self,
        object: &ManagedObjectReference,
    ) -> Result<Option<P>, Error> {
        match self.read(object).await {
            Ok(properties) => Ok(Some(properties)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The part of [`read`](Self::read) that does not depend on the set, so that it is compiled once.
    async fn read_properties(
        &self,
        object: &ManagedObjectReference,
        ty: &'static str,
        paths: &'static [String],
    ) -> Result<Option<ObjectProperties>, Error> {
        let request = Retrieve::from(object).properties(ty, paths);
        // The collector returns at most one object, the one that it was asked for.
        Ok(self.retrieve(&request).await?.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_specification() {
        let root = ManagedObjectReference::new("Folder", "root");
        let request = Retrieve::from(&root)
            .properties("Folder", ["name"])
            .properties("VirtualMachine", ["name", "config"])
            .properties("Folder", ["parent", "name"])
            .all_properties("VirtualMachine");
        let found: Vec<_> = request
            .filter()
            .prop_set
            .into_iter()
            .map(|spec| (spec.r#type, spec.all, spec.path_set.join(" ")))
            .collect();
        let expected = [
            ("Folder".to_owned(), Some(false), "name parent".to_owned()),
            ("VirtualMachine".to_owned(), Some(true), String::new()),
        ];
        assert_eq!(found, expected);
    }
}
