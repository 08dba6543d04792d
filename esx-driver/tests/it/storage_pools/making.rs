//! Making pools.

use esx_driver::virt_model::flags::{
    SecretDefineFlags, StoragePoolCreateFlags as Create, StoragePoolDefineFlags as Define,
};
use vi_types::{objects::HostInternetScsiHba, properties::HostSystem};

use super::*;

const NFS: &str = "<pool type='netfs'>
  <name>images</name>
  <source><host name='nas.example.com'/><dir path='/images'/><format type='nfs'/></source>
  <target><path>/vmfs/volumes/images</path></target>
</pool>";

/// A target that the simulated hosts have not.
const BACKUP: &str = "iqn.2001-05.com.example:storage.backup";

/// One that wants a user and a secret.
const SECURE: &str = "iqn.2001-05.com.example:storage.secure";

/// The steps of a pool with CHAP that change something.
const STEPS: [&str; 3] = [
    "AddInternetScsiStaticTargets",
    "UpdateInternetScsiAuthenticationProperties",
    "RescanHba",
];

fn iscsi(name: &str, more: &str) -> String {
    format!(
        "<pool type='iscsi'><name>{name}</name><source><host name='192.0.2.50'/>{more}</source>\
         <target><path>/dev</path></target></pool>"
    )
}

fn device(name: &str) -> String {
    format!("<device path='{name}'/>")
}

fn secure() -> String {
    let auth = "<auth type='chap' username='esx'><secret usage='array'/></auth>";
    iscsi(SECURE, &format!("{}{auth}", device(SECURE)))
}

fn vmfs(device: &str) -> String {
    format!(
        "<pool type='fs'><name>new</name><source><device path='{device}'/><format type='vmfs'/></source>\
         <target><path>/vmfs/volumes/new</path></target></pool>"
    )
}

/// The paths of the free devices.
async fn free(connect: &Connect) -> Vec<String> {
    let sources = connect.find_storage_pool_sources("fs", None).await.unwrap();
    let lines = sources.lines().map(str::trim);
    let paths = lines.filter_map(|line| line.strip_prefix("<device path='")?.strip_suffix("'/>"));
    paths.map(str::to_owned).collect()
}

/// A host that knows the secret of the array.
async fn with_secret() -> (Simulator, Connect) {
    let (simulator, connect) = host().await;
    let xml = "<secret><usage type='iscsi'><target>array</target></usage></secret>";
    let secret = connect
        .secret_define_xml(xml, SecretDefineFlags::NONE)
        .await
        .unwrap();
    secret.set_value(b"simulated-secret").await.unwrap();
    (simulator, connect)
}

pub(super) fn adapter(simulator: &Simulator) -> HostInternetScsiHba {
    let host = simulator.objects("HostSystem").remove(0);
    let host = simulator.properties::<HostSystem>(&host).unwrap();
    let config = host.config.as_ref().unwrap();
    let mut adapters = config
        .storage_device
        .as_ref()
        .unwrap()
        .host_bus_adapter
        .iter();
    let adapter = adapters.find_map(|adapter| adapter.cast::<HostInternetScsiHba>());
    adapter.unwrap().clone()
}

/// The names of the targets that the host has.
fn targets(simulator: &Simulator) -> Vec<String> {
    let targets = adapter(simulator).configured_static_target;
    targets
        .into_iter()
        .map(|target| target.i_scsi_name)
        .collect()
}

#[tokio::test]
async fn a_directory_of_a_server_is_mounted() {
    let (simulator, connect) = host().await;
    let pool = connect
        .storage_pool_define_xml(NFS, Define::NONE)
        .await
        .unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "RetrievePropertiesEx",
            "CreateNasDatastore",
            "RetrievePropertiesEx"
        ]
    );
    assert_eq!(pool.name(), "images");
    let xml = document(&connect, "images").await.unwrap();
    assert!(xml.contains("<host name='nas.example.com'/>"), "{xml}");
    assert!(xml.contains("<dir path='/images'/>"), "{xml}");

    // What is there is not made again.
    let text_of = |error: Error| (error.kind(), error.to_string());
    let uuid = pool.uuid();
    let again = connect.storage_pool_create_xml(NFS, Create::NONE).await;
    assert_eq!(
        text_of(again.unwrap_err()),
        (
            ErrorKind::Exists(What::StoragePool),
            format!("operation failed: pool 'images' already exists with uuid {uuid}")
        )
    );
    let other = NFS.replace("<name>images", "<name>other");
    let again = connect.storage_pool_create_xml(&other, Create::NONE).await;
    assert_eq!(
        text_of(again.unwrap_err()),
        (
            ErrorKind::Exists(What::StoragePool),
            "operation failed: Storage source conflict with pool: 'images'".to_owned()
        )
    );
    let own = pool.xml_desc(StoragePoolXmlFlags::NONE).await.unwrap();
    let active = connect.storage_pool_create_xml(&own, Create::NONE).await;
    assert_eq!(
        text(active),
        "Requested operation is not valid: pool is already active as 'images'"
    );
    simulator.clear_requests();
    let same = connect.storage_pool_define_xml(&own, Define::NONE).await;
    assert_eq!(same.unwrap().uuid(), uuid);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
    let changed = own.replace("/images'", "/other'");
    let changed = connect
        .storage_pool_define_xml(&changed, Define::NONE)
        .await;
    let error = changed.unwrap_err();
    assert_eq!(
        error.advice(),
        Some("hosts do not change pools: destroy it and define it anew")
    );
}

