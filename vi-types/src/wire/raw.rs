//! Elements kept as XML.

use crate::error::DecodeError;
use crate::raw::RawElement;
use crate::wire::tokens::{Namespace, Piece, Tokens};
use crate::wire::writer::{escape, is_in_xml};

/// The innermost open element as XML that needs no declarations of its own; its end tag is taken.
pub(crate) fn element(tokens: &mut Tokens<'_>) -> Result<RawElement, DecodeError> {
    let mut raw = RawElement {
        type_name: tokens
            .xsi_type()
            .map(|(namespace, name)| prefixed(namespace, name)),
        ..RawElement::default()
    };
    push_attributes(tokens, &mut raw.attributes)?;
    let mut names = Vec::new();
    loop {
        match tokens.piece()? {
            Piece::Text(text) => escape(&text, &mut raw.content),
            Piece::Start => {
                let name = tokens.local_name();
                names.push(name);
                raw.content.push('<');
                raw.content.push_str(name);
                if let Some((namespace, name)) = tokens.xsi_type() {
                    raw.content.push_str(" xsi:type=\"");
                    raw.content.push_str(&prefixed(namespace, name));
                    raw.content.push('"');
                }
                push_attributes(tokens, &mut raw.content)?;
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

fn push_attributes(tokens: &Tokens<'_>, out: &mut String) -> Result<(), DecodeError> {
    for (name, value) in tokens.other_attributes() {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        let text = tokens.unescape(value)?;
        if text.chars().all(is_in_xml) {
            // As written, since a reader takes a line end for a blank but not a reference to one. So only the quote it
            // may have been written with matters.
            out.push_str(&value.replace('"', "&quot;"));
        } else {
            escape(&text, out);
        }
        out.push('"');
    }
    Ok(())
}

fn prefixed(namespace: Namespace, name: &str) -> String {
    match namespace {
        Namespace::Xsd => format!("xsd:{name}"),
        Namespace::Xsi | Namespace::Other => name.to_owned(),
    }
}
