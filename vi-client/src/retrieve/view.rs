use vi_types::ManagedObjectReference;
use vi_types::methods::{CreateContainerView, DestroyView};

use super::{Retrieve, Selection};
use crate::{Client, Error};

/// A list of the objects below a container, which the server keeps up to date.
///
/// The view exists until it is destroyed or the session ends: call [`close`](Self::close). Dropping it destroys it in
/// the background (on a tokio runtime) and logs a warning.
#[derive(Debug)]
pub struct ContainerView {
    client: Client,
    view: ManagedObjectReference,
    /// Whether the view must still be destroyed.
    is_open: bool,
}

impl Client {
    /// Creates a view of the objects of `types` (all types if empty) in `container`, with all levels below it if
    /// `recursive`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn container_view<T: Into<String>>(
        &self,
        container: &ManagedObjectReference,
        types: impl IntoIterator<Item = T>,
        recursive: bool,
    ) -> Result<ContainerView, Error> {
        let request = CreateContainerView {
            container: container.clone(),
            r#type: types.into_iter().map(Into::into).collect(),
            recursive,
            ..Default::default()
        };
        Ok(ContainerView {
            view: self.call(&request).await?,
            is_open: true,
            client: self.clone(),
        })
    }
}

impl ContainerView {
    /// Starts a request for properties of the objects in the view.
    pub fn retrieve(&self) -> Retrieve {
        Retrieve::from(&self.view)
            .skip_start()
            .select(Selection::traverse("ContainerView", "view"))
    }

    /// The view's reference, for instance to watch the objects in it.
    pub fn reference(&self) -> &ManagedObjectReference {
        &self.view
    }

    /// Destroys the view.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn close(mut self) -> Result<(), Error> {
        self.is_open = false;
        let this = self.view.clone();
        self.client
            .call(&DestroyView {
                this,
                ..Default::default()
            })
            .await
    }
}

impl Drop for ContainerView {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let this = self.view.clone();
        tracing::warn!(view = %this, "a view was dropped without close()");
        let client = self.client.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = client
                    .call_in_this_session(&DestroyView {
                        this,
                        ..Default::default()
                    })
                    .await
                {
                    tracing::debug!(%error, "the view could not be destroyed");
                }
            });
        }
    }
}
