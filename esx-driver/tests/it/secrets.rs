//! Secrets of a connection.

use esx_driver::{
    ErrorKind, SecretEventDetail, What,
    virt_model::{
        Uuid,
        event::SecretEventId,
        flags::{SecretDefineFlags, SecretFilter},
        secret::SecretUsageType,
    },
};
use futures_util::StreamExt as _;

use crate::{host, methods, text};

const UUID: &str = "1a8b6ada-2b96-4d86-a8af-31d0849a1976";

fn xml(attributes: &str, uuid: &str, target: &str) -> String {
    format!(
        "<secret {attributes}><uuid>{uuid}</uuid><usage type='iscsi'><target>{target}</target></usage></secret>"
    )
}

// What libvirt's secret driver (9.0.0) says in the same cases.
#[tokio::test]
async fn secrets_are_kept_by_the_connection() {
    let (simulator, connect) = host().await;
    let define = |xml: &str| connect.secret_define_xml(xml, SecretDefineFlags::NONE);
    let secret = define(&xml("private='no'", UUID, "t1")).unwrap();
    assert_eq!(secret.uuid().to_string(), UUID);
    assert_eq!(secret.usage_type(), SecretUsageType::Iscsi);
    assert_eq!(secret.usage_id(), "t1");
    assert_eq!(
        secret.xml_desc().unwrap(),
        format!(
            "<secret ephemeral='no' private='no'>
  <uuid>{UUID}</uuid>
  <usage type='iscsi'>
    <target>t1</target>
  </usage>
</secret>
"
        )
    );
    let error = secret.value().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Secret));
    assert_eq!(
        error.to_string(),
        format!("Secret not found: secret '{UUID}' does not have a value")
    );
    secret.set_value(b"\0secret\xff").unwrap();
    // All clones of the connection have it.
    let clone = connect.clone();
    let found = clone
        .secret_lookup_by_usage(SecretUsageType::Iscsi, "t1")
        .unwrap();
    assert_eq!(**found.value().unwrap(), *b"\0secret\xff");
    assert!(!format!("{secret:?} {found:?}").contains("secret\\xff"));

    let other = "1a8b6ada-2b96-4d86-a8af-31d0849a1977";
    assert_eq!(
        text(define(&xml("", other, "t1"))),
        format!("internal error: a secret with UUID {UUID} already defined for use with t1")
    );
    assert_eq!(
        text(define(&xml("", UUID, "t2"))),
        format!("internal error: a secret with UUID {UUID} is already defined for use with t1")
    );
    // Defined again it keeps its value, which nobody gets any more.
    define(&xml("private='yes'", UUID, "t1")).unwrap();
    let error = secret.value().unwrap_err();
    assert_eq!(error.to_string(), "Invalid secret: secret is private");
    assert_eq!(
        text(define(&xml("", UUID, "t1"))),
        "internal error: cannot change private flag on existing secret"
    );
    secret.undefine().unwrap();
    assert_eq!(
        text(secret.undefine()),
        format!("Secret not found: no secret with matching uuid '{UUID}'")
    );
    assert_eq!(
        text(connect.secret_lookup_by_usage(SecretUsageType::Iscsi, "t1")),
        "Secret not found: no secret with matching usage 't1'"
    );
    assert_eq!(methods(&simulator), [""; 0]);
}

#[tokio::test]
async fn lists() {
    let (_, connect) = host().await;
    let define = |xml: &str| {
        connect
            .secret_define_xml(xml, SecretDefineFlags::NONE)
            .unwrap()
    };
    define(&xml("ephemeral='yes'", UUID, "t1"));
    let chosen = define("<secret private='yes'/>");
    assert_eq!(chosen.usage_type(), SecretUsageType::None);
    assert_eq!(connect.num_of_secrets(), 2);
    assert_eq!(
        connect.list_secrets(),
        [UUID.parse::<Uuid>().unwrap(), chosen.uuid()]
    );
    let found = connect.secret_lookup_by_uuid(chosen.uuid()).unwrap();
    assert_eq!(found.usage_id(), "");
    assert_eq!(found.xml_desc().unwrap(), chosen.xml_desc().unwrap());
    for (filter, count) in [
        (SecretFilter::NONE, 2),
        (SecretFilter::EPHEMERAL, 1),
        (SecretFilter::NO_EPHEMERAL, 1),
        (SecretFilter::PRIVATE | SecretFilter::EPHEMERAL, 0),
        (SecretFilter::NO_PRIVATE, 1),
        (SecretFilter::FILTERS_ALL, 2),
    ] {
        let list = connect.list_all_secrets(filter).unwrap();
        assert_eq!(list.len(), count, "{filter:?}");
    }
    let validate = connect.secret_define_xml("<secret colour='red'/>", SecretDefineFlags::VALIDATE);
    assert_eq!(validate.unwrap_err().kind(), ErrorKind::Definition);
}

#[tokio::test]
async fn changes_are_events() {
    let (_, connect) = host().await;
    let ids = [SecretEventId::Lifecycle, SecretEventId::ValueChanged];
    let mut events = connect.secret_events().stream(None, ids).await.unwrap();
    let defined = connect.secret_define_xml(&xml("", UUID, "t1"), SecretDefineFlags::NONE);
    let secret = defined.unwrap();
    secret.set_value(b"x").unwrap();
    secret.undefine().unwrap();
    let mut told = Vec::new();
    for _ in 0..3 {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.secret, secret.uuid());
        told.push(match event.detail {
            SecretEventDetail::Lifecycle(happened) => happened.to_string(),
            _ => "value".to_owned(),
        });
    }
    assert_eq!(told, ["Defined", "value", "Undefined"]);
}
