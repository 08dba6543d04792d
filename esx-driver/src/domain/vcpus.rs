//! Virtual processors: how many there are, and where they run.

use vi_client::{property_set, retrieve::Retrieve};
use vi_types::{
    enums::VirtualMachinePowerState,
    objects::{VirtualMachineAffinityInfo, VirtualMachineConfigSpec},
};
use virt_model::{
    CpuSet, ErrorNumber,
    domain::{VcpuInfo, VcpuState},
    flags::{ModificationImpact, VcpuFlags, refuse_both, refuse_unknown},
};

use super::{
    Domain, no_domain_with_uuid,
    reconfiguration::{AFFECT, check_impact, check_live, is_of_state, known_impact, live},
};
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Vcpus: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        cpus: i32 = config.hardware.num_cpu,
    }
}

property_set! {
    struct Number: VirtualMachine {
        cpus: i32 = config.hardware.num_cpu,
    }
}

property_set! {
    struct Affinity: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        cpus: i32 = config.hardware.num_cpu,
        affinity: Option<VirtualMachineAffinityInfo> = config.cpu_affinity,
    }
}

property_set! {
    struct Threads: HostSystem {
        threads: i16 = hardware.cpu_info.num_cpu_threads,
    }
}

impl Domain {
    /// The number of virtual processors; with [`VcpuFlags::MAXIMUM`] the most that a domain of the host can have. A virtual
    /// machine has one number, which is that of the running domain and that of its next start.
    ///
    /// One request, and another with [`VcpuFlags::MAXIMUM`].
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for [`VcpuFlags::LIVE`] with [`VcpuFlags::CONFIG`]; [`ErrorKind::WrongState`] for an inactive
    /// domain with [`VcpuFlags::LIVE`]; [`ErrorKind::UnsupportedFlags`] for [`VcpuFlags::GUEST`].
    #[doc(alias = "virDomainGetVcpusFlags")]
    pub async fn vcpus(&self, flags: VcpuFlags) -> Result<u32> {
        let (live, config) = (VcpuFlags::LIVE, VcpuFlags::CONFIG);
        refuse_both(flags, (live, AFFECT[0]), (config, AFFECT[1]))?;
        let known = live | config | VcpuFlags::MAXIMUM;
        refuse_unknown(flags, known, "esxDomainGetVcpusFlags")?;
        let found: Vcpus = self.properties().await?;
        check_live(flags.contains(live), &found.power_state)?;
        match flags.contains(VcpuFlags::MAXIMUM) {
            true => self.max_vcpus().await,
            false => Ok(u32::try_from(found.cpus).unwrap_or(0)),
        }
    }

