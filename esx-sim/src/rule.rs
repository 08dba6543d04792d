//! Faults on purpose: rules that spoil chosen answers.

mod parse;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use vi_types::{ManagedObjectReference, SoapFault};

pub use self::parse::InvalidRule;
use crate::call::fault_answer;
use crate::payload::{Answer, Payload};

/// Spoils the answers to one method: all of them, the nth, or some in a row; of all objects, or of one.
///
/// As text (`FromStr`) it is what `esx-sim --fault` takes: `PowerOnVM_Task@web01:2=drop-after`.
#[derive(Debug, Clone)]
pub struct Rule {
    method: String,
    object: Option<Target>,
    calls: Range<usize>,
    effect: Effect,
    seen: usize,
}

/// Whose calls a rule is about.
#[derive(Debug, Clone)]
enum Target {
    Object(ManagedObjectReference),
    /// The value of its reference, or its name in the inventory.
    Named(String),
}

impl Rule {
    /// A rule for every call of the VI method with this name, for example `Login`; `*` stands for all of them.
    ///
    /// A request for a file goes by its HTTP method: `GET`, `PUT`.
    pub fn new(method: impl Into<String>, effect: Effect) -> Self {
        Self {
            method: method.into(),
            object: None,
            calls: 1..usize::MAX,
            effect,
            seen: 0,
        }
    }

    /// Only calls on that object; others are not counted either.
    #[must_use]
    pub fn on(self, object: &ManagedObjectReference) -> Self {
        Self {
            object: Some(Target::Object(object.clone())),
            ..self
        }
    }

    /// Only calls on the object with this name in the inventory, or with this value of its reference.
    #[must_use]
    pub fn on_named(self, name: impl Into<String>) -> Self {
        Self {
            object: Some(Target::Named(name.into())),
            ..self
        }
    }

    /// Only the nth call from now on, counted from 1, instead of every call.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self {
            calls: nth..nth.saturating_add(1),
            ..self
        }
    }

    /// The nth call from now on, counted from 1, and all that follow.
    #[must_use]
    pub fn from_nth(self, nth: usize) -> Self {
        Self {
            calls: nth..usize::MAX,
            ..self
        }
    }

    /// Only so many calls in a row, from the first one that the rule is about.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        let first = self.calls.start;
        Self {
            calls: first..first.saturating_add(count),
            ..self
        }
    }

    /// Counts a call of the method; the effect when the rule is about this very call.
    ///
    /// `name` is the object's in the inventory.
    pub(crate) fn apply(
        &mut self,
        method: &str,
        this: Option<&ManagedObjectReference>,
        name: Option<&str>,
    ) -> Option<Effect> {
        let is_a_call = this.is_some();
        if self.method != method && !(self.method == "*" && is_a_call) {
            return None;
        }
        let is_target = match &self.object {
            None => true,
            Some(Target::Object(object)) => this == Some(object),
            Some(Target::Named(wanted)) => {
                name == Some(wanted) || this.is_some_and(|this| this.value == *wanted)
            }
        };
        if !is_target {
            return None;
        }
        self.seen += 1;
        self.calls.contains(&self.seen).then(|| self.effect.clone())
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
    /// The call is run so much later. The time is tokio's: a test that pauses it doesn't wait.
    Delay(Duration),
    /// The connection is closed instead of running the call.
    DropBefore,
    /// The call is run and the connection closed instead of answering.
    DropAfter,
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
            Self::Delay(time) => f.debug_tuple("Delay").field(time).finish(),
            Self::DropBefore => f.write_str("DropBefore"),
            Self::DropAfter => f.write_str("DropAfter"),
            Self::ExpireSession => f.write_str("ExpireSession"),
            Self::Rewrite(_) => f.write_str("Rewrite"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of five calls of `PowerOnVM_Task` and `Login`, by turns on two objects, a rule is about.
    fn hits(mut rule: Rule) -> Vec<usize> {
        let objects = ["1", "2"].map(|value| ManagedObjectReference::new("VirtualMachine", value));
        let calls = (0..10).map(|call| {
            let method = ["PowerOnVM_Task", "Login"][call % 2];
            let name = ["web01", "db01"][call / 2 % 2];
            rule.apply(method, Some(&objects[call / 2 % 2]), Some(name))
        });
        let hits = calls.enumerate().filter(|(_, effect)| effect.is_some());
        hits.map(|(call, _)| call).collect()
    }

    #[test]
    fn a_rule_counts_what_it_is_about() {
        let first = ManagedObjectReference::new("VirtualMachine", "1");
        let login = || Rule::new("Login", Effect::Html);
        for (rule, expected) in [
            (login(), vec![1, 3, 5, 7, 9]),
            (login().nth(2), vec![3]),
            (login().from_nth(4), vec![7, 9]),
            (login().times(2), vec![1, 3]),
            (login().times(0), vec![]),
            (login().from_nth(2).times(2), vec![3, 5]),
            (login().on(&first), vec![1, 5, 9]),
            (login().on(&first).nth(2), vec![5]),
            (login().on_named("1").nth(2), vec![5]),
            (login().on_named("db01").nth(2), vec![7]),
            (login().on_named("nobody"), vec![]),
            (Rule::new("*", Effect::Html).nth(2), vec![1]),
        ] {
            assert_eq!(hits(rule.clone()), expected, "{rule:?}");
        }
    }

    #[test]
    fn all_methods_are_those_of_the_api() {
        let mut all = Rule::new("*", Effect::Html);
        assert!(all.apply("GET", None, None).is_none());
        let mut get = Rule::new("GET", Effect::Html);
        assert!(get.apply("GET", None, None).is_some());
    }
}
