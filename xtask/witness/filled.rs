//! Objects filled with values of every kind, by reflection.

use std::collections::HashMap;

use vi_generator::model::{Annotations, Description};
use vi_types::{
    Any, Binary, DateTime, EnumValue, List, ManagedObjectReference, Object, ObjectInfo, Occurrence,
    PropertyMut, Registry, Values, View,
};

/// Strings as they come, and as they rarely do.
const TEXTS: [&str; 8] = [
    "plain",
    "a<b> & \"c\" 'd' ]]>",
    " with blanks ",
    "",
    "ü 日本 \u{1f980}",
    "two\nlines\tand a tab",
    "&amp; is no reference",
    "[datastore1] vm/vm.vmx",
];

/// Points in time, as the wire has them.
const TIMES: [&str; 3] = [
    "2026-11-22T01:02:03Z",
    "1999-12-31T23:59:59.5Z",
    "2012-02-29T12:00:00.123456Z",
];

/// Fills objects, with other values from one to the next.
pub(crate) struct Filler<'a> {
    registry: &'static Registry,
    /// The description of each member, by the names of its owner and itself.
    annotations: HashMap<(&'a str, &'a str), &'a Annotations>,
    /// Counts the values.
    count: usize,
    /// How many objects there may still be with anything that need not be there.
    left: usize,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(registry: &'static Registry, description: &'a Description) -> Self {
        let mut annotations = HashMap::new();
        for object in description
            .objects
            .iter()
            .chain(&description.managed_objects)
        {
            for member in &object.members {
                let key = (object.name.as_str(), member.name.as_str());
                annotations.insert(key, &member.ty.annotations);
            }
        }
        for method in &description.methods {
            for parameter in &method.parameters {
                let name = parameter.name.split(':').next().unwrap_or_default();
                annotations.insert((method.name.as_str(), name), &parameter.ty.annotations);
            }
        }
        Self {
            registry,
            annotations,
            count: 0,
            left: 0,
        }
    }

    /// An object with its required properties, and with `optional` others in at most so many objects.
    pub(crate) fn object(&mut self, info: &'static ObjectInfo, optional: usize) -> Box<dyn Object> {
        self.left = optional;
        self.fill(info, 0)
    }

    /// A reference to something that `owner` may have under `name`.
    pub(crate) fn reference(&mut self, owner: &str, name: &str) -> ManagedObjectReference {
        let to = self
            .annotations
            .get(&(owner, name))
            .and_then(|said| said.to.as_deref());
        self.count += 1;
        ManagedObjectReference {
            r#type: to.unwrap_or("VirtualMachine").to_owned(),
            value: format!("object-{}", self.count),
        }
    }

    fn fill(&mut self, info: &'static ObjectInfo, depth: usize) -> Box<dyn Object> {
        let mut object = (info.new)();
        let is_rich = depth < 5 && self.left > 0;
        self.left = self.left.saturating_sub(1);
        for (index, field) in info.all_fields().enumerate() {
            let owner = info
                .ancestry()
                .find(|info| self.annotations.contains_key(&(info.name, field.name)))
                .unwrap_or(info);
            let said = self.annotations.get(&(owner.name, field.name));
            let is_required = matches!(
                field.occurrence,
                Occurrence::Required | Occurrence::RequiredList
            ) || said.is_some_and(|said| said.required);
            if !is_required && !is_rich {
                continue;
            }
            // A position that holds a family takes any of it.
            let is_poly = matches!(object.get_mut(index), PropertyMut::Value(_));
            let item = |filler: &mut Self| {
                filler.value(owner.name, field.name, field.ty, is_poly && is_rich, depth)
            };
            if field.occurrence.is_list() {
                let count = if is_rich { 2 } else { 1 };
                let items = Items((0..count).map(|_| item(self)).collect());
                object
                    .get_mut(index)
                    .assign(View::List(List::Values(&items)));
            } else {
                let item = item(self);
                object.get_mut(index).assign(item.view());
            }
        }
        object
    }

    fn value(&mut self, owner: &str, name: &str, ty: &str, is_poly: bool, depth: usize) -> Filled {
        self.count += 1;
        let count = self.count;
        let number = [0, 1, -1, i64::MAX, i64::MIN, 1_234_567][count % 6];
        let pick = |least: i64, most: i64| number.clamp(least, most);
        match ty {
            "boolean" => Filled::Bool(count.is_multiple_of(2)),
            "byte" => Filled::Byte(pick(i8::MIN.into(), i8::MAX.into()) as i8),
            "short" => Filled::Short(pick(i16::MIN.into(), i16::MAX.into()) as i16),
            "int" => Filled::Int(pick(i32::MIN.into(), i32::MAX.into()) as i32),
            "long" => Filled::Long(number),
            "float" => Filled::Float([0.5, -1.25, 1024.0][count % 3]),
            "double" => Filled::Double([0.1, -1e300, 1.0][count % 3]),
            "anyURI" => Filled::Text(format!("https://host/{count}?a=b&c=d")),
            "string" => Filled::Text(self.text(owner, name)),
            "dateTime" => Filled::DateTime(time(count)),
            "base64Binary" => {
                Filled::Binary((0..=255).cycle().skip(count).take(count % 300).collect())
            }
            "ManagedObjectReference" => Filled::Moref(self.reference(owner, name)),
            "anyType" => Filled::Any(self.any()),
            ty => match (self.registry.object(ty), self.registry.enumeration(ty)) {
                (Some(info), _) => {
                    let info = if is_poly { self.descendant(info) } else { info };
                    Filled::Object(self.fill(info, depth + 1))
                }
                (None, Some(info)) => {
                    let at = count % info.values().count().max(1);
                    let value = info.values().nth(at).map_or("", |(value, _)| value);
                    Filled::Enum(info.name, value)
                }
                (None, None) => Filled::Text(format!("a value of the unknown type {ty}")),
            },
        }
    }

    fn text(&self, owner: &str, name: &str) -> String {
        let names = self
            .annotations
            .get(&(owner, name))
            .and_then(|said| said.names.as_deref());
        match names {
            Some("TypeName") => "VirtualMachine".to_owned(),
            Some("MethodName") => "PowerOnVM_Task".to_owned(),
            Some(_) => "config.hardware.device".to_owned(),
            None if self.count.is_multiple_of(97) => "long & <wide> ".repeat(500),
            None => TEXTS[self.count % TEXTS.len()].to_owned(),
        }
    }

    /// The type itself or one of its family, another one each time.
    fn descendant(&self, base: &'static ObjectInfo) -> &'static ObjectInfo {
        let family = self
            .registry
            .objects
            .iter()
            .filter(|info| info.is_a(base.name));
        let family: Vec<_> = family.copied().collect();
        family[self.count % family.len()]
    }

    fn any(&mut self) -> Any {
        let count = self.count;
        let text = TEXTS[count % TEXTS.len()].to_owned();
        match count % 10 {
            0 => Any::Bool(true),
            1 => Any::Int(-5),
            2 => Any::Long(5_000_000_000),
            3 => Any::Moref(self.reference("", "")),
            4 => Any::DateTime(time(count)),
            5 => Any::Enum(Box::new(EnumValue {
                type_name: "VirtualMachinePowerState".to_owned(),
                value: "poweredOn".to_owned(),
            })),
            6 => Any::Binary(Binary(text.into_bytes())),
            7 => match self.registry.object("OptionValue") {
                Some(info) => {
                    let mut object = (info.new)();
                    let key = Filled::Text("key".to_owned());
                    object.get_mut(0).assign(key.view());
                    let value = Filled::Any(Any::String(text));
                    object.get_mut(1).assign(value.view());
                    Any::Object(object)
                }
                None => Any::String(text),
            },
            8 => Any::Double(0.25),
            _ => Any::String(text),
        }
    }
}

