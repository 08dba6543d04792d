//! `properties`: what can be read of managed objects.

use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, File, groups, ident};
use crate::model::Object;
use crate::names::type_name;

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let use_properties = emission.use_properties();
    let head = quote! { use super::*; use super::super::{enums, objects}; #use_properties };
    let groups = groups(
        emission,
        emission.shape.description.managed_objects.iter().collect(),
        &head,
        |object| &object.name,
        |object| object.family.as_ref(),
        |object| definition(emission, object),
    );
    let doc = " The properties of managed objects: those that were read are set.";
    emission.parts(files, "properties", doc, groups);
}

fn definition<'a>(emission: &Emission<'a>, object: &'a Object) -> Definition {
    let base = object
        .extends
        .as_ref()
        .map(|base| format!(", a [`{}`]", type_name(base)));
    let (base, since) = (base.unwrap_or_default(), since_doc(object.since.as_ref()));
    let docs = vec![format!(
        "The properties of the managed object `{}`{base}{since}.",
        object.name
    )];
    let class = Class {
        docs,
        is_partial: true,
        ..Class::of(emission, object, quote! { objects:: })
    };
    let mut definition = class.emit(emission);
    definition.tokens.extend(class.thin());
    let (rust, name) = (ident(&type_name(&object.name)), &object.name);
    definition.tokens.extend(quote! {
        impl rt::ManagedObject for #rust {
            const TYPE: &'static str = #name;
        }
    });
    definition
}
