//! What the host says about itself.

use esx_driver::{
    ErrorKind,
    virt_model::{Document as _, NodeInfo},
};
use vi_types::properties::HostSystem;

use crate::{host, methods, open, text};

#[tokio::test]
async fn one_request_each() {
    let (simulator, connect) = host().await;
    assert_eq!(connect.hostname().await.unwrap(), "esx.example.com");
    assert_eq!(
        connect.node_info().await.unwrap(),
        NodeInfo {
            model: "Intel Xeon Silver 4314 CPU @ 2.".to_owned(),
            memory: 134_120_964,
            cpus: 16,
            mhz: 2394,
            nodes: 2,
            sockets: 2,
            cores: 8,
            threads: 2,
        }
    );
    assert_eq!(connect.free_memory().await.unwrap() % (1 << 10), 0);
    assert_eq!(connect.max_vcpus(None).await.unwrap(), 128);
    assert_eq!(connect.capabilities().await.unwrap().guests.len(), 2);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 5]);
}

/// Does `ask` after `change` to the host.
async fn changed<T>(
    change: impl FnOnce(&mut HostSystem),
    ask: impl AsyncFnOnce(&esx_driver::Connect) -> T,
) -> T {
    let (simulator, connect) = host().await;
    let host = simulator.objects("HostSystem").remove(0);
    simulator.change(&host, change).unwrap();
    ask(&connect).await
}

#[tokio::test]
async fn a_host_without_a_domain() {
    let name = changed(
        |host| {
            let network = host.config.as_mut().unwrap().network.as_mut().unwrap();
            network.dns_config.as_mut().unwrap().domain_name = String::new();
        },
        async |connect| connect.hostname().await.unwrap(),
    )
    .await;
    assert_eq!(name, "esx");
}

#[tokio::test]
async fn a_host_without_a_name() {
    let result = changed(
        |host| host.config = None,
        async |connect| connect.hostname().await,
    )
    .await;
    assert_eq!(
        text(result),
        "internal error: Missing or empty 'hostName' property"
    );
}

#[tokio::test]
async fn a_host_that_tells_nothing() {
    let error = changed(
        |host| host.hardware = None,
        async |connect| connect.node_info().await.unwrap_err(),
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Property);
    assert_eq!(
        error.to_string(),
        "internal error: Missing 'hardware.cpuInfo.hz' property"
    );
}

#[tokio::test]
async fn a_host_without_numa_nodes() {
    let info = changed(
        |host| host.hardware.as_mut().unwrap().numa_info = None,
        async |connect| connect.node_info().await.unwrap(),
    )
    .await;
    assert_eq!(info.nodes, 0);
}

#[tokio::test]
async fn counts_of_zero_divide_nothing() {
    let info = changed(
        |host| host.hardware.as_mut().unwrap().cpu_info = Default::default(),
        async |connect| connect.node_info().await.unwrap(),
    )
    .await;
    assert_eq!((info.sockets, info.cores, info.threads), (0, 0, 0));
}

#[tokio::test]
async fn a_32_bit_host() {
    let capabilities = changed(
        |host| {
            let hardware = host.hardware.as_mut().unwrap();
            hardware.system_info.uuid = "no uuid".to_owned();
            for feature in &mut hardware.cpu_feature {
                feature.edx = Some("0000:0000:0000:0000:0000:0000:0000:0000".to_owned());
            }
        },
        async |connect| connect.capabilities().await.unwrap(),
    )
    .await;
    assert_eq!(capabilities.host_arch, "i686");
    assert_eq!(capabilities.guests.len(), 1);
    assert!(capabilities.host_uuid.is_nil());
}

#[tokio::test]
async fn a_host_that_says_nothing_of_its_processors() {
    let result = changed(
        |host| host.hardware.as_mut().unwrap().cpu_feature.clear(),
        async |connect| connect.capabilities().await,
    )
    .await;
    assert_eq!(
        text(result),
        "internal error: Missing CPUID leaf 0x80000001 in 'hardware.cpuFeature' property"
    );
}

#[tokio::test]
async fn what_is_used_takes_one_request_each() {
    let (simulator, connect) = host().await;
    let memory = connect.node_memory_stats(-1).await.unwrap();
    assert_eq!(memory.total, Some(134_120_964));
    assert!(memory.free > Some(0) && memory.free < memory.total);
    assert_eq!((memory.buffers, memory.cached), (None, None));
    let cell = connect.node_memory_stats(1).await.unwrap();
    assert_eq!(cell.fields().collect::<Vec<_>>(), [("total", 67_060_482)]);
    let cpu = connect.node_cpu_stats(-1).await.unwrap();
    let (names, values): (Vec<_>, Vec<_>) = cpu.fields().unzip();
    assert_eq!(names, ["utilization"]);
    assert!(values[0] <= 100);
    let map = connect.node_cpu_map().await.unwrap();
    assert_eq!((map.present(), map.online_count()), (32, 32));
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 4]);
}

