//! UUIDs of what has none.

use md5::{Digest as _, Md5};
use virt_model::Uuid;

/// The UUID that libvirt's ESX driver (9.0.0) gives to something that a server knows by a text: the MD5 sum of the text.
///
/// The text is a switch's key, the path where a host has mounted a datastore, the name of an iSCSI target, or the UUID
/// of a LUN.
pub(crate) fn derived_uuid(text: &str) -> Uuid {
    Uuid::from_bytes(Md5::digest(text).into())
}

#[cfg(test)]
mod tests {
    use super::derived_uuid;

    #[test]
    fn uuids() {
        for (text, expected) in [
            (
                "key-vim.host.VirtualSwitch-vSwitch0",
                "2f467347-8b4e-8655-e7d6-c4c3fb968009",
            ),
            ("", "d41d8cd9-8f00-b204-e980-0998ecf8427e"),
        ] {
            assert_eq!(derived_uuid(text).to_string(), expected, "{text}");
        }
    }
}
