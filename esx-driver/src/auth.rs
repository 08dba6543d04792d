//! User names and passwords: libvirt's `auth.conf`, and prompts.
//!
//! The user name comes from the URI, else from `auth.conf`, else from an [`Authenticate`]. The password comes from
//! `auth.conf`, else from an [`Authenticate`]. A URI with a password is refused.
//!
//! `auth.conf` is the first of
//! 1. `$LIBVIRT_AUTH_FILE`, if set, readable or not;
//! 2. the URI's `authfile=`;
//! 3. `$XDG_CONFIG_HOME/libvirt/auth.conf` (`~/.config/libvirt/auth.conf`), if readable;
//! 4. `/etc/libvirt/auth.conf`, if readable.
//!
//! ```ini
//! [credentials-lab]
//! username=root
//! password=secret
//!
//! [auth-esx-esx1.example.com]
//! credentials=lab
//! ```
//!
//! The group is `auth-esx-SERVER`, with the server's name as in the URI and also for `vpx://` and `gsx://`; if there is no
//! such group, it is `auth-esx-default`.

mod file;

use std::{
    env,
    future::ready,
    path::{Path, PathBuf},
    pin::Pin,
};

pub use secrecy::SecretString;
use virt_model::{ErrorDomain, ErrorNumber};

pub use self::file::{AuthFile, KnownCredentials};
use crate::{Error, ErrorKind, Result};

/// Provides the user name and the password if neither the URI nor `auth.conf` does.
///
/// It is asked when the server has answered and is known to be the right one, so nobody types a password for a server that
/// does not exist. Its futures are dropped if the opening is given up, so they must not block:
/// [`tokio::task::spawn_blocking`](https://docs.rs/tokio/latest/tokio/task/fn.spawn_blocking.html) is for work that blocks.
pub trait Authenticate: Send + Sync {
    /// The user to log in as. [`Prompt::default`] is the default user.
    ///
    /// # Errors
    /// Any error; opening the connection then fails with "Username request failed".
    fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>>;

    /// The password of [`Prompt::username`].
    ///
    /// # Errors
    /// Any error; opening the connection then fails with "Password request failed".
    fn password<'a>(&'a self, prompt: &'a Prompt)
    -> BoxFuture<'a, Result<SecretString, AuthError>>;
}

/// A boxed future, which a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an [`Authenticate`] provides nothing.
pub type AuthError = Box<dyn std::error::Error + Send + Sync>;

/// The server and the user that an [`Authenticate`] is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Prompt {
    /// The server's name, as in the URI.
    pub host: String,
    /// The default user: `root` for a host, `administrator@vsphere.local` for a vCenter.
    pub default: String,
    /// The user whose password is asked for; when the user is asked for, the same as `default`.
    pub username: String,
}

impl Prompt {
    /// libvirt's prompt for a user name: `Enter username for HOST [DEFAULT]`.
    pub fn username_prompt(&self) -> String {
        format!("Enter username for {} [{}]", self.host, self.default)
    }

    /// libvirt's prompt for a password: `Enter USER's password for HOST`.
    pub fn password_prompt(&self) -> String {
        format!("Enter {}'s password for {}", self.username, self.host)
    }
}

/// Never prompts; credentials come from the URI and `auth.conf`. libvirt's `virConnectOpen` works the same way.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPrompts;

impl Authenticate for NoPrompts {
    fn username<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
        Box::pin(ready(Err(missing_credentials().into())))
    }

    fn password<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<SecretString, AuthError>> {
        Box::pin(ready(Err(missing_credentials().into())))
    }
}

/// A fixed user and password. The URI's user and `auth.conf` come first.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user; `None` for the server's [default user](crate::Scheme::default_user).
    pub username: Option<String>,
    /// The password.
    pub password: SecretString,
}

impl Authenticate for Credentials {
    fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
        let username = self.username.as_ref().unwrap_or(&prompt.default);
        Box::pin(ready(Ok(username.clone())))
    }

    fn password<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<SecretString, AuthError>> {
        Box::pin(ready(Ok(self.password.clone())))
    }
}

