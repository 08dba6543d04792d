//! Secrets: passwords that definitions name, such as those of iSCSI targets.

mod list;
mod store;

use std::fmt;

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
/// is dropped, whatever the definition says of `ephemeral`. Values are overwritten when they are forgotten, and are in no
/// log, error or `Debug` text. (libvirt's ESX driver has no secrets.)
///
/// No function of it makes a request.
#[derive(Clone)]
pub struct Secret {
    connect: Connect,
    uuid: Uuid,
    usage: Option<SecretUsage>,
}

impl Secret {
    fn of(connect: &Connect, def: &SecretDef) -> Option<Secret> {
        Some(Secret {
            connect: connect.clone(),
            uuid: def.uuid?,
            usage: def.usage.clone(),
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

    /// The definition, which does not have the value.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the secret was undefined.
    pub fn definition(&self) -> Result<SecretDef> {
        self.store().get(self.uuid)
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
    /// [`ErrorKind::NotFound`] if the secret was undefined.
    #[doc(alias = "virSecretSetValue")]
    pub fn set_value(&self, value: &[u8]) -> Result<()> {
        let value = Zeroizing::new(value.to_vec());
        self.store().set_value(self.uuid, value)
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
        self.store().value(self.uuid)
    }

    /// Forgets the secret and its value.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if it was undefined before.
    #[doc(alias = "virSecretUndefine")]
    pub fn undefine(&self) -> Result<()> {
        self.store().remove(self.uuid)
    }

    fn store(&self) -> std::sync::Arc<Store> {
        self.connect.shared()
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

/// The texts of errors are those of libvirt's secret_driver.c and virsecretobj.c (9.0.0).
fn no_secret(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Secret);
    Error::new(kind, ErrorNumber::NoSecret, message).in_part(ErrorDomain::Secret)
}
