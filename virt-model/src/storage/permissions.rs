use xmltree::Element;

use crate::xml::{Build, Node, XmlError, decimal};

/// Who may use a pool's directory or a volume: `<permissions>`.
///
/// What is None is the hypervisor's default, and is not written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePermissions {
    /// The mode, such as `0o755`.
    pub mode: Option<u32>,
    /// The user's number.
    pub owner: Option<u32>,
    /// The group's number.
    pub group: Option<u32>,
    /// The label of the security driver.
    pub label: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl StoragePermissions {
    /// Mode, owner and group 0, which libvirt's ESX driver writes for every pool because it fills the
    /// structure with zeros.
    pub fn zero() -> StoragePermissions {
        StoragePermissions {
            mode: Some(0),
            owner: Some(0),
            group: Some(0),
            ..StoragePermissions::default()
        }
    }

    /// libvirt's `virStorageDefParsePerms`.
    pub(crate) fn read(node: Option<Node<'_>>) -> Result<StoragePermissions, XmlError> {
        let mut permissions = StoragePermissions::default();
        let Some(mut node) = node else {
            return Ok(permissions);
        };
        if let Some(mode) = node.text_of("mode") {
            permissions.mode = match octal(&mode) {
                Some(mode @ 0..=0o777) => Some(mode),
                _ => return Err(node.error("malformed octal mode")),
            };
        }
        permissions.owner = read_id(&mut node, "owner")?;
        permissions.group = read_id(&mut node, "group")?;
        permissions.label = node.text_of("label");
        Ok(permissions)
    }

    /// None if there is nothing to write.
    pub(crate) fn to_element(&self) -> Option<Element> {
        if *self == StoragePermissions::default() {
            return None;
        }
        // libvirt prints the numbers with a sign.
        let signed = |id: u32| id.cast_signed();
        Some(
            Element::new("permissions")
                .maybe_text("mode", self.mode.map(|mode| format!("0{mode:o}")))
                .maybe_text("owner", self.owner.map(signed))
                .maybe_text("group", self.group.map(signed))
                .maybe_text("label", self.label.as_ref()),
        )
    }
}

/// The number of a user or group; -1 means the default.
fn read_id(node: &mut Node<'_>, name: &str) -> Result<Option<u32>, XmlError> {
    let Some(child) = node.child(name) else {
        return Ok(None);
    };
    match decimal::<i64>(child.text()) {
        Some(-1) => Ok(None),
        Some(id) => match u32::try_from(id) {
            Ok(u32::MAX) => Ok(None),
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(node.error(format!("malformed {name} element"))),
        },
        None => Err(node.error(format!("malformed {name} element"))),
    }
}

fn octal(text: &str) -> Option<u32> {
    let digits = text.trim_ascii_start();
    u32::from_str_radix(digits, 8).ok()
}
