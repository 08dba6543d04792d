//! `enums`: enumerations.

use proc_macro2::TokenStream;
use quote::quote;

use super::class::multiline;
use super::words::since_doc;
use super::{Definition, Emission, docs, ident};
use crate::model::Enum;
use crate::names::{type_name, variant_name};

impl Definition for Enum {
    fn head(emission: &Emission<'_>) -> TokenStream {
        emission.use_runtime()
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

    fn emit(&self, _: &Emission<'_>) -> TokenStream {
        let rust = ident(&type_name(&self.name));
        let name = &self.name;
        let docs_of_type = docs(&[format!("`{name}`{}.", since_doc(self.since.as_ref()))]);
        let values: Vec<&String> = self.values.iter().map(|value| &value.name).collect();
        let variants: Vec<_> = values
            .iter()
            .map(|value| ident(&variant_name(value)))
            .collect();
        let mut text = String::from("\n");
        for value in &self.values {
            text.push_str(&value.name);
            if let Some(since) = &value.since {
                text.push_str(&format!(" since {since}"));
            }
            text.push('\n');
        }
        let text = multiline(&text);
        let docs_of_values = self.values.iter().map(|value| {
            docs(&[format!(
                "`{}`{}.",
                value.name,
                since_doc(value.since.as_ref())
            )])
        });
        quote! {
            #docs_of_type
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum #rust {
                #(#docs_of_values #variants,)*
                /// A value that is not known here; an empty one is unset.
                Unrecognized(String),
            }
            impl rt::Enum for #rust {
                const NAME: &'static str = #name;
                const VALUES: &'static str = #text;
                fn as_str(&self) -> &str {
                    match self {
                        #(Self::#variants => #values,)*
                        Self::Unrecognized(value) => value,
                    }
                }
                fn from_wire(value: &str) -> Self {
                    match value {
                        #(#values => Self::#variants,)*
                        value => Self::Unrecognized(value.to_owned()),
                    }
                }
            }
            impl Default for #rust {
                fn default() -> Self { Self::Unrecognized(String::new()) }
            }
            impl std::fmt::Display for #rust {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.pad(rt::Enum::as_str(self))
                }
            }
            impl rt::FromAny for #rust {
                fn from_any(any: rt::Any) -> Result<Self, rt::CastError> { rt::enumeration_from_any(any) }
            }
            #[cfg(feature = "serde")]
            rt::serde!(enum #rust);
        }
    }
}
