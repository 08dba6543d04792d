use std::ops::BitOr;

/// What of a definition is written (libvirt's `virDomainXMLFlags`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct XmlFlags(u32);

impl XmlFlags {
    /// The definition as it is now, without secrets.
    pub const NONE: XmlFlags = XmlFlags(0);
    /// With passwords (`VIR_DOMAIN_XML_SECURE`).
    pub const SECURE: XmlFlags = XmlFlags(1);
    /// As the domain will be at its next start (`VIR_DOMAIN_XML_INACTIVE`).
    pub const INACTIVE: XmlFlags = XmlFlags(2);
    /// With the features of the host's processor (`VIR_DOMAIN_XML_UPDATE_CPU`).
    pub const UPDATE_CPU: XmlFlags = XmlFlags(4);
    /// Fit for migration (`VIR_DOMAIN_XML_MIGRATABLE`).
    pub const MIGRATABLE: XmlFlags = XmlFlags(8);

    /// libvirt's number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The flags of libvirt's number; None when a bit is set that has no name here.
    pub const fn from_bits(bits: u32) -> Option<XmlFlags> {
        if bits < 16 {
            Some(XmlFlags(bits))
        } else {
            None
        }
    }

    /// Whether all of `flags` are set.
    pub const fn contains(self, flags: XmlFlags) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for XmlFlags {
    type Output = XmlFlags;

    fn bitor(self, other: XmlFlags) -> XmlFlags {
        XmlFlags(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_libvirts() {
        let all =
            XmlFlags::SECURE | XmlFlags::INACTIVE | XmlFlags::UPDATE_CPU | XmlFlags::MIGRATABLE;
        assert_eq!(all.bits(), 15);
        assert_eq!(XmlFlags::from_bits(15), Some(all));
        assert_eq!(XmlFlags::from_bits(16), None);
        assert_eq!(XmlFlags::default(), XmlFlags::NONE);
    }

    #[test]
    fn contained_are_all_or_none() {
        let flags = XmlFlags::SECURE | XmlFlags::INACTIVE;
        assert!(flags.contains(XmlFlags::INACTIVE));
        assert!(flags.contains(XmlFlags::NONE));
        assert!(!flags.contains(XmlFlags::SECURE | XmlFlags::MIGRATABLE));
    }
}
