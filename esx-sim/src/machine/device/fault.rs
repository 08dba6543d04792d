//! The faults of changes of devices. Each has the index of the change.

use vi_types::SoapFault;
use vi_types::enums::{VirtualDeviceConfigSpecFileOperation, VirtualDeviceConfigSpecOperation};
use vi_types::objects::{
    DeviceHotPlugNotSupported, DeviceNotFound, DeviceUnsupportedForVmVersion,
    DisallowedDiskModeChange, InvalidController, InvalidDeviceBacking, InvalidDeviceOperation,
    InvalidDeviceSpec, InvalidVmConfig, MissingController, TooManyDevices,
};

use crate::machine::hardware::Hardware;

fn spec_fault(index: i32, property: &str) -> InvalidDeviceSpec {
    InvalidDeviceSpec {
        base: config_fault(property),
        device_index: index,
        ..InvalidDeviceSpec::default()
    }
}

fn config_fault(property: &str) -> InvalidVmConfig {
    InvalidVmConfig {
        property: Some(format!("virtualDeviceSpec.{property}")),
        ..InvalidVmConfig::default()
    }
}

pub(super) fn invalid(index: i32, property: &str) -> SoapFault {
    let message = format!("Invalid configuration for device '{index}'.");
    SoapFault::new(spec_fault(index, property), message)
}

pub(super) fn device_not_found(index: i32) -> SoapFault {
    let fault = DeviceNotFound {
        base: spec_fault(index, "device.key"),
        ..DeviceNotFound::default()
    };
    let message = format!("Invalid configuration for device '{index}'.");
    SoapFault::new(fault, message)
}

pub(super) fn invalid_operation(
    index: i32,
    operation: Option<VirtualDeviceConfigSpecOperation>,
    file: Option<&VirtualDeviceConfigSpecFileOperation>,
) -> SoapFault {
    let fault = InvalidDeviceOperation {
        base: spec_fault(index, "operation"),
        bad_op: operation,
        bad_file_op: file.cloned(),
        ..InvalidDeviceOperation::default()
    };
    SoapFault::new(fault, format!("Invalid operation for device '{index}'."))
}

pub(super) fn invalid_backing(index: i32) -> SoapFault {
    let fault = InvalidDeviceBacking {
        base: spec_fault(index, "device.backing"),
        ..InvalidDeviceBacking::default()
    };
    let message = format!("Incompatible device backing specified for device '{index}'.");
    SoapFault::new(fault, message)
}

pub(super) fn missing_controller(index: i32) -> SoapFault {
    let fault = MissingController {
        base: spec_fault(index, "device.controllerKey"),
        ..MissingController::default()
    };
    SoapFault::new(fault, format!("Device '{index}' needs a controller."))
}

pub(super) fn invalid_controller(index: i32, key: i32) -> SoapFault {
    let fault = InvalidController {
        base: spec_fault(index, "device.controllerKey"),
        controller_key: key,
        ..InvalidController::default()
    };
    SoapFault::new(
        fault,
        format!("Device '{index}' refers to an invalid controller."),
    )
}

pub(super) fn too_many_devices(kind: &str) -> SoapFault {
    let fault = TooManyDevices {
        base: config_fault("device"),
        ..TooManyDevices::default()
    };
    SoapFault::new(fault, format!("Too many devices of type '{kind}'."))
}

pub(super) fn newer_than_hardware(index: i32, own: Hardware, needed: Hardware) -> SoapFault {
    let fault = DeviceUnsupportedForVmVersion {
        base: spec_fault(index, "device"),
        current_version: own.name(),
        expected_version: needed.name(),
        ..DeviceUnsupportedForVmVersion::default()
    };
    let message = format!(
        "A device of the virtual machine needs at least hardware version '{}', and it has '{}'.",
        needed.name(),
        own.name()
    );
    SoapFault::new(fault, message)
}

pub(super) fn no_hot_plug(index: i32) -> SoapFault {
    let fault = DeviceHotPlugNotSupported {
        base: spec_fault(index, "device"),
        ..DeviceHotPlugNotSupported::default()
    };
    let message = "Hot plug of the device is not supported for this virtual machine.";
    SoapFault::new(fault, message)
}

pub(super) fn disallowed_mode(index: i32) -> SoapFault {
    let fault = DisallowedDiskModeChange {
        base: spec_fault(index, "device.backing.diskMode"),
        ..DisallowedDiskModeChange::default()
    };
    let message = "The disk mode cannot be changed while the virtual machine has snapshots.";
    SoapFault::new(fault, message)
}
