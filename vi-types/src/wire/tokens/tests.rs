//! The tokenizer against quick-xml, which reads the same documents on its own.

use proptest::prelude::*;
use quick_xml::events::Event;

use super::*;

/// What a document holds, told apart by neither tokenizer's habits: comments vanish, adjacent text is one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Start(String, Vec<(String, String)>),
    Text(String),
    End,
}

fn push_text(told: &mut Vec<Told>, text: &str) {
    match told.last_mut() {
        _ if text.is_empty() => {}
        Some(Told::Text(before)) => before.push_str(text),
        _ => told.push(Told::Text(text.to_owned())),
    }
}

fn ours(document: &str) -> Result<Vec<Told>, DecodeError> {
    let mut tokens = Tokens::new(document, Limits::default());
    tokens.root()?;
    let mut told = vec![start(&tokens)?];
    let mut depth = 1;
    while depth > 0 {
        match tokens.piece()? {
            Piece::Text(text) => push_text(&mut told, &text),
            Piece::Start => {
                depth += 1;
                told.push(start(&tokens)?);
            }
            Piece::End => {
                depth -= 1;
                told.push(Told::End);
            }
        }
    }
    tokens.finish()?;
    Ok(told)
}

fn start(tokens: &Tokens<'_>) -> Result<Told, DecodeError> {
    let attributes = tokens
        .attributes
        .iter()
        .map(|attribute| {
            Ok((
                attribute.name.to_owned(),
                unescape(attribute.value).0.into_owned(),
            ))
        })
        .collect::<Result<_, _>>()?;
    Ok(Told::Start(tokens.name().to_owned(), attributes))
}

fn theirs(document: &str) -> Result<Vec<Told>, Box<dyn std::error::Error>> {
    let mut reader = quick_xml::Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let mut told = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                depth += 1;
                let mut attributes = Vec::new();
                for attribute in start.attributes() {
                    let attribute = attribute?;
                    let value = quick_xml::escape::unescape(&attribute.value)?.into_owned();
                    attributes.push((attribute.key.as_ref().to_owned(), value));
                }
                told.push(Told::Start(start.name().as_ref().to_owned(), attributes));
            }
            Event::End(_) => {
                depth -= 1;
                told.push(Told::End);
            }
            Event::Text(text) if depth > 0 => push_text(&mut told, &text.xml10_content()),
            Event::CData(data) => push_text(&mut told, &data),
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::unescape(&format!("&{};", &*name))?.into_owned();
                push_text(&mut told, &text);
            }
            Event::Eof => return Ok(told),
            _ => {}
        }
    }
}

#[test]
fn documents_of_every_make() {
    for document in [
        "<a/>",
        "<?xml version='1.0'?><!-- x --><a></a><!-- y --> ",
        "<a b=\"1\" c='2'>x</a>",
        "<a b = \"&lt;&#65;&#x42;'\" >&amp;&gt;&quot;&apos;</a >",
        "<n:a xmlns:n=\"u\"><n:b/>text<n:c>1</n:c></n:a>",
        "<a><![CDATA[<&>]]>]]<!-- < & > -->b<?pi < ?>c</a>",
        "<a>line\r\nline\rline\n</a>",
        "<a>äöü — 日本語 🦀</a>",
        "<abcdefgh><abcdefghi>12345678</abcdefghi><abcdefg>1234567</abcdefg></abcdefgh>",
        "<a>long text that has more than sixty-four bytes before its end, and then an &amp; entity</a>",
        "\u{feff}<a/>",
    ] {
        let bare = document.trim_start_matches('\u{feff}');
        assert_eq!(ours(document).unwrap(), theirs(bare).unwrap(), "{document}");
    }
}