    /// Sets the number of virtual processors. A running domain gets more if its virtual machine has CPU hot-add.
    ///
    /// With [`VcpuFlags::HOTPLUGGABLE`] CPU hot-add is enabled, which the host allows while the domain is off.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for 0 or more than the host's maximum; [`ErrorKind::WrongState`] for an inactive domain with
    /// [`VcpuFlags::LIVE`]; [`ErrorKind::UnsupportedFlags`] for [`VcpuFlags::MAXIMUM`] and [`VcpuFlags::GUEST`];
    /// what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetVcpus")]
    #[doc(alias = "virDomainSetVcpusFlags")]
    pub fn set_vcpus(&self, number: u32, flags: VcpuFlags) -> Operation<'static> {
        let known = VcpuFlags::LIVE | VcpuFlags::CONFIG | VcpuFlags::HOTPLUGGABLE;
        let checked = refuse_unknown(flags, known, "esxDomainSetVcpusFlags");
        let spec = VirtualMachineConfigSpec {
            num_cpus: Some(i32::try_from(number).unwrap_or(i32::MAX)),
            cpu_hot_add_enabled: flags.contains(VcpuFlags::HOTPLUGGABLE).then_some(true),
            ..VirtualMachineConfigSpec::default()
        };
        let change = self.reconfigure(spec, move |found: &Number| {
            u32::try_from(found.cpus) == Ok(number)
        });
        let change = live(change, flags.contains(VcpuFlags::LIVE));
        let domain = self.clone();
        let could_not = format!("Could not set number of virtual CPUs to {number}");
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                checked?;
                if number == 0 {
                    let message = "Requested number of virtual CPUs must at least be 1";
                    return Err(invalid(message));
                }
                let max = runner.prepare(domain.max_vcpus()).await?;
                if number > max {
                    return Err(invalid(format!(
                        "Requested number of virtual CPUs is greater than max allowable number of virtual CPUs for the \
                         domain: {number} > {max}"
                    )));
                }
                runner.perform(change).await.map_err(no_hot_add)
            })
        })
    }

    /// What is known of each virtual processor, and the host's processors that each may run on. The host does not tell on
    /// which one it runs, or how much time it has used. One request.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not tell the numbers of processors.
    #[doc(alias = "virDomainGetVcpus")]
    pub async fn vcpu_info(&self) -> Result<(Vec<VcpuInfo>, Vec<CpuSet>)> {
        let (found, threads) = self.affinity().await?;
        let state = match found.power_state {
            VirtualMachinePowerState::PoweredOff => VcpuState::Offline,
            _ => VcpuState::Running,
        };
        let info = |number| VcpuInfo {
            number,
            state,
            ..VcpuInfo::default()
        };
        let numbers = 0..u32::try_from(found.cpus).unwrap_or(0);
        Ok((numbers.map(info).collect(), found.maps(threads)))
    }

    /// The host's processors that each virtual processor may run on: the same for all of a domain. One request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::Argument`];
    /// [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetVcpuPinInfo")]
    pub async fn vcpu_pin_info(&self, flags: ModificationImpact) -> Result<Vec<CpuSet>> {
        check_impact(flags, "esxDomainGetVcpuPinInfo")?;
        let (found, threads) = self.affinity().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        Ok(found.maps(threads))
    }

    /// Restricts a virtual processor to processors of the host; all of them lift the restriction.
    ///
    /// A virtual machine has one set for all its virtual processors. So only the processor of a domain with one can be
    /// pinned; [`pin_vcpus`](Domain::pin_vcpus) pins all of a domain.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if there is no such processor, here or at the host, or if there are others;
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`];
    /// [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may end with.
    #[doc(alias = "virDomainPinVcpu")]
    #[doc(alias = "virDomainPinVcpuFlags")]
    pub fn pin_vcpu(
        &self,
        vcpu: u32,
        cpus: &CpuSet,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        self.pin(Some(vcpu), cpus, flags)
    }

    /// Restricts all virtual processors to processors of the host; all of them lift the restriction. (libvirt has no such
    /// function.)
    ///
    /// # Errors
    /// As [`pin_vcpu`](Domain::pin_vcpu).
    pub fn pin_vcpus(&self, cpus: &CpuSet, flags: ModificationImpact) -> Operation<'static> {
        self.pin(None, cpus, flags)
    }

    fn pin(
        &self,
        vcpu: Option<u32>,
        cpus: &CpuSet,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        let (domain, cpus) = (self.clone(), cpus.clone());
        Operation::new("Could not pin virtual CPUs", move |mut runner| {
            Box::pin(async move {
                known_impact(flags, "esxDomainPinVcpuFlags")?;
                let (found, threads) = runner.prepare(domain.affinity()).await?;
                if let Some(vcpu) = vcpu {
                    check_alone(vcpu, found.cpus)?;
                }
                let all: CpuSet = (0..threads).collect();
                let wanted = match cpus {
                    cpus if cpus == all => CpuSet::default(),
                    cpus => cpus,
                };
                if let Some(other) = wanted.iter().find(|cpu| *cpu >= threads) {
                    let message = format!("the host has no processor {other}: it has {threads}");
                    return Err(invalid(message));
                }
                let affinity = VirtualMachineAffinityInfo {
                    affinity_set: numbers(&wanted),
                    ..VirtualMachineAffinityInfo::default()
                };
                let spec = VirtualMachineConfigSpec {
                    cpu_affinity: Some(affinity.into()),
                    ..VirtualMachineConfigSpec::default()
                };
                let change = domain.reconfigure(spec, move |found: &Affinity| {
                    set_of(found.affinity.as_ref()) == wanted
                });
                let is_live = flags.contains(ModificationImpact::LIVE);
                runner.perform(live(change, is_live)).await
            })
        })
    }

    /// The processors' number and affinity, and the host's number of processors, by one request.
    async fn affinity(&self) -> Result<(Affinity, u32)> {
        let objects = [
            self.moref.clone(),
            self.connect.host_system().await?.clone(),
        ];
        let request = Retrieve::from_each(objects)
            .set::<Affinity>()
            .set::<Threads>();
        let found = match self.connect.client().retrieve(&request).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Err(no_domain_with_uuid(self.uuid)),
            Err(error) => return Err(error.into()),
        };
        let (mut affinity, mut threads) = (None, 0);
        for mut properties in found {
            use vi_client::retrieve::PropertySet as _;
            if properties.object == self.moref {
                let read = Affinity::from_properties(&mut properties);
                affinity = Some(read.map_err(Error::missing_property)?);
            } else {
                let read = Threads::from_properties(&mut properties);
                let read = read.map_err(Error::missing_property)?;
                threads = u32::try_from(read.threads).unwrap_or(0);
            }
        }
        let affinity = affinity.ok_or_else(|| no_domain_with_uuid(self.uuid))?;
        Ok((affinity, threads))
    }
}

impl Affinity {
    /// The host's processors, of which there are `threads`, that each virtual one may run on.
    fn maps(&self, threads: u32) -> Vec<CpuSet> {
        let own = set_of(self.affinity.as_ref());
        let map = match own.is_empty() {
            true => (0..threads).collect(),
            false => own,
        };
        vec![map; usize::try_from(self.cpus).unwrap_or(0)]
    }
}

/// The numbers of an affinity. None are no restriction.
pub(super) fn set_of(affinity: Option<&VirtualMachineAffinityInfo>) -> CpuSet {
    let numbers = affinity.map(|affinity| affinity.affinity_set.as_slice());
    let numbers = numbers.unwrap_or_default().iter();
    numbers.filter_map(|cpu| u32::try_from(*cpu).ok()).collect()
}

/// The numbers as an affinity has them.
pub(super) fn numbers(set: &CpuSet) -> Vec<i32> {
    set.iter()
        .filter_map(|number| i32::try_from(number).ok())
        .collect()
}

/// Refuses to pin one of several virtual processors.
fn check_alone(vcpu: u32, cpus: i32) -> Result<()> {
    if i64::from(vcpu) >= i64::from(cpus) {
        // libvirt's text (virDomainDriverPinVcpu and others).
        return Err(invalid(format!(
            "requested vcpu '{vcpu}' is not present in the domain"
        )));
    }
    if cpus == 1 {
        return Ok(());
    }
    let message = "ESX pins all virtual CPUs of a domain together";
    Err(Error::new(
        ErrorKind::Argument,
        ErrorNumber::ArgumentUnsupported,
        message,
    ))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message)
}

/// Adds advice if the host refused to change a machine that is not off.
fn no_hot_add(error: Error) -> Error {
    match is_of_state(&error, "CpuHotPlugNotSupported") {
        true => error.advise(
            "stop it first; a running domain gets virtual CPUs only if CPU hot-add was enabled while it was off",
        ),
        false => error,
    }
}
