//! Questions of a host: it asks before it goes on with a task.

mod answer;
mod list;
mod show;

use esx_driver::Domain;
use esx_driver::question::{self, Question};
use serde::Serialize;

use super::{Group, Row};
use crate::failure::Failure;

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Questions of the host that block domains",
    keyword: "question",
    rows: &[
        Row::query::<list::List>("question list"),
        Row::query::<show::Show>("question show"),
        Row::change::<answer::AnswerQuestion>("question answer"),
    ],
};

/// A domain's question, as it is printed.
#[derive(Debug, Serialize)]
pub(crate) struct PendingQuestion {
    domain: String,
    id: String,
    text: String,
    choices: Vec<Choice>,
    /// The key of the default answer.
    default: Option<String>,
}

/// A possible answer.
#[derive(Debug, Serialize)]
pub(crate) struct Choice {
    key: String,
    label: String,
    summary: String,
}

impl PendingQuestion {
    /// The question of the domain `domain`.
    pub(crate) fn new(domain: &str, question: &Question) -> Self {
        Self {
            domain: domain.to_owned(),
            id: question.id.clone(),
            text: question.text.clone(),
            choices: question.choices.iter().map(Choice::new).collect(),
            default: question.default_choice().map(|choice| choice.key.clone()),
        }
    }
}

impl Choice {
    fn new(choice: &question::Choice) -> Self {
        Self {
            key: choice.key.clone(),
            label: choice.label.clone(),
            summary: choice.summary.clone(),
        }
    }
}

/// The question of a domain that has one.
async fn question_of(domain: &Domain) -> Result<Question, Failure> {
    let question = domain.question().await?;
    question.ok_or_else(|| {
        Failure::new(format!(
            "domain '{}' has no pending question",
            domain.name()
        ))
    })
}
