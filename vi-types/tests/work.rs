//! What hostile answers cost: each kind of repetition is read in linear time, or refused.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::time::{Duration, Instant};

use vi_types::methods::RetrievePropertiesEx;
use vi_types::objects::ObjectContent;
use vi_types::wire::{Decoded, ItemDecoder, Limits, ResponseError, decode_response};

/// The bytes of an answer. What is quadratic takes a minute at this size in a build without optimization.
const SIZE: usize = 512 << 10;

/// A hundred times what a linear decoder needs.
const LONGEST: Duration = Duration::from_secs(5);

/// A kind of answer: what it is, what it comes to (a part of the error; empty where it is read), and its text.
type Kind = (&'static str, &'static str, fn() -> String);

fn envelope(content: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>{content}</e:Body></e:Envelope>"
    )
}

fn objects(content: &str) -> String {
    envelope(&format!(
        "<RetrievePropertiesExResponse xmlns=\"urn:vim25\"><returnval>{content}</returnval></RetrievePropertiesExResponse>"
    ))
}

/// An object with something behind its reference.
fn object(content: &str) -> String {
    objects(&format!(
        "<objects><obj type=\"VirtualMachine\">1</obj>{content}</objects>"
    ))
}

/// An object with a property whose value has this start tag and content.
fn value(start: &str, content: &str) -> String {
    object(&format!(
        "<propSet><name>name</name><val {start}>{content}</val></propSet>"
    ))
}

/// So many pieces that they are [`SIZE`] together, each made with its number.
fn numbered(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(SIZE);
    for number in 0.. {
        if text.len() >= SIZE {
            break;
        }
        text.push_str(&piece(number));
    }
    text
}

fn repeated(piece: &str) -> String {
    piece.repeat(SIZE / piece.len())
}

/// Elements so deep in each other, over and over.
fn nested(start: &str, end: &str, levels: usize) -> String {
    repeated(&format!("{}{}", start.repeat(levels), end.repeat(levels)))
}

const STRING: &str = "xsi:type=\"xsd:string\"";

const KINDS: &[Kind] = &[
    (
        "attributes of an element",
        "more than 64 attributes",
        || {
            let attributes = numbered(|n| format!(" a{n}=\"\""));
            object(&format!("<x{attributes}/>"))
        },
    ),
    ("prefixes of an element", "more than 64 attributes", || {
        let prefixes = numbered(|n| format!(" xmlns:p{n}=\"u\""));
        object(&format!("<x{prefixes}/>"))
    }),
    ("prefixes of all levels", "more than 128 prefixes", || {
        let level: String = (0..50).map(|n| format!(" xmlns:p{n}=\"u\"")).collect();
        object(&format!("<x{level}>").repeat(100))
    }),
    ("elements with 60 prefixes each", "", || {
        let prefixes: String = (0..60).map(|n| format!(" xmlns:p{n}=\"u\"")).collect();
        object(&repeated(&format!("<x{prefixes}/>")))
    }),
    ("types of 60 prefixes", "", || {
        let types: String = (0..60).map(|n| format!(" p{n}:type=\"a\"")).collect();
        let values = format!("<anyType{types}>1</anyType>");
        value("xsi:type=\"ArrayOfAnyType\"", &repeated(&values))
    }),
    ("a long attribute", "", || {
        object(&format!("<x a=\"{}\"/>", repeated("&amp;")))
    }),
    ("a long name", "", || {
        object(&format!("<{}/>", repeated("x")))
    }),
    ("a tag without an end", "a tag is not closed", || {
        object(&format!("<{}", repeated("x")))
    }),
    ("a long wrong end tag", "</yyy", || {
        object(&format!("<x></{}>", repeated("y")))
    }),
    ("entities", "", || value(STRING, &repeated("&amp;"))),
    ("character references", "", || {
        value(STRING, &repeated("&#65;"))
    }),
    ("references to nothing", "", || {
        value(STRING, &repeated("&#0;"))
    }),
    ("ampersands", "", || value(STRING, &repeated("&"))),
    ("line ends", "", || value(STRING, &repeated("\r\n"))),
    ("sections of CDATA", "", || {
        value(STRING, &repeated("<![CDATA[x]]>"))
    }),
    ("comments in a text", "", || {
        value(STRING, &repeated("a<!---->"))
    }),
    ("comments before an object", "", || {
        objects(&format!(
            "{}<objects><obj type=\"Folder\">1</obj><x>{}</x></objects>",
            repeated("<!---->"),
            repeated("a")
        ))
    }),
    ("processing instructions", "", || object(&repeated("<?x?>"))),
    ("unknown elements of one name", "", || {
        object(&repeated("<x/>"))
    }),
    ("unknown elements of many names", "", || {
        object(&numbered(|n| format!("<x{n}/>")))
    }),
    ("a property over and over", "", || {
        object(&repeated("<obj type=\"Folder\">2</obj>"))
    }),
    ("lists that alternate", "", || {
        object(&repeated(
            "<propSet><name>a</name><val xsi:type=\"xsd:int\">1</val></propSet><missingSet><path>a</path>\
             <fault><fault xsi:type=\"NotAuthenticated\"/><localizedMessage/></fault></missingSet>",
        ))
    }),
    ("objects without anything", "", || {
        objects(&repeated("<objects><obj type=\"Folder\"/></objects>"))
    }),
    ("an item's end tag in CDATA", "", || {
        value(STRING, &repeated("<![CDATA[</objects>]]>"))
    }),
    ("levels", "", || object(&nested("<x>", "</x>", 100))),
    ("levels without an end", "nested more than 128 deep", || {
        object(&repeated("<x>"))
    }),
    ("unknown types in each other", "", || {
        let levels = nested("<anyType xsi:type=\"Novel\">", "</anyType>", 50);
        value("xsi:type=\"ArrayOfAnyType\"", &levels)
    }),
    ("arrays in each other", "", || {
        let levels = nested("<anyType xsi:type=\"ArrayOfAnyType\">", "</anyType>", 50);
        value("xsi:type=\"ArrayOfAnyType\"", &levels)
    }),
    (
        "an array of numbers that are none",
        "bytes of memory",
        || value("xsi:type=\"ArrayOfInt\"", &repeated("<int/>")),
    ),
    ("an array of texts without anything", "", || {
        value("xsi:type=\"ArrayOfString\"", &repeated("<string/>"))
    }),
    ("large objects without anything", "bytes of memory", || {
        value(
            "xsi:type=\"ArrayOfVirtualDevice\"",
            &repeated("<a xsi:type=\"VirtualDisk\"/>"),
        )
    }),
    ("an array with a long name", "", || {
        let name = "x".repeat(SIZE / 2);
        let items = "<a/>".repeat(SIZE / 8);
        value(&format!("xsi:type=\"ArrayOf{name}\""), &items)
    }),
    ("causes of a fault", "nested more than 128 deep", || {
        envelope(&format!(
            "<e:Fault><faultcode/><faultstring/><detail><NotFoundFault xsi:type=\"NotFound\">{}",
            repeated("<faultCause><fault xsi:type=\"NotFound\">")
        ))
    }),
    ("a fault's text", "Fault", || {
        envelope(&format!(
            "<e:Fault><faultcode/><faultstring>{}</faultstring></e:Fault>",
            repeated("a")
        ))
    }),
    ("control characters", "characters are none", || {
        value(STRING, &repeated("\u{1}"))
    }),
    ("some control characters", "", || {
        value(STRING, &repeated("many a letter\u{1}"))
    }),
    ("blanks", "", || object(&repeated(" "))),
];

