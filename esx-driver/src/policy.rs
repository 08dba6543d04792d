//! Who answers the [questions](crate::question) of a connection's domains.
//!
//! | policy | from the URI | a question |
//! |---|---|---|
//! | [`Report`](Policy::Report) | nothing | is an error; the task that it blocks is cancelled if the host allows it |
//! | [`Default`](Policy::Default) | `auto_answer=1` | gets its default answer |
//! | [`Rules`](Policy::Rules) | `answers=FILE` | gets the answer of the first rule that fits; if none fits, it is reported |
//! | [`Callback`](Policy::Callback) | | is given to a program's own [`Answer`] |
//!
//! Only a question's own choices are ever sent.

mod rules;

use std::{fmt, future::Future, pin::Pin, sync::Arc};

pub use self::rules::Rules;
use crate::question::{Asker, Choice, Question};

/// A boxed future, which a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who answers the questions of a connection's domains.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Policy {
    /// A question is reported as an error.
    #[default]
    Report,
    /// A question gets its default answer.
    Default,
    /// The first rule that fits answers; if none fits, the question is reported.
    Rules(Arc<Rules>),
    /// The program answers; it may ask a person.
    Callback(Arc<dyn Answer>),
}

/// Answers questions for [`Policy::Callback`].
pub trait Answer: Send + Sync {
    /// Returns the key or the label of the answer; `None` reports the question as an error.
    ///
    /// The domain is blocked until then. The future is dropped if the operation is cancelled, or if somebody else answers.
    fn answer<'a>(
        &'a self,
        asker: &'a Asker,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<String>>;
}

/// A policy's decision about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Answer with the choice of that key.
    Answer(String),
    /// Report the question, with the reason why it is not answered.
    Report(Refusal),
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The policy does not answer it.
    Policy,
    /// It has no choices.
    NoChoices,
    /// The policy gives default answers, and the question has none.
    NoDefault,
    /// The policy's answer is not one of the choices.
    NoSuchChoice(String),
    /// The host asks it again each time it is answered.
    ComesBack,
    /// The host has asked so many others before, which were answered.
    Endless(u32),
}

impl Policy {
    /// Decides about a question.
    pub(crate) async fn decide(&self, asker: &Asker, question: &Question) -> Decision {
        match self {
            Policy::Report => choose(question, Wish::Nothing),
            Policy::Default => choose(question, Wish::Default),
            Policy::Rules(rules) => match rules.answer(question) {
                Some(answer) => choose(question, Wish::This(answer)),
                None => choose(question, Wish::Nothing),
            },
            Policy::Callback(callback) => match callback.answer(asker, question).await {
                Some(answer) => choose(question, Wish::This(&answer)),
                None => choose(question, Wish::Nothing),
            },
        }
    }
}

/// The answer that a policy wants.
#[derive(Debug, Clone, Copy)]
enum Wish<'a> {
    Nothing,
    Default,
    This(&'a str),
}

fn choose(question: &Question, wish: Wish<'_>) -> Decision {
    let answer = |choice: &Choice| Decision::Answer(choice.key.clone());
    match wish {
        _ if question.choices.is_empty() => Decision::Report(Refusal::NoChoices),
        Wish::Nothing => Decision::Report(Refusal::Policy),
        Wish::Default => question
            .default_choice()
            .map_or(Decision::Report(Refusal::NoDefault), answer),
        Wish::This(wanted) => question.choice(wanted).map_or_else(
            || Decision::Report(Refusal::NoSuchChoice(wanted.to_owned())),
            answer,
        ),
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::Report => f.write_str("Report"),
            Policy::Default => f.write_str("Default"),
            Policy::Rules(rules) => f.debug_tuple("Rules").field(rules).finish(),
            Policy::Callback(_) => f.write_str("Callback"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(labels: &[&str], default: Option<usize>) -> Question {
        let choices = labels.iter().enumerate().map(|(key, label)| Choice {
            key: key.to_string(),
            label: (*label).to_owned(),
            summary: String::new(),
        });
        Question {
            id: "1".to_owned(),
            text: "?".to_owned(),
            choices: choices.collect(),
            default,
            messages: Vec::new(),
        }
    }

    #[test]
    fn the_table() {
        let answer = |key: &str| Decision::Answer(key.to_owned());
        let report = Decision::Report;
        let other = || Refusal::NoSuchChoice("Maybe".to_owned());
        let both = &["Yes", "No"][..];
        for (choices, default, wish, expected) in [
            // auto_answer=0
            (both, Some(1), Wish::Nothing, report(Refusal::Policy)),
            (both, None, Wish::Nothing, report(Refusal::Policy)),
            (&[], None, Wish::Nothing, report(Refusal::NoChoices)),
            // auto_answer=1
            (both, Some(1), Wish::Default, answer("1")),
            (both, None, Wish::Default, report(Refusal::NoDefault)),
            (&[], None, Wish::Default, report(Refusal::NoChoices)),
            // Rules and callbacks
            (both, Some(1), Wish::This("Yes"), answer("0")),
            (both, None, Wish::This("1"), answer("1")),
            (both, Some(1), Wish::This("Maybe"), report(other())),
            (&[], None, Wish::This("Yes"), report(Refusal::NoChoices)),
        ] {
            let decision = choose(&question(choices, default), wish);
            assert_eq!(decision, expected, "{choices:?} {default:?} {wish:?}");
        }
    }
}
