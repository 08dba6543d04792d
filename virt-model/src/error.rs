use std::fmt;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $plain:literal, $with:literal;)*) => {
        /// The number of an error (libvirt's `virErrorNumber`), of those that a driver like ESX's raises.
        ///
        /// [`Display`](fmt::Display) is libvirt's text for an error without a message;
        /// [`ErrorNumber::with`] is the text with one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorNumber {
            $($(#[$doc])* $name = $number,)*
        }

        impl ErrorNumber {
            /// All errors, in the order of their numbers.
            pub const ALL: &'static [ErrorNumber] = &[$(ErrorNumber::$name),*];

            /// libvirt's text with a message: `invalid argument: …`, `Domain not found: …`. An empty message
            /// gives the text without one.
            pub fn with(self, message: &str) -> String {
                match self {
                    _ if message.is_empty() => self.to_string(),
                    $(ErrorNumber::$name => format!($with, message),)*
                }
            }
        }

        impl fmt::Display for ErrorNumber {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(ErrorNumber::$name => $plain,)*
                })
            }
        }
    };
}

impl ErrorNumber {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

numbers! {
    /// `VIR_ERR_INTERNAL_ERROR`.
    InternalError = 1, "internal error", "internal error: {}";
    /// `VIR_ERR_NO_MEMORY`.
    NoMemory = 2, "out of memory", "out of memory: {}";
    /// `VIR_ERR_NO_SUPPORT`.
    NoSupport = 3, "this function is not supported by the connection driver", "this function is not supported by the connection driver: {}";
    /// `VIR_ERR_UNKNOWN_HOST`.
    UnknownHost = 4, "unknown host", "unknown host {}";
    /// `VIR_ERR_NO_CONNECT`.
    NoConnect = 5, "no connection driver available", "no connection driver available for {}";
    /// `VIR_ERR_INVALID_CONN`.
    InvalidConn = 6, "invalid connection pointer in", "invalid connection pointer in {}";
    /// `VIR_ERR_INVALID_DOMAIN`.
    InvalidDomain = 7, "invalid domain pointer in", "invalid domain pointer in {}";
    /// `VIR_ERR_INVALID_ARG`.
    InvalidArg = 8, "invalid argument", "invalid argument: {}";
    /// `VIR_ERR_OPERATION_FAILED`.
    OperationFailed = 9, "operation failed", "operation failed: {}";
    /// `VIR_ERR_HTTP_ERROR`.
    HttpError = 12, "got unknown HTTP error code", "got unknown HTTP error code {}";
    /// `VIR_ERR_OS_TYPE`.
    OsType = 16, "unknown OS type", "unknown OS type {}";
    /// `VIR_ERR_NO_SOURCE`.
    NoSource = 19, "missing source information for device", "missing source information for device {}";
    /// `VIR_ERR_NO_TARGET`.
    NoTarget = 20, "missing target information for device", "missing target information for device {}";
    /// `VIR_ERR_NO_NAME`.
    NoName = 21, "missing name information", "missing name information in {}";
    /// `VIR_ERR_NO_OS`.
    NoOs = 22, "missing operating system information", "missing operating system information for {}";
    /// `VIR_ERR_NO_DEVICE`.
    NoDevice = 23, "missing devices information", "missing devices information for {}";
    /// `VIR_ERR_CALL_FAILED`.
    CallFailed = 26, "library call failed", "library call failed: {}";
    /// `VIR_ERR_XML_ERROR`.
    XmlError = 27, "XML description is invalid or not well formed", "XML error: {}";
    /// `VIR_ERR_DOM_EXIST`.
    DomExist = 28, "this domain exists already", "domain {} exists already";
    /// `VIR_ERR_OPERATION_DENIED`.
    OperationDenied = 29, "operation forbidden for read only access", "operation forbidden: {}";
    /// `VIR_ERR_OPEN_FAILED`.
    OpenFailed = 30, "failed to open configuration file", "failed to open configuration file {}";
    /// `VIR_ERR_READ_FAILED`.
    ReadFailed = 31, "failed to read configuration file", "failed to read configuration file {}";
    /// `VIR_ERR_PARSE_FAILED`.
    ParseFailed = 32, "failed to parse configuration file", "failed to parse configuration file {}";
    /// `VIR_ERR_CONF_SYNTAX`.
    ConfSyntax = 33, "configuration file syntax error", "configuration file syntax error: {}";
    /// `VIR_ERR_WRITE_FAILED`.
    WriteFailed = 34, "failed to write configuration file", "failed to write configuration file: {}";
    /// `VIR_ERR_XML_DETAIL`.
    XmlDetail = 35, "parser error", "{}";
    /// `VIR_ERR_INVALID_NETWORK`.
    InvalidNetwork = 36, "invalid network pointer in", "invalid network pointer in {}";
    /// `VIR_ERR_NETWORK_EXIST`.
    NetworkExist = 37, "this network exists already", "network {} exists already";
    /// `VIR_ERR_SYSTEM_ERROR`.
    SystemError = 38, "system call error", "{}";
    /// `VIR_ERR_RPC`.
    Rpc = 39, "RPC error", "{}";
    /// `VIR_ERR_NO_DOMAIN`.
    NoDomain = 42, "Domain not found", "Domain not found: {}";
    /// `VIR_ERR_NO_NETWORK`.
    NoNetwork = 43, "Network not found", "Network not found: {}";
    /// `VIR_ERR_INVALID_MAC`.
    InvalidMac = 44, "invalid MAC address", "invalid MAC address: {}";
    /// `VIR_ERR_AUTH_FAILED`.
    AuthFailed = 45, "authentication failed", "authentication failed: {}";
    /// `VIR_ERR_INVALID_STORAGE_POOL`.
    InvalidStoragePool = 46, "invalid storage pool pointer in", "invalid storage pool pointer in {}";
    /// `VIR_ERR_INVALID_STORAGE_VOL`.
    InvalidStorageVol = 47, "invalid storage volume pointer in", "invalid storage volume pointer in {}";
    /// `VIR_ERR_NO_STORAGE_POOL`.
    NoStoragePool = 49, "Storage pool not found", "Storage pool not found: {}";
    /// `VIR_ERR_NO_STORAGE_VOL`.
    NoStorageVol = 50, "Storage volume not found", "Storage volume not found: {}";
    /// `VIR_ERR_NO_NODE_DEVICE`.
    NoNodeDevice = 53, "Node device not found", "Node device not found: {}";
    /// `VIR_ERR_OPERATION_INVALID`.
    OperationInvalid = 55, "Requested operation is not valid", "Requested operation is not valid: {}";
    /// `VIR_ERR_NO_INTERFACE`.
    NoInterface = 57, "Interface not found", "Interface not found: {}";
    /// `VIR_ERR_INVALID_INTERFACE`.
    InvalidInterface = 58, "invalid interface pointer in", "invalid interface pointer in {}";
    /// `VIR_ERR_MULTIPLE_INTERFACES`.
    MultipleInterfaces = 59, "multiple matching interfaces found", "multiple matching interfaces found: {}";
    /// `VIR_ERR_INVALID_SECRET`.
    InvalidSecret = 65, "Invalid secret", "Invalid secret: {}";
    /// `VIR_ERR_NO_SECRET`.
    NoSecret = 66, "Secret not found", "Secret not found: {}";
    /// `VIR_ERR_CONFIG_UNSUPPORTED`.
    ConfigUnsupported = 67, "unsupported configuration", "unsupported configuration: {}";
    /// `VIR_ERR_OPERATION_TIMEOUT`.
    OperationTimeout = 68, "Timed out during operation", "Timed out during operation: {}";
    /// `VIR_ERR_INVALID_DOMAIN_SNAPSHOT`.
    InvalidDomainSnapshot = 71, "Invalid domain snapshot", "Invalid domain snapshot: {}";
    /// `VIR_ERR_NO_DOMAIN_SNAPSHOT`.
    NoDomainSnapshot = 72, "Domain snapshot not found", "Domain snapshot not found: {}";
    /// `VIR_ERR_INVALID_STREAM`.
    InvalidStream = 73, "invalid stream pointer", "invalid stream pointer in {}";
    /// `VIR_ERR_ARGUMENT_UNSUPPORTED`.
    ArgumentUnsupported = 74, "argument unsupported", "argument unsupported: {}";
    /// `VIR_ERR_STORAGE_PROBE_FAILED`.
    StorageProbeFailed = 75, "Storage pool probe failed", "Storage pool probe failed: {}";
    /// `VIR_ERR_STORAGE_POOL_BUILT`.
    StoragePoolBuilt = 76, "Storage pool already built", "Storage pool already built: {}";
    /// `VIR_ERR_OPERATION_ABORTED`.
    OperationAborted = 78, "operation aborted", "operation aborted: {}";
    /// `VIR_ERR_AUTH_CANCELLED`.
    AuthCancelled = 79, "authentication cancelled", "authentication cancelled: {}";
    /// `VIR_ERR_NO_DOMAIN_METADATA`.
    NoDomainMetadata = 80, "metadata not found", "metadata not found: {}";
    /// `VIR_ERR_MIGRATE_UNSAFE`.
    MigrateUnsafe = 81, "Unsafe migration", "Unsafe migration: {}";
    /// `VIR_ERR_OVERFLOW`.
    Overflow = 82, "numerical overflow", "numerical overflow: {}";
    /// `VIR_ERR_OPERATION_UNSUPPORTED`.
    OperationUnsupported = 84, "Operation not supported", "Operation not supported: {}";
    /// `VIR_ERR_AGENT_UNRESPONSIVE`.
    AgentUnresponsive = 86, "Guest agent is not responding", "Guest agent is not responding: {}";
    /// `VIR_ERR_RESOURCE_BUSY`.
    ResourceBusy = 87, "resource busy", "resource busy: {}";
    /// `VIR_ERR_ACCESS_DENIED`.
    AccessDenied = 88, "access denied", "access denied: {}";
    /// `VIR_ERR_STORAGE_VOL_EXIST`.
    StorageVolExist = 90, "this storage volume exists already", "storage volume {} exists already";
    /// `VIR_ERR_XML_INVALID_SCHEMA`.
    XmlInvalidSchema = 92, "XML document failed to validate against schema", "XML document failed to validate against schema: {}";
    /// `VIR_ERR_AUTH_UNAVAILABLE`.
    AuthUnavailable = 94, "authentication unavailable", "authentication unavailable: {}";
    /// `VIR_ERR_DEVICE_MISSING`.
    DeviceMissing = 99, "device not found", "device not found: {}";
    /// `VIR_ERR_NO_HOSTNAME`.
    NoHostname = 108, "no hostname found", "no hostname found: {}";
    /// `VIR_ERR_MULTIPLE_DOMAINS`.
    MultipleDomains = 110, "multiple matching domains found", "multiple matching domains found: {}";
}

/// The part of libvirt that reports an error (libvirt's `virErrorDomain`), of those that a driver
/// like ESX's needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorDomain {
    /// The core.
    #[default]
    None = 0,
    /// XML documents.
    Xml = 5,
    /// Configuration files.
    Conf = 9,
    /// Virtual networks.
    Network = 19,
    /// Domains.
    Domain = 20,
    /// Devices of hosts.
    NodeDev = 22,
    /// Storage.
    Storage = 18,
    /// Host interfaces.
    Interface = 26,
    /// The ESX driver.
    Esx = 28,
    /// Secrets.
    Secret = 30,
    /// Domain snapshots.
    DomainSnapshot = 35,
    /// Streams.
    Streams = 38,
    /// VMX files.
    Vmware = 39,
    /// Capabilities.
    Capabilities = 44,
    /// URIs.
    Uri = 45,
    /// Credentials.
    Auth = 46,
}

