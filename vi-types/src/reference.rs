//! References to managed objects of one type.

use std::ops::Deref;

use crate::any::FromAny;
use crate::moref::ManagedObjectReference;
use crate::object::ManagedObject;

/// A reference to managed objects of one type: [`references::VirtualMachine`](crate::references::VirtualMachine) and
/// the like.
pub trait TypedReference:
    Deref
    + AsRef<ManagedObjectReference>
    + From<ManagedObjectReference>
    + Into<ManagedObjectReference>
    + FromAny
    + Clone
    + Eq
{
    /// The properties of the managed object.
    type Properties: ManagedObject;
    /// The managed object's type, as `ManagedObjectReference.type` names it.
    const TYPE: &'static str = <Self::Properties as ManagedObject>::TYPE;
}

impl ManagedObjectReference {
    /// Whether this refers to a `T` or a descendant, judged by the name of its type.
    pub fn is<T: ManagedObject>(&self) -> bool {
        let ty = self.r#type.as_str();
        ty == T::TYPE || T::DESCENDANTS.contains(&ty)
    }
}

/// Defines the reference type of one set of bindings, in the crate of the bindings, because only there it can have
/// inherent functions.
#[doc(hidden)]
#[macro_export]
macro_rules! reference_type {
    () => {
        /// A reference to a managed object whose properties are a `T`, or to a descendant of it.
        ///
        /// Dereferences to a reference to the base class, and in the end to a plain `ManagedObjectReference`.
        /// [`from_moref`](Self::from_moref) converts a plain reference and checks its type; `from` does not check.
        pub struct Reference<T: $crate::ManagedObject> {
            base: T::Base,
        }

        impl<T: $crate::ManagedObject> Reference<T> {
            /// The reference as one to this type; `None` if it is to another type that is not a descendant.
            pub fn from_moref(moref: $crate::ManagedObjectReference) -> Option<Self> {
                moref.is::<T>().then(|| Self::from(moref))
            }

            /// A copy as a plain reference.
            pub fn to_moref(&self) -> $crate::ManagedObjectReference {
                self.base.as_ref().clone()
            }
        }

        impl<T: $crate::ManagedObject> $crate::TypedReference for Reference<T> {
            type Properties = T;
        }

        impl<T: $crate::ManagedObject> std::ops::Deref for Reference<T> {
            type Target = T::Base;
            fn deref(&self) -> &T::Base {
                &self.base
            }
        }

        impl<T: $crate::ManagedObject> AsRef<$crate::ManagedObjectReference> for Reference<T> {
            fn as_ref(&self) -> &$crate::ManagedObjectReference {
                self.base.as_ref()
            }
        }

        /// Does not check the name of the type.
        impl<T: $crate::ManagedObject> From<$crate::ManagedObjectReference> for Reference<T> {
            fn from(moref: $crate::ManagedObjectReference) -> Self {
                Self {
                    base: T::Base::from(moref),
                }
            }
        }

        impl<T: $crate::ManagedObject> From<Reference<T>> for $crate::ManagedObjectReference {
            fn from(reference: Reference<T>) -> Self {
                reference.base.into()
            }
        }

        impl<T: $crate::ManagedObject> From<&Reference<T>> for $crate::ManagedObjectReference {
            fn from(reference: &Reference<T>) -> Self {
                reference.to_moref()
            }
        }

        /// Checks the name of the type, like [`Reference::from_moref`].
        impl<T: $crate::ManagedObject> $crate::FromAny for Reference<T> {
            fn from_any(any: $crate::Any) -> Result<Self, $crate::CastError> {
                let moref = <$crate::ManagedObjectReference as $crate::FromAny>::from_any(any)?;
                match moref.is::<T>() {
                    true => Ok(Self::from(moref)),
                    false => Err($crate::CastError::Type {
                        expected: format!("a reference to a {}", T::TYPE),
                        found: format!("one to a {}", moref.r#type),
                    }),
                }
            }
        }

        impl<T: $crate::ManagedObject> Clone for Reference<T> {
            fn clone(&self) -> Self {
                Self {
                    base: self.base.clone(),
                }
            }
        }

        impl<T: $crate::ManagedObject> PartialEq for Reference<T> {
            fn eq(&self, other: &Self) -> bool {
                self.base == other.base
            }
        }

        impl<T: $crate::ManagedObject> Eq for Reference<T> {}

        impl<T: $crate::ManagedObject> PartialEq<$crate::ManagedObjectReference> for Reference<T> {
            fn eq(&self, other: &$crate::ManagedObjectReference) -> bool {
                self.base.as_ref() == other
            }
        }

        impl<T: $crate::ManagedObject> std::hash::Hash for Reference<T> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.base.hash(state);
            }
        }

        impl<T: $crate::ManagedObject> std::fmt::Debug for Reference<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.base, f)
            }
        }

        impl<T: $crate::ManagedObject> std::fmt::Display for Reference<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.base, f)
            }
        }
    };
}
