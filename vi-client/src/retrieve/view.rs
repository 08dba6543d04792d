use vi_types::ManagedObjectReference;
use vi_types::methods::{CreateContainerView, DestroyView};

use super::{Retrieve, Selection};
use crate::{Client, Error};

/// A list on the server of the objects below a container, kept up to date by the server.
///
/// It lives on the server until it is destroyed or the session ends: end with [`close`](Self::close). One that is
/// dropped is destroyed in the background (when dropped on a tokio runtime), with a warning.
#[derive(Debug)]
pub struct ContainerView {
    client: Client,
    view: ManagedObjectReference,
    /// Whether it is still to be destroyed.
    is_open: bool,
}

impl Client {
    /// Makes a view of the objects of the given types (of all types if there are none) below `container`: only those
    /// directly in it, or all if `recursive`.
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
    /// The start of a request for properties of the objects in the view.
    pub fn retrieve(&self) -> Retrieve {
        Retrieve::from(&self.view)
            .skip_start()
            .select(Selection::traverse("ContainerView", "view"))
    }

    /// The view itself, for instance to filter changes of the objects in it.
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
