//! The models of processors that domains on the host can have.

use vi_client::{
    property_set,
    retrieve::{PropertySet as _, Retrieve},
};
use vi_types::objects::EvcMode;
use virt_model::{ErrorNumber, domain::Os};

use super::{Connect, no_host};
use crate::{Error, ErrorKind, Result, error::refuse_flags};

property_set! {
    struct Modes: HostSystem {
        most: Option<String> = summary.max_evc_mode_key,
        current: Option<String> = summary.current_evc_mode_key,
    }
}

property_set! {
    struct Known: ServiceInstance {
        modes: Vec<EvcMode> = capability.supported_evc_mode,
    }
}

/// The modes of Enhanced vMotion Compatibility, the oldest of a vendor first, and libvirt's model of the same generation of
/// processors, or of the one before it if libvirt has none.
///
/// Sources: VMware's KB 1003212 (generations and instructions of the modes; Haswell's has no transactional memory,
/// Broadwell's has), and libvirt's src/cpu_map (9.0.0; `SapphireRapids` and `EPYC-Genoa` are of 10.x).
const MODELS: [(&str, &str); 23] = [
    ("intel-merom", "Conroe"),
    ("intel-penryn", "Penryn"),
    ("intel-nehalem", "Nehalem"),
    ("intel-westmere", "Westmere"),
    ("intel-sandybridge", "SandyBridge"),
    ("intel-ivybridge", "IvyBridge"),
    ("intel-haswell", "Haswell-noTSX"),
    ("intel-broadwell", "Broadwell"),
    ("intel-skylake", "Skylake-Server"),
    ("intel-cascadelake", "Cascadelake-Server"),
    ("intel-icelake", "Icelake-Server"),
    ("intel-sapphirerapids", "SapphireRapids"),
    ("amd-rev-e", "Opteron_G1"),
    ("amd-rev-f", "Opteron_G2"),
    ("amd-greyhound-no3dnow", "Opteron_G3"),
    ("amd-greyhound", "Opteron_G3"),
    ("amd-bulldozer", "Opteron_G4"),
    ("amd-piledriver", "Opteron_G5"),
    ("amd-steamroller", "Opteron_G5"),
    ("amd-zen", "EPYC"),
    ("amd-zen2", "EPYC-Rome"),
    ("amd-zen3", "EPYC-Milan"),
    ("amd-zen4", "EPYC-Genoa"),
];

impl Connect {
    /// libvirt's names of the models of processors that domains on the host can have, the oldest first: one request.
    ///
    /// The only names that the API has for processors are the modes of Enhanced vMotion Compatibility, which a vCenter
    /// knows: those that the host can take, up to its cluster's if that has one. A model stands for a mode's generation of
    /// processors; its features may differ in details. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// - [`ErrorKind::UnsupportedFlags`] for any flag.
    /// - [`ErrorKind::Argument`] for an architecture that libvirt does not know.
    /// - [`ErrorKind::Unsupported`] for one that is not x86; without a vCenter; if the vCenter tells no mode of the host.
    #[doc(alias = "virConnectGetCPUModelNames")]
    pub async fn cpu_model_names(&self, arch: &str, flags: u32) -> Result<Vec<String>> {
        refuse_flags(flags, "virConnectGetCPUModelNames")?;
        // libvirt's texts (cpuGetModels and its callers, 9.0.0).
        if !Os::knows_arch(arch) {
            return Err(Error::argument(format!("cannot find architecture {arch}")));
        }
        if !matches!(arch, "x86_64" | "i686") {
            let message = format!("'{arch}' architecture is not supported by CPU driver");
            return Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::NoSupport,
                message,
            ));
        }
        let Some((client, place)) = self.managed_by().await? else {
            let error =
                unknown("a host on its own knows no names of processors, only a vCenter does");
            let advice = "connect to the host's vCenter (vpx://), or add 'vcenter=*' to the URI";
            return Err(error.advise(advice));
        };
        let service = client.service_instance().to_moref();
        let request = Retrieve::from_each([place.host_system.clone(), service])
            .set::<Modes>()
            .set::<Known>();
        let (mut host, mut known) = (None, Vec::new());
        for mut found in client.retrieve(&request).await? {
            if found.object.r#type == Modes::TYPE {
                host = Some(Modes::from_properties(&mut found).map_err(Error::missing_property)?);
            } else {
                let read = Known::from_properties(&mut found).map_err(Error::missing_property)?;
                known = read.modes;
            }
        }
        let host = host.ok_or_else(no_host)?;
        let Some(most) = host.current.or(host.most).filter(|key| !key.is_empty()) else {
            return Err(unknown("the vCenter tells no EVC mode of the host"));
        };
        let names = names(&most, &known);
        match names.is_empty() {
            true => Err(unknown(format!(
                "libvirt has no model for the host's EVC mode '{most}'"
            ))),
            false => Ok(names),
        }
    }
}

