//! Names, titles, descriptions and elements of metadata; NUMA nodes.

use esx_driver::{
    Connect, Domain, ErrorKind, What,
    virt_model::{
        ErrorNumber,
        domain::{MetadataType, NumaParameters, NumatuneMemMode},
        flags::ModificationImpact,
    },
};
use esx_sim::{Effect, Rule, Simulator};
use vi_types::{
    Any, SoapFault,
    enums::VirtualMachinePowerState::{PoweredOff, PoweredOn},
    objects::{ConcurrentAccess, OptionValue, VirtualMachineConfigInfo},
    properties::VirtualMachine,
};

use crate::{host, methods, text};

const NONE: ModificationImpact = ModificationImpact::NONE;

async fn domain() -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

fn config(simulator: &Simulator, domain: &Domain) -> VirtualMachineConfigInfo {
    let vm: VirtualMachine = simulator.properties(domain.moref()).unwrap();
    *vm.config.unwrap()
}

#[tokio::test]
async fn a_domain_gets_another_name() {
    let (simulator, installer) = domain().await;
    let renamed = installer.rename("50% a/b").await.unwrap();
    assert_eq!(
        methods(&simulator)[..2],
        ["RetrievePropertiesEx", "Rename_Task"]
    );
    assert_eq!(
        (renamed.name(), renamed.uuid()),
        ("50% a/b", installer.uuid())
    );
    let connect: &Connect = installer.connect();
    let found = connect.lookup_by_name("50% a/b").await.unwrap();
    assert_eq!(found.moref(), installer.moref());
    assert!(connect.lookup_by_name("installer").await.is_err());
    // A running one too.
    let running = connect.lookup_by_name("web01").await.unwrap();
    running.rename("web02").await.unwrap();
}

#[tokio::test]
async fn names_that_are_refused() {
    let (simulator, domain) = domain().await;
    assert_eq!(
        text(domain.rename("").await),
        "string new_name in virDomainRename must not be empty"
    );
    assert_eq!(
        text(domain.rename("installer").await),
        "Requested operation is not valid: Can't rename domain to itself"
    );
    assert!(methods(&simulator).is_empty());
    let error = domain.rename("web01").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::Domain));
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: domain with name 'web01' already exists"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_rename() {
    for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
        let (simulator, domain) = domain().await;
        simulator.inject(Rule::new("Rename_Task", effect).nth(1));
        let result = domain.rename("setup").await;
        assert_eq!(result.is_ok(), is_done);
        assert_eq!(config(&simulator, &domain).name == "setup", is_done);
    }
}

#[tokio::test]
async fn titles_and_descriptions() {
    for (part, missing) in [
        (
            MetadataType::Title,
            "metadata not found: Requested title element is not present",
        ),
        (
            MetadataType::Description,
            "metadata not found: Requested description element is not present",
        ),
    ] {
        let (simulator, domain) = domain().await;
        let set = |text| domain.set_metadata(part, text, None, None, NONE);
        let get = || domain.metadata(part, None, NONE);
        set(Some("Setup \"of\" <hosts> & 5 | more")).await.unwrap();
        assert_eq!(
            methods(&simulator)[..2],
            ["RetrievePropertiesEx", "ReconfigVM_Task"]
        );
        simulator.clear_requests();
        assert_eq!(get().await.unwrap(), "Setup \"of\" <hosts> & 5 | more");
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
        set(None).await.unwrap();
        let error = get().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::Metadata));
        assert_eq!(error.code(), ErrorNumber::NoDomainMetadata);
        assert_eq!(error.to_string(), missing);
    }
}

#[tokio::test]
async fn elements_have_namespaces() {
    let (simulator, domain) = domain().await;
    let set =
        |text, key, uri| domain.set_metadata(MetadataType::Element, text, key, Some(uri), NONE);
    let get = |uri| domain.metadata(MetadataType::Element, Some(uri), NONE);
    set(Some("<a>b</a>"), Some("k"), "urn:one").await.unwrap();
    set(Some("<a x='1'><c/></a>"), Some("k"), "urn:two")
        .await
        .unwrap();
    assert_eq!(get("urn:one").await.unwrap(), "<a>b</a>");
    assert_eq!(get("urn:two").await.unwrap(), "<a x=\"1\">\n  <c/>\n</a>");
    set(Some("<d/>"), Some("j"), "urn:one").await.unwrap();
    assert_eq!(get("urn:one").await.unwrap(), "<d/>");
    simulator.clear_requests();
    set(Some("<d/>"), Some("j"), "urn:one").await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx"],
        "nothing changes"
    );
    set(None, None, "urn:two").await.unwrap();
    assert_eq!(
        text(get("urn:two").await),
        "metadata not found: Requested metadata element is not present"
    );
    set(None, None, "urn:one").await.unwrap();
    let options = config(&simulator, &domain).extra_config;
    assert!(
        options
            .iter()
            .all(|option| !option.key.starts_with("libvirt."))
    );
    // What is not there is removed at once.
    set(None, None, "urn:one").await.unwrap();
}

