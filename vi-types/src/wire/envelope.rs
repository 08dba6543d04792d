//! Envelopes: requests, answers and faults as whole messages.

use std::fmt;

use crate::any::Any;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::fault::SoapFault;
use crate::method::Method;
use crate::moref::ManagedObjectReference;
use crate::object::Object;
use crate::registry::Interface;
use crate::value::View;
use crate::wire::mend::{Mended, text_of};
use crate::wire::tokens::{Tokens, local, shortened};
use crate::wire::writer::{Writer, escaped};
use crate::wire::{Limits, Reader, namespace};

/// A request as a whole message, called on `this`.
pub fn encode_request<M: Method>(request: &M, this: &ManagedObjectReference) -> String {
    envelope(|writer| {
        writer.raw("<");
        writer.raw(M::name());
        writer.raw(" xmlns=\"");
        writer.raw(namespace::VIM);
        writer.raw("\">");
        writer.element("_this", "ManagedObjectReference", View::Moref(this));
        writer.parameters(request);
        writer.raw("</");
        writer.raw(M::name());
        writer.raw(">");
    })
}

/// A method's answer as a whole message.
pub fn encode_response<M: Method>(returned: &M::Output) -> String {
    encode_response_with::<M>(Writer::new(), returned)
}

/// Like [`encode_response`], with a given writer, for instance one for an older version of the API.
pub fn encode_response_with<M: Method>(writer: Writer, returned: &M::Output) -> String {
    envelope_with(writer, |writer| {
        writer.raw("<");
        writer.raw(M::name());
        writer.raw("Response xmlns=\"");
        writer.raw(namespace::VIM);
        writer.raw("\">");
        writer.element("returnval", M::INFO.returns, M::output(returned).view());
        writer.raw("</");
        writer.raw(M::name());
        writer.raw("Response>");
    })
}

/// An answer as a whole message, for a method that no type describes: the content is XML in the API's namespace.
pub fn encode_raw_response(method: &str, content: &str) -> String {
    envelope(|writer| {
        let name = escaped(method);
        let namespace = namespace::VIM;
        writer.raw(&format!(
            "<{name}Response xmlns=\"{namespace}\">{content}</{name}Response>"
        ));
    })
}

/// A fault as a whole message. It goes with HTTP status 500.
pub fn encode_fault(fault: &SoapFault) -> String {
    envelope(|writer| {
        writer.raw("<soapenv:Fault><faultcode>");
        writer.raw(&escaped(&fault.code));
        writer.raw("</faultcode><faultstring>");
        writer.raw(&escaped(&fault.string));
        writer.raw("</faultstring>");
        if let Some(detail) = &fault.detail {
            writer.raw("<detail>");
            match detail {
                Any::Object(object) => {
                    let name = object.type_name();
                    writer.raw(&format!(
                        "<{name}Fault xmlns=\"{}\" xsi:type=\"{name}\">",
                        namespace::VIM
                    ));
                    match object.unknown() {
                        Some(unknown) => writer.raw(&unknown.element.content),
                        None => writer.properties(&**object),
                    }
                    writer.raw(&format!("</{name}Fault>"));
                }
                other => writer.element("fault", "", View::Any(other)),
            }
            writer.raw("</detail>");
        }
        writer.raw("</soapenv:Fault>");
    })
}

fn envelope(body: impl FnOnce(&mut Writer)) -> String {
    envelope_with(Writer::new(), body)
}

fn envelope_with(mut writer: Writer, body: impl FnOnce(&mut Writer)) -> String {
    writer.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope");
    for (prefix, uri) in [
        ("soapenc", namespace::ENCODING),
        ("soapenv", namespace::ENVELOPE),
        ("xsd", namespace::XSD),
        ("xsi", namespace::XSI),
    ] {
        writer.raw(&format!(" xmlns:{prefix}=\"{uri}\""));
    }
    writer.raw(">\n<soapenv:Body>");
    body(&mut writer);
    writer.raw("</soapenv:Body>\n</soapenv:Envelope>");
    writer.finish()
}

