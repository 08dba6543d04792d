//! Property paths: `config.hardware.device`, `config.hardware.device[2000].backing`.
//!
//! [`get`] and [`find`] follow a path given as text; the compiler checks a [`Path`].

mod typed;

use std::fmt;

use crate::object::Object;
use crate::value::View;

pub use typed::{Path, ReadAs, Through};

/// The value at the end of a path.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The value; unset if an object on the way is unset.
    pub view: View<'a>,
    /// The schema's name of the declared type, of the items where it is a list.
    pub ty: &'static str,
    /// Whether the property is a list.
    pub list: bool,
}

/// Invalid property path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The whole path.
    pub path: String,
    /// The step that failed.
    pub name: String,
    /// The type that lacks this property.
    pub ty: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, name, ty } = self;
        write!(f, "{ty} has no property '{name}' (path '{path}')")
    }
}

impl std::error::Error for PathError {}

/// The value at the end of a path, which starts with a property of `root`.
///
/// Names are those of the wire. A step into a list needs the key of the item in brackets, in quotes if it is a text; items
/// without a property `key` cannot be addressed. If an object on the way is unset, the value is unset.
///
/// # Errors
/// If a type lacks a property of the path.
pub fn get<'a>(root: &'a dyn Object, path: &str) -> Result<View<'a>, PathError> {
    find(root, path).map(|found| found.view)
}

/// Like [`get`], together with the declared type of the last property.
///
/// # Errors
/// As [`get`].
pub fn find<'a>(root: &'a dyn Object, path: &str) -> Result<Found<'a>, PathError> {
    let mut object = root;
    let mut steps = steps(path);
    let mut step = steps.next().unwrap_or_default();
    loop {
        let error = |ty: &str| PathError {
            path: path.to_owned(),
            name: step.to_owned(),
            ty: ty.to_owned(),
        };
        let (name, key) = match step.split_once('[') {
            Some((name, key)) => {
                let key = key
                    .strip_suffix(']')
                    .ok_or_else(|| error(object.type_name()))?;
                (name, Some(key.trim_matches('"')))
            }
            None => (step, None),
        };
        let layout = object.info().layout();
        let index = layout
            .index_of(name)
            .ok_or_else(|| error(object.type_name()))?;
        let field = &layout.fields[index];
        let mut found = Found {
            view: object.get(index).view(),
            ty: field.ty,
            list: field.occurrence.is_list(),
        };
        if let Some(key) = key {
            if !found.list {
                return Err(error(object.type_name()));
            }
            found = Found {
                view: item(found.view, key),
                list: false,
                ..found
            };
        }
        let Some(next) = steps.next() else {
            return Ok(found);
        };
        step = next;
        object = match found.view {
            View::Object(object) => object,
            View::Any(any) => match any.as_object() {
                Some(object) => object,
                None => {
                    return Ok(Found {
                        view: View::Unset,
                        ..found
                    });
                }
            },
            View::Unset => {
                return Ok(Found {
                    view: View::Unset,
                    ..found
                });
            }
            _ => {
                return Err(PathError {
                    path: path.to_owned(),
                    name: step.to_owned(),
                    ty: found.ty.to_owned(),
                });
            }
        };
    }
}

/// The steps of a path: names, each with what is in brackets behind it. Keys may have dots and brackets in them if they
/// are in quotes: `config.extraConfig["svga.present"].value`.
pub fn steps(path: &str) -> impl Iterator<Item = &str> {
    let (mut in_brackets, mut in_quotes) = (false, false);
    path.split(move |c| {
        match c {
            '"' if in_brackets => in_quotes = !in_quotes,
            '[' if !in_quotes => in_brackets = true,
            ']' if !in_quotes => in_brackets = false,
            _ => {}
        }
        c == '.' && !in_brackets
    })
}

fn item<'a>(list: View<'a>, key: &str) -> View<'a> {
    let View::List(list) = list else {
        return View::Unset;
    };
    list.iter()
        .find(|item| match item {
            View::Object(object) => match object.property("key") {
                Some(View::Int(number)) => key.parse() == Ok(number),
                Some(View::Short(number)) => key.parse() == Ok(number),
                Some(View::Long(number)) => key.parse() == Ok(number),
                Some(View::Text(text)) => text == key,
                _ => false,
            },
            _ => false,
        })
        .unwrap_or(View::Unset)
}
