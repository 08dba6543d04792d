//! A struct with properties: the common part of data objects, faults, methods and the properties of managed objects.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::{Emission, docs, feature, ident};
use crate::grammar::{Occurrence, Predefined};
use crate::model::{Member, Object, Type};
use crate::names::{field_name, static_name, type_name};
use crate::shape::Meaning;

/// A class to emit.
pub(super) struct Class<'a> {
    /// Its name on the wire.
    pub(super) name: &'a str,
    pub(super) since: Option<&'a String>,
    pub(super) docs: Vec<String>,
    /// Its base class; it is in the same module.
    pub(super) base: Option<&'a Object>,
    /// Itself and its ancestors, as far as positions are declared that hold them or any of their descendants.
    pub(super) declared_bases: Vec<&'a Object>,
    /// The nearest ancestor among those, if none nearer has properties.
    pub(super) declared_base: Option<&'a Object>,
    /// Whether the base class has a field: not if it has no properties at all.
    pub(super) embeds: bool,
    /// How many properties are inherited.
    pub(super) inherited: usize,
    pub(super) members: Vec<&'a Member>,
    /// The feature it belongs to, if it is not always compiled.
    pub(super) family: Option<&'a str>,
    /// Whether every property is optional, regardless of the description.
    pub(super) is_partial: bool,
    /// The path of the module of data objects: `objects::`, or empty in that module.
    pub(super) objects: TokenStream,
}

impl<'a> Class<'a> {
    /// A data object or fault, or the properties of a managed object.
    pub(super) fn of(emission: &'a Emission<'_>, object: &'a Object, objects: TokenStream) -> Self {
        Self {
            name: &object.name,
            since: object.since.as_ref(),
            docs: Vec::new(),
            base: emission.shape.base(object),
            declared_bases: emission.shape.declared_bases(object),
            declared_base: emission.shape.declared_base(object),
            embeds: emission.shape.embedded_base(object).is_some(),
            inherited: emission.shape.inherited(object),
            members: object.stored().collect(),
            family: object.family.as_deref(),
            is_partial: false,
            objects,
        }
    }

    pub(super) fn emit(&self, emission: &Emission<'_>) -> TokenStream {
        let parts = [
            self.structure(emission),
            self.description(emission),
            self.reflection(emission),
            self.ancestry(),
        ];
        parts.into_iter().collect()
    }

    fn rust(&self) -> Ident {
        ident(&type_name(self.name))
    }

