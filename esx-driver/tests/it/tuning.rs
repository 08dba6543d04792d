//! Memory, virtual processors and the scheduler; what the guest reports.

use esx_driver::{
    Connect, Domain, Error, ErrorKind, Operation,
    virt_model::{
        CpuSet, TypedParam,
        domain::{
            DomainInterface, DomainIpAddress, InterfaceAddressesSource, MemoryParameters,
            SchedulerParameters, VcpuState,
        },
        flags::{HostnameFlags, MemoryModFlags, ModificationImpact, VcpuFlags},
    },
};
use esx_sim::{Effect, Rule, Simulator};
use vi_types::{
    ManagedObjectReference,
    enums::{
        SharesLevel,
        VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    },
    objects::VirtualMachineConfigInfo,
    properties::VirtualMachine,
};

use crate::{host, methods, text};

/// A domain in that power state.
async fn domain(state: VirtualMachinePowerState) -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, state);
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

fn config(simulator: &Simulator, moref: &ManagedObjectReference) -> VirtualMachineConfigInfo {
    let vm: VirtualMachine = simulator.properties(moref).unwrap();
    *vm.config.unwrap()
}

fn change(
    simulator: &Simulator,
    domain: &Domain,
    change: impl FnOnce(&mut VirtualMachineConfigInfo),
) {
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        change(vm.config.as_mut().unwrap());
    });
}

/// The requests that change something: one read of the machine, then the task.
const TASK: [&str; 2] = ["RetrievePropertiesEx", "ReconfigVM_Task"];

/// Each flag for the running domain or its next start.
const IMPACTS: [ModificationImpact; 4] = [
    ModificationImpact::NONE,
    ModificationImpact::LIVE,
    ModificationImpact::CONFIG,
    ModificationImpact::from_bits(3),
];

const NOT_RUNNING: &str = "Requested operation is not valid: domain is not running";

const EXCLUSIVE: &str =
    "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive";

#[tokio::test]
async fn max_memory_is_rounded_up_to_four_mebibytes() {
    for (kib, mib) in [(1 << 20, 1024), (1, 4), (4097, 8), (1_048_577, 1028)] {
        let (simulator, domain) = domain(PoweredOff).await;
        domain.set_max_memory(kib).await.unwrap();
        assert_eq!(methods(&simulator)[..2], TASK);
        assert_eq!(config(&simulator, domain.moref()).hardware.memory_mb, mib);
        assert_eq!(
            domain.max_memory().await.unwrap(),
            u64::try_from(mib).unwrap() * 1024
        );
    }
}

#[tokio::test]
async fn max_memory_of_a_running_domain_needs_hot_add() {
    let (simulator, domain) = domain(PoweredOn).await;
    let error = domain.set_max_memory(8 << 20).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: Domain is not powered off"
    );
    assert!(error.advice().unwrap().contains("hot-add"), "{error:?}");
    change(&simulator, &domain, |config| {
        config.memory_hot_add_enabled = Some(true);
    });
    domain.set_max_memory(8 << 20).await.unwrap();
    let flags = MemoryModFlags::LIVE | MemoryModFlags::MAXIMUM;
    domain.set_memory(9 << 20, flags).await.unwrap();
    assert_eq!(domain.max_memory().await.unwrap(), 9 << 20);
}

#[tokio::test]
async fn memory_is_a_limit_in_any_state() {
    for state in [PoweredOff, PoweredOn, Suspended] {
        let (simulator, domain) = domain(state).await;
        let set = domain.set_memory(1_000_001, MemoryModFlags::NONE).await;
        if domain.state().await.unwrap().0 == esx_driver::virt_model::DomainState::Paused
            && set.is_err()
        {
            // Whether a host reconfigures a suspended machine is its own business.
            continue;
        }
        set.unwrap();
        let allocation = config(&simulator, domain.moref()).memory_allocation;
        assert_eq!(allocation.unwrap().limit, Some(977));
        assert_eq!(domain.info().await.unwrap().memory, 977 * 1024);
    }
}

