//! Answers that arrive in pieces are decoded as they are when whole.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use proptest::prelude::*;
use vi_types::methods::{ContinueRetrievePropertiesEx, RetrieveProperties, RetrievePropertiesEx};
use vi_types::objects::{ObjectContent, RetrieveResult};
use vi_types::wire::{ItemDecoder, Limits, decode_response};
use vi_types::{DecodeErrorKind, Method};

fn envelope(content: &str) -> String {
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- </objects> -->\
         <e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:_i=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Header>é</e:Header>\n<e:Body>{content}</e:Body></e:Envelope>\n"
    )
}

fn answer<M: Method>(content: &str) -> String {
    let name = M::name();
    envelope(&format!(
        "<{name}Response xmlns=\"urn:vim25\">{content}</{name}Response>"
    ))
}

/// Three objects with everything that can mislead a search for their ends.
fn items(name: &str) -> String {
    format!(
        "<{name}><obj type=\"VirtualMachine\">vm-1</obj><propSet><name>name</name>\
         <val _i:type=\"xsd:string\">日本 &amp; 🦀 <![CDATA[</{name}>]]></val></propSet></{name}>\n  <!-- <{name}> -->\
         <v:{name} xmlns:v=\"urn:vim25\" a=\"1>2\"><v:obj type=\"VirtualMachine\">vm-2</v:obj><propSet><name>x</name>\
         <val _i:type=\"Novel\"><{name}>1</{name}><{name}>2</{name}></val></propSet><novelty><{name}/></novelty></v:{name} >\
         <token>4</token><added><b>ü</b></added>\
         <{name}><obj type=\"Folder\">group-1</obj><propSet><name>config</name>\
         <val xmlns:j=\"http://www.w3.org/2001/XMLSchema-instance\" j:type=\"VirtualMachineConfigSummary\">\
         <name>n</name><template>false</template><vmPathName></vmPathName></val></propSet></{name}>"
    )
}

/// The objects, the token, the unknown names; or what is wrong.
type Read = Result<(Vec<ObjectContent>, Option<String>, Vec<String>), String>;

trait Answer: Method {
    fn parts(output: Self::Output) -> (Vec<ObjectContent>, Option<String>);
}

impl Answer for RetrieveProperties {
    fn parts(output: Vec<ObjectContent>) -> (Vec<ObjectContent>, Option<String>) {
        (output, None)
    }
}

impl Answer for RetrievePropertiesEx {
    fn parts(output: Option<Box<RetrieveResult>>) -> (Vec<ObjectContent>, Option<String>) {
        output.map_or_else(Default::default, |result| (result.objects, result.token))
    }
}

impl Answer for ContinueRetrievePropertiesEx {
    fn parts(output: RetrieveResult) -> (Vec<ObjectContent>, Option<String>) {
        (output.objects, output.token)
    }
}

fn whole<M: Answer>(message: &[u8]) -> Read {
    let decoded = decode_response::<M>(message, Limits::default()).map_err(|e| e.to_string())?;
    let (objects, token) = M::parts(decoded.returnval);
    let mut unknown = decoded.unknown;
    unknown.sort();
    Ok((objects, token, unknown))
}

fn in_pieces<'a, M: Answer>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut decoder = ItemDecoder::<M, ObjectContent>::new(Limits::default());
    let mut objects = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(object) = decoder.next().map_err(|e| e.to_string())? {
            objects.push(object);
        }
    }
    let decoded = decoder.finish().map_err(|e| e.to_string())?;
    let (rest, token) = M::parts(decoded.returnval);
    objects.extend(rest);
    let mut unknown = decoded.unknown;
    unknown.sort();
    Ok((objects, token, unknown))
}

/// A message, and how it is read whole and in pieces.
type Message = (String, fn(&[u8]) -> Read, fn(&[&[u8]]) -> Read);

/// Whole messages and how each is read, for all methods.
fn messages() -> Vec<Message> {
    fn pieces<M: Answer>(pieces: &[&[u8]]) -> Read {
        in_pieces::<M>(pieces.iter().copied())
    }
    fn message<M: Answer>(text: String) -> Message {
        (text, whole::<M>, pieces::<M>)
    }
    let result = format!("<returnval>{}</returnval>", items("objects"));
    let fault = "<e:Fault><faultcode>ServerFaultCode</faultcode><faultstring>ü &lt;</faultstring><detail>\
                 <NotAuthenticatedFault _i:type=\"NotAuthenticated\"><object type=\"Folder\">f</object>\
                 <privilegeId>System.View</privilegeId></NotAuthenticatedFault></detail></e:Fault>";
    vec![
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>(&result)),
        message::<ContinueRetrievePropertiesEx>(answer::<ContinueRetrievePropertiesEx>(&result)),
        message::<RetrieveProperties>(answer::<RetrieveProperties>(&items("returnval"))),
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>("")),
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>("<returnval/>")),
        message::<RetrieveProperties>(answer::<RetrieveProperties>("<other>1</other>")),
        message::<RetrieveProperties>(answer::<RetrieveProperties>("<returnval/>")),
        message::<RetrievePropertiesEx>(answer::<RetrieveProperties>(&items("returnval"))),
        message::<RetrievePropertiesEx>(envelope(fault)),
        message::<RetrievePropertiesEx>("{\"no\": \"XML\"}".to_owned()),
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>(
            &result
                .replace("<obj type=\"Folder\">", "<obj>")
                .replace("<token>4</token><added><b>ü</b></added>", ""),
        )),
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>(
            &result.replace("</added>", "</add>"),
        )),
        message::<RetrievePropertiesEx>(answer::<RetrievePropertiesEx>(
            &result.replace("<added>", "text<added>"),
        )),
    ]
}

