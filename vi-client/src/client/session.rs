//! Login, logout, renewal and keep-alive.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::AbortHandle;
use tracing::Instrument as _;
use vi_types::objects::UserSession;
use vi_types::{ManagedObjectReference, methods};
use zeroize::{Zeroize as _, Zeroizing};

use super::repeat::{Repeats, is_unserved};
use super::{Client, Inner, decode, failed, outgoing, service_instance, service_member};
use crate::transport::BoxFuture;
use crate::{Error, Password};

#[derive(Default)]
pub(super) struct Session {
    /// Locked while logging in or out, so that there is one login at a time.
    state: tokio::sync::Mutex<State>,
    /// How many logins have ended, successful or not.
    logins: AtomicU64,
    logged_in: AtomicBool,
    pub(super) closed: AtomicBool,
    keep_alive: std::sync::Mutex<Option<AbortHandle>>,
}

#[derive(Default)]
struct State {
    credentials: Option<Credentials>,
    /// Why the last renewal failed, for the calls that waited for it.
    failure: Option<Arc<Error>>,
}

#[derive(Clone)]
struct Credentials {
    user: String,
    password: Password,
}

impl Session {
    pub(super) fn logins(&self) -> u64 {
        self.logins.load(Ordering::Acquire)
    }

    fn stop_keep_alive(&self) {
        let task = self
            .keep_alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            task.abort();
        }
    }
}

impl Client {
    /// Logs in. The password is kept, in memory that is wiped later, to log in again when the session ends.
    ///
    /// If the future is dropped, the login goes on in the background, so that [`logout`](Self::logout) can end its session.
    ///
    /// # Errors
    /// The fault `InvalidLogin` (see [`Error::is_invalid_login`]) for a wrong user name or password.
    pub async fn login(
        &self,
        user: impl Into<String>,
        password: impl Into<Password>,
    ) -> Result<UserSession, Error> {
        let credentials = Credentials {
            user: user.into(),
            password: password.into(),
        };
        let client = self.clone();
        ToItsEnd::new(async move { client.log_in(credentials).await }).await
    }

    async fn log_in(&self, credentials: Credentials) -> Result<UserSession, Error> {
        let session = &self.0.session;
        let mut state = session.state.lock().await;
        if session.closed.load(Ordering::Acquire) {
            return Err(Error::Closed { method: "Login" });
        }
        let result = self.authenticate(&credentials).await;
        session.logins.fetch_add(1, Ordering::AcqRel);
        let user_session = result?;
        state.failure = None;
        state.credentials = Some(credentials);
        session.logged_in.store(true, Ordering::Release);
        self.start_keep_alive();
        Ok(user_session)
    }

    /// Logs out; does nothing without a login. The client can log in again.
    ///
    /// A login that is under way is waited for. All takes no longer than [`Limits::logout`](crate::Limits::logout).
    ///
    /// # Errors
    /// If the logout fails. The client forgets the session in any case.
    pub async fn logout(&self) -> Result<(), Error> {
        let session = &self.0.session;
        session.stop_keep_alive();
        let after = self.0.http.limits.logout;
        let result = tokio::time::timeout(after, self.log_out()).await;
        session.logged_in.store(false, Ordering::Release);
        self.0.http.cookies.clear();
        result.unwrap_or(Err(Error::Deadline {
            method: "Logout",
            after,
        }))
    }

