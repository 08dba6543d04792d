//! The driver's public interface, as its sources tell it.

use std::collections::{BTreeMap, HashMap};

use syn::punctuated::Punctuated;
use syn::{
    Attribute, Fields, GenericArgument, ImplItem, Item, PathArguments, ReturnType, Type, Visibility,
};

use super::{ParityError, Source};

/// What the sources tell.
#[derive(Default)]
pub(super) struct Driver {
    /// Methods that are libvirt's functions.
    pub(super) functions: Vec<Function>,
    /// What methods return, by type and name.
    returns: HashMap<(String, String), Type>,
    /// The types of fields, by type and name.
    fields: HashMap<(String, String), Type>,
    /// The types that have a method of a name.
    owners: BTreeMap<String, Vec<String>>,
}

/// A method that is one of libvirt's functions, or several.
pub(super) struct Function {
    pub(super) owner: String,
    pub(super) name: String,
    /// libvirt's names.
    pub(super) aliases: Vec<String>,
    /// The file's path in the workspace.
    pub(super) path: String,
}

impl Function {
    /// `Domain::suspend`.
    pub(super) fn method(&self) -> String {
        format!("{}::{}", self.owner, self.name)
    }
}

impl Driver {
    /// Reads the sources.
    pub(super) fn read(sources: &[Source]) -> Result<Driver, ParityError> {
        let mut driver = Driver::default();
        for Source { path, file } in sources {
            for item in &file.items {
                let read = match item {
                    Item::Impl(block) if block.trait_.is_none() => driver.read_impl(path, block),
                    Item::Struct(item) => {
                        driver.read_fields(&item.ident.to_string(), &item.fields);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                read.map_err(|source| ParityError::Rust {
                    path: path.into(),
                    source,
                })?;
            }
        }
        Ok(driver)
    }

    fn read_impl(&mut self, path: &str, block: &syn::ItemImpl) -> syn::Result<()> {
        let Some(owner) = name_of(&block.self_ty) else {
            return Ok(());
        };
        for item in &block.items {
            let ImplItem::Fn(method) = item else { continue };
            if !matches!(method.vis, Visibility::Public(_)) {
                continue;
            }
            let name = method.sig.ident.to_string();
            let owners = self.owners.entry(name.clone()).or_default();
            if !owners.contains(&owner) {
                owners.push(owner.clone());
            }
            if let ReturnType::Type(_, returned) = &method.sig.output {
                let returned = match name_of(returned).as_deref() {
                    Some("Self") => (*block.self_ty).clone(),
                    _ => (**returned).clone(),
                };
                self.returns.insert((owner.clone(), name.clone()), returned);
            }
            let aliases = aliases(&method.attrs)?;
            if !aliases.is_empty() {
                self.functions.push(Function {
                    owner: owner.clone(),
                    name,
                    aliases,
                    path: path.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn read_fields(&mut self, owner: &str, fields: &Fields) {
        for field in fields {
            if let Some(name) = &field.ident {
                let key = (owner.to_owned(), name.to_string());
                self.fields.insert(key, field.ty.clone());
            }
        }
    }

    /// The methods that are libvirt's `function`.
    pub(super) fn named<'a>(&'a self, function: &'a str) -> impl Iterator<Item = &'a Function> {
        let functions = self.functions.iter();
        functions.filter(move |method| method.aliases.iter().any(|alias| alias == function))
    }

    /// What a method returns.
    pub(super) fn returned(&self, owner: &str, name: &str) -> Option<&Type> {
        self.returns.get(&(owner.to_owned(), name.to_owned()))
    }

    /// The type of a field.
    pub(super) fn field(&self, owner: &str, name: &str) -> Option<&Type> {
        self.fields.get(&(owner.to_owned(), name.to_owned()))
    }

    /// Whether a type has a method of that name.
    pub(super) fn has(&self, owner: &str, name: &str) -> bool {
        let owners = self.owners.get(name);
        owners.is_some_and(|owners| owners.iter().any(|one| one == owner))
    }

    /// The only type that has a method of that name.
    pub(super) fn only_owner(&self, name: &str) -> Option<&str> {
        match self.owners.get(name).map(Vec::as_slice) {
            Some([owner]) => Some(owner),
            _ => None,
        }
    }
}

/// The texts of `#[doc(alias = "…")]` and `#[doc(alias("…", "…"))]` that are names of libvirt's functions.
fn aliases(attributes: &[Attribute]) -> syn::Result<Vec<String>> {
    let mut found = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("doc") || attribute.meta.require_list().is_err() {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("alias") {
                // `hidden` and others; a value that is not read is an error of syn.
                return Ok(());
            }
            if meta.input.peek(syn::token::Paren) {
                let content;
                syn::parenthesized!(content in meta.input);
                let texts = Punctuated::<syn::LitStr, syn::Token![,]>::parse_terminated(&content)?;
                found.extend(texts.iter().map(syn::LitStr::value));
            } else {
                found.push(meta.value()?.parse::<syn::LitStr>()?.value());
            }
            Ok(())
        })?;
    }
    found.retain(|alias| alias.starts_with("vir"));
    Ok(found)
}

/// The last part of a type's path, below references and what only wraps it: `Domain` of `&Domain`, `Result<Domain>` and
/// `Operation<'static, Domain>`.
pub(super) fn name_of(ty: &Type) -> Option<String> {
    let Type::Path(path) = unwrapped(ty) else {
        return None;
    };
    Some(path.path.segments.last()?.ident.to_string())
}

/// A type without references and what only wraps it.
pub(super) fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => unwrapped(&reference.elem),
        Type::Paren(paren) => unwrapped(&paren.elem),
        Type::Path(path) => match path.path.segments.last() {
            Some(segment) => match segment.ident.to_string().as_str() {
                "Result" | "Option" | "Operation" | "Box" | "Arc" => {
                    first_type(&segment.arguments).map_or(ty, unwrapped)
                }
                _ => ty,
            },
            None => ty,
        },
        _ => ty,
    }
}

/// The type of an item of a list.
pub(super) fn item_of(ty: &Type) -> Option<&Type> {
    match unwrapped(ty) {
        Type::Array(array) => Some(&array.elem),
        Type::Slice(slice) => Some(&slice.elem),
        Type::Path(path) => {
            let segment = path.path.segments.last()?;
            match segment.ident == "Vec" {
                true => first_type(&segment.arguments),
                false => None,
            }
        }
        _ => None,
    }
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
