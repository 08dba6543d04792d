//! A device of a definition as the keys of a VMX file. The vmx crate checks it and knows the keys, and the specification
//! for the host is made of them.

use virt_model::domain::{Device, Devices, DomainDef, Firmware};
use vmx::escape::PIPE;
use vmx::names::{FileNameError, Missing};
use vmx::{FileNames, FormatOptions, VmxFile};

use super::Name;
use crate::{DatastorePath, Error, Result};

/// The keys of a definition. File names are as documents have them: `[datastore] path`.
#[derive(Debug)]
pub(in crate::domain) struct Keys(VmxFile);

impl Keys {
    /// The keys of a definition for a machine with that `virtualHW.version`.
    ///
    /// # Errors
    /// libvirt's error for what VMX files cannot have.
    pub(in crate::domain) fn of(
        def: &DomainDef,
        names: &dyn FileNames,
        hardware: u32,
    ) -> Result<Keys> {
        let options = FormatOptions::new(hardware);
        let text = vmx::format(def, names, &options).map_err(Error::of_vmx)?;
        Ok(Keys(VmxFile::read(text).map_err(Error::of_vmx)?))
    }

    /// The keys of one device.
    pub(super) fn of_device(device: &Device, hardware: u32) -> Result<Keys> {
        let mut def = DomainDef::new("vmware", "device");
        def.memory = 4096;
        // A TPM needs it, and the host checks the machine's.
        def.os.firmware = Some(Firmware::Efi);
        def.devices = alone(device);
        Keys::of(&def, &AsIs, hardware)
    }

    /// The value of a key.
    pub(in crate::domain) fn get(&self, key: &str) -> Option<String> {
        let value = self.0.get(key)?;
        let plain = PIPE.unescape(&value).map(|plain| plain.into_owned());
        Some(plain.unwrap_or_else(|_| value.into_owned()))
    }

    /// The value of a device's key.
    pub(super) fn of_name(&self, name: Name, key: &str) -> Option<String> {
        self.get(&format!("{name}.{key}"))
    }

    /// Whether a device's key is true.
    pub(super) fn is(&self, name: Name, key: &str) -> bool {
        self.of_name(name, key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The name of the first device that `is_it` accepts.
    pub(super) fn name(&self, is_it: fn(Name) -> bool) -> Option<Name> {
        let prefixes = self.0.entries().filter_map(|entry| {
            let prefix = entry.key().strip_suffix(".present")?;
            prefix.parse::<Name>().ok()
        });
        let mut present = prefixes.filter(|name| self.is(*name, "present"));
        present.find(|name| is_it(*name))
    }

    /// All keys and values, in the order of the file.
    pub(in crate::domain) fn entries(&self) -> impl Iterator<Item = (&str, String)> {
        let entries = self.0.entries();
        entries.filter_map(|entry| Some((entry.key(), self.get(entry.key())?)))
    }
}

/// A list of devices with only this one.
fn alone(device: &Device) -> Devices {
    let mut devices = Devices::default();
    match device.clone() {
        Device::Disk(disk) => devices.disks.push(disk),
        Device::Interface(card) => devices.interfaces.push(card),
        Device::Serial(port) => devices.serials.push(port),
        Device::Parallel(port) => devices.parallels.push(port),
        Device::Graphics(graphics) => devices.graphics.push(graphics),
        Device::Video(video) => devices.videos.push(video),
        Device::Tpm(tpm) => devices.tpms.push(tpm),
        Device::Filesystem(filesystem) => devices.filesystems.push(filesystem),
        _ => {}
    }
    devices
}

/// Leaves file names as they are in documents, which is also the API's form. Names without a datastore are absolute: images
/// on the host, and devices.
#[derive(Debug)]
pub(in crate::domain) struct AsIs;

impl FileNames for AsIs {
    fn parse(&self, name: &str, _: Missing) -> Result<Option<String>, FileNameError> {
        Ok(Some(name.to_owned()))
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        if source.starts_with('/') {
            return Ok(source.to_owned());
        }
        if !source.starts_with('[') {
            return Err(FileNameError::unknown(source));
        }
        match source.parse::<DatastorePath>() {
            Ok(path) => Ok(path.to_string()),
            Err(error) => Err(FileNameError::new(error.code(), error.message())),
        }
    }
}
