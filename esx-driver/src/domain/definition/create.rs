//! Making and starting domains of libvirt's XML documents.

use std::collections::BTreeMap;

use vi_types::Poly;
use vi_types::enums::VirtualDeviceConfigSpecFileOperation;
use vi_types::methods::CreateVmTask;
use vi_types::objects::{
    FileQuery, VirtualDeviceConfigSpec, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualMachineConfigSpec, VirtualMachineFileInfo, VmDiskFileQuery,
};
use vi_types::{ManagedObjectReference, references};
use virt_model::domain::{DiskDevice, DomainDef};
use virt_model::{CreateFlags, ErrorNumber, flags::refuse_unknown};

use super::define::{check_name, lost, name_of, vmx_path};
use super::difference::config_spec;
use crate::datastore::is_missing;
use crate::engine::{Change, Effect};
use crate::{Connect, DatastorePath, Domain, Error, ErrorKind, Operation, Result, What};

impl Connect {
    /// Makes a domain of libvirt's XML document and starts it.
    ///
    /// The host makes the machine (`CreateVM_Task`), beside its first disk. Nothing is uploaded, so no right to write files
    /// is needed. Disks that exist are attached. A disk that does not exist is made if its `<geometry>` tells its size
    /// (cylinders × heads × sectors of 512 bytes).
    ///
    /// The domain stays when it is stopped: a VMware host has no transient ones. If it cannot be started, it stays, and the
    /// error says so.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be converted, or if it has no disk file to be beside;
    /// [`ErrorKind::Exists`] if a domain has the name or the UUID; [`ErrorKind::UnsupportedFlags`] for any flag but
    /// [`CreateFlags::VALIDATE`]; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainCreateXML")]
    pub fn create_xml(&self, xml: &str, flags: CreateFlags) -> Operation<'static, Domain> {
        let (connect, xml) = (self.clone(), xml.to_owned());
        Operation::new("Could not create domain", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, CreateFlags::VALIDATE, "esxDomainCreateXML")?;
                let def = connect.read_definition(&xml, flags.contains(CreateFlags::VALIDATE))?;
                check_name(&def)?;
                if let Some(domain) = runner.prepare(connect.namesake(&def)).await? {
                    return Err(exists(&domain, &def));
                }
                let path = vmx_path(&def)?;
                let spec = runner.prepare(connect.new_machine(&def, &path)).await?;
                let vm = runner.perform(connect.creation(spec, &path).await?).await?;
                let name = name_of(&def);
                let domain = runner.prepare(connect.domain(&vm)).await;
                let domain = domain.map_err(|error| {
                    error.note(&format!("the domain '{name}' has been made, and is off"))
                })?;
                let domain = domain.ok_or_else(|| lost(&path))?;
                let started = runner.perform(domain.power_on()).await;
                started.map_err(|error| {
                    let is = match error.kind() {
                        ErrorKind::InDoubt => "may run",
                        _ => "is off",
                    };
                    error.note(&format!("the domain '{name}' has been made, and {is}"))
                })?;
                // A running domain has an id.
                let domain = runner.prepare(connect.domain(&vm)).await;
                let domain = domain.map_err(|error| {
                    error.note(&format!("the domain '{name}' has been made, and runs"))
                })?;
                domain.ok_or_else(|| lost(&path))
            })
        })
    }

    /// The specification of a new machine whose VMX file is `path`.
    async fn new_machine(
        &self,
        def: &DomainDef,
        path: &DatastorePath,
    ) -> Result<VirtualMachineConfigSpec> {
        let hardware = self.hardware_version();
        let mut own = def.clone();
        self.find_networks(&mut own.devices.interfaces, &[]).await?;
        let mut spec = config_spec(&own, hardware)?;
        spec.name = Some(name_of(def).to_owned());
        spec.version = Some(format!("vmx-{hardware:02}"));
        spec.files = Some(
            VirtualMachineFileInfo {
                vm_path_name: Some(path.to_string()),
                ..VirtualMachineFileInfo::default()
            }
            .into(),
        );
        let uuid = def.uuid.map(|uuid| uuid.to_string());
        match self.by_instance_uuid() {
            true => spec.instance_uuid = uuid.clone(),
            false => spec.uuid = uuid.clone(),
        }
        if let Some(bios) = def.hwuuid {
            spec.uuid = Some(bios.to_string());
        }
        let sizes = self.sizes_of_missing(def).await?;
        for change in &mut spec.device_change {
            make_disk(change, &sizes);
        }
        Ok(spec)
    }

    /// The sizes, in KiB, of disks that do not exist, by their sources. Only disks with a size in the definition are looked
    /// for.
    async fn sizes_of_missing(&self, def: &DomainDef) -> Result<BTreeMap<String, i64>> {
        let mut sizes = BTreeMap::new();
        let mut browsers = None;
        let disks = def.devices.disks.iter();
        for disk in disks.filter(|disk| disk.device == DiskDevice::Disk) {
            let (Some(geometry), Some(source)) = (&disk.geometry, disk.source.path()) else {
                continue;
            };
            let sectors = u64::from(geometry.cylinders)
                .saturating_mul(u64::from(geometry.heads))
                .saturating_mul(u64::from(geometry.sectors));
            let size = i64::try_from(sectors.div_ceil(2)).unwrap_or(i64::MAX);
            if size == 0 {
                continue;
            }
            let browsers = match &mut browsers {
                Some(browsers) => browsers,
                none => none.insert(self.browsers().await?),
            };
            let path: DatastorePath = source.parse()?;
            let mut browsers = browsers.iter();
            let browser = browsers.find(|browser| browser.datastore == path.datastore());
            let exists = match browser {
                Some(browser) => {
                    let query = Poly::<FileQuery>::new(VmDiskFileQuery::default());
                    match self.browse(browser, &path, vec![query]).await {
                        Ok(found) => found.is_some(),
                        // Its directory does not exist.
                        Err(error) if is_missing(&error) => false,
                        Err(error) => return Err(error),
                    }
                }
                // The host says what is wrong with it.
                None => true,
            };
            if !exists {
                sizes.insert(path.to_string(), size);
            }
        }
        Ok(sizes)
    }

    /// Makes a virtual machine.
    async fn creation(
        &self,
        spec: VirtualMachineConfigSpec,
        path: &DatastorePath,
    ) -> Result<Change<ManagedObjectReference>> {
        let place = self.place().await?;
        let folder = references::Folder::from(place.vm_folder.clone());
        let request = CreateVmTask {
            host: Some(place.host_system.clone()),
            ..folder.create_vm_task(spec, place.resource_pool.clone())
        };
        let seeing = (self.clone(), path.clone());
        let change = Change::task(self.client(), request)
            .making(self.machine_of_file(path))
            .verified_by(move || {
                let (connect, path) = seeing.clone();
                Box::pin(async move {
                    Ok(match connect.domain_of_file(&path).await? {
                        Some(domain) => Effect::Done(domain.moref().clone()),
                        None => Effect::NotDone,
                    })
                })
            });
        Ok(change)
    }
}

