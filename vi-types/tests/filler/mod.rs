//! Fills objects whose types are known by their descriptions alone.

use vi_types::{
    Any, Array, DateTime, EnumValue, Field, List, ManagedObjectReference, Object, ObjectInfo,
    Occurrence, PropertyMut, Registry, Values, View,
};

/// How much of an object is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What the schema requires.
    Required,
    /// Everything but optional objects.
    Flat,
    /// Everything; the objects in it flat, so that types which hold themselves have an end.
    All,
}

/// Makes values, no two of them alike if it can be helped: an exchanged pair of properties shows.
pub(crate) struct Filler {
    registry: &'static Registry,
    count: u8,
}

impl Filler {
    pub(crate) fn new(registry: &'static Registry) -> Self {
        Self { registry, count: 0 }
    }

    /// A new object.
    pub(crate) fn object(&mut self, info: &'static ObjectInfo, extent: Extent) -> Box<dyn Object> {
        let mut object = (info.new)();
        self.fill(&mut *object, extent);
        object
    }

    /// Sets properties; lists get two items.
    pub(crate) fn fill(&mut self, object: &mut dyn Object, extent: Extent) {
        let inner = match extent {
            Extent::Required => Extent::Required,
            Extent::Flat | Extent::All => Extent::Flat,
        };
        for (index, field) in object.info().all_fields().enumerate() {
            let is_required = matches!(field.occurrence, Occurrence::Required);
            let is_object = self.registry.object(field.ty).is_some();
            if !is_required && (extent == Extent::Required || (extent == Extent::Flat && is_object))
            {
                continue;
            }
            match object.get_mut(index) {
                PropertyMut::Object(object) => self.fill(object, inner),
                PropertyMut::Optional(object) => self.fill(object.fill(), inner),
                PropertyMut::Objects(objects) => {
                    self.fill(objects.push(), inner);
                    self.fill(objects.push(), inner);
                }
                PropertyMut::Absent => {}
                slot @ PropertyMut::Value(_) => {
                    let mut values = vec![self.value(field.ty, inner)];
                    if field.occurrence.is_list() {
                        values.push(self.value(field.ty, inner));
                    }
                    assign(slot, field, values);
                }
            }
        }
    }

    /// A value of a declared type.
    fn value(&mut self, ty: &str, extent: Extent) -> Any {
        self.count = self.count.wrapping_add(1);
        let count = self.count;
        match ty {
            "boolean" => Any::Bool(count.is_multiple_of(2)),
            "byte" => Any::Byte(count as i8),
            "short" => Any::Short(-300 - i16::from(count)),
            "int" => Any::Int(70_000 + i32::from(count)),
            "long" => Any::Long(i64::MIN + i64::from(count)),
            "float" => Any::Float(f32::from(count) + 0.5),
            "double" => Any::Double(f64::from(count) - 0.25),
            "string" => Any::String(format!(" <{count}> & \"äöü\"\r\n日本語\t🦀")),
            "anyURI" => Any::Uri(format!("https://example.com/?a={count}&b")),
            "dateTime" => Any::DateTime(DateTime::from_epoch_seconds(i64::from(count) << 24)),
            "base64Binary" => Any::Binary(vec![count; usize::from(count % 5)].into()),
            "ManagedObjectReference" => {
                ManagedObjectReference::new("VirtualMachine", format!("vm-{count}")).into()
            }
            "anyType" => self.any(),
            ty => match (self.registry.object(ty), self.registry.enumeration(ty)) {
                (Some(info), _) => Any::Object(self.object(info, extent)),
                (None, Some(info)) => {
                    // One more than there are: a value that is not known.
                    let at = usize::from(count) % (info.values().count() + 1);
                    let value = info.values().nth(at);
                    Any::Enum(Box::new(EnumValue {
                        type_name: info.name.to_owned(),
                        value: value.map_or("unheardOf", |(value, _)| value).to_owned(),
                    }))
                }
                (None, None) => panic!("the type {ty} is not known"),
            },
        }
    }

    /// A value of one type after the other.
    fn any(&mut self) -> Any {
        const TYPES: [&str; 14] = [
            "boolean",
            "byte",
            "short",
            "int",
            "long",
            "float",
            "double",
            "string",
            "anyURI",
            "dateTime",
            "base64Binary",
            "ManagedObjectReference",
            "Description",
            "VirtualMachinePowerState",
        ];
        let count = usize::from(self.count);
        let ty = TYPES[count % TYPES.len()];
        if (count / TYPES.len()).is_multiple_of(2) {
            return self.value(ty, Extent::Flat);
        }
        let items = vec![
            self.value(ty, Extent::Flat),
            self.value(ty, Extent::Required),
        ];
        let item = ty.to_owned();
        Any::Array(Box::new(Array { item, items }))
    }
}

/// Puts values into a property that is no plain data object.
pub(crate) fn assign(slot: PropertyMut<'_>, field: &Field, values: Vec<Any>) {
    let items = Items {
        ty: field.ty,
        values,
    };
    slot.assign(match field.occurrence.is_list() {
        true => View::List(List::Values(&items)),
        false => items.item(0),
    });
}

struct Items {
    ty: &'static str,
    values: Vec<Any>,
}

impl Values for Items {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn item(&self, index: usize) -> View<'_> {
        match &self.values[index] {
            any if self.ty == "anyType" => View::Any(any),
            Any::Enum(value) => View::Enum(self.ty, &value.value),
            any => any.inner(),
        }
    }
}
