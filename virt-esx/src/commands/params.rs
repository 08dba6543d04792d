//! libvirt's typed parameters as JSON.

use serde::{Serialize, Serializer};
use virt_model::{ParamValue, TypedParam};

/// As an object with a member for each: `#[serde(serialize_with = "params::by_name")]`.
pub(crate) fn by_name<S: Serializer>(
    params: impl AsRef<[TypedParam]>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let params = params.as_ref().iter();
    to.collect_map(params.map(|param| (&param.field, Value(&param.value))))
}

/// A value as JSON.
struct Value<'a>(&'a ParamValue);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ParamValue::Int(value) => value.serialize(to),
            ParamValue::UInt(value) => value.serialize(to),
            ParamValue::LLong(value) => value.serialize(to),
            ParamValue::ULLong(value) => value.serialize(to),
            ParamValue::Double(value) => value.serialize(to),
            ParamValue::Boolean(value) => value.serialize(to),
            value => value.to_string().serialize(to),
        }
    }
}
