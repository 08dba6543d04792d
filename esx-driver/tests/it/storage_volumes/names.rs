//! Files of all names are made, listed, read and deleted.

use esx_driver::{
    Connect, DatastorePath, ErrorKind, StoragePool, UploadOptions, UploadSource,
    virt_model::{
        flags::{StorageVolCreateFlags, StorageVolDeleteFlags},
        storage_vol::StorageVolFormat,
    },
};
use esx_sim::Simulator;
use proptest::prelude::*;

use super::changes::document;
use super::content::{read, write};
use super::pool;
use crate::host;

/// A character that names have, with those that are special to someone.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        proptest::char::range('a', 'z'),
        proptest::sample::select(
            " +%[]'\"&<>#?*:;=,.-_~!@$^(){}|\\`"
                .chars()
                .collect::<Vec<_>>()
        ),
        proptest::sample::select("äöüßéñ標準語名前한글я".chars().collect::<Vec<_>>()),
        proptest::sample::select("😀🚀\u{301}\u{200d}".chars().collect::<Vec<_>>()),
    ]
}

/// The name of a directory or file of at most so many bytes. A datastore path cannot begin with a blank.
fn name(bytes: usize) -> impl Strategy<Value = String> {
    let short = proptest::collection::vec(character(), 1..12);
    let long = proptest::collection::vec(character(), 100..300);
    prop_oneof![4 => short, 1 => long].prop_map(move |characters| {
        let mut name: String = characters.into_iter().collect();
        while name.len() > bytes {
            name.pop();
        }
        let name = name.trim_matches(' ').to_owned();
        match name.as_str() {
            "" | "." | ".." => "x".to_owned(),
            _ => name,
        }
    })
}

/// `directory/directory/file.iso`: names of at most 255 bytes.
fn path() -> impl Strategy<Value = String> {
    (proptest::collection::vec(name(255), 0..3), name(251)).prop_map(|(mut parts, file)| {
        parts.push(format!("{file}.iso"));
        parts.join("/")
    })
}

/// The volume is listed, has the content, and is deleted.
async fn check(pool: &StoragePool, name: &str, content: &[u8]) -> Result<(), TestCaseError> {
    let fail = |error: esx_driver::Error| TestCaseError::fail(format!("{name}: {error}"));
    let listed = pool.list_volumes().await.map_err(fail)?;
    prop_assert!(
        listed.iter().any(|other| other == name),
        "{name} is none of {listed:?}"
    );
    let volume = pool.volume_lookup_by_name(name).await.map_err(fail)?;
    prop_assert_eq!(volume.name(), name);
    prop_assert_eq!(read(&volume, 0).await.map_err(fail)?, content);
    let path: DatastorePath = volume.path().parse().map_err(fail)?;
    prop_assert_eq!(path.path(), name);
    let deleted = volume.delete(StorageVolDeleteFlags::NONE).await;
    deleted.map_err(fail)?;
    prop_assert!(pool.volume_lookup_by_name(name).await.is_err());
    Ok(())
}

/// A file that is there under that very name.
async fn check_raw(connect: &Connect, pool: &StoragePool, name: &str) -> Result<(), TestCaseError> {
    let fail = |error: esx_driver::Error| TestCaseError::fail(format!("{name}: {error}"));
    let path = DatastorePath::new(pool.name(), name);
    if !path.directory().is_empty() {
        let directory = path.parent().to_string();
        let directory = connect.storage_vol_lookup_by_path(&directory).await;
        prop_assert!(directory.is_ok());
    }
    let source = UploadSource::bytes(bytes::Bytes::copy_from_slice(name.as_bytes()));
    let uploaded = connect.upload_file(&path, None, source, UploadOptions::default());
    uploaded.await.map_err(fail)?;
    check(pool, name, name.as_bytes()).await
}

/// A file that the driver makes, whose name it escapes.
async fn check_made(pool: &StoragePool, name: &str) -> Result<(), TestCaseError> {
    let fail = |error: esx_driver::Error| TestCaseError::fail(format!("{name}: {error}"));
    let xml = document(name, StorageVolFormat::Iso, 0, 0);
    let made = pool.create_volume_xml(&xml, StorageVolCreateFlags::NONE);
    let made = match made.await {
        // Names get longer when they are escaped.
        Err(error) if error.kind() == ErrorKind::Argument => {
            prop_assert!(
                name.split('/').any(|part| part.len() > 80),
                "{name}: {error}"
            );
            return Ok(());
        }
        made => made.map_err(fail)?,
    };
    prop_assert!(
        made.name()
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    );
    write(&made, name.as_bytes()).await.map_err(fail)?;
    check(pool, made.name(), name.as_bytes()).await
}

/// Makes the directories of a path, without the driver.
fn make_directories(simulator: &Simulator, name: &str) {
    if let Some((directory, _)) = name.rsplit_once('/') {
        let marker = format!("[datastore1] {directory}/.keep");
        assert!(simulator.write_file(&marker, ""));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn all_names_work(paths in proptest::collection::vec(path(), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (simulator, connect) = host().await;
            let pool = pool(&connect, "datastore1").await;
            for name in &paths {
                make_directories(&simulator, name);
                check_raw(&connect, &pool, name).await?;
                check_made(&pool, name).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn names_that_were_trouble() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "datastore1").await;
    let longest = format!("{}.iso", "x".repeat(251));
    for name in [
        "a b.iso",
        "a+b.iso",
        "50%.iso",
        "50%25/a%2Fb.iso",
        "[x] y.iso",
        "]/[.iso",
        "'\"/&<>.iso",
        "標準語/名前.iso",
        "😀.iso",
        "*.iso",
        "?/??.iso",
        "a?b=c&d#e.iso",
        "a\\b.iso",
        "e\u{301}.iso",
        &longest,
    ] {
        make_directories(&simulator, name);
        check_raw(&connect, &pool, name).await.unwrap();
        check_made(&pool, name).await.unwrap();
    }
}
