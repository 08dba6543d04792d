//! `references`: a type for the references to each managed object, with its methods as functions.

use proc_macro2::TokenStream;
use quote::quote;

use super::words::since_doc;
use super::{Definition, Emission, Target, docs, feature, ident};
use crate::grammar::{Occurrence, Predefined};
use crate::model::{Member, Method, Object};
use crate::names::{field_name, function_name, type_name};
use crate::shape::Meaning;

/// The references to a managed object.
///
/// All of them are one generic type, so that a managed object costs an alias and a function for each method. Each set of
/// bindings defines that type itself, because only there it can have inherent functions.
pub(super) struct References<'a>(pub(super) &'a Object);

impl Definition for References<'_> {
    fn shared(emission: &Emission<'_>) -> TokenStream {
        match emission.target {
            Target::Module => quote! { crate::reference_type!(); },
            Target::Crate { .. } => quote! { vi_types::reference_type!(); },
        }
    }

    fn head(emission: &Emission<'_>) -> TokenStream {
        let runtime = emission.use_runtime();
        quote! {
            use super::Reference;
            use super::super::{enums, methods, objects, properties};
            #runtime
        }
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
        let since = since_doc(object.since.as_ref());
        let doc = docs(&[format!("A reference to a `{}`{since}.", object.name)]);
        let rust = ident(&type_name(&object.name));
        let mut methods: Vec<&Method> = emission.shape.description.methods.iter().collect();
        methods.retain(|method| callee(method) == Some(object.name.as_str()));
        methods.sort_by(|left, right| left.name.cmp(&right.name));
        let functions = methods
            .iter()
            .map(|method| function(emission, object.family.as_deref(), method));
        let functions = (!methods.is_empty()).then(|| quote! { impl #rust { #(#functions)* } });
        quote! {
            #doc
            pub type #rust = Reference<properties::#rust>;
            #functions
        }
    }
}

/// The managed object that a method is called on, if the request names it.
fn callee(method: &Method) -> Option<&str> {
    let this = method.parameters.first()?;
    match method.bound_to() {
        Some(_) => None,
        None => this.ty.annotations.to.as_deref(),
    }
}

/// The function that makes a request of a reference and the required parameters.
fn function(emission: &Emission<'_>, owner: Option<&str>, method: &Method) -> TokenStream {
    let rust = ident(&type_name(&method.name));
    let name = ident(&function_name(&method.name));
    let since = since_doc(method.since.as_ref());
    let doc = docs(&[format!(
        "[`{}`](methods::{rust}){since}: the request.",
        method.name
    )]);
    let family = method.family.as_deref();
    let family = family.filter(|family| !emission.shape.has(owner, family));
    let family = family.map(feature);
    let (needed, rest): (Vec<&Member>, Vec<&Member>) =
        method.parameters[1..].iter().partition(|parameter| {
            matches!(
                parameter.ty.occurrence,
                Occurrence::Required | Occurrence::RequiredList
            )
        });
    let arguments = needed.iter().map(|parameter| {
        let name = ident(&field_name(&parameter.name));
        let occurrence = parameter.ty.occurrence;
        let ty = emission.rust_type(&parameter.ty, occurrence, &quote! { objects:: });
        match converts(emission, parameter) {
            true => quote! { #name: impl Into<#ty> },
            false => quote! { #name: #ty },
        }
    });
    let fields = needed.iter().map(|parameter| {
        let name = ident(&field_name(&parameter.name));
        match converts(emission, parameter) {
            true => quote! { #name: #name.into() },
            false => quote! { #name },
        }
    });
    let rest = match rest.is_empty() {
        true => quote! { _more: () },
        false => quote! { ..Default::default() },
    };
    quote! {
        #doc
        #family
        #[inline]
        pub fn #name(&self, #(#arguments),*) -> methods::#rust {
            methods::#rust { this: self.to_moref(), #(#fields,)* #rest }
        }
    }
}

/// Whether a parameter accepts other types too: `&str` for a string, any reference, any descendant.
fn converts(emission: &Emission<'_>, parameter: &Member) -> bool {
    if parameter.ty.occurrence != Occurrence::Required {
        return false;
    }
    match emission.shape.meaning(&parameter.ty.name) {
        Some(Meaning::Predefined(predefined)) => matches!(
            predefined,
            Predefined::String
                | Predefined::AnyUri
                | Predefined::ManagedObjectReference
                | Predefined::AnyType
        ),
        Some(Meaning::Object(object)) => emission.shape.is_polymorphic(object),
        Some(Meaning::Enum(_)) | None => false,
    }
}
