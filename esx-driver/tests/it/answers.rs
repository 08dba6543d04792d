//! Answers that are not as they should be.

use std::error::Error as _;

use esx_driver::{
    ErrorKind,
    virt_model::{DomainFilter, DomainState, ErrorNumber},
};
use esx_sim::{Effect, Rule, Simulator};
use vi_types::objects::NotSupported;

use crate::{host, methods, open};

#[tokio::test]
async fn a_server_that_is_not_vi() {
    let simulator = Simulator::esx().build();
    simulator.inject(Rule::new("RetrieveServiceContent", Effect::Html));
    let error = open(&simulator, "esx://h/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotVi);
    assert!(error.to_string().contains("text/html"), "{error}");
    assert_eq!(error.advice(), Some("check the server's name and port"));
}

#[tokio::test(start_paused = true)]
async fn a_status_without_an_answer() {
    let (simulator, connect) = host().await;
    simulator.inject(Rule::new(
        "RetrievePropertiesEx",
        Effect::Status(http::StatusCode::SERVICE_UNAVAILABLE),
    ));
    let error = connect.hostname().await.unwrap_err();
    assert_eq!(error.code(), ErrorNumber::HttpError);
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(
        error.to_string(),
        "got unknown HTTP error code HTTP response code 503 for call to 'RetrievePropertiesEx'"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut() {
    let (simulator, connect) = host().await;
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::Truncate(700)));
    let error = connect
        .list_all_domains(DomainFilter::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        error.to_string().contains("middle of its answer"),
        "{error}"
    );
    assert!(error.source().is_some());
}

#[tokio::test]
async fn an_answer_that_is_no_xml() {
    let error = rewritten("</returnval>", "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_session_that_has_ended_is_renewed() {
    let (simulator, connect) = host().await;
    simulator.expire_sessions();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(list.domains.len(), 7);
    let methods = methods(&simulator);
    assert_eq!(
        methods.iter().filter(|method| *method == "Login").count(),
        1,
        "{methods:?}"
    );
}

/// Lists the domains when the answer has `new` in place of the first `old`.
async fn rewritten(
    old: &'static str,
    new: &'static str,
) -> esx_driver::Result<esx_driver::DomainList> {
    let (simulator, connect) = host().await;
    simulator.inject(Rule::new(
        "RetrievePropertiesEx",
        Effect::rewrite(move |text| {
            assert!(text.contains(old), "{old} in {text}");
            text.replacen(old, new, 1)
        }),
    ));
    connect.list_all_domains(DomainFilter::NONE).await
}

#[tokio::test]
async fn an_enum_value_that_nobody_knows() {
    let list = rewritten(">poweredOn<", ">hibernating<").await.unwrap();
    assert_eq!(list.domains[0].state, DomainState::NoState);
    assert_eq!(list.domains.len(), 7);
}

#[tokio::test]
async fn an_empty_enum() {
    let list = rewritten(">poweredOn<", "><").await.unwrap();
    assert_eq!(list.domains[0].state, DomainState::NoState);
}

#[tokio::test]
async fn a_type_that_nobody_knows_costs_its_domain() {
    let list = rewritten(
        "xsi:type=\"VirtualMachinePowerState\"",
        "xsi:type=\"Mystery\"",
    )
    .await
    .unwrap();
    assert_eq!((list.domains.len(), list.skipped.len()), (6, 1));
    assert_eq!(list.skipped[0].error.kind(), ErrorKind::Property);
}

#[tokio::test]
async fn a_document_type_is_refused() {
    let error = rewritten(
        "<soapenv:Envelope",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><soapenv:Envelope",
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn permission_is_denied() {
    let (simulator, connect) = host().await;
    let denied = "<soapenv:Fault><faultcode>ServerFaultCode</faultcode>\
                  <faultstring>Permission to perform this operation was denied.</faultstring><detail>\
                  <NoPermissionFault xmlns=\"urn:vim25\" xsi:type=\"NoPermission\">\
                  <object type=\"HostSystem\">ha-host</object><privilegeId>System.Read</privilegeId>\
                  </NoPermissionFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>";
    simulator.inject(Rule::new(
        "RetrievePropertiesEx",
        Effect::rewrite(move |text| {
            let (head, _) = text.split_once("<soapenv:Body>").unwrap();
            format!("{head}<soapenv:Body>{denied}")
        }),
    ));
    let error = connect.hostname().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoPermission);
    assert_eq!(
        error.to_string(),
        "internal error: HTTP response code 500 for call to 'RetrievePropertiesEx'. Fault: \
         ServerFaultCode - Permission to perform this operation was denied."
    );
    assert_eq!(
        error.advice(),
        Some("the user needs the privilege System.Read on HostSystem:ha-host")
    );
    assert!(!error.fault().unwrap().is::<NotSupported>());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers() {
    let (simulator, connect) = host().await;
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::Silence));
    let error = connect.hostname().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.code(), ErrorNumber::OperationTimeout);
}