#[tokio::test]
async fn memory_of_the_running_domain_and_of_its_next_start_are_one() {
    for bits in 0..4 {
        let flags = MemoryModFlags::from_bits(bits);
        let (_, on) = domain(PoweredOn).await;
        on.set_memory(1 << 20, flags).await.unwrap();
        let (simulator, off) = domain(PoweredOff).await;
        let set = off.set_memory(1 << 20, flags).await;
        match flags.contains(MemoryModFlags::LIVE) {
            false => set.unwrap(),
            true => {
                assert_eq!(text(set), NOT_RUNNING);
                assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
            }
        }
    }
}

#[tokio::test]
async fn no_memory_and_unknown_flags_are_refused_at_once() {
    let (simulator, domain) = domain(PoweredOn).await;
    let set = domain.set_memory(0, MemoryModFlags::NONE).await;
    assert_eq!(
        text(set),
        "memory in virDomainSetMemoryFlags must not be zero"
    );
    let set = domain.set_max_memory(0).await;
    assert_eq!(
        text(set),
        "memory in virDomainSetMaxMemory must not be zero"
    );
    let set = domain.set_memory(1, MemoryModFlags::from_bits(0x18)).await;
    assert_eq!(
        text(set),
        "unsupported flags (0x18) in function esxDomainSetMemoryFlags"
    );
    assert!(methods(&simulator).is_empty());
}

#[tokio::test]
async fn memory_parameters_have_the_guaranteed_minimum() {
    let (simulator, domain) = domain(PoweredOn).await;
    for impact in IMPACTS {
        let parameters = MemoryParameters {
            min_guarantee: Some(1025),
            ..MemoryParameters::default()
        };
        domain
            .set_memory_parameters(&parameters, impact)
            .await
            .unwrap();
        let allocation = config(&simulator, domain.moref()).memory_allocation;
        assert_eq!(allocation.unwrap().reservation, Some(2));
    }
    simulator.clear_requests();
    let found = domain.memory_parameters(ModificationImpact::NONE).await;
    let expected = MemoryParameters {
        min_guarantee: Some(2048),
        ..MemoryParameters::default()
    };
    assert_eq!(found.unwrap(), expected);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    change(&simulator, &domain, |config| {
        config.memory_allocation = None
    });
    assert_eq!(
        text(domain.memory_parameters(ModificationImpact::NONE).await),
        "internal error: Missing 'config.memoryAllocation.reservation' property"
    );
}

#[tokio::test]
async fn other_memory_parameters_are_refused() {
    let (simulator, domain) = domain(PoweredOn).await;
    let parameters = MemoryParameters {
        soft_limit: Some(1),
        min_guarantee: Some(1),
        ..MemoryParameters::default()
    };
    let set = domain.set_memory_parameters(&parameters, ModificationImpact::NONE);
    assert_eq!(
        text(set.await),
        "argument unsupported: parameter 'soft_limit' not supported"
    );
    assert!(methods(&simulator).is_empty());
}

#[tokio::test]
async fn reading_of_the_running_domain_needs_one() {
    let (simulator, off) = domain(PoweredOff).await;
    let live = ModificationImpact::LIVE;
    assert_eq!(text(off.memory_parameters(live).await), NOT_RUNNING);
    assert_eq!(text(off.scheduler_parameters(live).await), NOT_RUNNING);
    assert_eq!(text(off.vcpu_pin_info(live).await), NOT_RUNNING);
    assert_eq!(text(off.vcpus(VcpuFlags::LIVE).await), NOT_RUNNING);
    assert_eq!(methods(&simulator).len(), 4);
    let both = ModificationImpact::from_bits(3);
    assert_eq!(text(off.memory_parameters(both).await), EXCLUSIVE);
    assert_eq!(text(off.scheduler_parameters(both).await), EXCLUSIVE);
    assert_eq!(text(off.vcpu_pin_info(both).await), EXCLUSIVE);
    assert_eq!(text(off.vcpus(VcpuFlags::from_bits(3)).await), EXCLUSIVE);
    assert_eq!(methods(&simulator).len(), 4);
}

