use std::{
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use crate::LibVersion;

/// A version of libvirt whose documents, conversions or errors differ from those of the version
/// before.
///
/// Ordered from old to new. [`FromStr`] reads any version of libvirt from 9.0.0 on (`9.0.0`,
/// `11.3`) or `newest`, and takes the last of these that is not newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum LibvirtVersion {
    /// 9.0.0, what Debian 12 has.
    V9_0,
    /// 11.3.0: CPU clusters, empty CD-ROM drives, optional ids of distributed switches, secure
    /// boot, network serial ports without a port.
    V11_3,
    /// 11.5.0: NVMe disks.
    V11_5,
    /// 11.10.0: file names with a sub-directory.
    V11_10,
    /// 12.4.0: NVRAM, vTPM, `<hwuuid>`, disks of wide SCSI controllers in their places.
    V12_4,
    /// 12.5.0: the 64th disk of a SCSI controller.
    V12_5,
    /// After 12.5.0: every present controller, with its PCI address.
    #[default]
    Newest,
}

impl LibvirtVersion {
    /// All, from old to new.
    pub const ALL: [LibvirtVersion; 7] = [
        LibvirtVersion::V9_0,
        LibvirtVersion::V11_3,
        LibvirtVersion::V11_5,
        LibvirtVersion::V11_10,
        LibvirtVersion::V12_4,
        LibvirtVersion::V12_5,
        LibvirtVersion::Newest,
    ];

    /// The name [`FromStr`] reads: `9.0.0` … `12.5.0`, `newest`.
    pub const fn name(self) -> &'static str {
        match self {
            LibvirtVersion::V9_0 => "9.0.0",
            LibvirtVersion::V11_3 => "11.3.0",
            LibvirtVersion::V11_5 => "11.5.0",
            LibvirtVersion::V11_10 => "11.10.0",
            LibvirtVersion::V12_4 => "12.4.0",
            LibvirtVersion::V12_5 => "12.5.0",
            LibvirtVersion::Newest => "newest",
        }
    }

    /// The first release that behaves so.
    const fn since(self) -> LibVersion {
        match self {
            LibvirtVersion::V9_0 => LibVersion::new(9, 0, 0),
            LibvirtVersion::V11_3 => LibVersion::new(11, 3, 0),
            LibvirtVersion::V11_5 => LibVersion::new(11, 5, 0),
            LibvirtVersion::V11_10 => LibVersion::new(11, 10, 0),
            LibvirtVersion::V12_4 => LibVersion::new(12, 4, 0),
            LibvirtVersion::V12_5 => LibVersion::new(12, 5, 0),
            LibvirtVersion::Newest => LibVersion::new(12, 6, 0),
        }
    }
}

impl Display for LibvirtVersion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LibvirtVersion {
    type Err = ParseLibvirtVersionError;

    fn from_str(text: &str) -> Result<LibvirtVersion, ParseLibvirtVersionError> {
        if text.eq_ignore_ascii_case("newest") {
            return Ok(LibvirtVersion::Newest);
        }
        let fail = || ParseLibvirtVersionError(text.to_owned());
        let version: LibVersion = text.parse().map_err(|_| fail())?;
        let not_newer = |known: &LibvirtVersion| known.since() <= version;
        LibvirtVersion::ALL
            .into_iter()
            .rfind(not_newer)
            .ok_or_else(fail)
    }
}

/// The text is not the name of a known libvirt version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a known version of libvirt: expected `9.0.0` or a later one, or `newest`")]
pub struct ParseLibvirtVersionError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<LibvirtVersion>) {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }

    #[test]
    fn the_last_state_that_is_not_newer() {
        check("9.0.0", Some(LibvirtVersion::V9_0));
        check("10.1", Some(LibvirtVersion::V9_0));
        check("11.3", Some(LibvirtVersion::V11_3));
        check("11.9.0", Some(LibvirtVersion::V11_5));
        check("12.5", Some(LibvirtVersion::V12_5));
        check("12.8.0", Some(LibvirtVersion::Newest));
        check("Newest", Some(LibvirtVersion::Newest));
        check("8.10.0", None);
        check("old", None);
    }

    #[test]
    fn every_name_reads_back() {
        for version in LibvirtVersion::ALL {
            check(version.name(), Some(version));
        }
    }
}
