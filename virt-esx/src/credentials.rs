//! Answers to the questions of a login that neither the URI nor auth.conf answers: from the environment, else
//! from the terminal.

use std::env;
use std::io::{self, IsTerminal as _};

use esx_driver::auth::{AuthError, Authenticate, BoxFuture, Credentials, Prompt, SecretString};
use esx_driver::vi_client::bounded;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::ui::{Line, Terminal, foreign};

/// The user name, if neither the URI nor auth.conf has one.
const USER_VARIABLE: &str = "VIRT_ESX_USER";
/// The password, if auth.conf has none.
const PASSWORD_VARIABLE: &str = "VIRT_ESX_PASSWORD";

/// The most bytes of a user name or a password.
const LONGEST: usize = 16 << 10;

/// Answers from the environment, else from the terminal.
#[derive(Debug)]
pub(crate) struct Login {
    /// Whether the password is known: then the terminal is not asked for a user name either.
    pub(crate) has_password: bool,
    pub(crate) terminal: Terminal,
}

impl Authenticate for Login {
    fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
        Box::pin(async {
            let user = env::var(USER_VARIABLE).ok().filter(|user| !user.is_empty());
            if let Some(user) = user {
                return Ok(user);
            }
            if self.has_password || env::var_os(PASSWORD_VARIABLE).is_some() {
                return Ok(prompt.default.clone());
            }
            check_terminal()?;
            let asked = format!("{}: ", foreign::line(&prompt.username_prompt()));
            match self.terminal.ask(&asked).await {
                Line::Text(user) if user.is_empty() => Ok(prompt.default.clone()),
                Line::Text(user) => Ok(user),
                Line::TooLong => Err("it is too long".into()),
                Line::Interrupted | Line::End => Err("there is no answer".into()),
            }
        })
    }

    fn password<'a>(
        &'a self,
        prompt: &'a Prompt,
    ) -> BoxFuture<'a, Result<SecretString, AuthError>> {
        Box::pin(async {
            match env::var(PASSWORD_VARIABLE) {
                Ok(password) => Ok(password.into()),
                Err(env::VarError::NotPresent) => {
                    check_terminal()?;
                    let asked = format!("{}: ", foreign::line(&prompt.password_prompt()));
                    Ok(self.terminal.ask_secret(asked).await?.as_str().into())
                }
                // The other error would print the value.
                Err(env::VarError::NotUnicode(_)) => {
                    Err(format!("{PASSWORD_VARIABLE} is not UTF-8").into())
                }
            }
        })
    }
}

/// The user and the password of the environment, if it has a password.
pub(crate) fn of_environment() -> Option<Credentials> {
    let username = env::var(USER_VARIABLE).ok();
    Some(Credentials {
        username: username.filter(|user| !user.is_empty()),
        password: env::var(PASSWORD_VARIABLE).ok()?.into(),
    })
}

fn check_terminal() -> Result<(), AuthError> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(format!(
        "there is no terminal to ask on: use auth.conf, --password-stdin, or {USER_VARIABLE} and \
         {PASSWORD_VARIABLE}"
    )
    .into())
}

/// The password in the first line of the standard input, read in a thread that does not hold the program.
///
/// # Errors
/// When there is no line.
pub(crate) async fn read_password() -> Result<SecretString, Failure> {
    let read = tokio::task::spawn_blocking(read_first_line).await;
    read.unwrap_or_else(|error| {
        Err(Failure::because(
            "cannot read the password",
            Failure::new(error.to_string()),
        ))
    })
}

fn read_first_line() -> Result<SecretString, Failure> {
    // With room for all of it the bytes never move, so that no copy of them stays anywhere.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let read = bounded::read_line(&mut io::stdin().lock(), LONGEST, &mut line);
    if read.map_err(|error| Failure::because("cannot read the password", error))? == 0 {
        return Err(Failure::new("the standard input has no password"));
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).into()),
        Err(_) => Err(Failure::new(
            "the password in the standard input is not UTF-8",
        )),
    }
}