/// A decoded answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The result.
    pub returnval: T,
    /// Elements (`Type.element`) and types that the bindings lack, each once, up to a limit.
    pub unknown: Vec<String>,
    /// What no XML may hold and was read nevertheless.
    pub mended: Mended,
}

impl<T> Decoded<T> {
    /// Counts what was found before the message was decoded.
    pub(super) fn add_mended(&mut self, mut before: Mended) {
        before.merge(std::mem::take(&mut self.mended));
        self.mended = before;
    }
}

/// Why an answer has no result.
#[derive(Clone, Debug)]
pub enum ResponseError {
    /// The server answered with a fault.
    Fault(Box<SoapFault>),
    /// The answer could not be decoded.
    Decode(DecodeError),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Decode(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResponseError {}

impl From<DecodeError> for ResponseError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// Decodes the answer to a request of type `M`.
///
/// # Errors
/// The server's fault, or the mistake in the message: not well-formed, not SOAP, too deep, or a missing
/// required property.
pub fn decode_response<M: Method>(
    body: &[u8],
    limits: Limits,
) -> Result<Decoded<M::Output>, ResponseError> {
    // Nearly every answer is text that XML may hold.
    if let Ok(text) = std::str::from_utf8(body) {
        let mut reader = Reader::new(text, M::registry(), limits);
        reader.tokens.watch_characters();
        let result = decode_with::<M>(&mut reader);
        if reader.tokens.is_clean() {
            return result;
        }
    }
    let (text, mended) = text_of(body)?;
    let mut decoded = decode_text::<M>(&text, limits)?;
    decoded.add_mended(mended);
    Ok(decoded)
}

pub(super) fn decode_text<M: Method>(
    text: &str,
    limits: Limits,
) -> Result<Decoded<M::Output>, ResponseError> {
    decode_with::<M>(&mut Reader::new(text, M::registry(), limits))
}

fn decode_with<M: Method>(reader: &mut Reader<'_>) -> Result<Decoded<M::Output>, ResponseError> {
    open_body(reader)?;
    if reader.tokens.local_name() == "Fault" {
        let fault = fault(reader)?;
        close_envelope(reader)?;
        return Err(ResponseError::Fault(Box::new(fault)));
    }
    if reader.tokens.local_name().strip_suffix("Response") != Some(M::name()) {
        let what = format!(
            "it answers with <{}>, not to {}",
            shortened(reader.tokens.name()),
            M::name()
        );
        return Err(reader.tokens.not_soap(&what).into());
    }
    let mut returnval = M::Output::default();
    let mut count = 0;
    while reader.tokens.next_child()? {
        if reader.tokens.local_name() == "returnval" {
            M::output_mut(&mut returnval)
                .decode(reader)
                .map_err(|error| error.within("returnval", Some(count)))?;
            count += 1;
        } else {
            reader.skip()?;
        }
    }
    close_envelope(reader)?;
    Ok(Decoded {
        returnval,
        unknown: std::mem::take(&mut reader.unknown),
        mended: std::mem::take(&mut reader.tokens.mended),
    })
}

/// A decoded request.
pub struct Request {
    /// The method's name.
    pub name: String,
    /// The object that the method is called on.
    pub this: ManagedObjectReference,
    /// The parameters as the request's type; `None` if the interface lacks the method.
    pub method: Option<Box<dyn Object>>,
}

/// Decodes a request, as a server receives it.
///
/// # Errors
/// The mistake in the message.
pub fn decode_request(
    body: &[u8],
    interface: &Interface,
    limits: Limits,
) -> Result<Request, DecodeError> {
    let mut reader = Reader::new(utf8(body)?, interface.registry, limits);
    reader.is_request = true;
    open_body(&mut reader)?;
    let name = reader.tokens.local_name().to_owned();
    let start = reader.tokens.mark();
    let mut this = None;
    while reader.tokens.next_child()? {
        if this.is_none() && reader.tokens.local_name() == "_this" {
            this = Some(
                reader
                    .moref()
                    .map_err(|error| error.within("_this", None))?,
            );
        } else {
            reader.skip()?;
        }
    }
    let Some(this) = this else {
        return Err(reader
            .tokens
            .not_soap(&format!("the request {name} has no _this")));
    };
    let mut method = None;
    if let Some(info) = interface.method(&name) {
        reader.tokens.rewind(start)?;
        let mut request = ((info.request)().new)();
        reader.object(&mut *request)?;
        method = Some(request);
    }
    close_envelope(&mut reader)?;
    Ok(Request { name, this, method })
}

fn utf8(body: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(body).map_err(|error| {
        let what = "it is not UTF-8".to_owned();
        DecodeError::new(DecodeErrorKind::Malformed(what), error.valid_up_to())
    })
}

/// Opens Envelope and Body and the first element in it.
pub(super) fn open_body(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    reader.tokens.root()?;
    if reader.tokens.local_name() != "Envelope" {
        let name = shortened(local(reader.tokens.name()));
        let what = format!("its root element is <{name}>");
        return Err(reader.tokens.not_soap(&what));
    }
    while reader.tokens.next_child()? {
        if reader.tokens.local_name() == "Body" {
            return match reader.tokens.next_child()? {
                true => Ok(()),
                false => Err(reader.tokens.not_soap("its body is empty")),
            };
        }
        reader.skip()?;
    }
    Err(reader.tokens.not_soap("it has no body"))
}

/// Takes what is left of Body and Envelope, so that a message cut in the middle is noticed.
fn close_envelope(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    reader.skip()?;
    reader.skip()?;
    reader.tokens.finish()
}

/// The elements directly in a piece of XML, each with its text; those that have elements in them have none.
pub(crate) fn texts_of(content: &str) -> Result<Vec<(String, String)>, DecodeError> {
    let wrapped = format!(
        "<content xmlns:xsi=\"{}\" xmlns:xsd=\"{}\">{content}</content>",
        namespace::XSI,
        namespace::XSD
    );
    let mut tokens = Tokens::new(&wrapped, Limits::default());
    let mut found = Vec::new();
    tokens.root()?;
    while tokens.next_child()? {
        let name = tokens.local_name().to_owned();
        let before = tokens.mark();
        let text = match tokens.text() {
            Ok(text) => text.into_owned(),
            Err(_) => {
                tokens.rewind(before)?;
                tokens.skip()?;
                String::new()
            }
        };
        found.push((name, text));
    }
    Ok(found)
}

/// A fault of SOAP 1.1, as VI servers send them, or of SOAP 1.2, as proxies and other servers do.
fn fault(reader: &mut Reader<'_>) -> Result<SoapFault, DecodeError> {
    let mut fault = SoapFault::default();
    while reader.tokens.next_child()? {
        match reader.tokens.local_name() {
            "faultcode" => fault.code = reader.text()?.into_owned(),
            "faultstring" => fault.string = reader.text()?.into_owned(),
            "Code" => fault.code = first_text(reader, "Value")?,
            "Reason" => fault.string = first_text(reader, "Text")?,
            "detail" | "Detail" => {
                while reader.tokens.next_child()? {
                    let detail = detail(reader)?;
                    fault.detail.get_or_insert(detail);
                }
            }
            _ => reader.skip()?,
        }
    }
    Ok(fault)
}

/// The text of the first child with that name.
fn first_text(reader: &mut Reader<'_>, name: &str) -> Result<String, DecodeError> {
    let mut found = None;
    while reader.tokens.next_child()? {
        match found.is_none() && reader.tokens.local_name() == name {
            true => found = Some(reader.text()?.into_owned()),
            false => reader.skip()?,
        }
    }
    Ok(found.unwrap_or_default())
}

/// The fault in a detail: an element `XFault` that is an `X`, even where it doesn't say so.
fn detail(reader: &mut Reader<'_>) -> Result<Any, DecodeError> {
    if reader.tokens.xsi_type().is_some() {
        return reader.any();
    }
    let name = reader.tokens.local_name();
    match name.strip_suffix("Fault") {
        Some(name) => {
            let mut value = reader.any_of(name)?;
            if let Any::Undecodable(value) = &mut value {
                let said = &mut value.element.type_name;
                said.get_or_insert_with(|| name.to_owned());
            }
            Ok(value)
        }
        None => reader.any(),
    }
}
