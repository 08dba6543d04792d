//! `families`: a page of documentation for each family, without code.

use std::collections::BTreeMap;

use quote::{format_ident, quote};

use super::{Emission, File, docs, feature};
use crate::grammar::Keyword;
use crate::names::type_name;

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let families = &emission.shape.description.families;
    let names = families.iter().map(|family| Some(family.name.as_str()));
    let pages = std::iter::once(None).chain(names).map(|family| {
        let module = format_ident!("{}", family.unwrap_or("core"));
        let (feature, page) = (family.map(feature), docs(&page(emission, family)));
        quote! { #feature #page pub mod #module {} }
    });
    let head = quote! {
        #![doc = " What each family has: a page for each, and one for the core."]
    };
    let sections: Vec<_> = std::iter::once(head).chain(pages).collect();
    files.push(emission.file("families.rs", sections));
}

/// The lines of a family's page.
fn page(emission: &Emission<'_>, family: Option<&str>) -> Vec<String> {
    let description = emission.shape.description;
    let is_here = |other: &Option<String>| other.as_deref() == family;
    let mut page = vec![match family {
        Some(family) => format!("The family `{family}`: what the feature of that name compiles."),
        None => "The core: what is always compiled.".to_owned(),
    }];
    let needed = description
        .families
        .iter()
        .filter(|one| Some(one.name.as_str()) == family)
        .flat_map(|one| &one.needs)
        .map(|needed| format!("[`{needed}`](mod@{needed})"));
    let needed: Vec<_> = needed.collect();
    if !needed.is_empty() {
        page.extend([
            String::new(),
            format!("It brings {}.", needed.join(" and ")),
        ]);
    }

    let objects = description.managed_objects.iter();
    let objects = objects.filter(|object| is_here(&object.family));
    let lines = objects.map(|object| {
        let rust = type_name(&object.name);
        format!(
            "{}, with these [properties](crate::properties::{rust})",
            link("references", &object.name)
        )
    });
    section(&mut page, "Managed objects", lines.collect());

    let mut methods: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for method in description.methods.iter() {
        if is_here(&method.family) {
            let this = method.parameters.first();
            let owner = this.and_then(|this| this.ty.annotations.to.as_deref());
            let links = methods.entry(owner.unwrap_or("any object")).or_default();
            links.push(link("methods", &method.name));
        }
    }
    let lines = methods.into_iter().map(|(owner, mut links)| {
        links.sort_unstable();
        format!("of `{owner}`: {}", links.join(", "))
    });
    section(&mut page, "Methods", lines.collect());

    for (title, keyword) in [
        ("Data objects", Keyword::Object),
        ("Faults", Keyword::Fault),
    ] {
        let objects = description.objects.iter();
        let objects = objects.filter(|one| one.keyword == keyword && is_here(&one.family));
        let mut lines: Vec<_> = objects.map(|one| link("objects", &one.name)).collect();
        lines.sort_unstable();
        section(&mut page, title, lines);
    }
    let enums = description.enums.iter();
    let enums = enums.filter(|one| is_here(&one.family));
    let mut lines: Vec<_> = enums.map(|one| link("enums", &one.name)).collect();
    lines.sort_unstable();
    section(&mut page, "Enumerations", lines);
    page
}

fn section(page: &mut Vec<String>, title: &str, items: Vec<String>) {
    if items.is_empty() {
        return;
    }
    page.extend([String::new(), format!("## {title}"), String::new()]);
    page.extend(items.into_iter().map(|item| format!("- {item}")));
}

/// The name on the wire, as a link to the type in a module.
fn link(module: &str, name: &str) -> String {
    format!("[`{name}`](crate::{module}::{})", type_name(name))
}
