//! VirtualMachine: pictures of the screen, and tickets for it.

use vi_types::enums::VirtualMachinePowerState::PoweredOn;
use vi_types::methods::{AcquireTicket, CreateScreenshotTask};
use vi_types::objects::{VirtualMachineTicket, VmAcquiredTicketEvent};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use super::power::check_power_state;
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Entry};
use crate::machine::config;
use crate::screen;
use crate::world::World;
use crate::world::inventory::parts::mix;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_screenshot),
        Row::new(acquire_ticket),
    ]
}

/// Writes a picture of the screen beside the VMX file. Every call leaves another file.
fn create_screenshot(
    call: &mut Call<'_>,
    _: &CreateScreenshotTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_power_state(call, &[PoweredOn], PoweredOn)?;
    call.state.world.fill_files();
    let vm = call.this.clone();
    call.begin::<CreateScreenshotTask>("VirtualMachine.createScreenshot", move |world| {
        take(world, &vm).map(|path| Some(Any::from(path)))
    })
}

fn take(world: &mut World, vm: &ManagedObjectReference) -> Result<String, SoapFault> {
    let picture = screen::picture(world, vm).ok_or_else(fault::not_supported)?;
    let machine = world.read::<properties::VirtualMachine>(vm);
    let config = machine.and_then(|machine| machine.config.as_deref());
    let path = config.and_then(|config| config.files.vm_path_name.as_deref());
    let datacenter = config::datacenter_of(world, vm);
    let vmx = DatastorePath::resolve(world, datacenter, path.unwrap_or_default())?;
    let stem = vmx.path.strip_suffix(".vmx").unwrap_or(&vmx.path);
    let names = (1u32..).map(|number| DatastorePath::new(&vmx.store, &format!("{stem}-{number}.png")));
    let mut free = names.filter(|location| world.entry(location).is_none());
    let location = free.next().ok_or_else(fault::invalid_state)?;
    world.put(&location, Entry::bytes(picture));
    Ok(location.display(world))
}

/// The kinds of tickets, and the port that they are for.
const TICKETS: [(&str, i32); 3] = [("mks", 902), ("webmks", 443), ("guestControl", 902)];

/// A ticket for the screen of a running machine. Nobody can use it, since the simulator has no console.
fn acquire_ticket(
    call: &mut Call<'_>,
    request: &AcquireTicket,
) -> Result<VirtualMachineTicket, SoapFault> {
    let mut known = TICKETS.iter();
    let Some((kind, port)) = known.find(|(kind, _)| *kind == request.ticket_type) else {
        return Err(fault::invalid_argument("ticketType"));
    };
    check_power_state(call, &[PoweredOn], PoweredOn)?;
    call.state.tickets += 1;
    let (high, low) = (mix(call.state.tickets), mix(!call.state.tickets));
    let ticket = format!("{high:016x}{:08x}", low >> 32);
    let world = &call.state.world;
    let machine = world.read::<properties::VirtualMachine>(call.this);
    let host = machine.and_then(|machine| machine.runtime.as_deref()?.host.clone());
    let config = machine.and_then(|machine| machine.config.as_deref());
    let path = config.and_then(|config| config.files.vm_path_name.clone());
    let host = host.and_then(|host| world.name(&host).map(str::to_owned));
    let url = format!("wss://{}:{port}/ticket/{ticket}", host.as_deref().unwrap_or_default());
    let acquired = VmAcquiredTicketEvent {
        ticket_type: request.ticket_type.clone(),
        ..VmAcquiredTicketEvent::default()
    };
    call.state.world.log(call.this, acquired);
    Ok(VirtualMachineTicket {
        ticket,
        cfg_file: path.unwrap_or_default(),
        host,
        port: Some(*port),
        url: (*kind == "webmks").then_some(url),
        ..VirtualMachineTicket::default()
    })
}
