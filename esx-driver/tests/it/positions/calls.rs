//! The table of calls.

use std::{fs, future::IntoFuture, path::Path, time::Duration};

use esx_driver::{
    AutostartSettings, CloneOptions, Connect, CreateFlags, DefineFlags, DestroyFlags, Domain,
    DomainSnapshot, HostFirewallAllowed, HostServicePolicy, Interface, MaintenanceOptions,
    MigrateFlags, MigrateParameters, Network, NodeDevice, Operation, RebootFlags, ShutdownFlags,
    StoragePool, StorageVol, UndefineFlags,
    virt_model::{
        CpuSet, Document as _, DomainXmlFlags, NodeSuspendTarget, SnapshotDef, TypedParam,
        domain::{
            MemoryParameters, MetadataType, NumaParameters, PmSuspendTarget, SchedulerParameters,
        },
        flags::{
            AbortJobFlags, BlockResizeFlags, DeviceModifyFlags, InterfaceDefineFlags,
            MemoryModFlags, ModificationImpact, NetworkCreateFlags, NetworkDefineFlags,
            NetworkUpdateCommand, NetworkUpdateFlags, NetworkUpdateSection, SnapshotCreateFlags,
            SnapshotDeleteFlags, SnapshotRevertFlags, StoragePoolCreateFlags,
            StoragePoolDefineFlags, StoragePoolDeleteFlags, StoragePoolFilter,
            StorageVolCreateFlags, StorageVolDeleteFlags, StorageVolResizeFlags, VcpuFlags,
        },
        storage_vol::StorageVolWipeAlgorithm,
    },
};
use esx_sim::{NewDistributedSwitch, Question, Script, Simulator};
use vi_types::{
    enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    objects::PhysicalNic,
    properties::{HostSystem, VirtualMachine},
};

use super::{Run, Server, check, run};
use crate::tasks;

/// Changes an interface of the kernel.
const INTERFACE: &str =
    "<interface type='ethernet' name='vmk0'><start mode='onboot'/><mtu size='9000'/></interface>";

/// Makes one in a port group, and gives the host another gateway.
const NEW_INTERFACE: &str = "<interface type='bridge' name='Internal'><protocol family='ipv4'>\
    <ip address='192.0.9.5' prefix='24'/><route gateway='192.0.9.254'/></protocol>\
    <bridge><interface type='ethernet' name='vmk2'/></bridge></interface>";

/// Lets one go to another port group, with another address and gateway.
const MOVED_INTERFACE: &str = "<interface type='bridge' name='Internal'><mtu size='9000'/><protocol family='ipv4'>\
    <ip address='192.0.9.5' prefix='24'/><route gateway='192.0.9.254'/></protocol><protocol family='ipv6'>\
    <ip address='2001:db8::5' prefix='64'/></protocol>\
    <bridge><interface type='ethernet' name='vmk1'/></bridge></interface>";

/// A test for each call: its name, what the server is, and the operation on it.
macro_rules! calls {
    ($($name:ident, $simulator:expr, $server:ident => $operation:expr;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                async fn prepared($server: &Server) -> Run {
                    run($operation)
                }
                check($simulator, &|server| Box::pin(prepared(server))).await;
            }
        )*
    };
}

