//! The faults that simulated methods answer.

use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{
    AlreadyExists, CannotCreateFile, CannotDeleteFile, ConcurrentAccess,
    DatastoreNotWritableOnHost, DuplicateName, FileAlreadyExists, FileFault, FileLocked,
    FileNotFound, FileTooLarge, InaccessibleDatastore, InvalidArgument, InvalidCollectorVersion,
    InvalidDatastore, InvalidDatastorePath, InvalidDiskFormat, InvalidFolder, InvalidLogin,
    InvalidName, InvalidPowerState, InvalidProperty, InvalidRequest, InvalidState, InvalidVmConfig,
    LimitExceeded, LocalizedMethodFault, ManagedObjectNotFound, MethodNotFound, NoDiskSpace,
    NoPermission, NotAuthenticated, NotFound, NotImplemented, NotSupported, PlatformConfigFault,
    RequestCanceled, ResourceInUse, RestrictedByAdministrator, RestrictedVersion, TaskInProgress,
    Timedout, ToolsUnavailable,
};
use vi_types::{Any, ManagedObjectReference, SoapFault};

pub(crate) fn not_authenticated(object: &ManagedObjectReference) -> SoapFault {
    SoapFault::new(
        NotAuthenticated {
            base: no_permission_detail(object, "System.View"),
            ..Default::default()
        },
        "The session is not authenticated.",
    )
}

/// The entry of a `missingSet` for a property that needs a login.
pub(crate) fn property_not_authenticated(object: &ManagedObjectReference) -> LocalizedMethodFault {
    localized(
        NotAuthenticated {
            base: no_permission_detail(object, "System.View"),
            ..Default::default()
        },
        "The session is not authenticated.",
    )
}

/// The entry of a `missingSet` for a property that the user may not read.
pub(crate) fn property_no_permission(object: &ManagedObjectReference) -> LocalizedMethodFault {
    localized(
        no_permission_detail(object, "System.Read"),
        "Permission to perform this operation was denied.",
    )
}

fn no_permission_detail(object: &ManagedObjectReference, privilege: &str) -> NoPermission {
    NoPermission {
        object: Some(object.clone()),
        privilege_id: Some(privilege.to_owned()),
        ..NoPermission::default()
    }
}

pub(crate) fn invalid_login() -> SoapFault {
    SoapFault::new(
        InvalidLogin::default(),
        "Cannot complete login due to an incorrect user name or password.",
    )
}

pub(crate) fn managed_object_not_found(object: &ManagedObjectReference) -> SoapFault {
    SoapFault::new(
        ManagedObjectNotFound {
            obj: object.clone(),
            ..ManagedObjectNotFound::default()
        },
        format!(
            "The object 'vim.{}:{}' has already been deleted or has not been completely created",
            object.r#type, object.value
        ),
    )
}

/// The same, where it stands beside the objects that were found.
pub(crate) fn missing_object(object: &ManagedObjectReference) -> LocalizedMethodFault {
    localized(
        ManagedObjectNotFound {
            obj: object.clone(),
            ..ManagedObjectNotFound::default()
        },
        "The object has already been deleted or has not been completely created",
    )
}

/// The API of this version has no such method.
pub(crate) fn method_not_found(receiver: &ManagedObjectReference, method: &str) -> SoapFault {
    SoapFault::new(
        MethodNotFound {
            receiver: receiver.clone(),
            method: method.to_owned(),
            ..MethodNotFound::default()
        },
        format!("Unable to resolve WSDL method name {method} for {receiver}"),
    )
}

/// The API has the method, the simulator doesn't.
pub(crate) fn not_implemented(receiver: &ManagedObjectReference, method: &str) -> SoapFault {
    SoapFault::new(
        NotImplemented::default(),
        format!("The simulator does not implement the method {method} of {receiver}"),
    )
}

pub(crate) fn invalid_request(what: impl std::fmt::Display) -> SoapFault {
    SoapFault::new(InvalidRequest::default(), what.to_string())
}

pub(crate) fn invalid_property(name: &str) -> SoapFault {
    SoapFault::new(
        InvalidProperty {
            name: name.to_owned(),
            ..InvalidProperty::default()
        },
        format!("The property {name} is not valid"),
    )
}

pub(crate) fn invalid_argument(argument: &str) -> SoapFault {
    SoapFault::new(
        InvalidArgument {
            invalid_property: Some(argument.to_owned()),
            ..InvalidArgument::default()
        },
        format!("A specified parameter was not correct: {argument}"),
    )
}

pub(crate) fn invalid_collector_version() -> SoapFault {
    SoapFault::new(
        InvalidCollectorVersion::default(),
        "A specified version is not one that this collector has given.",
    )
}

pub(crate) fn request_canceled() -> SoapFault {
    SoapFault::new(
        RequestCanceled::default(),
        "The request was canceled by a user.",
    )
}

