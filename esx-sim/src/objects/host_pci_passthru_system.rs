//! HostPciPassthruSystem: which PCI devices machines may have.

use vi_types::methods::UpdatePassthruConfig;
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::systems;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(update),
    ]
}

/// Enables or disables devices. They are so after the host's next start, unless they are to be at once.
fn update(call: &mut Call<'_>, request: &UpdatePassthruConfig) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let system = world.read::<properties::HostPciPassthruSystem>(call.this);
    let mut info = system
        .map(|system| system.pci_passthru_info.clone())
        .unwrap_or_default();
    for wanted in &request.config {
        let mut devices = info.iter_mut();
        let device = devices.find(|device| device.id == wanted.id);
        let device = device.ok_or_else(|| fault::invalid_argument("config.id"))?;
        if wanted.passthru_enabled && !device.passthru_capable {
            return Err(fault::invalid_argument("config.passthruEnabled"));
        }
        device.passthru_enabled = wanted.passthru_enabled;
        if wanted.apply_now == Some(true) {
            device.passthru_active = wanted.passthru_enabled;
        }
    }
    let reboot = info.iter().any(|device| device.passthru_enabled != device.passthru_active);
    let host = systems::owner(world, call.this, |managers| &managers.pci_passthru_system);
    world.change(call.this, |system: &mut properties::HostPciPassthruSystem| {
        system.pci_passthru_info.clone_from(&info);
    });
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.pci_passthru_info = info;
            }
            if let Some(summary) = host.summary.as_deref_mut() {
                summary.reboot_required = reboot;
            }
        });
    }
    Ok(())
}