#[test]
fn a_message_cut_anywhere_reads_as_when_it_is_whole() {
    let mut objects = 0;
    for (message, whole, in_pieces) in messages() {
        let expected = whole(message.as_bytes());
        objects += expected.as_ref().map_or(0, |read| read.0.len());
        for at in 0..=message.len() {
            let (head, tail) = message.as_bytes().split_at(at);
            assert_eq!(in_pieces(&[head, tail]), expected, "{at} of {message}");
        }
        let bytes: Vec<&[u8]> = message.as_bytes().chunks(1).collect();
        assert_eq!(in_pieces(&bytes), expected, "{message}");
    }
    assert_eq!(objects, 9);
}

proptest! {
    #[test]
    fn a_message_in_many_pieces_reads_as_when_it_is_whole(
        which in 0..messages().len(),
        lengths in prop::collection::vec(0..200_usize, 0..60),
    ) {
        let (message, whole, in_pieces) = messages().swap_remove(which);
        let mut rest = message.as_bytes();
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, others) = rest.split_at(length.min(rest.len()));
            pieces.push(piece);
            rest = others;
        }
        pieces.push(rest);
        prop_assert_eq!(in_pieces(&pieces), whole(message.as_bytes()));
    }
}

#[test]
fn a_message_that_does_not_end_is_an_error() {
    for (message, _, in_pieces) in messages() {
        let end = message.trim_end().len();
        for length in 0..end {
            let cut = &message.as_bytes()[..length];
            assert!(in_pieces(&[cut]).is_err(), "{length} of {message}");
        }
    }
}

#[test]
fn an_object_is_there_as_soon_as_it_is_complete_and_its_bytes_are_dropped() {
    let one = "<objects><obj type=\"VirtualMachine\">vm-1</obj></objects>";
    let message =
        answer::<RetrievePropertiesEx>(&format!("<returnval>{}</returnval>", one.repeat(100_000)));
    let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
    let head = message.find("<objects><obj").unwrap();
    decoder.push(&message.as_bytes()[..head]);
    assert!(decoder.next().unwrap().is_none());
    let outside = decoder.waiting();
    for piece in message.as_bytes()[head..head + 100_000 * one.len()].chunks(one.len()) {
        decoder.push(piece);
        assert_eq!(decoder.next().unwrap().unwrap().obj.value, "vm-1");
        assert!(decoder.next().unwrap().is_none());
    }
    // What is no item is kept until the end, with the places of the items in it.
    assert!(decoder.waiting() <= outside + 64, "{decoder:?}");
    let tail = &message.as_bytes()[head + 100_000 * one.len()..];
    decoder.push(tail);
    assert!(decoder.next().unwrap().is_none());
    assert!(
        decoder
            .finish()
            .unwrap()
            .returnval
            .unwrap()
            .objects
            .is_empty()
    );
}

#[test]
fn an_object_that_seems_to_end_again_and_again_costs_no_square() {
    let ends = "</objects>".repeat(200_000);
    let message = answer::<RetrievePropertiesEx>(&format!(
        "<returnval><objects><obj type=\"Folder\">f</obj><propSet><name>p</name>\
         <val _i:type=\"xsd:string\"><![CDATA[{ends}]]></val></propSet></objects></returnval>"
    ));
    let (objects, _, _) =
        in_pieces::<RetrievePropertiesEx>(message.as_bytes().chunks(1_000)).unwrap();
    let text: String = objects[0].prop_set[0].val.clone().cast().unwrap();
    assert_eq!(text, ends);
}

#[test]
fn limits_hold_before_the_end() {
    let error = |content: &str| {
        let name = RetrievePropertiesEx::name();
        let message = format!(
            "<Envelope><Body><{name}Response><returnval><objects><obj type=\"F\">f</obj>{content}</objects>"
        );
        let mut decoder =
            ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
        decoder.push(message.as_bytes());
        decoder.next().unwrap_err()
    };
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    assert_eq!(
        error(&deep(124)).kind(),
        &DecodeErrorKind::TooDeep { limit: 128 }
    );
    assert_eq!(error("<!DOCTYPE a>").kind(), &DecodeErrorKind::Dtd);
}