calls! {
    create, esx, server => domain(server, PoweredOff).await.create(CreateFlags::NONE);
    create_slowly, slow, server => domain(server, PoweredOff).await.create(CreateFlags::NONE);
    create_with_a_question, asking, server => {
        answering(server, PoweredOff).await.create(CreateFlags::NONE)
    };
    destroy, esx, server => domain(server, PoweredOn).await.destroy(DestroyFlags::NONE);
    suspend, esx, server => domain(server, PoweredOn).await.suspend();
    resume, esx, server => domain(server, Suspended).await.resume();
    reset, esx, server => domain(server, PoweredOn).await.reset();
    shutdown, esx, server => domain(server, PoweredOn).await.shutdown(ShutdownFlags::NONE);
    reboot, esx, server => domain(server, PoweredOn).await.reboot(RebootFlags::NONE);
    answer, esx, server => {
        let domain = domain(server, PoweredOn).await;
        server.simulator.ask(domain.moref(), Question::cdrom_locked());
        let question = domain.question().await.unwrap().unwrap();
        domain.answer(&question, "yes")
    };
    set_autostart, esx, server => domain(server, PoweredOff).await.set_autostart(true);
    set_autostart_settings, esx, server => {
        let mut wanted = AutostartSettings::new(true);
        wanted.start_delay = Some(Duration::from_secs(30));
        domain(server, PoweredOff).await.set_autostart_settings(wanted)
    };
    undefine, esx, server => domain(server, PoweredOff).await.undefine(UndefineFlags::NONE);
    define_xml, esx, server => {
        let domain = domain(server, PoweredOff).await;
        let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        server.simulator.delete_file("[ssd] web01/web01.vmx");
        domain.connect().define_xml(&xml, DefineFlags::NONE)
    };
    define_xml_again, esx, server => {
        let domain = domain(server, PoweredOff).await;
        let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
        let changed = xml.replace(">2</vcpu>", ">3</vcpu>");
        assert_ne!(xml, changed);
        domain.connect().define_xml(&changed, DefineFlags::NONE)
    };
    create_xml, esx, server => {
        let domain = domain(server, PoweredOff).await;
        let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        server.simulator.delete_file("[ssd] web01/web01.vmx");
        domain.connect().create_xml(&xml, CreateFlags::NONE)
    };
    undefine_with_files, esx, server => domain(server, PoweredOff).await.undefine_with_files();
    rename, esx, server => domain(server, PoweredOff).await.rename("web02");
    set_metadata, esx, server => {
        let domain = domain(server, PoweredOff).await;
        domain.set_metadata(MetadataType::Description, Some("a <b>"), None, None, NOW)
    };

    set_max_memory, esx, server => domain(server, PoweredOff).await.set_max_memory(1 << 20);
    set_memory, esx, server => {
        domain(server, PoweredOff).await.set_memory(1 << 20, MemoryModFlags::NONE)
    };
    set_memory_parameters, esx, server => {
        let parameters = MemoryParameters {
            min_guarantee: Some(1 << 20),
            ..MemoryParameters::default()
        };
        domain(server, PoweredOff).await.set_memory_parameters(&parameters, NOW)
    };
    set_vcpus, esx, server => domain(server, PoweredOff).await.set_vcpus(3, VcpuFlags::NONE);
    hot_add_vcpus, esx, server => {
        let domain = domain(server, PoweredOn).await;
        let allow = |vm: &mut VirtualMachine| {
            vm.config.as_mut().unwrap().cpu_hot_add_enabled = Some(true);
        };
        server.simulator.change(domain.moref(), allow).unwrap();
        domain.set_vcpus(4, VcpuFlags::LIVE)
    };
    pin_vcpus, esx, server => domain(server, PoweredOff).await.pin_vcpus(&some_cpus(), NOW);
    pin_vcpu, esx, server => {
        let domain = domain(server, PoweredOff).await;
        domain.set_vcpus(1, VcpuFlags::NONE).await.unwrap();
        domain.pin_vcpu(0, &some_cpus(), NOW)
    };
    set_scheduler_parameters, esx, server => {
        let parameters = SchedulerParameters {
            reservation: Some(100),
            limit: Some(2000),
            shares: Some(-3),
            ..SchedulerParameters::default()
        };
        domain(server, PoweredOff).await.set_scheduler_parameters(&parameters, NOW)
    };
    set_numa_parameters, esx, server => {
        let parameters = NumaParameters {
            nodeset: Some([0].into_iter().collect()),
            ..NumaParameters::default()
        };
        domain(server, PoweredOff).await.set_numa_parameters(&parameters, NOW)
    };
    set_blkio_parameters, esx, server => {
        let weights = [TypedParam::new("device_weight", "sda,500")];
        domain(server, PoweredOff).await.set_blkio_parameters(&weights, NOW)
    };

    attach_disk, esx, server => {
        let domain = domain(server, PoweredOff).await;
        server.simulator.make_disk("[ssd] web01/data.vmdk", 1024, "lsilogic");
        domain.attach_device(DISK, DeviceModifyFlags::NONE)
    };
    attach_card, esx, server => {
        let card = "<interface type='bridge'><source bridge='DMZ'/></interface>";
        domain(server, PoweredOn).await.attach_device(card, DeviceModifyFlags::NONE)
    };
    attach_card_to_distributed_switch, distributed, server => {
        let card = "<interface type='network'><source network='dvs' portgroup='web'/></interface>";
        let domain = to(server, SOURCE).await.lookup_by_name("web01").await.unwrap();
        domain.attach_device(card, DeviceModifyFlags::NONE)
    };
    detach_device, esx, server => {
        let domain = domain(server, PoweredOff).await;
        let card = "<interface type='bridge'><mac address='00:0c:29:00:00:01'/>\
                    <source bridge='VM Network'/></interface>";
        domain.detach_device(card, DeviceModifyFlags::NONE)
    };
    detach_device_alias, esx, server => {
        domain(server, PoweredOff).await.detach_device_alias("ethernet0", DeviceModifyFlags::NONE)
    };
    update_device, esx, server => {
        let medium = "<disk type='file' device='cdrom'><source file='[ssd] iso/tools.iso'/>\
                      <target dev='sda' bus='sata'/></disk>";
        server.simulator.write_file("[ssd] iso/tools.iso", "ISO");
        domain(server, PoweredOff).await.update_device(medium, DeviceModifyFlags::NONE)
    };
    block_resize, esx, server => {
        let disk = "[ssd] web01/web01.vmdk";
        domain(server, PoweredOff).await.block_resize(disk, 64 << 20, BlockResizeFlags::NONE)
    };

    delete_disk, esx, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        server.simulator.make_disk("[ssd] disks/a.vmdk", 1024, "lsilogic");
        connect.delete_disk(&"[ssd] disks/a.vmdk".parse().unwrap())
    };
    wipe_disk, esx, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        server.simulator.make_disk("[ssd] disks/a.vmdk", 1024, "lsilogic");
        connect.wipe_disk(&"[ssd] disks/a.vmdk".parse().unwrap())
    };
    create_volume, esx, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        let pool = connect.storage_pool_lookup_by_name("ssd").await.unwrap();
        pool.create_volume_xml(&volume("new/a.vmdk"), StorageVolCreateFlags::NONE)
    };
    copy_volume, esx, server => {
        let (connect, disk) = disk(server).await;
        let pool = connect.storage_pool_lookup_by_name("ssd").await.unwrap();
        let xml = volume("disks/b.vmdk");
        pool.create_volume_xml_from(&xml, &disk, StorageVolCreateFlags::NONE)
    };
    delete_volume, esx, server => disk(server).await.1.delete(StorageVolDeleteFlags::NONE);
    wipe_volume, esx, server => disk(server).await.1.wipe();
    resize_volume, esx, server => {
        disk(server).await.1.resize(2 << 20, StorageVolResizeFlags::NONE)
    };
    delete_image, esx, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        server.simulator.write_file("[ssd] iso/a.iso", "an image");
        let image = connect.storage_vol_lookup_by_path("[ssd] iso/a.iso").await.unwrap();
        image.delete(StorageVolDeleteFlags::NONE)
    };
    wipe_volume_with_zeros, esx, server => {
        disk(server).await.1.wipe_pattern(StorageVolWipeAlgorithm::Zero)
    };

    define_network, cards, server => {
        host(server).await.network_define_xml(SWITCH, NetworkDefineFlags::NONE)
    };
    create_network, cards, server => {
        host(server).await.network_create_xml(SWITCH, NetworkCreateFlags::NONE)
    };
    undefine_network, cards, server => lab(server).await.undefine();
    destroy_network, cards, server => lab(server).await.destroy();
    add_port_group, cards, server => {
        change(server, NetworkUpdateCommand::AddLast, "<portgroup name='new'/>").await
    };
    change_port_group, cards, server => {
        let vlan = "<portgroup name='a'><vlan><tag id='9'/></vlan></portgroup>";
        change(server, NetworkUpdateCommand::Modify, vlan).await
    };
    remove_port_group, cards, server => {
        change(server, NetworkUpdateCommand::Delete, "<portgroup name='a'/>").await
    };
    remove_network_card, cards, server => {
        let network = lab(server).await;
        network.update(
            NetworkUpdateCommand::Delete,
            NetworkUpdateSection::ForwardInterface,
            -1,
            "<interface dev='vmnic2'/>",
            NetworkUpdateFlags::NONE,
        )
    };
    add_network_card, cards, server => {
        let network = lab(server).await;
        let nic = |command| {
            let flags = NetworkUpdateFlags::NONE;
            let section = NetworkUpdateSection::ForwardInterface;
            network.update(command, section, -1, "<interface dev='vmnic2'/>", flags)
        };
        nic(NetworkUpdateCommand::Delete).await.unwrap();
        nic(NetworkUpdateCommand::AddLast)
    };
    detach_node_device, esx, server => graphics_card(server).await.detach(None);
    re_attach_node_device, esx, server => {
        let card = graphics_card(server).await;
        card.detach(None).await.unwrap();
        card.re_attach()
    };

    define_interface, esx, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        connect.interface_define_xml(INTERFACE, InterfaceDefineFlags::NONE)
    };
    define_the_speed_of_a_card, esx, server => {
        let speed = "<interface type='ethernet' name='vmnic0'><link speed='1000'/></interface>";
        host(server).await.interface_define_xml(speed, InterfaceDefineFlags::NONE)
    };
    define_a_new_interface, esx, server => {
        host(server).await.interface_define_xml(NEW_INTERFACE, InterfaceDefineFlags::NONE)
    };
    move_interface, esx, server => {
        host(server).await.interface_define_xml(MOVED_INTERFACE, InterfaceDefineFlags::NONE)
    };
    move_interface_to_distributed_switch, distributed, server => {
        let xml = MOVED_INTERFACE.replace("name='Internal'", "name='web'");
        to(server, SOURCE).await.interface_define_xml(&xml, InterfaceDefineFlags::NONE)
    };
    destroy_interface, esx, server => kernel(server, "vmk1").await.destroy();
    begin_interface_change, esx, server => host(server).await.interface_change_begin(0);
    commit_interface_change, esx, server => {
        let connect = host(server).await;
        connect.interface_change_begin(0).await.unwrap();
        connect.interface_change_commit(0)
    };
    roll_back_interface_change, esx, server => {
        let connect = host(server).await;
        connect.interface_change_begin(0).await.unwrap();
        let new = connect.interface_define_xml(NEW_INTERFACE, InterfaceDefineFlags::NONE);
        new.await.unwrap();
        connect.interface_change_rollback(0)
    };
    undefine_interface, esx, server => kernel(server, "vmk1").await.undefine();

    add_distributed_port_group, distributed, server => {
        let group = "<portgroup name='new'><vlan><tag id='9'/></vlan></portgroup>";
        of_switch(server, NetworkUpdateCommand::AddLast, NetworkUpdateSection::Portgroup, group).await
    };
    change_distributed_port_group, distributed, server => {
        let vlan = "<portgroup name='web'><vlan><tag id='9'/></vlan></portgroup>";
        of_switch(server, NetworkUpdateCommand::Modify, NetworkUpdateSection::Portgroup, vlan).await
    };
    remove_distributed_port_group, distributed, server => {
        let group = "<portgroup name='web'/>";
        of_switch(server, NetworkUpdateCommand::Delete, NetworkUpdateSection::Portgroup, group).await
    };
    remove_uplink, distributed, server => {
        let nic = "<interface dev='vmnic2'/>";
        of_switch(server, NetworkUpdateCommand::Delete, NetworkUpdateSection::ForwardInterface, nic)
            .await
    };
    give_uplink, distributed, server => {
        let nic = "<interface dev='vmnic2'/>";
        let section = NetworkUpdateSection::ForwardInterface;
        let taken = of_switch(server, NetworkUpdateCommand::Delete, section, nic).await;
        taken.await.unwrap();
        of_switch(server, NetworkUpdateCommand::AddLast, section, nic).await
    };

    start_service, esx, server => host(server).await.start_service("TSM-SSH");
    stop_service, esx, server => host(server).await.stop_service("ntpd");
    restart_service, esx, server => host(server).await.restart_service("ntpd");
    set_service_policy, esx, server => {
        host(server).await.set_service_policy("TSM-SSH", HostServicePolicy::On)
    };
    enable_firewall_ruleset, esx, server => {
        host(server).await.enable_firewall_ruleset("nfsClient")
    };
    disable_firewall_ruleset, esx, server => {
        host(server).await.disable_firewall_ruleset("dns")
    };
    set_firewall_allowed, esx, server => {
        let network = HostFirewallAllowed::Only(vec!["192.0.2.0/24".to_owned()]);
        host(server).await.set_firewall_allowed("sshServer", network)
    };
    set_ntp_servers, esx, server => {
        host(server).await.set_ntp_servers(vec!["ntp.example.org".to_owned()])
    };
    define_pool, storage, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        connect.storage_pool_define_xml(DIRECTORY, StoragePoolDefineFlags::NONE)
    };
    create_pool, storage, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        connect.storage_pool_create_xml(TARGET, StoragePoolCreateFlags::NONE)
    };
    start_pool, storage, server => {
        let pool = spare(server).await;
        pool.destroy().await.unwrap();
        pool.create(StoragePoolCreateFlags::NONE)
    };
    refresh_pool, storage, server => spare(server).await.refresh();
    destroy_pool, storage, server => spare(server).await.destroy();
    destroy_target, storage, server => {
        let connect = server.connect("esx://esx.example.com/").await;
        let targets = connect.list_all_storage_pools(StoragePoolFilter::ISCSI).await.unwrap();
        targets[0].pool.destroy()
    };
    undefine_pool, storage, server => {
        let pool = spare(server).await;
        pool.destroy().await.unwrap();
        pool.undefine()
    };
    delete_pool, storage, server => spare(server).await.delete(StoragePoolDeleteFlags::NONE);
    delete_inactive_pool, storage, server => {
        let pool = spare(server).await;
        pool.destroy().await.unwrap();
        pool.delete(StoragePoolDeleteFlags::NONE)
    };

    set_block_io_tune, esx, server => {
        let limits = [TypedParam::new("total_iops_sec", 500_u64)];
        let disk = "[ssd] web01/web01.vmdk";
        domain(server, PoweredOff).await.set_block_io_tune(disk, &limits, NOW)
    };
    pm_suspend_for_duration, esx, server => {
        domain(server, PoweredOn).await.pm_suspend_for_duration(PmSuspendTarget::Mem, 0, 0)
    };
    pm_wakeup, esx, server => domain(server, Suspended).await.pm_wakeup(0);

    abort_job, esx, server => {
        let domain = domain(server, PoweredOn).await;
        server.simulator.stop_tasks();
        server.simulator.script(Script::new("*").cancelable(true));
        let mut resetting = domain.reset().into_future();
        assert!(tasks::begin(&mut resetting).await.is_none());
        drop(resetting);
        tasks::settle().await;
        domain.abort_job(AbortJobFlags::NONE)
    };

    clone_by_copying, esx, server => {
        domain(server, PoweredOff).await.clone_to("copy", CloneOptions::default())
    };
    clone_by_a_vcenter, vcenter, server => {
        let domain = to(server, SOURCE).await.lookup_by_name("web01").await.unwrap();
        domain.clone_to("copy", CloneOptions::default())
    };

    migrate, vcenter, server => {
        let (source, destination) = (to(server, SOURCE).await, to(server, DESTINATION).await);
        let domain = source.lookup_by_name("web01").await.unwrap();
        domain.migrate(&destination, MigrateFlags::NONE, MigrateParameters::default())
    };
    migrate_perform, vcenter, server => {
        let (source, destination) = (to(server, SOURCE).await, to(server, DESTINATION).await);
        let domain = source.lookup_by_name("web01").await.unwrap();
        let uri = destination.migrate_prepare(None, MigrateFlags::NONE).await.unwrap();
        domain.migrate_perform(&uri, MigrateFlags::NONE, None)
    };
    migrate_to_uri, vcenter, server => {
        let domain = to(server, SOURCE).await.lookup_by_name("web01").await.unwrap();
        let parameters = MigrateParameters::default();
        domain.migrate_to_uri("esx-02.example.com", MigrateFlags::NONE, parameters)
    };

    snapshot_create_xml, esx, server => {
        domain(server, PoweredOn).await.snapshot_create_xml(&named("s"), SnapshotCreateFlags::NONE)
    };
    snapshot_create_xml_slowly, slow, server => {
        domain(server, PoweredOn).await.snapshot_create_xml(&named("s"), SnapshotCreateFlags::QUIESCE)
    };
    snapshot_create_xml_and_halt, esx, server => {
        domain(server, PoweredOn).await.snapshot_create_xml(&named("s"), SnapshotCreateFlags::HALT)
    };
    snapshot_revert, snapshots, server => {
        snapshot(server, "installed").await.revert(SnapshotRevertFlags::NONE)
    };
    snapshot_delete, snapshots, server => {
        snapshot(server, "installed").await.delete(SnapshotDeleteFlags::NONE)
    };
    snapshot_delete_with_children, snapshots, server => {
        snapshot(server, "installed").await.delete(SnapshotDeleteFlags::CHILDREN)
    };
    snapshot_delete_children_only, snapshots, server => {
        snapshot(server, "installed").await.delete(SnapshotDeleteFlags::CHILDREN_ONLY)
    };
    enter_maintenance_mode, idle, server => {
        host(server).await.enter_maintenance_mode(MaintenanceOptions::new())
    };
    exit_maintenance_mode, idle, server => {
        let connect = host(server).await;
        let entered = connect.enter_maintenance_mode(MaintenanceOptions::new());
        entered.await.unwrap();
        connect.exit_maintenance_mode(None)
    };
    node_suspend_for_duration, idle_vcenter, server => {
        let minute = Duration::from_secs(60);
        to(server, SOURCE).await.node_suspend_for_duration(NodeSuspendTarget::Mem, minute, 0)
    };
    snapshot_rename, snapshots, server => {
        snapshot(server, "tuned").await.rename(Some("fast"), Some("tuned again"))
    };
}

