//! All secrets of a connection, and one by its UUID or usage.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use virt_model::{
    SecretDef, Uuid,
    flags::{SecretDefineFlags, SecretFilter, refuse_unknown},
    secret::{SecretLookup, SecretUsageType},
};
use zeroize::Zeroizing;

use super::{
    Secret, no_secret,
    store::{SecretChange, Store},
};
use crate::{Connect, Result, document};

impl Connect {
    /// Adds the secret of libvirt's XML document, or changes the description of one. A secret that is defined again
    /// keeps its value.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`](crate::ErrorKind::Definition) if the document cannot be read;
    /// [`ErrorKind::Exists`](crate::ErrorKind::Exists) if there is another secret of that usage, or the secret of that
    /// UUID has another usage or is private; [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags).
    #[doc(alias = "virSecretDefineXML")]
    pub fn secret_define_xml(&self, xml: &str, flags: SecretDefineFlags) -> Result<Secret> {
        refuse_unknown(flags, SecretDefineFlags::VALIDATE, "secretDefineXML")?;
        let def: SecretDef = document::read(xml, flags.contains(SecretDefineFlags::VALIDATE))?;
        let def = self.secret_store().define(def)?;
        self.secret(&def)
    }

    /// The connection's secrets that `filter` admits, in the order of their definition.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have.
    #[doc(alias = "virConnectListAllSecrets")]
    pub fn list_all_secrets(&self, filter: SecretFilter) -> Result<Vec<Secret>> {
        refuse_unknown(filter, SecretFilter::FILTERS_ALL, "connectListAllSecrets")?;
        let admits = |def: &SecretDef| {
            let (ephemeral, private) = (def.ephemeral, def.private);
            filter.admits(
                SecretFilter::EPHEMERAL,
                ephemeral,
                SecretFilter::NO_EPHEMERAL,
            ) && filter.admits(SecretFilter::PRIVATE, private, SecretFilter::NO_PRIVATE)
        };
        let all = self.secret_store().all();
        let admitted = all.iter().filter(|def| admits(def));
        Ok(admitted.filter_map(|def| Secret::of(self, def)).collect())
    }

    /// The number of the connection's secrets.
    #[doc(alias = "virConnectNumOfSecrets")]
    pub fn num_of_secrets(&self) -> usize {
        self.secret_store().all().len()
    }

    /// The UUIDs of the connection's secrets.
    #[doc(alias = "virConnectListSecrets")]
    pub fn list_secrets(&self) -> Vec<Uuid> {
        let all = self.secret_store().all();
        all.iter().filter_map(|def| def.uuid).collect()
    }

    /// The secret with that UUID.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    #[doc(alias("virSecretLookupByUUID", "virSecretLookupByUUIDString"))]
    pub fn secret_lookup_by_uuid(&self, uuid: Uuid) -> Result<Secret> {
        let def = self.secret_store().get(uuid)?;
        self.secret(&def)
    }

    /// The secret with that usage.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    #[doc(alias = "virSecretLookupByUsage")]
    pub fn secret_lookup_by_usage(&self, kind: SecretUsageType, id: &str) -> Result<Secret> {
        let found = self.secret_store().by_usage(kind, id);
        let missing = || no_secret(format!("no secret with matching usage '{id}'"));
        self.secret(&found.ok_or_else(missing)?)
    }

    /// The value of the secret that a document names, even of a private one.
    pub(crate) fn secret_value(
        &self,
        kind: SecretUsageType,
        secret: &SecretLookup,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let uuid = match secret {
            SecretLookup::Uuid(uuid) => Ok(*uuid),
            SecretLookup::Usage(id) => {
                let secret = self.secret_lookup_by_usage(kind, id);
                secret.map(|secret| secret.uuid)
            }
            _ => Err(no_secret("the document names no secret".to_owned())),
        };
        let value = uuid.and_then(|uuid| self.secret_store().value(uuid));
        value.map_err(|error| {
            error.advise("define the secret and set its value before, on the same connection")
        })
    }

    /// The changes of the connection's secrets from now on.
    pub(crate) fn secret_changes(&self) -> UnboundedReceiver<SecretChange> {
        self.secret_store().listen()
    }

    fn secret(&self, def: &SecretDef) -> Result<Secret> {
        Secret::of(self, def).ok_or_else(|| no_secret("the secret has no UUID".to_owned()))
    }

    fn secret_store(&self) -> Arc<Store> {
        self.shared()
    }
}
