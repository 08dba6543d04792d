//! Events of node devices.

super::words! {
    /// A kind of node device events (`virNodeDeviceEventID`).
    NodeDeviceEventId {
        /// A device appears or leaves.
        Lifecycle = 0, "lifecycle";
        /// Its description changed.
        Update = 1, "update";
    }
    /// A change in a node device's life cycle (`virNodeDeviceEventLifecycleType`). libvirt's detail is always 0.
    NodeDeviceLifecycleEvent {
        /// The device appeared.
        Created = 0, "Created";
        /// The device is gone.
        Deleted = 1, "Deleted";
        /// There is a new definition of the device.
        Defined = 2, "Defined";
        /// The definition is gone.
        Undefined = 3, "Undefined";
    }
}
