//! The whole API there and back again: `cargo test -p vi-types --features full,serde --test full`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod filler;

use std::collections::{BTreeMap, HashMap};

use filler::{Extent, Filler, assign};
use serde::de::DeserializeSeed as _;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::objects::{DynamicProperty, ObjectContent, RetrieveResult};
use vi_types::wire::{Limits, Writer, decode_request, decode_response, encode_response};
use vi_types::{
    Any, EnumValue, ManagedObjectReference, MethodInfo, Object, ObjectInfo, PropertyMut, Registry,
    This, View, interface, json,
};

fn registry() -> &'static Registry {
    vi_types::registry()
}

/// Sends a value through an answer.
#[track_caller]
fn through_xml(val: &Any) -> Any {
    let result = RetrieveResult {
        objects: vec![ObjectContent {
            prop_set: vec![DynamicProperty {
                name: "p".to_owned(),
                val: val.clone(),
                ..Default::default()
            }],
            ..ObjectContent::default()
        }],
        ..RetrieveResult::default()
    };
    let xml = encode_response::<RetrievePropertiesEx>(&Some(Box::new(result)));
    let decoded =
        decode_response::<RetrievePropertiesEx>(xml.as_bytes(), Limits::default()).unwrap();
    assert_eq!(decoded.unknown, [] as [&str; 0], "{xml}");
    let mut result = decoded.returnval.unwrap();
    result.objects.remove(0).prop_set.remove(0).val
}

#[track_caller]
fn through_json(val: &Any) -> Any {
    let text = serde_json::to_string(val).unwrap();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    match json::In(registry()).deserialize(&mut deserializer) {
        Ok(any) => any,
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// The same by way of a document with all names backwards, so that `_typeName` is the last.
#[track_caller]
fn through_reversed_json(val: &Any) -> Any {
    let value = serde_json::to_value(val).unwrap();
    let text = serde_json::to_string(&Reversed(&value)).unwrap();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    json::In(registry()).deserialize(&mut deserializer).unwrap()
}

struct Reversed<'a>(&'a serde_json::Value);

impl serde::Serialize for Reversed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde_json::Value;
        match self.0 {
            Value::Object(map) => {
                let entries = map.iter().rev();
                serializer.collect_map(entries.map(|(name, value)| (name, Reversed(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Reversed)),
            scalar => scalar.serialize(serializer),
        }
    }
}

#[track_caller]
fn survives(any: &Any) {
    assert_eq!(through_xml(any), *any, "through XML");
    assert_eq!(through_json(any), *any, "through JSON");
    assert_eq!(through_reversed_json(any), *any, "through JSON backwards");
}

#[test]
fn every_object_survives_with_all_of_its_properties() {
    let mut filler = Filler::new(registry());
    for info in registry().objects {
        survives(&Any::Object(filler.object(info, Extent::All)));
    }
}

#[test]
fn every_object_survives_with_what_is_required() {
    let mut filler = Filler::new(registry());
    for info in registry().objects {
        survives(&Any::Object(filler.object(info, Extent::Required)));
    }
}

#[test]
fn every_enum_survives() {
    for info in registry().enumerations {
        let values = info.values().map(|(value, _)| value);
        for value in values.chain(["unheardOf"]) {
            survives(&Any::Enum(Box::new(EnumValue {
                type_name: info.name.to_owned(),
                value: value.to_owned(),
            })));
        }
    }
}

/// For each type that positions are declared with, a data object with such a position.
fn positions() -> BTreeMap<&'static str, (&'static ObjectInfo, usize)> {
    let mut positions = BTreeMap::new();
    for info in registry().objects {
        let mut object = (info.new)();
        for (index, field) in info.all_fields().enumerate() {
            let is_object = registry().object(field.ty).is_some();
            if is_object && matches!(object.get_mut(index), PropertyMut::Value(_)) {
                positions.entry(field.ty).or_insert((*info, index));
            }
        }
    }
    positions
}

#[test]
fn every_object_survives_where_one_of_its_bases_is_declared() {
    let positions = positions();
    let mut filler = Filler::new(registry());
    let mut pairs = 0;
    for info in registry().objects {
        for base in info.ancestry() {
            let Some((holder, index)) = positions.get(base.name) else {
                continue;
            };
            let field = holder.layout().field(*index).unwrap();
            let held = filler.object(info, Extent::Flat);
            let mut object = filler.object(holder, Extent::Required);
            assign(
                object.get_mut(*index),
                field,
                vec![Any::Object(held.clone())],
            );
            let found = match object.get(*index).view() {
                View::List(list) => list.item(0),
                view => view,
            };
            assert_eq!(
                found,
                View::Object(&*held),
                "{}.{}",
                holder.name,
                field.name
            );
            survives(&Any::Object(object));
            pairs += 1;
        }
    }
    assert!(pairs > 1_500, "only {pairs} pairs of a type and a base");
}

#[test]
fn every_managed_object_survives_json() {
    let mut filler = Filler::new(registry());
    for info in registry().managed_objects {
        json_survives(&*filler.object(info, Extent::All));
    }
}

#[track_caller]
fn json_survives(object: &dyn Object) {
    let text = serde_json::to_string(object).unwrap();
    let mut again = (object.info().new)();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    if let Err(error) = json::fill(&mut *again, registry(), &mut deserializer) {
        panic!("{error}\n{text}");
    }
    assert_eq!(*again, *object, "{text}");
}

#[test]
fn every_request_survives() {
    let mut filler = Filler::new(registry());
    for method in interface().methods {
        for extent in [Extent::All, Extent::Required] {
            let request = filler.object((method.request)(), extent);
            let xml = message(method, &*request);
            let decoded = decode_request(xml.as_bytes(), interface(), Limits::default()).unwrap();
            assert_eq!(decoded.name, method.name);
            assert_eq!(*decoded.method.unwrap(), *request, "{xml}");
            json_survives(&*request);
        }
    }
}

/// A request as a message, whatever its type.
fn message(method: &MethodInfo, request: &dyn Object) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <{name} xmlns=\"urn:vim25\">{parameters}</{name}></soapenv:Body></soapenv:Envelope>",
        name = method.name,
        parameters = parameters(method, request)
    )
}