fn unknown(message: impl Into<String>) -> Error {
    let number = ErrorNumber::OperationUnsupported;
    Error::new(ErrorKind::Unsupported, number, message)
}

/// The models of the modes that a host of the mode `most` can take, of those that the server knows.
fn names(most: &str, known: &[EvcMode]) -> Vec<String> {
    // A server that does not describe its modes still means that one.
    let alone = EvcMode::default();
    let (highest, known) = match known.iter().find(|mode| mode.base.key == most) {
        Some(mode) => (mode, known),
        None => (&alone, [].as_slice()),
    };
    let mut below: Vec<_> = known.iter().filter(|mode| is_in(highest, mode)).collect();
    below.sort_by_key(|mode| mode.vendor_tier);
    let mut keys: Vec<_> = below.iter().map(|mode| mode.base.key.as_str()).collect();
    if keys.is_empty() {
        keys.push(most);
    }
    let mut names = Vec::new();
    for key in keys {
        let Some((_, model)) = MODELS.iter().find(|(mode, _)| *mode == key) else {
            tracing::debug!(key, "no model is known for this EVC mode");
            continue;
        };
        if !names.iter().any(|name| name == model) {
            names.push((*model).to_owned());
        }
    }
    names
}

/// Whether a host of the mode `highest` can take a mode: of two modes of a vendor that share a track, the one of the higher
/// tier has all features of the other.
fn is_in(highest: &EvcMode, mode: &EvcMode) -> bool {
    let is_one_track = mode.track.is_empty()
        || highest.track.is_empty()
        || mode.track.iter().any(|track| highest.track.contains(track));
    mode.vendor == highest.vendor && mode.vendor_tier <= highest.vendor_tier && is_one_track
}

#[cfg(test)]
mod tests {
    use vi_types::objects::ElementDescription;

    use super::*;

    fn mode(key: &str, vendor_tier: i32, track: &str) -> EvcMode {
        EvcMode {
            base: ElementDescription {
                key: key.to_owned(),
                ..ElementDescription::default()
            },
            vendor: key.split('-').next().unwrap_or_default().to_owned(),
            vendor_tier,
            track: track.split_whitespace().map(str::to_owned).collect(),
            ..EvcMode::default()
        }
    }

    #[test]
    fn modes_up_to_the_hosts_own() {
        let known = [
            mode("amd-rev-e", 0, "old"),
            mode("amd-greyhound", 2, "old"),
            mode("amd-greyhound-no3dnow", 3, "new"),
            mode("amd-zen", 7, "new"),
            mode("intel-penryn", 1, ""),
            mode("intel-merom", 0, ""),
            mode("intel-future", 2, ""),
            mode("intel-haswell", 6, ""),
        ];
        for (most, expected) in [
            ("intel-penryn", &["Conroe", "Penryn"][..]),
            ("intel-haswell", &["Conroe", "Penryn", "Haswell-noTSX"]),
            ("amd-zen", &["Opteron_G3", "EPYC"]),
            ("amd-greyhound", &["Opteron_G1", "Opteron_G3"]),
            // The server does not describe it.
            ("intel-icelake", &["Icelake-Server"]),
            ("intel-later", &[]),
        ] {
            assert_eq!(names(most, &known), expected, "{most}");
        }
    }

    #[test]
    fn each_mode_is_there_once() {
        let mut modes: Vec<_> = MODELS.iter().map(|(mode, _)| mode).collect();
        modes.sort_unstable();
        modes.dedup();
        assert_eq!(modes.len(), MODELS.len());
    }
}