pub(crate) fn invalid_power_state(
    existing: VirtualMachinePowerState,
    requested: VirtualMachinePowerState,
) -> SoapFault {
    let what = match existing {
        VirtualMachinePowerState::PoweredOn => "Powered on",
        VirtualMachinePowerState::PoweredOff => "Powered off",
        _ => "Suspended",
    };
    let message =
        format!("The attempted operation cannot be performed in the current state ({what}).");
    let fault = InvalidPowerState {
        requested_state: Some(requested),
        existing_state: existing,
        ..InvalidPowerState::default()
    };
    SoapFault::new(fault, message)
}

pub(crate) fn invalid_name(name: &str) -> SoapFault {
    SoapFault::new(
        InvalidName {
            name: name.to_owned(),
            ..InvalidName::default()
        },
        format!("The name '{name}' is invalid."),
    )
}

pub(crate) fn invalid_state() -> SoapFault {
    SoapFault::new(
        InvalidState::default(),
        "The operation is not allowed in the current state.",
    )
}

/// The time for something is over.
pub(crate) fn timedout() -> SoapFault {
    SoapFault::new(Timedout::default(), "Operation timed out.")
}

pub(crate) fn host_in_maintenance(host: &str) -> SoapFault {
    SoapFault::new(
        InvalidState::default(),
        format!("The host '{host}' is in maintenance mode."),
    )
}

pub(crate) fn task_in_progress(task: &ManagedObjectReference) -> SoapFault {
    SoapFault::new(
        TaskInProgress {
            task: task.clone(),
            ..TaskInProgress::default()
        },
        "Another task is already in progress.",
    )
}

pub(crate) fn tools_unavailable() -> SoapFault {
    SoapFault::new(
        ToolsUnavailable::default(),
        "Cannot complete operation because VMware Tools is not running in this virtual machine.",
    )
}

pub(crate) fn not_supported() -> SoapFault {
    SoapFault::new(
        NotSupported::default(),
        "The operation is not supported on the object.",
    )
}

/// It is not of the form `[datastore] path`.
pub(crate) fn invalid_datastore_path(path: &str) -> SoapFault {
    SoapFault::new(
        InvalidDatastorePath {
            datastore_path: path.to_owned(),
            ..InvalidDatastorePath::default()
        },
        format!("Invalid datastore path '{path}'."),
    )
}

/// There is no such datastore.
pub(crate) fn invalid_datastore(name: &str) -> SoapFault {
    SoapFault::new(
        InvalidDatastore {
            name: Some(name.to_owned()),
            ..InvalidDatastore::default()
        },
        format!("Invalid datastore '{name}'."),
    )
}

pub(crate) fn file_not_found(file: &str) -> SoapFault {
    let fault = FileNotFound {
        base: file_fault(file),
        ..FileNotFound::default()
    };
    SoapFault::new(fault, format!("File {file} was not found"))
}

pub(crate) fn file_already_exists(file: &str) -> SoapFault {
    let fault = FileAlreadyExists {
        base: file_fault(file),
        ..FileAlreadyExists::default()
    };
    SoapFault::new(fault, format!("File {file} already exists"))
}

/// A running machine holds the file.
pub(crate) fn file_locked(file: &str) -> SoapFault {
    let fault = FileLocked {
        base: file_fault(file),
        ..FileLocked::default()
    };
    SoapFault::new(
        fault,
        format!("Unable to access file {file} since it is locked"),
    )
}

/// The datastore does not take the file.
pub(crate) fn cannot_create_file(file: &str) -> SoapFault {
    let fault = CannotCreateFile {
        base: file_fault(file),
        ..CannotCreateFile::default()
    };
    SoapFault::new(fault, format!("Cannot create file {file}"))
}

pub(crate) fn cannot_delete_file(file: &str) -> SoapFault {
    let fault = CannotDeleteFile {
        base: file_fault(file),
        ..CannotDeleteFile::default()
    };
    SoapFault::new(fault, format!("Cannot delete file {file}"))
}

pub(crate) fn file_fault(file: &str) -> FileFault {
    FileFault {
        file: file.to_owned(),
        ..FileFault::default()
    }
}

/// There is no configuration to register.
pub(crate) fn not_found() -> SoapFault {
    SoapFault::new(
        NotFound::default(),
        "The object or item referred to could not be found.",
    )
}

pub(crate) fn already_exists(name: &str) -> SoapFault {
    SoapFault::new(
        AlreadyExists {
            name: Some(name.to_owned()),
            ..AlreadyExists::default()
        },
        format!("The specified key, name, or identifier '{name}' already exists."),
    )
}

pub(crate) fn duplicate_name(name: &str, object: &ManagedObjectReference) -> SoapFault {
    SoapFault::new(
        DuplicateName {
            name: name.to_owned(),
            object: object.clone(),
            ..DuplicateName::default()
        },
        format!("The name '{name}' already exists."),
    )
}

/// An object cannot lie in a folder.
pub(crate) fn invalid_folder(target: &ManagedObjectReference) -> SoapFault {
    SoapFault::new(
        InvalidFolder {
            target: target.clone(),
            ..InvalidFolder::default()
        },
        "The folder cannot take the object.",
    )
}