/// The document of a virtual disk of a MiB.
fn volume(name: &str) -> String {
    format!(
        "<volume><name>{name}</name><capacity>1048576</capacity><target><format type='vmdk'/></target></volume>"
    )
}

/// A switch with a network card and two port groups.
const SWITCH: &str = "<network><name>lab</name><forward mode='bridge'><interface dev='vmnic2'/></forward>\
    <portgroup name='a'><vlan><tag id='7'/></vlan></portgroup><portgroup name='b'/></network>";

/// The document of a server's directory as a pool.
const DIRECTORY: &str = "<pool type='netfs'><name>images</name><source><host name='nas.example.com'/>\
                         <dir path='/images'/><format type='nfs'/></source>\
                         <target><path>/vmfs/volumes/images</path></target></pool>";

/// The document of a target that the host has not.
const TARGET: &str = "<pool type='iscsi'><name>iqn.2001-05.com.example:storage.backup</name><source>\
                      <host name='192.0.2.50'/><device path='iqn.2001-05.com.example:storage.backup'/></source>\
                      <target><path>/dev</path></target></pool>";

/// A host with a file system that no domain uses.
fn storage() -> Simulator {
    let spare = "vmfs:spare:64G".parse().unwrap();
    Simulator::esx().datastore(spare).build()
}