#[test]
fn what_no_text_may_hold_costs_only_its_own_character() {
    const NAMES: [(&[u8], &str, usize); 6] = [
        (b"gr\xfcn", "gr\u{fffd}n", 1),
        (b"\x01&#2;\x1b", "\u{fffd}\u{fffd}\u{fffd}", 3),
        (b"\xe6\x97", "\u{fffd}", 1),
        (b"\xf0\x9f\xa6\x80\xff", "🦀\u{fffd}", 1),
        (b"AT&T", "AT&T", 1),
        ("日本語".as_bytes(), "日本語", 0),
    ];
    let mut message = b"<Envelope><Body><RetrievePropertiesExResponse><returnval>".to_vec();
    for (name, ..) in NAMES {
        message.extend_from_slice(
            b"<objects><obj type=\"Folder\">f</obj><propSet><name>name</name><val xmlns:xsi=\"http://www.w3.org/2001/\
              XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xsi:type=\"xsd:string\">",
        );
        message.extend_from_slice(name);
        message.extend_from_slice(b"</val></propSet></objects>");
    }
    message.extend_from_slice(b"</returnval></RetrievePropertiesExResponse></Body></Envelope>");
    let expected: Vec<_> = NAMES.iter().map(|(_, name, _)| *name).collect();
    let count = NAMES.iter().map(|(.., count)| count).sum::<usize>();

    let names = |objects: &[ObjectContent]| -> Vec<String> {
        let name = |content: &ObjectContent| content.prop_set[0].val.clone().cast().unwrap();
        objects.iter().map(name).collect()
    };
    let whole = decode_response::<RetrievePropertiesEx>(&message, Limits::default()).unwrap();
    assert_eq!(names(&whole.returnval.unwrap().objects), expected);
    assert_eq!(
        (whole.mended.count, &*whole.mended.first),
        (count, "gr\u{fffd}n")
    );

    for size in [1, 2, 3, 7, 64, 10_000] {
        let mut decoder =
            ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
        let mut found = Vec::new();
        for piece in message.chunks(size) {
            decoder.push(piece);
            while let Some(item) = decoder.next().unwrap() {
                found.push(item);
            }
        }
        let rest = decoder.finish().unwrap();
        assert_eq!(names(&found), expected, "in pieces of {size}");
        assert_eq!(rest.mended.count, count, "in pieces of {size}");
    }
}

/// Whole messages are looked at for bad characters while they are decoded.
#[test]
fn a_bad_character_is_found_wherever_it_stands() {
    let far = "x".repeat(9_000);
    let near = |length: usize| "y".repeat(length);
    let places = [
        "<obj type=\"Folder\">f~</obj>".to_owned(),
        "<obj type=\"Fol~der\">f</obj>".to_owned(),
        "<obj type=\"Folder\">f</obj><unknown>~</unknown>".to_owned(),
        "<obj type=\"Folder\">f</obj><unknown a='~'/>".to_owned(),
        "<obj type=\"Folder\">f</obj><un~known/>".to_owned(),
        "<obj type=\"Folder\">f</obj><!-- ~ -->".to_owned(),
        "<obj type=\"Folder\"><![CDATA[~]]></obj>".to_owned(),
        format!("<obj type=\"Folder\">f</obj><unknown>{far}~{far}</unknown>"),
        format!("<obj type=\"Folder\">f</obj><unknown>{far}</unknown><!--~-->"),
        format!("<obj type=\"Folder\">{far}~</obj>"),
        // An answer that cannot be decoded, before the character and by it.
        "<propSet/><obj type=\"Folder\">f~</obj>".to_owned(),
        "<obj type=\"Folder\">f</obj></wrong>~".to_owned(),
        "<obj type=\"Folder\">f</obj><propSet><name>a</name><val/></propSet~>".to_owned(),
    ];
    // Where one look ends and the next begins.
    let seams = (4_000..4_200).map(|length| {
        let text = near(length);
        format!("<obj type=\"Folder\">{text}</obj><unknown>{text}~{text}</unknown>")
    });
    for place in places.into_iter().chain(seams) {
        let message = format!(
            "<Envelope><Body><RetrievePropertiesExResponse><returnval><objects>{place}</objects></returnval>\
             </RetrievePropertiesExResponse></Body></Envelope>"
        );
        let outcome = |message: &[u8]| match decode_response::<RetrievePropertiesEx>(
            message,
            Limits::default(),
        ) {
            Ok(decoded) => (format!("{:?}", decoded.returnval), decoded.mended.count),
            Err(error) => (error.to_string(), 1),
        };
        let (expected, _) = outcome(message.replace('~', "\u{fffd}").as_bytes());
        for bad in ["\u{1}", "\u{fffe}", "\u{ffff}"] {
            let found = outcome(message.replace('~', bad).as_bytes());
            assert_eq!(found, (expected.clone(), 1), "{bad:?} in {place:.100}");
        }
        let bytes: Vec<u8> = message
            .bytes()
            .map(|byte| if byte == b'~' { 0xff } else { byte })
            .collect();
        assert_eq!(outcome(&bytes), (expected, 1), "{place:.100}");
    }
}
