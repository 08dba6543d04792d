//! What is done to domains.

use std::fmt;

use esx_driver::question::Question;
use esx_driver::{CreateFlags, DestroyFlags, Domain, ShutdownFlags};

use crate::connection::Connection;
use crate::failure::Failure;

/// Something to do with a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Resume,
    Shutdown,
    Destroy,
    /// Answers the question with the choice of this key.
    Answer(Question, String),
}

impl Action {
    /// libvirt's function, or what else a read-only connection prevents.
    fn function(&self) -> &'static str {
        match self {
            Self::Start => "virDomainCreate",
            Self::Resume => "virDomainResume",
            Self::Shutdown => "virDomainShutdown",
            Self::Destroy => "virDomainDestroy",
            Self::Answer(..) => "answers to questions",
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// The driver's, or that the connection is read-only.
    pub(super) async fn perform(
        self,
        connection: &Connection,
        domain: Domain,
    ) -> Result<(), Failure> {
        connection.check_writable(self.function())?;
        match self {
            Self::Start => domain.create(CreateFlags::NONE).await?,
            Self::Resume => domain.resume().await?,
            Self::Shutdown => domain.shutdown(ShutdownFlags::NONE).await?,
            Self::Destroy => domain.destroy(DestroyFlags::NONE).await?,
            Self::Answer(question, key) => domain.answer(&question, &key).await?,
        }
        Ok(())
    }
}

/// What is being done: `starting`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "starting",
            Self::Resume => "resuming",
            Self::Shutdown => "shutting down",
            Self::Destroy => "destroying",
            Self::Answer(..) => "answering the question of",
        })
    }
}
