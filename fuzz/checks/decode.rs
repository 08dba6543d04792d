//! Any bytes are decoded or refused. A decoded value is the same after encoding and decoding it again.
//!
//! The first line describes the rest: a letter for the kind of message, and the name of a type or method. An unknown name
//! stands for any one.

use vi_types::methods::RetrievePropertiesEx;
use vi_types::wire::{Limits, Writer, decode_request, decode_response, encode_response};
use vi_types::{Object, View, interface, registry};

pub(crate) fn check(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let ([kind, name @ ..], body) = (&data[..end], &data[end + 1..]) else {
        return;
    };
    let registry = registry();
    match kind {
        b'o' => {
            let names = registry.objects.iter().map(|info| info.name);
            answer(&value(chosen(names, name), body));
        }
        b'a' => {
            let names = registry.objects.iter().map(|info| info.name);
            let array = format!("ArrayOf{}", chosen(names, name));
            answer(&value(&array, body));
        }
        b'e' => {
            let names = registry.enumerations.iter().map(|info| info.name);
            answer(&value(chosen(names, name), body));
        }
        b'p' => {
            const PRIMITIVES: [&str; 24] = [
                "xsd:boolean",
                "xsd:byte",
                "xsd:short",
                "xsd:int",
                "xsd:long",
                "xsd:float",
                "xsd:double",
                "xsd:string",
                "xsd:anyURI",
                "xsd:dateTime",
                "xsd:base64Binary",
                "xsd:anyType",
                "ArrayOfBoolean",
                "ArrayOfByte",
                "ArrayOfShort",
                "ArrayOfInt",
                "ArrayOfLong",
                "ArrayOfFloat",
                "ArrayOfDouble",
                "ArrayOfString",
                "ArrayOfAnyURI",
                "ArrayOfDateTime",
                "ArrayOfBase64Binary",
                "ArrayOfAnyType",
            ];
            answer(&value(chosen(PRIMITIVES.into_iter(), name), body));
        }
        // An unknown type.
        b'u' => answer(&value("Nobodys", body)),
        b'm' => {
            let names = interface().methods.iter().map(|method| method.name);
            let name = chosen(names, name);
            let this = b"<_this type=\"A\">a</_this>";
            request(&message(&[
                format!("<{name}>").as_bytes(),
                this,
                body,
                format!("</{name}>").as_bytes(),
            ]));
        }
        // The whole message.
        b'A' => answer(body),
        b'R' => request(body),
        _ => {}
    }
}

/// The name, or one of the names.
fn chosen(names: impl ExactSizeIterator<Item = &'static str> + Clone, name: &[u8]) -> &'static str {
    let known = names.clone().find(|known| known.as_bytes() == name);
    let hash = name.iter().fold(0_usize, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(usize::from(*byte))
    });
    known.unwrap_or_else(|| {
        let mut names = names;
        let count = names.len();
        names.nth(hash % count).unwrap_or_default()
    })
}

/// An answer with a property whose value is of that type.
fn value(ty: &str, content: &[u8]) -> Vec<u8> {
    message(&[
        b"<RetrievePropertiesExResponse><returnval><objects><obj type=\"A\">a</obj><propSet><name>p</name>",
        format!("<val xsi:type=\"{ty}\">").as_bytes(),
        content,
        b"</val></propSet></objects></returnval></RetrievePropertiesExResponse>",
    ])
}

fn message(body: &[&[u8]]) -> Vec<u8> {
    let head: &[u8] =
        b"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
        xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
        xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"urn:vim25\"><soapenv:Body>";
    [head, &body.concat(), b"</soapenv:Body></soapenv:Envelope>"].concat()
}

fn answer(message: &[u8]) {
    let Ok(decoded) = decode_response::<RetrievePropertiesEx>(message, Limits::default()) else {
        return;
    };
    let xml = encode_response::<RetrievePropertiesEx>(&decoded.returnval);
    let again = match decode_response::<RetrievePropertiesEx>(xml.as_bytes(), Limits::default()) {
        Ok(again) => again.returnval,
        Err(error) => panic!("{error}\n{xml}"),
    };
    assert_eq!(encode_response::<RetrievePropertiesEx>(&again), xml);
    if !xml.contains("NaN") && !cannot_be_carried(message) {
        assert_eq!(again, decoded.returnval, "{xml}");
    }
    #[cfg(feature = "serde")]
    if let Some(result) = &decoded.returnval {
        through_json(&**result);
    }
}

fn request(message: &[u8]) {
    let decode = |message: &[u8]| decode_request(message, interface(), Limits::default());
    let Ok(decoded) = decode(message) else {
        return;
    };
    let Some(method) = decoded.method else {
        return;
    };
    let xml = encoded(&decoded.name, &decoded.this, &*method);
    let again = match decode(xml.as_bytes()) {
        Ok(again) => again,
        Err(error) => panic!("{error}\n{xml}"),
    };
    let Some(again) = again.method else {
        panic!("it is no {} any more", decoded.name);
    };
    assert_eq!(encoded(&decoded.name, &decoded.this, &*again), xml);
    if !xml.contains("NaN") && !cannot_be_carried(message) {
        assert_eq!(*again, *method, "{xml}");
    }
    #[cfg(feature = "serde")]
    through_json(&*method);
}

fn encoded(name: &str, this: &vi_types::ManagedObjectReference, request: &dyn Object) -> String {
    let mut writer = Writer::new();
    // Without it, it is no request; where it is a parameter, the last one counts.
    writer.element("_this", "ManagedObjectReference", View::Moref(this));
    writer.properties(request);
    let parameters = writer.finish();
    let message = message(&[format!("<{name}>{parameters}</{name}>").as_bytes()]);
    String::from_utf8(message).unwrap_or_default()
}

/// Whether there is a character that XML cannot carry: it is accepted, but not encoded.
fn cannot_be_carried(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    let is_reference = |text: &str| text.contains("&#");
    is_reference(&text)
        || text.contains(|c: char| {
            matches!(c, '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}')
                && !matches!(c, '\t' | '\n' | '\r')
        })
}

#[cfg(feature = "serde")]
fn through_json(object: &dyn Object) {
    let Ok(text) = serde_json::to_string(object) else {
        panic!("{object:?} cannot be written");
    };
    let mut again = (object.info().new)();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    match vi_types::json::fill(&mut *again, registry(), &mut deserializer) {
        Ok(()) => {}
        Err(error) if error.to_string().contains("recursion limit") => return,
        Err(error) => panic!("{error}\n{text}"),
    }
    if !text.contains("NaN") {
        assert_eq!(*again, *object, "{text}");
    }
}