#[tokio::test]
async fn scheduler_parameters_change_what_is_given() {
    let (simulator, domain) = domain(PoweredOn).await;
    assert_eq!(domain.scheduler_type(), ("allocation", 3));
    let read = || domain.scheduler_parameters(ModificationImpact::NONE);
    let before = read().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert!(before.reservation.is_some() && before.limit.is_some() && before.shares.is_some());

    let reservation = SchedulerParameters {
        reservation: Some(500),
        ..SchedulerParameters::default()
    };
    simulator.clear_requests();
    let set = domain.set_scheduler_parameters(&reservation, ModificationImpact::NONE);
    set.await.unwrap();
    assert_eq!(methods(&simulator)[..2], TASK);
    let expected = SchedulerParameters {
        reservation: Some(500),
        ..before
    };
    assert_eq!(read().await.unwrap(), expected);

    for (shares, level) in [
        (-1, SharesLevel::Low),
        (-2, SharesLevel::Normal),
        (-3, SharesLevel::High),
        (0, SharesLevel::Custom),
        (1234, SharesLevel::Custom),
    ] {
        let parameters = SchedulerParameters {
            limit: Some(-1),
            shares: Some(shares),
            ..SchedulerParameters::default()
        };
        let set = domain.set_scheduler_parameters(&parameters, ModificationImpact::LIVE);
        set.await.unwrap();
        let expected = SchedulerParameters {
            reservation: Some(500),
            ..parameters
        };
        assert_eq!(read().await.unwrap(), expected);
        let allocation = config(&simulator, domain.moref()).cpu_allocation.unwrap();
        assert_eq!(allocation.shares.as_ref().unwrap().level, level);
    }
}

#[tokio::test]
async fn scheduler_parameters_are_in_range() {
    let (simulator, domain) = domain(PoweredOn).await;
    let parameters = |reservation, limit, shares| SchedulerParameters {
        reservation,
        limit,
        shares,
        ..SchedulerParameters::default()
    };
    for (parameters, expected) in [
        (
            parameters(Some(-1), None, None),
            "invalid argument: Could not set reservation to -1 MHz, expecting positive value",
        ),
        (
            parameters(Some(0), Some(-2), None),
            "invalid argument: Could not set limit to -2 MHz, expecting positive value or -1 (unlimited)",
        ),
        (
            parameters(Some(0), Some(-1), Some(-4)),
            "invalid argument: Could not set shares to -4, expecting positive value or -1 (low), -2 (normal) or -3 (high)",
        ),
    ] {
        let set = domain.set_scheduler_parameters(&parameters, ModificationImpact::NONE);
        assert_eq!(text(set.await), expected);
    }
    assert!(methods(&simulator).is_empty());
}

#[tokio::test]
async fn shares_of_an_unknown_level() {
    let (simulator, domain) = domain(PoweredOn).await;
    change(&simulator, &domain, |config| {
        let allocation = config.cpu_allocation.as_mut().unwrap();
        let shares = allocation.shares.as_mut().unwrap();
        shares.level = SharesLevel::Unrecognized("huge".to_owned());
    });
    assert_eq!(
        text(domain.scheduler_parameters(ModificationImpact::NONE).await),
        "internal error: Shares level has unknown value huge"
    );
}

