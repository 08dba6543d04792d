//! What the commands that change a secret have in common.

use serde::Serialize;

use crate::answer::{Answer, unless_quiet};

/// A secret that was changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    command: &'static str,
    /// Its UUID.
    secret: String,

    #[serde(skip)]
    text: String,
}

impl Changed {
    /// The secret that `command` has changed, and virsh's line.
    pub(super) fn new(command: &'static str, secret: impl ToString, text: String) -> Self {
        let secret = secret.to_string();
        Self {
            command,
            secret,
            text,
        }
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/secret-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || format!("{}\n", self.text))
    }
}
