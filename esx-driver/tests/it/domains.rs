//! Single domains: lookups and what they tell.

use esx_driver::{
    ErrorKind, What,
    virt_model::{DomainFilter, DomainInfo, DomainState, ErrorNumber, StateReason, Uuid},
};
use vi_types::{
    enums::VirtualMachinePowerState,
    objects::{HostAutoStartManagerConfig, ResourceAllocationInfo},
    properties::{HostAutoStartManager, VirtualMachine},
};

use crate::{host, methods, text};

#[tokio::test]
async fn by_name() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("desktop").await.unwrap();
    assert_eq!((domain.name(), domain.id()), ("desktop", Some(5)));
    assert_eq!(methods(&simulator).len(), 2);
    // On the wire it is `build%2fci`.
    let domain = connect.lookup_by_name("build/ci").await.unwrap();
    assert_eq!((domain.name(), domain.id()), ("build/ci", None));
}

#[tokio::test]
async fn by_a_name_that_nobody_has() {
    let (_, connect) = host().await;
    let error = connect.lookup_by_name("webb01").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Domain not found: Could not find domain with name 'webb01'"
    );
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound(What::Domain), ErrorNumber::NoDomain)
    );
    assert_eq!(error.advice(), Some("did you mean 'web01'?"));
    let error = connect.lookup_by_name("something else").await.unwrap_err();
    assert_eq!(error.advice(), None);
}

#[tokio::test]
async fn a_broken_name_hinders_only_itself() {
    let (simulator, connect) = host().await;
    let web = simulator.vm("web01").unwrap();
    simulator.change(&web, |vm: &mut VirtualMachine| {
        vm.name = Some("50%".to_owned())
    });
    assert_eq!(
        connect.lookup_by_name("router").await.unwrap().id(),
        Some(4)
    );
    assert_eq!(
        text(connect.lookup_by_name("50%").await),
        "internal error: Domain name contains invalid escape sequence"
    );
}

#[tokio::test]
async fn by_id() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_id(3).await.unwrap();
    assert_eq!((domain.name(), domain.id()), ("files", Some(3)));
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    for id in [6, 0, -1, 1000] {
        assert_eq!(
            text(connect.lookup_by_id(id).await),
            format!("Domain not found: No domain with ID {id}"),
            "6 is off"
        );
    }
}

#[tokio::test]
async fn by_uuid() {
    let (simulator, connect) = host().await;
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    for entry in list {
        simulator.clear_requests();
        let found = connect.lookup_by_uuid(entry.domain.uuid()).await.unwrap();
        assert_eq!(methods(&simulator), ["FindByUuid", "RetrievePropertiesEx"]);
        assert_eq!(found.name(), entry.domain.name());
        assert_eq!(found.id(), entry.domain.id());
        assert_eq!(found.uuid(), entry.domain.uuid());
        assert_eq!(found.moref(), entry.domain.moref());
    }
    assert_eq!(
        text(connect.lookup_by_uuid(Uuid::NIL).await),
        "Domain not found: Could not find domain with UUID '00000000-0000-0000-0000-000000000000'"
    );
}

#[tokio::test]
async fn state_and_info() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("desktop").await.unwrap();
    simulator.clear_requests();
    assert_eq!(
        domain.state().await.unwrap(),
        (DomainState::Paused, StateReason::UNKNOWN)
    );
    assert_eq!(
        domain.info().await.unwrap(),
        DomainInfo {
            state: DomainState::Paused,
            max_mem: 8 << 20,
            memory: 8 << 20,
            nr_virt_cpu: 4,
            cpu_time: 0
        }
    );
    assert_eq!(domain.max_memory().await.unwrap(), 8 << 20);
    assert_eq!(
        domain.max_vcpus().await.unwrap(),
        connect.max_vcpus(None).await.unwrap()
    );
    assert_eq!(domain.os_type(), "hvm");
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 5]);
    simulator.set_power_state(domain.moref(), VirtualMachinePowerState::PoweredOn);
    assert_eq!(domain.state().await.unwrap().0, DomainState::Running);
}