#[tokio::test]
async fn the_number_of_vcpus_is_the_domains_own() {
    let (simulator, domain) = domain(PoweredOn).await;
    for flags in [VcpuFlags::NONE, VcpuFlags::LIVE, VcpuFlags::CONFIG] {
        simulator.clear_requests();
        assert_eq!(domain.vcpus(flags).await.unwrap(), 2);
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
        let max = domain.vcpus(flags | VcpuFlags::MAXIMUM).await.unwrap();
        assert_eq!(max, domain.max_vcpus().await.unwrap());
    }
    assert_eq!(
        text(domain.vcpus(VcpuFlags::GUEST).await),
        "unsupported flags (0x8) in function esxDomainGetVcpusFlags"
    );
}

#[tokio::test]
async fn vcpus_of_a_domain_that_is_off() {
    let (simulator, domain) = domain(PoweredOff).await;
    domain.set_vcpus(4, VcpuFlags::CONFIG).await.unwrap();
    // The host's maximum comes first.
    assert_eq!(methods(&simulator)[1..3], TASK);
    assert_eq!(domain.info().await.unwrap().nr_virt_cpu, 4);
    assert_eq!(
        text(domain.set_vcpus(1, VcpuFlags::LIVE).await),
        NOT_RUNNING
    );
    for (number, flags, expected) in [
        (
            0,
            VcpuFlags::NONE,
            "invalid argument: Requested number of virtual CPUs must at least be 1".to_owned(),
        ),
        (
            100_000,
            VcpuFlags::NONE,
            format!(
                "invalid argument: Requested number of virtual CPUs is greater than max allowable number of virtual CPUs \
                 for the domain: 100000 > {}",
                domain.max_vcpus().await.unwrap()
            ),
        ),
        (
            1,
            VcpuFlags::MAXIMUM | VcpuFlags::GUEST,
            "unsupported flags (0xc) in function esxDomainSetVcpusFlags".to_owned(),
        ),
    ] {
        assert_eq!(text(domain.set_vcpus(number, flags).await), expected);
    }
}

#[tokio::test]
async fn vcpus_of_a_running_domain_need_hot_add() {
    let (_, running) = domain(PoweredOn).await;
    let error = running.set_vcpus(4, VcpuFlags::LIVE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert!(
        error
            .to_string()
            .starts_with("internal error: Could not set number of virtual CPUs to 4: ")
    );
    assert!(error.advice().unwrap().contains("hot-add"), "{error:?}");

    let (simulator, domain) = domain(PoweredOff).await;
    domain.set_vcpus(2, VcpuFlags::HOTPLUGGABLE).await.unwrap();
    simulator.set_power_state(domain.moref(), PoweredOn);
    domain.set_vcpus(4, VcpuFlags::LIVE).await.unwrap();
    assert_eq!(domain.vcpus(VcpuFlags::LIVE).await.unwrap(), 4);
}

fn set(text: &str) -> CpuSet {
    text.parse().unwrap()
}

#[tokio::test]
async fn virtual_processors_are_pinned_together() {
    let (simulator, domain) = domain(PoweredOn).await;
    let connect: &Connect = domain.connect();
    let node = connect.node_info().await.unwrap();
    let all: CpuSet = (0..node.cpus * node.threads).collect();
    simulator.clear_requests();
    let none = ModificationImpact::NONE;
    assert_eq!(
        domain.vcpu_pin_info(none).await.unwrap(),
        [all.clone(), all.clone()]
    );
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);

    let error = domain.pin_vcpu(1, &set("0-3"), none).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument unsupported: ESX pins all virtual CPUs of a domain together"
    );
    domain.pin_vcpus(&set("0-3"), none).await.unwrap();
    assert_eq!(
        domain.vcpu_pin_info(none).await.unwrap(),
        [set("0-3"), set("0-3")]
    );
    let affinity = config(&simulator, domain.moref()).cpu_affinity.unwrap();
    assert_eq!(affinity.affinity_set, [0, 1, 2, 3]);
    let (infos, maps) = domain.vcpu_info().await.unwrap();
    assert_eq!(maps, [set("0-3"), set("0-3")]);
    let told = infos
        .iter()
        .map(|info| (info.number, info.state, info.cpu, info.cpu_time));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (0, VcpuState::Running, None, 0),
            (1, VcpuState::Running, None, 0)
        ]
    );
    domain.pin_vcpus(&all, none).await.unwrap();
    assert_eq!(
        domain.vcpu_pin_info(none).await.unwrap(),
        [all.clone(), all]
    );
}

