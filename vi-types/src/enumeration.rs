//! Enumerations, which grow with new versions of the API.

/// An enumeration of the VI API.
///
/// Newer servers send values that this crate does not know. They are kept as `Unrecognized`, so a `match` needs an arm
/// for it. An empty `Unrecognized` is an unset value.
pub trait Enum: Sized + Clone + PartialEq + Default + Send + Sync + 'static {
    /// The type's name on the wire.
    const NAME: &'static str;
    /// The known values: see [`EnumInfo::text`].
    const VALUES: &'static str;
    /// The value as it is written on the wire.
    fn as_str(&self) -> &str;
    /// The value of a text on the wire; an unknown text becomes `Unrecognized`.
    fn from_wire(value: &str) -> Self;
    /// Whether the value is unset.
    fn is_unset(&self) -> bool {
        self.as_str().is_empty()
    }
}

/// The description of an enumeration.
#[derive(Clone, Copy, Debug)]
pub struct EnumInfo {
    /// The type's name on the wire.
    pub name: &'static str,
    /// The known values, a line each, as in generator.input: `<value> [since <version>]`. Kept as text because a
    /// table of thousands of names is larger; [`values`](Self::values) reads it.
    pub text: &'static str,
}

impl EnumInfo {
    /// The description of an enumeration that is known at compile time.
    pub const fn of<E: Enum>() -> Self {
        Self {
            name: E::NAME,
            text: E::VALUES,
        }
    }

    /// The known values, as they are written on the wire, each with the first API version that has it; that is empty
    /// where it is the enumeration's.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let lines = self.text.lines().filter(|line| !line.is_empty());
        lines.map(|line| line.split_once(" since ").unwrap_or((line, "")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_version_they_came_with() {
        let info = EnumInfo {
            name: "E",
            text: "\na\nb since 8.0.0.1\n",
        };
        let values: Vec<_> = info.values().collect();
        assert_eq!(values, [("a", ""), ("b", "8.0.0.1")]);
    }
}
