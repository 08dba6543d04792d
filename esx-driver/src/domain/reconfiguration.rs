//! Changes of a virtual machine's configuration, and which of libvirt's configurations they concern.

use std::{future::Future, sync::Arc};

use vi_client::retrieve::PropertySet;
use vi_types::{
    enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    objects::{InvalidPowerState, VirtualMachineConfigSpec},
};
use virt_model::ErrorNumber;
use virt_model::flags::{ModificationImpact, refuse_both, refuse_unknown};

use super::{Domain, not_running};
use crate::{
    Error, ErrorKind, Result,
    engine::{Change, Effect},
};

/// libvirt's text for a domain that would have to be active (`virDomainObjCheckActive`).
pub(super) const NOT_RUNNING: &str = "domain is not running";

impl Domain {
    /// A reconfiguration. It is done if `is_done` of the properties that it changes.
    pub(super) fn reconfigure<P: PropertySet + Send>(
        &self,
        spec: VirtualMachineConfigSpec,
        is_done: impl Fn(&P) -> bool + Send + Sync + 'static,
    ) -> Change<()> {
        self.reconfigure_read_by(
            spec,
            |domain| async move { domain.properties().await },
            is_done,
        )
    }

    /// A reconfiguration. It is done if `is_done` of what `read` reads.
    pub(super) fn reconfigure_read_by<T, R>(
        &self,
        spec: VirtualMachineConfigSpec,
        read: impl Fn(Domain) -> R + Send + Sync + 'static,
        is_done: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Change<()>
    where
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let domain = self.clone();
        let is_done = Arc::new(is_done);
        let change = self.task(self.vm().reconfig_vm_task(spec));
        change.verified_by(move || {
            let (found, is_done) = (read(domain.clone()), is_done.clone());
            Box::pin(async move {
                Ok(match is_done(&found.await?) {
                    true => Effect::Done(()),
                    false => Effect::NotDone,
                })
            })
        })
    }
}

/// The change, restricted to an active domain if `is_live`: if libvirt's flag `VIR_DOMAIN_AFFECT_LIVE` is set.
///
/// A virtual machine has one configuration, which is that of the running machine and that of its next start. So a change
/// of one of libvirt's two configurations is a change of both.
pub(super) fn live(change: Change<()>, is_live: bool) -> Change<()> {
    match is_live {
        true => change.from(&[PoweredOn, Suspended], NOT_RUNNING),
        false => change,
    }
}

/// Refuses to read the configuration of a running domain that does not run.
pub(super) fn check_live(is_live: bool, power_state: &VirtualMachinePowerState) -> Result<()> {
    if !is_live || *power_state != PoweredOff {
        return Ok(());
    }
    Err(not_running())
}

/// Checks the flags of a function that changes something: it may change both configurations.
pub(super) fn known_impact(flags: ModificationImpact, function: &'static str) -> Result<()> {
    let known = ModificationImpact::LIVE | ModificationImpact::CONFIG;
    Ok(refuse_unknown(flags, known, function)?)
}

/// Checks the flags of a function that reads: it reads one configuration.
pub(super) fn check_impact(flags: ModificationImpact, function: &'static str) -> Result<()> {
    known_impact(flags, function)?;
    let live = (ModificationImpact::LIVE, AFFECT[0]);
    let config = (ModificationImpact::CONFIG, AFFECT[1]);
    Ok(refuse_both(flags, live, config)?)
}

/// A parameter that the function does not know.
pub(super) fn unsupported_parameter(name: &str) -> Error {
    let message = format!("parameter '{name}' not supported");
    Error::new(
        ErrorKind::Argument,
        ErrorNumber::ArgumentUnsupported,
        message,
    )
}

/// Whether the host refused because of the power state: it said so, or that it has no hot-plug of that kind.
pub(super) fn is_of_state(error: &Error, no_hot_plug: &str) -> bool {
    error.fault().is_some_and(|fault| {
        let is_no_hot_plug = fault.type_name().is_some_and(|name| name == no_hot_plug);
        fault.is::<InvalidPowerState>() || is_no_hot_plug
    })
}

/// libvirt's full names of the flags for the running domain and for its next start, for texts.
pub(super) const AFFECT: [&str; 2] = ["VIR_DOMAIN_AFFECT_LIVE", "VIR_DOMAIN_AFFECT_CONFIG"];

/// The server's MiB for libvirt's KiB, rounded up to a multiple of `step` MiB.
pub(super) fn mib(kib: u64, step: u64) -> i64 {
    let steps = kib.div_ceil(1024 * step);
    i64::try_from(steps.saturating_mul(step)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::mib;

    #[test]
    fn sizes_are_rounded_up() {
        for (kib, step, expected) in [
            (0, 1, 0),
            (1, 1, 1),
            (1024, 1, 1),
            (1025, 1, 2),
            (1, 4, 4),
            (4096, 4, 4),
            (4097, 4, 8),
            (u64::MAX, 1, 18_014_398_509_481_984),
        ] {
            assert_eq!(mib(kib, step), expected, "{kib}");
        }
    }
}
