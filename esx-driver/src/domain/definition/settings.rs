//! What a definition says of the machine itself, as a specification for the host: all but its devices.

use std::collections::BTreeMap;

use vi_types::Any;
use vi_types::enums::SharesLevel;
use vi_types::objects::{
    OptionValue, ResourceAllocationInfo, SharesInfo, VirtualMachineAffinityInfo,
    VirtualMachineBootOptions, VirtualMachineConfigSpec,
};
use virt_model::Uuid;
use virt_model::domain::{Devices, DomainDef};

use crate::Result;
use crate::domain::device::{AsIs, Keys};

/// What has to change so that a machine with the definition `present` gets the one of `wanted`. `None` is a machine that is
/// made.
///
/// Both are compared as VMX files, which have all that a definition can say of a machine. What the API has no property for
/// becomes an option of the file.
///
/// # Errors
/// libvirt's error for what VMX files cannot have.
pub(super) fn settings(
    present: Option<&DomainDef>,
    wanted: &DomainDef,
    hardware: u32,
) -> Result<VirtualMachineConfigSpec> {
    let old = match present {
        Some(present) => keys(present, hardware)?,
        None => BTreeMap::new(),
    };
    let new = keys(wanted, hardware)?;
    let mut spec = Settings::default();
    for (key, value) in &new {
        if old.get(key).is_none_or(|old| old.value != value.value) {
            spec.set(key, value);
        }
    }
    for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        spec.unset(key, value);
    }
    if let Some(present) = present {
        spec.identity(present, wanted);
    }
    Ok(spec.into_spec())
}

/// A key as it is written, and its value.
struct Value {
    key: String,
    value: String,
}

/// The keys in lower case.
fn keys(def: &DomainDef, hardware: u32) -> Result<BTreeMap<String, Value>> {
    let mut def = def.clone();
    def.devices = Devices {
        graphics: def.devices.graphics,
        filesystems: def.devices.filesystems,
        ..Devices::default()
    };
    let keys = Keys::of(&def, &AsIs, hardware)?;
    let keys = keys.entries().map(|(key, value)| {
        let key = key.to_owned();
        (key.to_ascii_lowercase(), Value { key, value })
    });
    Ok(keys.collect())
}

#[derive(Default)]
struct Settings {
    spec: VirtualMachineConfigSpec,
    cpu: Option<ResourceAllocationInfo>,
    memory: Option<ResourceAllocationInfo>,
}

impl Settings {
    fn set(&mut self, key: &str, Value { key: name, value }: &Value) {
        let number = || value.parse::<i64>().ok();
        let small = || value.parse::<i32>().ok();
        match key {
            _ if is_fixed(key) => {}
            "annotation" => self.spec.annotation = Some(value.clone()),
            "memsize" => self.spec.memory_mb = number(),
            "sched.mem.max" => self.memory().limit = number(),
            "sched.mem.minsize" => self.memory().reservation = number(),
            "numvcpus" => self.spec.num_cpus = small(),
            "cpuid.corespersocket" => self.spec.num_cores_per_socket = small(),
            "sched.cpu.shares" => self.cpu().shares = Some(shares(value).into()),
            "sched.cpu.affinity" => {
                let numbers = value.split(',').filter_map(|number| number.parse().ok());
                self.affinity(numbers.collect());
            }
            "guestos" => self.spec.guest_id = Some(guest_id(value).to_owned()),
            "firmware" => self.spec.firmware = Some(value.clone()),
            _ => self.option(name, value),
        }
    }

    fn unset(&mut self, key: &str, Value { key: name, value }: &Value) {
        match key {
            _ if is_fixed(key) => {}
            "annotation" => self.spec.annotation = Some(String::new()),
            // The API's number for "no limit".
            "sched.mem.max" => self.memory().limit = Some(-1),
            "sched.mem.minsize" => self.memory().reservation = Some(0),
            "cpuid.corespersocket" => self.spec.num_cores_per_socket = Some(1),
            // Normal shares are the default, and hosts write the word.
            "sched.cpu.shares" if value == "normal" => {}
            "sched.cpu.shares" => self.cpu().shares = Some(shares("normal").into()),
            "sched.cpu.affinity" => self.affinity(Vec::new()),
            "firmware" => self.spec.firmware = Some("bios".to_owned()),
            // A file has to be; the host keeps the one that it has.
            "nvram" => {}
            _ => self.option(name, ""),
        }
    }

