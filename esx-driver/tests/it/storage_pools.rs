//! Storage pools: lists, lookups, sizes and documents.

use esx_driver::{
    Connect, ErrorKind, StoragePool, What,
    virt_model::{StoragePoolState, Uuid, flags::StoragePoolFilter},
};

use crate::{host, methods, text};

async fn pool(connect: &Connect, name: &str) -> StoragePool {
    connect.storage_pool_lookup_by_name(name).await.unwrap()
}

#[tokio::test]
async fn a_list_is_one_request() {
    let (simulator, connect) = host().await;
    let list = connect
        .list_all_storage_pools(StoragePoolFilter::NONE)
        .await;
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let list = list.unwrap();
    assert!(!list.is_empty());
    for entry in &list {
        assert_eq!(entry.info.state, StoragePoolState::Running);
        assert_eq!(
            entry.info.capacity,
            entry.info.allocation + entry.info.available
        );
    }
}

#[tokio::test]
async fn a_lookup_is_one_request() {
    let (simulator, connect) = host().await;
    let list = connect
        .list_all_storage_pools(StoragePoolFilter::NONE)
        .await;
    for entry in list.unwrap() {
        simulator.clear_requests();
        let by_name = pool(&connect, entry.pool.name()).await;
        assert_eq!(by_name.uuid(), entry.pool.uuid());
        let by_uuid = connect.storage_pool_lookup_by_uuid(by_name.uuid()).await;
        assert_eq!(by_uuid.unwrap().name(), by_name.name());
        assert_eq!(methods(&simulator).len(), 2);
    }
    let error = connect
        .storage_pool_lookup_by_name("Datastore1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::StoragePool));
    assert_eq!(error.code().number(), 49);
    assert_eq!(
        error.to_string(),
        "Storage pool not found: Could not find storage pool with name 'Datastore1'"
    );
    assert_eq!(error.advice(), Some("did you mean 'datastore1'?"));
    assert_eq!(
        text(connect.storage_pool_lookup_by_uuid(Uuid::NIL).await),
        "Storage pool not found: Could not find storage pool with uuid \
         '00000000-0000-0000-0000-000000000000'"
    );
}
