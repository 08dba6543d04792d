//! The properties that events are made of, in groups that are watched only while somebody is registered for their kinds.

use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachineConnectionState;
use vi_types::properties::{HostSystem, VirtualMachine};
use virt_model::event::DomainEventId;

use super::{agent, devices, jobs, metadata, questions};
use crate::Connect;
use crate::domain::Job;

property_set! {
    /// With the identity and the power state, what the life cycle is made of.
    pub(super) struct Life: VirtualMachine {
        pub(super) connection: Option<VirtualMachineConnectionState> = runtime.connection_state,
        pub(super) guest_state: Option<String> = guest.guest_state,
        // vcsim has none.
        pub(super) configuration: Option<String> = config.change_version,
    }
}

property_set! {
    /// Servers since API 5.1 have it.
    pub(super) struct Standby: VirtualMachine {
        pub(super) is_online: Option<bool> = runtime.online_standby,
    }
}

property_set! {
    /// Servers since API 6.0 have it.
    pub(super) struct Crash: VirtualMachine {
        pub(super) has_crashed: Option<bool> = guest.guest_kernel_crashed,
    }
}

property_set! {
    struct Reference: HostSystem {}
}

/// Properties that are watched together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Which domains there are and in which state: all events need it.
    State,
    Devices,
    Tools,
    Question,
    Metadata,
    Tasks,
}

impl Group {
    /// All groups. The state comes first: the events of the others name domains.
    pub(super) const ALL: [Group; 6] = [
        Group::State,
        Group::Devices,
        Group::Tools,
        Group::Question,
        Group::Metadata,
        Group::Tasks,
    ];

    /// Whether the events of that kind need the group.
    pub(super) fn serves(self, id: DomainEventId) -> bool {
        use DomainEventId as Id;

        match self {
            Group::State => true,
            Group::Devices => matches!(
                id,
                Id::DeviceAdded
                    | Id::DeviceRemoved
                    | Id::TrayChange
                    | Id::IoError
                    | Id::IoErrorReason
            ),
            Group::Tools => id == Id::AgentLifecycle,
            Group::Question => matches!(id, Id::Question | Id::IoError | Id::IoErrorReason),
            Group::Metadata => id == Id::MetadataChange,
            Group::Tasks => id == Id::JobCompleted,
        }
    }

    /// Whether an update has all that is watched.
    pub(super) fn is_one_property(self) -> bool {
        matches!(self, Group::Devices | Group::Tools | Group::Question)
    }

    /// What is to be watched.
    pub(super) fn request(self, connect: &Connect, host: &ManagedObjectReference) -> Retrieve {
        let start = Retrieve::from(host);
        let machines = Selection::along(|host: &HostSystem| &host.vm);
        if self == Group::Tasks {
            let tasks = Selection::along(|vm: &VirtualMachine| &vm.base.recent_task);
            return start
                .select(machines.select(tasks))
                .set::<Reference>()
                .set::<Job>()
                .set::<jobs::Subject>();
        }
        // The filter selects the host too, so that the server answers at once even if the host has no machine.
        let request = start.select(machines).set::<Reference>();
        let version = connect.client().api_version();
        match self {
            Group::State => {
                let request = connect.with_identity(request).set::<Life>();
                let request = match version.at_least(5, 1) {
                    true => request.set::<Standby>(),
                    false => request,
                };
                match version.at_least(6, 0) {
                    true => request.set::<Crash>(),
                    false => request,
                }
            }
            Group::Devices => request.set::<devices::Configured>(),
            Group::Tools if version.at_least(4, 0) => request.set::<agent::Tools>(),
            Group::Tools => request.set::<agent::OldTools>(),
            Group::Question => request.set::<questions::Asked>(),
            Group::Metadata => request.set::<metadata::Configured>(),
            Group::Tasks => request,
        }
    }
}

/// Whether the events of that kind are made of the server's own events, or explained by them.
pub(super) fn needs_history(id: DomainEventId) -> bool {
    use DomainEventId as Id;

    matches!(
        id,
        Id::Lifecycle
            | Id::Reboot
            | Id::Watchdog
            | Id::Graphics
            | Id::IoError
            | Id::IoErrorReason
            | Id::PmSuspend
            | Id::PmWakeup
    )
}
