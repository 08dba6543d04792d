//! Sessions: who is logged in, and by which cookie.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{COOKIE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method};
use vi_types::objects::UserSession;
use vi_types::{DateTime, ManagedObjectReference};

/// The name of the cookie that carries a session.
const COOKIE_NAME: &str = "vmware_soap_session";

/// The sessions there are, by the value of their cookie.
#[derive(Default)]
pub(crate) struct Sessions {
    open: HashMap<String, UserSession>,
    /// The tickets for files that nobody has used.
    tickets: HashMap<String, Ticket>,
    /// How many there have ever been: the next one's number.
    begun: u64,
}

/// What a ticket is for: one request.
pub(crate) struct Ticket {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// The host that it is for; `None` for the server itself.
    pub(crate) host: Option<ManagedObjectReference>,
}

impl Sessions {
    /// Begins a session; gives the value of its cookie and what the server tells of it.
    pub(crate) fn begin(
        &mut self,
        user: &str,
        locale: Option<&str>,
        user_agent: &str,
    ) -> (String, UserSession) {
        self.begun += 1;
        let now = now();
        let locale = locale.unwrap_or("en");
        let session = UserSession {
            key: key(0x52, self.begun),
            user_name: user.to_owned(),
            full_name: user.to_owned(),
            login_time: now.clone(),
            last_active_time: now,
            locale: locale.to_owned(),
            message_locale: locale.to_owned(),
            extension_session: Some(false),
            ip_address: Some("127.0.0.1".to_owned()),
            user_agent: Some(user_agent.to_owned()),
            call_count: Some(0),
            ..UserSession::default()
        };
        let cookie = key(0xc0, self.begun).replace('-', "");
        self.open.insert(cookie.clone(), session.clone());
        (cookie, session)
    }

    /// Admits whoever sends a request with what this returns.
    pub(crate) fn issue(&mut self, ticket: Ticket) -> String {
        self.begun += 1;
        let id = key(0xc9, self.begun);
        self.tickets.insert(id.clone(), ticket);
        id
    }

    /// Whether there is a ticket for a request, which is used up then.
    pub(crate) fn use_ticket(
        &mut self,
        id: &str,
        method: &Method,
        target: &str,
        host: Option<&ManagedObjectReference>,
    ) -> bool {
        let is_for = |ticket: &Ticket| {
            ticket.method == method && ticket.target == target && ticket.host.as_ref() == host
        };
        let is_admitted = self.tickets.get(id).is_some_and(is_for);
        if is_admitted {
            self.tickets.remove(id);
        }
        is_admitted
    }

    /// Ends the session with this cookie; its key when there was one.
    pub(crate) fn end(&mut self, cookie: &str) -> Option<String> {
        Some(self.open.remove(cookie)?.key)
    }

    /// Ends all sessions; their keys.
    pub(crate) fn end_all(&mut self) -> Vec<String> {
        self.tickets.clear();
        let open = std::mem::take(&mut self.open);
        open.into_values().map(|session| session.key).collect()
    }

    /// The session with this cookie.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Option<&UserSession> {
        self.open.get(cookie)
    }

    /// Notes a call of the session.
    pub(crate) fn touch(&mut self, cookie: &str) {
        if let Some(session) = self.open.get_mut(cookie) {
            session.last_active_time = now();
            session.call_count = session.call_count.map(|count| count + 1);
        }
    }

    /// The sessions there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &UserSession> {
        self.open.values()
    }
}

/// A UUID that looks like the keys that servers give, the same in every run.
fn key(kind: u8, number: u64) -> String {
    // Multiplying with an odd constant gives every number other digits.
    let digits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let [a, b, c, d, e, f, g, h] = digits.to_be_bytes();
    format!(
        "{kind:02x}{a:02x}{b:02x}{c:02x}-{d:02x}{e:02x}-{f:02x}{g:02x}-{h:02x}{kind:02x}-{number:012x}"
    )
}

/// The time, to the second.
pub(crate) fn now() -> DateTime {
    DateTime::from_epoch_seconds(seconds())
}

/// The same in seconds since 1970.
pub(crate) fn seconds() -> i64 {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// The value of the session cookie of a request. Clients send it with and without the quotes it was given in.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE_NAME)
}

/// What the program that sends a request calls itself; empty if it says nothing.
pub(crate) fn user_agent_of(headers: &HeaderMap) -> &str {
    let agent = headers.get(USER_AGENT);
    agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default()
}

/// The value of a cookie of that name.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

/// The header that gives a client its cookie.
pub(crate) fn set_cookie(value: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { " Secure;" } else { "" };
    let text = format!("{COOKIE_NAME}=\"{value}\"; Path=/; HttpOnly;{secure}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn the_cookie_is_found_among_others_with_and_without_quotes() {
        for text in [
            "vmware_soap_session=abc",
            "vmware_soap_session=\"abc\"",
            "a=b; vmware_soap_session=\"abc\"; $Path=/",
        ] {
            assert_eq!(cookie_of(&headers(text)).as_deref(), Some("abc"), "{text}");
        }
        assert_eq!(cookie_of(&headers("vmware_soap_sessions=abc")), None);
    }

    #[test]
    fn sessions_have_keys_of_their_own() {
        let mut sessions = Sessions::default();
        let (one, first) = sessions.begin("root", None, "");
        let (other, second) = sessions.begin("root", None, "");
        assert_ne!(one, other);
        assert_ne!(first.key, second.key);
        assert_eq!(sessions.end(&one), Some(first.key));
        assert!(sessions.with_cookie(&one).is_none());
        assert!(sessions.with_cookie(&other).is_some());
    }
}