async fn spare(server: &Server) -> StoragePool {
    let connect = server.connect("esx://esx.example.com/").await;
    connect.storage_pool_lookup_by_name("spare").await.unwrap()
}

/// A virtual disk that no domain has.
async fn disk(server: &Server) -> (Connect, StorageVol) {
    let connect = server.connect("esx://esx.example.com/").await;
    server
        .simulator
        .make_disk("[ssd] disks/a.vmdk", 1024, "lsilogic");
    let disk = connect
        .storage_vol_lookup_by_path("[ssd] disks/a.vmdk")
        .await;
    (connect, disk.unwrap())
}

/// A disk that the domain does not have.
const DISK: &str = "<disk type='file' device='disk'><source file='[ssd] web01/data.vmdk'/>\
                    <target dev='sdb' bus='scsi'/></disk>";

const NOW: ModificationImpact = ModificationImpact::NONE;

const SOURCE: &str = "Berlin/Production/esx-01.example.com";
const DESTINATION: &str = "Berlin/Production/esx-02.example.com";

/// A device that can be passed through.
async fn graphics_card(server: &Server) -> NodeDevice {
    let connect = server.connect("esx://esx.example.com/").await;
    connect
        .node_device_lookup_by_name("pci_0000_3b_00_0")
        .await
        .unwrap()
}

