use esx_driver::{
    Connect, DomainStatsRecord, ErrorKind,
    virt_model::{
        ErrorNumber, ParamValue, StatsFlags, StatsTypes,
        domain::{DomainMemoryStat, MemoryStatTag},
    },
};
use esx_sim::Simulator;
use vi_types::{
    enums::{VirtualMachineConnectionState, VirtualMachinePowerState},
    objects::{
        VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualMachineQuickStats,
        VirtualMachineSummary,
    },
    properties::VirtualMachine,
};

use super::blocks::lay_out;
use crate::{host, methods, open, text};

/// `field=value` of each.
fn shown(record: &DomainStatsRecord) -> Vec<String> {
    let params = record.params.iter();
    params
        .map(|param| format!("{}={}", param.field, param.value))
        .collect()
}

fn measure(simulator: &Simulator, name: &str, quick_stats: VirtualMachineQuickStats) {
    simulator.change(&simulator.vm(name).unwrap(), |vm: &mut VirtualMachine| {
        let summary: &mut VirtualMachineSummary = vm.summary.as_mut().unwrap();
        summary.quick_stats = quick_stats;
    });
}

fn measurements() -> VirtualMachineQuickStats {
    VirtualMachineQuickStats {
        overall_cpu_usage: Some(71),
        guest_memory_usage: Some(1024),
        host_memory_usage: Some(2048),
        ballooned_memory: Some(96),
        compressed_memory: Some(7),
        uptime_seconds: Some(3600),
        ..VirtualMachineQuickStats::default()
    }
}

async fn stats_of(connect: &Connect, name: &str, stats: StatsTypes) -> Vec<String> {
    let domain = connect.lookup_by_name(name).await.unwrap();
    let records = connect
        .domain_list_stats(&[domain], stats, StatsFlags::NONE)
        .await;
    shown(&records.unwrap()[0])
}

#[tokio::test]
async fn all_statistics_of_all_domains_take_one_request() {
    let (simulator, connect) = host().await;
    let stats = connect
        .all_domain_stats(StatsTypes::NONE, StatsFlags::NONE)
        .await;
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let stats = stats.unwrap();
    let names: Vec<_> = stats.iter().map(|record| record.domain.name()).collect();
    let expected = [
        "web01",
        "db01",
        "files",
        "router",
        "desktop",
        "build/ci",
        "installer",
    ];
    assert_eq!(names, expected);
    for record in &stats {
        let state = record
            .params
            .iter()
            .find(|param| param.field == "state.state");
        assert!(matches!(state.unwrap().value, ParamValue::Int(1 | 3 | 5)));
    }
}

