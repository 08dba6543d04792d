use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use vi_client::bounded::read_trusted_file;
use virt_model::{ErrorDomain, ErrorNumber};

use crate::{Error, ErrorKind, Result};

/// The most bytes of an `auth.conf`.
const LARGEST: usize = 1 << 20;

/// The contents of an `auth.conf`.
///
/// The format is that of GLib's key files, with which libvirt reads it: groups in brackets, `KEY=VALUE`, `#` comments on
/// lines of their own. White space before a key and a value is ignored, white space behind a value is kept. Values may have
/// the escapes `\s \t \n \r \\`. Of several equal keys the last wins; groups of the same name are one group.
#[derive(Clone)]
pub struct AuthFile {
    path: PathBuf,
    groups: HashMap<String, HashMap<String, String>>,
}

/// The user and the password that an `auth.conf` has for a server.
#[derive(Debug, Clone, Default)]
pub struct KnownCredentials {
    /// The user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
}

impl AuthFile {
    /// Reads the file at `path`, of at most 1 MiB. If others than its owner may write it, a warning says so.
    ///
    /// # Errors
    /// [`ErrorKind::AuthFile`] if the file cannot be read or is no key file; the error names the line. (libvirt 9.0.0 fails
    /// with "the cause is unknown".)
    pub fn read(path: &Path) -> Result<AuthFile> {
        let bytes = read_trusted_file(path, LARGEST).map_err(|error| {
            let advice = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge => {
                    "check LIBVIRT_AUTH_FILE and authfile="
                }
                _ => "make the file readable for the user of this process",
            };
            let shown = path.display();
            let message = match error.kind() {
                io::ErrorKind::FileTooLarge => format!("'{shown}': {error}"),
                _ => format!("'{shown}'"),
            };
            Error::new(ErrorKind::AuthFile, ErrorNumber::OpenFailed, message)
                .in_part(ErrorDomain::Auth)
                .advise(advice)
                .because(error)
        })?;
        // GLib drops a value that is not UTF-8, and keeps the rest of the file.
        AuthFile::parse(path, &String::from_utf8_lossy(&bytes))
    }

    /// Reads the text of a file; `path` is for error texts.
    ///
    /// # Errors
    /// [`ErrorKind::AuthFile`] if it is no key file; the error names the line.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Result<AuthFile> {
        let mut file = AuthFile {
            path: path.into(),
            groups: HashMap::new(),
        };
        let mut group = None;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_ascii_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let problem = if let Some(rest) = line.strip_prefix('[') {
                match rest.trim_ascii_end().strip_suffix(']') {
                    Some(name) if !name.is_empty() && !name.contains(['[', ']']) => {
                        file.groups.entry(name.to_owned()).or_default();
                        group = Some(name.to_owned());
                        continue;
                    }
                    _ => "expected '[GROUP]'",
                }
            } else {
                match (line.split_once('='), &group) {
                    (Some((key, value)), Some(group)) if !key.trim_ascii().is_empty() => {
                        // A value with a replaced character was not UTF-8.
                        if !value.contains(char::REPLACEMENT_CHARACTER) {
                            let values = file.groups.entry(group.clone()).or_default();
                            values.insert(key.trim_ascii().to_owned(), unescape(value));
                        }
                        continue;
                    }
                    (Some(_), None) => "expected '[GROUP]' before the first key",
                    _ => "expected 'KEY=VALUE', '[GROUP]' or '#'",
                }
            };
            // The line is not shown, since it may hold a password.
            let message = format!("{problem} at {}:{}", file.path.display(), number + 1);
            return Err(syntax(message));
        }
        Ok(file)
    }

    /// The credentials of `service` (`esx` for all VMware servers) on the server with these names; nothing if the file has
    /// no group for it. The first name that has a group counts.
    ///
    /// # Errors
    /// [`ErrorKind::AuthFile`] if the group names no credentials, or credentials that the file does not have.
    pub fn credentials(&self, service: &str, names: &[&str]) -> Result<KnownCredentials> {
        let mut groups = names
            .iter()
            .chain(&["default"])
            .map(|name| format!("auth-{service}-{name}"));
        let Some(group) = groups.find(|group| self.groups.contains_key(group)) else {
            return Ok(KnownCredentials::default());
        };
        let Some(name) = self.groups[&group].get("credentials") else {
            return Err(syntax(format!(
                "Missing item 'credentials' in group '{group}' in '{}'",
                self.path.display()
            )));
        };
        let Some(values) = self.groups.get(&format!("credentials-{name}")) else {
            return Err(syntax(format!(
                "Missing group 'credentials-{name}' referenced from group '{group}' in '{}'",
                self.path.display()
            )));
        };
        Ok(KnownCredentials {
            username: values.get("username").cloned(),
            password: values.get("password").cloned().map(SecretString::from),
        })
    }
}

