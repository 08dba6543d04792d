//! A snapshot's definition: libvirt's `<domainsnapshot>` document.

use xmltree::Element;

use crate::{
    Document, DomainDef, DomainXmlFlags, ErrorNumber, SnapshotXmlFlags, Uuid,
    words::words,
    xml::{self, Build, Node, Tree, XmlError, decimal},
};

words! {
    /// What a domain was doing when its snapshot was taken.
    pub enum SnapshotState {
        Running = "running",
        Blocked = "blocked",
        Paused = "paused",
        Shutdown = "shutdown",
        Shutoff = "shutoff",
        Crashed = "crashed",
        PmSuspended = "pmsuspended",
        DiskSnapshot = "disk-snapshot",
    }
}

words! {
    /// Where the memory or a disk of a snapshot is stored.
    pub enum SnapshotLocation {
        No = "no",
        Internal = "internal",
        External = "external",
        Manual = "manual",
    }
}

/// A snapshot's definition (libvirt's `virDomainSnapshotDef`).
///
/// ```
/// use virt_model::{Document, SnapshotDef, snapshot::{SnapshotDomain, SnapshotState}};
///
/// let snapshot = SnapshotDef {
///     description: Some("before the update".to_owned()),
///     state: Some(SnapshotState::Running),
///     parent: Some("clean".to_owned()),
///     creation_time: Some(1_700_000_000),
///     domain: Some(SnapshotDomain::Uuid("564d9bef-0000-1111-2222-aea8b9103515".parse()?)),
///     ..SnapshotDef::new("update")
/// };
/// assert_eq!(
///     snapshot.to_xml(Default::default()),
///     "\
/// <domainsnapshot>
///   <name>update</name>
///   <description>before the update</description>
///   <state>running</state>
///   <parent>
///     <name>clean</name>
///   </parent>
///   <creationTime>1700000000</creationTime>
///   <domain>
///     <uuid>564d9bef-0000-1111-2222-aea8b9103515</uuid>
///   </domain>
/// </domainsnapshot>
/// "
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotDef {
    /// The name. None: still to be chosen.
    pub name: Option<String>,
    /// A description for people. An empty one is written, too.
    pub description: Option<String>,
    /// What the domain was doing. None: not known.
    pub state: Option<SnapshotState>,
    /// The name of the parent.
    pub parent: Option<String>,
    /// When the snapshot was taken, in seconds since the epoch. None or 0: not known.
    pub creation_time: Option<i64>,
    /// How the memory is stored.
    pub memory: Option<SnapshotMemory>,
    /// How the disks are stored.
    pub disks: Vec<SnapshotDisk>,
    /// The domain.
    pub domain: Option<SnapshotDomain>,
    #[doc(hidden)]
    pub _more: (),
}

/// How the memory of a snapshot is stored: `<memory>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotMemory {
    /// Where.
    pub location: Option<SnapshotLocation>,
    /// The file, if it is external.
    pub file: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// How a disk of a snapshot is stored: `<disk>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotDisk {
    /// The name of the disk's target, such as `vda`, or the disk's file.
    pub name: String,
    /// Where. None: the hypervisor chooses.
    pub location: Option<SnapshotLocation>,
    #[doc(hidden)]
    pub _more: (),
}

/// What a snapshot tells of its domain: `<domain>`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SnapshotDomain {
    /// The UUID only.
    Uuid(Uuid),
    /// The definition at the time of the snapshot.
    Def(Box<DomainDef>),
}

impl SnapshotDef {
    /// A snapshot of that name.
    pub fn new(name: impl Into<String>) -> SnapshotDef {
        SnapshotDef {
            name: Some(name.into()),
            ..SnapshotDef::default()
        }
    }
}

impl Document for SnapshotDef {
    const ROOT: &'static str = "domainsnapshot";
    type Flags = SnapshotXmlFlags;

