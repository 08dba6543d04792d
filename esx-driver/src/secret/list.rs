//! All secrets of a connection, and one by its UUID or usage.

use tokio::sync::mpsc::UnboundedReceiver;
use virt_model::{
    SecretDef, Uuid,
    flags::{SecretDefineFlags, SecretFilter, refuse_unknown},
    secret::{SecretLookup, SecretUsageType},
};
use zeroize::Zeroizing;

use super::{
    Secret, is_key,
    key::is_of_key,
    no_secret,
    store::{SecretChange, Store},
};
use crate::{Connect, Error, ErrorKind, Result, What, document};

impl Connect {
    /// Adds the secret of libvirt's XML document, or changes the description of one. A secret that is defined again
    /// keeps its value. No request.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`](crate::ErrorKind::Definition) if the document cannot be read;
    /// [`ErrorKind::Exists`](crate::ErrorKind::Exists) if there is another secret of that usage, or the secret of that
    /// UUID has another usage or is private; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for the UUID of a
    /// key of domains; [`ErrorKind::Keyring`](crate::ErrorKind::Keyring);
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags).
    #[doc(alias = "virSecretDefineXML")]
    pub async fn secret_define_xml(&self, xml: &str, flags: SecretDefineFlags) -> Result<Secret> {
        refuse_unknown(flags, SecretDefineFlags::VALIDATE, "secretDefineXML")?;
        let def: SecretDef = document::read(xml, flags.contains(SecretDefineFlags::VALIDATE))?;
        if let Some(uuid) = def.uuid.filter(|uuid| is_of_key(*uuid)) {
            return Err(is_key(&uuid.to_string()));
        }
        let def = Store::of(self).define(def).await?;
        self.secret(&def)
    }

    /// The connection's secrets that `filter` admits, in the order of their definition; and behind them the keys that
    /// encrypt the host's domains, by their ids.
    ///
    /// One request for the keys. None on servers with an API before 6.5, which have no keys, and with a filter that admits
    /// no keys, which are private and not ephemeral.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have;
    /// [`ErrorKind::Keyring`](crate::ErrorKind::Keyring).
    #[doc(alias = "virConnectListAllSecrets")]
    pub async fn list_all_secrets(&self, filter: SecretFilter) -> Result<Vec<Secret>> {
        refuse_unknown(filter, SecretFilter::FILTERS_ALL, "connectListAllSecrets")?;
        let admits = |ephemeral, private| {
            filter.admits(
                SecretFilter::EPHEMERAL,
                ephemeral,
                SecretFilter::NO_EPHEMERAL,
            ) && filter.admits(SecretFilter::PRIVATE, private, SecretFilter::NO_PRIVATE)
        };
        let mut all = Store::of(self).all()?;
        all.retain(|def| admits(def.ephemeral, def.private));
        let mut secrets: Vec<_> = all.iter().filter_map(|def| Secret::of(self, def)).collect();
        if admits(false, true) {
            let keys = self.keys().await?.into_iter();
            secrets.extend(keys.filter_map(|key| Secret::of_key(self, key)));
        }
        Ok(secrets)
    }

    /// The number of the connection's secrets, with the keys of domains. Requests as of
    /// [`list_all_secrets`](Connect::list_all_secrets).
    ///
    /// # Errors
    /// As [`list_all_secrets`](Connect::list_all_secrets).
    #[doc(alias = "virConnectNumOfSecrets")]
    pub async fn num_of_secrets(&self) -> Result<usize> {
        Ok(self.list_secrets().await?.len())
    }

    /// The UUIDs of the connection's secrets, with the keys of domains. Requests as of
    /// [`list_all_secrets`](Connect::list_all_secrets).
    ///
    /// # Errors
    /// As [`list_all_secrets`](Connect::list_all_secrets).
    #[doc(alias = "virConnectListSecrets")]
    pub async fn list_secrets(&self) -> Result<Vec<Uuid>> {
        let all = self.list_all_secrets(SecretFilter::NONE).await?;
        Ok(all.iter().map(Secret::uuid).collect())
    }

    /// The secret with that UUID. One request for the UUID of a key of domains, which begins with `766b6579`; otherwise
    /// none.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none;
    /// [`ErrorKind::Keyring`](crate::ErrorKind::Keyring).
    #[doc(alias("virSecretLookupByUUID", "virSecretLookupByUUIDString"))]
    pub async fn secret_lookup_by_uuid(&self, uuid: Uuid) -> Result<Secret> {
        if is_of_key(uuid) {
            let mut keys = self.keys().await?.into_iter();
            let key = keys.find(|key| key.uuid == Some(uuid));
            if let Some(secret) = key.and_then(|key| Secret::of_key(self, key)) {
                return Ok(secret);
            }
        }
        let def = Store::of(self).get(uuid)?;
        self.secret(&def)
    }

    /// The secret with that usage. One request for the type `volume`, if the connection keeps no such secret: it can be a key
    /// of domains.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none;
    /// [`ErrorKind::Keyring`](crate::ErrorKind::Keyring).
    #[doc(alias = "virSecretLookupByUsage")]
    pub async fn secret_lookup_by_usage(&self, kind: SecretUsageType, id: &str) -> Result<Secret> {
        if let Some(def) = Store::of(self).by_usage(kind, id)? {
            return self.secret(&def);
        }
        let keys = match kind {
            SecretUsageType::Volume => self.keys().await?,
            _ => Vec::new(),
        };
        let is_wanted = |key: &SecretDef| key.usage.as_ref().is_some_and(|usage| usage.id() == id);
        let key = keys.into_iter().find(is_wanted);
        let key = key.and_then(|key| Secret::of_key(self, key));
        key.ok_or_else(|| no_usage(id))
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
                let found = Store::of(self).by_usage(kind, id)?;
                found.and_then(|def| def.uuid).ok_or_else(|| no_usage(id))
            }
            _ => Err(no_secret("the document names no secret".to_owned())),
        };
        let value = uuid.and_then(|uuid| Store::of(self).value(uuid));
        value.map_err(|error| {
            let is_missing = error.kind() == ErrorKind::NotFound(What::Secret);
            match is_missing {
                true => error.advise(
                    "define the secret and set its value before, on the same connection or in its keyring",
                ),
                false => error,
            }
        })
    }

    /// The changes of the connection's secrets from now on.
    pub(crate) fn secret_changes(&self) -> UnboundedReceiver<SecretChange> {
        Store::of(self).listen()
    }

    fn secret(&self, def: &SecretDef) -> Result<Secret> {
        Secret::of(self, def).ok_or_else(|| no_secret("the secret has no UUID".to_owned()))
    }
}

fn no_usage(id: &str) -> Error {
    no_secret(format!("no secret with matching usage '{id}'"))
}