    async fn log_out(&self) -> Result<(), Error> {
        let session = &self.0.session;
        let mut state = session.state.lock().await;
        state.credentials = None;
        if !session.logged_in.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let this = self.session_manager("Logout")?;
        let call = outgoing(&methods::Logout::default(), &this)?;
        let answer = self.0.http.call(&call, self.version().as_ref(), None).await;
        match decode::<methods::Logout>(&answer?.envelope, self.0.options.limits.wire()) {
            Ok(_) => Ok(()),
            Err(error) => match failed(call.method, error) {
                gone if gone.is_not_authenticated() => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Logs out and ends the client, with all its clones: further calls fail.
    ///
    /// # Errors
    /// As [`logout`](Self::logout). The client is closed in any case.
    pub async fn close(&self) -> Result<(), Error> {
        let result = self.logout().await;
        self.0.session.closed.store(true, Ordering::Release);
        result
    }

    /// Whether the client has logged in and not out. The server may have ended the session meanwhile.
    pub fn is_logged_in(&self) -> bool {
        self.0.session.logged_in.load(Ordering::Acquire)
    }

    /// Logs in again after the session has ended; `seen` is the number of logins before the call that noticed.
    ///
    /// If several calls notice, one logs in and the others share its outcome. Returns false without credentials.
    pub(crate) async fn renew(&self, seen: u64) -> Result<bool, Error> {
        let client = self.clone();
        ToItsEnd::new(async move { client.log_in_again(seen).await }).await
    }

    async fn log_in_again(&self, seen: u64) -> Result<bool, Error> {
        let session = &self.0.session;
        let mut state = session.state.lock().await;
        if session.logins() == seen {
            let Some(credentials) = state.credentials.clone() else {
                return Ok(false);
            };
            tracing::debug!("the session has ended, logging in again");
            let result = self.authenticate(&credentials).await;
            session.logins.fetch_add(1, Ordering::AcqRel);
            state.failure = result.err().map(Arc::new);
            if let Some(failure) = &state.failure
                && failure.fault().is_some()
            {
                // Another attempt with the same password could lock the account.
                state.credentials = None;
                session.logged_in.store(false, Ordering::Release);
            }
        }
        match &state.failure {
            Some(failure) => Err(Error::Renewal(failure.clone())),
            None => Ok(state.credentials.is_some()),
        }
    }

    pub(crate) fn logins(&self) -> u64 {
        self.0.session.logins()
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<UserSession, Error> {
        let this = self.session_manager("Login")?;
        let mut request = methods::Login {
            user_name: credentials.user.clone(),
            password: credentials.password.reveal().to_owned(),
            locale: self.0.options.locale.clone(),
            ..Default::default()
        };
        let call = outgoing(&request, &this);
        request.password.zeroize();
        let mut call = call?;
        call.envelope = wiped(call.envelope);
        let mut user_session = UserSession::default();
        let limits = self.0.options.limits.wire();
        let mut keep = |envelope: &[u8]| {
            user_session = decode::<methods::Login>(envelope, limits)?;
            Ok(())
        };
        let mut repeats = Repeats::new();
        let answer = loop {
            let sent: BoxFuture<'_, _> = Box::pin(self.send_call(&call, &mut keep));
            match sent.await {
                Ok(answer) => break answer.map_err(|error| failed(call.method, error))?,
                // A login whose answer is lost is not sent again: it may have been one with a wrong password, and accounts are
                // locked after a few of those.
                Err(error) if is_unserved(&error) => repeats.after(call.method, error).await?,
                Err(error) => return Err(error),
            }
        };
        self.0.http.cookies.take_login(answer.sent, &answer.headers);
        Ok(user_session)
    }

    fn session_manager(&self, method: &'static str) -> Result<ManagedObjectReference, Error> {
        let member = "sessionManager";
        service_member(&self.0.content, member).ok_or(Error::NoSuchService { method, member })
    }

    fn start_keep_alive(&self) {
        let Some(interval) = self.0.options.keep_alive else {
            return;
        };
        let session = &self.0.session;
        session.stop_keep_alive();
        let task = tokio::spawn(keep_alive(Arc::downgrade(&self.0), interval));
        *session
            .keep_alive
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }
}

/// A login that is brought to its end, also if nobody waits for it any more: the server would keep its session.
struct ToItsEnd<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> ToItsEnd<T> {
    fn new(login: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(login.in_current_span())))
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(login) = &mut self.0 else {
            return Poll::Pending;
        };
        let result = ready!(login.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(result)
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        if let (Some(login), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(login);
        }
    }
}

/// The same bytes, in memory that is wiped when the last reference is dropped.
fn wiped(bytes: Bytes) -> Bytes {
    // There is one reference, so this does not copy.
    let bytes: Vec<u8> = bytes.into();
    Bytes::from_owner(Zeroizing::new(bytes))
}

/// Reads the server's clock at an interval until the client is dropped or logged out.
///
/// If the session has ended, the call renews it like any other call. No lock is held meanwhile.
async fn keep_alive(client: Weak<Inner>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(client) = client.upgrade().map(Client) else {
            return;
        };
        let clock = methods::CurrentTime {
            this: service_instance(),
            ..Default::default()
        };
        if let Err(error) = client.call(&clock).await {
            tracing::debug!(%error, "keep-alive");
        }
        if !client.is_logged_in() {
            return;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.session.stop_keep_alive();
        if self.session.logged_in.load(Ordering::Acquire) {
            tracing::warn!(
                server = self.content.about.full_name,
                "a client was dropped without close(): its session stays on the server until it is idle for long"
            );
        }
    }
}
