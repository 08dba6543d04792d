//! `registry`: everything by its name on the wire.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Emission, File, ident, method};
use crate::names::{static_name, type_name};

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let description = emission.shape.description;
    let objects = sorted(
        &description.objects,
        |object| &object.name,
        |object| {
            let info = ident(&static_name(&object.name));
            quote! { &objects::#info }
        },
    );
    let enums = sorted(
        &description.enums,
        |definition| &definition.name,
        |definition| {
            let rust = ident(&type_name(&definition.name));
            quote! { <enums::#rust as rt::Enum>::VALUES }
        },
    );
    let methods = sorted(
        &description.methods,
        |method| &method.name,
        |method| {
            let (name, info) = (&method.name, ident(&static_name(&method.name)));
            let since = method.since.as_deref().unwrap_or_default();
            let this = method::this(method);
            let returns = method
                .returns
                .as_ref()
                .map_or("", |returns| emission.wire_type(returns));
            quote! {
                &rt::MethodInfo {
                    name: #name,
                    request: &methods::#info,
                    this: #this,
                    returns: #returns,
                    since: #since,
                }
            }
        },
    );
    let managed_objects = sorted(
        &description.managed_objects,
        |object| &object.name,
        |object| {
            let info = ident(&static_name(&object.name));
            quote! { &properties::#info }
        },
    );
    let use_runtime = emission.use_runtime();
    let sections = [
        quote! { use super::{enums, methods, objects, properties}; #use_runtime },
        quote! {
            /// All types and methods of this set, by their names on the wire.
            pub fn registry() -> &'static rt::Registry { &REGISTRY }
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

/// Rows `("name", entry)` in the order of their names.
fn sorted<T>(
    definitions: &[T],
    name: fn(&T) -> &String,
    entry: impl Fn(&T) -> TokenStream,
) -> Vec<TokenStream> {
    let mut definitions: Vec<_> = definitions.iter().collect();
    definitions.sort_by_key(|definition| name(definition));
    definitions
        .into_iter()
        .map(|definition| {
            let (name, entry) = (name(definition), entry(definition));
            quote! { (#name, #entry) }
        })
        .collect()
}
