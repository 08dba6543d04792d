//! The licences of the host.

use std::{fmt, time::Duration};

use vi_client::property_set;
use vi_types::{
    Any, DateTime, ManagedObjectReference,
    methods::QueryAssignedLicenses,
    objects::{
        KeyAnyValue, KeyValue, LicenseAssignmentManagerLicenseAssignment, LicenseFeatureInfo,
        LicenseManagerEvaluationInfo, LicenseManagerLicenseInfo,
    },
    references::LicenseAssignmentManager,
};
use virt_model::ErrorNumber;
use zeroize::Zeroizing;

use super::untold;
use crate::{Connect, Error, ErrorKind, Result, Scheme};

property_set! {
    struct Licenses: LicenseManager {
        licenses: Vec<LicenseManagerLicenseInfo> = licenses,
        evaluation: Option<LicenseManagerEvaluationInfo> = evaluation,
    }
}

property_set! {
    struct Assignment: LicenseManager {
        manager: Option<ManagedObjectReference> = license_assignment_manager,
    }
}

property_set! {
    /// What servers have before API 4.0.
    struct Edition: LicenseManager {
        edition: Option<String> = licensed_edition,
        features: Vec<LicenseFeatureInfo> = feature_info,
    }
}

/// The key of licences that hosts have before somebody gives them one.
const EVALUATION: &str = "00000-00000-00000-00000-00000";

/// A licence's key, which is a secret: only its last group is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct LicenseKey(Zeroizing<String>);

impl LicenseKey {
    /// The whole key. Take care that it does not get into logs or terminals.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LicenseKey {
    /// With stars for all but the last group. A key without groups is stars.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.0.split('-').count();
        for (index, group) in self.0.split('-').enumerate() {
            let is_shown = index > 0 && index + 1 == groups;
            f.write_str(if index > 0 { "-" } else { "" })?;
            f.write_str(if is_shown { group } else { "*****" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for LicenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LicenseKey({self})")
    }
}

/// Something that a licence allows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostLicenseFeature {
    /// The server's key for it, without the limit: `vsmp`.
    pub key: String,
    /// How much of it is allowed: the number behind a colon of the key, 8 of `vsmp:8`.
    pub limit: Option<u64>,
    /// Its name, such as `Up to 8-way virtual SMP`.
    pub name: String,
}

/// A licence of the host.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HostLicense {
    /// Its name, such as `VMware vSphere 8 Enterprise Plus`.
    pub name: String,
    /// Its edition, such as `esx.enterprisePlus.cpuPackageCoreLimited`.
    pub edition: String,
    /// Its key; none on servers older than API 4.0.
    pub key: Option<LicenseKey>,
    /// Whether the host is being tried out.
    pub is_evaluation: bool,
    /// The product that it is for, with its version if that is told: `VMware ESX Server 8.0`.
    pub product: Option<String>,
    /// What is counted: `cpuPackage`, `vm`, `server`, …
    pub unit: String,
    /// How many units there are; none if there is no limit.
    pub total: Option<u32>,
    /// How many units are used, of a licence that a vCenter has given to the host by this host. None if it is not told.
    pub used: Option<u32>,
    /// When it expires; none if it does not, or if only [`expires_in`](HostLicense::expires_in) is told.
    pub expires: Option<DateTime>,
    /// How long it still holds, to the minute or hour. Zero if it does not hold any more.
    pub expires_in: Option<Duration>,
    /// What it allows, in the server's order.
    pub features: Vec<HostLicenseFeature>,
    /// Other facts that the server tells of it, as texts.
    pub facts: Vec<(String, String)>,
}

impl Connect {
    /// The licences of the host; on a vCenter the one that it has given to the host. One request, on a vCenter two. libvirt
    /// has no such function.
    ///
    /// Before API 4.0, servers tell an edition and its features, but no keys.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the server does not tell: vCenters do since API 4.0.
    pub async fn host_licenses(&self) -> Result<Vec<HostLicense>> {
        let manager = self.client().service_content().license_manager.clone();
        let manager = manager.ok_or_else(|| untold("its licences"))?;
        let has_keys = self.client().api_version().at_least(4, 0);
        if self.uri().scheme() == Scheme::Vpx {
            return match has_keys {
                true => self.assigned_licenses(&manager).await,
                false => Err(unassigned()),
            };
        }
        if !has_keys {
            let found: Option<Edition> = self.read_complete(&manager).await?;
            let found = found.ok_or_else(|| untold("its licences"))?;
            return Ok(edition(found).into_iter().collect());
        }
        let found: Option<Licenses> = self.read_complete(&manager).await?;
        let found = found.ok_or_else(|| untold("its licences"))?;
        let trial = found.evaluation.map(|evaluation| evaluation.properties);
        let trial = trial.unwrap_or_default();
        let licenses = found.licenses.into_iter();
        Ok(licenses.map(|info| license(info, &trial)).collect())
    }

