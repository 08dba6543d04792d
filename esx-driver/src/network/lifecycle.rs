//! Starting, stopping and removing networks.

use vi_types::objects::HostPortGroup;
use virt_model::ErrorNumber;

use super::{Network, changes::refused, definition::Found, switches::Switch};
use crate::{Error, ErrorKind, Operation, Result};

impl Network {
    /// Starts the network. All are active, so this fails always: one request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the switch exists; else [`ErrorKind::NotFound`].
    #[doc(alias = "virNetworkCreate")]
    pub fn create(&self) -> Operation<'static> {
        let network = self.clone();
        Operation::new("Could not start network", move |mut runner| {
            Box::pin(async move {
                let found = runner.prepare(network.connect.host_network()).await?;
                found.switch(&network)?;
                // libvirt's text (networkCreate of bridge_driver.c, 9.0.0).
                Err(Error::new(
                    ErrorKind::WrongState,
                    ErrorNumber::OperationInvalid,
                    "network is already active",
                ))
            })
        })
    }

    /// Stops the network. A switch that does not switch cannot be, so it is removed as [`undefine`](Network::undefine)
    /// does it: the network is gone then.
    ///
    /// # Errors
    /// As [`undefine`](Network::undefine).
    #[doc(alias = "virNetworkDestroy")]
    pub fn destroy(&self) -> Operation<'static> {
        self.remove("Could not destroy network")
    }

    /// Removes a standard virtual switch with its port groups.
    ///
    /// Not one that the host itself uses. The host refuses to remove port groups that running domains use. Two requests:
    /// the host removes a switch's port groups with it. (libvirt 9.0.0, esxNetworkUndefine, removes them one by one.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if an interface of the host or a running domain uses it; [`ErrorKind::Unsupported`] for
    /// a switch that its host cannot remove; [`ErrorKind::NotFound`] if the switch does not exist any more; what any
    /// [`Operation`] may fail with.
    #[doc(alias = "virNetworkUndefine")]
    pub fn undefine(&self) -> Operation<'static> {
        self.remove("Could not undefine network")
    }

    fn remove(&self, could_not: &'static str) -> Operation<'static> {
        let network = self.clone();
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let found = runner.prepare(network.connect.host_network()).await?;
                network.check_removable(&found)?;
                let removed = runner
                    .perform(network.connect.remove_switch(&network.name).await?)
                    .await;
                removed.map_err(|error| refused(error, &format!("network '{}'", network.name)))
            })
        })
    }

    /// Whether it is a switch that can be removed. Checks and texts are those of esxNetworkUndefine of libvirt 9.0.0.
    fn check_removable(&self, found: &Found) -> Result<()> {
        let Switch::Standard(switch) = found.switch(self)? else {
            return Err(self.unsupported("removed"));
        };
        for key in &switch.portgroup {
            let mut groups = found.host.port_groups.iter();
            let group = groups.find(|group| group.key.as_ref() == Some(key));
            let group = group.ok_or_else(|| {
                Error::new(
                    ErrorKind::UnexpectedValue,
                    ErrorNumber::InternalError,
                    format!("Could not find HostPortGroup for key '{key}'"),
                )
            })?;
            check_ports(group)?;
        }
        Ok(())
    }
}

/// Only ports of virtual machines may be in a port group that is removed.
fn check_ports(group: &HostPortGroup) -> Result<()> {
    match foreign_port(group) {
        None => Ok(()),
        Some(kind) => Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            format!("Cannot undefine HostVirtualSwitch that has a '{kind}' port"),
        )
        .advise(format!(
            "an interface of the host is in the port group '{}'",
            group.spec.name
        ))),
    }
}

/// What the first port is that is none of a virtual machine: `host`, `systemManagement` or `unknown`.
pub(super) fn foreign_port(group: &HostPortGroup) -> Option<&str> {
    let mut ports = group.port.iter();
    let port = ports.find(|port| port.r#type != "virtualMachine");
    port.map(|port| port.r#type.as_str())
}
