//! Rules: failures on purpose.

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
use crate::objects;
use crate::payload::{Answer, Payload};

/// Applies an [`Effect`] to calls of one method: to all calls, the nth, or several in a row; on all objects or on one.
///
/// `FromStr` reads the syntax of `esx-sim --fault`: `PowerOnVM_Task@web01:2=drop-after`.
#[derive(Debug, Clone)]
pub struct Rule {
    method: String,
    object: Option<OnObject>,
    calls: Range<usize>,
    effect: Effect,
    seen: usize,
}

/// The object whose calls a rule applies to.
#[derive(Debug, Clone)]
enum OnObject {
    Object(ManagedObjectReference),
    /// The value of its reference, or its name in the inventory.
    Named(String),
}

impl Rule {
    /// The method that it applies to, or `*`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether the simulator answers a call of this name, or requests for files by this method of HTTP. A rule for another name
    /// is for nothing that is answered.
    pub fn is_known(&self) -> bool {
        let is_general = matches!(
            &*self.method,
            "*" | "GET" | "HEAD" | "PUT" | "POST" | "DELETE"
        );
        is_general || objects::rows().iter().any(|row| row.name() == self.method)
    }

    /// A rule for every call of a VI method, for example `Login`; `*` means all methods.
    ///
    /// For file requests, `method` is the HTTP method: `GET`, `PUT`, `HEAD` or `DELETE`, and their object is
    /// [named](Self::on_named) by the path of the file on its datastore, or its last part.
    pub fn new(method: impl Into<String>, effect: Effect) -> Self {
        Self {
            method: method.into(),
            object: None,
            calls: 1..usize::MAX,
            effect,
            seen: 0,
        }
    }

    /// Limits it to calls on one object. Other calls are not counted.
    #[must_use]
    pub fn on(self, object: &ManagedObjectReference) -> Self {
        Self {
            object: Some(OnObject::Object(object.clone())),
            ..self
        }
    }

    /// Limits it to calls on the object with this name in the inventory, or with this value in its reference.
    #[must_use]
    pub fn on_named(self, name: impl Into<String>) -> Self {
        Self {
            object: Some(OnObject::Named(name.into())),
            ..self
        }
    }

    /// Limits it to the nth call from now on, counted from 1.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self {
            calls: nth..nth.saturating_add(1),
            ..self
        }
    }

    /// Limits it to the nth call from now on, counted from 1, and all later calls.
    #[must_use]
    pub fn from_nth(self, nth: usize) -> Self {
        Self {
            calls: nth..usize::MAX,
            ..self
        }
    }

    /// Limits it to `count` calls in a row, starting with the first one it applies to.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        let first = self.calls.start;
        Self {
            calls: first..first.saturating_add(count),
            ..self
        }
    }

    /// Counts a call of the method, and returns the effect if the rule applies to it.
    ///
    /// `name` is the object's name in the inventory.
    pub(crate) fn apply(
        &mut self,
        method: &str,
        this: Option<&ManagedObjectReference>,
        name: Option<&str>,
    ) -> Option<Effect> {
        let file = name.filter(|_| this.is_none());
        let file = file.and_then(|path| path.rsplit('/').next());
        let is_a_call = this.is_some();
        if self.method != method && !(self.method == "*" && is_a_call) {
            return None;
        }
        let is_target = match &self.object {
            None => true,
            Some(OnObject::Object(object)) => this == Some(object),
            Some(OnObject::Named(wanted)) => {
                name == Some(wanted)
                    || file == Some(wanted)
                    || this.is_some_and(|this| this.value == *wanted)
            }
        };
        if !is_target {
            return None;
        }
        self.seen += 1;
        self.calls.contains(&self.seen).then(|| self.effect.clone())
    }
}

