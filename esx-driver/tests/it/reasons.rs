//! What errors say of faults: the server's text, what stands in for it, and what is behind it.

use esx_driver::ErrorKind;
use esx_sim::{Effect, Rule};
use vi_client::vi_types::{
    SoapFault,
    objects::{GenericVmConfigFault, InvalidProperty, LocalizableMessage},
};

use crate::host;

fn message(text: &str) -> LocalizableMessage {
    LocalizableMessage {
        key: "msg".to_owned(),
        message: Some(text.to_owned()),
        ..LocalizableMessage::default()
    }
}

#[tokio::test]
async fn the_reasons_of_a_fault_are_kept() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("db01").await.unwrap();
    let mut fault = GenericVmConfigFault {
        reason: "out of space".to_owned(),
        ..GenericVmConfigFault::default()
    };
    fault.fault_message = vec![
        message("Module 'MonitorLoop' power on failed."),
        message("Failed to extend swap file from 0 KB to 2097152 KB."),
    ];
    let fault = SoapFault::new(fault, "Failed to suspend the virtual machine.");
    simulator.inject(Rule::new("SuspendVM_Task", Effect::Fault(Box::new(fault))));
    let error = domain.suspend().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "internal error: HTTP response code 500 for call to 'SuspendVM_Task'. Fault: ServerFaultCode - Failed to suspend the \
         virtual machine."
    );
    assert_eq!(
        error.reasons(),
        [
            "Module 'MonitorLoop' power on failed.",
            "Failed to extend swap file from 0 KB to 2097152 KB."
        ]
    );
}

#[tokio::test]
async fn a_fault_without_a_text_is_told_by_its_type_in_every_call() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("db01").await.unwrap();
    for method in ["RetrievePropertiesEx", "SuspendVM_Task"] {
        let fault = InvalidProperty {
            name: "config.instanceUuid".to_owned(),
            ..InvalidProperty::default()
        };
        let fault = SoapFault::new(fault, "");
        simulator.inject(Rule::new(method, Effect::Fault(Box::new(fault))).times(1));
        let error = match method {
            "SuspendVM_Task" => domain.suspend().await.unwrap_err(),
            _ => domain.info().await.map(drop).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Fault);
        assert_eq!(
            error.to_string(),
            format!(
                "internal error: HTTP response code 500 for call to '{method}'. Fault: ServerFaultCode - InvalidProperty \
                 (name: config.instanceUuid)"
            )
        );
        assert_eq!(error.reasons(), [""; 0]);
    }
}
