//! Changing parts of a distributed switch, which its vCenter does.

use vi_types::{
    ManagedObjectReference,
    objects::{
        DistributedVirtualSwitchHostMemberConfigSpec,
        DistributedVirtualSwitchHostMemberPnicBacking, DistributedVirtualSwitchHostMemberPnicSpec,
        DvPortgroupConfigSpec, HostProxySwitch, VMwareDvsConfigSpec,
    },
    references,
};
use virt_model::{ErrorNumber, flags::NetworkUpdateCommand as Command, network::PortGroup};
use vmx::escape::PERCENT;

use super::{
    super::{
        Network,
        define::nic_named,
        definition::{Found, FoundGroup},
        port_group::of_distributed,
        setting,
        switches::Switch,
    },
    Entry,
};
use crate::{
    Error, ErrorKind, Result,
    engine::{Change, Effect},
};

/// The ports of a new port group. It gets more when it needs them, from VI API 5.1 on.
const PORTS: i32 = 8;

impl Network {
    pub(super) fn change_distributed_group(
        &self,
        command: Command,
        group: &PortGroup,
        switch: &HostProxySwitch,
        found: &Found,
    ) -> Result<Change<()>> {
        let client = self.connect.client();
        let home = self.home(switch, found)?;
        let name = &group.name;
        let mut own = found.groups_of(switch).filter(|group| !group.is_uplink());
        match (command, own.find(|known| known.name == *name)) {
            (Command::AddFirst | Command::AddLast, Some(_)) => {
                Err(self.exists(&Entry::group(name)))
            }
            (Command::AddFirst | Command::AddLast, None) => {
                let grows = client.api_version().at_least(5, 1);
                let spec = DvPortgroupConfigSpec {
                    name: Some(PERCENT.escape(name).into_owned()),
                    num_ports: Some(PORTS),
                    r#type: Some("earlyBinding".to_owned()),
                    auto_expand: grows.then_some(true),
                    default_port_config: Some(setting::of(group)?),
                    ..DvPortgroupConfigSpec::default()
                };
                let switch = references::DistributedVirtualSwitch::from(home);
                let request = switch.add_dv_portgroup_task(vec![spec]);
                Ok(self.seen_in_group(
                    Change::task_without_result(client, request),
                    name,
                    |group| group.is_some(),
                ))
            }
            (Command::Modify | Command::Delete, None) => Err(self.lacks(&Entry::group(name))),
            (Command::Modify, Some(known)) => {
                let setting = setting::of(group)?;
                let wanted = of_distributed(name, Some(&setting));
                let spec = DvPortgroupConfigSpec {
                    config_version: known.config.version.clone(),
                    default_port_config: Some(setting),
                    ..DvPortgroupConfigSpec::default()
                };
                let group = references::DistributedVirtualPortgroup::from(known.reference.clone());
                let request = group.reconfigure_dv_portgroup_task(spec);
                Ok(self.seen_in_group(
                    Change::task_without_result(client, request),
                    name,
                    move |group| group.is_some_and(|now| now.definition() == wanted),
                ))
            }
            (Command::Delete, Some(known)) => {
                let group = references::DistributedVirtualPortgroup::from(known.reference.clone());
                Ok(self.seen_in_group(
                    Change::task_without_result(client, group.destroy_task()),
                    name,
                    |group| group.is_none(),
                ))
            }
            (other, _) => Err(self.unsupported(&format!("updated by '{other}'"))),
        }
    }

    /// Gives the switch a network card of the connection's host, or takes one from it.
    pub(super) async fn change_uplink(
        &self,
        command: Command,
        device: &str,
        switch: &HostProxySwitch,
        found: &Found,
    ) -> Result<Change<()>> {
        let connect = &self.connect;
        let home = self.home(switch, found)?;
        let mut backing = backing_of(switch);
        let nics = &mut backing.pnic_spec;
        let is_own = nics.iter().any(|nic| nic.pnic_device == device);
        match (command, is_own) {
            (Command::Delete, false) => return Err(self.lacks(&Entry::nic(device))),
            (Command::Delete, true) => nics.retain(|nic| nic.pnic_device != device),
            (_, true) => return Err(self.exists(&Entry::nic(device))),
            (_, false) => {
                let nic = nic_named(device, &found.host.nics)?;
                nics.push(DistributedVirtualSwitchHostMemberPnicSpec {
                    pnic_device: nic.device.clone(),
                    ..DistributedVirtualSwitchHostMemberPnicSpec::default()
                });
            }
        }
        let is_there = command != Command::Delete;
        let member = DistributedVirtualSwitchHostMemberConfigSpec {
            operation: "edit".to_owned(),
            host: connect.host_system().await?.clone(),
            backing: Some(backing.into()),
            ..DistributedVirtualSwitchHostMemberConfigSpec::default()
        };
        let mut spec = VMwareDvsConfigSpec::default();
        spec.base.host.push(member);
        let home = references::DistributedVirtualSwitch::from(home);
        let change = Change::task_without_result(connect.client(), home.reconfigure_dvs_task(spec));
        let (network, device) = (self.clone(), device.to_owned());
        Ok(change.verified_by(move || {
            let (network, device) = (network.clone(), device.clone());
            Box::pin(async move {
                let found = network.connect.host_network().await?;
                let Switch::Distributed(switch) = found.switch(&network)? else {
                    return Ok(Effect::NotDone);
                };
                let nics = backing_of(switch).pnic_spec;
                let has = nics.iter().any(|nic| nic.pnic_device == device);
                Ok(effect(has == is_there))
            })
        }))
    }

    /// The switch as an object of its vCenter.
    fn home(&self, switch: &HostProxySwitch, found: &Found) -> Result<ManagedObjectReference> {
        let mut homes = found.groups_of(switch);
        homes.find_map(|group| group.config.switch.clone()).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::OperationUnsupported,
                format!("network '{}' can only be changed by its vCenter", self.name),
            )
            .advise("connect to the vCenter, as a user who may read the switch's port groups: vpx://VCENTER/DATACENTER/CLUSTER/HOST")
        })
    }

    /// A change that is seen in the switch's port group of that name.
    fn seen_in_group(
        &self,
        change: Change<()>,
        name: &str,
        is_done: impl Fn(Option<&FoundGroup>) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()> {
        let (network, name) = (self.clone(), name.to_owned());
        change.verified_by(move || {
            let (network, name, is_done) = (network.clone(), name.clone(), is_done.clone());
            Box::pin(async move {
                let found = network.connect.host_network().await?;
                let Switch::Distributed(switch) = found.switch(&network)? else {
                    return Ok(Effect::NotDone);
                };
                let mut own = found.groups_of(switch).filter(|group| !group.is_uplink());
                Ok(effect(is_done(own.find(|group| group.name == name))))
            })
        })
    }
}

/// The network cards of the host that are the switch's.
fn backing_of(switch: &HostProxySwitch) -> DistributedVirtualSwitchHostMemberPnicBacking {
    let backing = switch.spec.backing.as_ref();
    let nics =
        backing.and_then(|backing| backing.cast::<DistributedVirtualSwitchHostMemberPnicBacking>());
    nics.cloned().unwrap_or_default()
}

fn effect(is_done: bool) -> Effect<()> {
    match is_done {
        true => Effect::Done(()),
        false => Effect::NotDone,
    }
}