    /// libvirt's `virDomainSnapshotDefParse` ignores state, time, parent and domain unless a
    /// snapshot is redefined; invalid ones are no errors here but count as not modelled.
    fn read(node: &mut Node<'_>) -> Result<SnapshotDef, XmlError> {
        let mut def = SnapshotDef {
            name: node.text_of("name"),
            description: node.child("description").map(|node| node.text().to_owned()),
            ..SnapshotDef::default()
        };
        if let Some(state) = node.child("state") {
            def.state = SnapshotState::from_word(state.text());
            if def.state.is_none() && state.text() != "nostate" {
                state.unmodelled();
            }
        }
        if let Some(mut parent) = node.child("parent") {
            def.parent = parent.text_of("name");
        }
        if let Some(time) = node.child("creationTime") {
            def.creation_time = decimal(time.text());
            if def.creation_time.is_none() {
                time.unmodelled();
            }
        }
        if let Some(memory) = node.child("memory") {
            def.memory = Some(SnapshotMemory::read(memory)?);
        }
        if let Some(mut disks) = node.child("disks") {
            let disks = disks.children("disk").into_iter().map(SnapshotDisk::read);
            def.disks = disks.collect::<Result<_, _>>()?;
        }
        if let Some(mut domain) = node.child("domain") {
            def.domain = if domain.has_attr("type") {
                let domain = DomainDef::read(&mut domain)?;
                Some(SnapshotDomain::Def(Box::new(domain)))
            } else {
                xml::read_uuid(domain.child("uuid"))?.map(SnapshotDomain::Uuid)
            };
        }
        Ok(def)
    }

    fn tree(&self, flags: SnapshotXmlFlags) -> Tree {
        let parent = self.parent.as_ref().map(|name| {
            let name = Element::new("name").text(name);
            Element::new("parent").child(name)
        });
        let disks = self.disks.iter().map(|disk| {
            Element::new("disk")
                .attr("name", &disk.name)
                .maybe_attr("snapshot", disk.location)
        });
        let disks = Element::new("disks").children(disks);
        let time = self.creation_time.filter(|&time| time != 0);
        let root = Element::new(SnapshotDef::ROOT)
            .maybe_text("name", self.name.as_ref())
            .maybe_text("description", self.description.as_ref())
            .maybe_text("state", self.state)
            .children(parent)
            .maybe_text("creationTime", time)
            .children(self.memory.as_ref().map(SnapshotMemory::to_element))
            .children((!self.disks.is_empty()).then_some(disks))
            .children(self.domain.as_ref().map(|domain| domain.to_element(flags)));
        Tree(root)
    }
}

impl SnapshotMemory {
    fn read(mut node: Node<'_>) -> Result<SnapshotMemory, XmlError> {
        use SnapshotLocation::External;
        let (location, file) = (node.word("snapshot")?, node.filled("file"));
        match (&file, location) {
            (None, Some(External)) => {
                return Err(node.error("external memory snapshots require a filename"));
            }
            (Some(_), None | Some(External)) | (None, _) => {}
            (Some(file), Some(_)) => {
                let message = format!("memory filename '{file}' requires external snapshot");
                return Err(node.error(message));
            }
        }
        Ok(SnapshotMemory {
            location,
            file,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("memory")
            .maybe_attr("snapshot", self.location)
            .maybe_attr("file", self.file.as_ref())
    }
}

impl SnapshotDisk {
    fn read(mut node: Node<'_>) -> Result<SnapshotDisk, XmlError> {
        let Some(name) = node.filled("name") else {
            let message = "missing name from disk snapshot element";
            return Err(node.fail(ErrorNumber::InternalError, message));
        };
        Ok(SnapshotDisk {
            name,
            location: node.word("snapshot")?,
            _more: (),
        })
    }
}

impl SnapshotDomain {
    fn to_element(&self, flags: SnapshotXmlFlags) -> Element {
        match self {
            SnapshotDomain::Uuid(uuid) => {
                Element::new("domain").child(Element::new("uuid").text(uuid))
            }
            SnapshotDomain::Def(domain) => {
                // libvirt's virDomainSnapshotDefFormat writes the definition without the number
                // of the domain that was running.
                let secure = if flags.contains(SnapshotXmlFlags::SECURE) {
                    DomainXmlFlags::SECURE
                } else {
                    DomainXmlFlags::NONE
                };
                domain.tree(DomainXmlFlags::INACTIVE | secure).0
            }
        }
    }
}
