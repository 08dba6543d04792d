//! Connection URIs: every row of libvirt's rules, and where we differ on purpose.

use std::path::Path;

use esx_driver::{
    Error, ErrorKind, EsxUri, Scheme, Transport, VCenter,
    vi_client::transport::{Proxy, ProxyKind, Thumbprint},
    virt_model::ErrorNumber,
};

#[track_caller]
fn uri(text: &str) -> EsxUri {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn error(text: &str) -> Error {
    match text.parse::<EsxUri>() {
        Ok(uri) => panic!("{text}: {uri:?}"),
        Err(error) => error,
    }
}

#[track_caller]
fn with(query: &str) -> EsxUri {
    uri(&format!("esx://h/?{query}"))
}

#[track_caller]
fn refused(query: &str, message: &str) {
    let error = error(&format!("esx://h/?{query}"));
    assert_eq!(error.to_string(), format!("invalid argument: {message}"));
    assert_eq!(error.kind(), ErrorKind::UriParameter);
    assert_eq!(error.code(), ErrorNumber::InvalidArg);
}

#[test]
fn schemes_and_default_ports() {
    for (text, scheme, port) in [
        ("esx://h", Scheme::Esx, 443),
        ("esx://h/?transport=http", Scheme::Esx, 80),
        ("vpx://h/dc/c", Scheme::Vpx, 443),
        ("vpx://h/dc/c?transport=http", Scheme::Vpx, 80),
        ("gsx://h", Scheme::Gsx, 8333),
        ("gsx://h/?transport=http", Scheme::Gsx, 8222),
        ("ESX://h", Scheme::Esx, 443),
        ("esx://h:8443/", Scheme::Esx, 8443),
        ("esx://h:00443/", Scheme::Esx, 443),
        ("esx://h:/", Scheme::Esx, 443),
        ("esx://h:0/", Scheme::Esx, 443),
    ] {
        assert_eq!(
            (uri(text).scheme(), uri(text).port()),
            (scheme, port),
            "{text}"
        );
    }
}

#[test]
fn unknown_schemes() {
    let no_driver = error("qemu://h/system");
    assert_eq!(
        no_driver.to_string(),
        "no connection driver available for qemu://h/system"
    );
    assert_eq!(no_driver.code(), ErrorNumber::NoConnect);
    let tunnelled = error("esx+ssh://h/");
    assert_eq!(
        tunnelled.advice(),
        Some("the driver needs no libvirt daemon, use esx://")
    );
}

#[test]
fn missing_server() {
    for text in [
        "esx://",
        "esx:",
        "esx:/h",
        "esx:///",
        "esx://root@/",
        "esx://:443/",
    ] {
        let error = error(text);
        assert_eq!(
            error.to_string(),
            "invalid argument: URI is missing the server part",
            "{text}"
        );
    }
}

#[test]
fn malformed() {
    for text in [
        "",
        "esx",
        "esx://ho st/",
        "esx://[::1/",
        "esx://[zz]/",
        "esx://[::1]x/",
        "esx://h:x/",
        "esx://h:-1/",
        "esx://h%/",
        "esx://h/%zz",
        "esx://h/%ff",
        "esx://h/%00",
        "esx://u@v@h/",
        "esx://h/a b",
        "esx://h/{}",
        "esx://hö/",
        "1esx://h/",
    ] {
        let error = error(text);
        assert_eq!(
            error.to_string(),
            format!("internal error: Unable to parse URI {text}")
        );
        assert_eq!(error.kind(), ErrorKind::Uri);
    }
}

#[test]
fn port_out_of_range() {
    assert_eq!(
        error("esx://h:65536/").to_string(),
        "invalid argument: URI has unexpected port value '65536' (should be [1..65535])"
    );
}

#[test]
fn users() {
    for (text, user) in [
        ("esx://h/", None),
        ("esx://@h/", None),
        ("esx://root@h/", Some("root")),
        (
            "vpx://administrator%40vsphere.local@h/dc/c",
            Some("administrator@vsphere.local"),
        ),
        ("esx://DOM%5Cuser@h/", Some("DOM\\user")),
        ("esx://a%3Ab@h/", Some("a:b")),
        ("esx://j%C3%B6rg@h/", Some("jörg")),
    ] {
        assert_eq!(uri(text).user(), user, "{text}");
    }
}

#[test]
fn passwords_are_refused_and_not_shown() {
    for text in [
        "esx://root:s3cret@h/",
        "esx://root:s3cret@h:x/",
        "esx://root:s3cret@h /",
    ] {
        let error = error(text);
        assert!(
            !format!("{error} {error:?} {:?}", error.advice()).contains("s3cret"),
            "{text}"
        );
    }
    let refused = error("esx://root:s3cret@h/");
    assert_eq!(
        refused.to_string(),
        "invalid argument: URI must not carry a password"
    );
    assert!(
        !error("qemu://root:s3cret@h/")
            .to_string()
            .contains("s3cret")
    );
}

#[test]
fn servers() {
    for (text, server) in [
        ("esx://esx1.example.com/", "esx1.example.com"),
        ("esx://192.0.2.1:444/", "192.0.2.1"),
        ("esx://[2001:db8::1]/", "2001:db8::1"),
        ("esx://root@[::1]:443/", "::1"),
        ("esx://[fe80::1%25eth0]/", "fe80::1%eth0"),
        ("esx://h_x/", "h_x"),
        ("esx://%41b/", "Ab"),
        ("esx://h?no_verify=1", "h"),
    ] {
        assert_eq!(uri(text).server(), server, "{text}");
    }
}

#[test]
fn paths_of_hosts_are_ignored_with_a_warning() {
    assert!(uri("esx://h").warnings().is_empty());
    assert!(uri("esx://h/").warnings().is_empty());
    assert_eq!(
        uri("gsx://h/a%20b").warnings(),
        ["Ignoring unexpected path '/a b' for non-vpx scheme 'gsx'"]
    );
}

#[test]
fn vcenters_need_a_path() {
    for text in ["vpx://h", "vpx://h/", "vpx://h///", "vpx://h?no_verify=1"] {
        let error = error(text);
        assert_eq!(
            error.to_string(),
            "invalid argument: Path has to specify the datacenter and compute resource",
            "{text}"
        );
        assert_eq!(error.kind(), ErrorKind::InventoryPath);
    }
}

#[test]
fn names_in_paths_are_decoded_one_by_one() {
    let uri = uri("vpx://h//Folder%201/a%2fb/c%252fd/h%C3%B6st/");
    assert_eq!(uri.path(), "//Folder 1/a/b/c%2fd/höst/");
    assert_eq!(uri.path_names(), ["Folder 1", "a/b", "c%2fd", "höst"]);
    assert_eq!(self::uri("vpx://h/hö/st").path_names(), ["hö", "st"]);
}

#[test]
fn defaults() {
    let uri = uri("esx://h/");
    assert_eq!(uri.transport(), Transport::Https);
    assert_eq!(uri.vcenter(), None);
    assert!(!uri.no_verify());
    assert!(!uri.auto_answer());
    assert_eq!(uri.proxy(), None);
    assert_eq!(uri.cacert(), None);
    assert!(!uri.legacy_uuid());
    assert_eq!(uri.authfile(), None);
    assert_eq!(uri.thumbprint(), None);
}

#[test]
fn transport() {
    assert_eq!(with("transport=http").transport(), Transport::Http);
    assert_eq!(with("transport=https").transport(), Transport::Https);
    for value in ["HTTP", "", "ftp", "https "] {
        refused(
            &format!("transport={}", value.replace(' ', "%20")),
            &format!(
                "Query parameter 'transport' has unexpected value '{value}' (should be http|https)"
            ),
        );
    }
}

#[test]
fn vcenter() {
    assert_eq!(with("vcenter=*").vcenter(), Some(&VCenter::OfHost));
    assert_eq!(with("vcenter=%2A").vcenter(), Some(&VCenter::OfHost));
    let named = VCenter::Named("vc.example.com".to_owned());
    assert_eq!(with("vcenter=vc.example.com").vcenter(), Some(&named));
    assert_eq!(with("vcenter=").vcenter(), None);
}

#[test]
fn an_old_libvirt_identifies_domains_by_their_bios_uuid() {
    for (query, expected) in [
        ("libvirt=9.0.0", true),
        ("libvirt=11.10", true),
        ("libvirt=12.4", false),
        ("libvirt=newest", false),
        ("libvirt=9.0.0&legacy_uuid=0", false),
        ("legacy_uuid=1&libvirt=newest", true),
    ] {
        assert_eq!(with(query).legacy_uuid(), expected, "{query}");
    }
}

#[test]
fn switches() {
    type Read = fn(&EsxUri) -> bool;
    let switches: [(&str, Read); 3] = [
        ("no_verify", EsxUri::no_verify),
        ("auto_answer", EsxUri::auto_answer),
        ("legacy_uuid", EsxUri::legacy_uuid),
    ];
    for (name, read) in switches {
        for (value, expected) in [
            ("1", true),
            ("0", false),
            ("%201", true),
            ("01", true),
            ("%2B1", true),
            ("+1", true),
            ("-0", false),
        ] {
            assert_eq!(
                read(&with(&format!("{name}={value}"))),
                expected,
                "{name}={value}"
            );
        }
        for value in [
            "2",
            "-1",
            "",
            "yes",
            "1x",
            "1%20",
            "0x1",
            "99999999999999999999",
        ] {
            let shown = value.replace("%20", " ");
            refused(
                &format!("{name}={value}"),
                &format!(
                    "Query parameter '{name}' has unexpected value '{shown}' (should be 0 or 1)"
                ),
            );
        }
        refused(
            name,
            &format!("Query parameter '{name}' has unexpected value '' (should be 0 or 1)"),
        );
    }
}

#[test]
fn proxies() {
    for (value, kind, host, port) in [
        ("p", ProxyKind::Http, "p", 1080),
        ("p:8080", ProxyKind::Http, "p", 8080),
        ("http://p:80", ProxyKind::Http, "p", 80),
        ("socks://p", ProxyKind::Socks5, "p", 1080),
        ("socks5://p:1", ProxyKind::Socks5, "p", 1),
        (
            "socks4://192.0.2.1:65535",
            ProxyKind::Socks4,
            "192.0.2.1",
            65535,
        ),
        ("socks4a://p:%2007", ProxyKind::Socks4a, "p", 7),
        ("[::1]:80", ProxyKind::Http, "::1", 80),
        ("%5B::1%5D", ProxyKind::Http, "::1", 1080),
    ] {
        let proxy = Proxy::new(kind, host, port);
        assert_eq!(
            with(&format!("proxy={value}")).proxy(),
            Some(&proxy),
            "{value}"
        );
    }
}

#[test]
fn a_proxy_has_a_user_and_a_password_that_are_never_shown() {
    for (value, user, password) in [
        ("http://user:pa%40ss@127.0.0.1:3201", "user", Some("pa@ss")),
        (
            "http://user:pa:s%2Fs@127.0.0.1:3201",
            "user",
            Some("pa:s/s"),
        ),
        (
            "http%3A%2F%2Fuser%3Apass%40127.0.0.1%3A3201",
            "user",
            Some("pass"),
        ),
        ("user@127.0.0.1:3201", "user", None),
        ("user:@127.0.0.1:3201", "user", None),
    ] {
        let uri = with(&format!("proxy={value}&no_verify=1"));
        let proxy =
            Proxy::new(ProxyKind::Http, "127.0.0.1", 3201).login(user, password.map(Into::into));
        assert_eq!(uri.proxy(), Some(&proxy), "{value}");
        assert!(uri.no_verify());
        let shown = format!("{uri} {uri:?} {proxy} {proxy:?}");
        let secrets = ["pa@ss", "pa%40ss", "pa:s", "pass@", "pass%40"];
        assert!(
            !secrets.iter().any(|secret| shown.contains(secret)),
            "{shown}"
        );
        assert!(
            shown.contains("127.0.0.1") && shown.contains("no_verify"),
            "{shown}"
        );
    }
}

#[test]
fn no_error_shows_what_can_be_a_password() {
    for uri in [
        "esx://h/?proxy=http://user:secret",
        "esx://h/?proxy=http://user:secret@",
        "esx://h/?proxy=http://user:secret@h:secret",
        "esx://h/?proxy=user:secret@h:0x",
        "esx://h/?proxy=se:cret://secret@h",
        "esx://h/?proxy=http://user:secret%ff@h",
        "esx://h/?proxy=http://user:secret@h^",
        "esx://h/?proxy=http://user:sec&secret@h^",
        "esx://root:secret@h/",
        "esx://root:secret@h/^",
        "esx://root:sec/secret@h/",
        "esx://root:1/secret@h/^",
        "esx+ssh://root:secret@h/?proxy=user:secret@h",
        "foo://root:secret@h/",
        "foo://root:sec/ret-secret@h/",
    ] {
        let error = uri.parse::<EsxUri>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("secret"), "{uri}: {shown}");
    }
    let uri: EsxUri = "esx://root:1/secret@h/".parse().unwrap();
    assert!(
        !uri.warnings().concat().contains("secret"),
        "{:?}",
        uri.warnings()
    );
}

