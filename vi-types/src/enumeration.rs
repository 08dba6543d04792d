//! Enumerations, which may always grow.

/// An enumeration of the VI API.
///
/// Servers newer than this crate send values that it doesn't know; those are kept as `Unrecognized`, so a
/// `match` needs an arm for it. An empty `Unrecognized` is a value that was left unset.
pub trait Enum: Sized + Clone + PartialEq + Default + Send + Sync + 'static {
    /// The type's name on the wire.
    const NAME: &'static str;
    /// The known values, as they are written on the wire.
    const VALUES: &'static [&'static str];
    /// The value as it is written on the wire.
    fn as_str(&self) -> &str;
    /// The value that is written so; an unknown one is kept.
    fn from_wire(value: &str) -> Self;
    /// Whether no value was given.
    fn is_unset(&self) -> bool {
        self.as_str().is_empty()
    }
}
