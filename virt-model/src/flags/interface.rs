use super::flags;

flags! {
    /// Which interfaces of a host a list has (`virConnectListAllInterfacesFlags`).
    ///
    /// The group restricts the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct InterfaceFilter {
        /// Is not active.
        INACTIVE = 0,
        /// Is active.
        ACTIVE = 1,
    }
    groups {
        /// Active or not.
        FILTERS_ACTIVE = INACTIVE | ACTIVE,
    }

    /// What of an interface's definition is written (`virInterfaceXMLFlags`).
    pub struct InterfaceXmlFlags {
        /// Write what is configured, without what was found out at run time.
        INACTIVE = 0,
    }

    /// Flags of defining an interface (`virInterfaceDefineFlags`).
    pub struct InterfaceDefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }
}
