//! `properties`: the properties of managed objects.

use proc_macro2::TokenStream;
use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, ident};
use crate::model::Object;
use crate::names::type_name;

/// The properties of a managed object.
pub(super) struct Properties<'a>(pub(super) &'a Object);

impl Definition for Properties<'_> {
    fn head(emission: &Emission<'_>) -> TokenStream {
        let use_properties = emission.use_properties();
        quote! { use super::*; use super::super::{enums, objects, references}; #use_properties }
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn family(&self) -> Option<&str> {
        self.0.family.as_deref()
    }

    fn section(&self) -> Option<&str> {
        self.0.section.as_deref()
    }

    fn emit(&self, emission: &Emission<'_>) -> TokenStream {
        let Self(object) = *self;
        let base = object
            .extends
            .as_ref()
            .map(|base| format!(", a [`{}`]", type_name(base)));
        let (base, since) = (base.unwrap_or_default(), since_doc(object.since.as_ref()));
        let class = Class {
            docs: vec![format!(
                "The properties of the managed object `{}`{base}{since}.",
                object.name
            )],
            is_partial: true,
            ..Class::of(emission, object, quote! { objects:: })
        };
        let (rust, name) = (ident(&type_name(&object.name)), &object.name);
        let base = match emission.shape.base(object) {
            Some(base) => {
                let base = ident(&type_name(&base.name));
                quote! { references::Reference<#base> }
            }
            None => quote! { rt::ManagedObjectReference },
        };
        let descendants = emission.shape.managed_descendants(object);
        let descendants = descendants.iter().map(|object| &object.name);
        let managed_object = quote! {
            impl rt::ManagedObject for #rust {
                type Base = #base;
                const TYPE: &'static str = #name;
                const DESCENDANTS: &'static [&'static str] = &[#(#descendants),*];
            }
        };
        [class.emit(emission), class.thin(), managed_object]
            .into_iter()
            .collect()
    }
}
