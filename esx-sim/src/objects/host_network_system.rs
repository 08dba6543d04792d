//! HostNetworkSystem: a host's switches, port groups, interfaces, names and routes. What the methods do is in
//! [`host_network`].

use vi_types::methods::{
    AddPortGroup, AddServiceConsoleVirtualNic, AddVirtualNic, AddVirtualSwitch, QueryNetworkHint,
    RefreshNetworkSystem, RemovePortGroup, RemoveServiceConsoleVirtualNic, RemoveVirtualNic,
    RemoveVirtualSwitch, RestartServiceConsoleVirtualNic, UpdateConsoleIpRouteConfig,
    UpdateDnsConfig, UpdateIpRouteConfig, UpdateIpRouteTableConfig, UpdateNetworkConfig,
    UpdatePhysicalNicLinkSpeed, UpdatePortGroup, UpdateServiceConsoleVirtualNic, UpdateVirtualNic,
    UpdateVirtualSwitch,
};
use vi_types::objects::{HostNetworkConfigResult, PhysicalNicHintInfo};
use vi_types::{ManagedObjectReference, SoapFault};

use crate::call::{Call, Row};
use crate::host_network::{self, Edit, Kind, Mode};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(add_switch),
        Row::new(update_switch),
        Row::new(remove_switch),
        Row::new(add_group),
        Row::new(update_group),
        Row::new(remove_group),
        Row::new(add_interface),
        Row::new(update_interface),
        Row::new(remove_interface),
        Row::new(add_console),
        Row::new(update_console),
        Row::new(remove_console),
        Row::new(restart_console),
        Row::new(set_speed),
        Row::new(hints),
        Row::new(set_dns),
        Row::new(set_gateways),
        Row::new(set_console_gateways),
        Row::new(change_routes),
        Row::new(configure),
        Row::new(refresh),
    ]
}

/// The host whose network system is called.
fn host(call: &Call<'_>) -> Result<ManagedObjectReference, SoapFault> {
    call.host_of_manager(|managers| managers.network_system.as_ref())
}

