//! Reads that fail if the server refuses a property.

use vi_client::retrieve::{PropertySet, Retrieve};
use vi_types::ManagedObjectReference;

use super::Connect;
use crate::{Error, Result};

impl Connect {
    /// Reads a set of properties of one object: one request. `None` if the object does not exist.
    ///
    /// Unlike [`Client::read`](vi_client::Client::read), this fails if the server refuses any property of the set, so
    /// that a list which may not be read is not taken for an empty one.
    pub(crate) async fn read_complete<P: PropertySet>(
        &self,
        object: &ManagedObjectReference,
    ) -> Result<Option<P>> {
        let found = self
            .client()
            .retrieve_set::<P>(Retrieve::from(object))
            .await;
        let found = match found {
            Ok(mut found) => found.pop(),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let Some(found) = found else {
            return Ok(None);
        };
        if let Some(problem) = found.problems.into_iter().next() {
            return Err(Error::missing_property(problem));
        }
        found.properties.map(Some).map_err(Error::missing_property)
    }
}
