//! Controllers whose model a definition leaves to the host: it is the model that the disk was created for.

use std::collections::{BTreeSet, HashMap};

use vi_types::Poly;
use vi_types::objects::{FileQuery, VmDiskFileInfo, VmDiskFileQuery, VmDiskFileQueryFlags};
use virt_model::ErrorNumber;
use virt_model::domain::{
    Address, ControllerType, Disk, DiskBus, DiskDevice, DiskSource, DomainDef,
};
use vmx::FileNames;
use vmx::names::{Datastores, FileNameError, Missing};

use crate::datastore::Browser;
use crate::{Connect, DatastorePath, Error, ErrorKind, Result, What};

/// File names of the host's datastores, and the models of controllers for disks on them.
#[derive(Debug)]
pub(super) struct FileNamesOfHost {
    pub(super) names: Datastores,
    /// libvirt's models of controllers by the disks' sources, or why there is none.
    pub(super) models: HashMap<String, Result<String>>,
}

impl FileNames for FileNamesOfHost {
    fn parse(&self, name: &str, missing: Missing) -> Result<Option<String>, FileNameError> {
        self.names.parse(name, missing)
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        self.names.format(source)
    }

    fn scsi_model(&self, disk: &Disk) -> Result<Option<String>, FileNameError> {
        match disk.source.path().and_then(|path| self.models.get(path)) {
            Some(Ok(model)) => Ok(Some(model.clone())),
            Some(Err(error)) => Err(FileNameError::new(error.code(), error.message())),
            None => Ok(None),
        }
    }
}

impl Connect {
    /// The models of the controllers that `def` leaves to the host, by the sources of their disks.
    ///
    /// An error about one disk is kept beside the models, and the conversion returns it when it comes to that disk: libvirt
    /// 9.0.0 (esxAutodetectSCSIControllerModel) asks the host only then, so other errors of the definition come first.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give the host's datastores.
    pub(super) async fn scsi_models(
        &self,
        def: &DomainDef,
    ) -> Result<HashMap<String, Result<String>>> {
        let mut models = HashMap::new();
        let mut browsers = None;
        for source in undecided(def) {
            let browsers = match &mut browsers {
                Some(browsers) => browsers,
                none => none.insert(self.browsers().await?),
            };
            let model = self.scsi_model(browsers, &source).await;
            models.insert(source, model);
        }
        Ok(models)
    }

    /// The model of the controller that the disk `source` was created for.
    async fn scsi_model(&self, browsers: &[Browser], source: &str) -> Result<String> {
        let path: DatastorePath = source.parse()?;
        let mut browsers = browsers.iter();
        let Some(browser) = browsers.find(|browser| browser.datastore == path.datastore()) else {
            let message = format!("Could not find datastore with name '{}'", path.datastore());
            let kind = ErrorKind::NotFound(What::Datastore);
            return Err(Error::new(kind, ErrorNumber::InternalError, message));
        };
        let query = VmDiskFileQuery {
            details: Some(Box::new(VmDiskFileQueryFlags {
                controller_type: Some(true),
                ..VmDiskFileQueryFlags::default()
            })),
            ..VmDiskFileQuery::default()
        };
        let query = Poly::<FileQuery>::new(query);
        let Some(file) = self.browse(browser, &path, vec![query]).await? else {
            let message = format!("No storage volume with key or path '{source}'");
            let kind = ErrorKind::NotFound(What::StorageVol);
            return Err(Error::new(kind, ErrorNumber::NoStorageVol, message));
        };
        let disk = file.cast::<VmDiskFileInfo>();
        let made_for = disk.and_then(|disk| disk.controller_type.as_deref());
        let made_for = made_for.ok_or_else(|| {
            let message = format!("Could not lookup controller model for '{path}'");
            Error::new(ErrorKind::Definition, ErrorNumber::InternalError, message)
                .advise("the host does not give it; set the controller's model in the definition")
        })?;
        model_of(made_for).map(str::to_owned).ok_or_else(|| {
            let message =
                format!("Found unexpected controller model '{made_for}' for disk '{path}'");
            Error::new(ErrorKind::Definition, ErrorNumber::InternalError, message)
        })
    }
}

