//! The page of an invented driver and its tests.

use super::*;

const DRIVER: &str = r#"
pub struct Entry { pub domain: Domain }
impl Connect {
    #[doc(alias = "virDomainLookupByName")]
    pub async fn lookup_by_name(&self, name: &str) -> Result<Domain> {}
    #[doc(alias = "virConnectListAllDomains")]
    pub async fn list(&self) -> Result<Vec<Entry>> {}
    #[doc(alias = "virNetworkLookupByName")]
    pub async fn network(&self) -> Result<Network> {}
}
impl Domain {
    #[doc(alias("virDomainCreate", "virDomainCreateWithFlags"))]
    pub fn create(&self) -> Operation<'static> {}
    #[doc(alias = "virDomainGetName")]
    pub fn name(&self) -> &str {}
    #[doc(alias = "virDomainIsActive")]
    pub async fn is_active(&self) -> Result<bool> {}
    #[doc(hidden)]
    pub fn moref(&self) {}
}
impl Network {
    #[doc(alias = "virNetworkGetName")]
    pub fn name(&self) -> &str {}
    #[doc(alias = "virNetworkIsActive")]
    pub fn is_active(&self) -> bool {}
}
"#;

/// What all tests use.
const MAIN: &str = "async fn host() -> (Simulator, Connect) {}";

fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    let read = |(path, text): &(&str, &str)| Source {
        path: (*path).to_owned(),
        file: syn::parse_file(text).unwrap(),
    };
    files.iter().map(read).collect()
}

/// The methods that the tests of a file call, of those that are libvirt's functions.
fn called(text: &str) -> Vec<String> {
    let driver = Driver::read(&sources(&[("esx-driver/src/lib.rs", DRIVER)])).unwrap();
    let files = [
        ("esx-driver/tests/it/main.rs", MAIN),
        ("esx-driver/tests/it/a/b.rs", text),
    ];
    let tests = calls::read(&sources(&files), &driver).unwrap();
    let functions = driver.functions.iter();
    let found = functions.filter(|function| !tests.of(function).is_empty());
    found.map(Function::method).collect()
}

#[test]
fn calls_are_found_by_the_type_of_what_is_called() {
    let open = "#[tokio::test] async fn t() { let (_, connect) = host().await;";
    for (body, expected) in [
        (
            "let it = connect.lookup_by_name(X).await.unwrap(); it.is_active().await?;",
            &["Connect::lookup_by_name", "Domain::is_active"][..],
        ),
        (
            "let it = connect.network().await.unwrap(); assert!(it.is_active());",
            &["Connect::network", "Network::is_active"],
        ),
        (
            "for it in connect.list().await.unwrap() { it.domain.name(); }",
            &["Connect::list", "Domain::name"],
        ),
        (
            "connect.list().await.unwrap().iter().all(|it| it.domain.is_active());",
            &["Connect::list", "Domain::is_active"],
        ),
        (
            "let all = connect.list().await?; all[0].domain.name();",
            &["Connect::list", "Domain::name"],
        ),
        // One type alone has the method.
        ("unknown().create().await;", &["Domain::create"]),
        ("bulk(Domain::create).await;", &["Domain::create"]),
        // Two types have it.
        ("unknown().is_active();", &[]),
        ("let text = \"connect.list()\"; // connect.list()", &[]),
    ] {
        assert_eq!(called(&format!("{open} {body}\n}}")), expected, "{body}");
    }
}

#[test]
fn tests_call_what_their_functions_call() {
    let with =
        |test: &str| format!("async fn start(domain: &Domain) {{ domain.create().await }} {test}");
    assert_eq!(
        called(&with("#[test] fn t() { start(x); }")),
        ["Domain::create"]
    );
    assert_eq!(called(&with("fn helper() { start(x); }")), [""; 0]);
    let own = "fn host() -> Network {} #[test] fn t() { host().is_active(); }";
    assert_eq!(
        called(own),
        ["Network::is_active"],
        "the module's own function"
    );
}

/// The page of a list of functions, where one test calls `Domain::create` and `Domain::is_active`.
fn page_of(list: &str) -> Result<String, String> {
    let driver = Driver::read(&sources(&[("esx-driver/src/lib.rs", DRIVER)])).unwrap();
    let test = "#[test] fn starts() { let it: Domain = x; it.create(); it.is_active(); }";
    let tests = calls::read(&sources(&[("esx-driver/tests/it/a.rs", test)]), &driver).unwrap();
    let list = List::read(list).map_err(|error| error.to_string())?;
    page(&list, &driver, &tests).map_err(|error| error.to_string())
}

#[test]
fn disagreements() {
    let error = page_of("== All\nvirDomainCreate\nvirDomainSave\nvirDomainIsActive: no: never\n")
        .unwrap_err();
    for expected in [
        "esx-driver has no virDomainSave",
        "functions.txt says why there is no virDomainIsActive, and esx-driver has it",
        "Domain::create is libvirt's virDomainCreateWithFlags, which functions.txt does not list",
    ] {
        assert!(error.contains(expected), "{error}");
    }
    let error = page_of("== All\nvirDomainGetName\n").unwrap_err();
    assert!(
        error.contains("esx-driver/src/lib.rs: no test calls Domain::name"),
        "{error}"
    );
    assert!(page_of("virDomainCreate\n").is_err(), "no section");
    assert!(
        page_of("== All\nDomain::create\n").is_err(),
        "not libvirt's name"
    );
}

#[test]
fn lines() {
    let driver = Driver::read(&sources(&[("esx-driver/src/lib.rs", DRIVER)])).unwrap();
    let test = "#[test] fn starts() { let it: Domain = x; it.create(); }";
    let tests = calls::read(&sources(&[("esx-driver/tests/it/a.rs", test)]), &driver).unwrap();
    for (function, absence, expected) in [
        (
            "virDomainCreate",
            None,
            "| virDomainCreate | [`Domain::create`](../esx-driver/src/lib.rs) | `a::starts` |\n",
        ),
        (
            "virDomainSave",
            Some("no: never"),
            "| virDomainSave | no: never |  |\n",
        ),
    ] {
        let row = Row {
            function: function.to_owned(),
            absence: absence.map(str::to_owned),
        };
        let mut wrong = Vec::new();
        assert_eq!(line(&row, &driver, &tests, &mut wrong), expected);
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
