//! Definitions: described, converted, made and forgotten.

use esx_driver::{
    Connect, DefineFlags, ErrorKind, UndefineFlags, What,
    virt_model::{DomainFilter, DomainXmlFlags, ErrorNumber},
};
use esx_sim::{Effect, Outcome, Question, Rule, Script, Simulator};
use http::StatusCode;
use vi_types::objects::{AlreadyExists, NoPermission};

use crate::{host, methods, open, text};

/// The definition of a domain that is off.
async fn described(connect: &Connect, name: &str) -> String {
    let domain = connect.lookup_by_name(name).await.unwrap();
    domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap()
}

/// The definition of `build/ci` as another domain's, with these parts replaced.
async fn variant(connect: &Connect, changes: &[(&str, &str)]) -> String {
    let mut xml = described(connect, "build/ci").await;
    let start = xml.find("<uuid>").unwrap();
    let end = xml.find("</uuid>").unwrap();
    xml.replace_range(start..end, "<uuid>11111111-2222-3333-4444-555555555555");
    for (from, to) in [("<name>build/ci<", "<name>new<")].iter().chain(changes) {
        assert!(xml.contains(from), "{from} is not in {xml}");
        xml = xml.replace(from, to);
    }
    xml
}

#[tokio::test]
async fn a_description_is_the_file_on_the_datastore() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    let xml = domain.xml_desc(DomainXmlFlags::NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "RetrievePropertiesEx",
            "/folder/web01/web01.vmx?dcPath=ha-datacenter&dsName=ssd"
        ]
    );
    for line in [
        "<domain type='vmware' id='1' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>",
        "  <name>web01</name>",
        "      <source file='[ssd] web01/web01.vmdk'/>",
        "  <vmware:datacenterpath>ha-datacenter</vmware:datacenterpath>",
        "  <vmware:moref>1</vmware:moref>",
    ] {
        assert!(
            xml.lines().any(|found| found == line),
            "{line} is not in {xml}"
        );
    }
    let inactive = domain.xml_desc(DomainXmlFlags::INACTIVE).await.unwrap();
    assert!(
        inactive.starts_with("<domain type='vmware' xmlns:vmware="),
        "{inactive}"
    );
    assert_eq!(
        text(domain.xml_desc(DomainXmlFlags::UPDATE_CPU).await),
        "unsupported flags (0x4) in function esxDomainGetXMLDesc"
    );
}

#[tokio::test]
async fn names_on_other_datastores_are_looked_up() {
    let (simulator, connect) = host().await;
    let file = simulator.file("[ssd] web01/web01.vmx").unwrap();
    let vmx = String::from_utf8(file.to_vec()).unwrap();
    let text = vmx.replace(
        "\"web01.vmdk\"",
        "\"/vmfs/volumes/datastore1/other/x.vmdk\"",
    );
    assert_ne!(text, vmx);
    assert!(simulator.write_file("[ssd] web01/web01.vmx", text));
    let xml = described(&connect, "web01").await;
    assert!(
        xml.contains("<source file='[datastore1] other/x.vmdk'/>"),
        "{xml}"
    );
}

#[tokio::test]
async fn the_identity_is_that_of_the_uri() {
    for (query, uuid, hwuuid) in [
        ("", "instance", true),
        ("?legacy_uuid=1", "bios", true),
        ("?legacy_uuid=1&libvirt=9.0.0", "bios", false),
        ("?libvirt=11.3", "bios", false),
    ] {
        let simulator = Simulator::esx().build();
        let uri = format!("esx://esx.example.com/{query}");
        let connect = open(&simulator, &uri).await.unwrap();
        let vm = simulator.vm("web01").unwrap();
        let vm: vi_types::properties::VirtualMachine = simulator.properties(&vm).unwrap();
        let config = vm.config.unwrap();
        let expected = match uuid {
            "bios" => config.uuid.clone(),
            _ => config.instance_uuid.clone().unwrap(),
        };
        let xml = described(&connect, "web01").await;
        assert!(
            xml.contains(&format!("<uuid>{expected}</uuid>")),
            "{query}: {xml}"
        );
        let shown = format!("<hwuuid>{}</hwuuid>", config.uuid);
        assert_eq!(xml.contains(&shown), hwuuid, "{query}: {xml}");
    }
}