/// Whatever is wrong with a URI, and whatever should have been encoded in a password: nothing shows it.
#[test]
fn no_position_shows_what_can_be_a_password() {
    let places = [
        "esx://root:@h/",
        "esx://root:@h:443/x?no_verify=1",
        "esx://root:@h:0x/",
        "esx://root:@[::1/",
        "esx://root:@/",
        "nope://root:@h/",
        "esx+ssh://root:@h/",
        "root:@h",
        "//root:@h",
        "esx:root:@h",
        "esx://h/?proxy=http://me:@p",
        "esx://h/?proxy=http%3A%2F%2Fme%3A%40p",
        "esx://h/?proxy=me:@p",
        "esx://h/?proxy=me:@p:0x",
        "esx://h/?proxy=me:@p^",
        "esx://h/?PROXY=socks5h://me:@p:99999",
        "esx://h/?pro%78y=http://me:@p",
        "esx://h/?no_verify=1&proxy=http://me:@p&transport=ftp",
        "esx://h/?no_verify=1;proxy=http://me:@p;no_verify=7",
        "esx://h/?proxy=http://me:@p&proxy=http://me:@q",
        "esx://h/?proxy=http://me:@p#part",
        "esx://h/x?proxy=http://me:@p&libvirt=%ff",
        "nope://h/?proxy=http://me:@p",
    ];
    // What may follow the part of the password that is looked for, or stand before it.
    let before = [
        "", "1", "12", "&", "1&", ";", "#", "1#", "?", "1?", "/", "1/", "=", "@", "%40", "%26",
        "%ff", "%", "^", " ", "://",
    ];
    let behind = [
        "", "1", "/", "@", "%40", "%26", "%ff", "%", "^", " ", ":", "://",
    ];
    let mut refused = 0;
    for place in places {
        for before in before {
            for behind in behind {
                let uri = place
                    .replace(":@", &format!(":{before}hunter{behind}@"))
                    .replace("%3A%40", &format!("%3A{before}hunter{behind}%40"));
                let shown = match uri.parse::<EsxUri>() {
                    Ok(read) => {
                        // A proxy's host may be what is behind the first `@`.
                        format!("{read} {} {:?}", read.warnings().concat(), read.proxy())
                    }
                    Err(error) => {
                        refused += 1;
                        format!("{error} {error:?} {:?}", error.advice())
                    }
                };
                let shown = format!("{shown} {}", EsxUri::without_secrets(&uri));
                assert!(!shown.contains("hunter"), "{uri}: {shown}");
            }
        }
    }
    assert!(refused > 3000, "{refused}");
}

