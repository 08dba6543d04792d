//! Definitions of domains: converted between libvirt's and VMware's form, and made domains of.

use bytes::Bytes;
use tracing::warn;
use vi_client::{DatastoreFile, Error as Cause};
use vi_types::methods::{FindByDatastorePath, RegisterVmTask};
use vi_types::{ManagedObjectReference, references};
use virt_model::domain::{DiskDevice, DiskSource, DomainDef};
use virt_model::flags::refuse_unknown;
use virt_model::{Document, DomainXmlFlags, ErrorNumber, Uuid};
use vmx::names::Datastores;
use vmx::{FormatOptions, Mode, ParseOptions, VmxFile};

use super::Connect;
use super::product::ProductLine;
use crate::datastore::{Known, item_name};
use crate::engine::{Change, Effect};
use crate::error::fault_words;
use crate::{
    DatastorePath, DefineFlags, Domain, Error, ErrorKind, Operation, Result, What, document,
};

/// libvirt's name of the format of VMX files.
const VMX: &str = "vmware-vmx";

impl Connect {
    /// Converts a VMX file, in whatever encoding it says, into libvirt's XML document. `format` is `vmware-vmx`.
    ///
    /// Relative file names become `[?] ?/NAME`, as nobody knows where the file is; absolute ones are looked up among the
    /// host's datastores.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the file cannot be converted, [`ErrorKind::ConfigFormat`] for another format.
    pub async fn domain_xml_from_native(
        &self,
        format: &str,
        config: impl AsRef<[u8]>,
    ) -> Result<String> {
        check_format(format)?;
        let options = self.parse_options();
        let directory = "[?] ?".to_owned();
        let def = self
            .definition(config.as_ref(), directory, &options)
            .await?;
        Ok(def.to_xml(DomainXmlFlags::INACTIVE))
    }

    /// Converts libvirt's XML document into a VMX file for this host. `format` is `vmware-vmx`.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if there is no such VMX file, [`ErrorKind::ConfigFormat`] for another format.
    pub async fn domain_xml_to_native(&self, format: &str, xml: &str) -> Result<String> {
        check_format(format)?;
        let def = self.read(xml, DefineFlags::NONE)?;
        self.vmx(&def).await
    }

    /// Makes a domain of libvirt's XML document: its VMX file is written beside its first disk, which has to be there,
    /// and registered. A file of the same name is replaced; domains that are there already are not changed.
    ///
    /// What of the document has no place in a domain of this driver is told in the log; with
    /// [`DefineFlags::VALIDATE`] it is an error.
    ///
    /// What the host asks on the way is answered or reported by the connection's [policy](crate::policy::Policy).
    ///
    /// libvirt gives a name and the document's UUID back; here the new domain is looked up, since the server has chosen
    /// its instance UUID.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be converted or has no disk to be written beside,
    /// [`ErrorKind::Exists`] if there is such a domain, [`ErrorKind::File`] if the file cannot be written,
    /// [`ErrorKind::TaskFailed`] if the host does not register it, [`ErrorKind::Blocked`] if it asks something that
    /// is not answered.
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

    /// Writes the VMX file of a new domain, and gives its place.
    async fn write_vmx(&self, xml: &str, flags: DefineFlags) -> Result<DatastorePath> {
        refuse_unknown(flags, DefineFlags::VALIDATE, "esxDomainDefineXMLFlags")?;
        let def = self.read(xml, flags)?;
        if name_of(&def).contains('\n') {
            let message = "invalid char in name: \n";
            return Err(definition(ErrorNumber::XmlDetail, message));
        }
        self.check_is_new(&def).await?;
        let text = self.vmx(&def).await?;
        let path = vmx_path(&def)?;
        let place = self.place();
        let file = DatastoreFile {
            datacenter_path: place.datacenter_path.clone(),
            datastore: path.datastore().to_owned(),
            path: path.path().to_owned(),
        };
        let uploaded = self.client().upload(&file, Bytes::from(text)).await;
        uploaded.map_err(|error| self.file_error(error))?;
        Ok(path)
    }

