//! Events of storage pools.

super::words! {
    /// A kind of storage pool events (`virStoragePoolEventID`).
    StoragePoolEventId {
        /// A pool is defined, undefined, started, stopped, created or deleted.
        Lifecycle = 0, "lifecycle";
        /// Its list of volumes was read again.
        Refresh = 1, "refresh";
    }
    /// A change in a storage pool's life cycle (`virStoragePoolEventLifecycleType`). libvirt's detail is always 0.
    StoragePoolLifecycleEvent {
        /// There is a new definition of the pool.
        Defined = 0, "Defined";
        /// The definition is gone.
        Undefined = 1, "Undefined";
        /// The pool started.
        Started = 2, "Started";
        /// The pool stopped.
        Stopped = 3, "Stopped";
        /// The pool's storage was made.
        Created = 4, "Created";
        /// The pool's storage was deleted.
        Deleted = 5, "Deleted";
    }
}
