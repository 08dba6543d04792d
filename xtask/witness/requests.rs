//! pyvmomi and this workspace encode the same request.
//!
//! Every method is called twice: with the required parameters, and with all parameters down to some depth. The values
//! are made here by reflection and sent to pyvmomi as JSON with their types. The encoded requests are compared.

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vi_types::wire::Writer;
use vi_types::{Any, ManagedObjectReference, MethodInfo, Object, View, interface, registry};

use crate::canonical::{Element, Name, differences};
use crate::check;
use crate::filled::Filler;
use crate::typed::settle;

const DESCRIPTION: &str = include_str!("../../generator.input");

/// What pyvmomi is not asked, and why.
const LEFT_OUT: &[(&str, &str)] = &[(
    "Fetch",
    "pyvmomi calls it by itself and has no method of that name",
)];

/// What pyvmomi writes otherwise, and why that stays: the type of a reference inside `anyType`. The schema's name of
/// it is `ManagedObjectReference`, which servers send; pyvmomi writes its own class's name.
const THEIR_REFERENCE: &str = "ManagedObject";

/// How many objects of a request have everything.
const RICH: usize = 60;

pub(crate) fn run(python: &str, script: &str) -> Result<(), String> {
    let registry = registry();
    let (description, _) = vi_generator::parse(DESCRIPTION);
    let mut filler = Filler::new(registry, &description);
    let mut told = String::new();
    let mut ours = Vec::new();
    for method in interface().methods {
        if let Some((name, reason)) = LEFT_OUT.iter().find(|(name, _)| *name == method.name) {
            println!("note {name} is left out: {reason}");
            continue;
        }
        for (kind, optional) in [("required", 0), ("everything", RICH)] {
            let request = filler.object((method.request)(), optional);
            let this = filler.reference(method.name, "_this");
            let name = format!("{} with {kind}", method.name);
            told.push_str(&tell(method, &this, &*request).to_string());
            told.push('\n');
            ours.push((name, encode(method, &this, &*request)));
        }
    }
    let theirs = ask(python, script, &told)?;
    if theirs.len() != ours.len() {
        return Err(format!(
            "{} answers to {} requests",
            theirs.len(),
            ours.len()
        ));
    }
    let mut renamed = 0;
    for ((name, ours), theirs) in ours.iter().zip(theirs) {
        let found = compare(&theirs, ours, &mut renamed);
        check(name, found.is_ok(), &found.err().unwrap_or_default());
    }
    let reason = "pyvmomi calls references in anyType ManagedObject";
    check(
        &format!("the known difference shows: {reason}"),
        renamed > 0,
        "it no longer does",
    );
    Ok(())
}

/// The request as `encode_request` writes it for one whose type is known.
fn encode(method: &MethodInfo, this: &ManagedObjectReference, request: &dyn Object) -> String {
    let mut writer = Writer::new();
    writer.element("_this", "ManagedObjectReference", View::Moref(this));
    for (index, field) in (method.request)().all_fields().enumerate() {
        if field.name != "_this" {
            writer.element(field.name, field.ty, request.get(index).view());
        }
    }
    format!(
        "<{0} xmlns=\"urn:vim25\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{1}</{0}>",
        method.name,
        writer.finish()
    )
}

/// The request as pyvmomi is told of it.
fn tell(method: &MethodInfo, this: &ManagedObjectReference, request: &dyn Object) -> Value {
    let mut arguments = fields(request);
    arguments.retain(|argument| argument[0] != "_this");
    json!({"method": method.name, "this": json(View::Moref(this)), "arguments": arguments})
}

fn fields(object: &dyn Object) -> Vec<Value> {
    let mut fields = Vec::new();
    for (index, field) in object.info().all_fields().enumerate() {
        match object.get(index).view() {
            View::Unset => {}
            view => fields.push(json!([field.name, json(view)])),
        }
    }
    fields
}