#[tokio::test]
async fn one_virtual_processor_is_pinned_alone() {
    let (simulator, domain) = domain(PoweredOff).await;
    change(&simulator, &domain, |config| config.hardware.num_cpu = 1);
    let none = ModificationImpact::NONE;
    domain
        .pin_vcpu(0, &set("2"), ModificationImpact::CONFIG)
        .await
        .unwrap();
    assert_eq!(methods(&simulator)[1..3], TASK);
    assert_eq!(domain.vcpu_pin_info(none).await.unwrap(), [set("2")]);
    let live = domain
        .pin_vcpu(0, &set("2"), ModificationImpact::LIVE)
        .await;
    assert_eq!(text(live), NOT_RUNNING);
    assert_eq!(
        text(domain.pin_vcpu(1, &set("2"), none).await),
        "invalid argument: requested vcpu '1' is not present in the domain"
    );
    assert_eq!(
        text(domain.pin_vcpu(0, &set("2,64"), none).await),
        "invalid argument: the host has no processor 64: it has 32"
    );
    assert_eq!(
        domain.vcpu_info().await.unwrap().0[0].state,
        VcpuState::Offline
    );
}

#[tokio::test]
async fn the_guests_name() {
    let (simulator, domain) = domain(PoweredOn).await;
    for flags in [HostnameFlags::NONE, HostnameFlags::AGENT] {
        simulator.clear_requests();
        assert_eq!(domain.hostname(flags).await.unwrap(), "web01.example.com");
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    }
    assert_eq!(
        text(domain.hostname(HostnameFlags::LEASE).await),
        "unsupported flags (0x1) in function esxDomainGetHostname"
    );
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.guest.as_mut().unwrap().host_name = None;
    });
    let error = domain.hostname(HostnameFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoTools);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: hostName field not available (missing VMware Tools?)"
    );
    simulator.set_power_state(domain.moref(), PoweredOff);
    assert_eq!(text(domain.hostname(HostnameFlags::NONE).await), NOT_ON);
}

const NOT_ON: &str = "Requested operation is not valid: Domain is not powered on";

#[tokio::test]
async fn the_guests_addresses() {
    let (simulator, domain) = domain(PoweredOn).await;
    let agent = InterfaceAddressesSource::Agent;
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let net = &mut vm.guest.as_mut().unwrap().net;
        let with = net[0].clone();
        let mut without = with.clone();
        without.ip_config = None;
        without.ip_address = vec![
            "10.0.0.9".to_owned(),
            "unknown".to_owned(),
            "fe80::9".to_owned(),
        ];
        let mut silent = without.clone();
        silent.ip_address.clear();
        let mut apart = with.clone();
        apart.connected = false;
        let mut nameless = with.clone();
        nameless.network = None;
        *net = vec![with, without, silent, apart, nameless];
    });
    let found = domain.interface_addresses(agent).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let address = |text: &str, prefix| DomainIpAddress {
        addr: text.parse().unwrap(),
        prefix,
    };
    let [with, without, silent] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(with.name, "VM Network");
    assert!(with.hwaddr.is_some() && with.addrs.iter().all(|one| one.prefix > 0));
    let expected = [address("10.0.0.9", 0), address("fe80::9", 0)];
    assert_eq!(without.addrs, expected);
    let expected = DomainInterface {
        addrs: Vec::new(),
        ..without.clone()
    };
    assert_eq!(*silent, expected);
    let of_lease = domain
        .interface_addresses(InterfaceAddressesSource::Lease)
        .await;
    assert_eq!(
        text(of_lease),
        "argument unsupported: Unknown IP address data source 0"
    );
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.guest.as_mut().unwrap().net.clear();
    });
    let error = domain.interface_addresses(agent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoTools);
    assert_eq!(
        error.to_string(),
        "internal error: Missing property 'guest.net' in answer"
    );
    simulator.set_power_state(domain.moref(), Suspended);
    assert_eq!(text(domain.interface_addresses(agent).await), NOT_ON);
}

