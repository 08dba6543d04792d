//! What must hold for every generated type.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod filler;

use filler::{Extent, Filler};
use vi_types::methods::{Login, RetrievePropertiesEx};
use vi_types::objects::{DynamicProperty, ObjectContent, RetrieveResult};
use vi_types::wire::{Limits, decode_response, encode_response};
use vi_types::{Any, Object, ObjectInfo, View};

/// All types that have properties: data objects, faults, requests, managed objects' properties.
fn infos() -> impl Iterator<Item = &'static ObjectInfo> {
    let registry = vi_types::registry();
    let methods = vi_types::interface().methods.iter();
    let methods = methods.map(|method| (method.request)());
    let objects = registry.objects.iter().chain(registry.managed_objects);
    objects.copied().chain(methods)
}

/// Sends a value through an answer.
fn through_the_wire(val: Any) -> Any {
    let property = DynamicProperty {
        name: "p".to_owned(),
        val,
        ..Default::default()
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
    let mut filler = Filler::new(vi_types::registry());
    for extent in [Extent::Required, Extent::Flat, Extent::All] {
        for info in vi_types::registry().objects {
            let sent = Any::Object(filler.object(info, extent));
            assert_eq!(through_the_wire(sent.clone()), sent, "{extent:?}");
        }
    }
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
    let mut filler = Filler::new(vi_types::registry());
    for info in infos() {
        let object = filler.object(info, Extent::All);
        assert_eq!(*object.boxed_clone(), *object);
        let is_unset =
            (0..info.layout().len()).all(|index| object.get(index).view() == View::Unset);
        assert_eq!(is_unset, info.layout().is_empty(), "{}", info.name);
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

#[test]
fn every_family_is_described() {
    let manifest = include_str!("../Cargo.toml");
    let (_, features) = manifest.split_once("full = ").unwrap();
    let (_, features) = features.split_once('\n').unwrap();
    let (features, _) = features.split_once("# End of the families").unwrap();
    let families: Vec<_> = features
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let (_, rows) = include_str!("../README.md")
        .split_once("| family |")
        .unwrap();
    let described: Vec<_> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(described, families);
}
