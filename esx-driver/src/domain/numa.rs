//! The host's NUMA nodes that a domain's memory is on.

use vi_client::property_set;
use vi_types::{
    enums::VirtualMachinePowerState,
    objects::{VirtualMachineAffinityInfo, VirtualMachineConfigSpec},
};
use virt_model::{
    ErrorNumber,
    domain::{NumaParameters, NumatuneMemMode},
    flags::ModificationImpact,
};

use super::{
    Domain,
    reconfiguration::{check_impact, check_live, known_impact, live},
    vcpus::{numbers, set_of},
};
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Affinity: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        affinity: Option<VirtualMachineAffinityInfo> = config.memory_affinity,
    }
}

impl Domain {
    /// The NUMA nodes of the domain's memory. An empty set is all nodes; the mode is always
    /// [`Strict`](NumatuneMemMode::Strict). One request. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::Argument`];
    /// [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetNumaParameters")]
    pub async fn numa_parameters(&self, flags: ModificationImpact) -> Result<NumaParameters> {
        check_impact(flags, "esxDomainGetNumaParameters")?;
        let found: Affinity = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        Ok(NumaParameters {
            mode: Some(NumatuneMemMode::Strict),
            nodeset: Some(set_of(found.affinity.as_ref())),
            ..NumaParameters::default()
        })
    }

    /// Sets the NUMA nodes of the domain's memory. An empty set is all nodes. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for another mode than [`Strict`](NumatuneMemMode::Strict); [`ErrorKind::WrongState`] for an
    /// inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may
    /// end with.
    #[doc(alias = "virDomainSetNumaParameters")]
    pub fn set_numa_parameters(
        &self,
        parameters: &NumaParameters,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        const COULD_NOT: &str = "Could not change NUMA parameters";
        let is_strict = parameters
            .mode
            .is_none_or(|mode| mode == NumatuneMemMode::Strict);
        let checked =
            known_impact(flags, "esxDomainSetNumaParameters").and_then(|()| match is_strict {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorKind::Argument,
                    ErrorNumber::ConfigUnsupported,
                    "ESX supports only the NUMA mode 'strict'",
                )),
            });
        if let Err(error) = checked {
            return Operation::of(COULD_NOT, Err(error));
        }
        let wanted = parameters.nodeset.clone();
        let affinity = wanted.as_ref().map(|nodes| VirtualMachineAffinityInfo {
            affinity_set: numbers(nodes),
            ..VirtualMachineAffinityInfo::default()
        });
        let spec = VirtualMachineConfigSpec {
            memory_affinity: affinity.map(Into::into),
            ..VirtualMachineConfigSpec::default()
        };
        let change = self.reconfigure(spec, move |found: &Affinity| {
            let nodes = set_of(found.affinity.as_ref());
            wanted.as_ref().is_none_or(|wanted| *wanted == nodes)
        });
        let is_live = flags.contains(ModificationImpact::LIVE);
        Operation::of(COULD_NOT, Ok(live(change, is_live)))
    }
}