#[tokio::test]
async fn cells_and_processors_that_there_are_not() {
    let (_simulator, connect) = host().await;
    for (result, expected) in [
        (
            connect.node_memory_stats(-2).await.map(drop),
            "cellNum in virNodeGetMemoryStats only accepts -1 as a negative value",
        ),
        (
            connect.node_memory_stats(2).await.map(drop),
            "invalid argument: no NUMA node 2: the host shows 2 nodes",
        ),
        (
            connect.node_cpu_stats(-2).await.map(drop),
            "cpuNum in virNodeGetCPUStats only accepts -1 as a negative value",
        ),
        (
            connect.node_cpu_stats(32).await.map(drop),
            "invalid argument: no processor 32: the host shows 32 processors",
        ),
        (
            connect.node_cells_free_memory(-1, 1).await.map(drop),
            "startCell in virNodeGetCellsFreeMemory must be zero or greater",
        ),
        (
            connect.node_cells_free_memory(0, 0).await.map(drop),
            "maxCells in virNodeGetCellsFreeMemory must be greater than zero",
        ),
        (
            connect.node_cells_free_memory(2, 1).await.map(drop),
            "invalid argument: Range exceeds available cells",
        ),
        // What the host does not tell.
        (
            connect.node_cells_free_memory(0, 2).await.map(drop),
            "this function is not supported by the connection driver: virNodeGetCellsFreeMemory",
        ),
    ] {
        assert_eq!(text(result), expected);
    }
}

#[tokio::test]
async fn one_processor_takes_three_requests() {
    for (simulator, connect) in [host().await, vcenter().await] {
        simulator.clear_requests();
        let all = [
            connect.node_cpu_stats(0).await,
            connect.node_cpu_stats(31).await,
        ];
        let read = ["RetrievePropertiesEx", "RetrievePropertiesEx", "QueryPerf"];
        assert_eq!(methods(&simulator), [read, read].concat());
        for stats in all {
            let (names, values): (Vec<_>, Vec<_>) = stats.unwrap().fields().unzip();
            assert_eq!(names, ["utilization"]);
            assert!(values[0] <= 100);
        }
        simulator.set_counter(crate::host_of(&connect), "cpu.usage.average", "7", 4250);
        let stats = connect.node_cpu_stats(7).await.unwrap();
        assert_eq!(stats.utilization, Some(42));
        // No value.
        simulator.set_counter(crate::host_of(&connect), "cpu.usage.average", "7", -1);
        assert_eq!(
            text(connect.node_cpu_stats(7).await),
            "Operation not supported: the host does not say how busy processor 7 alone is"
        );
    }
}

#[tokio::test]
async fn the_only_cell_has_the_hosts_memory() {
    let (simulator, connect) = host().await;
    let changed = simulator.change(crate::host_of(&connect), |host: &mut HostSystem| {
        let numa = &mut host.hardware.as_mut().unwrap().numa_info;
        numa.as_mut().unwrap().numa_node.truncate(1);
    });
    changed.unwrap();
    let free = connect.free_memory().await.unwrap();
    assert_eq!(connect.node_cells_free_memory(0, 2).await.unwrap(), [free]);
    assert_eq!(
        text(connect.node_cells_free_memory(1, 1).await),
        "invalid argument: Range exceeds available cells"
    );
}

