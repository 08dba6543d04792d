//! What must hold for every generated type.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use vi_types::methods::{Login, RetrievePropertiesEx};
use vi_types::objects::{DynamicProperty, ObjectContent, RetrieveResult};
use vi_types::wire::{Limits, decode_response, encode_response};
use vi_types::{Any, DecodeErrorKind, Object, ObjectInfo, View};

/// A new object of every data type and fault.
fn objects() -> impl Iterator<Item = Box<dyn Object>> {
    vi_types::registry().objects.iter().map(|info| (info.new)())
}

/// All types that have properties: data objects, faults, requests, managed objects' properties.
fn infos() -> impl Iterator<Item = &'static ObjectInfo> {
    let registry = vi_types::registry();
    let methods = registry.methods.iter().map(|method| method.request);
    let objects = registry.objects.iter().chain(registry.managed_objects);
    objects.copied().chain(methods)
}

/// Sends a value through an answer.
fn through_the_wire(val: Any) -> Any {
    let property = DynamicProperty {
        name: "p".to_owned(),
        val,
    };
    let object = ObjectContent {
        prop_set: vec![property],
        ..ObjectContent::default()
    };
    let result = RetrieveResult {
        objects: vec![object],
        ..RetrieveResult::default()
    };
    let xml = encode_response::<RetrievePropertiesEx>(&Some(Box::new(result)));
    let decoded =
        decode_response::<RetrievePropertiesEx>(xml.as_bytes(), Limits::default()).unwrap();
    assert_eq!(decoded.unknown, [] as [&str; 0], "{xml}");
    let mut result = decoded.returnval.unwrap();
    result.objects.remove(0).prop_set.remove(0).val
}

#[test]
fn every_object_survives_the_wire() {
    let mut equal = 0;
    for object in objects() {
        let sent = Any::Object(object);
        match through_the_wire(sent.clone()) {
            // An anyType that must be there has no empty form.
            Any::Undecodable(value) => {
                let DecodeErrorKind::Missing { object, property } = value.error.kind() else {
                    panic!("{}: {}", sent.type_name(), value.error);
                };
                let info = vi_types::registry().object(object).unwrap();
                let field = info
                    .all_fields()
                    .find(|field| field.name == *property)
                    .unwrap();
                assert_eq!(field.ty, "anyType", "{}: {}", sent.type_name(), value.error);
            }
            received => {
                assert_eq!(received, sent);
                equal += 1;
            }
        }
    }
    assert!(equal > 500, "only {equal} were compared");
}

#[test]
fn every_property_has_its_own_index_and_name() {
    for info in infos() {
        let mut object = (info.new)();
        let names: Vec<_> = info.all_fields().map(|field| field.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert_eq!(
                info.layout().index_of(name),
                Some(index),
                "{}.{name}",
                info.name
            );
            let copy = object.boxed_clone();
            object.get_mut(index).assign(copy.get(index).view());
        }
        assert_eq!(*object, *(info.new)(), "{}", info.name);
    }
}

#[test]
fn every_copy_is_equal() {
    for object in objects() {
        assert_eq!(*object.boxed_clone(), *object);
    }
}

#[test]
fn no_secret_shows() {
    let mut secrets = 0;
    for info in infos() {
        let mut object = (info.new)();
        for (index, field) in info
            .all_fields()
            .enumerate()
            .filter(|(_, field)| field.secret)
        {
            object.get_mut(index).assign(View::Text("hunter2"));
            assert!(
                !format!("{object:?}").contains("hunter2"),
                "{}.{}",
                info.name,
                field.name
            );
            secrets += 1;
        }
    }
    assert!(secrets > 0);
    let login: &dyn Object = &Login {
        password: "hunter2".to_owned(),
        ..Login::default()
    };
    assert!(!format!("{login:?}").contains("hunter2"), "{login:?}");
}

#[cfg(feature = "serde")]
#[test]
fn json_is_that_of_vi_json() {
    use serde_json::json;
    use vi_types::enums::VirtualMachinePowerState;
    use vi_types::objects::{Description, VirtualDevice, VirtualDisk, VirtualMachineRuntimeInfo};
    use vi_types::{ManagedObjectReference, Value as _};

    let disk = VirtualDisk {
        base: VirtualDevice {
            key: 2000,
            device_info: Some(
                Description {
                    label: "Hard disk 1".to_owned(),
                    summary: "1 GB".to_owned(),
                }
                .into(),
            ),
            ..VirtualDevice::default()
        },
        capacity_in_kb: 1 << 20,
        ..VirtualDisk::default()
    };
    assert_eq!(
        serde_json::to_value(&disk).unwrap(),
        json!({
            "_typeName": "VirtualDisk",
            "key": 2000,
            "deviceInfo": {"_typeName": "Description", "label": "Hard disk 1", "summary": "1 GB"},
            "capacityInKB": 1_048_576,
        })
    );
    let runtime = VirtualMachineRuntimeInfo {
        host: Some(ManagedObjectReference::new("HostSystem", "ha-host")),
        power_state: VirtualMachinePowerState::PoweredOn,
        ..VirtualMachineRuntimeInfo::default()
    };
    let runtime = serde_json::to_value(&runtime).unwrap();
    assert_eq!(runtime["powerState"], json!("poweredOn"));
    assert_eq!(
        runtime["host"],
        json!({"_typeName": "ManagedObjectReference", "type": "HostSystem", "value": "ha-host"})
    );
    let any = |any: Any| serde_json::to_value(any).unwrap();
    assert_eq!(
        any(Any::from("x")),
        json!({"_typeName": "string", "_value": "x"})
    );
    assert_eq!(
        any(Any::enumeration(&VirtualMachinePowerState::Suspended)),
        json!({"_typeName": "VirtualMachinePowerState", "_value": "suspended"})
    );
    assert_eq!(
        any(vec!["a".to_owned()].view().to_any("string")),
        json!({"_typeName": "ArrayOfString", "_value": ["a"]})
    );
}
