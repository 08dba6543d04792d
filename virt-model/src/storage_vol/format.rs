use xmltree::Element;

use crate::{
    StoragePoolType,
    words::words,
    xml::{Build, Node, XmlError},
};

words! {
    /// The format of a volume: of a file, or of a partition in a pool of type `disk`.
    pub enum StorageVolFormat {
        None = "none",
        Raw = "raw",
        Dir = "dir",
        Bochs = "bochs",
        Cloop = "cloop",
        Dmg = "dmg",
        Iso = "iso",
        Vpc = "vpc",
        Vdi = "vdi",
        Fat = "fat",
        Vhd = "vhd",
        Ploop = "ploop",
        Cow = "cow",
        Qcow = "qcow",
        Qcow2 = "qcow2",
        Qed = "qed",
        Vmdk = "vmdk",
        Linux = "linux",
        Fat16 = "fat16",
        Fat32 = "fat32",
        LinuxSwap = "linux-swap",
        LinuxLvm = "linux-lvm",
        LinuxRaid = "linux-raid",
        Extended = "extended",
    }
}

impl StoragePoolType {
    /// The formats that volumes of a pool of this type can have. None: they have no format.
    pub const fn volume_formats(self) -> &'static [StorageVolFormat] {
        use StorageVolFormat::*;
        match self {
            StoragePoolType::Dir
            | StoragePoolType::Fs
            | StoragePoolType::Netfs
            | StoragePoolType::Rbd
            | StoragePoolType::Gluster
            | StoragePoolType::Vstorage => &[
                Raw, Dir, Bochs, Cloop, Dmg, Iso, Vpc, Vdi, Fat, Vhd, Ploop, Cow, Qcow, Qcow2, Qed,
                Vmdk,
            ],
            StoragePoolType::Disk => &[
                None, Linux, Fat16, Fat32, LinuxSwap, LinuxLvm, LinuxRaid, Extended,
            ],
            _ => &[],
        }
    }
}

/// Reads `<format>`. Of a pool that is not known, every format is accepted; volumes of pools without
/// formats ignore it.
pub(super) fn read(
    node: &mut Node<'_>,
    pool: Option<StoragePoolType>,
) -> Result<Option<StorageVolFormat>, XmlError> {
    let formats = match pool {
        Some(pool) => pool.volume_formats(),
        None => StorageVolFormat::ALL,
    };
    let default = pool.and_then(|_| formats.first().copied());
    if formats.is_empty() {
        return Ok(None);
    }
    let Some(mut format) = node.child("format") else {
        return Ok(default);
    };
    let Some(word) = format.filled("type") else {
        return Ok(default);
    };
    let mut known = formats.iter().copied();
    match known.find(|format| format.as_str() == word) {
        Some(known) => Ok(Some(known)),
        None => Err(format.unsupported(format!("unknown volume format type {word}"))),
    }
}

impl StorageVolFormat {
    pub(super) fn to_element(self) -> Element {
        Element::new("format").attr("type", self)
    }
}