/// Lets the host make the file of a new disk, if it is one of `sizes`.
fn make_disk(change: &mut Poly<VirtualDeviceConfigSpec>, sizes: &BTreeMap<String, i64>) {
    let backing = change.device.backing.as_ref();
    let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
    let size = file.and_then(|file| sizes.get(&file.file_name)).copied();
    if let Some(size) = size
        && let Some(disk) = change.device.cast_mut::<VirtualDisk>()
    {
        disk.capacity_in_kb = size;
        change.file_operation = Some(VirtualDeviceConfigSpecFileOperation::Create);
    }
}

/// The error for a definition whose name or UUID a domain has; texts are those of virDomainObjListAdd of libvirt 9.0.0.
fn exists(domain: &Domain, def: &DomainDef) -> Error {
    let (name, uuid) = (domain.name(), domain.uuid());
    let message = match (def.uuid == Some(uuid), def.name.as_deref() == Some(name)) {
        (true, true) => format!("domain '{name}' is already active"),
        (true, false) => format!("domain '{name}' is already defined with uuid {uuid}"),
        _ => format!("domain '{name}' already exists with uuid {uuid}"),
    };
    let error = Error::new(
        ErrorKind::Exists(What::Domain),
        ErrorNumber::OperationFailed,
        message,
    );
    error.advise("create makes a new domain; start starts one that exists")
}