/// libvirt's model for a controller type of the API.
fn model_of(controller: &str) -> Option<&'static str> {
    let models = [
        ("VirtualBusLogicController", "buslogic"),
        ("VirtualLsiLogicController", "lsilogic"),
        ("VirtualLsiLogicSASController", "lsisas1068"),
        ("ParaVirtualSCSIController", "vmpvscsi"),
    ];
    let mut models = models.into_iter();
    let found = models.find(|(name, _)| name.eq_ignore_ascii_case(controller));
    found.map(|(_, model)| model)
}

/// The sources of SCSI disks on controllers whose model is `auto`.
fn undecided(def: &DomainDef) -> Vec<String> {
    let mut def = def.clone();
    if def.post_parse(&vmx::defaults()).is_err() {
        // The conversion fails on this definition before it needs a model.
        return Vec::new();
    }
    let controller = |disk: &Disk| match &disk.info.address {
        Some(Address::Drive(address)) if disk.target.bus == DiskBus::Scsi => {
            Some(address.controller)
        }
        _ => None,
    };
    let models = def.devices.controllers.iter().filter_map(|controller| {
        let is_auto = controller.model.as_deref() == Some("auto");
        (is_auto && controller.kind == ControllerType::Scsi).then_some(controller.index)
    });
    // The old way to set a model is the disk's driver name.
    let drivers = def.devices.disks.iter().filter_map(|disk| {
        let driver = disk.driver.name.as_ref()?;
        driver
            .eq_ignore_ascii_case("auto")
            .then(|| controller(disk))?
    });
    let auto: BTreeSet<u32> = models.chain(drivers).collect();
    let disks = def.devices.disks.iter();
    let disks = disks.filter(|disk| controller(disk).is_some_and(|index| auto.contains(&index)));
    disks
        .filter_map(|disk| match &disk.source {
            DiskSource::File(Some(path))
                if disk.device == DiskDevice::Disk && path.starts_with('[') =>
            {
                Some(path.clone())
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use virt_model::domain::Controller;

    #[test]
    fn only_disks_of_undecided_controllers_are_looked_at() {
        let mut def = DomainDef::new("vmware", "web");
        let mut auto = Controller::new(ControllerType::Scsi, 0);
        auto.model = Some("auto".to_owned());
        let mut decided = Controller::new(ControllerType::Scsi, 1);
        decided.model = Some("lsilogic".to_owned());
        def.devices.controllers = vec![auto, decided];
        let disk = |device, path: &str, dev: &str, bus, controller| {
            let mut disk = Disk::new(device, DiskSource::File(Some(path.to_owned())), dev, bus);
            disk.info.address = Some(Address::Drive(virt_model::domain::DriveAddress {
                controller,
                ..Default::default()
            }));
            disk
        };
        def.devices.disks = vec![
            disk(DiskDevice::Disk, "[ds] a/1.vmdk", "sda", DiskBus::Scsi, 0),
            disk(DiskDevice::Disk, "[ds] a/2.vmdk", "sdp", DiskBus::Scsi, 1),
            disk(DiskDevice::Disk, "[ds] a/3.vmdk", "hda", DiskBus::Ide, 0),
            disk(DiskDevice::Disk, "/a/4.vmdk", "sdb", DiskBus::Scsi, 0),
            disk(DiskDevice::Cdrom, "[ds] a/5.iso", "sdc", DiskBus::Scsi, 0),
        ];
        assert_eq!(undecided(&def), ["[ds] a/1.vmdk"]);
    }

    #[test]
    fn libvirt_has_four_models() {
        assert_eq!(model_of("virtualLSILogicController"), Some("lsilogic"));
        assert_eq!(model_of("VirtualNVMEController"), None);
    }
}