impl fmt::Debug for AuthFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values are not shown, since they are passwords.
        f.debug_struct("AuthFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn syntax(message: String) -> Error {
    Error::new(ErrorKind::AuthFile, ErrorNumber::ConfSyntax, message).in_part(ErrorDomain::Auth)
}

/// Unescapes a value like GLib's `g_key_file_get_string`, whose errors libvirt ignores: a backslash before another letter
/// stays, and a backslash at the end is dropped.
fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.trim_ascii_start().chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('s') => out.push(' '),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Checks the user name that libvirt 9.0.0 reads from the lines of a group; the expected names were seen in virsh's
    /// prompt.
    #[track_caller]
    fn user(lines: &str, expected: Option<&str>) {
        let text = format!("[auth-esx-h]\ncredentials=x\n[credentials-x]\n{lines}");
        let file = AuthFile::parse("f", &text).unwrap();
        let known = file.credentials("esx", &["h"]).unwrap();
        assert_eq!(known.username.as_deref(), expected, "{lines:?}");
    }

    #[test]
    fn white_space() {
        user("username=bob ", Some("bob "));
        user("username = bob\n", Some("bob"));
        user("username= bob \n", Some("bob "));
        user("username=\t\tbob\t\n", Some("bob\t"));
        user(" username =bob\n", Some("bob"));
        user("username=bob\r\n", Some("bob"));
        user("username=  \n", Some(""));
    }

    #[test]
    fn only_whole_lines_are_comments() {
        user("username=bob#y\n", Some("bob#y"));
        user(" # a comment\n\nusername=b;c\"d\n", Some("b;c\"d"));
    }

    #[test]
    fn escapes() {
        user(r"username=b\sb", Some("b b"));
        user(r"username=b\tb", Some("b\tb"));
        user(r"username=b\qb", Some(r"b\qb"));
        user(r"username=b\\sb", Some(r"b\sb"));
        user("username=b\\\nx=y", Some("b"));
    }

    #[test]
    fn names_are_exact() {
        user("UserName=bob\n", None);
        user("username[de]=bob\n", None);
        user("user_name=bob\nuser name=x\n", None);
        user("a=b=c\nusername=q=r\n", Some("q=r"));
    }

    #[test]
    fn the_last_one_wins_and_groups_merge() {
        user("username=bob\nusername=eve\n", Some("eve"));
        user("password=p\n[credentials-x]\nusername=eve\n", Some("eve"));
    }

    #[test]
    fn no_text_is_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.conf");
        fs::write(
            &path,
            b"[auth-esx-h]\ncredentials=x\n[credentials-x]\nusername=a\xff\n",
        )
        .unwrap();
        let known = AuthFile::read(&path)
            .unwrap()
            .credentials("esx", &["h"])
            .unwrap();
        assert_eq!(known.username, None);
    }

    #[track_caller]
    fn broken(text: &str, message: &str) {
        let error = AuthFile::parse("/f", text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("configuration file syntax error: {message}")
        );
        assert_eq!(error.kind(), ErrorKind::AuthFile);
    }

    #[test]
    fn broken_files() {
        broken("x=y\n", "expected '[GROUP]' before the first key at /f:1");
        broken(
            "[g]\n;d\n",
            "expected 'KEY=VALUE', '[GROUP]' or '#' at /f:2",
        );
        broken(
            "[g]\n\n=bob\n",
            "expected 'KEY=VALUE', '[GROUP]' or '#' at /f:3",
        );
        broken(
            "[g]\nfoo\n",
            "expected 'KEY=VALUE', '[GROUP]' or '#' at /f:2",
        );
        broken("[g\n", "expected '[GROUP]' at /f:1");
        broken("[g] # c\n", "expected '[GROUP]' at /f:1");
        broken("[g]x\n", "expected '[GROUP]' at /f:1");
        broken("[]\n", "expected '[GROUP]' at /f:1");
    }

    #[track_caller]
    fn lookup(text: &str, expected: Result<Option<&str>, &str>) {
        let file = AuthFile::parse("/f", text).unwrap();
        let found = file.credentials("esx", &["h"]);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.username.as_deref(), expected),
            (Err(error), Err(message)) => assert_eq!(
                error.to_string(),
                format!("configuration file syntax error: {message}")
            ),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn groups() {
        lookup("", Ok(None));
        lookup("[auth-libvirt-h]\ncredentials=x\n", Ok(None));
        lookup("[ auth-esx-h]\ncredentials=x\n", Ok(None));
        lookup(
            " [auth-esx-h]  \ncredentials= x \n[credentials-x ]\nusername=bob\n",
            Ok(Some("bob")),
        );
        lookup(
            "[auth-esx-default]\ncredentials=x\n[credentials-x]\nusername=bob\n",
            Ok(Some("bob")),
        );
        lookup(
            "[auth-esx-default]\ncredentials=x\n[credentials-x]\nusername=bob\n\
             [auth-esx-h]\ncredentials=y\n[credentials-y]\nusername=eve\n",
            Ok(Some("eve")),
        );
    }

    #[test]
    fn a_server_with_two_names() {
        let text = "[auth-esx-192.0.2.1]\ncredentials=x\n[credentials-x]\nusername=bob\n\
                    [auth-esx-default]\ncredentials=y\n[credentials-y]\nusername=eve\n";
        let file = AuthFile::parse("/f", text).unwrap();
        let username = |names: &[&str]| file.credentials("esx", names).unwrap().username.unwrap();
        assert_eq!(username(&["vc", "192.0.2.1"]), "bob");
        assert_eq!(username(&["vc", "192.0.2.2"]), "eve");
    }

    #[test]
    fn missing_parts() {
        lookup(
            "[auth-esx-h]\nfoo=x\n",
            Err("Missing item 'credentials' in group 'auth-esx-h' in '/f'"),
        );
        lookup(
            "[auth-esx-default]\n",
            Err("Missing item 'credentials' in group 'auth-esx-default' in '/f'"),
        );
        lookup(
            "[auth-esx-h]\ncredentials=\n",
            Err("Missing group 'credentials-' referenced from group 'auth-esx-h' in '/f'"),
        );
    }

    #[test]
    fn a_file_that_is_not_there() {
        let error = AuthFile::read(Path::new("/missing/auth.conf")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to open configuration file '/missing/auth.conf'"
        );
        assert!(error.advice().is_some());
    }

    #[test]
    fn passwords_are_not_shown() {
        let text = "[auth-esx-h]\ncredentials=x\n[credentials-x]\npassword=s3cret\n";
        let file = AuthFile::parse("/f", text).unwrap();
        let known = file.credentials("esx", &["h"]).unwrap();
        assert!(!format!("{file:?} {known:?}").contains("s3cret"));
        let error = AuthFile::parse("/f", "[a]\npassword s3cret\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("s3cret"));
    }
}
