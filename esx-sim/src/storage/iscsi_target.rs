//! An iSCSI target in the network of a simulated server.

use std::fmt;
use std::str::FromStr;

use super::{InvalidStorage, size};

/// An iSCSI target in the network of the simulated hosts.
///
/// As text it is a name, addresses and sizes of its disks: `IQN[@ADDRESS[:PORT][,ADDRESS[:PORT]...]][=SIZE[,SIZE...]]`, for
/// example `iqn.2001-05.com.example:db@192.0.2.50,192.0.2.51=100G,2T`. Without an address it is at 192.0.2.50:3260,
/// without a size it has one disk of 100G.
#[derive(Clone, PartialEq, Eq)]
pub struct IscsiTarget {
    pub(crate) name: String,
    pub(crate) portals: Vec<(String, i32)>,
    /// Sizes of the disks in bytes.
    pub(crate) luns: Vec<u64>,
    pub(crate) chap: Option<(String, String)>,
    pub(crate) configured: bool,
}

/// The port of iSCSI.
pub(crate) const ISCSI_PORT: i32 = 3260;

/// Where targets are that don't say it.
const ADDRESS: &str = "192.0.2.50";

impl IscsiTarget {
    /// A target without disks, at 192.0.2.50:3260, which the hosts have configured as a static target.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            portals: Vec::new(),
            luns: Vec::new(),
            chap: None,
            configured: true,
        }
    }

    /// Adds an address. Each is a way to all of its disks.
    #[must_use]
    pub fn portal(mut self, address: impl Into<String>, port: u16) -> Self {
        self.portals.push((address.into(), i32::from(port)));
        self
    }

    /// Adds a disk of that many bytes; the first one is LUN 0.
    #[must_use]
    pub fn lun(mut self, bytes: u64) -> Self {
        self.luns.push(bytes);
        self
    }

    /// The user and the secret that a host has to know (default: none).
    #[must_use]
    pub fn chap(self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            chap: Some((user.into(), secret.into())),
            ..self
        }
    }

    /// Whether the hosts have it as a static target in the beginning (default: yes). If not, they find it when they are
    /// told where it is.
    #[must_use]
    pub fn configured(self, configured: bool) -> Self {
        Self { configured, ..self }
    }

    /// The addresses it is at, with their ports.
    pub(crate) fn portals(&self) -> Vec<(String, i32)> {
        match self.portals.is_empty() {
            true => vec![(ADDRESS.to_owned(), ISCSI_PORT)],
            false => self.portals.clone(),
        }
    }
}

impl fmt::Debug for IscsiTarget {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IscsiTarget")
            .field("name", &self.name)
            .field("portals", &self.portals)
            .field("luns", &self.luns)
            .finish_non_exhaustive()
    }
}

/// The targets of the presets: one that the hosts have, one with two addresses that they could have, and one that wants
/// the user `esx` and the secret `simulated-secret`.
pub(crate) fn presets() -> Vec<IscsiTarget> {
    vec![
        IscsiTarget::new("iqn.2001-05.com.example:storage.disk1")
            .lun(100 << 30)
            .lun(500 << 30),
        IscsiTarget::new("iqn.2001-05.com.example:storage.backup")
            .portal(ADDRESS, 3260)
            .portal("192.0.2.51", 3260)
            .lun(2 << 40)
            .configured(false),
        IscsiTarget::new("iqn.2001-05.com.example:storage.secure")
            .lun(50 << 30)
            .chap("esx", "simulated-secret")
            .configured(false),
    ]
}

impl FromStr for IscsiTarget {
    type Err = InvalidStorage;

    fn from_str(text: &str) -> Result<Self, InvalidStorage> {
        let fail = |reason: String| InvalidStorage::target(text, reason);
        let (rest, sizes) = match text.split_once('=') {
            Some((rest, sizes)) => (rest, Some(sizes)),
            None => (text, None),
        };
        let (name, portals) = match rest.split_once('@') {
            Some((name, portals)) => (name, Some(portals)),
            None => (rest, None),
        };
        if !["iqn.", "eui.", "naa."]
            .iter()
            .any(|start| name.starts_with(start))
        {
            return Err(fail(format!(
                "'{name}' is no name of a target (should begin with iqn., eui. or naa.)"
            )));
        }
        let mut made = Self::new(name);
        for portal in portals.into_iter().flat_map(|portals| portals.split(',')) {
            let (address, port) = match portal
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
            {
                Some((address, port)) => (address, port.strip_prefix(':')),
                None => portal
                    .split_once(':')
                    .map_or((portal, None), |(address, port)| (address, Some(port))),
            };
            let port = match port {
                None => Ok(3260),
                Some(port) => port
                    .parse::<u16>()
                    .map_err(|_| fail(format!("'{port}' is no port"))),
            };
            if address.is_empty() {
                return Err(fail("an address is empty".to_owned()));
            }
            made = made.portal(address, port?);
        }
        for bytes in sizes.unwrap_or("100G").split(',') {
            made = made.lun(size(bytes).map_err(|error| fail(error.to_string()))?);
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_describe_targets() {
        let target = || IscsiTarget::new("iqn.2001-05.com.example:a");
        for (text, expected) in [
            ("iqn.2001-05.com.example:a", target().lun(100 << 30)),
            (
                "iqn.2001-05.com.example:a@h,[fd00::1]:3261=1G,2T",
                target()
                    .portal("h", 3260)
                    .portal("fd00::1", 3261)
                    .lun(1 << 30)
                    .lun(2 << 40),
            ),
        ] {
            assert_eq!(text.parse::<IscsiTarget>().unwrap(), expected, "{text}");
        }
        for (text, reason) in [
            (
                "disk",
                "'disk' describes no iSCSI target: 'disk' is no name of a target (should begin with iqn., eui. or naa.)",
            ),
            (
                "iqn.a@h:x",
                "'iqn.a@h:x' describes no iSCSI target: 'x' is no port",
            ),
            (
                "iqn.a=x",
                "'iqn.a=x' describes no iSCSI target: 'x' is no size (should be like 500M, 64G or 2T)",
            ),
        ] {
            assert_eq!(text.parse::<IscsiTarget>().unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let target = IscsiTarget::new("iqn.a").chap("user", "secret");
        assert!(!format!("{target:?}").contains("secret"));
    }
}
