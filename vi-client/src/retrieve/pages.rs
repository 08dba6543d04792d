use std::collections::HashSet;

use vi_types::methods::{
    CancelRetrievePropertiesEx, ContinueRetrievePropertiesEx, RetrieveProperties,
    RetrievePropertiesEx,
};
use vi_types::objects::{
    MethodNotFound, NoPermission, NotAuthenticated, NotSupported, ObjectContent, RetrieveOptions,
};
use vi_types::{ManagedObjectReference, Method as _};

use super::{ObjectProperties, Retrieve};
use crate::client::{Arrival, Renewal, Repeats};
use crate::limits::Spent;
use crate::{Client, Error, Rounds};

/// An answer of the property collector, read page by page.
///
/// The server keeps the remaining pages until they are read or cancelled. [`close`](Self::close) cancels them; dropping
/// `Pages` early cancels them in the background (on a tokio runtime).
///
/// Some servers give the first page and refuse the others: vCenter 7.0.3 to 8.0.2 answer `ContinueRetrievePropertiesEx` with
/// `NoPermission` to users with restricted rights. Then everything is asked for again without pages, what was given before is
/// left out, and the client asks for no more pages until it is dropped. If the answer with a page does not arrive, everything
/// is asked for again, too.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    request: Retrieve,
    state: State,
    /// The objects that were given, if the answer may have to begin again.
    given: HashSet<ManagedObjectReference>,
    /// Whether the answer began again, so that objects come that were given before.
    has_begun_again: bool,
    repeats: Repeats,
    /// The pages that had no new object.
    rounds: Rounds,
    spent: Spent,
}

/// How many pages in a row may have no new object.
const ROUNDS: Rounds = Rounds::of(5);

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
            has_begun_again: false,
            repeats: Repeats::new(),
            rounds: ROUNDS,
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
            let (token, mut objects) = match std::mem::replace(&mut self.state, State::End) {
                State::End => return Ok(None),
                State::Start => self.first().await?,
                State::Token(token) => {
                    let mut objects = Vec::new();
                    let take = &mut |arrival| gather(&mut objects, arrival);
                    (self.following(token, take, false).await?, objects)
                }
            };
            if self.has_begun_again {
                objects.retain(|object| !self.given.contains(&object.object));
            }
            if let Some(token) = token {
                let before = self.given.len();
                let given = objects.iter().map(|object| object.object.clone());
                self.given.extend(given);
                self.turn(token, self.given.len() > before).await?;
            }
            if !objects.is_empty() {
                return Ok(Some(objects));
            }
        }
    }

    /// There is another page behind one that had a new object, or had none.
    async fn turn(&mut self, token: String, has_new: bool) -> Result<(), Error> {
        let method = ContinueRetrievePropertiesEx::name();
        let behaviour = "gives a page without a new object";
        self.rounds.note(has_new, method, behaviour).await?;
        self.state = State::Token(token);
        Ok(())
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
            let take = &mut |arrival| gather(&mut objects, arrival);
            let token = self.call_first(take, false).await?;
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
        let mut take = |arrival| take(read(arrival));
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
            let rest = call.await?.into_iter();
            rest.map(Arrival::Item).for_each(take);
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
        let rest = result.objects.into_iter();
        rest.map(Arrival::Item).for_each(take);
        Ok(result.token)
    }

    /// Gives the objects of the next page to `take`, and returns the token of the one after it.
    async fn following(
        &mut self,
        token: String,
        take: &mut Take<'_>,
        pauses: bool,
    ) -> Result<Option<String>, Error> {
        let mut taken = |arrival| take(read(arrival));
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
                let rest = result.objects.into_iter();
                rest.map(Arrival::Item).for_each(taken);
                return Ok(result.token);
            }
            Err(error) => error,
        };
        if self.client.paging() != Paging::Given && refuses_pages(&refused) {
            tracing::debug!(error = %refused, "the server gives no second page, everything is asked for without pages");
            self.client.set_paging(Paging::Refused);
        } else {
            // The token is gone with the error, and nobody can say what the server still has.
            let method = ContinueRetrievePropertiesEx::name();
            self.repeats.after(method, refused).await?;
        }
        let cancel = CancelRetrievePropertiesEx {
            token: request.token,
            ..Default::default()
        };
        if let Err(error) = self.client.call_in_this_session(&cancel).await {
            tracing::debug!(%error, "pages not read could not be cancelled");
        }
        self.has_begun_again = true;
        take(Arrival::Again);
        self.call_first(take, pauses).await
    }

    /// Like [`next`](Self::next), but gives the objects to `take` as they arrive; false after the last page.
    pub(super) async fn next_arriving(
        &mut self,
        take: &mut (dyn FnMut(ObjectProperties) + Send),
    ) -> Result<bool, Error> {
        let mut given = std::mem::take(&mut self.given);
        let mut has_begun_again = self.has_begun_again;
        let before = given.len();
        let mut remember = |arrival| match arrival {
            Arrival::Again => has_begun_again = true,
            Arrival::Item(object) => {
                let object: ObjectProperties = object;
                let is_new = given.insert(object.object.clone());
                if is_new || !has_begun_again {
                    take(object);
                }
            }
        };
        let token = match std::mem::replace(&mut self.state, State::End) {
            State::End => return Ok(false),
            State::Start => self.first_arriving(&mut remember).await?,
            State::Token(token) => self.following(token, &mut remember, true).await?,
        };
        let has_new = given.len() > before;
        self.given = given;
        self.has_begun_again = has_begun_again;
        if let Some(token) = token {
            self.turn(token, has_new).await?;
        }
        Ok(true)
    }

    /// Like [`first`](Self::first), but cannot start again after the first object was given.
    async fn first_arriving(&mut self, take: &mut Take<'_>) -> Result<Option<String>, Error> {
        let logins = self.client.logins();
        let (mut given, mut held) = (false, Vec::new());
        let mut hold = |arrival: Arrival<ObjectProperties>| match arrival {
            Arrival::Again => {
                held.clear();
                take(Arrival::Again);
            }
            Arrival::Item(object) if held.is_empty() && (given || !object.lacks_session()) => {
                given = true;
                take(Arrival::Item(object));
            }
            Arrival::Item(object) => held.push(object),
        };
        let token = self.call_first(&mut hold, true).await?;
        if !held.is_empty() && self.client.renew(logins).await? {
            return self.call_first(take, true).await;
        }
        held.into_iter().map(Arrival::Item).for_each(take);
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
type Take<'a> = dyn FnMut(Arrival<ObjectProperties>) + Send + 'a;

fn read(arrival: Arrival<ObjectContent>) -> Arrival<ObjectProperties> {
    match arrival {
        Arrival::Item(content) => Arrival::Item(content.into()),
        Arrival::Again => Arrival::Again,
    }
}

fn gather(objects: &mut Vec<ObjectProperties>, arrival: Arrival<ObjectProperties>) {
    match arrival {
        Arrival::Item(object) => objects.push(object),
        Arrival::Again => objects.clear(),
    }
}

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
