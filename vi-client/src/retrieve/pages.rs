use vi_types::methods::{
    CancelRetrievePropertiesEx, ContinueRetrievePropertiesEx, RetrieveProperties,
    RetrievePropertiesEx,
};
use vi_types::objects::{ObjectContent, RetrieveOptions};

use super::{ObjectProperties, Retrieve};
use crate::client::Renewal;
use crate::{Client, Error};

/// An answer of the property collector, read page by page.
///
/// The server keeps the remaining pages until they are read or cancelled. [`close`](Self::close) cancels them; dropping
/// `Pages` early cancels them in the background (on a tokio runtime).
#[derive(Debug)]
pub struct Pages {
    client: Client,
    request: Retrieve,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    /// The server has more pages, under this token.
    Token(String),
    End,
}

impl Pages {
    pub(super) fn new(client: Client, request: Retrieve) -> Self {
        Self {
            client,
            request,
            state: State::Start,
        }
    }

    /// The next page; `None` after the last one. A page is never empty.
    ///
    /// # Errors
    /// As [`Client::call`]; no more pages follow. If the session ends between two pages, the rest of the answer is lost:
    /// an error ([`Error::is_not_authenticated`]), unlike in [`Client::retrieve`].
    pub async fn next(&mut self) -> Result<Option<Vec<ObjectProperties>>, Error> {
        loop {
            let (token, objects) = match &self.state {
                State::End => return Ok(None),
                State::Start => {
                    let first = self.first().await;
                    self.state = State::End;
                    first?
                }
                State::Token(token) => {
                    let mut objects = Vec::new();
                    let take = &mut |object| objects.push(object);
                    let next = self.following(token, take, false).await;
                    self.state = State::End;
                    (next?, objects)
                }
            };
            self.state = token.map_or(State::End, State::Token);
            if !objects.is_empty() {
                return Ok(Some(objects));
            }
        }
    }

    /// All remaining pages as one.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn rest(&mut self) -> Result<Vec<ObjectProperties>, Error> {
        let Some(mut all) = self.next().await? else {
            return Ok(Vec::new());
        };
        while let Some(page) = self.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// Cancels the remaining pages.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn close(mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::End) {
            State::Token(token) => {
                let cancel = CancelRetrievePropertiesEx {
                    token,
                    ..Default::default()
                };
                self.client.call(&cancel).await.map(|_| ())
            }
            _ => Ok(()),
        }
    }

    async fn first(&self) -> Result<Page, Error> {
        let mut renewed = false;
        loop {
            let logins = self.client.logins();
            let mut objects = Vec::new();
            let token = self
                .call_first(&mut |object| objects.push(object), false)
                .await?;
            let page = (token, objects);
            // Without a session, some servers refuse each property instead of the call.
            if renewed || !page.1.iter().any(ObjectProperties::lacks_session) {
                return Ok(page);
            }
            if !self.client.renew(logins).await? {
                return Ok(page);
            }
            renewed = true;
        }
    }

    /// Gives the objects of the first page to `take` as they arrive, and returns the token of the next page.
    async fn call_first(&self, take: &mut Take<'_>, pauses: bool) -> Result<Option<String>, Error> {
        let mut take = |content: ObjectContent| take(content.into());
        let spec_set = vec![self.request.filter()];
        if !self.client.api_version().at_least(4, 1) {
            let request = RetrieveProperties {
                spec_set,
                ..Default::default()
            };
            let call = self
                .client
                .call_items(&request, Renewal::Once, pauses, &mut take);
            call.await?.into_iter().for_each(take);
            return Ok(None);
        }
        let request = RetrievePropertiesEx {
            spec_set,
            options: RetrieveOptions {
                max_objects: self.request.page_size,
                ..Default::default()
            },
            ..Default::default()
        };
        let call = self
            .client
            .call_items(&request, Renewal::Once, pauses, &mut take);
        let Some(result) = call.await? else {
            return Ok(None);
        };
        result.objects.into_iter().for_each(take);
        Ok(result.token)
    }

    async fn following(
        &self,
        token: &str,
        take: &mut Take<'_>,
        pauses: bool,
    ) -> Result<Option<String>, Error> {
        let mut take = |content: ObjectContent| take(content.into());
        let request = ContinueRetrievePropertiesEx {
            token: token.to_owned(),
            ..Default::default()
        };
        // Without renewal, because a new session does not know the token.
        let call = self
            .client
            .call_items(&request, Renewal::Never, pauses, &mut take);
        let result = call.await?;
        result.objects.into_iter().for_each(take);
        Ok(result.token)
    }

    /// Like [`next`](Self::next), but gives the objects to `take` as they arrive; false after the last page.
    pub(super) async fn next_arriving(&mut self, take: &mut Take<'_>) -> Result<bool, Error> {
        let token = match std::mem::replace(&mut self.state, State::End) {
            State::End => return Ok(false),
            State::Start => self.first_arriving(take).await?,
            State::Token(token) => self.following(&token, take, true).await?,
        };
        self.state = token.map_or(State::End, State::Token);
        Ok(true)
    }

    /// Like [`first`](Self::first), but cannot start again after the first object was given.
    async fn first_arriving(&self, take: &mut Take<'_>) -> Result<Option<String>, Error> {
        let logins = self.client.logins();
        let (mut given, mut held) = (false, Vec::new());
        let mut hold = |object: ObjectProperties| {
            if held.is_empty() && (given || !object.lacks_session()) {
                given = true;
                take(object);
            } else {
                held.push(object);
            }
        };
        let token = self.call_first(&mut hold, true).await?;
        if !held.is_empty() && self.client.renew(logins).await? {
            return self.call_first(take, true).await;
        }
        held.into_iter().for_each(take);
        Ok(token)
    }
}

/// The token of the next page, and the objects.
type Page = (Option<String>, Vec<ObjectProperties>);

/// Takes an object that has arrived.
pub(super) type Take<'a> = dyn FnMut(ObjectProperties) + Send + 'a;

impl Drop for Pages {
    fn drop(&mut self) {
        let State::Token(token) = std::mem::replace(&mut self.state, State::End) else {
            return;
        };
        let client = self.client.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let cancel = CancelRetrievePropertiesEx {
                    token,
                    ..Default::default()
                };
                if let Err(error) = client.call_in_this_session(&cancel).await {
                    tracing::debug!(%error, "pages not read could not be cancelled");
                }
            });
        }
    }
}