#[test]
fn what_is_no_password_is_shown() {
    for text in [
        "esx://root@h:443/?no_verify=1&proxy=http://me@p:3128#x",
        "esx://h/?authfile=/home/me@work/auth.conf",
        "vpx://dom%5Cme@vc/DC/a@b/?transport=https",
        "list --all",
        "define /a/b@c.xml",
    ] {
        assert_eq!(EsxUri::without_secrets(text), text);
    }
}

#[test]
fn bad_proxies() {
    for value in ["ftp://p", "://p", "HTTP://p", "socks6://p"] {
        let kind = value.split(':').next().unwrap();
        refused(
            &format!("proxy={value}"),
            &format!(
                "Query parameter 'proxy' contains unexpected type '{kind}' (should be (http|socks(|4|4a|5))"
            ),
        );
    }
    for value in [":8080", "", "http://", "[]:80"] {
        refused(
            &format!("proxy={value}"),
            "Query parameter 'proxy' doesn't contain a hostname",
        );
    }
    for port in ["", "x", "80/", "123456789"] {
        refused(
            &format!("proxy=p:{port}"),
            "Query parameter 'proxy' has an unexpected port value (should be [1..65535])",
        );
    }
    for port in ["0", "65536", "-1"] {
        refused(
            &format!("proxy=p:{port}"),
            &format!(
                "Query parameter 'proxy' has unexpected port value '{port}' (should be [1..65535])"
            ),
        );
    }
}