/// Changes the networks of the host that is called.
fn change<R>(
    call: &mut Call<'_>,
    name: &str,
    steps: impl FnOnce(&mut Edit<'_>) -> Result<R, SoapFault>,
) -> Result<R, SoapFault> {
    let host = host(call)?;
    host_network::change(&mut call.state.world, &host, name, steps)
}

fn add_switch(call: &mut Call<'_>, request: &AddVirtualSwitch) -> Result<(), SoapFault> {
    change(call, "addVirtualSwitch", |edit| {
        edit.add_switch(&request.vswitch_name, request.spec.as_deref())
    })
}

fn update_switch(call: &mut Call<'_>, request: &UpdateVirtualSwitch) -> Result<(), SoapFault> {
    change(call, "updateVirtualSwitch", |edit| {
        edit.update_switch(&request.vswitch_name, &request.spec)
    })
}

fn remove_switch(call: &mut Call<'_>, request: &RemoveVirtualSwitch) -> Result<(), SoapFault> {
    change(call, "removeVirtualSwitch", |edit| {
        edit.remove_switch(&request.vswitch_name)
    })
}

fn add_group(call: &mut Call<'_>, request: &AddPortGroup) -> Result<(), SoapFault> {
    change(call, "addPortGroup", |edit| edit.add_group(&request.portgrp))
}

fn update_group(call: &mut Call<'_>, request: &UpdatePortGroup) -> Result<(), SoapFault> {
    change(call, "updatePortGroup", |edit| {
        edit.update_group(&request.pg_name, &request.portgrp)
    })
}

fn remove_group(call: &mut Call<'_>, request: &RemovePortGroup) -> Result<(), SoapFault> {
    change(call, "removePortGroup", |edit| {
        edit.remove_group(&request.pg_name)
    })
}

fn add_interface(call: &mut Call<'_>, request: &AddVirtualNic) -> Result<String, SoapFault> {
    change(call, "addVirtualNic", |edit| {
        edit.add_interface(Kind::Kernel, None, &request.portgroup, &request.nic)
    })
}

fn update_interface(call: &mut Call<'_>, request: &UpdateVirtualNic) -> Result<(), SoapFault> {
    change(call, "updateVirtualNic", |edit| {
        edit.update_interface(Kind::Kernel, &request.device, None, &request.nic, false)
    })
}

fn remove_interface(call: &mut Call<'_>, request: &RemoveVirtualNic) -> Result<(), SoapFault> {
    change(call, "removeVirtualNic", |edit| {
        edit.remove_interface(Kind::Kernel, &request.device)
    })
}

fn add_console(
    call: &mut Call<'_>,
    request: &AddServiceConsoleVirtualNic,
) -> Result<String, SoapFault> {
    change(call, "addServiceConsoleVirtualNic", |edit| {
        edit.add_interface(Kind::Console, None, &request.portgroup, &request.nic)
    })
}

fn update_console(
    call: &mut Call<'_>,
    request: &UpdateServiceConsoleVirtualNic,
) -> Result<(), SoapFault> {
    change(call, "updateServiceConsoleVirtualNic", |edit| {
        edit.update_interface(Kind::Console, &request.device, None, &request.nic, false)
    })
}

fn remove_console(
    call: &mut Call<'_>,
    request: &RemoveServiceConsoleVirtualNic,
) -> Result<(), SoapFault> {
    change(call, "removeServiceConsoleVirtualNic", |edit| {
        edit.remove_interface(Kind::Console, &request.device)
    })
}

fn restart_console(
    call: &mut Call<'_>,
    request: &RestartServiceConsoleVirtualNic,
) -> Result<(), SoapFault> {
    change(call, "restartServiceConsoleVirtualNic", |edit| {
        edit.restart_interface(&request.device)
    })
}

fn set_speed(call: &mut Call<'_>, request: &UpdatePhysicalNicLinkSpeed) -> Result<(), SoapFault> {
    change(call, "updatePhysicalNicLinkSpeed", |edit| {
        edit.set_speed(&request.device, request.link_speed.as_deref())
    })
}

fn hints(
    call: &mut Call<'_>,
    request: &QueryNetworkHint,
) -> Result<Vec<PhysicalNicHintInfo>, SoapFault> {
    let host = host(call)?;
    host_network::look(&call.state.world, &host, |edit| edit.hints(&request.device))
}

fn set_dns(call: &mut Call<'_>, request: &UpdateDnsConfig) -> Result<(), SoapFault> {
    change(call, "updateDnsConfig", |edit| edit.set_dns(&request.config))
}

fn set_gateways(call: &mut Call<'_>, request: &UpdateIpRouteConfig) -> Result<(), SoapFault> {
    change(call, "updateIpRouteConfig", |edit| {
        edit.set_gateways(Kind::Kernel, &request.config)
    })
}

fn set_console_gateways(
    call: &mut Call<'_>,
    request: &UpdateConsoleIpRouteConfig,
) -> Result<(), SoapFault> {
    change(call, "updateConsoleIpRouteConfig", |edit| {
        edit.set_gateways(Kind::Console, &request.config)
    })
}

fn change_routes(
    call: &mut Call<'_>,
    request: &UpdateIpRouteTableConfig,
) -> Result<(), SoapFault> {
    change(call, "updateIpRouteTableConfig", |edit| {
        edit.change_routes(&request.config)
    })
}

fn configure(
    call: &mut Call<'_>,
    request: &UpdateNetworkConfig,
) -> Result<HostNetworkConfigResult, SoapFault> {
    let mode = Mode::parse(&request.change_mode)?;
    change(call, "updateNetworkConfig", |edit| {
        edit.apply(&request.config, mode)
    })
}

/// Does nothing: the properties are always up to date.
fn refresh(_: &mut Call<'_>, _: &RefreshNetworkSystem) -> Result<(), SoapFault> {
    Ok(())
}
