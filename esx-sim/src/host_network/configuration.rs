//! A host's networks as a whole: what `networkConfig` shows, and what `UpdateNetworkConfig` makes of it.

use vi_types::SoapFault;
use vi_types::objects::{
    HostIpRouteOp, HostIpRouteTableConfig, HostNetStackInstance, HostNetworkConfig,
    HostNetworkConfigNetStackSpec, HostNetworkConfigResult, HostNetworkInfo, HostPortGroupConfig,
    HostPortGroupSpec, HostProxySwitchConfig, HostVirtualNic, HostVirtualNicConfig,
    HostVirtualNicSpec, HostVirtualSwitchConfig, PhysicalNicConfig,
};

use super::interface::DEFAULT_STACK;
use super::routes::is_static;
use super::{Edit, Kind};
use crate::fault;

/// What a configuration is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Changes, which say what they do.
    Modify,
    /// All that there is to be: what it does not list goes. As far as it lists nothing of a kind, what cannot go stays: the
    /// physical NICs, the distributed switches, and names and routes.
    Replace,
}

impl Mode {
    /// The mode of a call's `changeMode`.
    ///
    /// # Errors
    /// `InvalidArgument` for another text.
    pub(crate) fn parse(text: &str) -> Result<Self, SoapFault> {
        match text {
            "modify" => Ok(Self::Modify),
            "replace" => Ok(Self::Replace),
            _ => Err(fault::invalid_argument("changeMode")),
        }
    }
}

/// What is done with a thing of a configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Add,
    Edit,
    Remove,
    Nothing,
}

/// The configuration that a host has. Given back with [`Mode::Replace`], it makes the host's networks what they are now.
pub(crate) fn configuration(info: &HostNetworkInfo) -> HostNetworkConfig {
    let interfaces = |list: &[HostVirtualNic]| {
        let list = list.iter().map(|nic| HostVirtualNicConfig {
            device: Some(nic.device.clone()),
            portgroup: nic.portgroup.clone(),
            spec: Some(nic.spec.clone().into()),
            ..HostVirtualNicConfig::default()
        });
        list.collect::<Vec<_>>()
    };
    let routes = info.route_table_info.as_deref().map(|table| {
        let ops = |list: &[vi_types::objects::HostIpRouteEntry]| {
            let own = list.iter().filter(|route| is_static(route));
            let ops = own.map(|route| HostIpRouteOp {
                change_operation: "add".to_owned(),
                route: route.clone(),
                ..HostIpRouteOp::default()
            });
            ops.collect::<Vec<_>>()
        };
        HostIpRouteTableConfig {
            ip_route: ops(&table.ip_route),
            ipv6_route: ops(&table.ipv6_route),
            ..HostIpRouteTableConfig::default()
        }
        .into()
    });
    let stacks = info.net_stack_instance.iter();
    let stacks = stacks.map(|stack| HostNetworkConfigNetStackSpec {
        net_stack_instance: stack.clone(),
        ..HostNetworkConfigNetStackSpec::default()
    });
    HostNetworkConfig {
        vswitch: info
            .vswitch
            .iter()
            .map(|switch| HostVirtualSwitchConfig {
                name: switch.name.clone(),
                spec: Some(switch.spec.clone().into()),
                ..HostVirtualSwitchConfig::default()
            })
            .collect(),
        proxy_switch: info
            .proxy_switch
            .iter()
            .map(|switch| HostProxySwitchConfig {
                uuid: switch.dvs_uuid.clone(),
                spec: Some(switch.spec.clone().into()),
                ..HostProxySwitchConfig::default()
            })
            .collect(),
        portgroup: info
            .portgroup
            .iter()
            .map(|group| HostPortGroupConfig {
                spec: Some(group.spec.clone().into()),
                ..HostPortGroupConfig::default()
            })
            .collect(),
        pnic: info
            .pnic
            .iter()
            .map(|nic| PhysicalNicConfig {
                device: nic.device.clone(),
                spec: nic.spec.clone(),
                ..PhysicalNicConfig::default()
            })
            .collect(),
        vnic: interfaces(&info.vnic),
        console_vnic: interfaces(&info.console_vnic),
        dns_config: info.dns_config.clone(),
        ip_route_config: info.ip_route_config.clone(),
        console_ip_route_config: info.console_ip_route_config.clone(),
        route_table_config: routes,
        ip_v6_enabled: info.ip_v6_enabled,
        net_stack_spec: stacks.collect(),
        ..HostNetworkConfig::default()
    }
}

