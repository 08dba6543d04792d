//! Making domains of libvirt's XML documents.

use futures_core::future::BoxFuture;
use vi_client::match_fault;
use vi_types::methods::{FindByDatastorePath, RegisterVmTask};
use vi_types::objects::{AlreadyExists, DuplicateName};
use vi_types::{ManagedObjectReference, references};
use virt_model::ErrorNumber;
use virt_model::domain::{DiskDevice, DiskSource, DomainDef};
use virt_model::flags::refuse_unknown;

use super::convert::invalid;
use super::difference::difference;
use crate::datastore::item_name;
use crate::engine::{Change, Effect, Machine, Runner};
use crate::error::fault_words;
use crate::{
    Connect, DatastorePath, DefineFlags, Domain, Error, ErrorKind, NoProperties, Operation, Result,
    What,
};

impl Connect {
    /// Makes a domain of libvirt's XML document, or gives an existing one that definition.
    ///
    /// A new domain's VMX file is written beside its first disk, which must exist, and registered. A VMX file of the same
    /// name is replaced. The new domain is looked up, since the server chooses its instance UUID. (libvirt 9.0.0,
    /// esxDomainDefineXMLFlags, returns a handle with the document's UUID.)
    ///
    /// An existing domain, which has the document's UUID and name, is compared with the document. One reconfiguration
    /// changes what differs; nothing is sent if nothing differs. What documents cannot tell stays, and so do the files of
    /// disks that are removed. (libvirt 9.0.0 refuses existing domains.) The host refuses what a running domain cannot
    /// change.
    ///
    /// Elements that this driver does not know are named in the log; with [`DefineFlags::VALIDATE`] they are an error.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be converted, or if it has no disk file to write beside;
    /// [`ErrorKind::Exists`] if a domain has the name and another has the UUID; [`ErrorKind::File`] if the file cannot be
    /// written; [`ErrorKind::TaskFailed`] if the host does not register the file or refuses a change;
    /// [`ErrorKind::Blocked`] if the host asks a question that is not answered; for an existing domain also
    /// [`ErrorKind::NotFound`] of [`What::Device`] and [`ErrorKind::Ambiguous`] if its VMX file and its devices do not fit
    /// together.
    #[doc(alias = "virDomainDefineXML")]
    #[doc(alias = "virDomainDefineXMLFlags")]
    pub fn define_xml(&self, xml: &str, flags: DefineFlags) -> Operation<'static, Domain> {
        let (connect, xml) = (self.clone(), xml.to_owned());
        Operation::new("Could not define domain", move |mut runner| {
            Box::pin(async move {
                let def = connect.checked(&xml, flags)?;
                if let Some(domain) = runner.prepare(connect.namesake(&def)).await? {
                    return domain.redefine(&def, &mut runner).await;
                }
                let path = runner.prepare(connect.write_vmx(&def)).await?;
                let registered = runner.perform(connect.registration(&path).await?).await;
                let vm = registered.map_err(|error| not_defined(error, &path))?;
                let domain = runner.prepare(connect.domain(&vm)).await;
                let domain = domain.map_err(|error| {
                    let name = name_of(&def);
                    error.note(&format!("the domain '{name}' is defined"))
                })?;
                domain.ok_or_else(|| lost(&path))
            })
        })
    }

    /// The definition of a document, checked as libvirt checks it before it looks at the server.
    fn checked(&self, xml: &str, flags: DefineFlags) -> Result<DomainDef> {
        refuse_unknown(flags, DefineFlags::VALIDATE, "esxDomainDefineXMLFlags")?;
        let def = self.read_definition(xml, flags.contains(DefineFlags::VALIDATE))?;
        check_name(&def)?;
        Ok(def)
    }

    /// Writes the VMX file of a new domain, and returns its path.
    async fn write_vmx(&self, def: &DomainDef) -> Result<DatastorePath> {
        let text = self.write_definition(def).await?;
        let path = vmx_path(def)?;
        let written = self.upload(&path, text.into()).await;
        written.map_err(|error| match error.kind() {
            // There was no answer, or none that could be read.
            ErrorKind::Transport | ErrorKind::Timeout => {
                error.note(&format!("the file '{path}' may have been written"))
            }
            _ => error,
        })?;
        Ok(path)
    }

    /// Registers a VMX file as a virtual machine of the host.
    pub(in crate::domain) async fn registration(
        &self,
        path: &DatastorePath,
    ) -> Result<Change<ManagedObjectReference>> {
        let place = self.place().await?;
        let folder = references::Folder::from(place.vm_folder.clone());
        let request = RegisterVmTask {
            pool: Some(place.resource_pool.clone()),
            host: Some(place.host_system.clone()),
            ..folder.register_vm_task(path.to_string(), false)
        };
        let seeing = (self.clone(), path.clone());
        let change = Change::task(self.client(), request)
            .making(self.machine_of_file(path))
            .verified_by(move || {
                let (connect, path) = seeing.clone();
                Box::pin(async move {
                    let Some(domain) = connect.domain_of_file(&path).await? else {
                        return Ok(Effect::NotDone);
                    };
                    // While the machine asks something, its registration may still fail.
                    Ok(match domain.question().await? {
                        Some(_) => Effect::Unknown,
                        None => Effect::Done(domain.moref().clone()),
                    })
                })
            });
        Ok(change)
    }

    /// How a change finds the machine that it makes: by its VMX file.
    pub(super) fn machine_of_file(
        &self,
        path: &DatastorePath,
    ) -> impl Fn() -> BoxFuture<'static, Result<Option<Machine>>> + Send + Sync + use<> {
        let (connect, path) = (self.clone(), path.clone());
        move || {
            let (connect, path) = (connect.clone(), path.clone());
            Box::pin(async move {
                let domain = connect.domain_of_file(&path).await?;
                Ok(domain.map(|domain| domain.machine()))
            })
        }
    }

    /// The domain whose VMX file this is.
    pub(super) async fn domain_of_file(&self, path: &DatastorePath) -> Result<Option<Domain>> {
        let find = FindByDatastorePath {
            datacenter: self.place().await?.datacenter.clone(),
            path: path.to_string(),
            ..Default::default()
        };
        match self.client().call(&find).await? {
            Some(vm) => self.domain(&vm).await,
            None => Ok(None),
        }
    }

    /// The domain that has the definition's UUID, or else its name.
    pub(super) async fn namesake(&self, def: &DomainDef) -> Result<Option<Domain>> {
        let found = match def.uuid {
            Some(uuid) => self.find_uuid::<NoProperties>(uuid).await?,
            None => None,
        };
        match found {
            Some((domain, _)) => Ok(Some(domain)),
            None => known(self.lookup_by_name(name_of(def)).await),
        }
    }
}