    /// What the API has properties of its own for, or compares in another way.
    fn identity(&mut self, present: &DomainDef, wanted: &DomainDef) {
        // A domain that was defined has the document's UUID for its guest.
        let is_defined = wanted.uuid == present.hwuuid;
        if let Some(bios) = wanted.hwuuid
            && !is_defined
            && present.hwuuid.is_some_and(|present| present != bios)
        {
            self.spec.uuid = Some(bios.to_string());
        }
        if present.genid != wanted.genid {
            let [first, second] = wanted.genid.map_or([None, None], |id| halves(id).map(Some));
            for (key, half) in [("vm.genid", first), ("vm.genidX", second)] {
                let value = half.map(|half| half.to_string());
                self.option(key, &value.unwrap_or_default());
            }
        }
        let is_secure = |def: &DomainDef| {
            let mut features = def.os.firmware_features.iter();
            features.any(|feature| feature.name == "secure-boot" && feature.enabled)
        };
        if is_secure(present) != is_secure(wanted) {
            self.spec.boot_options = Some(
                VirtualMachineBootOptions {
                    efi_secure_boot_enabled: Some(is_secure(wanted)),
                    ..VirtualMachineBootOptions::default()
                }
                .into(),
            );
        }
    }

    fn cpu(&mut self) -> &mut ResourceAllocationInfo {
        self.cpu.get_or_insert_default()
    }

    fn memory(&mut self) -> &mut ResourceAllocationInfo {
        self.memory.get_or_insert_default()
    }

    fn affinity(&mut self, affinity_set: Vec<i32>) {
        self.spec.cpu_affinity = Some(
            VirtualMachineAffinityInfo {
                affinity_set,
                ..VirtualMachineAffinityInfo::default()
            }
            .into(),
        );
    }

    /// Sets an option of the VMX file; an empty value removes it.
    fn option(&mut self, key: &str, value: &str) {
        let option = OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(value.to_owned())),
            ..OptionValue::default()
        };
        self.spec.extra_config.push(option.into());
    }

    fn into_spec(mut self) -> VirtualMachineConfigSpec {
        self.spec.cpu_allocation = self.cpu.map(Into::into);
        self.spec.memory_allocation = self.memory.map(Into::into);
        self.spec
    }
}

/// Keys that tell nothing of the machine, or whose values a caller compares itself.
fn is_fixed(key: &str) -> bool {
    matches!(
        key,
        ".encoding"
            | "config.version"
            | "virtualhw.version"
            | "displayname"
            | "uuid.bios"
            | "uuid.action"
            | "vc.uuid"
            | "vm.genid"
            | "vm.genidx"
            | "uefi.secureboot.enabled"
            | "vmci0.present"
    ) || key.starts_with("floppy")
        || key.starts_with("pcibridge")
}

/// The shares of VMX's word or number.
fn shares(value: &str) -> SharesInfo {
    let (level, shares) = match value {
        "low" => (SharesLevel::Low, 0),
        "normal" => (SharesLevel::Normal, 0),
        "high" => (SharesLevel::High, 0),
        number => (SharesLevel::Custom, number.parse().unwrap_or_default()),
    };
    SharesInfo {
        shares,
        level,
        ..SharesInfo::default()
    }
}

/// The guest that libvirt's architecture stands for.
fn guest_id(guest: &str) -> &'static str {
    match guest.ends_with("-64") {
        true => "otherGuest64",
        false => "otherGuest",
    }
}

/// The numbers that VMX files have for a generation ID.
fn halves(id: Uuid) -> [i64; 2] {
    let bytes = id.as_bytes();
    let half = |from: usize| {
        let half = &bytes[from..from + 8];
        half.iter()
            .fold(0_i64, |number, byte| number << 8 | i64::from(*byte))
    };
    [half(0), half(8)]
}