/// Where the user and the password of a connection's servers come from.
pub(crate) struct Sources<'a> {
    /// The URI's user.
    pub(crate) user: Option<&'a str>,
    /// The caller's password, which comes before that of `auth.conf`.
    pub(crate) password: Option<&'a SecretString>,
    /// The `auth.conf`.
    pub(crate) file: Option<&'a AuthFile>,
    /// Who provides the rest.
    pub(crate) questions: &'a dyn Authenticate,
}

impl Sources<'_> {
    /// The user and the password for a server.
    ///
    /// The first of the server's `names` is shown in prompts; `auth.conf` may have a group for any of them. `default` is the
    /// default user.
    pub(crate) async fn credentials(
        &self,
        names: &[&str],
        default: &str,
    ) -> Result<(String, SecretString)> {
        let known = match self.file {
            Some(file) => file.credentials("esx", names)?,
            None => Default::default(),
        };
        let mut prompt = Prompt {
            host: names.first().copied().unwrap_or_default().to_owned(),
            default: default.to_owned(),
            username: default.to_owned(),
        };
        prompt.username = match self.user.map(str::to_owned).or(known.username) {
            Some(username) => username,
            None => self
                .questions
                .username(&prompt)
                .await
                .map_err(|error| refused("Username request failed", error))?,
        };
        let password = match self.password.cloned().or(known.password) {
            Some(password) => password,
            None => self
                .questions
                .password(&prompt)
                .await
                .map_err(|error| refused("Password request failed", error))?,
        };
        Ok((prompt.username, password))
    }
}

fn missing_credentials() -> Error {
    Error::new(
        ErrorKind::Credentials,
        ErrorNumber::InvalidArg,
        "Missing authentication credentials",
    )
    .in_part(ErrorDomain::Auth)
    .advise("put the user and the password into auth.conf, or allow prompts")
}

fn refused(message: &str, cause: AuthError) -> Error {
    match cause.downcast::<Error>() {
        // NoPrompts returns an error of this crate, which needs no other text around it.
        Ok(error) => *error,
        Err(cause) => Error::new(ErrorKind::Credentials, ErrorNumber::AuthFailed, message)
            .in_part(ErrorDomain::Auth)
            .because(cause),
    }
}

/// The places where `auth.conf` may be, taken from the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthFileSearch {
    /// `$LIBVIRT_AUTH_FILE`.
    pub libvirt_auth_file: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, or `.config` in the home directory.
    pub config_home: Option<PathBuf>,
    /// `/etc`.
    pub sysconf: Option<PathBuf>,
}

impl AuthFileSearch {
    /// The places of this process.
    pub fn of_environment() -> AuthFileSearch {
        let set = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        AuthFileSearch {
            // libvirt 9.0.0 (virAuthGetConfigFilePath) takes an empty value for a file name too.
            libvirt_auth_file: env::var_os("LIBVIRT_AUTH_FILE").map(PathBuf::from),
            config_home: set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config"))),
            sysconf: Some(PathBuf::from("/etc")),
        }
    }

