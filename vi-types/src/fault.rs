//! Faults: the answer of a server instead of a result.

use std::fmt;

use crate::any::Any;
use crate::object::DataObject;

/// `soapenv:Fault`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoapFault {
    /// `faultcode`, such as `ServerFaultCode`.
    pub code: String,
    /// `faultstring`: a sentence in the language of the session.
    pub string: String,
    /// The fault object: a descendant of `MethodFault`, or another value.
    pub detail: Option<Any>,
}

impl SoapFault {
    /// Makes a SOAP fault of a fault object; `string` is the text for people.
    pub fn new(fault: impl DataObject, string: impl Into<String>) -> Self {
        Self {
            code: "ServerFaultCode".to_owned(),
            string: string.into(),
            detail: Some(Any::object(fault)),
        }
    }

    /// The name of the fault's type, if it has a detail.
    pub fn type_name(&self) -> Option<String> {
        self.detail.as_ref().map(Any::type_name)
    }

    /// The fault as a `T`, if it is that or a descendant of it.
    pub fn cast<T: DataObject>(&self) -> Option<&T> {
        self.detail.as_ref()?.as_object()?.cast()
    }

    /// Whether the fault is a `T` or a descendant of it.
    pub fn is<T: DataObject>(&self) -> bool {
        self.cast::<T>().is_some()
    }
}

impl fmt::Display for SoapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.type_name(), self.string.is_empty()) {
            (Some(name), false) => write!(f, "{name} - {}", self.string),
            (Some(name), true) => f.write_str(&name),
            (None, false) => write!(f, "{} - {}", self.code, self.string),
            (None, true) => f.write_str(&self.code),
        }
    }
}

impl std::error::Error for SoapFault {}