#[tokio::test]
async fn hosts_of_a_vcenter_share_a_directory() {
    let simulator = Simulator::vcenter().build();
    let path = simulator.path();
    let (cluster, _) = path.rsplit_once('/').unwrap();
    let mut pools = Vec::new();
    for host in ["esx-01.example.com", "esx-02.example.com"] {
        let connect = open(&simulator, &format!("vpx://vc/{cluster}/{host}"))
            .await
            .unwrap();
        let pool = connect.storage_pool_create_xml(NFS, Create::NONE).await;
        pools.push(pool.unwrap());
    }
    // Each host mounts and unmounts it for itself.
    pools[0].destroy().await.unwrap();
    assert_eq!(
        text(pools[0].info().await),
        "Storage pool not found: Could not find storage pool with name 'images'"
    );
    assert_eq!(pools[1].info().await.unwrap().state, Running);
    pools[1].destroy().await.unwrap();
    assert!(pools[1].info().await.is_err());
}

#[tokio::test]
async fn versions_of_nfs() {
    let (_, connect) = host().await;
    let xml = NFS.replace(
        "<format type='nfs'/>",
        "<host name='nas2.example.com'/><format type='nfs'/><protocol ver='4.1'/>",
    );
    connect
        .storage_pool_create_xml(&xml, Create::NONE)
        .await
        .unwrap();
    let found = document(&connect, "images").await.unwrap();
    assert!(found.contains("<protocol ver='4.1'/>"), "{found}");
    assert!(found.contains("<host name='nas2.example.com'/>"), "{found}");

    let (simulator, connect) = host().await;
    let xml = NFS.replace("<format type='nfs'/>", "<protocol ver='3'/>");
    connect
        .storage_pool_create_xml(&xml, Create::NONE)
        .await
        .unwrap();
    simulator.clear_requests();
    for (from, to, expected) in [
        (
            "<format type='nfs'/>",
            "<protocol ver='2'/>",
            "unsupported configuration: hosts do not speak NFS version '2'",
        ),
        (
            "type='nfs'",
            "type='glusterfs'",
            "unsupported configuration: storage pool format glusterfs unsupported",
        ),
        (
            "<host name",
            "<host name='other'/><host name",
            "unsupported configuration: Expected exactly 1 host for the storage pool",
        ),
        (
            "type='netfs'",
            "type='mpath'",
            "internal error: missing backend for pool type 8 (mpath)",
        ),
    ] {
        let xml = NFS.replace(from, to);
        let refused = connect.storage_pool_create_xml(&xml, Create::NONE).await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(methods(&simulator), [""; 0], "nothing is asked");
}

#[tokio::test]
async fn what_servers_and_products_refuse() {
    let (_, connect) = host().await;
    for (from, to, kind) in [
        ("nas.example.com", "nas.invalid", ErrorKind::Fault),
        ("type='nfs'", "type='cifs'", ErrorKind::Fault),
    ] {
        let xml = NFS.replace(from, to);
        let error = connect
            .storage_pool_create_xml(&xml, Create::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
        let text = error.to_string();
        assert!(
            text.starts_with("operation failed: Could not create storage pool: "),
            "{text}"
        );
    }
    let dir = "<pool type='dir'><name>d</name><target><path>/vmfs/d</path></target></pool>";
    let refused = connect.storage_pool_create_xml(dir, Create::NONE).await;
    assert!(refused.is_err());
    for (flags, expected) in [
        (
            Create::from_bits(0x10),
            "unsupported flags (0x10) in function esxStoragePoolCreateXML",
        ),
        (
            Create::WITH_BUILD_OVERWRITE | Create::WITH_BUILD_NO_OVERWRITE,
            "Flags 'VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE' and \
             'VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE' are mutually exclusive",
        ),
    ] {
        assert_eq!(
            text(connect.storage_pool_create_xml(NFS, flags).await),
            expected
        );
    }
    let unknown = NFS.replace("<source>", "<colour/><source>");
    let refused = connect
        .storage_pool_define_xml(&unknown, Define::VALIDATE)
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Definition);
    let broken = connect
        .storage_pool_create_xml("<pool/>", Create::NONE)
        .await;
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::Definition);
}

