//! `question`: what hosts ask before they go on with a task.

use esx_driver::question::Question;
use serde::Serialize;

use super::Query;
use super::domain::{self, By};
use crate::answer::{Answer, property};
use crate::cli::Global;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::table::Table;

/// questions of the host that block domains
///
/// A host that needs a decision (append to a serial port's file or replace it, is the virtual
/// machine moved or copied, ...) asks, and the domain's task waits for the answer.
#[derive(Debug, clap::Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum Group {
    List(List),
    Show(Show),
    Answer(Reply),
}

impl Group {
    /// Runs the command of the group.
    pub(crate) fn run(self, global: &Global) -> Outcome {
        match self {
            Self::List(list) => super::run_query(list, global),
            Self::Show(show) => super::run_query(show, global),
            Self::Answer(reply) => super::run_query(reply, global),
        }
    }
}

/// list the domains whose tasks wait for an answer
#[derive(Debug, clap::Args)]
pub(crate) struct List {}

/// show a domain's question, and its possible answers
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// domain name, id or uuid
    #[arg(value_name = "domain")]
    domain: String,
}

/// answer a domain's question
#[derive(Debug, clap::Args)]
pub(crate) struct Reply {
    /// domain name, id or uuid
    #[arg(value_name = "domain")]
    domain: String,

    /// key or label of the answer
    #[arg(value_name = "answer")]
    answer: String,
}

/// The questions of all domains.
#[derive(Debug, Serialize)]
pub(crate) struct Questions {
    questions: Vec<Asked>,
}

/// A domain's question.
#[derive(Debug, Serialize)]
pub(crate) struct Asked {
    domain: String,
    id: String,
    text: String,
    choices: Vec<Choice>,
    /// The key of the default answer.
    default: Option<String>,
}

#[derive(Debug, Serialize)]
struct Choice {
    key: String,
    label: String,
    summary: String,
}

/// A question that was answered.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    domain: String,
    id: String,
    answer: Choice,
}

impl Query for List {
    type Answer = Questions;

    async fn ask(self, connection: &Connection) -> Result<Questions, Failure> {
        let found = connection.questions().await?;
        let questions = found.iter();
        Ok(Questions {
            questions: questions
                .map(|(domain, question)| Asked::new(domain.name(), question))
                .collect(),
        })
    }
}

impl Query for Show {
    type Answer = Asked;

    fn check(&self) -> Result<(), Failure> {
        domain::check(&self.domain)
    }

    async fn ask(self, connection: &Connection) -> Result<Asked, Failure> {
        let domain = domain::find(connection, &self.domain, By::ANY).await?;
        let question = question_of(&domain).await?;
        Ok(Asked::new(domain.name(), &question))
    }
}

impl Query for Reply {
    type Answer = Answered;

    fn check(&self) -> Result<(), Failure> {
        domain::check(&self.domain)
    }

    async fn ask(self, connection: &Connection) -> Result<Answered, Failure> {
        let domain = domain::find(connection, &self.domain, By::ANY).await?;
        let question = question_of(&domain).await?;
        let Some(choice) = question.choice(&self.answer) else {
            let answers = question.choices.iter();
            let answers: Vec<_> = answers
                .map(|choice| format!("'{}' ({})", choice.label, choice.key))
                .collect();
            return Err(Failure::because(
                format!("'{}' is no answer to the question", self.answer),
                match answers.is_empty() {
                    true => Failure::new("there are no possible answers"),
                    false => Failure::new(format!("possible answers are {}", answers.join(", "))),
                },
            ));
        };
        domain.answer(&question, &choice.key).await?;
        Ok(Answered {
            domain: domain.name().to_owned(),
            id: question.id.clone(),
            answer: Choice::new(choice),
        })
    }
}

/// The question of a domain that has one.
async fn question_of(domain: &esx_driver::Domain) -> Result<Question, Failure> {
    let question = domain.question().await?;
    question.ok_or_else(|| Failure::new(format!("domain '{}' waits for no answer", domain.name())))
}

impl Asked {
    fn new(domain: &str, question: &Question) -> Self {
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
    fn new(choice: &esx_driver::question::Choice) -> Self {
        Self {
            key: choice.key.clone(),
            label: choice.label.clone(),
            summary: choice.summary.clone(),
        }
    }
}

impl Answer for Questions {
    const SCHEMA: &'static str = "virt-esx/questions/1";

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Domain", "Id", "Question"]);
        for asked in &self.questions {
            // A table has one line for each.
            let text = asked.text.replace(['\n', '\r', '\t'], " ");
            table.push([asked.domain.as_str(), &asked.id, &text]);
        }
        table.render(!quiet)
    }
}

impl Answer for Asked {
    const SCHEMA: &'static str = "virt-esx/question/1";

    fn text(&self, _quiet: bool) -> String {
        let mut text = property(12, "Domain:", &self.domain);
        text += &property(12, "Id:", &self.id);
        text += &property(12, "Question:", &self.text);
        for (index, choice) in self.choices.iter().enumerate() {
            let title = if index == 0 { "Answers:" } else { "" };
            let is_default = self.default.as_ref() == Some(&choice.key);
            let mark = if is_default { " (default)" } else { "" };
            text += &property(
                12,
                title,
                format_args!("{} {}{mark}", choice.key, choice.label),
            );
        }
        text
    }
}

impl Answer for Answered {
    const SCHEMA: &'static str = "virt-esx/question-answered/1";

    fn text(&self, _quiet: bool) -> String {
        let (domain, label) = (&self.domain, &self.answer.label);
        format!("Question of domain '{domain}' answered with '{label}'\n")
    }
}
