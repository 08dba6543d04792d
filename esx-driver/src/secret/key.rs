//! The keys that encrypt a host's domains.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use vi_client::{
    property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::{objects::CryptoKeyId, properties::HostSystem};
use virt_model::{SecretDef, Uuid, secret::SecretUsage};

use crate::{Connect, Result, derived_uuid::derived_uuid};

property_set! {
    struct Machine: VirtualMachine {
        name: Option<String> = name,
        key: Option<CryptoKeyId> = config.key_id,
    }
}

/// The first bytes of the UUIDs of keys: "vkey". So nobody is asked about other UUIDs.
const MARK: [u8; 4] = *b"vkey";

/// So many domains are named in a description.
const NAMED: usize = 8;

/// Whether the UUID can be that of a key.
pub(super) fn is_of_key(uuid: Uuid) -> bool {
    uuid.as_bytes().starts_with(&MARK)
}

impl Connect {
    /// The keys that encrypt the host's domains, by their ids, as private secrets: one request, and none on servers with an
    /// API before 6.5, which do not encrypt.
    pub(super) async fn keys(&self) -> Result<Vec<SecretDef>> {
        if !self.client().api_version().at_least(6, 5) {
            return Ok(Vec::new());
        }
        let machines = Retrieve::from(self.host_system().await?)
            .skip_start()
            .select(Selection::along(|host: &HostSystem| &host.vm));
        let machines = self.client().retrieve_set::<Machine>(machines).await?;
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for machine in machines {
            // A machine that may not be read has no key to be seen.
            let Ok(Machine {
                name,
                key: Some(key),
            }) = machine.properties
            else {
                continue;
            };
            let domains = keys.entry(id(&key)).or_default();
            // Servers escape `%`, `/` and `\` in names.
            let name = name.as_deref().map(percent_decode_str);
            domains.extend(name.map(|name| name.decode_utf8_lossy().into_owned()));
        }
        Ok(keys.into_iter().map(secret).collect())
    }
}

/// The id of a key with its provider's: `provider/key`.
fn id(key: &CryptoKeyId) -> String {
    match &key.provider_id {
        Some(provider) => format!("{}/{}", provider.id, key.key_id),
        None => key.key_id.clone(),
    }
}

fn secret((id, mut domains): (String, Vec<String>)) -> SecretDef {
    domains.sort();
    let more = domains.len().saturating_sub(NAMED);
    domains.truncate(NAMED);
    let mut description = format!("encrypts {}", domains.join(", "));
    if more > 0 {
        description += &format!(" and {more} more");
    }
    SecretDef {
        private: true,
        uuid: Some(uuid(&id)),
        description: Some(description),
        usage: Some(SecretUsage::Volume(id)),
        ..SecretDef::default()
    }
}

fn uuid(id: &str) -> Uuid {
    let mut bytes = *derived_uuid(id).as_bytes();
    bytes[..MARK.len()].copy_from_slice(&MARK);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_follow_from_ids() {
        let one = uuid("kms/key-1");
        assert!(one.to_string().starts_with("766b6579-"), "{one}");
        assert!(is_of_key(one) && one == uuid("kms/key-1") && one != uuid("kms/key-2"));
        assert!(!is_of_key(derived_uuid("kms/key-1")));
    }

    #[test]
    fn many_domains_are_not_all_named() {
        let domains = (0..10).rev().map(|number| format!("vm{number}")).collect();
        let def = secret(("key".to_owned(), domains));
        assert_eq!(
            def.description.unwrap(),
            "encrypts vm0, vm1, vm2, vm3, vm4, vm5, vm6, vm7 and 2 more"
        );
    }
}
