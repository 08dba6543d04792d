//! What a hypervisor can give its domains: libvirt's `<domainCapabilities>` document.

use xmltree::Element;

use crate::{
    Document,
    flags::NoFlags,
    xml::{Build, Node, Tree, XmlError, yes_no},
};

/// What a hypervisor can give a domain of a machine type (libvirt's `virDomainCaps`).
///
/// ```
/// use virt_model::{Document, DomainCapabilitiesDef, domain_capabilities::{Choice, Feature}};
///
/// let capabilities = DomainCapabilitiesDef {
///     domain: "vmware".to_owned(),
///     arch: "x86_64".to_owned(),
///     max_vcpus: Some(128),
///     devices: vec![Feature::supported("disk", [Choice::new("bus", ["ide", "scsi"])])],
///     ..DomainCapabilitiesDef::default()
/// };
/// assert_eq!(
///     capabilities.to_xml(Default::default()),
///     "\
/// <domainCapabilities>
///   <domain>vmware</domain>
///   <arch>x86_64</arch>
///   <vcpu max='128'/>
///   <os supported='no'/>
///   <cpu>
///   </cpu>
///   <devices>
///     <disk supported='yes'>
///       <enum name='bus'>
///         <value>ide</value>
///         <value>scsi</value>
///       </enum>
///     </disk>
///   </devices>
///   <features>
///   </features>
/// </domainCapabilities>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainCapabilitiesDef {
    /// The program that runs the domain.
    pub path: Option<String>,
    /// The type of the hypervisor, such as `vmware`.
    pub domain: String,
    /// The machine type.
    pub machine: Option<String>,
    /// The architecture.
    pub arch: String,
    /// The most virtual processors.
    pub max_vcpus: Option<u32>,
    /// Whether there are threads for input and output.
    pub iothreads: Option<bool>,
    /// What the domain can start from.
    pub os: OsCapabilities,
    /// The processors that the domain can have.
    pub cpu_modes: Vec<CpuMode>,
    /// Whether the memory can be backed, and by what.
    pub memory_backing: Option<Feature>,
    /// The devices, in libvirt's order: `disk`, `graphics`, `video`, `hostdev`, `rng`, …
    pub devices: Vec<Feature>,
    /// Other features: `gic`, `vmcoreinfo`, `genid`, …
    pub features: Vec<Feature>,
    #[doc(hidden)]
    pub _more: (),
}

/// What a domain can start from: `<os>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OsCapabilities {
    /// Whether there is anything.
    pub supported: bool,
    /// The kinds of firmware that libvirt chooses itself.
    pub firmware: Option<Choice>,
    /// The programs of the firmware. None is not written.
    pub loader: Option<Loader>,
    #[doc(hidden)]
    pub _more: (),
}

/// The programs of the firmware: `<loader>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loader {
    /// Whether there are any.
    pub supported: bool,
    /// Their paths.
    pub values: Vec<String>,
    /// What can be said of them.
    pub choices: Vec<Choice>,
}

/// A kind of processor: `<mode>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuMode {
    /// libvirt's name of it: `host-passthrough`, `maximum`, `host-model`, `custom`.
    pub name: String,
    /// Whether the domain can have it.
    pub supported: bool,
    /// What can be said of it.
    pub choices: Vec<Choice>,
    /// The models.
    pub models: Vec<CpuModel>,
    /// Who made the processor of the host.
    pub vendor: Option<String>,
    /// Features that the host's processor has beyond its model, or lacks: the policy and the name.
    pub features: Vec<(String, String)>,
    #[doc(hidden)]
    pub _more: (),
}

/// A model of a processor: `<model>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuModel {
    /// The name.
    pub name: String,
    /// Whether the host can run it, where that is said: `yes`, `no` or `unknown`.
    pub usable: Option<String>,
    /// Whether another model is taken if the host cannot run it: `allow` or `forbid`.
    pub fallback: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// A device or feature, and what can be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Feature {
    /// The name of the element.
    pub name: String,
    /// Whether the domain can have it.
    pub supported: bool,
    /// What can be said of it.
    pub choices: Vec<Choice>,
}

/// The values that an attribute can have: `<enum>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// The name of the attribute.
    pub name: String,
    /// The values.
    pub values: Vec<String>,
}

impl Choice {
    /// The attribute of that name can have these values.
    pub fn new<I>(name: impl Into<String>, values: I) -> Choice
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Choice {
            name: name.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    fn read_all(node: &mut Node<'_>) -> Vec<Choice> {
        let choices = node.children("enum").into_iter();
        choices
            .map(|mut node| Choice {
                name: node.attr("name").unwrap_or_default(),
                values: values(&mut node),
            })
            .collect()
    }

    fn to_element(&self) -> Element {
        let values = self.values.iter();
        Element::new("enum")
            .attr("name", &self.name)
            .children(values.map(|value| Element::new("value").text(value)))
    }
}

impl Feature {
    /// The domain can have it.
    pub fn supported(name: impl Into<String>, choices: impl Into<Vec<Choice>>) -> Feature {
        Feature {
            name: name.into(),
            supported: true,
            choices: choices.into(),
        }
    }

    /// The domain cannot have it.
    pub fn unsupported(name: impl Into<String>) -> Feature {
        Feature {
            name: name.into(),
            ..Feature::default()
        }
    }

    fn read(mut node: Node<'_>) -> Result<Feature, XmlError> {
        Ok(Feature {
            supported: supported(&mut node)?,
            choices: Choice::read_all(&mut node),
            name: node.name.clone(),
        })
    }

    /// What is not supported has no choices.
    fn to_element(&self) -> Element {
        let choices = self.choices.iter().filter(|_| self.supported);
        Element::new(&self.name)
            .attr("supported", yes_no(self.supported))
            .children(choices.map(Choice::to_element))
    }
}

impl Document for DomainCapabilitiesDef {
    const ROOT: &'static str = "domainCapabilities";
    type Flags = NoFlags;

