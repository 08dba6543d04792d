//! What an iSCSI adapter is told of: a target, or an address that knows targets.

use vi_types::objects::{
    HostInternetScsiHba, HostInternetScsiHbaAuthenticationProperties,
    HostInternetScsiHbaSendTarget, HostInternetScsiHbaStaticTarget,
};

use crate::storage::ISCSI_PORT;
use crate::world::World;
use crate::world::inventory::storage;

/// What differs between static targets and send targets.
pub(super) trait Target: Sized {
    /// How an adapter keeps it until it has authentication properties of its own; `None` if that cannot be a target.
    fn kept(&self, world: &World) -> Option<Self>;

    /// What it is called in lists of secrets. No adapter has two of a name.
    fn name(&self) -> String;

    /// What it is called in texts of faults.
    fn words(&self) -> String;

    fn authentication(&self) -> Option<&HostInternetScsiHbaAuthenticationProperties>;

    fn set_authentication(&mut self, properties: HostInternetScsiHbaAuthenticationProperties);

    /// Those that an adapter has.
    fn list(adapter: &mut HostInternetScsiHba) -> &mut Vec<Self>;

    /// Takes out of an adapter what it has because of this target.
    fn forget(&self, _: &mut HostInternetScsiHba) {}
}

impl Target for HostInternetScsiHbaStaticTarget {
    fn kept(&self, world: &World) -> Option<Self> {
        let kinds = ["iqn.", "eui.", "naa."];
        let is_name = kinds.iter().any(|kind| self.i_scsi_name.starts_with(kind));
        let port = self.port.unwrap_or(ISCSI_PORT);
        (is_name && !self.address.is_empty())
            .then(|| storage::static_target(world, &self.i_scsi_name, &self.address, port))
    }

    fn name(&self) -> String {
        storage::static_target_name(self)
    }

    fn words(&self) -> String {
        format!("target {} at {}", self.i_scsi_name, self.address)
    }

    fn authentication(&self) -> Option<&HostInternetScsiHbaAuthenticationProperties> {
        self.authentication_properties.as_deref()
    }

    fn set_authentication(&mut self, properties: HostInternetScsiHbaAuthenticationProperties) {
        self.authentication_properties = Some(properties.into());
    }

    fn list(adapter: &mut HostInternetScsiHba) -> &mut Vec<Self> {
        &mut adapter.configured_static_target
    }
}

impl Target for HostInternetScsiHbaSendTarget {
    fn kept(&self, world: &World) -> Option<Self> {
        let authentication = || storage::no_authentication(world, true).into();
        (!self.address.is_empty()).then(|| Self {
            address: self.address.clone(),
            port: Some(self.port.unwrap_or(ISCSI_PORT)),
            authentication_properties: world.since("4.0").then(authentication),
            ..Self::default()
        })
    }

    fn name(&self) -> String {
        storage::send_target_name(self)
    }

    fn words(&self) -> String {
        format!("send target {}", self.address)
    }

    fn authentication(&self) -> Option<&HostInternetScsiHbaAuthenticationProperties> {
        self.authentication_properties.as_deref()
    }

    fn set_authentication(&mut self, properties: HostInternetScsiHbaAuthenticationProperties) {
        self.authentication_properties = Some(properties.into());
    }

    fn list(adapter: &mut HostInternetScsiHba) -> &mut Vec<Self> {
        &mut adapter.configured_send_target
    }

    /// The targets that were found through it.
    fn forget(&self, adapter: &mut HostInternetScsiHba) {
        let name = self.name();
        let found = &mut adapter.configured_static_target;
        found.retain(|found| found.parent.as_deref() != Some(&*name));
    }
}