/// A value with its type.
fn json(view: View<'_>) -> Value {
    match view {
        View::Unset => Value::Null,
        View::Bool(value) => json!({"boolean": value}),
        View::Byte(value) => json!({"byte": value}),
        View::Short(value) => json!({"short": value}),
        View::Int(value) => json!({"int": value}),
        View::Long(value) => json!({"long": value}),
        View::Float(value) => json!({"float": value}),
        View::Double(value) => json!({"double": value}),
        View::Text(value) => json!({"string": value}),
        View::DateTime(value) => json!({"dateTime": value.to_string()}),
        View::Binary(value) => json!({"base64Binary": value}),
        View::Enum(ty, value) => json!({"enum": [ty, value]}),
        View::Moref(value) => json!({"reference": [value.r#type, value.value]}),
        View::Object(object) => json!({"object": [object.type_name(), fields(object)]}),
        View::List(list) => json!({"list": list.iter().map(json).collect::<Vec<_>>()}),
        View::Any(any) => match any {
            Any::Bool(value) => json(View::Bool(*value)),
            Any::Int(value) => json(View::Int(*value)),
            Any::Long(value) => json(View::Long(*value)),
            Any::Double(value) => json(View::Double(*value)),
            Any::String(value) => json(View::Text(value)),
            Any::DateTime(value) => json(View::DateTime(value)),
            Any::Binary(value) => json(View::Binary(&value.0)),
            Any::Moref(value) => json(View::Moref(value)),
            Any::Enum(value) => json!({"enum": [value.type_name, value.value]}),
            Any::Object(value) => json(View::Object(&**value)),
            other => json!({"unexpected": other.type_name()}),
        },
    }
}

/// What pyvmomi writes for each request: XML, or why it can't.
fn ask(python: &str, script: &str, told: &str) -> Result<Vec<Result<String, String>>, String> {
    let failed = |error| format!("cannot run {python}: {error}");
    let path = std::env::temp_dir().join(format!("witness-requests-{}", std::process::id()));
    // A file, as two pipes could wait for each other.
    let written = File::create(&path).and_then(|mut file| file.write_all(told.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    let input = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let output = Command::new(python)
        .arg(script)
        .stdin(input)
        .stderr(Stdio::inherit())
        .output()
        .map_err(failed);
    // It is in a folder for such files; there is nothing to do about a failure.
    let _ = std::fs::remove_file(&path);
    let text = String::from_utf8(output?.stdout).map_err(|error| error.to_string())?;
    text.lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let text = |key: &str| answer[key].as_str().map(str::to_owned);
            Ok(text("xml").ok_or_else(|| text("error").unwrap_or_default()))
        })
        .collect()
}

/// Compares two requests; counts the references in theirs that had to be renamed.
fn compare(theirs: &Result<String, String>, ours: &str, renamed: &mut usize) -> Result<(), String> {
    let theirs = theirs
        .as_ref()
        .map_err(|error| format!("pyvmomi: {error}"))?;
    let theirs = Element::parse(theirs)?;
    let body = theirs.find("Body").and_then(|body| body.children.first());
    let mut theirs = body.ok_or("pyvmomi wrote no body")?.clone();
    let mut ours = Element::parse(ours)?;
    theirs.children.iter_mut().for_each(forget_version);
    *renamed += rename_references(&mut theirs);
    for request in [&mut theirs, &mut ours] {
        let name = request.name.local.clone();
        settle(request, &name, registry());
    }
    let found = differences(&theirs, &ours);
    let lines: Vec<_> = found
        .iter()
        .map(|difference| format!("{}: {}", difference.path, difference.what))
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(lines.join("; "))
    }
}

/// pyvmomi says its version with every parameter; it is no part of the schema.
fn forget_version(parameter: &mut Element) {
    let name = Name {
        namespace: String::new(),
        local: "versionId".to_owned(),
    };
    parameter.attributes.remove(&name);
}

fn rename_references(element: &mut Element) -> usize {
    let mut count = element.children.iter_mut().map(rename_references).sum();
    if let Some(ty) = &mut element.ty
        && ty.local == THEIR_REFERENCE
    {
        ty.local = "ManagedObjectReference".to_owned();
        count += 1;
    }
    count
}