#[tokio::test]
async fn a_server_that_answers_in_pages() {
    let simulator = Simulator::esx().vms(25).page_size(10).build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    simulator.clear_requests();
    let stats = connect
        .all_domain_stats(StatsTypes::STATE, StatsFlags::NONE)
        .await;
    assert_eq!(stats.unwrap().len(), 25);
    let expected = [
        "RetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), expected);
}

#[tokio::test]
async fn what_the_host_measures() {
    let (simulator, connect) = host().await;
    measure(&simulator, "web01", measurements());
    let expected = [
        "balloon.current=4096000",
        "balloon.maximum=4194304",
        "balloon.rss=2097152",
    ];
    assert_eq!(
        stats_of(&connect, "web01", StatsTypes::BALLOON).await,
        expected
    );
    let expected = [
        "vm.overallCpuUsage.cur=71",
        "vm.guestMemoryUsage.cur=1024",
        "vm.hostMemoryUsage.cur=2048",
        "vm.balloonedMemory.cur=96",
        "vm.compressedMemory.cur=7",
        "vm.uptimeSeconds.cur=3600",
    ];
    assert_eq!(stats_of(&connect, "web01", StatsTypes::VM).await, expected);
}

/// Old numbers of a machine that is off, or of a host that the vCenter has lost, and numbers that are not there.
#[tokio::test]
async fn what_is_not_measured_is_left_out() {
    let (simulator, connect) = host().await;
    let both = StatsTypes::BALLOON | StatsTypes::VM;
    measure(&simulator, "web01", VirtualMachineQuickStats::default());
    let maximum = ["balloon.maximum=4194304"];
    assert_eq!(stats_of(&connect, "web01", both).await, maximum);

    measure(&simulator, "web01", measurements());
    let web = simulator.vm("web01").unwrap();
    simulator.change(&web, |vm: &mut VirtualMachine| {
        let runtime = vm.runtime.as_mut().unwrap();
        runtime.connection_state = VirtualMachineConnectionState::Disconnected;
    });
    assert_eq!(stats_of(&connect, "web01", both).await, maximum);

    simulator.set_power_state(&web, VirtualMachinePowerState::PoweredOff);
    measure(&simulator, "web01", measurements());
    let expected = ["balloon.current=4194304", "balloon.maximum=4194304"];
    assert_eq!(stats_of(&connect, "web01", both).await, expected);
    simulator.set_power_state(&web, VirtualMachinePowerState::Suspended);
    measure(&simulator, "web01", measurements());
    assert_eq!(stats_of(&connect, "web01", both).await, maximum);
}

#[tokio::test]
async fn a_configuration_that_may_not_be_read() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.set_unreadable("VirtualMachine", "config.hardware");
    let stats = connect
        .domain_list_stats(&[domain], StatsTypes::NONE, StatsFlags::NONE)
        .await;
    let shown = shown(&stats.unwrap()[0]);
    assert!(
        shown.iter().all(|stat| !stat.starts_with("net.")),
        "{shown:?}"
    );
    assert!(
        shown.iter().all(|stat| !stat.starts_with("vcpu.")),
        "{shown:?}"
    );
    assert!(shown.contains(&"state.state=1".to_owned()), "{shown:?}");
}

#[tokio::test]
async fn processors_interfaces_and_disks() {
    let (simulator, connect) = host().await;
    assert_eq!(
        stats_of(&connect, "db01", StatsTypes::VCPU | StatsTypes::STATE).await,
        [
            "state.state=1",
            "state.reason=0",
            "vcpu.current=8",
            "vcpu.maximum=8"
        ]
    );
    assert_eq!(
        stats_of(&connect, "db01", StatsTypes::INTERFACE).await,
        [
            "net.count=2",
            "net.0.name=00:0c:29:00:00:02",
            "net.1.name=00:0c:29:01:00:02"
        ]
    );
    lay_out(&simulator, &simulator.vm("installer").unwrap(), &[(1, 2)]);
    assert_eq!(
        stats_of(&connect, "installer", StatsTypes::BLOCK).await,
        [
            "block.count=2",
            "block.0.name=sda",
            "block.0.path=[ssd] installer/installer.vmdk",
            "block.0.allocation=3",
            "block.0.capacity=17179869184",
            "block.0.physical=3",
            "block.1.name=sda",
            "block.1.path=[ssd] iso/netinst.iso",
        ]
    );
}

#[tokio::test]
async fn images_below_a_disk() {
    let (simulator, connect) = host().await;
    let web = simulator.vm("web01").unwrap();
    lay_out(&simulator, &web, &[(1, 10), (1, 20)]);
    simulator.change(&web, |vm: &mut VirtualMachine| {
        let devices = &mut vm.config.as_mut().unwrap().hardware.device;
        let mut disks = devices
            .iter_mut()
            .filter_map(|device| device.cast_mut::<VirtualDisk>());
        let file = |name: &str| {
            let mut backing = VirtualDiskFlatVer2BackingInfo::default();
            backing.base.file_name = name.to_owned();
            backing
        };
        let mut newest = file("[ssd] web01/web01-000001.vmdk");
        newest.parent = Some(file("[ssd] web01/web01.vmdk").into());
        disks.next().unwrap().base.backing = Some(newest.into());
    });
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let stats = connect
        .domain_list_stats(&[domain], StatsTypes::BLOCK, StatsFlags::BACKING)
        .await;
    assert_eq!(
        shown(&stats.unwrap()[0])[..],
        [
            "block.count=2",
            "block.0.name=sda",
            "block.0.path=[ssd] web01/web01-000001.vmdk",
            "block.0.allocation=21",
            "block.0.capacity=34359738368",
            "block.0.physical=21",
            "block.1.name=sda",
            "block.1.path=[ssd] web01/web01.vmdk",
            "block.1.backingIndex=1",
            "block.1.allocation=11",
            "block.1.physical=11",
        ]
    );
}