    async fn assigned_licenses(
        &self,
        manager: &ManagedObjectReference,
    ) -> Result<Vec<HostLicense>> {
        let found: Option<Assignment> = self.read_complete(manager).await?;
        let manager = found.and_then(|found| found.manager);
        let manager = manager.ok_or_else(unassigned)?;
        let request = QueryAssignedLicenses {
            entity_id: Some(self.host_system().await?.value.clone()),
            ..LicenseAssignmentManager::from(manager).query_assigned_licenses()
        };
        let assigned = self.client().call(&request).await?;
        Ok(assigned.into_iter().map(assigned_license).collect())
    }
}

fn unassigned() -> Error {
    let number = ErrorNumber::OperationUnsupported;
    let message = "the vCenter does not tell which licence it has given to the host";
    Error::new(ErrorKind::Unsupported, number, message)
        .advise("vCenters tell it since VI API 4.0; connect to the host itself")
}

/// The edition of a server without licence keys.
fn edition(found: Edition) -> Option<HostLicense> {
    let edition = found.edition.unwrap_or_default();
    if edition.is_empty() && found.features.is_empty() {
        return None;
    }
    // The edition is a feature, too.
    let own = found.features.iter().find(|feature| feature.key == edition);
    let name = own.map(|feature| feature.feature_name.clone());
    let unit = own.map(|feature| feature.cost_unit.clone());
    let expires = own.and_then(|feature| feature.expires_on.clone());
    let others = found.features.iter();
    let others = others.filter(|feature| feature.key != edition);
    Some(HostLicense {
        name: name.unwrap_or_else(|| edition.clone()),
        key: None,
        is_evaluation: false,
        product: None,
        unit: unit.unwrap_or_default(),
        total: None,
        used: None,
        expires,
        expires_in: None,
        features: others
            .map(|info| feature(&info.key, &info.feature_name))
            .collect(),
        facts: Vec::new(),
        edition,
    })
}

fn assigned_license(assigned: LicenseAssignmentManagerLicenseAssignment) -> HostLicense {
    let mut found = license(assigned.assigned_license, &[]);
    // The licence's own number is that of all hosts that have it.
    let own = Facts::of(&assigned.properties);
    found.used = own.number("EntityCost").and_then(count).or(found.used);
    found.expires = found.expires.or(own.time("expirationDate"));
    found.expires_in = found.expires_in.or_else(|| own.rest());
    found
}

fn license(info: LicenseManagerLicenseInfo, trial: &[KeyAnyValue]) -> HostLicense {
    let is_evaluation = info.license_key == EVALUATION || info.edition_key == "eval";
    let (facts, trial) = (Facts::of(&info.properties), Facts::of(trial));
    let trial = is_evaluation.then_some(trial);
    let product = facts.text("ProductName").map(|name| {
        let version = facts.text("ProductVersion");
        version.map_or(name.clone(), |version| format!("{name} {version}"))
    });
    let expires = facts.time("expirationDate");
    let expires_in = facts.rest();
    HostLicense {
        is_evaluation,
        product,
        total: count(info.total.into()).filter(|total| *total > 0),
        used: info.used.and_then(|used| count(used.into())),
        expires: expires.or_else(|| trial.as_ref()?.time("expirationDate")),
        expires_in: expires_in.or_else(|| trial.as_ref()?.rest()),
        features: facts.features(),
        facts: facts.others(),
        name: info.name,
        edition: info.edition_key,
        key: Some(LicenseKey(Zeroizing::new(info.license_key))),
        unit: info.cost_unit,
    }
}

fn count(number: i64) -> Option<u32> {
    u32::try_from(number).ok()
}

