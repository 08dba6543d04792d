use super::flags;

flags! {
    /// What of a network's definition is written (`virNetworkXMLFlags`).
    pub struct NetworkXmlFlags {
        /// Write the definition of the next start, without what libvirt found out at run time.
        INACTIVE = 0,
    }

    /// Which networks a list has (`virConnectListAllNetworksFlags`).
    ///
    /// The groups restrict the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct NetworkFilter {
        /// Is not active.
        INACTIVE = 0,
        /// Is active.
        ACTIVE = 1,
        /// Stays defined when it is stopped.
        PERSISTENT = 2,
        /// Vanishes when it is stopped.
        TRANSIENT = 3,
        /// Starts with its host.
        AUTOSTART = 4,
        /// Does not start with its host.
        NO_AUTOSTART = 5,
    }
    groups {
        /// Active or not.
        FILTERS_ACTIVE = ACTIVE | INACTIVE,
        /// Persistent or transient.
        FILTERS_PERSISTENT = PERSISTENT | TRANSIENT,
        /// With or without autostart.
        FILTERS_AUTOSTART = AUTOSTART | NO_AUTOSTART,
    }

    /// Flags of defining a network (`virNetworkDefineFlags`).
    pub struct NetworkDefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }
}
