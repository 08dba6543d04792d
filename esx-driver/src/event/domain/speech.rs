//! Events that the server tells and no property shows.

use vi_types::Poly;
use vi_types::objects::{Event, VmAcquiredTicketEvent, VmDiskFailedEvent, VmMessageErrorEvent};
use virt_model::event::{
    GraphicsAddress, GraphicsAddressFamily, GraphicsPhase, GraphicsSubjectIdentity, IoErrorAction,
    WatchdogAction,
};

use super::DomainEventDetail;
use super::devices::Devices;
use super::questions::{disk_reason, failed};
use crate::domain::message_problem;

/// Types of tickets that a viewer of the screen needs. The others are for guest operations and devices.
const SCREEN: [&str; 2] = ["mks", "webmks"];

/// The types of events that tell something by themselves.
pub(super) const TYPES: [&str; 10] = [
    "VmGuestRebootEvent",
    "VmResettingEvent",
    "VmDasBeingResetEvent",
    "VmDasBeingResetWithScreenshotEvent",
    "VmAcquiredMksTicketEvent",
    "VmAcquiredTicketEvent",
    "VmRemoteConsoleConnectedEvent",
    "VmRemoteConsoleDisconnectedEvent",
    "VmDiskFailedEvent",
    "VmMessageErrorEvent",
];