/// A host whose tasks are soon over. It has one domain, since each cell of the tables builds one.
fn esx() -> Simulator {
    Simulator::esx().only(["web01"]).build()
}

/// A host with a domain that has snapshots.
fn snapshots() -> Simulator {
    Simulator::esx().only(["db01"]).build()
}

/// A host with a network card that no switch has.
fn cards() -> Simulator {
    let simulator = esx();
    let host = &simulator.objects("HostSystem")[0];
    let added = simulator.change(host, |host: &mut HostSystem| {
        let config = host.config.as_mut().unwrap();
        let nics = &mut config.network.as_mut().unwrap().pnic;
        let free = PhysicalNic {
            key: Some("key-vim.host.PhysicalNic-vmnic2".to_owned()),
            device: "vmnic2".to_owned(),
            ..nics[0].clone()
        };
        nics.push(free);
    });
    added.unwrap();
    simulator
}

/// A host on which no domain runs.
fn idle() -> Simulator {
    off(esx())
}

/// A vCenter on which no domain runs.
fn idle_vcenter() -> Simulator {
    off(vcenter())
}

fn off(simulator: Simulator) -> Simulator {
    for vm in simulator.objects("VirtualMachine") {
        simulator.set_power_state(&vm, PoweredOff);
    }
    simulator
}

