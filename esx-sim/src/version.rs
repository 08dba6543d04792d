//! Versions of the VI API: their order, and what each release of the server calls itself.

use std::fmt;
use std::str::FromStr;

use http::HeaderMap;
use vi_types::VersionNumbers;

/// A version of the VI API, for example `2.5`, `2.5u2`, `6.7` or `8.0.1.0`.
///
/// Versions are ordered as the API grew, by their [`VersionNumbers`]. A version
/// without a number (the API has unreleased ones) is newer than every numbered version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    numbers: VersionNumbers,
}

/// The text is not a version of the VI API.
#[derive(Debug, thiserror::Error)]
#[error("invalid version of the VI API {text:?} (expected a version like 5.5 or 8.0.1.0)")]
pub struct VersionError {
    text: String,
}

impl ApiVersion {
    /// The oldest version there is data for: everything the API has was added in it or later.
    pub const OLDEST: Self = Self::new([2, 0, 0, 0]);
    /// VirtualCenter 2.5 and ESX 3.5, the oldest version a simulated server can have.
    pub const V2_5: Self = Self::new([2, 5, 0, 0]);
    /// vSphere 4.0: the first server that has a versions document.
    pub const V4_0: Self = Self::new([4, 0, 0, 0]);
    /// What a simulated server has when nothing else is asked for.
    pub const DEFAULT: Self = Self::new([8, 0, 1, 0]);

    const fn new(numbers: [u16; 4]) -> Self {
        let numbers = VersionNumbers::new(numbers);
        Self { numbers }
    }

    /// Reads the `since` of a type, member or method; anything that is no number is newer than all.
    pub(crate) fn since(text: &str) -> Self {
        text.parse().unwrap_or(Self::new([u16::MAX; 4]))
    }
}

impl FromStr for ApiVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        match VersionNumbers::parse(text) {
            Some(numbers) => Ok(Self { numbers }),
            None => Err(VersionError {
                text: text.to_owned(),
            }),
        }
    }
}

impl fmt::Display for ApiVersion {
    /// As the server's `about.apiVersion` has it: two numbers up to 7.0, four from 8.0 on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, build] = self.numbers.numbers();
        match (major, patch, build) {
            (2, 2, _) => write!(f, "{major}.{minor}u{patch}"),
            (..=7, 0, 0) => write!(f, "{major}.{minor}"),
            (..=6, _, 0) => write!(f, "{major}.{minor}.{patch}"),
            _ => write!(f, "{major}.{minor}.{patch}.{build}"),
        }
    }
}

/// A release of ESX and vCenter as its `about` tells it.
#[derive(Debug)]
pub(crate) struct Release {
    /// What a user asks for: `--api-version 6.7`.
    pub(crate) asked: &'static str,
    /// `about.apiVersion`.
    pub(crate) api: &'static str,
    /// `about.version` of an ESX host.
    pub(crate) esx: &'static str,
    /// `about.build` of an ESX host.
    pub(crate) esx_build: &'static str,
    /// `about.version` of a vCenter.
    pub(crate) vcenter: &'static str,
    /// `about.build` of a vCenter.
    pub(crate) vcenter_build: &'static str,
    /// `config.version` of a virtual machine made on such a host.
    pub(crate) hardware: &'static str,
}

/// Oldest first. ESX 3.5 has the VI API 2.5; from 4.0 on product and API count alike.
pub(crate) const RELEASES: &[Release] = &[
    release(
        "2.5",
        "2.5",
        ["3.5.0", "64607"],
        ["2.5.0", "64192"],
        "vmx-04",
    ),
    release(
        "4.0",
        "4.0",
        ["4.0.0", "164009"],
        ["4.0.0", "162856"],
        "vmx-07",
    ),
    release(
        "4.1",
        "4.1",
        ["4.1.0", "260247"],
        ["4.1.0", "258902"],
        "vmx-07",
    ),
    release(
        "5.0",
        "5.0",
        ["5.0.0", "469512"],
        ["5.0.0", "455964"],
        "vmx-08",
    ),
    release(
        "5.1",
        "5.1",
        ["5.1.0", "799733"],
        ["5.1.0", "799731"],
        "vmx-09",
    ),
    release(
        "5.5",
        "5.5",
        ["5.5.0", "1331820"],
        ["5.5.0", "1312298"],
        "vmx-10",
    ),
    release(
        "6.0",
        "6.0",
        ["6.0.0", "2494585"],
        ["6.0.0", "2559268"],
        "vmx-11",
    ),
    release(
        "6.5",
        "6.5",
        ["6.5.0", "4564106"],
        ["6.5.0", "4602587"],
        "vmx-13",
    ),
    release(
        "6.7",
        "6.7",
        ["6.7.0", "8169922"],
        ["6.7.0", "8217866"],
        "vmx-14",
    ),
    release(
        "7.0",
        "7.0",
        ["7.0.0", "15843807"],
        ["7.0.0", "15952498"],
        "vmx-17",
    ),
    release(
        "8.0",
        "8.0.1.0",
        ["8.0.1", "21495797"],
        ["8.0.1", "21560480"],
        "vmx-20",
    ),
];

