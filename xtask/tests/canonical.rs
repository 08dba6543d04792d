//! The comparison of XML that `cargo xtask interop` relies on.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../witness/canonical.rs"]
mod canonical;

use canonical::{Element, differences};

/// The differences between two documents, a line each.
fn compare(expected: &str, found: &str) -> Vec<String> {
    let expected = Element::parse(expected).expect("well-formed");
    let found = Element::parse(found).expect("well-formed");
    let shown = differences(&expected, &found);
    shown
        .into_iter()
        .map(|difference| format!("{}: {}", difference.path, difference.what))
        .collect()
}

#[test]
fn how_it_is_written_is_no_difference() {
    let expected = "<?xml version='1.0'?><a xmlns='urn:a' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' \
                    xmlns:x='urn:x' p='1' q=\"2\"><b i:type='x:T'>&lt;&#65;</b><c/></a>";
    let found = "<n:a q='2' p='1' xmlns:n='urn:a'>\n <n:b \
                 xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns='urn:x' xsi:type='T'><![CDATA[<A]]></n:b>\
                 <!-- c --> <n:c></n:c></n:a>";
    assert_eq!(compare(expected, found), [""; 0]);
}

#[test]
fn what_it_says_is() {
    let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
    let expected = format!("<a {xsi}><b i:type='T'>1</b><c p='1'/><d/><e/></a>");
    let found = format!("<a {xsi}><b i:type='U'>2</b><c p='2'/><e/><e/></a>");
    let found = compare(&expected, &found);
    assert_eq!(
        found,
        [
            "a/d[3]: '' is lost",
            "a: <e> is there too",
            "a/b[1]: type Some(Name { namespace: \"\", local: \"U\" }) instead of Some(Name { namespace: \"\", local: \"T\" })",
            "a/b[1]: text \"2\" instead of \"1\"",
            "a/c[2]: attributes {Name { namespace: \"\", local: \"p\" }: \"2\"} instead of {Name { namespace: \"\", local: \"p\" }: \"1\"}",
        ]
    );
}

#[test]
fn namespaces_count() {
    assert_eq!(compare("<a xmlns='u'/>", "<a/>").len(), 1);
    assert_eq!(compare("<a xmlns:p='u' p:b=''/>", "<a b=''/>").len(), 1);
}

#[test]
fn what_is_no_document_is_refused() {
    for document in ["", "<a>", "<a></b>", "<p:a/>", "<a/><a/>"] {
        assert!(Element::parse(document).is_err(), "{document}");
    }
    let document = Element::parse("<a><b><c>1</c></b></a>").expect("well-formed");
    assert_eq!(
        document.find("c").map(|found| found.text.as_str()),
        Some("1")
    );
    assert_eq!(document.find("d"), None);
}
