//! Elements kept as XML.

use crate::error::DecodeError;
use crate::raw::RawElement;
use crate::wire::mend::unescape;
use crate::wire::tokens::{Namespace, Piece, Tokens, trim};
use crate::wire::writer::{escaped, is_in_xml};

/// The innermost open element as XML that needs no declarations of its own; its end tag is taken.
pub(crate) fn element(tokens: &mut Tokens<'_>) -> Result<RawElement, DecodeError> {
    let mut raw = RawElement {
        type_name: type_name(tokens)?,
        ..RawElement::default()
    };
    push_attributes(tokens, &mut raw.attributes);
    let mut names = Vec::new();
    loop {
        match tokens.piece()? {
            Piece::Text(text) => raw.content.push_str(&escaped(&text)),
            Piece::Start => {
                let name = tokens.local_name();
                names.push(name);
                raw.content.push('<');
                raw.content.push_str(name);
                if let Some(name) = type_name(tokens)? {
                    raw.content.push_str(" xsi:type=\"");
                    raw.content.push_str(&escaped(&name));
                    raw.content.push('"');
                }
                push_attributes(tokens, &mut raw.content);
                raw.content.push('>');
            }
            Piece::End => match names.pop() {
                Some(name) => {
                    raw.content.push_str("</");
                    raw.content.push_str(name);
                    raw.content.push('>');
                }
                None => return Ok(raw),
            },
        }
    }
}

fn push_attributes(tokens: &Tokens<'_>, out: &mut String) {
    for (name, value) in tokens.other_attributes() {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        // As written, since a reader takes a line end for a blank but not a reference to one. So only the quote it may
        // have been written with matters, and what XML cannot carry.
        let written = value.replace('"', "&quot;");
        match is_carried(value) {
            true => out.push_str(&written),
            false => push_carried(&written, out),
        }
        out.push('"');
    }
}

/// Whether XML can carry a value as it is written.
fn is_carried(written: &str) -> bool {
    let (text, bad) = unescape(written);
    bad == 0 && text.chars().all(is_in_xml)
}

/// The value of an attribute, in which each reference or character that XML cannot carry becomes U+FFFD, and a `&` that
/// begins no reference one to itself.
fn push_carried(written: &str, out: &mut String) {
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '&' => rest.find(';').map_or(1, |end| end + 1),
            other => other.len_utf8(),
        };
        let (piece, behind) = rest.split_at(length);
        match is_carried(piece) {
            true => out.push_str(piece),
            false => out.push_str(&escaped(&unescape(piece).0)),
        }
        rest = behind;
    }
}

/// The type that the innermost start tag gives, with the customary prefix.
fn type_name(tokens: &Tokens<'_>) -> Result<Option<String>, DecodeError> {
    let Some((namespace, written)) = tokens.xsi_type() else {
        return Ok(None);
    };
    let (name, _) = unescape(written);
    let name = trim(name.rsplit(':').next().unwrap_or_default());
    // Attributes turn line ends into blanks on their way; no type has either in its name.
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(tokens.malformed("a type's name has blanks in it"));
    }
    Ok(Some(match namespace {
        Namespace::Xsd => format!("xsd:{name}"),
        Namespace::Xsi | Namespace::Other => name.to_owned(),
    }))
}
