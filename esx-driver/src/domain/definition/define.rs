//! Making domains of libvirt's XML documents.

use vi_client::match_fault;
use vi_types::methods::{FindByDatastorePath, RegisterVmTask};
use vi_types::objects::{AlreadyExists, DuplicateName};
use vi_types::{ManagedObjectReference, references};
use virt_model::ErrorNumber;
use virt_model::domain::{DiskDevice, DiskSource, DomainDef};
use virt_model::flags::refuse_unknown;

use super::convert::invalid;
use crate::datastore::item_name;
use crate::engine::{Change, Effect};
use crate::error::fault_words;
use crate::{
    Connect, DatastorePath, DefineFlags, Domain, Error, ErrorKind, Operation, Result, What,
};

impl Connect {
    /// Makes a domain of libvirt's XML document: writes its VMX file beside its first disk, which must exist, and registers
    /// the file. A VMX file of the same name is replaced; existing domains are not changed.
    ///
    /// Elements that this driver does not know are named in the log; with [`DefineFlags::VALIDATE`] they are an error.
    ///
    /// The new domain is looked up, since the server chooses its instance UUID. (libvirt 9.0.0, esxDomainDefineXMLFlags,
    /// returns a handle with the document's UUID.)
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be converted, or if it has no disk file to write beside;
    /// [`ErrorKind::Exists`] if a domain has the name or the UUID; [`ErrorKind::File`] if the file cannot be written;
    /// [`ErrorKind::TaskFailed`] if the host does not register the file; [`ErrorKind::Blocked`] if the host asks a question
    /// that is not answered.
    #[doc(alias("virDomainDefineXML", "virDomainDefineXMLFlags"))]
    pub fn define_xml(&self, xml: &str, flags: DefineFlags) -> Operation<'static, Domain> {
        let (connect, xml) = (self.clone(), xml.to_owned());
        Operation::new("Could not define domain", move |mut runner| {
            Box::pin(async move {
                let path = runner.prepare(connect.write_vmx(&xml, flags)).await?;
                let registered = runner.perform(connect.registration(&path)).await;
                let vm = registered.map_err(|error| not_defined(error, &path))?;
                let domain = runner.prepare(connect.domain(&vm)).await?;
                domain.ok_or_else(|| {
                    let message =
                        format!("Could not define domain: '{path}' is registered and not found");
                    let kind = ErrorKind::NotFound(What::Domain);
                    Error::new(kind, ErrorNumber::InternalError, message)
                })
            })
        })
    }

    /// Writes the VMX file of a new domain, and returns its path.
    async fn write_vmx(&self, xml: &str, flags: DefineFlags) -> Result<DatastorePath> {
        refuse_unknown(flags, DefineFlags::VALIDATE, "esxDomainDefineXMLFlags")?;
        let def = self.read_definition(xml, flags)?;
        if name_of(&def).contains('\n') {
            let message = "invalid char in name: \n";
            return Err(invalid(ErrorNumber::XmlDetail, message));
        }
        self.ensure_is_new(&def).await?;
        let text = self.write_definition(&def).await?;
        let path = vmx_path(&def)?;
        self.upload(&path, text.into()).await?;
        Ok(path)
    }

    /// Registers a VMX file as a virtual machine of the host.
    pub(in crate::domain) fn registration(
        &self,
        path: &DatastorePath,
    ) -> Change<ManagedObjectReference> {
        let place = self.place();
        let folder = references::Folder::from(place.vm_folder.clone());
        let request = RegisterVmTask {
            pool: Some(place.resource_pool.clone()),
            host: Some(place.host_system.clone()),
            ..folder.register_vm_task(path.to_string(), false)
        };
        let (finding, seeing) = ((self.clone(), path.clone()), (self.clone(), path.clone()));
        Change::task(self.client(), request)
            .making(move || {
                let (connect, path) = finding.clone();
                Box::pin(async move {
                    let domain = connect.domain_of_file(&path).await?;
                    Ok(domain.map(|domain| domain.machine()))
                })
            })
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
            })
    }

    /// The domain whose VMX file this is.
    async fn domain_of_file(&self, path: &DatastorePath) -> Result<Option<Domain>> {
        let find = FindByDatastorePath {
            datacenter: self.place().datacenter.clone(),
            path: path.to_string(),
            ..Default::default()
        };
        match self.client().call(&find).await? {
            Some(vm) => self.domain(&vm).await,
            None => Ok(None),
        }
    }

    async fn ensure_is_new(&self, def: &DomainDef) -> Result<()> {
        let found = match def.uuid {
            Some(uuid) => self.lookup_by_uuid(uuid).await,
            None => self.lookup_by_name(name_of(def)).await,
        };
        let found = match found {
            Err(error) if error.kind() == ErrorKind::NotFound(What::Domain) => {
                self.lookup_by_name(name_of(def)).await
            }
            found => found,
        };
        match found {
            Err(error) if error.kind() == ErrorKind::NotFound(What::Domain) => Ok(()),
            Err(error) => Err(error),
            Ok(domain) => {
                let message =
                    "Domain already exists, editing existing domains is not supported yet";
                Err(Error::new(
                    ErrorKind::Exists(What::Domain),
                    ErrorNumber::InternalError,
                    message,
                )
                .advise(format!(
                    "'{}' has the UUID {}",
                    domain.name(),
                    domain.uuid()
                )))
            }
        }
    }
}

/// The definition's name. A definition that was read from a document has one.
fn name_of(def: &DomainDef) -> &str {
    def.name.as_deref().unwrap_or_default()
}

/// The path of the VMX file of a new domain: beside its first disk that is a file. Texts are those of
/// esxDomainDefineXMLFlags of libvirt 9.0.0.
fn vmx_path(def: &DomainDef) -> Result<DatastorePath> {
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
    match why {
        Some(why) => error.advise(format!("{why}; {stays}")),
        None => error.advise(stays),
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
