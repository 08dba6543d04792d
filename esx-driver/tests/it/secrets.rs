//! Secrets of a connection.

use esx_driver::{
    Connect, ErrorKind, OpenOptions, SecretEventDetail, What,
    auth::AuthFileSearch,
    vi_client::transport::InProcess,
    virt_model::{
        Uuid,
        event::SecretEventId,
        flags::{SecretDefineFlags, SecretFilter},
        secret::SecretUsageType,
    },
};
use futures_util::StreamExt as _;

use esx_sim::Simulator;

use crate::{credentials, host, methods, text};

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
    let define = async |xml: &str| {
        connect
            .secret_define_xml(xml, SecretDefineFlags::NONE)
            .await
    };
    let secret = define(&xml("private='no'", UUID, "t1")).await.unwrap();
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
    secret.set_value(b"\0secret\xff").await.unwrap();
    // All clones of the connection have it.
    let clone = connect.clone();
    let found = clone
        .secret_lookup_by_usage(SecretUsageType::Iscsi, "t1")
        .await
        .unwrap();
    assert_eq!(**found.value().unwrap(), *b"\0secret\xff");
    assert!(!format!("{secret:?} {found:?}").contains("secret\\xff"));

    let other = "1a8b6ada-2b96-4d86-a8af-31d0849a1977";
    assert_eq!(
        text(define(&xml("", other, "t1")).await),
        format!("internal error: a secret with UUID {UUID} already defined for use with t1")
    );
    assert_eq!(
        text(define(&xml("", UUID, "t2")).await),
        format!("internal error: a secret with UUID {UUID} is already defined for use with t1")
    );
    // Defined again it keeps its value, which nobody gets any more.
    define(&xml("private='yes'", UUID, "t1")).await.unwrap();
    let error = secret.value().unwrap_err();
    assert_eq!(error.to_string(), "Invalid secret: secret is private");
    assert_eq!(
        text(define(&xml("", UUID, "t1")).await),
        "internal error: cannot change private flag on existing secret"
    );
    secret.undefine().await.unwrap();
    assert_eq!(
        text(secret.undefine().await),
        format!("Secret not found: no secret with matching uuid '{UUID}'")
    );
    assert_eq!(
        text(
            connect
                .secret_lookup_by_usage(SecretUsageType::Iscsi, "t1")
                .await
        ),
        "Secret not found: no secret with matching usage 't1'"
    );
    assert_eq!(methods(&simulator), [""; 0]);
}

#[tokio::test]
async fn lists() {
    let (_, connect) = host().await;
    let define = async |xml: &str| {
        let defined = connect.secret_define_xml(xml, SecretDefineFlags::NONE);
        defined.await.unwrap()
    };
    define(&xml("ephemeral='yes'", UUID, "t1")).await;
    let chosen = define("<secret private='yes'/>").await;
    assert_eq!(chosen.usage_type(), SecretUsageType::None);
    assert_eq!(connect.num_of_secrets().await.unwrap(), 2);
    assert_eq!(
        connect.list_secrets().await.unwrap(),
        [UUID.parse::<Uuid>().unwrap(), chosen.uuid()]
    );
    let found = connect.secret_lookup_by_uuid(chosen.uuid()).await.unwrap();
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
        let list = connect.list_all_secrets(filter).await.unwrap();
        assert_eq!(list.len(), count, "{filter:?}");
    }
    let validate = connect.secret_define_xml("<secret colour='red'/>", SecretDefineFlags::VALIDATE);
    assert_eq!(validate.await.unwrap_err().kind(), ErrorKind::Definition);
}

