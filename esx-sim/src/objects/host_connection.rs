//! HostSystem: the connection between a vCenter and its host.

use vi_types::enums::HostSystemConnectionState::{self, Connected, Disconnected};
use vi_types::enums::VirtualMachineConnectionState;
use vi_types::methods::{DisconnectHostTask, QueryHostConnectionInfo, ReconnectHostTask};
use vi_types::objects::{
    Event, HostConnectInfo, HostConnectInfoNetworkInfo, HostConnectedEvent,
    HostDatastoreConnectInfo, HostDisconnectedEvent,
};
use vi_types::{ManagedObjectReference, Method, Poly, SoapFault, properties};

use super::host_system;
use crate::call::{Call, Row};
use crate::fault;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(disconnect),
        Row::new(reconnect),
        Row::new(describe),
    ]
}

/// What a vCenter would learn of the host: itself, its machines, networks and datastores.
fn describe(
    call: &mut Call<'_>,
    _: &QueryHostConnectionInfo,
) -> Result<HostConnectInfo, SoapFault> {
    let world = &call.state.world;
    let host = world.read::<properties::HostSystem>(call.this);
    let host = host.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    let summary = host.summary.as_deref().cloned().unwrap_or_default();
    let machines = host.vm.iter().filter_map(|vm| {
        let vm = world.read::<properties::VirtualMachine>(vm)?;
        vm.summary.as_deref().cloned()
    });
    let networks = host.network.iter().filter_map(|network| {
        let network = world.read::<properties::Network>(network)?;
        Some(HostConnectInfoNetworkInfo {
            summary: network.summary.clone()?,
            ..HostConnectInfoNetworkInfo::default()
        })
    });
    let datastores = host.datastore.iter().filter_map(|store| {
        let store = world.read::<properties::Datastore>(store)?;
        Some(HostDatastoreConnectInfo {
            summary: store.summary.as_deref()?.clone(),
            ..HostDatastoreConnectInfo::default()
        })
    });
    let cluster = world.parent(call.this);
    let cluster = cluster.and_then(|one| world.read::<properties::ClusterComputeResource>(one));
    let has_ha = cluster.and_then(|cluster| cluster.configuration.as_deref()?.das_config.enabled);
    Ok(HostConnectInfo {
        server_ip: summary.management_server_ip.clone(),
        in_das_cluster: world.since("5.0").then_some(has_ha.unwrap_or(false)),
        host: summary,
        vm: machines.collect(),
        vim_account_name_required: Some(false),
        cluster_supported: Some(true),
        network: networks.map(Poly::new).collect(),
        datastore: datastores.map(Poly::new).collect(),
        capability: world.since("6.0").then(|| host.capability.clone()).flatten(),
        ..HostConnectInfo::default()
    })
}

fn disconnect(
    call: &mut Call<'_>,
    _: &DisconnectHostTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let event = HostDisconnectedEvent::default();
    begin::<DisconnectHostTask>(call, "HostSystem.disconnect", Disconnected, event)
}

fn reconnect(
    call: &mut Call<'_>,
    _: &ReconnectHostTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let event = HostConnectedEvent::default();
    begin::<ReconnectHostTask>(call, "HostSystem.reconnect", Connected, event)
}

/// Begins to connect a host or the opposite. A host that is its own server has no such connection.
fn begin<M: Method>(
    call: &mut Call<'_>,
    description: &str,
    to: HostSystemConnectionState,
    event: impl Into<Poly<Event>>,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    let host = world.read::<properties::HostSystem>(call.this);
    let runtime = host.and_then(|host| host.runtime.as_deref());
    if runtime.is_none_or(|runtime| runtime.connection_state == to) {
        return Err(fault::invalid_state());
    }
    let (host, event) = (call.this.clone(), event.into());
    call.begin::<M>(description, move |world| {
        host_system::change(world, &host, |runtime| runtime.connection_state = to.clone());
        show_in_machines(world, &host, &to);
        world.log(&host, event);
        Ok(None)
    })
}

/// Machines are as connected as their host.
fn show_in_machines(world: &mut World, host: &ManagedObjectReference, host_is: &HostSystemConnectionState) {
    let now = match host_is {
        Connected => VirtualMachineConnectionState::Connected,
        _ => VirtualMachineConnectionState::Disconnected,
    };
    let machines = world.read::<properties::HostSystem>(host);
    for vm in machines.map_or(Vec::new(), |host| host.vm.clone()) {
        world.change(&vm, |vm: &mut properties::VirtualMachine| {
            let summary = vm.summary.as_deref_mut().map(|summary| &mut summary.runtime);
            for runtime in vm.runtime.as_deref_mut().into_iter().chain(summary) {
                runtime.connection_state = now.clone();
            }
        });
    }
}