    fn structure(&self, emission: &Emission<'_>) -> TokenStream {
        let rust = self.rust();
        let docs_of_type = docs(&self.docs);
        let base = self.base.filter(|_| self.embeds).map(|base| {
            let doc = docs(&[format!("The properties of `{}`.", base.name)]);
            let base = ident(&type_name(&base.name));
            quote! { #doc pub base: #base, }
        });
        let fields = self.members.iter().map(|member| {
            let doc = docs(&[emission.member_doc(member, self.occurrence(member))]);
            let name = ident(&field_name(&member.name));
            let ty = emission.rust_type(&member.ty, self.occurrence(member), &self.objects);
            let feature = emission.feature_of_property(self.family, member);
            quote! { #doc #feature pub #name: #ty, }
        });
        let unset = self.unset(emission);
        quote! {
            #docs_of_type
            pub struct #rust { #base #(#fields)* #[doc(hidden)] pub _more: () }
            #unset
        }
    }

    /// `Default`, written out, because a derived one would call a function for each property, and most are `None`.
    fn unset(&self, emission: &Emission<'_>) -> TokenStream {
        let rust = self.rust();
        let base = self.base.filter(|_| self.embeds).map(|base| {
            let base = ident(&type_name(&base.name));
            quote! { base: #base::default(), }
        });
        let fields = self.members.iter().map(|member| {
            let name = ident(&field_name(&member.name));
            let value = emission.unset(&member.ty, self.occurrence(member));
            let feature = emission.feature_of_property(self.family, member);
            quote! { #feature #name: #value, }
        });
        quote! {
            impl Default for #rust {
                #[inline(never)]
                fn default() -> Self { Self { #base #(#fields)* _more: () } }
            }
        }
    }

    fn description(&self, emission: &Emission<'_>) -> TokenStream {
        let rust = self.rust();
        let (name, info) = (self.name, ident(&static_name(self.name)));
        let base = match self.base {
            Some(base) => {
                let base = ident(&static_name(&base.name));
                quote! { Some(&#base) }
            }
            None => quote! { None },
        };
        let text = self.text(emission);
        quote! {
            pub(crate) static #info: rt::ObjectInfo =
                rt::ObjectInfo::new(#name, #base, #text, <#rust as rt::DataObject>::unset);
        }
    }

    /// `ObjectInfo::text`: the version, and a line for each property.
    fn text(&self, emission: &Emission<'_>) -> Literal {
        let mut text = self.since.cloned().unwrap_or_default();
        if self.members.is_empty() {
            return Literal::string(&text);
        }
        for member in &self.members {
            let (ty, name) = (emission.wire_type(&member.ty), &member.name);
            let occurrence = self.occurrence(member).code();
            text.push_str(&format!("\n{ty} {name} {occurrence}"));
            if let Some(since) = &member.ty.annotations.since {
                text.push_str(&format!(" since {since}"));
            }
            if member.ty.annotations.secret {
                text.push_str(" secret");
            }
        }
        text.push('\n');
        multiline(&text)
    }

    fn reflection(&self, emission: &Emission<'_>) -> TokenStream {
        let (rust, info) = (self.rust(), ident(&static_name(self.name)));
        let get = self.dispatch(emission, &quote! { P }, &quote! { & }, &quote! { get });
        let get_mut = self.dispatch(
            emission,
            &quote! { M },
            &quote! { &mut },
            &quote! { get_mut },
        );
        // A base without properties is no field; one that positions are declared with is to be seen all the same.
        let base = self.declared_base.filter(|_| !self.embeds).map(|base| {
            let base = ident(&type_name(&base.name));
            quote! { rt::BASE => P::Object(&#base { _more: () }), }
        });
        let get = quote! { match index { rt::INFO => P::Info(&#info), #base #get } };
        let get_mut = quote! { match index { #get_mut } };
        quote! {
            impl rt::Object for #rust {
                fn type_info() -> &'static rt::ObjectInfo { &#info }
                #[inline(never)]
                fn get(&self, index: usize) -> P<'_> { #get }
                #[inline(never)]
                fn get_mut(&mut self, index: usize) -> M<'_> { #get_mut }
            }
        }
    }

    /// From an index to a property: the inherited ones first.
    fn dispatch(
        &self,
        emission: &Emission<'_>,
        property: &TokenStream,
        reference: &TokenStream,
        method: &TokenStream,
    ) -> TokenStream {
        let inherited = self.inherited.checked_sub(1).map(|last| {
            let last = Literal::usize_unsuffixed(last);
            quote! {
                0..=#last => self.base.#method(index),
                rt::BASE => #property::Object(#reference self.base),
            }
        });
        let own = self.members.iter().enumerate().map(|(position, member)| {
            let index = Literal::usize_unsuffixed(self.inherited + position);
            let field = ident(&field_name(&member.name));
            let kind = emission.kind(&member.ty, self.occurrence(member));
            let feature = emission.feature_of_property(self.family, member);
            quote! { #feature #index => #property::#kind(#reference self.#field), }
        });
        quote! { #inherited #(#own)* _ => #property::Absent, }
    }

    fn ancestry(&self) -> TokenStream {
        let rust = self.rust();
        let bases = self
            .declared_bases
            .iter()
            .map(|base| ident(&type_name(&base.name)));
        let deref = self.base.filter(|_| self.embeds).map(|base| {
            let base = ident(&type_name(&base.name));
            quote! {
                impl std::ops::Deref for #rust {
                    type Target = #base;
                    fn deref(&self) -> &#base { &self.base }
                }
                impl std::ops::DerefMut for #rust {
                    fn deref_mut(&mut self) -> &mut #base { &mut self.base }
                }
            }
        });
        quote! {
            #(impl rt::Extends<#bases> for #rust {})*
            #deref
        }
    }

    /// Traits that the runtime implements for all types; inlined, so that unused ones generate no code.
    pub(super) fn thin(&self) -> TokenStream {
        let (rust, json) = (self.rust(), self.json());
        quote! {
            impl Clone for #rust {
                #[inline]
                fn clone(&self) -> Self { rt::cloned(self) }
            }
            impl PartialEq for #rust {
                #[inline]
                fn eq(&self, other: &Self) -> bool { rt::equal(self, other) }
            }
            impl std::fmt::Debug for #rust {
                #[inline]
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { rt::debug(self, f) }
            }
            #json
        }
    }

    /// serde's traits, and for a type that positions are declared with where its descendants are.
    pub(super) fn json(&self) -> TokenStream {
        let rust = self.rust();
        let is_base = self
            .declared_bases
            .first()
            .is_some_and(|base| base.name == self.name);
        let base = is_base.then(|| quote! { base });
        quote! {
            #[cfg(feature = "serde")]
            rt::serde!(object #base #rust);
        }
    }

    fn occurrence(&self, member: &Member) -> Occurrence {
        match member.ty.occurrence {
            Occurrence::Required if self.is_partial => Occurrence::Optional,
            Occurrence::RequiredList if self.is_partial => Occurrence::OptionalList,
            occurrence => occurrence,
        }
    }
}

impl Emission<'_> {
    /// The type of a field; optional objects are boxed, so that no type contains itself.
    pub(super) fn rust_type(
        &self,
        ty: &Type,
        occurrence: Occurrence,
        objects: &TokenStream,
    ) -> TokenStream {
        let (item, is_boxed) = match self.shape.meaning(&ty.name) {
            Some(Meaning::Predefined(predefined)) => (predefined_type(predefined), false),
            Some(Meaning::Enum(definition)) => {
                let name = ident(&type_name(&definition.name));
                (quote! { enums::#name }, false)
            }
            Some(Meaning::Object(object)) => {
                let name = ident(&type_name(&object.name));
                match self.shape.is_polymorphic(object) {
                    true => (quote! { rt::Poly<#objects #name> }, false),
                    false => (quote! { #objects #name }, true),
                }
            }
            // Checked before anything is emitted.
            None => (quote! { rt::Any }, false),
        };
        match occurrence {
            Occurrence::Required => item,
            Occurrence::Optional | Occurrence::Ignored if is_boxed => quote! { Option<Box<#item>> },
            Occurrence::Optional | Occurrence::Ignored => quote! { Option<#item> },
            Occurrence::RequiredList | Occurrence::OptionalList => quote! { Vec<#item> },
        }
    }

    /// The value of an unset field.
    fn unset(&self, ty: &Type, occurrence: Occurrence) -> TokenStream {
        match (occurrence, self.shape.meaning(&ty.name)) {
            (Occurrence::Optional | Occurrence::Ignored, _) => quote! { None },
            (Occurrence::RequiredList | Occurrence::OptionalList, _) => quote! { Vec::new() },
            (Occurrence::Required, Some(Meaning::Predefined(predefined))) => match predefined {
                Predefined::Boolean => quote! { false },
                Predefined::Byte | Predefined::Short | Predefined::Int | Predefined::Long => {
                    quote! { 0 }
                }
                Predefined::Float | Predefined::Double => quote! { 0.0 },
                Predefined::String | Predefined::AnyUri => quote! { String::new() },
                _ => quote! { Default::default() },
            },
            (Occurrence::Required, _) => quote! { Default::default() },
        }
    }

    /// Which of `rt::Property` a property is.
    pub(super) fn kind(&self, ty: &Type, occurrence: Occurrence) -> Ident {
        let kind = match self.shape.meaning(&ty.name) {
            Some(Meaning::Object(object)) if !self.shape.is_polymorphic(object) => match occurrence
            {
                Occurrence::Required => "Object",
                Occurrence::Optional | Occurrence::Ignored => "Optional",
                Occurrence::RequiredList | Occurrence::OptionalList => "Objects",
            },
            _ => "Value",
        };
        ident(kind)
    }

    /// `#[cfg(feature = "...")]` for a property whose type is not always there where its owner is.
    pub(super) fn feature_of_property(
        &self,
        owner: Option<&str>,
        member: &Member,
    ) -> Option<TokenStream> {
        let family = self.shape.family_of_type(&member.ty.name)?;
        (!self.shape.has(owner, family)).then(|| feature(family))
    }

    /// The name of a type in the schema.
    pub(super) fn wire_type<'b>(&self, ty: &'b Type) -> &'b str {
        match self.shape.meaning(&ty.name) {
            Some(Meaning::Predefined(predefined)) => predefined.wire_name(),
            _ => &ty.name,
        }
    }
}

/// A string literal on several lines, like the text.
pub(super) fn multiline(text: &str) -> Literal {
    // A description's words hold neither quotes nor backslashes; should one, it is escaped on one line.
    match text.contains(['"', '\\']) {
        true => Literal::string(text),
        false => format!("\"{text}\"")
            .parse()
            .unwrap_or_else(|_| Literal::string(text)),
    }
}

fn predefined_type(predefined: Predefined) -> TokenStream {
    match predefined {
        Predefined::Boolean => quote! { bool },
        Predefined::Byte => quote! { i8 },
        Predefined::Short => quote! { i16 },
        Predefined::Int => quote! { i32 },
        Predefined::Long => quote! { i64 },
        Predefined::Float => quote! { f32 },
        Predefined::Double => quote! { f64 },
        Predefined::String | Predefined::AnyUri => quote! { String },
        Predefined::Base64Binary => quote! { rt::Binary },
        Predefined::DateTime => quote! { rt::DateTime },
        Predefined::AnyType | Predefined::MethodFault => quote! { rt::Any },
        Predefined::ManagedObjectReference => quote! { rt::ManagedObjectReference },
    }
}