#[tokio::test]
async fn the_uuid_that_the_guest_sees() {
    let (simulator, domain) = domain(PoweredOn).await;
    let uuid = domain.smbios_uuid().await.unwrap();
    assert_eq!(uuid.to_string(), config(&simulator, domain.moref()).uuid);
    assert_ne!(uuid, domain.uuid());
}

/// An operation of these on a domain.
type Change = fn(&Domain) -> Operation<'static>;

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_for() {
    let changes: [Change; 6] = [
        |domain| domain.set_max_memory(1 << 20),
        |domain| domain.set_memory(1 << 20, MemoryModFlags::NONE),
        |domain| {
            let parameters = MemoryParameters {
                min_guarantee: Some(7 << 10),
                ..MemoryParameters::default()
            };
            domain.set_memory_parameters(&parameters, ModificationImpact::NONE)
        },
        |domain| {
            let parameters = SchedulerParameters {
                reservation: Some(7),
                limit: Some(4000),
                shares: Some(-3),
                ..SchedulerParameters::default()
            };
            domain.set_scheduler_parameters(&parameters, ModificationImpact::NONE)
        },
        |domain| domain.set_vcpus(4, VcpuFlags::NONE),
        |domain| domain.pin_vcpus(&(0..2).collect(), ModificationImpact::NONE),
    ];
    for change in changes {
        for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
            let (simulator, domain) = domain(PoweredOff).await;
            let before = config(&simulator, domain.moref());
            simulator.inject(Rule::new("ReconfigVM_Task", effect).nth(1));
            let result: Result<(), Error> = change(&domain).await;
            let calls = methods(&simulator);
            let sent = calls.iter().filter(|method| *method == "ReconfigVM_Task");
            assert_eq!(sent.count(), 1, "it is sent once");
            match is_done {
                true => result.unwrap(),
                false => {
                    let error = result.unwrap_err();
                    let is_told = matches!(error.kind(), ErrorKind::NotDone | ErrorKind::InDoubt);
                    assert!(is_told, "{error:?}");
                }
            }
            let after = config(&simulator, domain.moref());
            assert_eq!(after.change_version != before.change_version, is_done);
        }
    }
}

#[tokio::test]
async fn disks_have_weights() {
    let (simulator, domain) = domain(PoweredOn).await;
    let none = ModificationImpact::NONE;
    let weights = |text: &str| [TypedParam::new("device_weight", text)];
    let before = domain.blkio_parameters(none).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(
        before,
        weights(""),
        "the simulator's disks have no shares yet"
    );
    simulator.clear_requests();
    let set = domain.set_blkio_parameters(&weights("sda,500"), ModificationImpact::LIVE);
    set.await.unwrap();
    assert_eq!(methods(&simulator)[1..3], TASK);
    let found = domain.blkio_parameters(none).await.unwrap();
    assert_eq!(found, weights("sda,500"));
    for (params, expected) in [
        (
            weights("sda"),
            "invalid argument: unable to parse blkio device 'device_weight' 'sda'",
        ),
        (
            weights("sda,0"),
            "invalid argument: invalid value '0' for parameter 'device_weight' of device 'sda'",
        ),
        (
            weights("sdz,5"),
            "invalid argument: disk 'sdz' was not found in the domain config",
        ),
        (
            [TypedParam::new("weight", 5_u32)],
            "argument unsupported: parameter 'weight' not supported",
        ),
    ] {
        let set = domain.set_blkio_parameters(&params, none).await;
        assert_eq!(text(set), expected);
    }
}
