//! The secrets of a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use virt_model::{
    ErrorDomain, ErrorNumber, SecretDef, Uuid,
    event::SecretLifecycleEvent,
    secret::{SecretUsage, SecretUsageType},
};
use zeroize::Zeroizing;

use super::{keyring::Keyring, no_secret};
use crate::{Connect, Error, ErrorKind, Result, What};

/// What a connection keeps of its secrets in memory: those that are in no keyring, in the order of their definition.
#[derive(Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    listeners: Vec<UnboundedSender<SecretChange>>,
}

/// A secret.
#[derive(Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) uuid: Uuid,
    pub(super) def: SecretDef,
    pub(super) value: Option<Zeroizing<Vec<u8>>>,
}

/// What happened to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretChange {
    /// It was defined or undefined.
    Lifecycle(Uuid, SecretLifecycleEvent),
    /// It has another value.
    Value(Uuid),
}

/// The secrets of a connection: those of its keyring, if it has one, and those in memory.
pub(super) struct Store {
    memory: Arc<Memory>,
    keyring: Option<Keyring>,
}

impl Store {
    /// The secrets of that connection.
    pub(super) fn of(connect: &Connect) -> Store {
        Store {
            memory: connect.shared(),
            keyring: connect.keyring().map(Keyring::at),
        }
    }

    /// The changes by this connection from now on.
    pub(super) fn listen(&self) -> UnboundedReceiver<SecretChange> {
        let (sender, receiver) = unbounded_channel();
        self.memory.lock().listeners.push(sender);
        receiver
    }

    /// Adds a secret, or changes the description of one. Returns the definition with its UUID.
    pub(super) async fn define(&self, mut def: SecretDef) -> Result<SecretDef> {
        let uuid = match def.uuid {
            Some(uuid) => uuid,
            None => Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes()),
        };
        def.uuid = Some(uuid);
        let defined = SecretChange::Lifecycle(uuid, SecretLifecycleEvent::Defined);
        let added = def.clone();
        self.change(defined, |entries| define(entries, uuid, added))
            .await?;
        Ok(def)
    }

    /// All definitions.
    pub(super) fn all(&self) -> Result<Vec<SecretDef>> {
        self.read(|entries| entries.iter().map(|entry| entry.def.clone()).collect())
    }

    /// One definition.
    pub(super) fn get(&self, uuid: Uuid) -> Result<SecretDef> {
        self.read(|entries| find(entries, uuid).map(|entry| entry.def.clone()))?
    }

    /// The definition of the secret with that usage.
    pub(super) fn by_usage(&self, kind: SecretUsageType, id: &str) -> Result<Option<SecretDef>> {
        let mut all = self.all()?.into_iter();
        Ok(all.find(|def| {
            let usage = def.usage.as_ref();
            usage.is_some_and(|usage| usage.kind() == kind && usage.id() == id)
        }))
    }

    pub(super) async fn set_value(&self, uuid: Uuid, value: Zeroizing<Vec<u8>>) -> Result<()> {
        self.change(SecretChange::Value(uuid), |entries| {
            find(entries, uuid)?;
            let mut entries = entries.iter_mut();
            if let Some(entry) = entries.find(|entry| entry.uuid == uuid) {
                entry.value = Some(value);
            }
            Ok(())
        })
        .await
    }

    /// The value, even of a private secret.
    pub(super) fn value(&self, uuid: Uuid) -> Result<Zeroizing<Vec<u8>>> {
        let value = self.read(|entries| find(entries, uuid).map(|entry| entry.value.clone()))??;
        value.ok_or_else(|| no_secret(format!("secret '{uuid}' does not have a value")))
    }

    pub(super) async fn remove(&self, uuid: Uuid) -> Result<()> {
        let undefined = SecretChange::Lifecycle(uuid, SecretLifecycleEvent::Undefined);
        self.change(undefined, |entries| {
            find(entries, uuid)?;
            entries.retain(|entry| entry.uuid != uuid);
            Ok(())
        })
        .await
    }

    fn read<T>(&self, look: impl FnOnce(&[Entry]) -> T) -> Result<T> {
        let mut entries = self.in_keyring()?;
        entries.extend(self.memory.lock().entries.iter().cloned());
        Ok(look(&entries))
    }

    fn in_keyring(&self) -> Result<Vec<Entry>> {
        let keyring = self.keyring.as_ref();
        keyring.map_or_else(|| Ok(Vec::new()), Keyring::read)
    }

    /// Changes the secrets, or nothing if that fails. With a keyring, all but ephemeral ones are kept there.
    async fn change(
        &self,
        what: SecretChange,
        change: impl FnOnce(&mut Vec<Entry>) -> Result<()>,
    ) -> Result<()> {
        let locked = match &self.keyring {
            Some(keyring) => Some(keyring.lock().await?),
            None => None,
        };
        let before = self.in_keyring()?;
        let mut memory = self.memory.lock();
        let mut entries = before.clone();
        entries.extend(memory.entries.iter().cloned());
        change(&mut entries)?;
        if let Some(locked) = &locked {
            let (ephemeral, kept) = entries.into_iter().partition(|entry| entry.def.ephemeral);
            let kept: Vec<_> = kept;
            locked.write(&before, &kept)?;
            entries = ephemeral;
        }
        memory.entries = entries;
        memory.tell(what);
        Ok(())
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn tell(&mut self, change: SecretChange) {
        self.listeners
            .retain(|listener| listener.send(change).is_ok());
    }
}

/// Not its value.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("def", &self.def)
            .finish_non_exhaustive()
    }
}

fn find(entries: &[Entry], uuid: Uuid) -> Result<&Entry> {
    let entry = entries.iter().find(|entry| entry.uuid == uuid);
    entry.ok_or_else(|| no_secret(format!("no secret with matching uuid '{uuid}'")))
}

fn define(entries: &mut Vec<Entry>, uuid: Uuid, def: SecretDef) -> Result<()> {
    if let Some(known) = entries.iter_mut().find(|entry| entry.uuid == uuid) {
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
        known.def = def;
        return Ok(());
    }
    let mut same = entries.iter();
    let same = same.find(|entry| def.usage.is_some() && entry.def.usage == def.usage);
    if let Some(same) = same {
        let of = same.def.usage.as_ref().map_or("", SecretUsage::id);
        let uuid = same.uuid;
        return Err(exists(format!(
            "a secret with UUID {uuid} already defined for use with {of}"
        )));
    }
    let value = None;
    entries.push(Entry { uuid, def, value });
    Ok(())
}

fn exists(message: String) -> Error {
    let kind = ErrorKind::Exists(What::Secret);
    Error::new(kind, ErrorNumber::InternalError, message).in_part(ErrorDomain::Secret)
}