const fn release(
    asked: &'static str,
    api: &'static str,
    [esx, esx_build]: [&'static str; 2],
    [vcenter, vcenter_build]: [&'static str; 2],
    hardware: &'static str,
) -> Release {
    Release {
        asked,
        api,
        esx,
        esx_build,
        vcenter,
        vcenter_build,
        hardware,
    }
}

impl Release {
    /// The release a user names with `2.5`, `6.7`, `8.0` … or with its full API version.
    pub(crate) fn find(text: &str) -> Option<&'static Self> {
        RELEASES
            .iter()
            .find(|release| release.asked == text || release.api == text)
    }

    /// The newest release.
    pub(crate) fn newest() -> &'static Self {
        &RELEASES[RELEASES.len() - 1]
    }

    /// The version of the API this release has.
    pub(crate) fn version(&self) -> ApiVersion {
        ApiVersion::since(self.api)
    }
}

/// The version of the API that a client understands: what its `SOAPAction` says, which looks like
/// `"urn:vim25/6.7"`. Without one, servers answer as VI API 2.5 would have.
pub(crate) fn view_of(headers: &HeaderMap) -> ApiVersion {
    headers
        .get("SOAPAction")
        .and_then(|action| action.to_str().ok())
        .and_then(|action| action.trim_matches('"').strip_prefix("urn:vim25/"))
        .and_then(|version| version.parse().ok())
        .unwrap_or(ApiVersion::V2_5)
}

/// The document a server has at `/sdk/vimServiceVersions.xml`: the versions it can be asked in.
///
/// VI API 2.5 had no such document, so there is none for it.
pub(crate) fn versions_document(release: &Release) -> Option<String> {
    if release.version() < ApiVersion::V4_0 {
        return None;
    }
    let prior = RELEASES
        .iter()
        .rev()
        .filter(|older| older.version() < release.version())
        .map(|older| format!("   <version>{}</version>\n", older.api))
        .collect::<String>();
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n\
         <namespaces version=\"1.0\">\n \
         <namespace>\n  \
         <name>urn:vim25</name>\n  \
         <version>{}</version>\n  \
         <priorVersions>\n{prior}  </priorVersions>\n \
         </namespace>\n \
         <namespace>\n  \
         <name>urn:vim2</name>\n  \
         <version>2.0</version>\n \
         </namespace>\n\
         </namespaces>\n",
        release.api,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_ordered_as_the_api_grew() {
        let texts = [
            "2.0", "2.5", "2.5u2", "4.0", "4.1", "5.5", "6.7", "6.7.1", "6.9.1", "7.0.0.0",
            "7.0.3.2", "8.0.0.0", "8.0.1.0", "9.1.1.0",
        ];
        for pair in texts.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert!(ApiVersion::since("m5CA1EF4D") > version("9.1.1.0"));
        assert_eq!(version("2.5u2"), version("2.5u2server"));
        assert_eq!(version("8.0"), version("8.0.0.0"));
    }

    #[test]
    fn versions_are_written_as_servers_write_them() {
        for text in [
            "2.5", "2.5u2", "4.1", "6.7", "6.7.1", "7.0", "7.0.3.0", "8.0.0.0", "8.0.1.0",
        ] {
            assert_eq!(version(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "6", "six", "6.7.1.2.3", "6.-7", "6..7"] {
            let parsed = text.parse::<ApiVersion>();
            if text == "6" {
                assert_eq!(parsed.unwrap(), version("6.0"));
            } else {
                assert!(parsed.is_err(), "{text:?} was taken for a version");
            }
        }
    }

    #[test]
    fn the_versions_document_lists_prior_versions_newest_first() {
        let document = versions_document(Release::find("5.0").unwrap()).unwrap();
        let versions: Vec<_> = document
            .lines()
            .filter_map(|line| line.trim().strip_prefix("<version>"))
            .map(|rest| rest.trim_end_matches("</version>"))
            .collect();
        assert_eq!(versions, ["5.0", "4.1", "4.0", "2.5", "2.0"]);
        assert!(versions_document(Release::find("2.5").unwrap()).is_none());
    }

    #[test]
    fn the_version_of_the_client_is_in_its_soap_action() {
        for (action, view) in [
            ("\"urn:vim25/6.7\"", "6.7"),
            ("urn:vim25/8.0.1.0", "8.0.1.0"),
            ("urn:vim25/4.0", "4.0"),
            ("urn:vim25", "2.5"),
            ("urn:internalvim25/6.7", "2.5"),
            ("", "2.5"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("SOAPAction", action.parse().unwrap());
            assert_eq!(view_of(&headers), version(view), "{action}");
        }
        assert_eq!(view_of(&HeaderMap::new()), ApiVersion::V2_5);
    }

    #[test]
    fn releases_are_found_by_either_name() {
        assert_eq!(Release::find("8.0").unwrap().api, "8.0.1.0");
        assert_eq!(Release::find("8.0.1.0").unwrap().asked, "8.0");
        assert!(Release::find("1.0").is_none());
        assert_eq!(Release::newest().version(), ApiVersion::DEFAULT);
        assert!(
            RELEASES
                .windows(2)
                .all(|pair| pair[0].version() < pair[1].version())
        );
    }
}