impl Edit<'_> {
    /// Makes a host's networks what a configuration says. First goes what is to go, interfaces before their port groups and
    /// those before their switches; then comes the rest in the other order.
    ///
    /// # Errors
    /// Those of the single calls, and `InvalidArgument` for an unknown operation and for a missing specification.
    pub(crate) fn apply(
        &mut self,
        config: &HostNetworkConfig,
        mode: Mode,
    ) -> Result<HostNetworkConfigResult, SoapFault> {
        self.remove_interfaces(Kind::Kernel, &config.vnic, mode)?;
        self.remove_interfaces(Kind::Console, &config.console_vnic, mode)?;
        self.remove_groups(&config.portgroup, mode)?;
        self.remove_switches(&config.vswitch, mode)?;
        for switch in &config.vswitch {
            let is_there = self.switch(&switch.name).is_ok();
            let spec = switch.spec.as_deref();
            match step(mode, switch.change_operation.as_deref(), is_there)? {
                Step::Add => self.add_switch(&switch.name, spec)?,
                Step::Edit => {
                    let spec = spec.ok_or_else(|| missing("vswitch"))?;
                    self.update_switch(&switch.name, spec)?;
                }
                Step::Remove | Step::Nothing => {}
            }
        }
        for group in &config.portgroup {
            let Some(spec) = group.spec.as_deref() else {
                return Err(missing("portgroup"));
            };
            let is_there = self.group(&spec.name).is_ok();
            match step(mode, group.change_operation.as_deref(), is_there)? {
                Step::Add => self.add_group(spec)?,
                Step::Edit => self.edit_group(spec, mode)?,
                Step::Remove | Step::Nothing => {}
            }
        }
        for nic in &config.pnic {
            self.set_speed(&nic.device, nic.spec.link_speed.as_deref())?;
        }
        for switch in &config.proxy_switch {
            let is_there = self.proxy(&switch.uuid).is_some();
            match step(mode, switch.change_operation.as_deref(), is_there)? {
                Step::Edit => self.update_proxy(switch)?,
                Step::Nothing => {}
                // Hosts come to a distributed switch and leave it in the vCenter (API reference of `ReconfigureDvs_Task`).
                Step::Add | Step::Remove => return Err(fault::not_supported()),
            }
        }
        self.set_v6(config.ip_v6_enabled);
        let vnic_device = self.make_interfaces(Kind::Kernel, &config.vnic, mode)?;
        let console = self.make_interfaces(Kind::Console, &config.console_vnic, mode)?;
        self.apply_stacks(&config.net_stack_spec)?;
        if let Some(dns) = &config.dns_config {
            self.set_dns(dns)?;
        }
        if let Some(routes) = &config.ip_route_config {
            self.set_gateways(Kind::Kernel, routes)?;
        }
        if let Some(routes) = &config.console_ip_route_config {
            self.set_gateways(Kind::Console, routes)?;
        }
        if let Some(table) = config.route_table_config.as_deref() {
            if mode == Mode::Replace
                && let Some(known) = self.info.route_table_info.as_deref_mut()
            {
                known.ip_route.retain(|route| !is_static(route));
                known.ipv6_route.retain(|route| !is_static(route));
            }
            self.change_routes(table)?;
        }
        if mode == Mode::Replace {
            self.sort(config);
        }
        Ok(HostNetworkConfigResult {
            vnic_device,
            console_vnic_device: console,
            ..HostNetworkConfigResult::default()
        })
    }

    /// Lists everything in the order of a configuration.
    fn sort(&mut self, config: &HostNetworkConfig) {
        let info = &mut self.info;
        let switches = &config.vswitch;
        info.vswitch
            .sort_by_key(|one| switches.iter().position(|other| other.name == one.name));
        let groups: Vec<_> = config
            .portgroup
            .iter()
            .flat_map(|group| &group.spec)
            .collect();
        info.portgroup
            .sort_by_key(|one| groups.iter().position(|other| other.name == one.spec.name));
        let interfaces: Vec<_> = config.vnic.iter().map(|nic| nic.device.as_ref()).collect();
        info.vnic.sort_by_key(|one| {
            let position = interfaces
                .iter()
                .position(|other| *other == Some(&one.device));
            // Those without a name of their own are new.
            position.unwrap_or(usize::MAX)
        });
    }

    fn remove_interfaces(
        &mut self,
        kind: Kind,
        configs: &[HostVirtualNicConfig],
        mode: Mode,
    ) -> Result<(), SoapFault> {
        let gone: Vec<_> = match mode {
            Mode::Modify => {
                let removed = configs.iter().filter(|one| removes(&one.change_operation));
                let devices = removed.map(|one| one.device.clone().unwrap_or_default());
                devices.collect()
            }
            Mode::Replace => {
                let all = kind.list(&self.info).iter().map(|nic| nic.device.clone());
                let is_kept = |device: &String| {
                    let mut configs = configs.iter();
                    configs.any(|one| one.device.as_ref() == Some(device))
                };
                all.filter(|device| !is_kept(device)).collect()
            }
        };
        gone.iter()
            .try_for_each(|device| self.remove_interface(kind, device))
    }

    fn remove_groups(
        &mut self,
        configs: &[HostPortGroupConfig],
        mode: Mode,
    ) -> Result<(), SoapFault> {
        let name = |one: &HostPortGroupConfig| one.spec.as_ref().map(|spec| spec.name.clone());
        let gone: Vec<_> = match mode {
            Mode::Modify => {
                let removed = configs.iter().filter(|one| removes(&one.change_operation));
                removed.filter_map(name).collect()
            }
            Mode::Replace => {
                let kept: Vec<_> = configs.iter().filter_map(name).collect();
                let all = self
                    .info
                    .portgroup
                    .iter()
                    .map(|group| group.spec.name.clone());
                all.filter(|name| !kept.contains(name)).collect()
            }
        };
        // An interface that moves to another port group is still in it.
        gone.iter().try_for_each(|name| match mode {
            Mode::Modify => self.remove_group(name),
            Mode::Replace => self.remove_unused_group(name),
        })
    }

    /// Removes a port group without running machines.
    fn remove_unused_group(&mut self, name: &str) -> Result<(), SoapFault> {
        let own = |nic: &mut HostVirtualNic| (nic.portgroup == name).then(|| nic.portgroup.clear());
        let interfaces = &mut self.info.vnic;
        interfaces.iter_mut().for_each(|nic| {
            own(nic);
        });
        self.remove_group(name)
    }

    fn remove_switches(
        &mut self,
        configs: &[HostVirtualSwitchConfig],
        mode: Mode,
    ) -> Result<(), SoapFault> {
        let gone: Vec<_> = match mode {
            Mode::Modify => {
                let removed = configs.iter().filter(|one| removes(&one.change_operation));
                removed.map(|one| one.name.clone()).collect()
            }
            Mode::Replace => {
                let all = self.info.vswitch.iter().map(|switch| switch.name.clone());
                let is_kept = |name: &String| configs.iter().any(|one| one.name == *name);
                all.filter(|name| !is_kept(name)).collect()
            }
        };
        gone.iter().try_for_each(|name| self.remove_switch(name))
    }

    /// Changes a port group, which may go to another switch if the configuration is the whole.
    fn edit_group(&mut self, spec: &HostPortGroupSpec, mode: Mode) -> Result<(), SoapFault> {
        if mode == Mode::Replace {
            self.switch(&spec.vswitch_name)?;
            let index = self.group(&spec.name)?;
            let own = &mut self.info.portgroup[index].spec.vswitch_name;
            own.clone_from(&spec.vswitch_name);
        }
        self.update_group(&spec.name, spec)
    }

    /// Makes and changes interfaces. Returns the names of the new ones.
    fn make_interfaces(
        &mut self,
        kind: Kind,
        configs: &[HostVirtualNicConfig],
        mode: Mode,
    ) -> Result<Vec<String>, SoapFault> {
        let mut made = Vec::new();
        for config in configs {
            let device = config.device.as_deref();
            let mut list = kind.list(&self.info).iter();
            let is_there = list.any(|nic| Some(&*nic.device) == device);
            let nothing = HostVirtualNicSpec::default();
            let spec = config.spec.as_deref().unwrap_or(&nothing);
            match step(mode, config.change_operation.as_deref(), is_there)? {
                Step::Add => {
                    let asked = device.filter(|_| mode == Mode::Replace);
                    made.push(self.add_interface(kind, asked, &config.portgroup, spec)?);
                }
                Step::Edit => {
                    let group = Some(&*config.portgroup).filter(|group| !group.is_empty());
                    let device = device.unwrap_or_default();
                    self.update_interface(kind, device, group, spec, mode == Mode::Replace)?;
                }
                Step::Remove | Step::Nothing => {}
            }
        }
        Ok(made)
    }

    /// Makes, changes and removes TCP/IP stacks.
    fn apply_stacks(&mut self, specs: &[HostNetworkConfigNetStackSpec]) -> Result<(), SoapFault> {
        for spec in specs {
            let asked = &spec.net_stack_instance;
            let Some(key) = asked.key.as_deref() else {
                return Err(missing("netStackSpec"));
            };
            let mut stacks = self.info.net_stack_instance.iter();
            let known = stacks.position(|stack| stack.key.as_deref() == Some(key));
            match (spec.operation.as_deref() == Some("remove"), known) {
                (true, Some(index)) if key != DEFAULT_STACK => {
                    let mut interfaces = self.info.vnic.iter();
                    if interfaces.any(|nic| nic.spec.net_stack_instance_key.as_deref() == Some(key))
                    {
                        return Err(fault::resource_in_use("HostNetStackInstance", key));
                    }
                    self.info.net_stack_instance.remove(index);
                }
                (true, _) => return Err(fault::not_found()),
                (false, Some(index)) => {
                    self.info.net_stack_instance[index] = stack(asked);
                    if key == DEFAULT_STACK {
                        if let Some(dns) = &asked.dns_config {
                            self.set_dns(dns)?;
                        }
                        if let Some(routes) = &asked.ip_route_config {
                            self.set_gateways(Kind::Kernel, routes)?;
                        }
                    }
                }
                (false, None) => self.info.net_stack_instance.push(stack(asked)),
            }
        }
        Ok(())
    }

    /// IPv6 comes and goes with the next start of the host.
    fn set_v6(&mut self, enabled: Option<bool>) {
        if self.since("4.1") && enabled.is_some() {
            self.info.at_boot_ip_v6_enabled = enabled;
        }
    }
}

fn stack(asked: &HostNetStackInstance) -> HostNetStackInstance {
    HostNetStackInstance {
        route_table_config: None,
        ..asked.clone()
    }
}

fn removes(operation: &Option<String>) -> bool {
    operation.as_deref() == Some("remove")
}

/// What is done with a thing of a configuration that is there already or is not.
fn step(mode: Mode, operation: Option<&str>, is_there: bool) -> Result<Step, SoapFault> {
    Ok(match (mode, operation) {
        (Mode::Replace, _) if is_there => Step::Edit,
        (Mode::Replace, _) => Step::Add,
        (_, Some("add")) => Step::Add,
        (_, Some("edit")) => Step::Edit,
        (_, Some("remove")) => Step::Remove,
        (_, None | Some("ignore")) => Step::Nothing,
        _ => return Err(fault::invalid_argument("config.changeOperation")),
    })
}

fn missing(what: &str) -> SoapFault {
    fault::invalid_argument(&format!("config.{what}.spec"))
}
