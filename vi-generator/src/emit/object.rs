//! `objects`: data objects and faults.

use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, File, groups};
use crate::grammar::Keyword;
use crate::model::Object;
use crate::names::type_name;

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let use_properties = emission.use_properties();
    let head = quote! { use super::*; use super::super::enums; #use_properties };
    let groups = groups(
        emission,
        emission.shape.description.objects.iter().collect(),
        &head,
        |object| &object.name,
        |object| object.family.as_ref(),
        |object| definition(emission, object),
    );
    emission.parts(files, "objects", " Data objects and faults.", groups);
}

fn definition<'a>(emission: &Emission<'a>, object: &'a Object) -> Definition {
    let what = if object.keyword == Keyword::Fault {
        "The fault "
    } else {
        ""
    };
    let base = object
        .extends
        .as_ref()
        .map(|base| format!(", a [`{}`]", type_name(base)));
    let (base, since) = (base.unwrap_or_default(), since_doc(object.since.as_ref()));
    let docs = vec![format!("{what}`{}`{base}{since}.", object.name)];
    let class = Class {
        docs,
        ..Class::of(emission, object, quote! {})
    };
    let mut definition = class.emit(emission);
    definition.tokens.extend(class.thin());
    definition
}