#[tokio::test]
async fn metadata_that_is_refused() {
    let (simulator, domain) = domain().await;
    let (element, title) = (MetadataType::Element, MetadataType::Title);
    for (part, metadata, key, uri, expected) in [
        (
            title,
            Some("a\nb"),
            None,
            None,
            "metadata title can't contain newlines",
        ),
        (
            title,
            Some("a"),
            Some("k"),
            None,
            "key in virDomainSetMetadata must be NULL",
        ),
        (
            title,
            Some("a"),
            None,
            Some("u"),
            "uri in virDomainSetMetadata must be NULL",
        ),
        (
            element,
            Some("<a/>"),
            Some("k"),
            None,
            "uri in virDomainSetMetadata must not be NULL",
        ),
        (
            element,
            Some("<a/>"),
            None,
            Some("u"),
            "key in virDomainSetMetadata must not be NULL",
        ),
        (
            element,
            Some("<a/>"),
            Some("1k"),
            Some("u"),
            "internal error: failed to validate prefix for a new XML namespace",
        ),
        (
            element,
            Some("<k:a xmlns:k='u'/>"),
            Some("k"),
            Some("u"),
            "internal error: failed to create a new XML namespace",
        ),
    ] {
        let set = domain.set_metadata(part, metadata, key, uri, NONE).await;
        assert_eq!(text(set), expected);
    }
    let set = domain
        .set_metadata(element, Some("<a"), Some("k"), Some("u"), NONE)
        .await;
    assert_eq!(set.unwrap_err().kind(), ErrorKind::Definition);
    let get = domain.metadata(title, Some("u"), NONE).await;
    assert_eq!(text(get), "uri in virDomainGetMetadata must be NULL");
    assert!(methods(&simulator).is_empty());
    let live = ModificationImpact::LIVE;
    let not_running = "Requested operation is not valid: domain is not running";
    for part in [MetadataType::Description, title] {
        assert_eq!(text(domain.metadata(part, None, live).await), not_running);
        let set = domain.set_metadata(part, Some("x"), None, None, live).await;
        assert_eq!(text(set), not_running);
    }
    let set = domain
        .set_metadata(element, None, None, Some("u"), live)
        .await;
    assert_eq!(text(set), not_running);
}

#[tokio::test]
async fn elements_of_others_are_not_overwritten() {
    let (simulator, domain) = domain().await;
    simulator.inject(
        Rule::new(
            "ReconfigVM_Task",
            Effect::Fault(SoapFault::new(ConcurrentAccess::default(), "changed").into()),
        )
        .nth(1),
    );
    let set = domain.set_metadata(
        MetadataType::Element,
        Some("<a/>"),
        Some("k"),
        Some("u"),
        NONE,
    );
    let error = set.await.unwrap_err();
    assert_eq!(
        error.advice(),
        Some("the virtual machine's configuration was changed meanwhile; try again")
    );
}

#[tokio::test]
async fn elements_that_are_no_xml() {
    let (simulator, domain) = domain().await;
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let option = OptionValue {
            key: "libvirt.metadata".to_owned(),
            value: Some(Any::from("<metadata>")),
            ..OptionValue::default()
        };
        vm.config.as_mut().unwrap().extra_config.push(option.into());
    });
    let error = domain
        .metadata(MetadataType::Element, Some("u"), NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Definition);
    assert!(error.to_string().contains("'libvirt.metadata'"), "{error}");
}

#[tokio::test]
async fn numa_nodes() {
    for state in [PoweredOff, PoweredOn] {
        let (simulator, domain) = domain().await;
        simulator.set_power_state(domain.moref(), state);
        let get = || domain.numa_parameters(NONE);
        let mut expected = NumaParameters {
            mode: Some(NumatuneMemMode::Strict),
            nodeset: Some("".parse().unwrap_or_default()),
            ..NumaParameters::default()
        };
        assert_eq!(get().await.unwrap(), expected);
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
        expected.nodeset = Some("0-1".parse().unwrap());
        domain
            .set_numa_parameters(&expected, ModificationImpact::CONFIG)
            .await
            .unwrap();
        assert_eq!(get().await.unwrap(), expected);
        let affinity = config(&simulator, &domain).memory_affinity.unwrap();
        assert_eq!(affinity.affinity_set, [0, 1]);
        expected.mode = Some(NumatuneMemMode::Interleave);
        assert_eq!(
            text(domain.set_numa_parameters(&expected, NONE).await),
            "unsupported configuration: ESX supports only the NUMA mode 'strict'"
        );
    }
}
