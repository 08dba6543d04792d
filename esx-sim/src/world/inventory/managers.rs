//! The managers of a server and of its hosts that the simulator does not play, but that clients expect to be there.

mod outline;
mod table;

use std::collections::HashMap;

use vi_types::objects::{HostConfigManager, LicenseSource, ServiceContent};
use vi_types::{
    Any, Array, DataObject, Field, ManagedObjectReference, Object, ObjectInfo, Poly, RawElement,
    UnknownObject, View, properties,
};

pub(crate) use self::outline::Outline;
use self::table::{Item, TABLE};
use super::{ServerKind, hosts};
use crate::world::World;

/// The description of a type of managed object, whether or not it is in the API's core.
pub(crate) fn info(ty: &str) -> Option<&'static ObjectInfo> {
    TABLE.info(ty)
}

/// Whether the simulator has no more than properties and fixed answers of objects of that type.
pub(crate) fn is_outline(ty: &str) -> bool {
    TABLE.types.contains_key(ty)
}

/// The content of what a method of such an object always answers.
pub(crate) fn answer(ty: &str, method: &str) -> Option<&'static str> {
    TABLE.answer(ty, method)
}

/// Puts the managers in that are not there yet.
pub(crate) fn equip(world: &mut World) {
    for host in hosts(world) {
        let number = host.value.strip_prefix("host-");
        for manager in &TABLE.hosts {
            let name = match number {
                Some(number) => format!("{}-{number}", manager.member),
                None => manager.name.to_owned(),
            };
            if !is_there(
                world,
                HostConfigManager::type_info(),
                manager.member,
                manager.ty,
            ) {
                continue;
            }
            let reference = add(world, manager.ty, &name, number);
            world.change(&host, |host: &mut properties::HostSystem| {
                if let Some(managers) = host.config_manager.as_deref_mut() {
                    set(managers.as_object_mut(), manager.member, &reference);
                }
            });
        }
    }
    complete_licences(world);
    let is_esx = world.kind() == ServerKind::Esx;
    let instance = world.all("ServiceInstance").next().cloned();
    for service in &TABLE.services {
        let name = if is_esx {
            service.on_esx
        } else {
            service.on_vcenter
        };
        let (Some(name), Some(instance)) = (name, &instance) else {
            continue;
        };
        if !is_there(
            world,
            ServiceContent::type_info(),
            service.member,
            service.ty,
        ) {
            continue;
        }
        let reference = add(world, service.ty, name, None);
        world.change(instance, |instance: &mut properties::ServiceInstance| {
            if let Some(content) = instance.content.as_deref_mut() {
                set(content.as_object_mut(), service.member, &reference);
            }
        });
    }
}

/// Where a server has its licences from, which types outside of the API's core tell.
fn complete_licences(world: &mut World) {
    let managers: Vec<_> = world.all("LicenseManager").cloned().collect();
    for manager in managers {
        let source = UnknownObject {
            type_name: "LocalLicenseSource".to_owned(),
            declared: LicenseSource::unset(),
            element: RawElement {
                type_name: Some("LocalLicenseSource".to_owned()),
                content: "<licenseKeys></licenseKeys>".to_owned(),
                ..RawElement::default()
            },
        };
        world.change(&manager, |manager: &mut properties::LicenseManager| {
            manager.source = Poly::from_object(Box::new(source)).ok();
            manager.source_available = Some(true);
        });
    }
}

/// Whether the server's release has a member, and the type of what is to be in it.
fn is_there(world: &World, owner: &'static ObjectInfo, member: &str, ty: &str) -> bool {
    let mut fields = owner.all_fields();
    let member = fields.find(|field| field.name == member);
    let since = TABLE.info(ty).map_or("", ObjectInfo::since);
    member.is_some_and(|member| is_since(world, member.since)) && is_since(world, since)
}

/// Whether the server's release has what came with that version; nothing is said of what was always there.
fn is_since(world: &World, version: &str) -> bool {
    version.is_empty() || world.since(version)
}

/// Lets a member of an object refer to another one.
fn set(object: &mut dyn Object, member: &str, to: &ManagedObjectReference) {
    if let Some(index) = object.info().layout().index_of(member) {
        object.get_mut(index).assign(View::Moref(to));
    }
}

/// Makes an object, and those that come with it. What belongs to a host of a vCenter has the host's number in its name.
fn add(world: &mut World, ty: &str, name: &str, number: Option<&str>) -> ManagedObjectReference {
    let reference = ManagedObjectReference::new(ty, name);
    let Some(info) = TABLE.info(ty).filter(|_| world.get(&reference).is_none()) else {
        return reference;
    };
    let mut values = HashMap::new();
    for field in info.all_fields() {
        let items = TABLE.values(ty, field);
        if !items.is_empty() && is_since(world, field.since) {
            let items = items.iter().map(|item| value(world, field, item, number));
            let items: Vec<_> = items.collect();
            values.insert(field.name, all(field, items));
        }
    }
    world.add_outline(reference.clone(), Outline::new(info, values));
    reference
}

/// The values of a property as one.
fn all(field: &Field, mut items: Vec<Any>) -> Any {
    match field.occurrence.is_list() {
        true => Any::Array(Box::new(Array {
            item: field.ty.to_owned(),
            items,
        })),
        false => items.pop().unwrap_or_default(),
    }
}

fn value(world: &mut World, field: &Field, item: &Item, number: Option<&str>) -> Any {
    match item {
        Item::Reference(ty, name) => {
            let name = match number {
                Some(number) => format!("{}-{number}", name.trim_start_matches("ha-")),
                None => (*name).to_owned(),
            };
            Any::Moref(add(world, ty, &name, number))
        }
        Item::Xml(_, content) if field.ty == "boolean" => Any::Bool(*content == "true"),
        Item::Xml(ty, content) => Any::Unknown(Box::new(RawElement {
            type_name: Some(ty.unwrap_or(field.ty).to_owned()),
            content: (*content).to_owned(),
            ..RawElement::default()
        })),
    }
}
