//! The cookies of one server, kept in memory. A VI server knows a session by `vmware_soap_session`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use zeroize::Zeroizing;

/// How many cookies are kept. Servers set one or two; RFC 6265 wants room for 50.
const MOST: usize = 50;

/// How many bytes the names and values of all cookies may have: the header goes with every request, and servers take heads
/// of 8 KiB.
const LONGEST: usize = 4096;

/// The cookies by name.
type Jar = BTreeMap<String, Zeroizing<String>>;

#[derive(Default)]
pub(super) struct Cookies(Mutex<State>);

#[derive(Default)]
struct State {
    jar: Jar,
    /// Counts logins. A server gives every request without a session a new cookie; the answer to a request from before
    /// the login must not replace the login's cookie.
    epoch: u64,
}

/// The cookies at the moment a request is sent.
#[derive(Clone)]
pub(super) struct Snapshot {
    jar: Jar,
    epoch: u64,
}

impl Cookies {
    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            jar: state.jar.clone(),
            epoch: state.epoch,
        }
    }

    /// Takes the cookies of an answer; `sent` are those of its request.
    pub(super) fn take(&self, sent: &Snapshot, answer: &HeaderMap) {
        let mut state = self.lock();
        if state.epoch == sent.epoch {
            update(&mut state.jar, answer);
        }
    }

    /// Takes the cookies of the answer to a login and drops all others; `sent` are those of its request.
    pub(super) fn take_login(&self, sent: Snapshot, answer: &HeaderMap) {
        let mut jar = sent.jar;
        update(&mut jar, answer);
        self.replace(jar);
    }

    /// Forgets all cookies.
    pub(super) fn clear(&self) {
        self.replace(Jar::new());
    }

    fn replace(&self, jar: Jar) {
        let mut state = self.lock();
        state.jar = jar;
        state.epoch += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshot {
    /// The `Cookie` header; `None` without cookies.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<_> = self
            .jar
            .iter()
            .map(|(name, value)| Zeroizing::new(format!("{name}={}", **value)))
            .collect();
        if pairs.is_empty() {
            return None;
        }
        let text = Zeroizing::new(
            pairs
                .iter()
                .map(|pair| pair.as_str())
                .collect::<Vec<_>>()
                .join("; "),
        );
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// Reads `name=value; Path=/; HttpOnly; …`. The value is sent back unchanged, with its quotes.
fn update(jar: &mut Jar, answer: &HeaderMap) {
    for cookie in answer.get_all(SET_COOKIE) {
        let Ok(text) = cookie.to_str() else { continue };
        let mut parts = text.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        let dropped = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
        jar.remove(name);
        if dropped || value.is_empty() {
            continue;
        }
        let others: usize = jar
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if jar.len() >= MOST || others + name.len() + value.len() > LONGEST {
            tracing::debug!(
                bytes = text.len(),
                "a cookie is ignored: there are too many"
            );
        } else {
            jar.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        headers
    }

    fn header(cookies: &Cookies) -> Option<String> {
        let header = cookies.snapshot().header()?;
        Some(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_go_back_as_they_came() {
        let cookies = Cookies::default();
        assert_eq!(header(&cookies), None);
        let set = [
            "vmware_soap_session=\"52 ab\"; Path=/; HttpOnly; Secure;",
            "b=c",
        ];
        cookies.take(&cookies.snapshot(), &answer(&set));
        assert_eq!(
            header(&cookies).unwrap(),
            "b=c; vmware_soap_session=\"52 ab\""
        );
        cookies.take(
            &cookies.snapshot(),
            &answer(&["b=; Max-Age=0", "x", "=", "vmware_soap_session=2"]),
        );
        assert_eq!(header(&cookies).unwrap(), "vmware_soap_session=2");
        cookies.clear();
        assert_eq!(header(&cookies), None);
    }

    #[test]
    fn an_answer_from_before_the_login_changes_nothing() {
        let cookies = Cookies::default();
        let before = cookies.snapshot();
        cookies.take_login(cookies.snapshot(), &answer(&["vmware_soap_session=login"]));
        cookies.take(&before, &answer(&["vmware_soap_session=anonymous"]));
        assert_eq!(header(&cookies).unwrap(), "vmware_soap_session=login");
    }

    #[test]
    fn a_server_sets_so_many_cookies_and_no_more() {
        let many: Vec<_> = (0..1000).map(|n| format!("c{n}=1")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let long = format!("long={}", "x".repeat(5000));
        let half = ["a", "b"].map(|name| format!("{name}={}", "x".repeat(3000)));
        for (set, kept) in [
            (many, 50),
            (vec![&long, "vmware_soap_session=1"], 1),
            (vec![&half[0], &half[1], "vmware_soap_session=1"], 2),
            (vec![&half[0], "a=1", &half[1]], 2),
        ] {
            let cookies = Cookies::default();
            cookies.take(&cookies.snapshot(), &answer(&set));
            let header = header(&cookies).unwrap();
            assert_eq!(header.split("; ").count(), kept, "{header}");
            assert!(header.len() < 5000);
        }
    }

    #[test]
    fn the_header_is_marked_as_a_secret() {
        let cookies = Cookies::default();
        cookies.take(&cookies.snapshot(), &answer(&["vmware_soap_session=52ab"]));
        let header = cookies.snapshot().header().unwrap();
        assert!(header.is_sensitive());
        assert!(!format!("{header:?}").contains("52ab"));
    }
}