/// Something else needs an object.
pub(crate) fn resource_in_use(ty: &str, name: &str) -> SoapFault {
    let fault = ResourceInUse {
        r#type: Some(ty.to_owned()),
        name: Some(name.to_owned()),
        ..ResourceInUse::default()
    };
    SoapFault::new(fault, format!("The resource '{name}' is in use."))
}

/// The licence of a host allows only reading.
pub(crate) fn restricted_version() -> SoapFault {
    SoapFault::new(
        RestrictedVersion::default(),
        "Current license or ESXi version prohibits execution of the requested operation.",
    )
}

/// A setting of the server forbids it.
pub(crate) fn restricted_by_administrator(setting: &str) -> SoapFault {
    SoapFault::new(
        RestrictedByAdministrator {
            details: setting.to_owned(),
            ..RestrictedByAdministrator::default()
        },
        format!("This operation is restricted by the administrator - '{setting}'"),
    )
}

/// A disk is of a kind that the operation is not for.
pub(crate) fn invalid_disk_format() -> SoapFault {
    SoapFault::new(
        InvalidDiskFormat::default(),
        "The disk format is not supported for the operation.",
    )
}

/// The configuration cannot be read.
pub(crate) fn invalid_vm_config() -> SoapFault {
    SoapFault::new(
        InvalidVmConfig::default(),
        "Invalid virtual machine configuration.",
    )
}

/// Somebody else has answered the question, or is about to.
pub(crate) fn concurrent_access() -> SoapFault {
    SoapFault::new(
        ConcurrentAccess::default(),
        "The question has been or is being answered by somebody else.",
    )
}

/// The configuration has been changed since the caller read it.
pub(crate) fn concurrent_change() -> SoapFault {
    SoapFault::new(
        ConcurrentAccess::default(),
        "The configuration has been changed by somebody else.",
    )
}

/// There is too much of something: `limit` is the most that there can be, or the least.
pub(crate) fn limit_exceeded(property: &str, limit: i32) -> SoapFault {
    SoapFault::new(
        LimitExceeded {
            property: Some(property.to_owned()),
            limit: Some(limit),
            ..LimitExceeded::default()
        },
        format!("The limit of {property} is {limit}."),
    )
}

/// A fault of a property as the fault of a whole call.
pub(crate) fn of(localized: LocalizedMethodFault) -> SoapFault {
    SoapFault {
        code: "ServerFaultCode".to_owned(),
        string: localized.localized_message.unwrap_or_default(),
        detail: Some(Any::from(localized.fault.into_object())),
    }
}

pub(crate) fn localized<F>(fault: F, message: &str) -> LocalizedMethodFault
where
    F: vi_types::Extends<vi_types::objects::MethodFault>,
{
    LocalizedMethodFault {
        fault: fault.into(),
        localized_message: Some(message.to_owned()),
        ..LocalizedMethodFault::default()
    }
}

/// The host cannot do it; the text says why.
pub(crate) fn platform_config(text: &str) -> SoapFault {
    SoapFault::new(
        PlatformConfigFault {
            text: text.to_owned(),
            ..PlatformConfigFault::default()
        },
        format!("An error occurred during host configuration: {text}"),
    )
}

/// There is no room for a file.
pub(crate) fn no_disk_space(file: &str, datastore: &str) -> SoapFault {
    SoapFault::new(
        NoDiskSpace {
            base: file_fault(file),
            datastore: datastore.to_owned(),
            ..NoDiskSpace::default()
        },
        format!("Insufficient disk space on datastore '{datastore}'."),
    )
}

/// No host reaches the datastore.
pub(crate) fn inaccessible_datastore(store: &ManagedObjectReference, name: &str) -> SoapFault {
    SoapFault::new(
        InaccessibleDatastore {
            base: invalid_datastore_detail(store, name),
            ..InaccessibleDatastore::default()
        },
        format!("Unable to access datastore: '{name}'."),
    )
}

/// The host can only read the datastore.
pub(crate) fn datastore_not_writable(
    store: &ManagedObjectReference,
    name: &str,
    host: &ManagedObjectReference,
) -> SoapFault {
    SoapFault::new(
        DatastoreNotWritableOnHost {
            base: invalid_datastore_detail(store, name),
            host: host.clone(),
            ..DatastoreNotWritableOnHost::default()
        },
        format!("The datastore '{name}' is not writable on the host."),
    )
}

fn invalid_datastore_detail(store: &ManagedObjectReference, name: &str) -> InvalidDatastore {
    InvalidDatastore {
        datastore: Some(store.clone()),
        name: Some(name.to_owned()),
        ..InvalidDatastore::default()
    }
}

/// The datastore has no such large files. Sizes are in bytes.
pub(crate) fn file_too_large(file: &str, datastore: &str, size: i64, most: i64) -> SoapFault {
    SoapFault::new(
        FileTooLarge {
            base: file_fault(file),
            datastore: datastore.to_owned(),
            file_size: size,
            max_file_size: Some(most),
            ..FileTooLarge::default()
        },
        format!("File is larger than the maximum size supported by datastore '{datastore}'."),
    )
}
