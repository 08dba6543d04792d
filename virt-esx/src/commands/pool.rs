//! virsh's group "Storage Pool".

mod build_flags;
mod description;
mod find_storage_pool_sources;
mod find_storage_pool_sources_as;
mod pool_autostart;
mod pool_build;
mod pool_capabilities;
mod pool_create;
mod pool_create_as;
mod pool_define;
mod pool_define_as;
mod pool_delete;
mod pool_destroy;
mod pool_dumpxml;
mod pool_edit;
mod pool_event;
mod pool_info;
mod pool_list;
mod pool_name;
mod pool_refresh;
mod pool_start;
mod pool_undefine;
mod pool_uuid;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Storage Pool",
    keyword: "pool",
    rows: &[
        Row::query::<find_storage_pool_sources_as::FindStoragePoolSourcesAs>(
            "find-storage-pool-sources-as",
        ),
        Row::change::<find_storage_pool_sources::FindStoragePoolSources>(
            "find-storage-pool-sources",
        ),
        Row::command::<pool_autostart::PoolAutostart>("pool-autostart"),
        Row::command::<pool_build::PoolBuild>("pool-build"),
        Row::command::<pool_create_as::PoolCreateAs>("pool-create-as"),
        Row::command::<pool_create::PoolCreate>("pool-create"),
        Row::command::<pool_define_as::PoolDefineAs>("pool-define-as"),
        Row::command::<pool_define::PoolDefine>("pool-define"),
        Row::command::<pool_delete::PoolDelete>("pool-delete"),
        Row::command::<pool_destroy::PoolDestroy>("pool-destroy"),
        Row::query::<pool_dumpxml::PoolDumpxml>("pool-dumpxml"),
        Row::command::<pool_edit::PoolEdit>("pool-edit"),
        Row::command::<pool_event::PoolEvent>("pool-event"),
        Row::query::<pool_info::PoolInfo>("pool-info"),
        Row::query::<pool_list::PoolList>("pool-list"),
        Row::query::<pool_name::PoolName>("pool-name"),
        Row::command::<pool_refresh::PoolRefresh>("pool-refresh"),
        Row::command::<pool_start::PoolStart>("pool-start"),
        Row::command::<pool_undefine::PoolUndefine>("pool-undefine"),
        Row::query::<pool_uuid::PoolUuid>("pool-uuid"),
        Row::query::<pool_capabilities::PoolCapabilities>("pool-capabilities"),
    ],
};
