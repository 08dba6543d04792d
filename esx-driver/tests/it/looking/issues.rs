use esx_driver::{
    ErrorKind,
    virt_model::{
        domain::{DiskErrorCode, DomainDiskError},
        flags::MessageFlags,
    },
};
use vi_types::{
    Poly,
    objects::{Event, VirtualMachineMessage, VirtualMachineQuestionInfo},
    properties::VirtualMachine,
};

use super::blocks::lay_out;
use crate::{host, methods, text};

fn error(disk: &str, error: DiskErrorCode) -> DomainDiskError {
    DomainDiskError {
        disk: disk.to_owned(),
        error,
    }
}

#[tokio::test]
async fn disks_with_errors() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("files").await.unwrap();
    lay_out(&simulator, domain.moref(), &[(1, 2)]);
    simulator.clear_requests();
    assert_eq!(domain.disk_errors(0).await.unwrap(), []);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);

    // The question names the second disk, whose name ends that of no other.
    let message = VirtualMachineMessage {
        id: "msg.hbacommon.outofspace".to_owned(),
        argument: vec!["files_1.vmdk".to_owned().into()],
        ..Default::default()
    };
    let question = VirtualMachineQuestionInfo {
        id: "7".to_owned(),
        text: "There is no more space for virtual disk".to_owned(),
        message: vec![message],
        ..Default::default()
    };
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.runtime.as_mut().unwrap().question = Some(question.into());
    });
    let full = error("sdb", DiskErrorCode::NoSpace);
    assert_eq!(
        domain.disk_errors(0).await.unwrap(),
        std::slice::from_ref(&full)
    );

    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.layout_ex.as_mut().unwrap().file[1].accessible = Some(false);
    });
    let lost = error("sda", DiskErrorCode::Unspec);
    assert_eq!(domain.disk_errors(0).await.unwrap(), [lost, full]);

    assert_eq!(
        text(domain.disk_errors(4).await),
        "unsupported flags (0x4) in function esxDomainGetDiskErrors"
    );
    let off = connect.lookup_by_name("installer").await.unwrap();
    let refused = off.disk_errors(0).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::WrongState);
}

#[tokio::test]
async fn messages_of_the_host() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    let none = MessageFlags::NONE;
    assert_eq!(
        domain.messages(none).await.unwrap(),
        <[String; 0]>::default()
    );
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.base.config_issue = vec![Poly::new(Event {
            full_formatted_message: Some(
                "Virtual machine disks consolidation is needed.".to_owned(),
            ),
            ..Event::default()
        })];
    });
    let expected = ["Virtual machine disks consolidation is needed."];
    assert_eq!(domain.messages(none).await.unwrap(), expected);
    let tainting = domain.messages(MessageFlags::TAINTING).await.unwrap();
    assert_eq!(tainting, <[String; 0]>::default());
    assert_eq!(
        text(domain.messages(MessageFlags::from_bits(4)).await),
        "unsupported flags (0x4) in function esxDomainGetMessages"
    );
}
