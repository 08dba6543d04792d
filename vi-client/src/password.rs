use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A password. `Debug` hides it, and dropping it wipes the memory.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    pub(crate) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password.into())
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.into())
    }
}

impl From<&String> for Password {
    fn from(password: &String) -> Self {
        password.as_str().into()
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
