//! Who answers when the host asks before it goes on with a task.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use esx_driver::policy::{Answer, BoxFuture, Policy, Rules};
use esx_driver::question::{Asker, Question};
use tokio::sync::Mutex;

use crate::commands::options::check_exclusive;
use crate::failure::Failure;
use crate::ui::{Line, Terminal, Ui, foreign};

/// The options that choose who answers. Without any of them the connection's URI does.
#[derive(Debug, clap::Args)]
pub(crate) struct Answering {
    /// answer the host's questions with their defaults
    #[arg(long)]
    auto_answer: bool,

    /// answer the host's questions by the rules in this TOML file; virt-esx man --page answers explains them
    #[arg(long, value_name = "file")]
    answers: Option<PathBuf>,

    /// ask the host's questions on the terminal
    #[arg(long)]
    ask: bool,
}

impl Answering {
    /// Refuses two answerers.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        check_exclusive([
            ("auto-answer", self.auto_answer),
            ("answers", self.answers.is_some()),
            ("ask", self.ask),
        ])
    }

    /// The policy that the options choose; `usual` is the connection's.
    pub(crate) fn policy(&self, usual: &Policy, ui: &Ui) -> Result<Policy, Failure> {
        if let Some(file) = &self.answers {
            return Ok(Policy::Rules(Arc::new(Rules::read(file)?)));
        }
        if self.ask {
            let terminal = ui.terminal().clone();
            return Ok(Policy::Callback(Arc::new(OnTerminal {
                terminal,
                turn: Mutex::default(),
            })));
        }
        Ok(match self.auto_answer {
            true => Policy::Default,
            false => usual.clone(),
        })
    }
}

/// Asks on the terminal.
struct OnTerminal {
    terminal: Terminal,
    /// One question at a time.
    turn: Mutex<()>,
}

impl Answer for OnTerminal {
    fn answer<'a>(
        &'a self,
        asker: &'a Asker,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async {
            let _turn = self.turn.lock().await;
            ask(&self.terminal, asker.name(), question).await
        })
    }
}

/// Asks until there is an answer; none at the end of the input.
async fn ask(terminal: &Terminal, domain: &str, question: &Question) -> Option<String> {
    let default = question.default_choice();
    let asked = match default {
        Some(default) => format!("Answer [{}]: ", foreign::line(&default.key)),
        None => "Answer: ".to_owned(),
    };
    let mut prompt = shown(domain, question) + &asked;
    loop {
        let line = terminal.ask(&prompt).await;
        let Line::Text(line) = line else {
            terminal.tell("\n");
            return None;
        };
        let choice = match line.trim() {
            "" => default,
            text => question.choice(text),
        };
        if let Some(choice) = choice {
            return Some(choice.key.clone());
        }
        prompt = format!("Not one of the answers; try again.\n{asked}");
    }
}

fn shown(domain: &str, question: &Question) -> String {
    let (domain, asked) = (foreign::line(domain), foreign::lines(&question.text));
    let mut text = format!("Domain '{domain}' asks:\n  {asked}\n");
    for choice in &question.choices {
        let mark = match question.default_choice() == Some(choice) {
            true => " (default)",
            false => "",
        };
        // Writing to a string cannot fail.
        let (key, label) = (foreign::line(&choice.key), foreign::line(&choice.label));
        let _ = writeln!(text, "  [{key}] {label}{mark}");
    }
    text
}
