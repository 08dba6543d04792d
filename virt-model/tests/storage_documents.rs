//! Storage documents made of random parts: whatever is accepted is written so that it reads back the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::{prelude::*, sample::select};
use virt_model::{Document, StoragePoolDef, StoragePoolType, StorageVolDef, StorageVolParseFlags};

/// A text that may be anywhere in a document, escaped.
fn text() -> impl Strategy<Value = String> {
    let special = select(vec![
        "&amp;", "&lt;", "&apos;", "[", "]", "%", "+", "/", " ", "漢", "😀", ".",
    ]);
    let part = prop_oneof![special.prop_map(str::to_owned), "[a-z0-9:_-]{1,6}"];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
}

/// Some of these elements, in which `@` stands for a text.
fn elements(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    let some = proptest::sample::subsequence(all, 0..=all.len()).prop_shuffle();
    (some, text(), text()).prop_map(|(some, one, other)| {
        let with = |(index, element): (usize, &&str)| {
            element.replace('@', if index % 2 == 0 { &one } else { &other })
        };
        some.iter().enumerate().map(with).collect()
    })
}

const SOURCE: &[&str] = &[
    "<host name='@' port='3260'/>",
    "<host name='@'/>",
    "<device path='@'/>",
    "<device path='/@' part_separator='no'/>",
    "<dir path='/@//'/>",
    "<name>@</name>",
    "<adapter name='@'/>",
    "<initiator><iqn name='@'/></initiator>",
    "<auth type='chap' username='@'><secret usage='@'/></auth>",
    "<protocol ver='@'/>",
    "<vendor name='@'/>",
    "<product name='@'/>",
];

const PERMISSIONS: &[&str] = &[
    "<mode>0755</mode>",
    "<owner>7</owner>",
    "<group>0</group>",
    "<label>@</label>",
];

const TARGET: &[&str] = &[
    "<path>@</path>",
    "<format type='vmdk'/>",
    "<compat>1.1</compat>",
    "<clusterSize unit='KiB'>64</clusterSize>",
    "<features><lazy_refcounts/></features>",
    "<timestamps><mtime>5.5</mtime><btime>7</btime></timestamps>",
    "<encryption format='luks'><secret type='passphrase' usage='@'/><cipher name='@' size='256'/></encryption>",
    "<permissions><mode>0</mode><label>@</label></permissions>",
];

const VOLUME: &[&str] = &[
    "<key>@</key>",
    "<capacity unit='MiB'>9</capacity>",
    "<allocation>5</allocation>",
    "<physical>6</physical>",
    "<source><device path='@'><extent start='0' end='9'/></device></source>",
    "<backingStore><path>@</path><format type='raw'/></backingStore>",
];

#[track_caller]
fn check_stable<D: Document>(document: &D) {
    let written = document.to_xml(D::Flags::default());
    let again = D::read_xml(&written).unwrap();
    assert_eq!(again.unmodelled, Vec::<String>::new(), "{written}");
    assert_eq!(again.document.to_xml(D::Flags::default()), written);
}

proptest! {
    #[test]
    fn pools_are_stable(
        kind in select(StoragePoolType::ALL),
        name in text(),
        source in elements(SOURCE),
        permissions in elements(PERMISSIONS),
    ) {
        let document = format!(
            "<pool type='{kind}'><name>{name}</name><source>{source}</source>\
             <target><path>/t</path><permissions>{permissions}</permissions></target></pool>"
        );
        if let Ok(pool) = StoragePoolDef::from_xml(&document) {
            check_stable(&pool);
        }
    }

    #[test]
    fn volumes_are_stable(
        pool in select(StoragePoolType::ALL),
        name in text(),
        volume in elements(VOLUME),
        target in elements(TARGET),
    ) {
        let document = format!("<volume><name>{name}</name>{volume}<target>{target}</target></volume>");
        let flags = StorageVolParseFlags::NO_CAPACITY;
        if let Ok(read) = StorageVolDef::read_xml_in(pool, flags, &document) {
            check_stable(&read.document);
        }
    }
}