/// What a rule does to a call and its answer.
#[derive(Clone)]
#[non_exhaustive]
pub enum Effect {
    /// The answer has this HTTP status and a plain text body. The call is not run.
    Status(StatusCode),
    /// The answer is a web page with status 200, as another kind of server sends it. The call is not run.
    Html,
    /// The answer ends after this many bytes. On a port, the connection is closed then.
    Truncate(usize),
    /// The answer's `Content-Length` is this number of bytes, though the answer is complete.
    Announce(u64),
    /// The answer is a fault, with status 500. The call is not run.
    Fault(Box<SoapFault>),
    /// The connection is closed after this many bytes of a file, in the answer to a GET or in the body of a PUT. The part of
    /// a PUT that has arrived is written.
    Tear(u64),
    /// A GET of a part of a file gets the whole file, as from a server that does not know `Range`.
    IgnoreRange,
    /// There is never an answer. The call is not run.
    Silence,
    /// The call is run after this time. It is tokio's time, so a test that pauses time doesn't wait.
    Delay(Duration),
    /// The connection is closed instead of running the call.
    DropBefore,
    /// The call is run, and the connection is closed instead of answering.
    DropAfter,
    /// The caller's session ends before the call is run.
    ExpireSession,
    /// Each occurrence of some bytes in the answer is replaced by others, which need not be UTF-8 or XML: a name in another
    /// encoding, a control character, a reference to nothing.
    Replace {
        /// What is replaced; nothing if it is empty.
        from: Vec<u8>,
        /// What comes in its place.
        to: Vec<u8>,
    },
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
            Self::Truncate(length) => payload.truncated(*length as u64),
            Self::Tear(length) if *length < payload.length() => payload.truncated(*length),
            Self::Announce(length) => payload.announced_as(*length),
            Self::Replace { from, to } => match payload.bytes() {
                Some(bytes) => Payload::from(Bytes::from(replaced(&bytes, from, to))),
                None => payload,
            },
            Self::Rewrite(with) => match payload.bytes() {
                Some(bytes) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    Payload::from(Bytes::from(with(text)))
                }
                None => payload,
            },
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
            Self::Tear(length) => f.debug_tuple("Tear").field(length).finish(),
            Self::IgnoreRange => f.write_str("IgnoreRange"),
            Self::Silence => f.write_str("Silence"),
            Self::Delay(time) => f.debug_tuple("Delay").field(time).finish(),
            Self::DropBefore => f.write_str("DropBefore"),
            Self::DropAfter => f.write_str("DropAfter"),
            Self::ExpireSession => f.write_str("ExpireSession"),
            Self::Replace { from, to } => f
                .debug_struct("Replace")
                .field("from", &from.escape_ascii().to_string())
                .field("to", &to.escape_ascii().to_string())
                .finish(),
            Self::Rewrite(_) => f.write_str("Rewrite"),
        }
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(from).filter(|_| !from.is_empty()) {
            Some(behind) => {
                made.extend_from_slice(to);
                rest = behind;
            }
            None => {
                made.push(*first);
                rest = &rest[1..];
            }
        }
    }
    made
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
    fn bytes_are_replaced_wherever_they_are() {
        for (from, to, expected) in [
            (
                &b"web01"[..],
                &b"gr\xfcn"[..],
                &b"<a>gr\xfcn</a>gr\xfcn"[..],
            ),
            (b"web01", b"", b"<a></a>"),
            (b"<", b"<<", b"<<a>web01<</a>web01"),
            (b"nobody", b"x", b"<a>web01</a>web01"),
            (b"", b"x", b"<a>web01</a>web01"),
        ] {
            assert_eq!(
                replaced(b"<a>web01</a>web01", from, to),
                expected,
                "{from:?}"
            );
        }
    }

    #[test]
    fn all_methods_are_those_of_the_api() {
        let mut all = Rule::new("*", Effect::Html);
        assert!(all.apply("GET", None, None).is_none());
        let mut get = Rule::new("GET", Effect::Html);
        assert!(get.apply("GET", None, None).is_some());
        for (name, path, expected) in [
            ("a.vmdk", "x/a.vmdk", true),
            ("x/a.vmdk", "x/a.vmdk", true),
            ("x", "x/a.vmdk", false),
        ] {
            let mut get = Rule::new("GET", Effect::IgnoreRange).on_named(name);
            let is_about = get.apply("GET", None, Some(path)).is_some();
            assert_eq!(is_about, expected, "{name}");
        }
    }
}
