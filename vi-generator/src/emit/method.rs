//! `methods`: a request for each method.

use proc_macro2::TokenStream;
use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, ident};
use crate::model::Method;
use crate::names::type_name;

impl Definition for Method {
    fn head(emission: &Emission<'_>) -> TokenStream {
        let use_properties = emission.use_properties();
        quote! { use super::super::{enums, objects, registry::Bindings}; #use_properties }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    fn weight(&self) -> usize {
        4 + self.parameters.len()
    }

    fn emit(&self, emission: &Emission<'_>) -> TokenStream {
        let objects = quote! { objects:: };
        let class = Class {
            name: &self.name,
            since: self.since.as_ref(),
            docs: documentation(emission, self),
            base: None,
            declared_bases: Vec::new(),
            declared_base: None,
            family: self.family.as_deref(),
            embeds: false,
            inherited: 0,
            members: self.given().iter().collect(),
            is_partial: false,
            objects: objects.clone(),
        };
        let rust = ident(&type_name(&self.name));
        let (output, kind) = match &self.returns {
            Some(returns) => (
                emission.rust_type(returns, returns.occurrence, &objects),
                emission.kind(returns, returns.occurrence),
            ),
            None => (quote! { () }, ident("Value")),
        };
        let method = quote! {
            impl rt::Method for #rust {
                type Output = #output;
                type Bindings = Bindings;
                fn output(returned: &Self::Output) -> P<'_> { P::#kind(returned) }
                fn output_mut(returned: &mut Self::Output) -> M<'_> { M::#kind(returned) }
            }
        };
        [class.emit(emission), class.json(), method]
            .into_iter()
            .collect()
    }
}

/// The value of `rt::This` for a method.
pub(super) fn this(method: &Method) -> TokenStream {
    match method.bound_to() {
        Some(member) => quote! { rt::This::ServiceContent(#member) },
        None => quote! { rt::This::Explicit },
    }
}

fn documentation(emission: &Emission<'_>, method: &Method) -> Vec<String> {
    let this = method.parameters.first();
    let owner = this.and_then(|this| this.ty.annotations.to.as_ref());
    let owner = owner
        .map(|owner| format!(", a method of `{owner}`"))
        .unwrap_or_default();
    let since = since_doc(method.since.as_ref());
    let mut docs = vec![format!("`{}`{owner}{since}.", method.name)];
    let returns = match &method.returns {
        Some(returns) => format!(
            "Returns: {}.",
            emission.type_doc(returns, returns.occurrence)
        ),
        None => "Returns nothing.".to_owned(),
    };
    let result = method.result.as_ref();
    let result = result.map(|result| {
        format!(
            "The task's result: {}.",
            emission.type_doc(result, result.occurrence)
        )
    });
    let throws = (!method.throws.is_empty()).then(|| {
        let names: Vec<_> = method
            .throws
            .iter()
            .map(|fault| format!("`{}`", fault.name))
            .collect();
        format!("Faults: {}.", names.join(", "))
    });
    let privilege = method.privilege.as_ref();
    let privilege = privilege.map(|privilege| format!("Needs the privilege `{privilege}`."));
    for line in [Some(returns), result, throws, privilege]
        .into_iter()
        .flatten()
    {
        docs.extend([String::new(), line]);
    }
    docs
}
