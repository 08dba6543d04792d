use super::flags;

flags! {
    /// Which secrets a list has (`virConnectListAllSecretsFlags`).
    ///
    /// The groups restrict the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct SecretFilter {
        /// Is kept in memory only.
        EPHEMERAL = 0,
        /// Is stored.
        NO_EPHEMERAL = 1,
        /// Has a value that is never shown.
        PRIVATE = 2,
        /// Has a value that is shown.
        NO_PRIVATE = 3,
    }
    groups {
        /// In memory only or stored.
        FILTERS_EPHEMERAL = EPHEMERAL | NO_EPHEMERAL,
        /// Private or not.
        FILTERS_PRIVATE = PRIVATE | NO_PRIVATE,
    }

    /// Flags of defining a secret (`virSecretDefineFlags`).
    pub struct SecretDefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }
}