#[test]
fn files() {
    assert_eq!(
        with("cacert=/etc/ca.pem").cacert(),
        Some(Path::new("/etc/ca.pem"))
    );
    assert_eq!(with("cacert=").cacert(), Some(Path::new("")));
    assert_eq!(with("authfile=/a%20b").authfile(), Some(Path::new("/a b")));
    assert_eq!(with("authfile=").authfile(), None);
    assert!(with("authfile=/a").warnings().is_empty());
}

#[test]
fn thumbprints() {
    let sha1 = "AB:".to_owned() + &"00:".repeat(18) + "EF";
    let mut bytes = [0; 20];
    (bytes[0], bytes[19]) = (0xab, 0xef);
    assert_eq!(
        with(&format!("thumbprint={sha1}")).thumbprint(),
        Some(Thumbprint::Sha1(bytes))
    );
    let sha256 = "0f".repeat(32);
    let pinned = Thumbprint::Sha256([0x0f; 32]);
    assert_eq!(
        with(&format!("thumbprint={sha256}")).thumbprint(),
        Some(pinned)
    );
    refused(
        "thumbprint=abc",
        "Query parameter 'thumbprint' has unexpected value 'abc' (should be 40 or 64 hexadecimal digits)",
    );
}

#[test]
fn separators_case_and_repetition() {
    let uri = with("No_Verify=0;TRANSPORT=http&&no_verify=1;=x&");
    assert!(uri.no_verify());
    assert_eq!(uri.transport(), Transport::Http);
    assert!(uri.warnings().is_empty());
    assert!(with("%6Eo_verify=%31").no_verify());
}

