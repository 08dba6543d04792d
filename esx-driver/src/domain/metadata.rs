//! Title, description and elements of metadata.
//!
//! The description is the virtual machine's annotation, as in libvirt's conversion of VMX files. The API has no place for
//! the others; they are options of the machine's VMX file, which other programs leave alone.

use vi_client::property_set;
use vi_types::{
    Any, Poly,
    enums::VirtualMachinePowerState,
    objects::{ConcurrentAccess, OptionValue, VirtualMachineConfigSpec},
};
use virt_model::{
    ErrorNumber, XmlError,
    domain::MetadataType,
    flags::ModificationImpact,
    xml::{Element, is_prefix},
};

use super::{
    Domain,
    reconfiguration::{check_impact, check_live, known_impact, live},
};
use crate::{Error, ErrorKind, Operation, Result, What};

/// The option that has the title.
pub(crate) const TITLE: &str = "libvirt.title";

/// The option that has `<metadata>` with its elements.
pub(crate) const ELEMENTS: &str = "libvirt.metadata";

property_set! {
    struct Metadata: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        // vcsim has none.
        version: Option<String> = config.change_version,
        annotation: Option<String> = config.annotation,
        options: Vec<Poly<OptionValue>> = config.extra_config,
    }
}

impl Domain {
    /// The domain's description or title, or its element of metadata in the namespace `uri`, without the namespace.
    ///
    /// A virtual machine has one configuration, so the flags select nothing. One request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Metadata`] if there is none; [`ErrorKind::WrongState`] for an inactive domain with
    /// [`ModificationImpact::LIVE`]; [`ErrorKind::Argument`] for an element without a `uri`, or for another part with one;
    /// [`ErrorKind::Definition`] if the stored elements are no XML; [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetMetadata")]
    pub async fn metadata(
        &self,
        part: MetadataType,
        uri: Option<&str>,
        flags: ModificationImpact,
    ) -> Result<String> {
        let uri = check_uri(part, uri, "virDomainGetMetadata")?;
        check_impact(flags, "esxDomainGetMetadata")?;
        let found: Metadata = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        let (text, missing) = match part {
            MetadataType::Description => (
                found.annotation.filter(|text| !text.is_empty()),
                "Requested description element is not present",
            ),
            MetadataType::Title => (
                found.option(TITLE).map(str::to_owned),
                "Requested title element is not present",
            ),
            _ => (
                found
                    .elements()?
                    .into_iter()
                    .find(|element| element.namespace() == Some(uri))
                    .map(|element| element.out_of_namespace(uri).to_string()),
                "Requested metadata element is not present",
            ),
        };
        text.ok_or_else(|| {
            let kind = ErrorKind::NotFound(What::Metadata);
            Error::new(kind, ErrorNumber::NoDomainMetadata, missing)
        })
    }