impl ErrorDomain {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise() {
        assert!(ErrorNumber::ALL.is_sorted_by_key(|error| error.number()));
    }

    #[track_caller]
    fn check(error: ErrorNumber, number: u32, alone: &str, with: &str) {
        assert_eq!(error.number(), number);
        assert_eq!(error.to_string(), alone);
        assert_eq!(error.with("x"), with);
    }

    #[test]
    fn texts_with_a_colon() {
        check(
            ErrorNumber::InternalError,
            1,
            "internal error",
            "internal error: x",
        );
        check(
            ErrorNumber::InvalidArg,
            8,
            "invalid argument",
            "invalid argument: x",
        );
        check(
            ErrorNumber::NoDomain,
            42,
            "Domain not found",
            "Domain not found: x",
        );
        check(
            ErrorNumber::AuthFailed,
            45,
            "authentication failed",
            "authentication failed: x",
        );
        check(
            ErrorNumber::OperationInvalid,
            55,
            "Requested operation is not valid",
            "Requested operation is not valid: x",
        );
    }

    #[test]
    fn texts_of_another_shape() {
        check(
            ErrorNumber::XmlError,
            27,
            "XML description is invalid or not well formed",
            "XML error: x",
        );
        check(
            ErrorNumber::DomExist,
            28,
            "this domain exists already",
            "domain x exists already",
        );
        check(ErrorNumber::SystemError, 38, "system call error", "x");
    }
}
