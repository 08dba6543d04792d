//! Events of networks.

super::words! {
    /// A kind of network events (`virNetworkEventID`).
    NetworkEventId {
        /// A network is defined, undefined, started or stopped.
        Lifecycle = 0, "lifecycle";
        /// Its metadata changed (libvirt 9.8.0).
        MetadataChange = 1, "metadata-change";
    }
    /// A change in a network's life cycle (`virNetworkEventLifecycleType`). libvirt's detail is always 0.
    NetworkLifecycleEvent {
        /// There is a new definition of the network.
        Defined = 0, "Defined";
        /// The definition is gone.
        Undefined = 1, "Undefined";
        /// The network started.
        Started = 2, "Started";
        /// The network stopped.
        Stopped = 3, "Stopped";
    }
}