async fn vcenter() -> (esx_sim::Simulator, esx_driver::Connect) {
    let simulator = esx_sim::Simulator::vcenter().build();
    let uri = "vpx://vc.example.com/Berlin/Production/esx-01.example.com";
    let connect = open(&simulator, uri).await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

#[tokio::test]
async fn a_vcenter_names_the_processors_of_its_hosts() {
    let (simulator, connect) = vcenter().await;
    let names = connect.cpu_model_names("x86_64", 0).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(names[..2], ["Conroe", "Penryn"]);
    assert_eq!(names.last().unwrap(), "Icelake-Server");
    // The cluster shows less.
    let of_cluster = |key: Option<&str>| {
        let key = key.map(str::to_owned);
        let changed = simulator.change(crate::host_of(&connect), |host: &mut HostSystem| {
            let summary = host.summary.as_mut().unwrap();
            summary.current_evc_mode_key = key.clone();
            if key.is_none() {
                summary.max_evc_mode_key = None;
            }
        });
        changed.unwrap();
    };
    of_cluster(Some("intel-penryn"));
    let names = connect.cpu_model_names("i686", 0).await.unwrap();
    assert_eq!(names, ["Conroe", "Penryn"]);
    of_cluster(Some("intel-pentium"));
    assert_eq!(
        text(connect.cpu_model_names("i686", 0).await),
        "Operation not supported: libvirt has no model for the host's EVC mode 'intel-pentium'"
    );
    of_cluster(None);
    assert_eq!(
        text(connect.cpu_model_names("i686", 0).await),
        "Operation not supported: the vCenter tells no EVC mode of the host"
    );
    simulator.clear_requests();
    for (arch, flags, expected) in [
        ("foo", 0, "invalid argument: cannot find architecture foo"),
        (
            "alpha",
            0,
            "this function is not supported by the connection driver: 'alpha' architecture is not supported by CPU driver",
        ),
        (
            "foo",
            1,
            "unsupported flags (0x1) in function virConnectGetCPUModelNames",
        ),
    ] {
        assert_eq!(text(connect.cpu_model_names(arch, flags).await), expected);
    }
    let (alone, connect) = host().await;
    let error = connect.cpu_model_names("x86_64", 0).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation not supported: a host on its own knows no names of processors, only a vCenter does"
    );
    assert!(error.advice().is_some());
    assert_eq!(methods(&alone), [""; 0]);
    assert_eq!(methods(&simulator), [""; 0]);
}

#[tokio::test]
async fn sysinfo() {
    let (simulator, connect) = host().await;
    let sysinfo = connect.sysinfo().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(sysinfo.bios.version.as_deref(), Some("1.7.2"));
    let date = sysinfo.bios.date.as_deref().unwrap();
    assert_eq!(date.split('/').map(str::len).collect::<Vec<_>>(), [2, 2, 4]);
    assert_eq!(
        sysinfo.system.manufacturer.as_deref(),
        Some("Example Systems")
    );
    assert_eq!(sysinfo.system.product.as_deref(), Some("Rack Server 2U"));
    assert_eq!(sysinfo.processors.len(), 2);
}

#[tokio::test]
async fn sysinfo_of_a_host_that_tells_less() {
    let sysinfo = changed(
        |host| {
            let hardware = host.hardware.as_mut().unwrap();
            hardware.bios_info = None;
            hardware.cpu_pkg.clear();
            hardware.system_info.vendor = " ".to_owned();
            hardware.system_info.serial_number = None;
        },
        async |connect| connect.sysinfo().await.unwrap(),
    )
    .await;
    assert_eq!(sysinfo.bios, Default::default());
    assert_eq!(sysinfo.system.manufacturer, None);
    assert_eq!(sysinfo.system.product.as_deref(), Some("Rack Server 2U"));
    assert!(sysinfo.processors.is_empty());
}

#[tokio::test]
async fn domain_capabilities_take_one_request() {
    let (simulator, connect) = host().await;
    let found = connect.domain_capabilities(None, None, None, None, 0).await;
    let found = found.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let xml = found.to_xml(Default::default());
    for line in [
        "<domain>vmware</domain>",
        "<arch>x86_64</arch>",
        "<vcpu max='128'/>",
        "<value>nvme</value>",
    ] {
        assert!(xml.contains(line), "{line} is not in {xml}");
    }
    let of =
        |arch, machine, virttype| connect.domain_capabilities(None, arch, machine, virttype, 0);
    let old = of(Some("i686"), None, Some("vmware")).await.unwrap();
    assert_eq!(old.arch, "i686");
    for (asked, expected) in [
        (
            of(None, None, Some("kvm")).await,
            "invalid argument: unknown virttype: kvm",
        ),
        (
            of(Some("ppc64"), None, None).await,
            "invalid argument: unknown architecture: ppc64",
        ),
        (
            of(None, Some("pc"), None).await,
            "invalid argument: 'pc' is no machine type of the host, which has none",
        ),
        (
            connect
                .domain_capabilities(Some("/bin/qemu"), None, None, None, 0)
                .await,
            "invalid argument: '/bin/qemu' is no emulator of the host, which has no programs",
        ),
        (
            connect.domain_capabilities(None, None, None, None, 1).await,
            "unsupported flags (0x1) in function virConnectGetDomainCapabilities",
        ),
    ] {
        assert_eq!(text(asked), expected);
    }
    let max = connect.max_vcpus(Some("kvm")).await;
    assert_eq!(text(max), "invalid argument: unknown type 'kvm'");
}