/// A host whose tasks take their time, so that they are watched.
fn slow() -> Simulator {
    let simulator = esx();
    simulator.script(Script::new("*").steps(5));
    simulator
}

/// A host that asks when a domain starts.
fn asking() -> Simulator {
    let simulator = esx();
    let script = Script::new("PowerOnVM_Task").steps(5);
    simulator.script(script.asks_after(2, Question::serial_port()));
    simulator
}

fn vcenter() -> Simulator {
    Simulator::vcenter().only(["web01"]).build()
}

/// The domain web01 in a power state.
async fn domain(server: &Server, power: VirtualMachinePowerState) -> Domain {
    domain_by(server, "esx://esx.example.com/", power).await
}

/// The same, where questions are answered.
async fn answering(server: &Server, power: VirtualMachinePowerState) -> Domain {
    domain_by(server, "esx://esx.example.com/?auto_answer=1", power).await
}

async fn domain_by(server: &Server, uri: &str, power: VirtualMachinePowerState) -> Domain {
    let vm = server.simulator.vm("web01").unwrap();
    server.simulator.set_power_state(&vm, power);
    let connect = server.connect(uri).await;
    connect.lookup_by_name("web01").await.unwrap()
}

/// A snapshot of the domain db01.
async fn snapshot(server: &Server, name: &str) -> DomainSnapshot {
    let connect = server.connect("esx://esx.example.com/").await;
    let domain = connect.lookup_by_name("db01").await.unwrap();
    domain.snapshot_lookup_by_name(name).await.unwrap()
}

