//! `objects`: data objects and faults.

use proc_macro2::TokenStream;
use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission};
use crate::grammar::Keyword;
use crate::model::Object;
use crate::names::type_name;

impl Definition for Object {
    fn head(emission: &Emission<'_>) -> TokenStream {
        let use_properties = emission.use_properties();
        quote! { use super::*; use super::super::enums; #use_properties }
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
        let what = if self.keyword == Keyword::Fault {
            "The fault "
        } else {
            ""
        };
        let base = self
            .extends
            .as_ref()
            .map(|base| format!(", a [`{}`]", type_name(base)));
        let (base, since) = (base.unwrap_or_default(), since_doc(self.since.as_ref()));
        let class = Class {
            docs: vec![format!("{what}`{}`{base}{since}.", self.name)],
            ..Class::of(emission, self, quote! {})
        };
        [class.emit(emission), class.thin()].into_iter().collect()
    }
}
