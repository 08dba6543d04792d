//! The calls that change a host's standard switches and their port groups, each with how to see whether it was done.

use vi_client::property_set;
use vi_types::{
    Method,
    methods::AddVirtualSwitch,
    objects::{
        DuplicateName, HostNetworkConfig, HostPortGroup, HostPortGroupConfig, HostPortGroupSpec,
        HostVirtualSwitch, HostVirtualSwitchSpec, ResourceInUse,
    },
};
use virt_model::ErrorNumber;

use crate::{
    Connect, Error, ErrorKind, Result,
    connect::no_host,
    engine::{Change, Effect},
    error::fault_words,
};

property_set! {
    pub(super) struct Made: HostSystem {
        switches: Vec<HostVirtualSwitch> = config.network.vswitch,
        port_groups: Vec<HostPortGroup> = config.network.portgroup,
    }
}

impl Made {
    pub(super) fn switch(&self, name: &str) -> Option<&HostVirtualSwitch> {
        self.switches.iter().find(|switch| switch.name == name)
    }

    pub(super) fn group(&self, name: &str) -> Option<&HostPortGroup> {
        let mut groups = self.port_groups.iter();
        groups.find(|group| group.spec.name == name)
    }
}

impl Connect {
    /// Makes a switch, of a name that none had before.
    pub(super) async fn add_switch(
        &self,
        name: &str,
        spec: HostVirtualSwitchSpec,
    ) -> Result<Change<()>> {
        let request = AddVirtualSwitch {
            spec: Some(spec.into()),
            ..self.network_system().await?.add_virtual_switch(name)
        };
        let name = name.to_owned();
        Ok(self.seen(request, move |made| made.switch(&name).is_some()))
    }

    /// Changes a switch, which then has the network cards of these keys.
    pub(super) async fn update_switch(
        &self,
        name: &str,
        spec: HostVirtualSwitchSpec,
        nics: Vec<String>,
    ) -> Result<Change<()>> {
        let request = self
            .network_system()
            .await?
            .update_virtual_switch(name, spec);
        let name = name.to_owned();
        Ok(self.seen(request, move |made| {
            made.switch(&name).is_some_and(|switch| {
                switch.pnic.len() == nics.len() && nics.iter().all(|nic| switch.pnic.contains(nic))
            })
        }))
    }

    /// Removes a switch with the port groups that it has.
    pub(super) async fn remove_switch(&self, name: &str) -> Result<Change<()>> {
        let request = self.network_system().await?.remove_virtual_switch(name);
        let name = name.to_owned();
        Ok(self.seen(request, move |made| made.switch(&name).is_none()))
    }

    /// Makes port groups, of names that none had before: several of them in one call.
    ///
    /// A single one is made by the call that libvirt makes, since not every server does what `UpdateNetworkConfig` says:
    /// govmomi's vcsim, for one, answers and does nothing.
    pub(super) async fn add_groups(&self, mut specs: Vec<HostPortGroupSpec>) -> Result<Change<()>> {
        let system = self.network_system().await?;
        let names: Vec<_> = specs.iter().map(|spec| spec.name.clone()).collect();
        let are_made = move |made: &Made| names.iter().all(|name| made.group(name).is_some());
        if specs.len() == 1
            && let Some(spec) = specs.pop()
        {
            return Ok(self.seen(system.add_port_group(spec), are_made));
        }
        let groups = specs.into_iter().map(|spec| HostPortGroupConfig {
            change_operation: Some("add".to_owned()),
            spec: Some(spec.into()),
            ..HostPortGroupConfig::default()
        });
        let config = HostNetworkConfig {
            portgroup: groups.collect(),
            ..HostNetworkConfig::default()
        };
        Ok(self.seen(system.update_network_config(config, "modify"), are_made))
    }

    /// Changes a port group.
    pub(super) async fn update_group(&self, spec: HostPortGroupSpec) -> Result<Change<()>> {
        let wanted = spec.clone();
        let name = spec.name.clone();
        let request = self.network_system().await?.update_port_group(name, spec);
        Ok(self.seen(request, move |made| {
            made.group(&wanted.name).is_some_and(|group| {
                group.spec.vlan_id == wanted.vlan_id
                    && group.spec.policy.shaping_policy == wanted.policy.shaping_policy
            })
        }))
    }

    /// Removes a port group.
    pub(super) async fn remove_group(&self, name: &str) -> Result<Change<()>> {
        let request = self.network_system().await?.remove_port_group(name);
        let name = name.to_owned();
        Ok(self.seen(request, move |made| made.group(&name).is_none()))
    }

    /// The host's standard switches and their port groups: one request.
    pub(super) async fn made(&self) -> Result<Made> {
        let made: Option<Made> = self.read_complete(self.host_system().await?).await?;
        made.ok_or_else(no_host)
    }

    /// A call whose effect is seen in the host's switches and port groups.
    fn seen<M>(
        &self,
        request: M,
        is_done: impl Fn(&Made) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()>
    where
        M: Method,
    {
        let connect = self.clone();
        Change::call_without_result(self.client(), request).verified_by(move || {
            let (connect, is_done) = (connect.clone(), is_done.clone());
            Box::pin(async move {
                Ok(match is_done(&connect.made().await?) {
                    true => Effect::Done(()),
                    false => Effect::NotDone,
                })
            })
        })
    }
}

/// What the server refused, in words about the thing: `port group 'x'`.
pub(crate) fn refused(error: Error, what: &str) -> Error {
    let Some(fault) = error.fault() else {
        return match error.kind() {
            ErrorKind::InDoubt => error.advise_also(&format!("look at {what}")),
            _ => error,
        };
    };
    let words = fault_words(fault);
    if let Some(used) = fault.cast::<ResourceInUse>() {
        if used.r#type.as_deref() == Some("PhysicalNic") {
            let nic = used.name.as_deref().unwrap_or("?");
            let message = format!("{what}: the network card '{nic}' is one of another network");
            return Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                message,
            )
            .because(error);
        }
        let message = format!("{what} is in use: {words}");
        return Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            message,
        )
        .advise("domains that run on it, and the host's own interfaces, have to leave it first")
        .because(error);
    }
    if fault.is::<DuplicateName>() {
        let message = format!("{what} cannot have its name: {words}");
        return Error::new(ErrorKind::Fault, ErrorNumber::OperationFailed, message).because(error);
    }
    match error.kind() {
        ErrorKind::Fault | ErrorKind::TaskFailed => {
            let message = format!("{what}: {words}");
            Error::new(error.kind(), ErrorNumber::OperationFailed, message).because(error)
        }
        _ => error,
    }
}
