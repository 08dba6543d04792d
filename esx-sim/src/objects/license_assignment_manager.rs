//! LicenseAssignmentManager: which licences a vCenter has given to its hosts.

use vi_types::methods::QueryAssignedLicenses;
use vi_types::objects::{KeyAnyValue, LicenseAssignmentManagerLicenseAssignment};
use vi_types::{Any, SoapFault, properties};

use crate::call::{Call, Row};
use crate::world::inventory::hosts;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![Row::new(query)]
}

/// All hosts have the first licence. Who asks for one that does not exist gets nothing.
fn query(
    call: &mut Call<'_>,
    request: &QueryAssignedLicenses,
) -> Result<Vec<LicenseAssignmentManagerLicenseAssignment>, SoapFault> {
    let world = &call.state.world;
    let mut managers = world.all("LicenseManager");
    let manager = managers.next();
    let manager = manager.and_then(|manager| world.read::<properties::LicenseManager>(manager));
    let Some(license) = manager.and_then(|manager| manager.licenses.first()) else {
        return Ok(Vec::new());
    };
    let assigned = |host: vi_types::ManagedObjectReference| {
        let state = world.read::<properties::HostSystem>(&host);
        let summary = state.and_then(|state| state.summary.as_deref());
        let hardware = summary.and_then(|summary| summary.hardware.as_deref());
        let packages = hardware.map_or(0, |hardware| hardware.num_cpu_pkgs);
        LicenseAssignmentManagerLicenseAssignment {
            entity_id: host.value,
            entity_display_name: state.and_then(|state| state.name.clone()),
            assigned_license: license.clone(),
            properties: vec![KeyAnyValue {
                key: "EntityCost".to_owned(),
                value: Any::Int(packages.into()),
                ..KeyAnyValue::default()
            }],
            ..LicenseAssignmentManagerLicenseAssignment::default()
        }
    };
    let wanted = request.entity_id.as_ref();
    let hosts = hosts(world).into_iter();
    let hosts = hosts.filter(|host| wanted.is_none_or(|wanted| *wanted == host.value));
    Ok(hosts.map(assigned).collect())
}