    fn read(node: &mut Node<'_>) -> Result<DomainCapabilitiesDef, XmlError> {
        let mut def = DomainCapabilitiesDef {
            path: node.text_of("path"),
            domain: node.text_of("domain").unwrap_or_default(),
            machine: node.text_of("machine"),
            arch: node.text_of("arch").unwrap_or_default(),
            ..DomainCapabilitiesDef::default()
        };
        if let Some(mut vcpu) = node.child("vcpu") {
            def.max_vcpus = vcpu.number("max")?;
        }
        if let Some(mut iothreads) = node.child("iothreads") {
            def.iothreads = Some(supported(&mut iothreads)?);
        }
        if let Some(os) = node.child("os") {
            def.os = OsCapabilities::read(os)?;
        }
        if let Some(mut cpu) = node.child("cpu") {
            let modes = cpu.children("mode").into_iter().map(CpuMode::read);
            def.cpu_modes = modes.collect::<Result<_, _>>()?;
        }
        let backing = node.child("memoryBacking").map(Feature::read);
        def.memory_backing = backing.transpose()?;
        let mut features = |name| match node.child(name) {
            Some(mut node) => node.all_children().into_iter().map(Feature::read).collect(),
            None => Ok(Vec::new()),
        };
        def.devices = features("devices")?;
        def.features = features("features")?;
        Ok(def)
    }

    /// The order is that of libvirt 9.0's `virDomainCapsFormat`.
    fn tree(&self, _: NoFlags) -> Tree {
        let is_supported =
            |name, supported| Element::new(name).attr("supported", yes_no(supported));
        let max_vcpus = self.max_vcpus.filter(|max| *max > 0);
        let features = |name, features: &[Feature]| {
            let features = features.iter().map(Feature::to_element);
            crate::xml::broken(Element::new(name).children(features))
        };
        let modes = self.cpu_modes.iter().map(CpuMode::to_element);
        Tree(
            Element::new("domainCapabilities")
                .maybe_text("path", self.path.as_ref())
                .maybe_text("domain", Some(&self.domain))
                .maybe_text("machine", self.machine.as_ref())
                .maybe_text("arch", Some(&self.arch))
                .children(max_vcpus.map(|max| Element::new("vcpu").attr("max", max)))
                .children(self.iothreads.map(|yes| is_supported("iothreads", yes)))
                .child(self.os.to_element())
                .child(crate::xml::broken(Element::new("cpu").children(modes)))
                .children(self.memory_backing.as_ref().map(Feature::to_element))
                .child(features("devices", &self.devices))
                .child(features("features", &self.features)),
        )
    }
}

impl OsCapabilities {
    fn read(mut node: Node<'_>) -> Result<OsCapabilities, XmlError> {
        let supported = supported(&mut node)?;
        let firmware = Choice::read_all(&mut node).into_iter().next();
        let loader = match node.child("loader") {
            Some(mut loader) => Some(Loader {
                supported: self::supported(&mut loader)?,
                values: values(&mut loader),
                choices: Choice::read_all(&mut loader),
            }),
            None => None,
        };
        Ok(OsCapabilities {
            supported,
            firmware,
            loader,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let element = Element::new("os").attr("supported", yes_no(self.supported));
        if !self.supported {
            return element;
        }
        let loader = self.loader.as_ref().map(|loader| {
            let element = Element::new("loader").attr("supported", yes_no(loader.supported));
            let shown = |_: &&String| loader.supported;
            let values = loader.values.iter().filter(shown);
            let choices = loader.choices.iter().filter(|_| loader.supported);
            element
                .children(values.map(|value| Element::new("value").text(value)))
                .children(choices.map(Choice::to_element))
        });
        element
            .children(self.firmware.as_ref().map(Choice::to_element))
            .children(loader)
    }
}

impl CpuMode {
    fn read(mut node: Node<'_>) -> Result<CpuMode, XmlError> {
        let models = node
            .children("model")
            .into_iter()
            .map(|mut model| CpuModel {
                usable: model.attr("usable"),
                fallback: model.attr("fallback"),
                name: model.text().to_owned(),
                _more: (),
            });
        let models = models.collect();
        let features = node.children("feature").into_iter().map(|mut feature| {
            let mut attribute = |name| feature.attr(name).unwrap_or_default();
            (attribute("policy"), attribute("name"))
        });
        let features = features.collect();
        Ok(CpuMode {
            name: node.required("name")?,
            supported: supported(&mut node)?,
            choices: Choice::read_all(&mut node),
            models,
            vendor: node.text_of("vendor"),
            features,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let element = Element::new("mode")
            .attr("name", &self.name)
            .attr("supported", yes_no(self.supported));
        if !self.supported {
            return element;
        }
        let models = self.models.iter().map(|model| {
            Element::new("model")
                .maybe_attr("fallback", model.fallback.as_ref())
                .maybe_attr("usable", model.usable.as_ref())
                .text(&model.name)
        });
        let features = self.features.iter().map(|(policy, name)| {
            Element::new("feature")
                .attr("policy", policy)
                .attr("name", name)
        });
        element
            .children(self.choices.iter().map(Choice::to_element))
            .children(models)
            .maybe_text("vendor", self.vendor.as_ref())
            .children(features)
    }
}

fn values(node: &mut Node<'_>) -> Vec<String> {
    let values = node.children("value").into_iter();
    values.map(|value| value.text().to_owned()).collect()
}

/// Reads whether something is supported.
fn supported(node: &mut Node<'_>) -> Result<bool, XmlError> {
    Ok(node.yes_no("supported")?.unwrap_or(false))
}
