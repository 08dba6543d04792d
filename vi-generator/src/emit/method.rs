//! `methods`: a request for each method.

use proc_macro2::TokenStream;
use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, feature, ident};
use crate::grammar::Occurrence;
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

    fn section(&self) -> Option<&str> {
        self.section.as_deref()
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
        let (name, this) = (&self.name, this(self));
        let managed_object = self.parameters.first();
        let managed_object = managed_object.and_then(|this| this.ty.annotations.to.as_deref());
        let managed_object = managed_object.unwrap_or_default();
        let since = self.since.as_deref().unwrap_or_default();
        let returns = self.returns.as_ref();
        let returns = returns.map_or("", |returns| emission.wire_type(returns));
        let faults = faults(self).join(" ");
        let method = quote! {
            impl rt::Method for #rust {
                type Output = #output;
                type Bindings = Bindings;
                const INFO: rt::MethodInfo = rt::MethodInfo {
                    name: #name,
                    request: <Self as rt::Object>::type_info,
                    this: #this,
                    managed_object: #managed_object,
                    returns: #returns,
                    throws: #faults,
                    since: #since,
                };
                fn output(returned: &Self::Output) -> P<'_> { P::#kind(returned) }
                fn output_mut(returned: &mut Self::Output) -> M<'_> { M::#kind(returned) }
            }
        };
        let (task, throws) = (task(emission, self), throws(emission, self));
        [class.emit(emission), class.json(), method, task, throws]
            .into_iter()
            .collect()
    }
}

/// `rt::TaskMethod` for a method that starts a task.
fn task(emission: &Emission<'_>, method: &Method) -> TokenStream {
    let returned = method.returns.as_ref();
    let starts = returned.is_some_and(|ty| ty.annotations.to.as_deref() == Some("Task"));
    if !starts && method.result.is_none() {
        return TokenStream::new();
    }
    let rust = ident(&type_name(&method.name));
    let objects = quote! { objects:: };
    let result = match &method.result {
        // Nothing holds itself here, so there is no need for a box.
        Some(result) if result.occurrence == Occurrence::Optional => {
            let item = emission.rust_type(result, Occurrence::Required, &objects);
            quote! { Option<#item> }
        }
        Some(result) => emission.rust_type(result, result.occurrence, &objects),
        None => quote! { () },
    };
    quote! { impl rt::TaskMethod for #rust { type Result = #result; } }
}

/// `rt::Throws` for each fault that a method declares.
fn throws(emission: &Emission<'_>, method: &Method) -> TokenStream {
    let rust = ident(&type_name(&method.name));
    faults(method)
        .into_iter()
        .filter_map(|name| {
            let fault = emission.shape.object(name)?;
            let owner = method.family.as_deref();
            let family = fault.family.as_deref();
            let family = family.filter(|family| !emission.shape.has(owner, family));
            let family = family.map(feature);
            let fault = ident(&type_name(&fault.name));
            Some(quote! { #family impl rt::Throws<objects::#fault> for #rust {} })
        })
        .collect()
}

/// The names of the faults that a method declares, each of them once.
fn faults(method: &Method) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for fault in &method.throws {
        if !names.contains(&fault.name.as_str()) {
            names.push(&fault.name);
        }
    }
    names
}

/// The value of `rt::This` for a method.
fn this(method: &Method) -> TokenStream {
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