#[tokio::test]
async fn a_vmfs_is_made_when_a_flag_says_so() {
    let (simulator, connect) = host().await;
    let paths = free(&connect).await;
    simulator.clear_requests();
    let xml = vmfs(&paths[0]);
    for refused in [
        connect.storage_pool_define_xml(&xml, Define::NONE),
        connect.storage_pool_create_xml(&xml, Create::NONE),
    ] {
        let error = refused.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongState);
        assert_eq!(
            error.to_string(),
            "Requested operation is not valid: storage pool 'new' has no file system yet"
        );
    }
    assert_eq!(methods(&simulator), [""; 0]);
    let mut empty = None;
    let mut foreign = None;
    for path in paths {
        match connect
            .storage_pool_create_xml(&vmfs(&path), Create::WITH_BUILD)
            .await
        {
            Ok(pool) => {
                // Its device is not free any more.
                assert!(!free(&connect).await.contains(&path));
                let xml = pool.xml_desc(StoragePoolXmlFlags::NONE).await.unwrap();
                assert!(xml.contains("<format type='vmfs'/>"));
                pool.delete(Default::default()).await.unwrap();
                assert!(free(&connect).await.contains(&path));
                empty = Some(path);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Exists(What::Device));
                assert_eq!(
                    error.to_string(),
                    format!("Storage pool already built: Device '{path}' has partitions")
                );
                foreign = Some(path);
            }
        }
    }
    assert!(empty.is_some());
    let foreign = vmfs(&foreign.unwrap());
    simulator.clear_requests();
    connect
        .storage_pool_create_xml(&foreign, Create::WITH_BUILD | Create::WITH_BUILD_OVERWRITE)
        .await
        .unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "RetrievePropertiesEx",
            "QueryAvailableDisksForVmfs",
            "QueryVmfsDatastoreCreateOptions",
            "CreateVmfsDatastore",
            "RetrievePropertiesEx"
        ]
    );
    let error = connect
        .storage_pool_create_xml(
            &vmfs("/dev/sda").replace("new", "newer"),
            Create::WITH_BUILD,
        )
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Device));
    assert!(error.advice().unwrap().starts_with("free are /vmfs/"));
}

#[tokio::test]
async fn a_target_is_added() {
    let (simulator, connect) = host().await;
    let xml = iscsi(BACKUP, &device(BACKUP));
    let pool = connect
        .storage_pool_create_xml(&xml, Create::NONE)
        .await
        .unwrap();
    assert_eq!(pool.name(), BACKUP);
    assert_eq!(
        methods(&simulator),
        [
            "RetrievePropertiesEx",
            "AddInternetScsiStaticTargets",
            "RescanHba",
            "RetrievePropertiesEx"
        ]
    );
    assert_eq!(targets(&simulator), [TARGET, BACKUP]);
    pool.refresh().await.unwrap();

    simulator.clear_requests();
    let error = connect
        .storage_pool_create_xml(&iscsi("name", &device(BACKUP)), Create::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(error.advice(), Some(&*format!("name it '{BACKUP}'")));
    assert_eq!(methods(&simulator), [""; 0]);
    let initiator = format!(
        "{}<initiator><iqn name='iqn.other'/></initiator>",
        device(SECURE)
    );
    let error = connect
        .storage_pool_create_xml(&iscsi(SECURE, &initiator), Create::NONE)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "internal error: Unable to obtain iSCSI adapter"
    );
    assert!(
        error
            .advice()
            .unwrap()
            .starts_with("the host's initiator is iqn.")
    );
}

#[tokio::test]
async fn a_target_with_several_addresses() {
    let xml = iscsi(
        BACKUP,
        &format!("<host name='192.0.2.51' port='3260'/>{}", device(BACKUP)),
    );
    let (simulator, connect) = host().await;
    connect
        .storage_pool_create_xml(&xml, Create::NONE)
        .await
        .unwrap();
    assert_eq!(targets(&simulator), [TARGET, BACKUP, BACKUP]);
    assert_eq!(
        names(&connect, StoragePoolFilter::ISCSI).await,
        [TARGET, BACKUP]
    );

    let (simulator, connect) = host().await;
    simulator.inject(Rule::new("AddInternetScsiStaticTargets", fault()).nth(2));
    let error = connect
        .storage_pool_create_xml(&xml, Create::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.outcome(), None);
    assert_eq!(targets(&simulator), [TARGET]);
}