#[tokio::test]
async fn a_lookup_by_the_other_uuid_says_whose_it_is() {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("web01").unwrap();
    let vm: vi_types::properties::VirtualMachine = simulator.properties(&vm).unwrap();
    let config = vm.config.unwrap();
    let (bios, instance) = (config.uuid, config.instance_uuid.unwrap());
    for (query, own, other, advice) in [
        ("", &instance, &bios, "set legacy_uuid=1 in the URI"),
        ("?libvirt=9.0.0", &bios, &instance, "leave legacy_uuid=1"),
    ] {
        let uri = format!("esx://esx.example.com/{query}");
        let connect = open(&simulator, &uri).await.unwrap();
        let found = connect.lookup_by_uuid(own.parse().unwrap()).await.unwrap();
        assert_eq!(found.name(), "web01");
        let error = connect
            .lookup_by_uuid(other.parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(error.code(), ErrorNumber::NoDomain);
        let told = error.advice().unwrap();
        assert!(told.contains("'web01'") && told.contains(advice), "{told}");
        let unknown = connect
            .lookup_by_uuid(virt_model::Uuid::NIL)
            .await
            .unwrap_err();
        assert_eq!(unknown.advice(), None);
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_named() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    assert!(simulator.delete_file("[ssd] web01/web01.vmx"));
    let error = domain.xml_desc(DomainXmlFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert_eq!(
        error.to_string(),
        "internal error: HTTP response code 404 for download from 'https://esx.example.com:443\
         /folder/web01/web01.vmx?dcPath=ha-datacenter&dsName=ssd'"
    );
    let advice = error.advice().unwrap();
    assert!(
        advice.starts_with("there is no file '[ssd] web01/web01.vmx'"),
        "{advice}"
    );
}

#[tokio::test]
async fn what_libvirt_refuses_is_described_unless_libvirt_is_asked_for() {
    let simulator = Simulator::esx().build();
    let vmx = String::from_utf8(simulator.file("[ssd] web01/web01.vmx").unwrap().to_vec()).unwrap();
    let odd = vmx.replace("virtualDev = \"vmxnet3\"", "virtualDev = \"vmxnet9\"");
    assert_ne!(odd, vmx);
    assert!(simulator.write_file("[ssd] web01/web01.vmx", odd));
    let ours = open(&simulator, "esx://esx.example.com/").await.unwrap();
    assert!(
        described(&ours, "web01")
            .await
            .contains("<name>web01</name>")
    );
    let libvirts = open(&simulator, "esx://esx.example.com/?libvirt=newest")
        .await
        .unwrap();
    let domain = libvirts.lookup_by_name("web01").await.unwrap();
    let error = domain.xml_desc(DomainXmlFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Definition);
    assert!(
        error.to_string().contains("ethernet0.virtualDev"),
        "{error}"
    );
}

#[tokio::test]
async fn a_domain_is_defined_beside_its_disk_and_forgotten() {
    let (simulator, connect) = host().await;
    let xml = variant(&connect, &[]).await;
    simulator.clear_requests();
    let domain = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!((domain.name(), domain.id()), ("new", None));
    let file = simulator.file("[datastore1] build-ci/new.vmx").unwrap();
    let vmx = String::from_utf8(file.to_vec()).unwrap();
    assert!(vmx.contains("displayName = \"new\"\n"), "{vmx}");
    let put = simulator
        .requests()
        .into_iter()
        .find(|request| request.verb == "PUT");
    let put = put.unwrap();
    assert_eq!(
        put.path,
        "/folder/build-ci/new.vmx?dcPath=ha-datacenter&dsName=datastore1"
    );
    assert_eq!(put.body, file);

    let moref = format!("<vmware:moref>{}</vmware:moref>", domain.moref().value);
    let again = described(&connect, "new").await;
    assert!(again.contains(&moref), "{again}");
    assert!(
        again.contains("<source file='[datastore1] build-ci/build-ci.vmdk'/>"),
        "{again}"
    );

    // The server chose the UUID, and the guest's is the document's: it is the same domain.
    let second = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!(second.moref(), domain.moref());

    domain.undefine(UndefineFlags::NONE).await.unwrap();
    let gone = connect.lookup_by_name("new").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound(What::Domain));
    // Only the host forgets it.
    assert!(simulator.file("[datastore1] build-ci/new.vmx").is_some());
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn names_are_hidden_from_file_systems() {
    let (simulator, connect) = host().await;
    let name = ("<name>build/ci<", "<name>50% &quot;a&quot;/b ü \u{1f600}<");
    let mut xml = described(&connect, "build/ci")
        .await
        .replace(name.0, name.1);
    let uuid = xml.find("<uuid>").unwrap()..xml.find("</uuid>").unwrap();
    xml.replace_range(uuid, "<uuid>11111111-2222-3333-4444-555555555555");
    let domain = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!(domain.name(), "50% \"a\"/b ü \u{1f600}");
    let file = "[datastore1] build-ci/50+JQ-25 _a_+JQ-2fb +w7w- +8J+YgA.vmx";
    assert!(simulator.file(file).is_some());
    let again = described(&connect, domain.name()).await;
    assert!(
        again.contains("<name>50% &quot;a&quot;/b ü \u{1f600}</name>"),
        "{again}"
    );
}

#[tokio::test]
async fn a_controller_may_be_left_to_the_host() {
    let (simulator, connect) = host().await;
    let auto = [("model='vmpvscsi'", "model='auto'")];
    let xml = variant(&connect, &auto).await;
    let vmx = connect
        .domain_xml_to_native("vmware-vmx", &xml)
        .await
        .unwrap();
    assert!(vmx.contains("scsi0.virtualDev = \"pvscsi\"\n"), "{vmx}");
    assert_eq!(simulator.leftovers(), []);

    for (name, error) in [
        (
            "build-ci/no.vmdk",
            "Storage volume not found: No storage volume with key or path '[datastore1] build-ci/no.vmdk'",
        ),
        (
            "no/no.vmdk",
            "internal error: Could not search in datastore 'datastore1': FileNotFound - File \
             [datastore1] no was not found",
        ),
    ] {
        let gone = [auto[0], ("build-ci/build-ci.vmdk", name)];
        let xml = variant(&connect, &gone).await;
        assert_eq!(
            text(connect.domain_xml_to_native("vmware-vmx", &xml).await),
            error
        );
    }
}

#[tokio::test]
async fn documents_that_cannot_be_domains_are_refused_before_anything_is_written() {
    let (simulator, connect) = host().await;
    for (changes, expected) in [
        (
            &[("<name>build/ci<", "<name>a\nb<")][..],
            "invalid char in name",
        ),
        (
            &[("[datastore1] build-ci", "[nowhere] build-ci")][..],
            "Could not find datastore with name 'nowhere'",
        ),
        (
            &[("[datastore1] build-ci", "relative")][..],
            "Could not handle file name 'relative/build-ci.vmdk'",
        ),
        (
            &[("build-ci.vmdk", "build-ci.raw")][..],
            "expecting '.vmdk'",
        ),
        (
            &[("<domain type='vmware'", "<domain type='kvm'")][..],
            "kvm",
        ),
    ] {
        let mut xml = described(&connect, "build/ci").await;
        let uuid = xml.find("<uuid>").unwrap()..xml.find("</uuid>").unwrap();
        xml.replace_range(uuid, "<uuid>11111111-2222-3333-4444-555555555555");
        for (from, to) in changes {
            assert!(xml.contains(from), "{from} is not in {xml}");
            xml = xml.replace(from, to);
        }
        let xml = xml.replace("<name>build/ci<", "<name>new<");
        let error = connect
            .define_xml(&xml, DefineFlags::NONE)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    for xml in [
        "",
        "<a/>",
        "<domain",
        "<!DOCTYPE x []><domain type='vmware'/>",
    ] {
        let error = connect
            .define_xml(xml, DefineFlags::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Definition, "{error}");
    }
    let requests = simulator.requests();
    assert!(requests.iter().all(|request| request.verb != "PUT"));
    assert_eq!(
        text(connect.define_xml("", DefineFlags::from_bits(2)).await),
        "unsupported flags (0x2) in function esxDomainDefineXMLFlags"
    );
}

#[tokio::test]
async fn what_has_no_place_is_an_error_when_that_is_asked_for() {
    let (_, connect) = host().await;
    let rng = "<devices>\n    <rng model='virtio'/>";
    let xml = variant(&connect, &[("<devices>", rng)]).await;
    let error = connect
        .define_xml(&xml, DefineFlags::VALIDATE)
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorNumber::XmlInvalidSchema);
    assert!(error.to_string().contains("/domain/devices/rng"), "{error}");
    let domain = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!(domain.name(), "new");
}

#[tokio::test]
async fn a_host_that_does_not_take_the_file_or_the_domain_says_why() {
    let (simulator, connect) = host().await;
    let xml = variant(&connect, &[]).await;
    simulator.inject(Rule::new("PUT", Effect::Status(StatusCode::INSUFFICIENT_STORAGE)).nth(1));
    let error = connect
        .define_xml(&xml, DefineFlags::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert!(
        error
            .to_string()
            .starts_with("internal error: HTTP response code 507 for upload to 'https://"),
        "{error}"
    );
    for (status, advice) in [
        (
            StatusCode::FORBIDDEN,
            "a running domain has locked '[datastore1] build-ci/new.vmx'",
        ),
        (
            StatusCode::UNAUTHORIZED,
            "the user may not use files of the datastore 'datastore1'",
        ),
        (
            StatusCode::CONFLICT,
            "'[datastore1] build-ci/new.vmx' is a folder",
        ),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "check that the datastore 'datastore1' is accessible and writable",
        ),
        (
            StatusCode::INSUFFICIENT_STORAGE,
            "the datastore 'datastore1' has no room",
        ),
    ] {
        let refusal = Rule::new("PUT", Effect::Status(status)).times(3);
        simulator.inject(refusal);
        let error = connect.define_xml(&xml, DefineFlags::NONE).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{status}");
        assert!(error.advice().unwrap().contains(advice), "{error:?}");
        simulator.clear_rules();
    }
    // Without any rule: a folder that is not there, and a datastore.
    let elsewhere = |source: &str| {
        let begin = xml.find("[datastore1] build-ci/").unwrap();
        let end = begin + xml[begin..].find('\'').unwrap();
        xml.replacen(&xml[begin..end], source, 1)
    };
    let missing = elsewhere("[datastore1] no/such/x.vmdk");
    let error = connect.define_xml(&missing, DefineFlags::NONE).await;
    assert_eq!(
        error.unwrap_err().advice(),
        Some(
            "the datastore 'datastore1' has no folder 'no/such'; creating a volume in it makes it"
        )
    );
    let missing = elsewhere("[nosuch] x.vmdk");
    let error = connect.define_xml(&missing, DefineFlags::NONE).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("datastore with name 'nosuch'"), "{error}");
    let denied = vi_types::SoapFault::new(NoPermission::default(), "not for you");
    simulator.inject(Rule::new("RegisterVM_Task", Effect::Fault(Box::new(denied))).nth(1));
    let error = connect
        .define_xml(&xml, DefineFlags::NONE)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "internal error: Could not define domain: NoPermission - not for you"
    );
    assert!(error.fault().unwrap().is::<NoPermission>());
    let advice = "the file '[datastore1] build-ci/new.vmx' has been written and stays";
    assert_eq!(error.advice(), Some(advice));
    let exists = vi_types::SoapFault::new(AlreadyExists::default(), "it exists");
    simulator.inject(Rule::new("RegisterVM_Task", Effect::Fault(Box::new(exists))).nth(1));
    let error = connect
        .define_xml(&xml, DefineFlags::NONE)
        .await
        .unwrap_err();
    assert_eq!(
        error.advice(),
        Some(format!("the host has a domain with this file already; {advice}").as_str())
    );
}

#[tokio::test]
async fn only_domains_that_do_not_run_are_forgotten() {
    let (_, connect) = host().await;
    let running = connect.lookup_by_name("web01").await.unwrap();
    let error = running.undefine(UndefineFlags::NONE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: Domain is not suspended or powered off"
    );
    let paused = connect.lookup_by_name("desktop").await.unwrap();
    assert_eq!(
        text(
            paused
                .undefine(UndefineFlags::TPM | UndefineFlags::SNAPSHOTS_METADATA)
                .await
        ),
        "unsupported flags (0x20) in function esxDomainUndefineFlags"
    );
    paused
        .undefine(UndefineFlags::SNAPSHOTS_METADATA)
        .await
        .unwrap();
    let left = connect
        .list_all_domains(DomainFilter::default())
        .await
        .unwrap();
    assert!(
        left.domains
            .iter()
            .all(|entry| entry.domain.name() != "desktop")
    );
    assert_eq!(
        paused
            .xml_desc(DomainXmlFlags::NONE)
            .await
            .unwrap_err()
            .kind(),
        ErrorKind::NotFound(What::Domain)
    );
}

#[tokio::test]
async fn configurations_are_converted_without_making_anything() {
    let (simulator, connect) = host().await;
    let xml = described(&connect, "build/ci").await;
    let vmx = connect
        .domain_xml_to_native("vmware-vmx", &xml)
        .await
        .unwrap();
    let back = connect
        .domain_xml_from_native("vmware-vmx", &vmx)
        .await
        .unwrap();
    assert!(
        back.contains("<source file='[datastore1] build-ci/build-ci.vmdk'/>"),
        "{back}"
    );
    let relative = vmx
        .replace("/vmfs/volumes/", "")
        .replace("build-ci/build-ci.vmdk", "x.vmdk");
    let relative = relative
        .lines()
        .map(|line| match line.starts_with("scsi0:0.fileName") {
            true => "scsi0:0.fileName = \"x.vmdk\"\n".to_owned(),
            false => format!("{line}\n"),
        });
    let relative: String = relative.collect();
    let back = connect
        .domain_xml_from_native("vmware-vmx", &relative)
        .await
        .unwrap();
    assert!(back.contains("<source file='[?] ?/x.vmdk'/>"), "{back}");
    let name = b".encoding = \"windows-1252\"\nconfig.version = \"8\"\nvirtualHW.version = \"9\"\ndisplayName = \"\xe4\"\n";
    let back = connect
        .domain_xml_from_native("vmware-vmx", name)
        .await
        .unwrap();
    assert!(back.contains("<name>ä</name>"), "{back}");
    for result in [
        connect.domain_xml_to_native("qemu-argv", &xml).await,
        connect.domain_xml_from_native("qemu-argv", &vmx).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigFormat);
        assert_eq!(
            error.to_string(),
            "invalid argument: Unsupported config format 'qemu-argv'"
        );
    }
    let requests = simulator.requests();
    assert!(requests.iter().all(|request| request.verb != "PUT"));
}