/// A connection to the host.
async fn host(server: &Server) -> Connect {
    server.connect("esx://esx.example.com/").await
}

/// The network of [`SWITCH`].
async fn lab(server: &Server) -> Network {
    let connect = host(server).await;
    let made = connect.network_define_xml(SWITCH, NetworkDefineFlags::NONE);
    made.await.unwrap()
}

/// An interface of the host's kernel.
async fn kernel(server: &Server, name: &str) -> Interface {
    let connect = host(server).await;
    connect.interface_lookup_by_name(name).await.unwrap()
}

/// A change of a port group of [`SWITCH`].
async fn change(
    server: &Server,
    command: NetworkUpdateCommand,
    xml: &str,
) -> Operation<'static, ()> {
    let section = NetworkUpdateSection::Portgroup;
    let network = lab(server).await;
    network.update(command, section, -1, xml, NetworkUpdateFlags::NONE)
}

/// A vCenter with a distributed switch.
fn distributed() -> Simulator {
    let switch = NewDistributedSwitch::new("dvs").port_group("web", 10);
    let vcenter = Simulator::vcenter().only(["web01"]);
    vcenter.distributed_switch(switch).build()
}

/// A change of the switch of [`distributed`].
async fn of_switch(
    server: &Server,
    command: NetworkUpdateCommand,
    section: NetworkUpdateSection,
    xml: &str,
) -> Operation<'static, ()> {
    let connect = to(server, SOURCE).await;
    let network = connect.network_lookup_by_name("dvs").await.unwrap();
    network.update(command, section, -1, xml, NetworkUpdateFlags::NONE)
}

