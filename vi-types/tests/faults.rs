//! What a fault says, whatever a server put into it.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use vi_types::methods::Login;
use vi_types::objects::{
    GenericVmConfigFault, InvalidPowerState, InvalidProperty, LocalizableMessage,
    LocalizedMethodFault, MethodFault, NoPermission,
};
use vi_types::wire::{Limits, ResponseError, decode_response};
use vi_types::{ManagedObjectReference, SoapFault};

fn decoded(fault: &str, envelope: &str) -> SoapFault {
    let xml = format!(
        "<e:Envelope xmlns:e=\"{envelope}\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>\
         <e:Fault>{fault}</e:Fault></e:Body></e:Envelope>"
    );
    match decode_response::<Login>(xml.as_bytes(), Limits::default()) {
        Err(ResponseError::Fault(fault)) => *fault,
        other => panic!("{other:?}"),
    }
}

fn soap_1_1(string: &str, detail: &str) -> SoapFault {
    let fault = format!("<faultcode>ServerFaultCode</faultcode>{string}<detail>{detail}</detail>");
    decoded(&fault, "http://schemas.xmlsoap.org/soap/envelope/")
}

#[test]
fn a_fault_without_a_text_is_told_by_its_type_and_its_own_properties() {
    for string in ["<faultstring/>", "<faultstring>  \n</faultstring>", ""] {
        for (detail, told) in [
            (
                "<InvalidPropertyFault xmlns=\"urn:vim25\"><name>config.instanceUuid</name></InvalidPropertyFault>",
                "InvalidProperty (name: config.instanceUuid)",
            ),
            (
                "<e xsi:type=\"InvalidPowerState\"><requestedState>poweredOn</requestedState>\
                 <existingState>poweredOff</existingState></e>",
                "InvalidPowerState (requestedState: poweredOn, existingState: poweredOff)",
            ),
            (
                "<NoPermissionFault><object type=\"HostSystem\">host-9</object><privilegeId>System.Read</privilegeId>\
                 </NoPermissionFault>",
                "NoPermission (object: HostSystem:host-9, privilegeId: System.Read)",
            ),
            ("<RequestCanceledFault/>", "RequestCanceled"),
            // Types that this build does not have, at the top and below a known base.
            (
                "<NovelFault><faultCause/><code>7</code><inner><a>1</a></inner><why>a &lt; b</why></NovelFault>",
                "Novel (code: 7, why: a < b)",
            ),
            // A value that cannot be decoded.
            (
                "<InvalidPowerStateFault><existingState>poweredOff</existingState><requestedState><x/></requestedState>\
                 </InvalidPowerStateFault>",
                "InvalidPowerState (existingState: poweredOff)",
            ),
        ] {
            let fault = soap_1_1(string, detail);
            assert_eq!(fault.text(), told, "{string}");
            assert_eq!(fault.to_string(), told, "{string}");
        }
        assert_eq!(soap_1_1(string, "").text(), "ServerFaultCode");
    }
    assert_eq!(decoded("", "").text(), "a fault without a text");
}

#[test]
fn a_fault_of_soap_1_2_is_read_like_one_of_1_1() {
    let fault = decoded(
        "<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:x</e:Value></e:Subcode></e:Code>\
         <e:Reason><e:Text xml:lang=\"en\">Not now</e:Text><e:Text xml:lang=\"de\">Nicht jetzt</e:Text></e:Reason>\
         <e:Detail><InvalidPropertyFault><name>a</name></InvalidPropertyFault></e:Detail>",
        "http://www.w3.org/2003/05/soap-envelope",
    );
    assert_eq!((&*fault.code, &*fault.string), ("e:Sender", "Not now"));
    assert_eq!(fault.cast::<InvalidProperty>().unwrap().name, "a");
}

#[test]
fn properties_of_a_fault_are_cut_where_they_are_long() {
    let fault = SoapFault::new(
        InvalidProperty {
            name: format!("a\n b{}", "c".repeat(1000)),
            ..InvalidProperty::default()
        },
        "",
    );
    let text = fault.text();
    assert_eq!(text.chars().count(), "InvalidProperty (name: )".len() + 201);
    assert!(text.starts_with("InvalidProperty (name: a bc"), "{text}");
    assert!(text.ends_with("…)"), "{text}");
}

fn message(text: &str) -> LocalizableMessage {
    LocalizableMessage {
        key: "msg.key".to_owned(),
        message: Some(text.to_owned()).filter(|text| !text.is_empty()),
        ..LocalizableMessage::default()
    }
}

#[test]
fn the_reasons_of_a_fault_are_told_outermost_first_and_once() {
    let innermost = LocalizedMethodFault {
        fault: InvalidPowerState::default().into(),
        ..LocalizedMethodFault::default()
    };
    let cause = LocalizedMethodFault {
        fault: NoPermission {
            privilege_id: Some("Host.Config".to_owned()),
            object: Some(ManagedObjectReference::new("HostSystem", "host-9")),
            ..NoPermission::default()
        }
        .into(),
        localized_message: Some("Permission was denied.".to_owned()),
        ..LocalizedMethodFault::default()
    };
    let mut fault = GenericVmConfigFault {
        reason: "whatever".to_owned(),
        ..GenericVmConfigFault::default()
    };
    fault.fault_message = vec![
        message("Module 'MonitorLoop' power on failed."),
        message("Failed to start."),
        message(""),
        message("Failed to extend swap file from 0 KB to 2097152 KB."),
    ];
    fault.fault_cause = Some(Box::new(cause));
    let fault = SoapFault::new(fault, "Failed to start.");
    assert_eq!(
        fault.reasons(),
        [
            "Module 'MonitorLoop' power on failed.",
            "msg.key",
            "Failed to extend swap file from 0 KB to 2097152 KB.",
            "Permission was denied.",
        ]
    );
    // Without a text the type is told.
    let outer = MethodFault {
        fault_cause: Some(Box::new(innermost)),
        ..MethodFault::default()
    };
    let [reason] = &*SoapFault::new(outer, "").reasons() else {
        panic!("not one reason");
    };
    assert!(reason.starts_with("InvalidPowerState"), "{reason}");
    assert_eq!(SoapFault::default().reasons(), [""; 0]);
}

#[test]
fn a_hostile_chain_of_causes_ends() {
    let mut fault = MethodFault::default();
    for depth in 0..100 {
        fault = MethodFault {
            fault_message: (0..10)
                .map(|index| message(&format!("{depth} {index}")))
                .collect(),
            fault_cause: Some(Box::new(LocalizedMethodFault {
                fault: fault.into(),
                ..LocalizedMethodFault::default()
            })),
            ..MethodFault::default()
        };
    }
    let reasons = SoapFault::new(fault, "").reasons();
    assert!(reasons.len() <= 33, "{}", reasons.len());
    assert_eq!(reasons[0], "99 0");
}
