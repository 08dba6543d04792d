use std::fmt;

/// A named value: libvirt's `virTypedParameter`.
///
/// [`Display`](fmt::Display) of the [value](ParamValue) is virsh's text.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedParam {
    /// libvirt's name of the value, such as `balloon.maximum`.
    pub field: String,
    /// The value.
    pub value: ParamValue,
}

impl TypedParam {
    /// The parameter with that name and value.
    pub fn new(field: impl Into<String>, value: impl Into<ParamValue>) -> TypedParam {
        TypedParam {
            field: field.into(),
            value: value.into(),
        }
    }
}

/// The value of a [`TypedParam`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ParamValue {
    /// `int`.
    Int(i32),
    /// `unsigned int`.
    UInt(u32),
    /// `long long`.
    LLong(i64),
    /// `unsigned long long`.
    ULLong(u64),
    /// `double`.
    Double(f64),
    /// `bool`.
    Boolean(bool),
    /// A text.
    String(String),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Int(value) => value.fmt(f),
            ParamValue::UInt(value) => value.fmt(f),
            ParamValue::LLong(value) => value.fmt(f),
            ParamValue::ULLong(value) => value.fmt(f),
            // vshGetTypedParamValue prints %f.
            ParamValue::Double(value) => write!(f, "{value:.6}"),
            ParamValue::Boolean(true) => f.write_str("yes"),
            ParamValue::Boolean(false) => f.write_str("no"),
            ParamValue::String(value) => f.write_str(value),
        }
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident,)*) => { $(
        impl From<$type> for ParamValue {
            fn from(value: $type) -> ParamValue {
                ParamValue::$variant(value.into())
            }
        }
    )* };
}

from! {
    i32 => Int,
    u32 => UInt,
    i64 => LLong,
    u64 => ULLong,
    f64 => Double,
    bool => Boolean,
    String => String,
    &str => String,
}

#[cfg(test)]
mod tests {
    use super::{ParamValue, TypedParam};

    #[test]
    fn values_are_printed_as_virsh_does() {
        for (value, expected) in [
            (ParamValue::from(-1), "-1"),
            (7_u32.into(), "7"),
            ((-1_i64).into(), "-1"),
            (u64::MAX.into(), "18446744073709551615"),
            (0.5.into(), "0.500000"),
            (true.into(), "yes"),
            (false.into(), "no"),
            ("a b".into(), "a b"),
        ] {
            assert_eq!(value.to_string(), expected);
        }
        let param = TypedParam::new("state.state", 1);
        assert_eq!(param.field, "state.state");
    }
}