fn feature(key: &str, name: &str) -> HostLicenseFeature {
    let limited = key.rsplit_once(':');
    let limited = limited.and_then(|(key, limit)| Some((key, limit.parse().ok()?)));
    let (key, limit) = limited.map_or((key, None), |(key, limit)| (key, Some(limit)));
    HostLicenseFeature {
        key: key.to_owned(),
        limit,
        name: name.to_owned(),
    }
}

/// The properties of a licence. Their keys are nowhere defined; these are what servers have.
struct Facts<'a>(&'a [KeyAnyValue]);

impl<'a> Facts<'a> {
    /// The properties that have a meaning of their own, and those that only the server needs.
    const KNOWN: [&'static str; 10] = [
        "feature",
        "inUseFeatures",
        "ProductName",
        "ProductVersion",
        "FileVersion",
        "expirationDate",
        "expirationHours",
        "expirationMinutes",
        "EntityCost",
        "LicenseFilePath",
    ];

    fn of(properties: &'a [KeyAnyValue]) -> Facts<'a> {
        Facts(properties)
    }

    fn all(&self, key: &str) -> impl Iterator<Item = &'a Any> {
        let found = self.0.iter().filter(move |property| property.key == key);
        found.map(|property| &property.value)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.all(key).next().and_then(text)
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.all(key).find_map(|value| match value {
            Any::Byte(number) => Some(i64::from(*number)),
            Any::Short(number) => Some(i64::from(*number)),
            Any::Int(number) => Some(i64::from(*number)),
            Any::Long(number) => Some(*number),
            Any::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    fn time(&self, key: &str) -> Option<DateTime> {
        self.all(key).find_map(|value| match value {
            Any::DateTime(time) => Some(time.clone()),
            Any::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// How long it still holds.
    fn rest(&self) -> Option<Duration> {
        let rest = |key: &str, seconds: u64| {
            let number = self.number(key)?;
            let number = u64::try_from(number).unwrap_or(0);
            Some(Duration::from_secs(number.saturating_mul(seconds)))
        };
        rest("expirationMinutes", 60).or_else(|| rest("expirationHours", 3600))
    }

    fn features(&self) -> Vec<HostLicenseFeature> {
        let found = self.all("feature").filter_map(|value| {
            let object = value.as_object()?;
            let pair: &KeyValue = object.downcast_ref()?;
            Some(feature(&pair.key, &pair.value))
        });
        found.collect()
    }

    fn others(&self) -> Vec<(String, String)> {
        let others = self.0.iter();
        let others = others.filter(|property| !Self::KNOWN.contains(&property.key.as_str()));
        let others =
            others.filter_map(|property| Some((property.key.clone(), text(&property.value)?)));
        others.collect()
    }
}

/// A plain value as text.
fn text(value: &Any) -> Option<String> {
    match value {
        Any::String(text) | Any::Uri(text) => Some(text.clone()),
        Any::Bool(value) => Some(value.to_string()),
        Any::Byte(number) => Some(number.to_string()),
        Any::Short(number) => Some(number.to_string()),
        Any::Int(number) => Some(number.to_string()),
        Any::Long(number) => Some(number.to_string()),
        Any::DateTime(time) => Some(time.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::{LicenseKey, feature};

    #[test]
    fn host_license_keys_show_their_last_group_only() {
        for (key, shown) in [
            (
                "0A1B2-C3D4E-5F6A7-B8C9D-0E1F2",
                "*****-*****-*****-*****-0E1F2",
            ),
            ("0A1B2C3D4E5F6A7B8C9D0E1F2", "*****"),
            ("0A1B2-", "*****-"),
            ("", "*****"),
        ] {
            let key = LicenseKey(Zeroizing::new(key.to_owned()));
            assert_eq!(key.to_string(), shown);
            assert_eq!(format!("{key:?}"), format!("LicenseKey({shown})"));
        }
    }

    #[test]
    fn host_license_features_have_limits() {
        for (key, name, limit) in [
            ("vsmp:8", "vsmp", Some(8)),
            ("vmotion", "vmotion", None),
            ("a:b", "a:b", None),
            ("a:1:2", "a:1", Some(2)),
        ] {
            let feature = feature(key, "x");
            assert_eq!((feature.key.as_str(), feature.limit), (name, limit));
        }
    }
}
