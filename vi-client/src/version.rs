//! Versions of the API, and the choice of the one to speak.

use std::cmp::Ordering;
use std::fmt;

use vi_types::VersionNumbers;

/// A version of the VI API, such as `2.5u2`, `6.7.3` or `8.0.1.0`.
///
/// Compares by its [`VersionNumbers`]: `2.5 < 2.5u2 < 4.0 < 6.7.3 < 8.0.1.0`; missing numbers count as 0.
#[derive(Clone, Debug)]
pub struct ApiVersion {
    text: String,
    numbers: VersionNumbers,
}

impl ApiVersion {
    /// The newest version that the types of this release describe.
    pub const NEWEST: &'static str = "9.1.1.0";
    /// The version that servers speak with clients that ask for none.
    pub const OLDEST: &'static str = "2.5";

    /// Reads a version; `None` if it is not a number, as on unreleased servers.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = VersionNumbers::parse(text)?;
        Some(Self {
            text: text.to_owned(),
            numbers,
        })
    }

    /// The version as the server writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is version `major.minor` or a newer one.
    pub fn at_least(&self, major: u16, minor: u16) -> bool {
        self.numbers >= VersionNumbers::new([major, minor, 0, 0])
    }

    /// Whether this version has a feature that was introduced in version `since`; an empty `since` means the first one.
    pub(crate) fn has(&self, since: &str) -> bool {
        VersionNumbers::parse(since).is_none_or(|since| since <= self.numbers)
    }

    /// The numbers by which versions compare.
    pub fn numbers(&self) -> VersionNumbers {
        self.numbers
    }

    #[expect(
        clippy::expect_used,
        reason = "a constant of our own, parsed in the tests below"
    )]
    pub(crate) fn newest() -> Self {
        Self::parse(Self::NEWEST).expect("a version")
    }

    #[expect(
        clippy::expect_used,
        reason = "a constant of our own, parsed in the tests below"
    )]
    pub(crate) fn oldest() -> Self {
        Self::parse(Self::OLDEST).expect("a version")
    }
}

impl PartialEq for ApiVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ApiVersion {}

impl PartialOrd for ApiVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ApiVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How to choose the version of the API that requests ask for in their `SOAPAction`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Negotiation {
    /// The server's `about.apiVersion`, or [`ApiVersion::NEWEST`] if that is older.
    ///
    /// Costs no request: the service content is read without a version, and every server answers that in its 2.5 view.
    /// So `about` lacks later properties, such as `instanceUuid`; later members of the service content are read when a
    /// call needs one. If the server refuses the version, its list decides, see [`Listed`](Self::Listed).
    #[default]
    About,
    /// The newest version in the server's `/sdk/vimServiceVersions.xml` that this crate knows; costs one request.
    /// Without such a list (ESX 3.5, VirtualCenter 2.5), requests ask for no version.
    Listed,
    /// This version.
    Exactly(ApiVersion),
    /// No version: the server answers in its oldest view, as it does for libvirt up to 11.3. Properties and methods that
    /// came after VI API 2.5, such as `RetrievePropertiesEx`, do not exist in that view.
    Unversioned,
}

/// The newest version that both sides know, from the text of `/sdk/vimServiceVersions.xml`.
///
/// The file lists namespaces, each with a `name`, its `version`, and all older versions under `priorVersions`.
pub(crate) fn newest_common(list: &str) -> Option<ApiVersion> {
    let (_, after) = list.split_once("<name>urn:vim25</name>")?;
    let ours = after.split("</namespace>").next()?;
    let newest = ApiVersion::newest();
    ours.split("<version>")
        .skip(1)
        .filter_map(|rest| ApiVersion::parse(rest.split('<').next()?.trim()))
        .filter(|version| *version <= newest)
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        ApiVersion::parse(text).unwrap()
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(version(ApiVersion::OLDEST) < version(ApiVersion::NEWEST));
        assert_eq!(version("8.0"), version("8.0.0.0"));
        assert!(version("4.1").at_least(4, 1) && !version("4.0").at_least(4, 1));
        assert!(ApiVersion::parse("m5CA1EF4D").is_none() && ApiVersion::parse("").is_none());
    }

    #[test]
    fn the_newest_common_version_is_chosen() {
        let list = |versions: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<namespaces version=\"1.0\">\n\
                 <namespace>\n<name>urn:vsan</name>\n<version>9.0</version>\n</namespace>\n\
                 <namespace>\n<name>urn:vim25</name>\n{versions}</namespace>\n\
                 <namespace>\n<name>urn:pbm</name>\n<version>9.1.0.0</version>\n</namespace>\n</namespaces>"
            )
        };
        let common =
            |versions: &str| newest_common(&list(versions)).map(|version| version.to_string());
        let prior = "<priorVersions><version>6.7</version><version>6.5</version></priorVersions>";
        assert_eq!(
            common(&format!("<version>6.7.3</version>{prior}")).unwrap(),
            "6.7.3"
        );
        assert_eq!(
            common(&format!("<version>99.0</version>{prior}")).unwrap(),
            "6.7"
        );
        assert_eq!(common(""), None);
        assert_eq!(newest_common("<html>not found</html>"), None);
    }
}
