//! Who answers when the host asks before it goes on with a task.

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use esx_driver::policy::{Answer, BoxFuture, Policy, Rules};
use esx_driver::question::{Asker, Question};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::progress::Progresses;

/// The options that say who; without any it is what the connection's URI says.
#[derive(Debug, clap::Args)]
pub(crate) struct Answering {
    /// answer the host's questions with their defaults
    #[arg(long)]
    auto_answer: bool,

    /// answer the host's questions by the rules in this TOML file
    #[arg(long, value_name = "file")]
    answers: Option<PathBuf>,

    /// put the host's questions to the person at the terminal
    #[arg(long)]
    ask: bool,
}

impl Answering {
    /// Refuses two answerers.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let given = [
            (self.auto_answer, "--auto-answer"),
            (self.answers.is_some(), "--answers"),
            (self.ask, "--ask"),
        ];
        let given: Vec<_> = given
            .into_iter()
            .filter_map(|(is_given, name)| is_given.then_some(name))
            .collect();
        match given.as_slice() {
            [one, other, ..] => Err(Failure::new(format!(
                "Options {one} and {other} are mutually exclusive"
            ))),
            _ => Ok(()),
        }
    }

    /// What that means; `usual` is what the connection does.
    pub(crate) fn policy(
        &self,
        usual: &Policy,
        progresses: &Progresses,
    ) -> Result<Policy, Failure> {
        if let Some(file) = &self.answers {
            return Ok(Policy::Rules(Arc::new(Rules::read(file)?)));
        }
        if self.ask {
            return Ok(Policy::Callback(Arc::new(Person::new(progresses.clone()))));
        }
        Ok(match self.auto_answer {
            true => Policy::Default,
            false => usual.clone(),
        })
    }
}

/// The person at the terminal.
struct Person {
    progresses: Progresses,
    /// One question at a time.
    turn: Arc<Mutex<()>>,
}

impl Person {
    fn new(progresses: Progresses) -> Self {
        Self {
            progresses,
            turn: Arc::default(),
        }
    }
}

impl Answer for Person {
    fn answer<'a>(
        &'a self,
        asker: &'a Asker,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<String>> {
        let (name, question) = (asker.name().to_owned(), question.clone());
        let (progresses, turn) = (self.progresses.clone(), Arc::clone(&self.turn));
        let (sender, answer) = oneshot::channel();
        // Not one of the runtime's own threads, for which the program would wait at its end.
        std::thread::spawn(move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let key = progresses.suspend(|| put(&name, &question));
            // Nobody listens when it was interrupted or somebody else has answered.
            let _ = sender.send(key);
        });
        Box::pin(async { answer.await.ok().flatten() })
    }
}

/// Puts the question until there is an answer to it; none at the end of the input.
fn put(domain: &str, question: &Question) -> Option<String> {
    let mut out = io::stderr().lock();
    let default = question.default_choice();
    let _ = writeln!(out, "Domain '{domain}' asks:\n  {}", question.text);
    for choice in &question.choices {
        let mark = if default == Some(choice) {
            " (default)"
        } else {
            ""
        };
        let _ = writeln!(out, "  [{}] {}{mark}", choice.key, choice.label);
    }
    loop {
        let _ = match default {
            Some(default) => write!(out, "Answer [{}]: ", default.key),
            None => write!(out, "Answer: "),
        };
        let _ = out.flush();
        let mut line = String::new();
        if !matches!(io::stdin().lock().read_line(&mut line), Ok(1..)) {
            let _ = writeln!(out);
            return None;
        }
        let choice = match line.trim() {
            "" => default,
            text => question.choice(text),
        };
        if let Some(choice) = choice {
            return Some(choice.key.clone());
        }
        let _ = writeln!(out, "That is none of the answers.");
    }
}
