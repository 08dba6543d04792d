use serde::Serialize;

use super::Choice;
use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// answer a domain's question
#[derive(Debug, clap::Args)]
pub(crate) struct AnswerQuestion {
    #[command(flatten)]
    domain: DomainArg,

    /// key or label of the answer
    #[arg(value_name = "answer")]
    answer: String,
}

/// A question that was answered.
#[derive(Debug, Serialize)]
pub(crate) struct Answered {
    domain: String,
    id: String,
    answer: Choice,
}

impl Query for AnswerQuestion {
    type Answer = Answered;

    async fn ask(self, connection: &Connection) -> Result<Answered, Failure> {
        let domain = self.domain.find(connection).await?;
        let question = super::question_of(&domain).await?;
        let Some(choice) = question.choice(&self.answer) else {
            let answers = question.choices.iter();
            let answers: Vec<_> = answers
                .map(|choice| format!("'{}' ({})", choice.label, choice.key))
                .collect();
            return Err(Failure::because(
                format!("'{}' is not an answer to the question", self.answer),
                match answers.is_empty() {
                    true => Failure::new("there are no possible answers"),
                    false => Failure::new(format!("possible answers are {}", answers.join(", "))),
                },
            ));
        };
        connection.check_writable("answers to questions")?;
        domain.answer(&question, &choice.key).await?;
        Ok(Answered {
            domain: domain.name().to_owned(),
            id: question.id.clone(),
            answer: Choice::new(choice),
        })
    }
}

impl Answer for Answered {
    const SCHEMA: &'static str = "virt-esx/question-answered/1";

    fn text(&self, _quiet: bool) -> String {
        let domain = foreign::line(&self.domain);
        let label = foreign::line(&self.answer.label);
        format!("Question of domain '{domain}' answered with '{label}'\n")
    }
}
