//! What a definition can ask for: libvirt's `virConnectGetDomainCapabilities`.

use vi_client::property_set;
use vi_types::objects::HostCpuIdInfo;
use virt_model::{
    DomainCapabilitiesDef,
    domain_capabilities::{Choice, CpuMode, Feature, OsCapabilities},
    flags::{NoFlags, refuse_unknown},
};

use crate::{
    Connect, Error, Result,
    connect::{long_mode, no_host},
};

property_set! {
    struct Host: HostSystem {
        max_vcpus: i32 = capability.max_supported_vcpus,
        features: Vec<HostCpuIdInfo> = hardware.cpu_feature,
    }
}

impl Connect {
    /// What a definition of a domain can ask for on this host: what [`define_xml`](Connect::define_xml) takes, for the
    /// version of the virtual hardware that it chooses. One request. (libvirt's ESX driver has no such function.)
    ///
    /// A host has no emulators and no machine types to choose from. The architecture is by default the host's.
    ///
    /// # Errors
    /// - [`ErrorKind::Argument`](crate::ErrorKind::Argument) for a type of hypervisor other than `vmware`, another
    ///   architecture than `x86_64` and `i686`, one that the host does not have, an emulator, or a machine type.
    /// - [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag.
    /// - [`ErrorKind::Property`](crate::ErrorKind::Property) if the server does not describe the host's processors.
    #[doc(alias = "virConnectGetDomainCapabilities")]
    pub async fn domain_capabilities(
        &self,
        emulatorbin: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        virttype: Option<&str>,
        flags: u32,
    ) -> Result<DomainCapabilitiesDef> {
        let function = "virConnectGetDomainCapabilities";
        refuse_unknown(NoFlags::from_bits(flags), NoFlags::NONE, function)?;
        if let Some(other) = virttype.filter(|virttype| *virttype != "vmware") {
            return Err(Error::argument(format!("unknown virttype: {other}")).advise("'vmware'"));
        }
        let arches = ["x86_64", "i686"];
        if let Some(other) = arch.filter(|arch| !arches.contains(arch)) {
            let error = Error::argument(format!("unknown architecture: {other}"));
            return Err(error.advise("'x86_64' or 'i686'"));
        }
        if let Some(emulator) = emulatorbin {
            let message = format!("'{emulator}' is no emulator of the host, which has no programs");
            return Err(Error::argument(message).advise("leave it out"));
        }
        if let Some(machine) = machine {
            let message = format!("'{machine}' is no machine type of the host, which has none");
            return Err(Error::argument(message).advise("leave it out"));
        }
        let host: Option<Host> = self.client().read_opt(self.host_system().await?).await?;
        let host = host.ok_or_else(no_host)?;
        let is_wide = long_mode(&host.features)?;
        let own = if is_wide { "x86_64" } else { "i686" };
        let arch = arch.unwrap_or(own);
        if arch == "x86_64" && !is_wide {
            return Err(Error::argument(
                "the host's processors are no x86_64".to_owned(),
            ));
        }
        let hardware = Hardware {
            version: self.hardware_version(),
            is_newest: self.uri().libvirt().is_none(),
            has_vnc: self.product().version.major() < 7,
        };
        let max_vcpus = u32::try_from(host.max_vcpus).unwrap_or(0);
        Ok(DomainCapabilitiesDef {
            domain: "vmware".to_owned(),
            arch: arch.to_owned(),
            max_vcpus: Some(max_vcpus.min(hardware.max_vcpus())),
            ..hardware.offer()
        })
    }
}

/// The virtual hardware of a new domain.
struct Hardware {
    /// `virtualHW.version`.
    version: u32,
    /// Whether definitions are read as the newest libvirt reads them, not as the one of `libvirt=`.
    is_newest: bool,
    /// Whether hosts have a VNC server; ESXi 7.0 has none.
    has_vnc: bool,
}

impl Hardware {
    /// The most processors (VMware's article 2003746).
    fn max_vcpus(&self) -> u32 {
        match self.version {
            ..7 => 4,
            7 => 8,
            8 => 32,
            9 | 10 => 64,
            11..17 => 128,
            17 => 256,
            18..21 => 768,
            21.. => 960,
        }
    }

    fn offer(&self) -> DomainCapabilitiesDef {
        let (version, is_newest) = (self.version, self.is_newest);
        let firmware = [("bios", true), ("efi", version >= 8)];
        let buses = [
            ("ide", true),
            ("fdc", true),
            ("scsi", true),
            ("sata", is_newest && version >= 10),
            ("nvme", is_newest && version >= 13),
        ];
        let disk = Feature::supported(
            "disk",
            [
                Choice::new("diskDevice", ["disk", "cdrom", "floppy", "lun"]),
                choice("bus", &buses),
            ],
        );
        let graphics = match self.has_vnc {
            true => Feature::supported("graphics", [Choice::new("type", ["vnc"])]),
            false => Feature::unsupported("graphics"),
        };
        let video = Feature::supported("video", [Choice::new("modelType", ["vmvga"])]);
        let tpm = match is_newest && version >= 14 {
            true => Feature::supported(
                "tpm",
                [
                    Choice::new("model", ["tpm-crb"]),
                    Choice::new("backendModel", ["emulator"]),
                    Choice::new("backendVersion", ["2.0"]),
                ],
            ),
            false => Feature::unsupported("tpm"),
        };
        // A domain has the host's processors; a definition only says how they are arranged.
        let modes = ["host-passthrough", "maximum", "host-model", "custom"].map(|name| CpuMode {
            name: name.to_owned(),
            ..CpuMode::default()
        });
        DomainCapabilitiesDef {
            os: OsCapabilities {
                supported: true,
                firmware: Some(choice("firmware", &firmware)),
                ..OsCapabilities::default()
            },
            cpu_modes: modes.into(),
            devices: vec![
                disk,
                graphics,
                video,
                Feature::unsupported("hostdev"),
                Feature::unsupported("rng"),
                Feature::unsupported("filesystem"),
                tpm,
            ],
            features: vec![
                Feature::unsupported("vmcoreinfo"),
                // A definition says which id a domain has.
                Feature::supported("genid", []),
            ],
            ..DomainCapabilitiesDef::default()
        }
    }
}

/// Those of the values that there are.
fn choice(name: &str, values: &[(&str, bool)]) -> Choice {
    let values = values.iter().filter(|(_, is_there)| *is_there);
    Choice::new(name, values.map(|(value, _)| *value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_capabilities_follow_the_virtual_hardware() {
        for (version, is_newest, buses, vcpus) in [
            (4, true, "ide fdc scsi", 4),
            (10, true, "ide fdc scsi sata", 64),
            (20, true, "ide fdc scsi sata nvme", 768),
            (20, false, "ide fdc scsi", 768),
        ] {
            let hardware = Hardware {
                version,
                is_newest,
                has_vnc: false,
            };
            let disk = &hardware.offer().devices[0];
            assert_eq!(disk.choices[1].values.join(" "), buses, "{version}");
            assert_eq!(hardware.max_vcpus(), vcpus);
        }
    }
}
