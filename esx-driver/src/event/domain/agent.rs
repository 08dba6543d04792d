//! Events of the guest's agent, which is VMware Tools.

use vi_client::property_set;
use vi_types::enums::VirtualMachineToolsStatus;
use virt_model::event::{AgentLifecycleReason, AgentLifecycleState};

use super::DomainEventDetail;

property_set! {
    pub(super) struct Tools: VirtualMachine {
        status: Option<String> = guest.tools_running_status,
    }
}

property_set! {
    /// The same on servers before API 4.0.
    pub(super) struct OldTools: VirtualMachine {
        status: Option<VirtualMachineToolsStatus> = guest.tools_status,
    }
}

/// The agent of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Agent {
    pub(super) is_connected: bool,
    /// Whether it has been connected since the domain started.
    pub(super) has_been: bool,
}

impl Tools {
    pub(super) fn run(&self) -> bool {
        // They also run while they execute scripts.
        let runs =
            |status: &str| matches!(status, "guestToolsRunning" | "guestToolsExecutingScripts");
        self.status.as_deref().is_some_and(runs)
    }
}

impl OldTools {
    pub(super) fn run(&self) -> bool {
        matches!(
            self.status,
            Some(VirtualMachineToolsStatus::ToolsOk | VirtualMachineToolsStatus::ToolsOld)
        )
    }
}

impl Agent {
    /// Takes the agent's state over, and returns the event of it.
    pub(super) fn connect(&mut self, is_connected: bool) -> Option<DomainEventDetail> {
        if self.is_connected == is_connected {
            return None;
        }
        let reason = match self.has_been {
            false => AgentLifecycleReason::DomainStarted,
            true => AgentLifecycleReason::Channel,
        };
        self.is_connected = is_connected;
        self.has_been |= is_connected;
        Some(DomainEventDetail::AgentLifecycle {
            state: match is_connected {
                true => AgentLifecycleState::Connected,
                false => AgentLifecycleState::Disconnected,
            },
            reason,
        })
    }
}
