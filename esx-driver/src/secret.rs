//! Secrets: passwords that definitions name, such as those of iSCSI targets.

mod key;
mod keyring;
mod list;
mod store;

use std::{fmt, sync::Arc};

use virt_model::{
    Document as _, ErrorDomain, ErrorNumber, NoFlags, SecretDef, Uuid,
    secret::{SecretUsage, SecretUsageType},
};
use zeroize::Zeroizing;

pub(crate) use self::store::SecretChange;
use self::store::Store;
use crate::{Connect, Error, ErrorKind, Result, What};

/// A secret: libvirt's `virSecret`.
///
/// Hosts keep no secrets. This driver keeps those of a [`Connect`] in memory, for all its clones and until the last one
/// is dropped; with [`OpenOptions::keyring`](crate::OpenOptions::keyring), those that are not ephemeral are kept in a file
/// instead. Values are overwritten when they are forgotten, and are in no log, error or `Debug` text. (libvirt's ESX driver
/// has no secrets.)
///
/// The keys that encrypt the host's domains (vSphere 6.5 and later) are private secrets, too. Only their ids are known:
/// a host gets the keys from its key provider and tells nobody. So they have no value, and cannot be changed. A key's usage
/// is the type `volume` with the id `PROVIDER/KEY`; its UUID follows from that id, and begins with `766b6579`; its description names
/// the domains.
///
/// No function of it makes a request. With a keyring, all but the simple ones read its file, and fail with
/// [`ErrorKind::Keyring`] if it cannot be used.
#[derive(Clone)]
pub struct Secret {
    connect: Connect,
    uuid: Uuid,
    usage: Option<SecretUsage>,
    /// What was found, if it is a key of domains.
    key: Option<Arc<SecretDef>>,
}

impl Secret {
    fn of(connect: &Connect, def: &SecretDef) -> Option<Secret> {
        Some(Secret {
            connect: connect.clone(),
            uuid: def.uuid?,
            usage: def.usage.clone(),
            key: None,
        })
    }

    fn of_key(connect: &Connect, def: SecretDef) -> Option<Secret> {
        let secret = Secret::of(connect, &def)?;
        Some(Secret {
            key: Some(Arc::new(def)),
            ..secret
        })
    }

    /// The UUID.
    #[doc(alias("virSecretGetUUID", "virSecretGetUUIDString"))]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// What the secret is for.
    #[doc(alias = "virSecretGetUsageType")]
    pub fn usage_type(&self) -> SecretUsageType {
        let usage = self.usage.as_ref();
        usage.map_or(SecretUsageType::None, SecretUsage::kind)
    }

    /// The id by which other documents name it; empty if it has none.
    #[doc(alias = "virSecretGetUsageID")]
    pub fn usage_id(&self) -> &str {
        self.usage.as_ref().map_or("", SecretUsage::id)
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// The definition, which does not have the value; of a key as it was when the key was found.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the secret was undefined.
    pub fn definition(&self) -> Result<SecretDef> {
        match &self.key {
            Some(key) => Ok(SecretDef::clone(key)),
            None => Store::of(&self.connect).get(self.uuid),
        }
    }

    /// The definition as libvirt's XML document, which does not have the value.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the secret was undefined.
    #[doc(alias = "virSecretGetXMLDesc")]
    pub fn xml_desc(&self) -> Result<String> {
        Ok(self.definition()?.to_xml(NoFlags::NONE))
    }

    /// Gives the secret a value: any bytes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the secret was undefined; [`ErrorKind::Unsupported`] of a key of domains;
    /// [`ErrorKind::Keyring`].
    #[doc(alias = "virSecretSetValue")]
    pub async fn set_value(&self, value: &[u8]) -> Result<()> {
        self.check_changeable()?;
        let value = Zeroizing::new(value.to_vec());
        Store::of(&self.connect).set_value(self.uuid, value).await
    }

    /// The secret's value, which is overwritten when it is dropped.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the secret was undefined or has no value; [`ErrorKind::NoPermission`] if it is private.
    #[doc(alias = "virSecretGetValue")]
    pub fn value(&self) -> Result<Zeroizing<Vec<u8>>> {
        if self.definition()?.private {
            let message = "secret is private";
            let error = Error::new(ErrorKind::NoPermission, ErrorNumber::InvalidSecret, message);
            return Err(error.in_part(ErrorDomain::Secret));
        }
        Store::of(&self.connect).value(self.uuid)
    }

    /// Forgets the secret and its value.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if it was undefined before; [`ErrorKind::Unsupported`] of a key of domains;
    /// [`ErrorKind::Keyring`].
    #[doc(alias = "virSecretUndefine")]
    pub async fn undefine(&self) -> Result<()> {
        self.check_changeable()?;
        Store::of(&self.connect).remove(self.uuid).await
    }

    fn check_changeable(&self) -> Result<()> {
        match self.key {
            Some(_) => Err(is_key(self.usage_id())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("uuid", &self.uuid)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

fn is_key(id: &str) -> Error {
    let message = format!("the key '{id}' is kept by its key provider, and cannot be changed here");
    let error = Error::new(ErrorKind::Unsupported, ErrorNumber::InvalidSecret, message);
    error
        .in_part(ErrorDomain::Secret)
        .advise("domains get another key by being encrypted anew, in the vSphere Client")
}

/// The texts of errors are those of libvirt's secret_driver.c and virsecretobj.c (9.0.0).
fn no_secret(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Secret);
    Error::new(kind, ErrorNumber::NoSecret, message).in_part(ErrorDomain::Secret)
}