/// Defines a domain at a host that asks something before it has registered the machine.
async fn asked(query: &str, script: Script) -> (Simulator, esx_driver::Result<esx_driver::Domain>) {
    let simulator = Simulator::esx().build();
    simulator.script(script);
    let uri = format!("esx://esx.example.com/?{query}");
    let connect = open(&simulator, &uri).await.unwrap();
    let xml = variant(&connect, &[]).await;
    simulator.clear_requests();
    let defined = connect.define_xml(&xml, DefineFlags::NONE).await;
    assert_eq!(simulator.leftovers(), []);
    (simulator, defined)
}

fn asks() -> Script {
    Script::new("RegisterVM_Task").asks(Question::moved_or_copied())
}

#[tokio::test(start_paused = true)]
async fn a_question_of_the_new_machine_is_answered() {
    for script in [
        asks(),
        Script::new("RegisterVM_Task").asks_at_once(Question::moved_or_copied()),
    ] {
        let (simulator, defined) = asked("auto_answer=1", script).await;
        assert_eq!(defined.unwrap().name(), "new");
        let methods = methods(&simulator);
        let count = |wanted: &str| methods.iter().filter(|method| *method == wanted).count();
        assert_eq!(
            (count("RegisterVM_Task"), count("AnswerVM")),
            (1, 1),
            "{methods:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_of_the_new_machine_is_reported() {
    for (cancelable, left) in [
        (true, "the blocked task was cancelled"),
        (
            false,
            "the blocked task cannot be cancelled and is left behind",
        ),
    ] {
        let (simulator, defined) = asked("", asks().cancelable(cancelable)).await;
        let error = defined.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked);
        let text = error.to_string();
        assert!(
            text.starts_with(
                "internal error: Pending question blocks virtual machine execution, question is 'msg.uuid.altered: "
            ),
            "{text}"
        );
        assert!(
            text.ends_with("possible answers are 'Cancel', 'I moved it', 'I copied it'"),
            "{text}"
        );
        let advice = error.advice().unwrap();
        assert!(advice.ends_with(left), "{advice}");
        assert_eq!(simulator.vm("new").is_none(), cancelable);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_end_the_definition() {
    let question = Question::new("Shall there be another one?")
        .choice("No", Outcome::fail(NoPermission::default(), "Not here."))
        .default(0);
    let script = Script::new("RegisterVM_Task").asks(question);
    let (simulator, defined) = asked("auto_answer=1", script).await;
    let error = defined.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_eq!(
        error.to_string(),
        "internal error: Could not define domain: NoPermission - Not here."
    );
    assert_eq!(
        error.advice(),
        Some("the file '[datastore1] build-ci/new.vmx' has been written and stays")
    );
    assert_eq!(simulator.vm("new"), None);
}

/// The machine is there only when the task is over.
#[tokio::test(start_paused = true)]
async fn a_slow_definition_is_waited_for() {
    let (simulator, connect) = host().await;
    let xml = variant(&connect, &[]).await;
    simulator.stop_tasks();
    let defined = connect.define_xml(&xml, DefineFlags::NONE);
    let steps = async {
        for _ in 0..6 {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            simulator.step_tasks();
        }
    };
    let (domain, ()) = tokio::join!(defined, steps);
    assert_eq!(domain.unwrap().name(), "new");
    let methods = methods(&simulator);
    assert!(
        methods.contains(&"FindByDatastorePath".to_owned()),
        "{methods:?}"
    );
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn a_vcenter_defines_in_the_hosts_datacenter() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    let listed = connect
        .list_all_domains(DomainFilter::default())
        .await
        .unwrap();
    let off = listed
        .domains
        .iter()
        .find(|entry| entry.domain.id().is_none())
        .unwrap();
    let name = off.domain.name();
    let mut xml = described(&connect, name).await;
    let place = xml.find("<vmware:datacenterpath>").unwrap();
    assert!(xml[place..].contains('/'), "the datacenter is in a folder");
    let uuid = xml.find("<uuid>").unwrap()..xml.find("</uuid>").unwrap();
    xml.replace_range(uuid, "<uuid>11111111-2222-3333-4444-555555555555");
    let xml = xml.replace(&format!("<name>{name}<"), "<name>new<");
    let domain = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!(domain.name(), "new");
    domain.undefine(UndefineFlags::NONE).await.unwrap();
}
