//! Faults on purpose: rules that spoil chosen answers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use vi_types::SoapFault;

use crate::call::fault_answer;
use crate::payload::{Answer, Payload};

/// Spoils the answers to one method: all of them, or the nth.
#[derive(Debug, Clone)]
pub struct Rule {
    method: String,
    nth: Option<usize>,
    effect: Effect,
    seen: usize,
}

impl Rule {
    /// A rule for every call of the VI method with this name, for example `Login`; `*` stands for all methods.
    pub fn new(method: impl Into<String>, effect: Effect) -> Self {
        Self {
            method: method.into(),
            nth: None,
            effect,
            seen: 0,
        }
    }

    /// Only the nth call from now on, counted from 1, instead of every call.
    #[must_use]
    pub fn nth(mut self, nth: usize) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Counts a call of the method; the effect when the rule is about this very call.
    pub(crate) fn apply(&mut self, method: &str) -> Option<Effect> {
        if self.method != "*" && self.method != method {
            return None;
        }
        self.seen += 1;
        match self.nth {
            Some(nth) if nth != self.seen => None,
            _ => Some(self.effect.clone()),
        }
    }
}

/// What happens to an answer.
#[derive(Clone)]
#[non_exhaustive]
pub enum Effect {
    /// Another HTTP status, with a body of plain text. The call is not run.
    Status(StatusCode),
    /// Status 200 and a web page, as a server that is not VI answers. The call is not run.
    Html,
    /// The first so many bytes; on a port the connection is closed after them.
    Truncate(usize),
    /// The whole answer, announced as if it were so many bytes long.
    Announce(u64),
    /// A fault, with status 500. The call is not run.
    Fault(Box<SoapFault>),
    /// No answer, ever. The call is not run.
    Silence,
    /// The caller's session ends before the call is run.
    ExpireSession,
    /// The text of the answer is put through a function: unknown types and values, invalid XML.
    Rewrite(Rewrite),
}

/// The function of [`Effect::Rewrite`].
pub type Rewrite = Arc<dyn Fn(String) -> String + Send + Sync>;

impl Effect {
    /// An [`Effect::Rewrite`] from a closure.
    pub fn rewrite(with: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        Self::Rewrite(Arc::new(with))
    }

    /// The answer that stands in for the call's own.
    pub(crate) fn instead(&self) -> Option<Answer> {
        let (status, kind, body) = match self {
            Self::Status(status) => (*status, "text/plain", status.to_string()),
            Self::Html => (
                StatusCode::OK,
                "text/html",
                "<!DOCTYPE html><html><head><title>Welcome</title></head>\
                 <body><p>It works!<br></p></body></html>"
                    .to_owned(),
            ),
            Self::Fault(fault) => return Some(fault_answer(fault)),
            _ => return None,
        };
        let mut answer = Response::new(Payload::from(body));
        *answer.status_mut() = status;
        let kind = HeaderValue::from_static(kind);
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        Some(answer)
    }

    /// What becomes of the answer to the call.
    pub(crate) fn spoil(&self, answer: Answer) -> Answer {
        answer.map(|payload| match self {
            Self::Truncate(length) => {
                let whole = payload.bytes();
                let kept = whole.slice(..whole.len().min(*length));
                Payload::announcing(kept, payload.length())
            }
            Self::Announce(length) => Payload::announcing(payload.bytes().clone(), *length),
            Self::Rewrite(with) => {
                let text = String::from_utf8_lossy(payload.bytes()).into_owned();
                Payload::from(Bytes::from(with(text)))
            }
            _ => payload,
        })
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => f.debug_tuple("Status").field(status).finish(),
            Self::Html => f.write_str("Html"),
            Self::Truncate(length) => f.debug_tuple("Truncate").field(length).finish(),
            Self::Announce(length) => f.debug_tuple("Announce").field(length).finish(),
            Self::Fault(fault) => f.debug_tuple("Fault").field(fault).finish(),
            Self::Silence => f.write_str("Silence"),
            Self::ExpireSession => f.write_str("ExpireSession"),
            Self::Rewrite(_) => f.write_str("Rewrite"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_counts_the_calls_of_its_method_only() {
        let mut rule = Rule::new("Login", Effect::Html).nth(2);
        assert!(rule.apply("Login").is_none());
        assert!(rule.apply("Logout").is_none());
        assert!(rule.apply("Login").is_some());
        assert!(rule.apply("Login").is_none());
    }

    #[test]
    fn a_rule_without_a_number_is_for_every_call() {
        let mut rule = Rule::new("*", Effect::Silence);
        assert!(rule.apply("Login").is_some());
        assert!(rule.apply("Logout").is_some());
    }
}
