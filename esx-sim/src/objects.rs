//! The methods of the managed objects: a file for each object, with its methods as functions and rows.

use crate::call::Row;

/// Declares the modules of the objects, and gathers their methods.
macro_rules! objects {
    ($($(#[$reason:meta])* $object:ident,)*) => {
        $(pub(crate) mod $object;)*

        /// All methods of the simulator.
        pub(crate) fn rows() -> Vec<Row> {
            let mut rows = Vec::new();
            $(rows.extend($object::rows());)*
            rows
        }
    };
}

objects! {
    datastore,
    diagnostic_manager,
    distributed_virtual_switch,
    environment_browser,
    event_history_collector,
    event_manager,
    file_manager,
    folder,
    host_auto_start_manager,
    host_certificate_manager,
    host_connection,
    host_datastore_browser,
    host_datastore_system,
    host_date_time_system,
    host_firewall_system,
    host_health_status_system,
    host_network_system,
    host_pci_passthru_system,
    host_power_system,
    host_service_system,
    host_storage_system,
    host_system,
    license_assignment_manager,
    list_view,
    managed_entity,
    managed_object,
    network,
    option_manager,
    performance_manager,
    property_collector,
    property_filter,
    resource_pool,
    search_index,
    service_instance,
    session_manager,
    task,
    view_manager,
    virtual_disk_manager,
    virtual_machine,
    virtual_machine_snapshot,
}
