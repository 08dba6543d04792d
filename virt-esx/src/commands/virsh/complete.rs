use crate::commands::SessionCommand;
use crate::complete::{self, Candidates, complete_command_line};
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;
use crate::words::{self, Unfinished};

/// print the completions of a command line
///
/// For completion scripts: prints what the last word can become, one a line. `:files` says that it is the name of a file. Names
/// come from the connection that the command line or the environment names; none are printed if it fails, takes more than three
/// seconds, or would have to ask for a password. They are kept for 20 seconds.
#[derive(Debug, clap::Args)]
pub(crate) struct Complete {
    /// words behind the program's name, the last of which is completed
    #[arg(value_name = "string", num_args = 0..)]
    string: Vec<String>,

    /// the same as one text, with the program's name in front
    #[arg(long, value_name = "text")]
    line: Option<String>,
}

impl SessionCommand for Complete {
    const IS_CLOSED: bool = false;

    async fn run(self, ui: &Ui, _: &mut Session) -> Result<(), Failure> {
        let (words, word) = match self.line {
            Some(line) => {
                let Unfinished { words, word, .. } = words::unfinished(&line);
                (words.into_iter().skip(1).collect(), word)
            }
            None => {
                let mut words = self.string;
                let word = words.pop().unwrap_or_default();
                (words, word)
            }
        };
        let found = complete_command_line(&words, word);
        let words = match found.candidates {
            Candidates::Words(words) => words,
            Candidates::Files(_) => vec![":files".to_owned()],
            Candidates::Names(names, start) => {
                start.matching(complete::of_uri(found.uri, &names).await)
            }
        };
        let words = words.iter().filter(|word| !word.contains('\n'));
        let text: String = words.map(|word| format!("{word}\n")).collect();
        Ok(ui.document(&text)?)
    }
}