fn parameters(method: &MethodInfo, request: &dyn Object) -> String {
    let mut writer = Writer::new();
    if let This::ServiceContent(member) = method.this {
        let this = ManagedObjectReference::new(member, "it");
        writer.element("_this", "ManagedObjectReference", View::Moref(&this));
    }
    writer.properties(request);
    writer.finish()
}

/// What `generator.input` lists in each block: read without the generator, line by line.
struct Block<'a> {
    base: Option<&'a str>,
    names: Vec<&'a str>,
}

fn blocks(input: &str) -> HashMap<&str, Block<'_>> {
    let mut lines = input
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut blocks = HashMap::new();
    while let Some(head) = lines.next() {
        let name = match head[..] {
            ["object" | "fault" | "method", name, ..] => name,
            _ => continue,
        };
        let base = head.iter().position(|word| *word == "extends");
        let mut block = Block {
            base: base.map(|at| head[at + 1]),
            names: Vec::new(),
        };
        for line in lines.by_ref() {
            match line[..] {
                ["end"] => break,
                ["result" | "throws" | "privilege", ..] | [] => {}
                // Ignored.
                [_, _, "i", ..] => {}
                [_, name, ..] => block.names.push(name.split(':').next().unwrap()),
                _ => panic!("{line:?} in {name}"),
            }
        }
        assert!(
            blocks.insert(name, block).is_none(),
            "{name} is there twice"
        );
    }
    blocks
}

/// The names of the elements, as quick-xml sees them, each once.
fn elements(xml: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut names, mut depth) = (Vec::new(), 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                if depth == 0 {
                    names.push(start.name().as_ref().to_owned());
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    names.dedup();
    names
}

#[test]
fn elements_come_in_the_order_of_the_schema() {
    let input = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
    let input = std::fs::read_to_string(input).unwrap();
    let blocks = blocks(&input);
    let mut filler = Filler::new(registry());
    for info in registry().objects {
        let chain: Vec<&Block<'_>> =
            std::iter::successors(blocks.get(info.name), |block| blocks.get(block.base?)).collect();
        let expected: Vec<&str> = chain
            .iter()
            .rev()
            .flat_map(|block| block.names.iter().copied())
            .collect();
        let mut writer = Writer::new();
        writer.properties(&*filler.object(info, Extent::All));
        assert_eq!(elements(&writer.finish()), expected, "{}", info.name);
        let layout: Vec<_> = info.all_fields().map(|field| field.name).collect();
        assert_eq!(layout, expected, "{}", info.name);
    }
    for method in interface().methods {
        let expected = &blocks[method.name].names;
        let request = filler.object((method.request)(), Extent::All);
        let found = elements(&parameters(method, &*request));
        assert_eq!(found, *expected, "{}", method.name);
    }
    let known = registry().objects.len() + interface().methods.len();
    assert_eq!(blocks.len(), known, "blocks and types");
}