    /// Sets or removes (`None`) the domain's description or title, or its element of metadata in the namespace `uri`, which
    /// gets the prefix `key`.
    ///
    /// A virtual machine has one configuration, which is that of the running domain and that of its next start.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for a title of several lines, for an element without a `uri` or a `key`, and for another part
    /// with one; [`ErrorKind::Definition`] if an element is no XML, or has a namespace already;
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`];
    /// [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetMetadata")]
    pub fn set_metadata(
        &self,
        part: MetadataType,
        metadata: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        const COULD_NOT: &str = "Could not set metadata";
        let is_live = flags.contains(ModificationImpact::LIVE);
        let checked = known_impact(flags, "esxDomainSetMetadata")
            .and_then(|()| check_set(part, metadata, key, uri));
        let uri = match checked {
            Ok(uri) => uri.to_owned(),
            Err(error) => return Operation::of(COULD_NOT, Err(error)),
        };
        let text = metadata.unwrap_or_default().to_owned();
        match part {
            MetadataType::Description => {
                let spec = VirtualMachineConfigSpec {
                    annotation: Some(text.clone()),
                    ..VirtualMachineConfigSpec::default()
                };
                let change = self.reconfigure(spec, move |found: &Metadata| {
                    found.annotation.as_deref().unwrap_or_default() == text
                });
                Operation::of(COULD_NOT, Ok(live(change, is_live)))
            }
            MetadataType::Title => {
                let change = self.set_option(TITLE, text, None);
                Operation::of(COULD_NOT, Ok(live(change, is_live)))
            }
            _ => {
                let element = metadata.map(|text| element(text, key.unwrap_or_default(), &uri));
                let domain = self.clone();
                Operation::new(COULD_NOT, move |mut runner| {
                    Box::pin(async move {
                        let element = element.transpose()?;
                        let found: Metadata = runner.prepare(domain.properties()).await?;
                        check_live(is_live, &found.power_state)?;
                        let mut elements = found.elements()?;
                        elements.retain(|other| other.namespace() != Some(&uri));
                        elements.extend(element);
                        let all = elements.into_iter();
                        let all = all.fold(Element::new("metadata"), Element::with_child);
                        let text = match all.content().is_empty() {
                            true => String::new(),
                            false => all.to_string(),
                        };
                        if text == found.option(ELEMENTS).unwrap_or_default() {
                            return Ok(());
                        }
                        // Elements of other programs must not get lost if one of them changes its own meanwhile.
                        let change = domain.set_option(ELEMENTS, text, found.version);
                        runner.perform(change).await.map_err(changed_meanwhile)
                    })
                })
            }
        }
    }

    /// The change of an option; an empty text removes it. With a version, it must be the configuration's.
    fn set_option(
        &self,
        key: &'static str,
        text: String,
        version: Option<String>,
    ) -> crate::engine::Change<()> {
        let option = OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(text.clone())),
            ..OptionValue::default()
        };
        let spec = VirtualMachineConfigSpec {
            change_version: version,
            extra_config: vec![option.into()],
            ..VirtualMachineConfigSpec::default()
        };
        self.reconfigure(spec, move |found: &Metadata| {
            found.option(key).unwrap_or_default() == text
        })
    }
}

impl Metadata {
    /// The text of an option. An empty one is none.
    fn option(&self, key: &str) -> Option<&str> {
        let option = self.options.iter().find(|option| option.key == key)?;
        match &option.value {
            Some(Any::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The elements of `<metadata>`.
    fn elements(&self) -> Result<Vec<Element>> {
        let Some(text) = self.option(ELEMENTS) else {
            return Ok(Vec::new());
        };
        let metadata: Element = text.parse().map_err(|error: XmlError| {
            let message =
                format!("The option '{ELEMENTS}' of the virtual machine is no XML: {error}");
            Error::new(ErrorKind::Definition, ErrorNumber::InternalError, message)
        })?;
        Ok(metadata.children().cloned().collect())
    }
}

/// Checks that there is a URI if the part is an element (the public functions of libvirt 9.0.0), and returns it.
fn check_uri<'a>(part: MetadataType, uri: Option<&'a str>, function: &str) -> Result<&'a str> {
    match (part, uri) {
        (MetadataType::Element, Some(uri)) => Ok(uri),
        (MetadataType::Element, None) => {
            Err(argument(format!("uri in {function} must not be NULL")))
        }
        (_, None) => Ok(""),
        (_, Some(_)) => Err(argument(format!("uri in {function} must be NULL"))),
    }
}

/// Checks what is to be set, and returns the URI.
fn check_set<'a>(
    part: MetadataType,
    metadata: Option<&str>,
    key: Option<&str>,
    uri: Option<&'a str>,
) -> Result<&'a str> {
    const FUNCTION: &str = "virDomainSetMetadata";
    let is_element = part == MetadataType::Element;
    if part == MetadataType::Title && metadata.is_some_and(|text| text.contains('\n')) {
        return Err(argument("metadata title can't contain newlines"));
    }
    match key {
        Some(_) if !is_element => {
            return Err(argument(format!("key in {FUNCTION} must be NULL")));
        }
        None if is_element && metadata.is_some() => {
            return Err(argument(format!("key in {FUNCTION} must not be NULL")));
        }
        _ => {}
    }
    check_uri(part, uri, FUNCTION)
}

fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message).plain()
}

/// The element as it is stored (`virXMLInjectNamespace` of libvirt 9.0.0).
fn element(text: &str, key: &str, uri: &str) -> Result<Element> {
    let element: Element = text.parse().map_err(|error: XmlError| {
        Error::new(ErrorKind::Definition, error.number(), error.message())
    })?;
    let invalid = |message| {
        Err(Error::new(
            ErrorKind::Definition,
            ErrorNumber::InternalError,
            message,
        ))
    };
    if !is_prefix(key) {
        return invalid("failed to validate prefix for a new XML namespace");
    }
    if element.prefix() == Some(key) {
        return invalid("failed to create a new XML namespace");
    }
    Ok(element.into_namespace(key, uri))
}

fn changed_meanwhile(error: Error) -> Error {
    match error
        .fault()
        .is_some_and(|fault| fault.is::<ConcurrentAccess>())
    {
        true => {
            error.advise("the virtual machine's configuration was changed meanwhile; try again")
        }
        false => error,
    }
}