#[test]
fn unknown_parameters_are_warnings() {
    let uri = with("foo=1&Bar&no_verify=1");
    assert_eq!(
        uri.warnings(),
        [
            "Ignoring unexpected query parameter 'foo'",
            "Ignoring unexpected query parameter 'Bar'"
        ]
    );
}

#[test]
fn display_adds_the_port() {
    for (text, expected) in [
        ("esx://h", "esx://h:443"),
        ("gsx://h/", "gsx://h:8333/"),
        (
            "ESX://root@h/?No_Verify=1;a=%20b&c",
            "esx://root@h:443/?No_Verify=1;a=%20b&c",
        ),
        ("esx://a%3ab%40c@[::1]/", "esx://a%3Ab%40c@[::1]:443/"),
        ("esx://[fe80::1%25eth0]:1/", "esx://[fe80::1%25eth0]:1/"),
        (
            "vpx://h/a%2fb/c%252fd/e:f/ö?x=ö#y",
            "vpx://h:443/a%2Fb/c%252fd/e%3Af/%C3%B6?x=%C3%B6#y",
        ),
        ("vpx://h/dc//c/", "vpx://h:443/dc//c/"),
        ("esx://h/?", "esx://h:443/?"),
    ] {
        assert_eq!(uri(text).to_string(), expected);
        assert_eq!(uri(expected).to_string(), expected);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_parses_or_fails_without_a_panic(text in "(esx|vpx)://[ -~ö]{0,40}") {
        if let Ok(uri) = text.parse::<EsxUri>() {
            let again = uri.to_string().parse::<EsxUri>().expect("what was written reads back");
            proptest::prop_assert_eq!(again.path_names(), uri.path_names());
            proptest::prop_assert_eq!(again.server(), uri.server());
            proptest::prop_assert_eq!(again.user(), uri.user());
        }
    }
}

#[test]
fn answers_are_a_file() {
    for (query, expected) in [
        ("answers=/etc/answers.toml", Some("/etc/answers.toml")),
        ("ANSWERS=a%20b.toml", Some("a b.toml")),
        ("answers=", None),
        ("answers=a&answers=b", Some("b")),
        ("", None),
    ] {
        let uri = with(query);
        assert_eq!(uri.answers(), expected.map(Path::new), "{query}");
        assert!(uri.warnings().is_empty(), "{query}");
    }
}