/// The domain, if there is one.
fn known(found: Result<Domain>) -> Result<Option<Domain>> {
    match found {
        Ok(domain) => Ok(Some(domain)),
        Err(error) if error.kind() == ErrorKind::NotFound(What::Domain) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Domain {
    /// Gives the domain another definition.
    async fn redefine(self, def: &DomainDef, runner: &mut Runner<'_>) -> Result<Domain> {
        let machine = runner.prepare(self.hardware()).await?;
        let present = self.definition(&machine.path, &machine.power_state);
        let present = runner.prepare(present).await?;
        self.expect_identity(&present, def)?;
        let mut def = def.clone();
        let cards = &mut def.devices.interfaces;
        let found = self
            .connect
            .find_networks(cards, &present.devices.interfaces);
        runner.prepare(found).await?;
        let Some(spec) = difference(&present, &def, &machine)? else {
            return Ok(self);
        };
        let change = self.task(self.vm().reconfig_vm_task(spec)).verified_by({
            let (domain, def) = (self.clone(), def.clone());
            move || {
                let (domain, def) = (domain.clone(), def.clone());
                Box::pin(async move {
                    let machine = domain.hardware().await?;
                    let present = domain.definition(&machine.path, &machine.power_state);
                    let rest = difference(&present.await?, &def, &machine)?;
                    Ok(match rest {
                        None => Effect::Done(()),
                        Some(_) => Effect::NotDone,
                    })
                })
            }
        });
        runner.perform(change).await?;
        Ok(self)
    }

    /// Fails unless the definition has the domain's name and UUID. Texts are those of virDomainObjListAdd of libvirt 9.0.0.
    fn expect_identity(&self, present: &DomainDef, def: &DomainDef) -> Result<()> {
        // A domain that was defined has the document's UUID for its guest; the server chose the other one.
        let known = [Some(self.uuid), present.uuid, present.hwuuid];
        let has_uuid = def.uuid.is_some() && known.contains(&def.uuid);
        let has_name = def.name == present.name || def.name.as_deref() == Some(&*self.name);
        let message = match (has_uuid, has_name) {
            (true, true) => return Ok(()),
            (true, false) => format!(
                "domain '{}' is already defined with uuid {}",
                self.name, self.uuid
            ),
            _ => format!(
                "domain '{}' already exists with uuid {}",
                self.name, self.uuid
            ),
        };
        let kind = ErrorKind::Exists(What::Domain);
        let error = Error::new(kind, ErrorNumber::OperationFailed, message);
        Err(match has_uuid {
            true => error.advise("rename gives a domain another name"),
            false => error,
        })
    }
}

/// Refuses a name that VMX files cannot have, as esxDomainDefineXMLFlags of libvirt 9.0.0 does.
pub(super) fn check_name(def: &DomainDef) -> Result<()> {
    match name_of(def).contains('\n') {
        true => Err(invalid(ErrorNumber::XmlDetail, "invalid char in name: \n")),
        false => Ok(()),
    }
}

/// The error of a machine that was made and vanished.
pub(super) fn lost(path: &DatastorePath) -> Error {
    let message = format!("Could not define domain: '{path}' is registered and not found");
    let kind = ErrorKind::NotFound(What::Domain);
    Error::new(kind, ErrorNumber::InternalError, message)
}

/// The definition's name. A definition that was read from a document has one.
pub(super) fn name_of(def: &DomainDef) -> &str {
    def.name.as_deref().unwrap_or_default()
}

/// The path of the VMX file of a new domain: beside its first disk that is a file. Texts are those of
/// esxDomainDefineXMLFlags of libvirt 9.0.0.
pub(super) fn vmx_path(def: &DomainDef) -> Result<DatastorePath> {
    const SO: &str = "cannot deduce datastore and path for VMX file";
    let fail = |message: String| invalid(ErrorNumber::InternalError, message);
    let disks = &def.devices.disks;
    if disks.is_empty() {
        return Err(fail(format!("Domain XML doesn't contain any disks, {SO}")));
    }
    let mut files = disks.iter().filter_map(|disk| match &disk.source {
        DiskSource::File(path) if disk.device == DiskDevice::Disk => Some(path.as_deref()),
        _ => None,
    });
    let first = files.next().ok_or_else(|| {
        fail(format!(
            "Domain XML doesn't contain any file-based harddisks, {SO}"
        ))
    })?;
    let first =
        first.ok_or_else(|| fail(format!("First file-based harddisk has no source, {SO}")))?;
    let path: DatastorePath = first.parse()?;
    if !first.to_ascii_lowercase().ends_with(".vmdk") {
        return Err(fail(format!(
            "Expecting source '{first}' of first file-based harddisk to be a VMDK image"
        )));
    }
    let file = format!("{}.vmx", item_name(name_of(def)));
    let file = match path.directory() {
        "" => file,
        directory => format!("{directory}/{file}"),
    };
    Ok(DatastorePath::new(path.datastore(), file))
}

/// The error of a registration; the uploaded file stays, as in libvirt.
fn not_defined(error: Error, path: &DatastorePath) -> Error {
    let error = match error.kind() {
        // The advice already says what became of the task that the question blocks.
        ErrorKind::Blocked => return error,
        ErrorKind::Fault | ErrorKind::NoPermission => refused(error),
        _ => error,
    };
    let why = error.cause().and_then(not_registered);
    let stays = stays(path);
    // libvirt says nothing of the file when the host refuses it.
    match why {
        Some(why) => error.advise(format!("{why}; {stays}")),
        None if error.fault().is_some() => error.advise(stays),
        None => error.note(&stays),
    }
}

/// Advice for the faults that a registration declares.
fn not_registered(cause: &vi_client::Error) -> Option<&'static str> {
    match_fault!(cause, RegisterVmTask {
        AlreadyExists as _ => Some("the host has a domain with this file already"),
        DuplicateName as _ => Some("the folder has something with this name already"),
        _ => None,
    })
}

/// libvirt 9.0.0 (esxDomainDefineXMLFlags) has one text for a registration that the host refuses and one that fails.
fn refused(error: Error) -> Error {
    let Some(fault) = error.fault() else {
        return error;
    };
    let message = format!("Could not define domain: {}", fault_words(fault));
    Error::new(ErrorKind::TaskFailed, ErrorNumber::InternalError, message).because(error)
}

fn stays(path: &DatastorePath) -> String {
    format!("the file '{path}' has been written and stays")
}
