//! Why a connection ended.

super::words! {
    /// Why a connection was closed (`virConnectCloseReason`). The words are those of virsh's message
    /// "Disconnected from … due to …".
    ConnectCloseReason {
        /// A read or write failed.
        Error = 0, "I/O error";
        /// The server closed it.
        Eof = 1, "end of file";
        /// The server did not answer in time.
        KeepAlive = 2, "keepalive timeout";
        /// The program closed it. (virsh says nothing then.)
        Client = 3, "client request";
    }
}
