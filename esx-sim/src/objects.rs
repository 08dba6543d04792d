//! The methods of the managed objects: one file for each object, one function and one row for each method.

pub(crate) mod container_view;
pub(crate) mod datastore;
pub(crate) mod file_manager;
pub(crate) mod folder;
pub(crate) mod host_auto_start_manager;
pub(crate) mod host_datastore_browser;
pub(crate) mod list_view;
pub(crate) mod managed_object;
pub(crate) mod property_collector;
pub(crate) mod property_filter;
pub(crate) mod search_index;
pub(crate) mod service_instance;
pub(crate) mod session_manager;
pub(crate) mod task;
pub(crate) mod view_manager;
pub(crate) mod virtual_disk_manager;
pub(crate) mod virtual_machine;

use crate::call::Row;

/// The methods there are.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("ManagedObject", managed_object::fetch).anonymous(),
        Row::new(
            "ServiceInstance",
            service_instance::retrieve_service_content,
        )
        .anonymous(),
        Row::new("ServiceInstance", service_instance::current_time),
        Row::new("SessionManager", session_manager::login).anonymous(),
        Row::new("SessionManager", session_manager::logout),
        Row::new("SessionManager", session_manager::session_is_active),
        Row::new("PropertyCollector", property_collector::retrieve_properties).anonymous(),
        Row::new(
            "PropertyCollector",
            property_collector::retrieve_properties_ex,
        )
        .anonymous(),
        Row::new(
            "PropertyCollector",
            property_collector::continue_retrieve_properties_ex,
        ),
        Row::new(
            "PropertyCollector",
            property_collector::cancel_retrieve_properties_ex,
        ),
        Row::new("PropertyCollector", property_collector::create_filter),
        Row::waiting("PropertyCollector", property_collector::wait_for_updates),
        Row::waiting("PropertyCollector", property_collector::wait_for_updates_ex),
        Row::new("PropertyCollector", property_collector::check_for_updates),
        Row::new(
            "PropertyCollector",
            property_collector::cancel_wait_for_updates,
        ),
        Row::new(
            "PropertyCollector",
            property_collector::create_property_collector,
        ),
        Row::new(
            "PropertyCollector",
            property_collector::destroy_property_collector,
        ),
        Row::new("PropertyFilter", property_filter::destroy_property_filter),
        Row::new("Task", task::cancel_task),
        Row::new("VirtualMachine", virtual_machine::power_on),
        Row::new("VirtualMachine", virtual_machine::power_off),
        Row::new("VirtualMachine", virtual_machine::suspend),
        Row::new("VirtualMachine", virtual_machine::reset),
        Row::new("VirtualMachine", virtual_machine::shutdown_guest),
        Row::new("VirtualMachine", virtual_machine::reboot_guest),
        Row::new("VirtualMachine", virtual_machine::standby_guest),
        Row::new("VirtualMachine", virtual_machine::answer_vm),
        Row::new("VirtualMachine", virtual_machine::unregister),
        Row::new("Folder", folder::register_vm),
        Row::new("Datastore", datastore::refresh),
        Row::new("HostDatastoreBrowser", host_datastore_browser::search),
        Row::new(
            "HostDatastoreBrowser",
            host_datastore_browser::search_sub_folders,
        ),
        Row::new("FileManager", file_manager::make_directory),
        Row::new("FileManager", file_manager::delete),
        Row::new("FileManager", file_manager::move_file),
        Row::new("FileManager", file_manager::copy),
        Row::new("VirtualDiskManager", virtual_disk_manager::create),
        Row::new("VirtualDiskManager", virtual_disk_manager::delete),
        Row::new("VirtualDiskManager", virtual_disk_manager::query_uuid),
        Row::new(
            "HostAutoStartManager",
            host_auto_start_manager::reconfigure_autostart,
        ),
        Row::new("ViewManager", view_manager::create_container_view),
        Row::new("ViewManager", view_manager::create_list_view),
        Row::new("View", view_manager::destroy_view),
        Row::new("ListView", list_view::modify_list_view),
        Row::new("ListView", list_view::reset_list_view),
        Row::new("ListView", list_view::reset_list_view_from_view),
        Row::new("SearchIndex", search_index::find_by_uuid),
        Row::new("SearchIndex", search_index::find_all_by_uuid),
        Row::new("SearchIndex", search_index::find_by_ip),
        Row::new("SearchIndex", search_index::find_all_by_ip),
        Row::new("SearchIndex", search_index::find_by_dns_name),
        Row::new("SearchIndex", search_index::find_all_by_dns_name),
        Row::new("SearchIndex", search_index::find_by_inventory_path),
        Row::new("SearchIndex", search_index::find_by_datastore_path),
        Row::new("SearchIndex", search_index::find_child),
    ]
}
