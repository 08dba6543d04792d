use super::flags;
use crate::words::words;

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

    /// Flags of making a network (`virNetworkCreateFlags`).
    pub struct NetworkCreateFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }

    /// What a change of a network concerns (`virNetworkUpdateFlags`). Without a flag: the running
    /// network if it runs, else its definition.
    pub struct NetworkUpdateFlags {
        /// The running network.
        LIVE = 0,
        /// The definition.
        CONFIG = 1,
    }
}

words! {
    /// What a change does with a part of a network (`virNetworkUpdateCommand`), in virsh's words.
    pub enum NetworkUpdateCommand {
        /// Changes the part that has the same key.
        Modify = "modify",
        /// Removes it.
        Delete = "delete",
        /// Adds it after the others; virsh also says `add`.
        AddLast = "add-last",
        /// Adds it before the others.
        AddFirst = "add-first",
    }
}

words! {
    /// The part of a network that a change concerns (`virNetworkUpdateSection`), in virsh's words.
    pub enum NetworkUpdateSection {
        Bridge = "bridge",
        Domain = "domain",
        Ip = "ip",
        IpDhcpHost = "ip-dhcp-host",
        IpDhcpRange = "ip-dhcp-range",
        Forward = "forward",
        ForwardInterface = "forward-interface",
        ForwardPf = "forward-pf",
        Portgroup = "portgroup",
        DnsHost = "dns-host",
        DnsTxt = "dns-txt",
        DnsSrv = "dns-srv",
    }
}

impl NetworkUpdateCommand {
    /// libvirt's number; 0 is no command.
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }
}

impl NetworkUpdateSection {
    /// libvirt's number; 0 is no section.
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }
}