#[tokio::test]
async fn changes_are_events() {
    let (_, connect) = host().await;
    let ids = [SecretEventId::Lifecycle, SecretEventId::ValueChanged];
    let mut events = connect.secret_events().stream(None, ids).await.unwrap();
    let document = xml("", UUID, "t1");
    let defined = connect.secret_define_xml(&document, SecretDefineFlags::NONE);
    let secret = defined.await.unwrap();
    secret.set_value(b"x").await.unwrap();
    secret.undefine().await.unwrap();
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

/// A connection to a host that encrypts domains.
async fn encrypting(version: &str) -> (Simulator, Connect) {
    let simulator = Simulator::esx().api_version(version).unwrap().build();
    if version != "6.0" {
        for change in [
            "rename db01 'a/b%c'",
            "encrypt 'a/b%c' key-1 kms",
            "encrypt web01 key-1 kms",
            "encrypt files 'key 2'",
        ] {
            simulator.apply(&change.parse().unwrap()).unwrap();
        }
    }
    let connect = connect(&simulator, None).await;
    (simulator, connect)
}

async fn connect(simulator: &Simulator, keyring: Option<&std::path::Path>) -> Connect {
    let uri = "esx://root@simulator/".parse().unwrap();
    let credentials = credentials();
    let mut options = OpenOptions::new(&credentials)
        .auth_files(AuthFileSearch::default())
        .transport(InProcess::new(simulator.handler()));
    if let Some(keyring) = keyring {
        options = options.keyring(keyring);
    }
    let connect = options.open(&uri).await.unwrap();
    connect.host_system().await.unwrap();
    connect
}

#[tokio::test]
async fn keys_of_domains_are_private_secrets() {
    for version in ["6.5", "8.0"] {
        let (simulator, connect) = encrypting(version).await;
        let before = methods(&simulator).len();
        let all = connect.list_all_secrets(SecretFilter::NONE).await.unwrap();
        assert_eq!(methods(&simulator).len(), before + 1, "one request");
        let documents: Vec<_> = all.iter().map(|key| key.xml_desc().unwrap()).collect();
        assert_eq!(
            documents,
            [
                "<secret ephemeral='no' private='yes'>
  <uuid>UUID0</uuid>
  <description>encrypts files</description>
  <usage type='volume'>
    <volume>key 2</volume>
  </usage>
</secret>
",
                "<secret ephemeral='no' private='yes'>
  <uuid>UUID1</uuid>
  <description>encrypts a/b%c, web01</description>
  <usage type='volume'>
    <volume>kms/key-1</volume>
  </usage>
</secret>
"
            ]
            .map(|text| {
                let text = text.replace("UUID0", &all[0].uuid().to_string());
                text.replace("UUID1", &all[1].uuid().to_string())
            })
        );
        let before = methods(&simulator).len();
        let key = connect.secret_lookup_by_uuid(all[1].uuid()).await.unwrap();
        assert_eq!(methods(&simulator).len(), before + 1, "one request");
        assert_eq!(key.usage_id(), "kms/key-1");
        let found = connect.secret_lookup_by_usage(SecretUsageType::Volume, "key 2");
        assert_eq!(found.await.unwrap().uuid(), all[0].uuid());

        let refused = "Invalid secret: the key 'kms/key-1' is kept by its key provider, and cannot be changed here";
        let error = key.set_value(b"x").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::Unsupported, refused.to_owned())
        );
        assert_eq!(text(key.undefine().await), refused);
        assert_eq!(text(key.value()), "Invalid secret: secret is private");
        let uuid = key.uuid().to_string();
        let document = xml("", &uuid, "t");
        let error = connect.secret_define_xml(&document, SecretDefineFlags::NONE);
        assert_eq!(error.await.unwrap_err().kind(), ErrorKind::Unsupported);

        // Filters that admit no key, and what cannot be a key, cost nothing.
        let before = methods(&simulator).len();
        for filter in [SecretFilter::EPHEMERAL, SecretFilter::NO_PRIVATE] {
            assert_eq!(connect.list_all_secrets(filter).await.unwrap().len(), 0);
        }
        let uuid = UUID.parse().unwrap();
        let error = connect.secret_lookup_by_uuid(uuid).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::Secret));
        assert_eq!(methods(&simulator).len(), before);
    }
    let (simulator, connect) = encrypting("6.0").await;
    let before = methods(&simulator).len();
    assert_eq!(connect.num_of_secrets().await.unwrap(), 0);
    assert_eq!(methods(&simulator).len(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_keyring_keeps_what_is_not_ephemeral() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    let simulator = Simulator::esx().build();
    let one = connect(&simulator, Some(&path)).await;
    assert_eq!(one.num_of_secrets().await.unwrap(), 0);
    assert!(!path.exists());
    let other = "1a8b6ada-2b96-4d86-a8af-31d0849a1977";
    for document in [xml("", UUID, "t1"), xml("ephemeral='yes'", other, "t2")] {
        let defined = one.secret_define_xml(&document, SecretDefineFlags::NONE);
        defined.await.unwrap().set_value(b"geheim").await.unwrap();
    }
    assert_eq!(one.num_of_secrets().await.unwrap(), 2);
    let content = std::fs::read_to_string(&path).unwrap();
    assert!(content.contains(UUID) && !content.contains(other));

    let two = connect(&simulator, Some(&path)).await;
    assert_eq!(two.list_secrets().await.unwrap(), [UUID.parse().unwrap()]);
    let found = two.secret_lookup_by_usage(SecretUsageType::Iscsi, "t1");
    let found = found.await.unwrap();
    assert_eq!(**found.value().unwrap(), *b"geheim");
    found.undefine().await.unwrap();
    // The other connection sees it.
    assert_eq!(one.list_secrets().await.unwrap(), [other.parse().unwrap()]);

    // A secret that becomes ephemeral leaves the file.
    let third = xml("", UUID, "t1");
    let defined = two.secret_define_xml(&third, SecretDefineFlags::NONE);
    defined.await.unwrap().set_value(b"geheim").await.unwrap();
    let third = xml("ephemeral='yes'", UUID, "t1");
    let defined = two.secret_define_xml(&third, SecretDefineFlags::NONE);
    assert_eq!(**defined.await.unwrap().value().unwrap(), *b"geheim");
    let content = std::fs::read_to_string(&path).unwrap();
    assert!(
        content.starts_with("virt-esx keyring 1\nend 0 "),
        "{content}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn writers_of_a_keyring_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    let simulator = Simulator::esx().build();
    let (one, two) = (
        connect(&simulator, Some(&path)).await,
        connect(&simulator, Some(&path)).await,
    );
    let writers = [one, two].map(|connect| {
        tokio::spawn(async move {
            for _ in 0..10 {
                let defined = connect.secret_define_xml("<secret/>", SecretDefineFlags::NONE);
                defined.await.unwrap();
            }
            connect
        })
    });
    for writer in writers {
        let connect = writer.await.unwrap();
        drop(connect);
    }
    let connect = connect(&simulator, Some(&path)).await;
    assert_eq!(connect.num_of_secrets().await.unwrap(), 20);
}

#[cfg(unix)]
#[tokio::test]
async fn a_keyring_that_cannot_be_used_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    std::fs::write(&path, "geheim").unwrap();
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator, Some(&path)).await;
    let before = std::fs::read(&path).unwrap();
    let define = connect.secret_define_xml("<secret ephemeral='yes'/>", SecretDefineFlags::NONE);
    for error in [
        define.await.unwrap_err(),
        connect.num_of_secrets().await.unwrap_err(),
        connect
            .secret_lookup_by_uuid(UUID.parse().unwrap())
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Keyring, "{error}");
        assert!(!format!("{error} {error:?}").contains("geheim"));
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
