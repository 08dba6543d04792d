//! `objects`: data objects and faults.

use quote::quote;

use super::class::Class;
use super::words::since_doc;
use super::{Definition, Emission, File, Group};
use crate::grammar::Keyword;
use crate::model::Object;
use crate::names::type_name;

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let use_runtime = emission.use_runtime();
    let head = quote! { use super::*; use super::super::enums; #use_runtime };
    let group = |part, keyword| {
        let mut objects: Vec<_> = emission.shape.description.objects.iter().collect();
        objects.retain(|object| object.keyword == keyword);
        objects.sort_by(|left, right| left.name.cmp(&right.name));
        let definitions = objects
            .into_iter()
            .map(|object| definition(emission, object))
            .collect();
        Group {
            part,
            head: head.clone(),
            definitions,
        }
    };
    let groups = vec![
        group("part", Keyword::Object),
        group("faults", Keyword::Fault),
    ];
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
    Class {
        docs,
        ..Class::of(emission, object, quote! {})
    }
    .emit(emission)
}
