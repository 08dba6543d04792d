//! The names of a domain's states.

use serde::Serializer;
use virt_model::DomainState;

/// virsh's word for a domain's state.
pub(crate) fn word(state: DomainState) -> &'static str {
    match state {
        DomainState::NoState => "no state",
        DomainState::Running => "running",
        DomainState::Blocked => "idle",
        DomainState::Paused => "paused",
        DomainState::Shutdown => "in shutdown",
        DomainState::Shutoff => "shut off",
        DomainState::Crashed => "crashed",
        DomainState::PmSuspended => "pmsuspended",
    }
}

/// Serialises a state as libvirt's name of it, such as `shutoff`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
pub(crate) fn name<S: Serializer>(state: &DomainState, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(state.as_str())
}