    /// The file that libvirt would read; `authfile` is the URI's parameter. `None` if there is no file.
    pub fn find(&self, authfile: Option<&Path>) -> Option<PathBuf> {
        if let Some(path) = &self.libvirt_auth_file {
            return Some(path.clone());
        }
        if let Some(path) = authfile {
            return Some(path.to_owned());
        }
        [&self.config_home, &self.sysconf]
            .into_iter()
            .flatten()
            .map(|folder| folder.join("libvirt/auth.conf"))
            .find(|path| std::fs::File::open(path).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures_util::FutureExt as _;
    use secrecy::ExposeSecret;

    use super::*;

    /// Nothing but who is asked.
    fn asking(questions: &dyn Authenticate) -> Sources<'_> {
        Sources {
            user: None,
            password: None,
            file: None,
            questions,
        }
    }

    /// The credentials of the host `h`, from sources that answer at once.
    fn found(sources: &Sources<'_>) -> Result<(String, SecretString)> {
        sources.credentials(&["h"], "root").now_or_never().unwrap()
    }

    /// Answers with the prompts, so that tests see them.
    struct Echo;

    impl Authenticate for Echo {
        fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
            Box::pin(ready(Ok(prompt.username_prompt())))
        }

        fn password<'a>(
            &'a self,
            prompt: &'a Prompt,
        ) -> BoxFuture<'a, Result<SecretString, AuthError>> {
            Box::pin(ready(Ok(prompt.password_prompt().into())))
        }
    }

    struct Silent;

    impl Authenticate for Silent {
        fn username<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
            Box::pin(ready(Err("end of input".into())))
        }

        fn password<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<SecretString, AuthError>> {
            Box::pin(ready(Err("end of input".into())))
        }
    }

    const CONFIG: &str = "[auth-esx-h]\ncredentials=x\n[credentials-x]\n";

    #[track_caller]
    fn check(user: Option<&str>, config: Option<&str>, expected: (&str, &str)) {
        let config = config.map(|text| AuthFile::parse("f", &format!("{CONFIG}{text}")).unwrap());
        let sources = Sources {
            user,
            file: config.as_ref(),
            ..asking(&Echo)
        };
        let (username, password) = found(&sources).unwrap();
        assert_eq!((username.as_str(), password.expose_secret()), expected);
    }

    #[test]
    fn everything_is_asked_for() {
        check(
            None,
            None,
            (
                "Enter username for h [root]",
                "Enter Enter username for h [root]'s password for h",
            ),
        );
    }

    #[test]
    fn the_uri_names_the_user() {
        check(Some("bob"), None, ("bob", "Enter bob's password for h"));
    }

    #[test]
    fn the_uri_wins_over_the_file() {
        check(
            Some("bob"),
            Some("username=eve\npassword=p\n"),
            ("bob", "p"),
        );
    }

    #[test]
    fn the_file_wins_over_asking() {
        check(
            None,
            Some("username=eve\n"),
            ("eve", "Enter eve's password for h"),
        );
        check(
            None,
            Some("password=p\n"),
            ("Enter username for h [root]", "p"),
        );
    }

    #[test]
    fn a_given_password_wins_over_the_file() {
        let config = AuthFile::parse("f", &format!("{CONFIG}username=eve\npassword=p\n")).unwrap();
        let own = SecretString::from("own");
        let sources = Sources {
            password: Some(&own),
            file: Some(&config),
            ..asking(&Silent)
        };
        let (username, password) = found(&sources).unwrap();
        assert_eq!(
            (username.as_str(), password.expose_secret()),
            ("eve", "own")
        );
    }

    #[test]
    fn an_empty_name_in_the_file_is_a_name() {
        check(None, Some("username=\npassword=\n"), ("", ""));
    }

    #[test]
    fn known_credentials() {
        let known = Credentials {
            username: None,
            password: "p".to_owned().into(),
        };
        let (username, password) = found(&asking(&known)).unwrap();
        assert_eq!((username.as_str(), password.expose_secret()), ("root", "p"));
        assert!(!format!("{known:?}").contains("\"p\""));
    }

    #[test]
    fn nobody_to_ask() {
        let sources = Sources {
            user: Some("bob"),
            ..asking(&NoPrompts)
        };
        let error = found(&sources).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid argument: Missing authentication credentials"
        );
        assert_eq!(error.kind(), ErrorKind::Credentials);
    }

    #[test]
    fn asking_fails() {
        let error = found(&asking(&Silent)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "authentication failed: Username request failed"
        );
        let sources = Sources {
            user: Some("bob"),
            ..asking(&Silent)
        };
        let error = found(&sources).unwrap_err();
        assert_eq!(
            error.to_string(),
            "authentication failed: Password request failed"
        );
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "end of input"
        );
    }

    #[test]
    fn search_order() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let etc = folder.path().join("etc");
        let mut search = AuthFileSearch {
            libvirt_auth_file: None,
            config_home: Some(home.clone()),
            sysconf: Some(etc.clone()),
        };
        assert_eq!(search.find(None), None);

        fs::create_dir_all(etc.join("libvirt")).unwrap();
        fs::write(etc.join("libvirt/auth.conf"), "").unwrap();
        assert_eq!(search.find(None), Some(etc.join("libvirt/auth.conf")));

        fs::create_dir_all(home.join("libvirt")).unwrap();
        fs::write(home.join("libvirt/auth.conf"), "").unwrap();
        assert_eq!(search.find(None), Some(home.join("libvirt/auth.conf")));

        let missing = Path::new("/missing/auth.conf");
        assert_eq!(search.find(Some(missing)), Some(missing.to_owned()));

        search.libvirt_auth_file = Some("/also/missing".into());
        assert_eq!(search.find(Some(missing)), Some("/also/missing".into()));
    }
}