/// A connection to a host of the vCenter.
async fn to(server: &Server, host: &str) -> Connect {
    server.connect(&format!("vpx://192.0.2.100/{host}")).await
}

fn named(name: &str) -> String {
    SnapshotDef::new(name).to_xml(Default::default())
}

fn some_cpus() -> CpuSet {
    (0..2).collect()
}

/// Every public function that returns an operation is called in a row.
#[test]
fn every_call_is_in_the_table() {
    fn visit(folder: &Path, missing: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, missing);
            } else if path.file_name().unwrap() != "operation.rs" {
                missing.extend(untested(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut missing = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    visit(&sources, &mut missing);
    assert!(
        missing.is_empty(),
        "add rows to tests/it/positions/calls.rs: {missing:?}"
    );
}

/// The names of a source's functions that return an operation and are not called in this file.
fn untested(source: &str) -> Vec<String> {
    let calls = include_str!("calls.rs");
    let functions = source.split("pub fn ").skip(1);
    let operations = functions.filter(|text| {
        let head = text.split('{').next().unwrap_or_default();
        head.contains("-> Operation<")
    });
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let names = operations.map(|text| text.split(|c| !is_name(c)).next().unwrap_or_default());
    let missing = names.filter(|name| !calls.contains(&format!(".{name}(")));
    missing.map(str::to_owned).collect()
}