fn outcome<T>(result: Result<Decoded<T>, ResponseError>) -> String {
    match result {
        Ok(_) => String::new(),
        Err(ResponseError::Fault(_)) => "Fault".to_owned(),
        Err(ResponseError::Decode(error)) => {
            let error = error.to_string();
            assert!(error.len() < 5000, "{} bytes of error", error.len());
            error
        }
    }
}

fn in_pieces(message: &[u8]) -> String {
    let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(limits());
    for piece in message.chunks(16 << 10) {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return outcome::<()>(Err(error.into())),
            }
        }
    }
    outcome(decoder.finish())
}

/// Sixteen times the text: what is beyond that is made to take memory.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.memory = 16 * SIZE;
    limits
}

#[test]
fn answers_are_read_in_linear_time() {
    let mut wrong = Vec::new();
    for (what, expected, text) in KINDS {
        let text = text();
        let whole = |text: &[u8]| outcome(decode_response::<RetrievePropertiesEx>(text, limits()));
        for (way, read) in [
            ("whole", &whole as &dyn Fn(&[u8]) -> String),
            ("in pieces", &in_pieces),
        ] {
            let begin = Instant::now();
            let found = read(text.as_bytes());
            let took = begin.elapsed();
            // Characters are mended as they arrive; what is held is counted behind that.
            let mended = way == "in pieces" && *what == "control characters";
            let fits = match expected.is_empty() || mended {
                true => found.is_empty(),
                false => found.contains(expected),
            };
            if took > LONGEST || !fits {
                let found: String = found.chars().take(200).collect();
                wrong.push(format!("{what}, {way}: {took:?}, {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_memory_of_values_is_counted() {
    let answer = object(&repeated(
        "<propSet><name>a</name><val xsi:type=\"xsd:int\">1</val></propSet>",
    ));
    let mut limits = Limits::default();
    for (memory, fits) in [(SIZE / 2, false), (2 * SIZE, false), (20 * SIZE, true)] {
        limits.memory = memory;
        let result = decode_response::<RetrievePropertiesEx>(answer.as_bytes(), limits);
        assert_eq!(result.is_ok(), fits, "{memory}");
    }
    let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(limits);
    decoder.push(answer.as_bytes());
    while decoder.next().unwrap().is_some() {}
    assert!((2 * SIZE..20 * SIZE).contains(&decoder.taken()));
    assert!(decoder.waiting() < 1000);
}
