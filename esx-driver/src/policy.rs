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

/// A future on the heap, as an object-safe trait returns it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who answers the questions of a connection's domains.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Nobody: a question is an error.
    #[default]
    Report,
    /// The server knows best: the default answer.
    Default,
    /// The first rule that fits.
    Rules(Arc<Rules>),
    /// A program, which may ask a person.
    Callback(Arc<dyn Answer>),
}

/// Answers questions for [`Policy::Callback`].
pub trait Answer: Send + Sync {
    /// The key or the label of the answer; `None` reports the question as an error.
    ///
    /// The domain is blocked meanwhile. The future is dropped when the caller gives up.
    fn answer<'a>(
        &'a self,
        asker: &'a Asker,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<String>>;
}

/// What becomes of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is answered with the choice of that key.
    Answer(String),
    /// It is reported, and why it is not answered.
    Report(Refusal),
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody is to answer it.
    Policy,
    /// It has no possible answers.
    NoChoices,
    /// It is to get its default answer and has none.
    NoDefault,
    /// It was to be answered with something that is not among its choices.
    NoSuchChoice(String),
    /// It came back each time it was answered.
    ComesBack,
}

impl Policy {
    /// What becomes of a question.
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

/// What a policy wants a question to be answered with.
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