/// What an event of the server tells by itself.
pub(super) fn events(event: &Poly<Event>, devices: Option<&Devices>) -> Vec<DomainEventDetail> {
    match event.type_name() {
        "VmGuestRebootEvent" | "VmResettingEvent" => vec![DomainEventDetail::Reboot],
        // The cluster has not heard of the guest for too long.
        "VmDasBeingResetEvent" | "VmDasBeingResetWithScreenshotEvent" => vec![
            DomainEventDetail::Watchdog(WatchdogAction::Reset),
            DomainEventDetail::Reboot,
        ],
        "VmAcquiredMksTicketEvent" => vec![graphics(event, GraphicsPhase::Connect, "mks")],
        "VmAcquiredTicketEvent" => {
            let ticket = event.cast::<VmAcquiredTicketEvent>();
            let ticket = ticket.map_or("", |event| &event.ticket_type);
            match SCREEN.contains(&ticket) {
                true => vec![graphics(event, GraphicsPhase::Connect, ticket)],
                false => Vec::new(),
            }
        }
        "VmRemoteConsoleConnectedEvent" => {
            vec![graphics(event, GraphicsPhase::Initialize, "")]
        }
        "VmRemoteConsoleDisconnectedEvent" => {
            vec![graphics(event, GraphicsPhase::Disconnect, "")]
        }
        "VmDiskFailedEvent" => match event.cast::<VmDiskFailedEvent>() {
            Some(failure) => {
                let reason = failure.reason.localized_message.as_deref();
                let (path, alias) = disk(&failure.disk, devices);
                let action = IoErrorAction::Report;
                failed(path, alias, action, reason.unwrap_or_default()).into()
            }
            None => Vec::new(),
        },
        "VmMessageErrorEvent" => match event.cast::<VmMessageErrorEvent>() {
            Some(error) => {
                let mut ids = error.message_info.iter().map(|message| message.id.as_str());
                let Some(problem) = ids.find_map(message_problem) else {
                    return Vec::new();
                };
                let (path, alias) = disk(&error.message, devices);
                failed(path, alias, IoErrorAction::Report, disk_reason(problem)).into()
            }
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A viewer. The server knows its user, but neither end's address.
fn graphics(event: &Event, phase: GraphicsPhase, auth_scheme: &str) -> DomainEventDetail {
    let unknown = GraphicsAddress {
        family: GraphicsAddressFamily::Ipv4,
        node: String::new(),
        service: String::new(),
    };
    let user = Some(&event.user_name).filter(|name| !name.is_empty());
    DomainEventDetail::Graphics {
        phase,
        local: unknown.clone(),
        remote: unknown,
        auth_scheme: auth_scheme.to_owned(),
        subject: user
            .map(|name| GraphicsSubjectIdentity {
                r#type: "username".to_owned(),
                name: name.clone(),
            })
            .into_iter()
            .collect(),
    }
}

/// The file and the alias of the disk that a text names by one of them.
fn disk(text: &str, devices: Option<&Devices>) -> (String, String) {
    let mut disks = devices.into_iter().flat_map(Devices::disks);
    let is_it = |(alias, file): &(String, &str)| {
        let name = file.rsplit(['/', ' ']).next().unwrap_or_default();
        text == alias || text.contains(name)
    };
    match disks.find(is_it) {
        Some((alias, file)) => (file.to_owned(), alias),
        None => (String::new(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use vi_types::objects::{
        LocalizedMethodFault, TaskEvent, TaskInfo, VirtualMachineMessage, VmAcquiredMksTicketEvent,
        VmEvent, VmGuestRebootEvent, VmPoweredOffEvent, VmPoweredOnEvent, VmReconfiguredEvent,
    };

    use super::super::clue::Clue;
    use super::*;

    fn texts(event: &Poly<Event>) -> Vec<String> {
        let text = |detail: &DomainEventDetail| match detail {
            DomainEventDetail::Graphics {
                phase,
                auth_scheme,
                subject,
                ..
            } => {
                let names: Vec<_> = subject.iter().map(|one| one.name.as_str()).collect();
                format!("{phase} '{auth_scheme}' {}", names.join(" "))
            }
            DomainEventDetail::IoErrorReason { action, reason, .. } => format!("{action} {reason}"),
            other => other.id().to_string(),
        };
        events(event, None).iter().map(text).collect()
    }

    fn ticket(kind: &str) -> Poly<Event> {
        let mut event = Poly::from(VmAcquiredTicketEvent {
            ticket_type: kind.to_owned(),
            ..VmAcquiredTicketEvent::default()
        });
        event.user_name = "EXAMPLE\\anna".to_owned();
        event
    }

    #[test]
    fn what_is_told() {
        let failure = VmDiskFailedEvent {
            disk: "scsi0:0".to_owned(),
            reason: LocalizedMethodFault {
                localized_message: Some("the device is lost".to_owned()),
                ..LocalizedMethodFault::default()
            },
            ..VmDiskFailedEvent::default()
        };
        let error = |id: &str| {
            Poly::from(VmMessageErrorEvent {
                message_info: vec![VirtualMachineMessage {
                    id: id.to_owned(),
                    ..VirtualMachineMessage::default()
                }],
                ..VmMessageErrorEvent::default()
            })
        };
        for (event, expected) in [
            (VmGuestRebootEvent::default().into(), &["reboot"][..]),
            (VmPoweredOnEvent::default().into(), &[]),
            (
                VmAcquiredMksTicketEvent::default().into(),
                &["connect 'mks' "],
            ),
            (ticket("webmks"), &["connect 'webmks' EXAMPLE\\anna"]),
            (ticket("guestControl"), &[]),
            (failure.into(), &["io-error", "report the device is lost"]),
            (
                error("msg.hbacommon.outofspace"),
                &["io-error", "report enospc"],
            ),
            (
                error("msg.hbacommon.locklost"),
                &["io-error", "report locklost"],
            ),
            (error("msg.uuid.altered"), &[]),
        ] {
            assert_eq!(texts(&event), expected, "{}", event.type_name());
        }
    }

    #[test]
    fn what_events_say_about_states() {
        let task = |name: Option<&str>, description: &str| {
            Poly::from(TaskEvent {
                info: TaskInfo {
                    name: name.map(str::to_owned),
                    description_id: description.to_owned(),
                    ..TaskInfo::default()
                },
                ..TaskEvent::default()
            })
        };
        let by_user = |event: VmPoweredOffEvent| {
            let mut event = Poly::from(event);
            event.user_name = "root".to_owned();
            event
        };
        let stopping = Clue::Stopping { by_user: true };
        for (event, expected) in [
            (VmPoweredOnEvent::default().into(), &[Clue::On][..]),
            (
                VmPoweredOffEvent::default().into(),
                &[Clue::Off { by_user: false }],
            ),
            (
                by_user(VmPoweredOffEvent::default()),
                &[Clue::Off { by_user: true }],
            ),
            (VmReconfiguredEvent::default().into(), &[Clue::Reconfigured]),
            (VmEvent::default().into(), &[]),
            (
                task(Some("PowerOffVM_Task"), ""),
                &[Clue::OtherTask, stopping],
            ),
            (
                task(None, "VirtualMachine.powerOff"),
                &[Clue::OtherTask, stopping],
            ),
            (task(None, "vim.vm.Snapshot.revert"), &[Clue::Reverting]),
            (
                task(Some("RevertToCurrentSnapshot_Task"), ""),
                &[Clue::Reverting],
            ),
            (task(Some("PowerOnVM_Task"), ""), &[Clue::OtherTask]),
        ] {
            assert_eq!(Clue::of(&event), expected, "{}", event.type_name());
        }
    }
}