#[tokio::test]
async fn targets_are_found() {
    let (simulator, connect) = host().await;
    let pool = connect
        .storage_pool_create_xml(&iscsi(BACKUP, ""), Create::NONE)
        .await;
    assert_eq!(pool.unwrap().name(), BACKUP);
    assert!(methods(&simulator).contains(&"AddInternetScsiSendTargets".to_owned()));
    assert_eq!(adapter(&simulator).configured_send_target.len(), 1);

    // The address is known now, and stays though nothing of that name is there.
    let none = "iqn.2001-05.com.example:storage.backups";
    let error = connect
        .storage_pool_create_xml(&iscsi(none, ""), Create::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::StoragePool));
    assert_eq!(error.advice(), Some(&*format!("did you mean '{BACKUP}'?")));
    assert_eq!(adapter(&simulator).configured_send_target.len(), 1);

    // An address that is told in vain is taken back.
    let (simulator, connect) = host().await;
    let error = connect
        .storage_pool_create_xml(&iscsi(none, ""), Create::NONE)
        .await;
    assert!(error.is_err());
    assert!(adapter(&simulator).configured_send_target.is_empty());
    assert_eq!(targets(&simulator), [TARGET]);
}

#[tokio::test]
async fn credentials_are_those_of_a_secret() {
    let (simulator, connect) = host().await;
    let error = connect
        .storage_pool_create_xml(&secure(), Create::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Secret));
    assert_eq!(
        error.to_string(),
        "Secret not found: no secret with matching usage 'array'"
    );
    assert_eq!(methods(&simulator), [""; 0]);

    let (simulator, connect) = with_secret().await;
    let pool = connect
        .storage_pool_create_xml(&secure(), Create::NONE)
        .await
        .unwrap();
    let made = adapter(&simulator).configured_static_target.pop().unwrap();
    let set = made.authentication_properties.unwrap();
    assert!(set.chap_auth_enabled);
    assert_eq!(set.chap_name.as_deref(), Some("esx"));
    for shown in [
        format!("{pool:?} {connect:?}"),
        pool.xml_desc(StoragePoolXmlFlags::NONE).await.unwrap(),
        connect
            .find_storage_pool_sources("iscsi", None)
            .await
            .unwrap(),
    ] {
        assert!(!shown.contains("simulated-secret"));
    }
}

#[tokio::test]
async fn a_step_that_fails_takes_back_those_before() {
    for (index, step) in STEPS.iter().enumerate() {
        let (simulator, connect) = with_secret().await;
        simulator.inject(Rule::new(*step, fault()).nth(1));
        let error = connect
            .storage_pool_create_xml(&secure(), Create::NONE)
            .await
            .unwrap_err();
        assert!(!format!("{error:?} {error}").contains("simulated-secret"));
        assert_eq!(error.outcome(), None, "{step}");
        assert_eq!(targets(&simulator), [TARGET], "{step}");
        let taken_back = methods(&simulator)
            .iter()
            .filter(|method| *method == "RemoveInternetScsiStaticTargets")
            .count();
        assert_eq!(taken_back, usize::from(index > 0), "{step}");
        // Nothing is left that a second try could stumble over.
        connect
            .storage_pool_create_xml(&secure(), Create::NONE)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told() {
    for step in &STEPS[1..] {
        let (simulator, connect) = with_secret().await;
        simulator.inject(Rule::new(*step, fault()).nth(1));
        simulator.inject(Rule::new("RemoveInternetScsiStaticTargets", fault()).nth(1));
        let error = connect
            .storage_pool_create_xml(&secure(), Create::NONE)
            .await
            .unwrap_err();
        let advice = error.outcome().unwrap();
        let left =
            format!("the target '{SECURE}' at 192.0.2.50:3260 was added to vmhba64 and stays (");
        assert!(advice.starts_with(&left), "{advice}");
        assert_eq!(targets(&simulator), [TARGET, SECURE]);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost() {
    for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
        for step in &STEPS[..2] {
            let (simulator, connect) = with_secret().await;
            simulator.inject(Rule::new(*step, effect.clone()).nth(1));
            let made = connect
                .storage_pool_create_xml(&secure(), Create::NONE)
                .await;
            match made {
                Ok(_) => assert!(is_done, "{step}"),
                Err(error) => {
                    assert!(!is_done, "{step} {error}");
                    assert_eq!(error.kind(), ErrorKind::NotDone);
                    assert_eq!(targets(&simulator), [TARGET]);
                }
            }
        }
        let (simulator, connect) = host().await;
        simulator.inject(Rule::new("CreateNasDatastore", effect.clone()).nth(1));
        let made = connect.storage_pool_create_xml(NFS, Create::NONE).await;
        assert_eq!(made.is_ok(), is_done);
        let (simulator, connect) = host().await;
        let paths = free(&connect).await;
        simulator.inject(Rule::new("CreateVmfsDatastore", effect).nth(1));
        let flags = Create::WITH_BUILD_OVERWRITE;
        let made = connect
            .storage_pool_create_xml(&vmfs(&paths[0]), flags)
            .await;
        assert_eq!(made.is_ok(), is_done);
    }
}
