//! Faults in answers, such as a task's or a missing property's.

use crate::any::Any;
use crate::fault::SoapFault;
use crate::objects::LocalizedMethodFault;

/// The same as the fault of a call.
impl From<LocalizedMethodFault> for SoapFault {
    fn from(fault: LocalizedMethodFault) -> Self {
        Self {
            code: "ServerFaultCode".to_owned(),
            string: fault.localized_message.unwrap_or_default(),
            detail: Some(Any::Object(fault.fault.into_object())),
        }
    }
}
