//! `registry`: types and methods by their names on the wire.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emission, File, feature, ident};
use crate::names::{static_name, type_name};

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let description = emission.shape.description;
    let objects = sorted(&description.objects, |object| {
        let info = ident(&static_name(&object.name));
        (&object.name, &object.family, quote! { &objects::#info })
    });
    let enums = sorted(&description.enums, |definition| {
        let (name, rust) = (&definition.name, ident(&type_name(&definition.name)));
        (
            name,
            &definition.family,
            quote! { rt::EnumInfo::of::<enums::#rust>() },
        )
    });
    let methods = sorted(&description.methods, |method| {
        let (name, rust) = (&method.name, ident(&type_name(&method.name)));
        let row = quote! { &<methods::#rust as rt::Method>::INFO };
        (name, &method.family, row)
    });
    let managed_objects = sorted(&description.managed_objects, |object| {
        let info = ident(&static_name(&object.name));
        (&object.name, &object.family, quote! { &properties::#info })
    });
    let use_runtime = emission.use_runtime();
    let sections = [
        quote! { use super::{enums, methods, objects, properties}; #use_runtime },
        quote! {
            /// The types that messages may name, by their names on the wire.
            pub fn registry() -> &'static rt::Registry { &REGISTRY }
        },
        quote! {
            /// All types and methods by their names on the wire, for servers and tools.
            pub fn interface() -> &'static rt::Interface { &INTERFACE }
        },
        quote! {
            /// These bindings.
            #[derive(Clone, Copy, Debug)]
            pub struct Bindings;
            impl rt::Bindings for Bindings {
                fn registry() -> &'static rt::Registry { registry() }
            }
        },
        quote! {
            static REGISTRY: rt::Registry = rt::Registry {
                objects: &[#(#objects),*],
                enumerations: &[#(#enums),*],
                managed_objects: &[#(#managed_objects),*],
            };
        },
        quote! {
            static INTERFACE: rt::Interface = rt::Interface {
                registry: &REGISTRY,
                methods: &[#(#methods),*],
            };
        },
    ];
    files.push(emission.file("registry.rs", sections));
}

/// Rows in the order of their names; `row` gives name, family and row.
fn sorted<'a, T>(
    definitions: &'a [T],
    row: impl Fn(&'a T) -> (&'a String, &'a Option<String>, TokenStream),
) -> Vec<TokenStream> {
    let mut rows: Vec<_> = definitions.iter().map(row).collect();
    rows.sort_by(|left, right| left.0.cmp(right.0));
    rows.into_iter()
        .map(|(_, family, row)| {
            let feature = family.as_deref().map(feature);
            quote! { #feature #row }
        })
        .collect()
}