    /// Makes a virtual machine of a VMX file.
    fn registration(&self, path: &DatastorePath) -> Change<ManagedObjectReference> {
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
            .seen_by(move || {
                let (connect, path) = seeing.clone();
                Box::pin(async move {
                    let Some(domain) = connect.domain_of_file(&path).await? else {
                        return Ok(Effect::NotDone);
                    };
                    // A machine that asks something may not be registered yet.
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

    /// How VMX files are read.
    pub(crate) fn parse_options(&self) -> ParseOptions {
        match self.uri().libvirt() {
            Some(version) => ParseOptions::strict().as_libvirt(version),
            None => ParseOptions::default(),
        }
    }

    /// The definition of a VMX file that is in `directory`.
    pub(crate) async fn definition(
        &self,
        text: &[u8],
        directory: String,
        options: &ParseOptions,
    ) -> Result<DomainDef> {
        let mut names = Datastores {
            directory,
            libvirt: options.libvirt,
            ..Datastores::default()
        };
        if has_absolute_names(text) {
            names.datastores = self.mounts().await?;
        }
        let parsed = vmx::parse(text, &names, options).map_err(Error::of_vmx)?;
        for warning in &parsed.warnings {
            warn!("{warning}");
        }
        Ok(parsed.domain)
    }

    /// The definition that a document holds.
    fn read(&self, xml: &str, flags: DefineFlags) -> Result<DomainDef> {
        let validate = flags.contains(DefineFlags::VALIDATE);
        let mut def: DomainDef = document::read(xml, validate)?;
        def.uuid.get_or_insert_with(random_uuid);
        Ok(def)
    }

    /// The VMX file of a definition, for this host.
    async fn vmx(&self, def: &DomainDef) -> Result<String> {
        let libvirt = self.uri().libvirt();
        let mut options = FormatOptions::new(self.hardware_version());
        if let Some(version) = libvirt {
            options = options.as_libvirt(version).mode(Mode::Strict);
        }
        let names = Datastores {
            datastores: self.mounts().await?,
            directory: String::new(),
            libvirt: libvirt.unwrap_or_default(),
        };
        let models = self.scsi_models(def).await?;
        let names = Known { names, models };
        vmx::format(def, &names, &options).map_err(Error::of_vmx)
    }

    /// The newest `virtualHW.version` that the host can be expected to have; what libvirt takes with `libvirt=`.
    fn hardware_version(&self) -> u32 {
        let product = self.product();
        let (major, minor) = (product.version.major(), product.version.minor());
        let as_libvirt = self.uri().libvirt().is_some();
        match (product.line, major, minor) {
            (ProductLine::Gsx, ..) => 7,
            (ProductLine::Esx, 3, _) | (ProductLine::Vpx, 2, _) => 4,
            (_, 4, _) => 7,
            (_, 5, 0..=4) if as_libvirt => 9,
            (_, 5 | 6, _) if as_libvirt => 10,
            _ if as_libvirt => 8,
            (_, 5, 0) => 8,
            (_, 5, 1) => 9,
            (_, 5, _) => 10,
            (_, 6, 0..=4) => 11,
            (_, 6, 5..=6) => 13,
            (_, 6, _) => 14,
            (_, 7, _) => 17,
            (_, 8.., _) => 20,
            _ => 8,
        }
    }

    async fn check_is_new(&self, def: &DomainDef) -> Result<()> {
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

    /// The server did not give or take a file: libvirt's text has the whole URL.
    pub(crate) fn file_error(&self, error: Cause) -> Error {
        match &error {
            Cause::File {
                action,
                path,
                status,
            } => {
                let uri = self.uri();
                let server = format!("{}://{}:{}", uri.transport(), uri.server(), uri.port());
                let message = format!("HTTP response code {status} for {action} '{server}{path}'");
                Error::new(ErrorKind::File, ErrorNumber::InternalError, message).because(error)
            }
            _ => error.into(),
        }
    }
}

/// The name, which a definition that was read from a document has.
fn name_of(def: &DomainDef) -> &str {
    def.name.as_deref().unwrap_or_default()
}

fn random_uuid() -> Uuid {
    Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes())
}

fn check_format(format: &str) -> Result<()> {
    if format == VMX {
        return Ok(());
    }
    let message = format!("Unsupported config format '{format}'");
    let error = Error::new(ErrorKind::ConfigFormat, ErrorNumber::InvalidArg, message);
    Err(error.advise(format!("the only one is '{VMX}'")))
}

/// Whether a VMX file names files by absolute paths, for which the datastores have to be known.
fn has_absolute_names(text: &[u8]) -> bool {
    let Ok(file) = VmxFile::read(text) else {
        return false;
    };
    file.entries().any(|entry| {
        let value = entry.value();
        value.starts_with('/') || value.contains('\\')
    })
}

/// Where the VMX file of a new domain goes: beside its first disk that is a file.
fn vmx_path(def: &DomainDef) -> Result<DatastorePath> {
    const SO: &str = "cannot deduce datastore and path for VMX file";
    let fail = |message: String| definition(ErrorNumber::InternalError, message);
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

/// The file is there, and the host does not take it.
fn not_defined(error: Error, path: &DatastorePath) -> Error {
    let error = match error.kind() {
        // What became of the question and its task is the advice.
        ErrorKind::Blocked => return error,
        ErrorKind::Fault | ErrorKind::NoPermission => refused(error),
        _ => error,
    };
    error.advise(stays(path))
}

/// libvirt reports a registration that was refused like one that failed.
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

fn definition(code: ErrorNumber, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Definition, code, message)
}

impl Error {
    /// A VMX file or definition that cannot be converted.
    fn of_vmx(error: vmx::VmxError) -> Error {
        let described = definition(error.number(), error.message());
        let place = error.line().map(|line| format!("in line {line}"));
        let advice: Vec<_> = place
            .into_iter()
            .chain(error.help().map(str::to_owned))
            .collect();
        let described = match advice.is_empty() {
            true => described,
            false => described.advise(advice.join(": ")),
        };
        described.because(error)
    }
}
