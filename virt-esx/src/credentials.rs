use std::env;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use esx_driver::auth::{AuthError, AuthFile, AuthFileSearch, Authenticate, Credentials, Question};
use esx_driver::{EsxUri, OpenOptions, Scheme};
use secrecy::SecretString;

use crate::failure::Failure;

/// Who logs in where neither the URI nor auth.conf names a user.
const USER_VARIABLE: &str = "VIRT_ESX_USER";
/// The password where auth.conf has none.
const PASSWORD_VARIABLE: &str = "VIRT_ESX_PASSWORD";

/// What a connection logs in with.
pub(crate) struct Login {
    /// Where auth.conf may be.
    search: AuthFileSearch,
    /// Answers for what is not there.
    answers: Box<dyn Authenticate>,
}

impl Login {
    /// A user and a password, and nothing else.
    pub(crate) fn known(username: &str, password: &str) -> Self {
        Self::fixed(Some(username.to_owned()), password.to_owned().into())
    }

    fn fixed(username: Option<String>, password: SecretString) -> Self {
        let answers = Box::new(Credentials { username, password });
        Self {
            search: AuthFileSearch::default(),
            answers,
        }
    }

    /// How a connection is opened with it.
    pub(crate) fn options(&self) -> OpenOptions<'_> {
        OpenOptions::new(&*self.answers).auth_files(self.search.clone())
    }

    /// What `uri` needs: asks for it now, while Ctrl-C still ends the program at once.
    ///
    /// A password from the standard input is meant for this run, so no file stands before it.
    pub(crate) fn prepare(uri: &EsxUri, from_stdin: bool) -> Result<Self, Failure> {
        let search = AuthFileSearch::of_environment();
        let file = search
            .find(uri.authfile())
            .map(|path| AuthFile::read(&path))
            .transpose()?;
        let host = uri.server();
        let known = file
            .map(|file| file.credentials("esx", &[host]))
            .transpose()?
            .unwrap_or_default();
        if from_stdin {
            return Ok(Self::fixed(
                known.username.or_else(user_variable),
                read_password()?,
            ));
        }
        let asked = Asked::default();
        let unasked = |error: AuthError| Failure::new(format!("authentication failed: {error}"));
        let username = match uri.user().map(str::to_owned).or(known.username) {
            Some(username) => username,
            None => asked.username(host, default_user(uri)).map_err(unasked)?,
        };
        if known.password.is_none() {
            asked.password(host, &username).map_err(unasked)?;
        }
        Ok(Self {
            search,
            answers: Box::new(asked),
        })
    }
}

/// Answers from the environment, else from the person at the terminal, who is asked only once.
#[derive(Debug, Default)]
struct Asked {
    /// The first server that was asked about, and the answer.
    username: OnceLock<(String, String)>,
    /// The first server and user that were asked about, and the answer.
    password: OnceLock<((String, String), SecretString)>,
}

impl Asked {
    fn username(&self, host: &str, default: &str) -> Result<String, AuthError> {
        if let Some(username) = user_variable() {
            return Ok(username);
        }
        if env::var_os(PASSWORD_VARIABLE).is_some() {
            return Ok(default.to_owned());
        }
        remembered(&self.username, host.to_owned(), |host| {
            ask_username(host, default)
        })
    }

    fn password(&self, host: &str, username: &str) -> Result<SecretString, AuthError> {
        let whose = (host.to_owned(), username.to_owned());
        match env::var(PASSWORD_VARIABLE) {
            Ok(password) => Ok(password.into()),
            Err(env::VarError::NotPresent) => remembered(&self.password, whose, ask_password),
            // The other error would print the value.
            Err(env::VarError::NotUnicode(_)) => {
                Err(format!("{PASSWORD_VARIABLE} is not UTF-8").into())
            }
        }
    }
}

impl Authenticate for Asked {
    fn username(&self, question: &Question) -> Result<String, AuthError> {
        self.username(&question.host, &question.default)
    }

    fn password(&self, question: &Question) -> Result<SecretString, AuthError> {
        self.password(&question.host, &question.username)
    }
}

/// The answer to the same question before, or a new one.
fn remembered<Q: PartialEq, A: Clone>(
    memory: &OnceLock<(Q, A)>,
    question: Q,
    ask: impl FnOnce(&Q) -> Result<A, AuthError>,
) -> Result<A, AuthError> {
    if let Some((_, answer)) = memory.get().filter(|(asked, _)| *asked == question) {
        return Ok(answer.clone());
    }
    let answer = ask(&question)?;
    // The first server's answer stays; another server's is asked for where it is needed.
    let _ = memory.set((question, answer.clone()));
    Ok(answer)
}

fn ask_username(host: &str, default: &str) -> Result<String, AuthError> {
    needs_terminal()?;
    let mut prompt = io::stderr().lock();
    write!(prompt, "Enter username for {host} [{default}]: ")?;
    prompt.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let username = line.trim_end_matches(['\r', '\n']);
    Ok(if username.is_empty() {
        default
    } else {
        username
    }
    .to_owned())
}

fn ask_password((host, username): &(String, String)) -> Result<SecretString, AuthError> {
    needs_terminal()?;
    let password = rpassword::prompt_password(format!("Enter {username}'s password for {host}: "))?;
    Ok(password.into())
}

fn needs_terminal() -> Result<(), AuthError> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(format!(
        "there is no terminal to ask on: use auth.conf, --password-stdin, or {USER_VARIABLE} and \
         {PASSWORD_VARIABLE}"
    )
    .into())
}

/// Who usually logs in to such a server.
fn default_user(uri: &EsxUri) -> &'static str {
    match uri.scheme() {
        Scheme::Vpx => "administrator@vsphere.local",
        Scheme::Esx | Scheme::Gsx => "root",
    }
}

fn user_variable() -> Option<String> {
    env::var(USER_VARIABLE).ok().filter(|user| !user.is_empty())
}

fn read_password() -> Result<SecretString, Failure> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err(Failure::new("the standard input has no password")),
        Ok(_) => {
            line.truncate(line.trim_end_matches(['\r', '\n']).len());
            Ok(line.into())
        }
        Err(error) => Err(Failure::because("cannot read the password", error)),
    }
}