#[tokio::test]
async fn memory_limits() {
    for (limit, memory) in [
        (None, 4 << 20),
        (Some(-1), 4 << 20),
        (Some(1024), 1 << 20),
        (Some(0), 0),
    ] {
        let (simulator, connect) = host().await;
        let domain = connect.lookup_by_name("web01").await.unwrap();
        simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
            let config = vm.config.as_mut().unwrap();
            let allocation = ResourceAllocationInfo {
                limit,
                ..ResourceAllocationInfo::default()
            };
            config.memory_allocation = Some(allocation.into());
        });
        assert_eq!(domain.info().await.unwrap().memory, memory, "{limit:?}");
    }
}

#[tokio::test]
async fn more_memory_than_32_bits_of_kilobytes() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let set = |mib| {
        simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
            vm.config.as_mut().unwrap().hardware.memory_mb = mib;
        });
    };
    set(24 << 20);
    assert_eq!(domain.max_memory().await.unwrap(), 24 << 30);
    set(-1);
    assert_eq!(
        text(domain.max_memory().await),
        "internal error: Got invalid memory size -1"
    );
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.set_unreadable("VirtualMachine", "config");
    let error = domain.info().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        crate::unreadable("config.hardware.memoryMB", "VirtualMachine:1")
    );
    assert_eq!(error.kind(), ErrorKind::Property);
    assert!(domain.state().await.is_ok());
}

#[tokio::test]
async fn flags() {
    let (_, connect) = host().await;
    for (name, active, autostart) in [
        ("web01", true, true),
        ("desktop", true, false),
        ("installer", false, false),
    ] {
        let domain = connect.lookup_by_name(name).await.unwrap();
        assert_eq!(domain.is_active().await.unwrap(), active, "{name}");
        assert_eq!(domain.autostart().await.unwrap(), autostart, "{name}");
        assert!(domain.is_persistent().await.unwrap());
        assert!(!domain.is_updated().await.unwrap());
        assert!(!domain.has_managed_save_image().await.unwrap());
    }
}

#[tokio::test]
async fn no_domain_starts_with_a_host_that_starts_none() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let manager = simulator.objects("HostAutoStartManager").remove(0);
    let set = |change: fn(&mut HostAutoStartManagerConfig)| {
        simulator.change(&manager, |manager: &mut HostAutoStartManager| {
            change(manager.config.as_mut().unwrap());
        });
    };
    set(|config| config.power_info[0].start_action = "POWERON".to_owned());
    assert!(domain.autostart().await.unwrap());
    set(|config| config.defaults.as_mut().unwrap().enabled = Some(false));
    assert!(!domain.autostart().await.unwrap());
    set(|config| config.defaults = None);
    assert_eq!(
        text(domain.autostart().await),
        "internal error: Could not retrieve the AutoStartDefaults object"
    );
}

#[tokio::test]
async fn a_domain_that_is_gone() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    assert!(simulator.remove_vm(domain.moref()));
    let expected = format!(
        "Domain not found: Could not find domain with UUID '{}'",
        domain.uuid()
    );
    assert_eq!(text(domain.state().await), expected);
    assert_eq!(text(domain.info().await), expected);
    assert_eq!(text(domain.max_memory().await), expected);
    assert_eq!(text(domain.is_active().await), expected);
    assert_eq!(text(domain.is_persistent().await), expected);
    assert_eq!(text(domain.is_updated().await), expected);
    assert_eq!(text(domain.has_managed_save_image().await), expected);
    assert_eq!(text(connect.lookup_by_uuid(domain.uuid()).await), expected);
    assert_eq!(
        connect.lookup_by_name("web01").await.unwrap_err().kind(),
        ErrorKind::NotFound(What::Domain)
    );
    assert_eq!(
        connect.lookup_by_id(1).await.unwrap_err().kind(),
        ErrorKind::NotFound(What::Domain)
    );
}
