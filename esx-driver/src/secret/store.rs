//! The secrets of a connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use virt_model::{
    ErrorDomain, ErrorNumber, SecretDef, Uuid,
    event::SecretLifecycleEvent,
    secret::{SecretUsage, SecretUsageType},
};
use zeroize::Zeroizing;

use super::no_secret;
use crate::{Error, ErrorKind, Result, What};

/// The secrets of a connection, in the order of their definition.
#[derive(Default)]
pub(super) struct Store(Mutex<Secrets>);

#[derive(Default)]
struct Secrets {
    entries: Vec<Entry>,
    listeners: Vec<UnboundedSender<SecretChange>>,
}

struct Entry {
    uuid: Uuid,
    def: SecretDef,
    value: Option<Zeroizing<Vec<u8>>>,
}

/// What happened to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretChange {
    /// It was defined or undefined.
    Lifecycle(Uuid, SecretLifecycleEvent),
    /// It has another value.
    Value(Uuid),
}

impl Store {
    /// The changes from now on.
    pub(super) fn listen(&self) -> UnboundedReceiver<SecretChange> {
        let (sender, receiver) = unbounded_channel();
        self.lock().listeners.push(sender);
        receiver
    }

    /// Adds a secret, or changes the description of one. Returns the definition with its UUID.
    pub(super) fn define(&self, mut def: SecretDef) -> Result<SecretDef> {
        let mut secrets = self.lock();
        let uuid = match def.uuid {
            Some(uuid) => uuid,
            None => Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes()),
        };
        def.uuid = Some(uuid);
        if let Some(known) = secrets.entries.iter_mut().find(|entry| entry.uuid == uuid) {
            if known.def.usage != def.usage {
                let of = known.def.usage.as_ref().map_or("", SecretUsage::id);
                return Err(exists(format!(
                    "a secret with UUID {uuid} is already defined for use with {of}"
                )));
            }
            if known.def.private && !def.private {
                return Err(exists(
                    "cannot change private flag on existing secret".to_owned(),
                ));
            }
            known.def = def.clone();
        } else {
            let mut entries = secrets.entries.iter();
            let same = entries.find(|entry| def.usage.is_some() && entry.def.usage == def.usage);
            if let Some(same) = same {
                let of = same.def.usage.as_ref().map_or("", SecretUsage::id);
                let uuid = same.uuid;
                return Err(exists(format!(
                    "a secret with UUID {uuid} already defined for use with {of}"
                )));
            }
            let def = def.clone();
            secrets.entries.push(Entry {
                uuid,
                def,
                value: None,
            });
        }
        secrets.tell(SecretChange::Lifecycle(uuid, SecretLifecycleEvent::Defined));
        Ok(def)
    }

    /// All definitions.
    pub(super) fn all(&self) -> Vec<SecretDef> {
        let secrets = self.lock();
        secrets
            .entries
            .iter()
            .map(|entry| entry.def.clone())
            .collect()
    }

    /// One definition.
    pub(super) fn get(&self, uuid: Uuid) -> Result<SecretDef> {
        let mut secrets = self.lock();
        secrets.entry(uuid).map(|entry| entry.def.clone())
    }

    /// The definition of the secret with that usage.
    pub(super) fn by_usage(&self, kind: SecretUsageType, id: &str) -> Option<SecretDef> {
        let mut all = self.all().into_iter();
        all.find(|def| {
            let usage = def.usage.as_ref();
            usage.is_some_and(|usage| usage.kind() == kind && usage.id() == id)
        })
    }

    pub(super) fn set_value(&self, uuid: Uuid, value: Zeroizing<Vec<u8>>) -> Result<()> {
        let mut secrets = self.lock();
        secrets.entry(uuid)?.value = Some(value);
        secrets.tell(SecretChange::Value(uuid));
        Ok(())
    }

    /// The value, even of a private secret.
    pub(super) fn value(&self, uuid: Uuid) -> Result<Zeroizing<Vec<u8>>> {
        let mut secrets = self.lock();
        let value = secrets.entry(uuid)?.value.clone();
        value.ok_or_else(|| no_secret(format!("secret '{uuid}' does not have a value")))
    }

    pub(super) fn remove(&self, uuid: Uuid) -> Result<()> {
        let mut secrets = self.lock();
        secrets.entry(uuid)?;
        secrets.entries.retain(|entry| entry.uuid != uuid);
        secrets.tell(SecretChange::Lifecycle(
            uuid,
            SecretLifecycleEvent::Undefined,
        ));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Secrets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Secrets {
    fn entry(&mut self, uuid: Uuid) -> Result<&mut Entry> {
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.uuid == uuid);
        entry.ok_or_else(|| no_secret(format!("no secret with matching uuid '{uuid}'")))
    }

    fn tell(&mut self, change: SecretChange) {
        self.listeners
            .retain(|listener| listener.send(change).is_ok());
    }
}

fn exists(message: String) -> Error {
    let kind = ErrorKind::Exists(What::Secret);
    Error::new(kind, ErrorNumber::InternalError, message).in_part(ErrorDomain::Secret)
}
