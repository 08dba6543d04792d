use std::os::unix::fs::PermissionsExt as _;

use virt_model::secret::SecretUsage;

use super::*;

const UUID: &str = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";

fn entry(usage: Option<SecretUsage>, value: Option<&[u8]>) -> Entry {
    let uuid = UUID.parse().unwrap();
    let def = virt_model::SecretDef {
        uuid: Some(uuid),
        description: Some("50% of\nthe 倉庫's array ".to_owned()),
        usage,
        ..virt_model::SecretDef::default()
    };
    let value = value.map(|value| Zeroizing::new(value.to_vec()));
    Entry { uuid, def, value }
}

#[test]
fn what_is_written_is_read() {
    let all = [
        (
            Some(SecretUsage::Iscsi("a b/c".to_owned())),
            Some(&b"\0\xff"[..]),
        ),
        (Some(SecretUsage::Volume(String::new())), Some(&b""[..])),
        (Some(SecretUsage::Ceph("x".to_owned())), None),
        (Some(SecretUsage::Tls("x".to_owned())), None),
        (Some(SecretUsage::Vtpm("x".to_owned())), None),
        (None, Some(&b"value"[..])),
    ];
    for (usage, value) in all {
        let written = [entry(usage, value)];
        assert_eq!(format::decode(&format::encode(&written)).unwrap(), written);
    }
    let nothing = format::encode(&[]);
    assert!(nothing.starts_with(b"virt-esx keyring 1\nend 0 "));
    assert_eq!(format::decode(&nothing).unwrap(), []);
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_no_keyring() {
    let whole = format::encode(&[entry(None, Some(b"geheim"))]);
    for length in 0..whole.len() {
        let found = format::decode(&whole[..length]);
        assert_eq!(found, Err(Damage::CutOff), "{length}");
    }
}

#[test]
fn a_byte_that_is_changed_is_seen() {
    let whole = format::encode(&[entry(None, Some(b"geheim"))]);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(format::decode(&changed).is_err(), "{at}");
    }
}

/// With the right sum.
fn summed(lines: &str, count: usize) -> Vec<u8> {
    let text = format!("virt-esx keyring 1\n{lines}");
    let sum = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&text));
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}end {count} {sum}\n").into_bytes()
}

#[test]
fn lines_that_nobody_writes() {
    let secret = format!("secret {UUID}\n");
    for (lines, count, damage) in [
        ("nonsense\n", 0, Damage::Line(2)),
        ("value Z2VoZWlt\n", 0, Damage::Line(2)),
        ("secret x\n", 1, Damage::Line(2)),
        (&format!("{secret}{secret}"), 2, Damage::Line(3)),
        (&format!("{secret}private maybe\n"), 1, Damage::Line(3)),
        (&format!("{secret}usage tpm x\n"), 1, Damage::Line(3)),
        (&format!("{secret}usage none x\n"), 1, Damage::Line(3)),
        (&format!("{secret}value %\n"), 1, Damage::Line(3)),
        (&format!("{secret}description %ff\n"), 1, Damage::Line(3)),
        (&secret, 2, Damage::Changed),
    ] {
        let found = format::decode(&summed(lines, count));
        assert_eq!(found, Err(damage), "{lines}");
    }
    for (text, damage) in [
        ("[secrets]\n", Damage::Foreign),
        ("virt-esx keyring 2\nend\n", Damage::Version),
    ] {
        assert_eq!(format::decode(text.as_bytes()), Err(damage), "{text}");
    }
    assert_eq!(format::decode(b"\xff"), Err(Damage::Foreign));
}

#[tokio::test]
async fn files_of_others_and_what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/keyring");
    let keyring = Keyring::at(&path);
    assert_eq!(keyring.read().unwrap(), []);
    let written = [entry(None, Some(b"geheim"))];
    keyring.lock().await.unwrap().write(&[], &written).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&keyring.beside(".lock")), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(keyring.read().unwrap(), written);

    let problem = |keyring: &Keyring| {
        let error = keyring.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Keyring);
        assert!(!format!("{error} {error:?}").contains("geheim"));
        let text = error.to_string();
        let start = format!(
            "operation failed: the keyring '{}' ",
            keyring.path.display()
        );
        text.strip_prefix(&start).unwrap().to_owned()
    };
    for other in [0o640, 0o604, 0o700, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(other)).unwrap();
        assert_eq!(
            problem(&keyring),
            format!("has the mode 0{other:o}, and not 0600")
        );
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, vec![b'x'; LARGEST + 1]).unwrap();
    assert_eq!(problem(&keyring), "is larger than 1 MiB");
    fs::write(&path, "geheim").unwrap();
    assert_eq!(problem(&keyring), "is no keyring");
    assert_eq!(problem(&Keyring::at(folder.path())), "is no file");

    // What a link leads to is written.
    let link = folder.path().join("link");
    fs::write(&path, format::encode(&written)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let linked = Keyring::at(&link);
    linked.lock().await.unwrap().write(&written, &[]).unwrap();
    assert_eq!(keyring.read().unwrap(), []);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[tokio::test(start_paused = true)]
async fn another_writer_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Keyring::at(&folder.path().join("keyring"));
    let held = keyring.lock().await.unwrap();
    let error = keyring.lock().await.err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("is being written by another program")
    );
    drop(held);
    keyring.lock().await.unwrap();
}
