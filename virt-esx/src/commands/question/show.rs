use super::PendingQuestion;
use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// show a domain's question and its possible answers
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    #[command(flatten)]
    domain: DomainArg,
}

impl Query for Show {
    type Answer = PendingQuestion;

    async fn ask(self, connection: &Connection) -> Result<PendingQuestion, Failure> {
        let domain = self.domain.find(connection).await?;
        let question = super::question_of(&domain).await?;
        Ok(PendingQuestion::new(domain.name(), &question))
    }
}

impl Answer for PendingQuestion {
    const SCHEMA: &'static str = "virt-esx/question/1";

    fn text(&self, _quiet: bool) -> String {
        let mut text = property(12, "Domain:", &self.domain);
        text += &property(12, "Id:", &self.id);
        text += &format!("{:<12} {}\n", "Question:", foreign::lines(&self.text));
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