#[test]
fn what_is_not_well_formed() {
    for document in [
        "<a>",
        "<a></b>",
        "<a",
        "<a b></a>",
        "<a b=c></a>",
        "<a b=\"1></a>",
        "<a b=\"1\" b=\"2\"/>",
        "<a/><b/>",
        "<a/>x",
        "<a><!-- </a>",
        "<a><![CDATA[ </a>",
        "<a><!x></a>",
        "< a/>",
        "<a></a",
        "</a>",
        "<a b=\"<\"/>",
        "<a\u{0}/",
        "<>x</>",
        "<a b=\"1\"c=\"2\"/",
        "<a =\"1\"/>",
        "<a b=\"1\"><c =\"1\"/></a>",
        "<a b=\"1\"><c b \"1\"/></a>",
        "<a b=\"1\"><c b=1\"/></a>",
    ] {
        assert!(ours(document).is_err(), "{document}");
    }
}

#[test]
fn rewinding_reopens_the_element() {
    let mut tokens = Tokens::new(
        "<r xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><a i:type='T'><b/>x</a><c/></r>",
        Limits::default(),
    );
    tokens.root().unwrap();
    assert!(tokens.next_child().unwrap());
    let mark = tokens.mark();
    for _ in 0..3 {
        assert_eq!(tokens.xsi_type(), Some((Namespace::Other, "T")));
        tokens.skip().unwrap();
        tokens.rewind(mark).unwrap();
    }
    assert!(tokens.next_child().unwrap());
    tokens.rewind(mark).unwrap();
    tokens.skip().unwrap();
    assert!(tokens.next_child().unwrap());
    assert_eq!(tokens.name(), "c");
}

#[test]
fn a_byte_in_a_word_is_found() {
    for at in 0..8 {
        let mut bytes = *b"abcdefgh";
        bytes[at] = b'<';
        assert_eq!(
            has_byte(u64::from_le_bytes(bytes), b'<').trailing_zeros() / 8,
            at as u32
        );
    }
    assert_eq!(has_byte(u64::from_le_bytes(*b"abc;=def"), b'<'), 0);
}

/// A document as servers write them, with every habit that XML allows.
fn document() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("a".to_owned()),
        Just("capacityInKB".to_owned()),
        Just("v:key".to_owned()),
        "[a-z]{1,12}",
    ];
    let text = prop_oneof![
        "[ -%'-;=-~]{0,80}",
        Just("&amp;&lt;x&#228;\r\n".to_owned()),
        Just("<![CDATA[ <raw> & ]]>".to_owned()),
        Just("<!-- a > b -->".to_owned()),
        Just("日本語".to_owned()),
    ];
    let attributes = prop_oneof![
        Just(String::new()),
        Just(" type=\"T\"".to_owned()),
        Just(" b = 'x&quot;' c=\"&#10;\"".to_owned()),
    ];
    let leaf = (name.clone(), attributes.clone(), text.clone())
        .prop_map(|(name, attributes, text)| format!("<{name}{attributes}>{text}</{name}>"));
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let child = prop_oneof![3 => inner, 1 => text.clone(), 1 => name.clone().prop_map(|name| format!("<{name} />"))];
        (name.clone(), attributes.clone(), prop::collection::vec(child, 0..6)).prop_map(
            |(name, attributes, children)| format!("<{name}{attributes}>{}</{name}>", children.concat()),
        )
    })
}

proptest! {
    #[test]
    fn quick_xml_reads_the_same(document in document()) {
        prop_assert_eq!(ours(&document).unwrap(), theirs(&document).unwrap());
    }

    #[test]
    fn damage_never_panics(document in document(), at in any::<prop::sample::Index>(), byte in "[<>&;/!\\[\\]\"'= a\u{0}é-]{0,4}") {
        let boundaries: Vec<usize> = document.char_indices().map(|(at, _)| at).collect();
        let at = *at.get(&boundaries);
        let damaged = format!("{}{byte}{}", &document[..at], &document[at..]);
        let _ = ours(&damaged);
        let _ = ours(&document[..at]);
        let _ = ours(&document[at..]);
    }
}