#[tokio::test]
async fn filters_are_those_of_lists() {
    let (_, connect) = host().await;
    for (flags, expected) in [
        (StatsFlags::NONE, 7),
        (StatsFlags::ACTIVE, 5),
        (StatsFlags::RUNNING, 4),
        (StatsFlags::PAUSED, 1),
        (StatsFlags::INACTIVE, 2),
        (StatsFlags::SHUTOFF | StatsFlags::PAUSED, 3),
        (StatsFlags::OTHER, 0),
        (StatsFlags::ACTIVE | StatsFlags::SHUTOFF, 0),
        (StatsFlags::PERSISTENT | StatsFlags::NOWAIT, 7),
        (StatsFlags::TRANSIENT, 0),
    ] {
        let stats = connect.all_domain_stats(StatsTypes::STATE, flags).await;
        assert_eq!(stats.unwrap().len(), expected, "{flags:?}");
    }
    let unknown = StatsFlags::from_bits(1 << 20);
    assert_eq!(
        text(connect.all_domain_stats(StatsTypes::NONE, unknown).await),
        "unsupported flags (0x100000) in function esxConnectGetAllDomainStats"
    );
}

#[tokio::test]
async fn statistics_that_there_are_not() {
    let (_, connect) = host().await;
    let missing = StatsTypes::STATE | StatsTypes::CPU_TOTAL | StatsTypes::PERF;
    let stats = connect
        .all_domain_stats(missing, StatsFlags::NONE)
        .await
        .unwrap();
    assert_eq!(shown(&stats[0]), ["state.state=1", "state.reason=0"]);
    let error = connect
        .all_domain_stats(missing, StatsFlags::ENFORCE_STATS)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Argument, ErrorNumber::ArgumentUnsupported)
    );
    assert_eq!(
        error.to_string(),
        "argument unsupported: Stats types bits 0x42 are not supported by this daemon"
    );
}

#[tokio::test]
async fn some_domains_in_one_request() {
    let (simulator, connect) = host().await;
    let mut domains = Vec::new();
    for name in ["router", "web01", "router"] {
        domains.push(connect.lookup_by_name(name).await.unwrap());
    }
    simulator.clear_requests();
    let (stats, flags) = (StatsTypes::STATE, StatsFlags::NONE);
    let found = connect
        .domain_list_stats(&domains, stats, flags)
        .await
        .unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let names: Vec<_> = found.iter().map(|record| record.domain.name()).collect();
    assert_eq!(names, ["router", "web01", "router"]);
    // One that is gone does not hinder the others.
    assert!(simulator.remove_vm(domains[1].moref()));
    let found = connect
        .domain_list_stats(&domains, stats, flags)
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
    assert!(
        connect
            .domain_list_stats(&[], stats, flags)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn memory() {
    let (simulator, connect) = host().await;
    measure(&simulator, "web01", measurements());
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    let stat = |tag, val| DomainMemoryStat { tag, val };
    assert_eq!(
        domain.memory_stats().await.unwrap(),
        [
            stat(MemoryStatTag::ActualBalloon, 4_096_000),
            stat(MemoryStatTag::Rss, 2 << 20)
        ]
    );
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    simulator.set_power_state(domain.moref(), VirtualMachinePowerState::Suspended);
    assert_eq!(domain.memory_stats().await.unwrap(), []);
    simulator.set_power_state(domain.moref(), VirtualMachinePowerState::PoweredOff);
    assert_eq!(
        text(domain.memory_stats().await),
        "Requested operation is not valid: domain is not running"
    );
    assert!(simulator.remove_vm(domain.moref()));
    let gone = domain.memory_stats().await.unwrap_err();
    assert_eq!(gone.code(), ErrorNumber::NoDomain);
}
