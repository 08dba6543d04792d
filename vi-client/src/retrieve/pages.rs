use std::collections::HashSet;

use vi_types::ManagedObjectReference;
use vi_types::methods::{
    CancelRetrievePropertiesEx, ContinueRetrievePropertiesEx, RetrieveProperties,
    RetrievePropertiesEx,
};
use vi_types::objects::{
    MethodNotFound, NoPermission, NotAuthenticated, NotSupported, ObjectContent, RetrieveOptions,
};

use super::{ObjectProperties, Retrieve};
use crate::client::Renewal;
use crate::limits::Spent;
use crate::{Client, Error};

/// An answer of the property collector, read page by page.
///
/// The server keeps the remaining pages until they are read or cancelled. [`close`](Self::close) cancels them; dropping
/// `Pages` early cancels them in the background (on a tokio runtime).
///
/// Some servers give the first page and refuse the others: vCenter 7.0.3 to 8.0.2 answer `ContinueRetrievePropertiesEx` with
/// `NoPermission` to users with restricted rights. Then everything is asked for again without pages, what was given before is
/// left out, and the client asks for no more pages until it is dropped.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    request: Retrieve,
    state: State,
    /// The objects that were given, while it is not known whether this server gives second pages.
    given: HashSet<ManagedObjectReference>,
    spent: Spent,
}

/// Whether a server gives more than the first page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Paging {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    Given,
    Refused,
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
            given: HashSet::new(),
            spent: Spent::default(),
        }
    }

    /// The next page; `None` after the last one. A page is never empty.
    ///
    /// # Errors
    /// As [`Client::call`]; no more pages follow. If the session ends between two pages, the rest of the answer is lost:
    /// an error ([`Error::is_not_authenticated`]), unlike in [`Client::retrieve`].
    pub async fn next(&mut self) -> Result<Option<Vec<ObjectProperties>>, Error> {
        // The pages before are the caller's.
        self.spent.memory = 0;
        self.page().await
    }

    async fn page(&mut self) -> Result<Option<Vec<ObjectProperties>>, Error> {
        loop {
            let (token, objects) = match std::mem::replace(&mut self.state, State::End) {
                State::End => return Ok(None),
                State::Start => {
                    let first = self.first().await?;
                    if first.0.is_some() && self.client.paging() == Paging::Unknown {
                        self.given
                            .extend(first.1.iter().map(|object| object.object.clone()));
                    }
                    first
                }
                State::Token(token) => {
                    let mut objects = Vec::new();
                    let take = &mut |object| objects.push(object);
                    (self.following(token, take, false).await?, objects)
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
        while let Some(page) = self.page().await? {
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

    async fn first(&mut self) -> Result<Page, Error> {
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
    async fn call_first(
        &mut self,
        take: &mut Take<'_>,
        pauses: bool,
    ) -> Result<Option<String>, Error> {
        let mut take = |content: ObjectContent| take(content.into());
        let spec_set = vec![self.request.filter()];
        if !self.client.api_version().at_least(4, 1) || self.client.paging() == Paging::Refused {
            let request = RetrieveProperties {
                spec_set,
                ..Default::default()
            };
            let spent = &mut self.spent;
            let call = self
                .client
                .call_items(&request, Renewal::Once, pauses, &mut take, spent);
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
        let spent = &mut self.spent;
        let call = self
            .client
            .call_items(&request, Renewal::Once, pauses, &mut take, spent);
        let Some(result) = call.await? else {
            return Ok(None);
        };
        result.objects.into_iter().for_each(take);
        Ok(result.token)
    }

    /// Gives the objects of the next page to `take`, and returns the token of the one after it.
    async fn following(
        &mut self,
        token: String,
        take: &mut Take<'_>,
        pauses: bool,
    ) -> Result<Option<String>, Error> {
        let mut taken = |content: ObjectContent| take(content.into());
        let request = ContinueRetrievePropertiesEx {
            token,
            ..Default::default()
        };
        // Without renewal, because a new session does not know the token.
        let spent = &mut self.spent;
        let call = self
            .client
            .call_items(&request, Renewal::Never, pauses, &mut taken, spent);
        let refused = match call.await {
            Ok(result) => {
                self.client.set_paging(Paging::Given);
                self.given.clear();
                result.objects.into_iter().for_each(taken);
                return Ok(result.token);
            }
            Err(error) => error,
        };
        if self.client.paging() == Paging::Given || !refuses_pages(&refused) {
            // The token is gone with the error, or nobody can say what the server still has.
            return Err(refused);
        }
        tracing::debug!(error = %refused, "the server gives no second page, everything is asked for without pages");
        self.client.set_paging(Paging::Refused);
        let cancel = CancelRetrievePropertiesEx {
            token: request.token,
            ..Default::default()
        };
        if let Err(error) = self.client.call_in_this_session(&cancel).await {
            tracing::debug!(%error, "pages not read could not be cancelled");
        }
        let given = std::mem::take(&mut self.given);
        let mut rest = |object: ObjectProperties| {
            if !given.contains(&object.object) {
                take(object);
            }
        };
        self.call_first(&mut rest, pauses).await
    }

    /// Like [`next`](Self::next), but gives the objects to `take` as they arrive; false after the last page.
    pub(super) async fn next_arriving(&mut self, take: &mut Take<'_>) -> Result<bool, Error> {
        let token = match std::mem::replace(&mut self.state, State::End) {
            State::End => return Ok(false),
            State::Start if self.client.paging() == Paging::Unknown => {
                let mut given = HashSet::new();
                let mut remember = |object: ObjectProperties| {
                    given.insert(object.object.clone());
                    take(object);
                };
                let token = self.first_arriving(&mut remember).await?;
                self.given = given;
                token
            }
            State::Start => self.first_arriving(take).await?,
            State::Token(token) => self.following(token, take, true).await?,
        };
        self.state = token.map_or(State::End, State::Token);
        Ok(true)
    }

    /// Like [`first`](Self::first), but cannot start again after the first object was given.
    async fn first_arriving(&mut self, take: &mut Take<'_>) -> Result<Option<String>, Error> {
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

/// Whether the server says that this user, or nobody, gets another page. A session that is over is no such refusal.
fn refuses_pages(error: &Error) -> bool {
    let no_permission = error.is_fault::<NoPermission>() && !error.is_fault::<NotAuthenticated>();
    no_permission || error.is_fault::<MethodNotFound>() || error.is_fault::<NotSupported>()
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
