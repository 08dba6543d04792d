use serde::Serialize;

use super::PendingQuestion;
use crate::answer::{self, Answer};
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list the domains whose tasks wait for an answer
#[derive(Debug, clap::Args)]
pub(crate) struct List {}

/// The questions of all domains.
#[derive(Debug, Serialize)]
pub(crate) struct Questions {
    questions: Vec<PendingQuestion>,
}

impl Query for List {
    type Answer = Questions;

    async fn ask(self, connection: &Connection) -> Result<Questions, Failure> {
        let found = connection.questions().await?;
        let questions = found.iter();
        Ok(Questions {
            questions: questions
                .map(|(domain, question)| PendingQuestion::new(domain.name(), question))
                .collect(),
        })
    }
}

impl Answer for Questions {
    const SCHEMA: &'static str = "virt-esx/questions/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines(PendingQuestion::SCHEMA, &self.questions))
    }

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