fn time(count: usize) -> DateTime {
    TIMES[count % TIMES.len()].parse().unwrap_or_default()
}

/// A value that is looked at to be copied into a property.
enum Filled {
    Bool(bool),
    Byte(i8),
    Short(i16),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    Text(String),
    DateTime(DateTime),
    Binary(Vec<u8>),
    Enum(&'static str, &'static str),
    Moref(ManagedObjectReference),
    Object(Box<dyn Object>),
    Any(Any),
}

impl Filled {
    fn view(&self) -> View<'_> {
        match self {
            Self::Bool(value) => View::Bool(*value),
            Self::Byte(value) => View::Byte(*value),
            Self::Short(value) => View::Short(*value),
            Self::Int(value) => View::Int(*value),
            Self::Long(value) => View::Long(*value),
            Self::Float(value) => View::Float(*value),
            Self::Double(value) => View::Double(*value),
            Self::Text(value) => View::Text(value),
            Self::DateTime(value) => View::DateTime(value),
            Self::Binary(value) => View::Binary(value),
            Self::Enum(ty, value) => View::Enum(ty, value),
            Self::Moref(value) => View::Moref(value),
            Self::Object(value) => View::Object(&**value),
            Self::Any(value) => View::Any(value),
        }
    }
}

struct Items(Vec<Filled>);

impl Values for Items {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn item(&self, index: usize) -> View<'_> {
        self.0[index].view()
    }
}
