//! `registry`: everything by its name on the wire.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emission, File, feature, ident, method};
use crate::names::{static_name, type_name};

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let description = emission.shape.description;
    let objects = sorted(&description.objects, |object| {
        let info = ident(&static_name(&object.name));
        (&object.name, &object.family, quote! { &objects::#info })
    });
    let enums = sorted(&description.enums, |definition| {
        let (name, rust) = (&definition.name, ident(&type_name(&definition.name)));
        let row = quote! { (#name, <enums::#rust as rt::Enum>::VALUES) };
        (name, &definition.family, row)
    });
    let methods = sorted(&description.methods, |method| {
        let (name, info) = (&method.name, ident(&static_name(&method.name)));
        let since = method.since.as_deref().unwrap_or_default();
        let this = method::this(method);
        let returns = method
            .returns
            .as_ref()
            .map_or("", |returns| emission.wire_type(returns));
        let throws = method::faults(method).join(" ");
        let row = quote! {
            &rt::MethodInfo {
                name: #name,
                request: &methods::#info,
                this: #this,
                returns: #returns,
                throws: #throws,
                since: #since,
            }
        };
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
            /// All types and methods of this set, by their names on the wire.
            pub fn registry() -> &'static rt::Registry { &REGISTRY }
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
                methods: &[#(#methods),*],
                managed_objects: &[#(#managed_objects),*],
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
