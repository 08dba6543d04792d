//! The host beyond libvirt: maintenance mode, as the VI API has it.

mod maintenance;
mod suspend;

pub use self::maintenance::{
    HostMaintenance, MaintenanceDomain, MaintenanceObstacle, MaintenanceOptions, MaintenanceState,
};
