//! Networks that a simulated server can have beside those of its hosts' own switches.

use std::str::FromStr;

/// A distributed switch of a simulated vCenter, see [`Builder::distributed_switch`](crate::Builder::distributed_switch). Each
/// datacenter gets one, with all of its hosts and, if it has uplinks, a physical NIC of its own on each of them.
///
/// The text is `NAME[@FOLDER][:GROUP[=VLAN][,GROUP[=VLAN]...]]`, such as `dvSwitch0:web=10,db=20`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDistributedSwitch {
    /// Its name.
    pub name: String,
    /// The name of the folder that it is in, below the datacenter's folder of networks; that one itself if there is none.
    pub folder: Option<String>,
    /// Its port groups for machines, with their VLANs; 0 is none.
    pub groups: Vec<(String, u16)>,
    /// Whether each host gets a physical NIC for it.
    pub uplinks: bool,
}

impl NewDistributedSwitch {
    /// A switch that has only the port group of its uplinks.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            folder: None,
            groups: Vec::new(),
            uplinks: true,
        }
    }

    /// The switch of a vCenter that is given none, with the names that vSphere's client proposes, and without uplinks: the
    /// hosts have the physical NICs that they have without it.
    pub(crate) fn preset() -> Self {
        let switch = Self::new("DSwitch").port_group("DPortGroup", 0);
        Self {
            uplinks: false,
            ..switch.port_group("DPortGroup 20", 20)
        }
    }

    /// Puts it into a folder of networks, which is made if there is none of that name.
    #[must_use]
    pub fn folder(self, folder: impl Into<String>) -> Self {
        Self {
            folder: Some(folder.into()),
            ..self
        }
    }

    /// Adds a port group; VLAN 0 is none.
    #[must_use]
    pub fn port_group(mut self, name: impl Into<String>, vlan: u16) -> Self {
        self.groups.push((name.into(), vlan));
        self
    }
}

/// The text describes no distributed switch.
#[derive(Debug, thiserror::Error)]
#[error("'{text}' describes no distributed switch: {reason}")]
#[non_exhaustive]
pub struct InvalidSwitch {
    /// The text.
    pub text: String,
    reason: &'static str,
}

impl FromStr for NewDistributedSwitch {
    type Err = InvalidSwitch;

    fn from_str(text: &str) -> Result<Self, InvalidSwitch> {
        let invalid = |reason| InvalidSwitch {
            text: text.to_owned(),
            reason,
        };
        let (name, groups) = text.split_once(':').unwrap_or((text, ""));
        let (name, folder) = match name.split_once('@') {
            Some((name, folder)) => (name, Some(folder)),
            None => (name, None),
        };
        if name.is_empty() || folder == Some("") {
            return Err(invalid("expected NAME[@FOLDER][:GROUP[=VLAN],...]"));
        }
        let mut switch = Self {
            folder: folder.map(str::to_owned),
            ..Self::new(name)
        };
        for group in groups.split(',').filter(|group| !group.is_empty()) {
            let (group, vlan) = group.split_once('=').unwrap_or((group, "0"));
            let vlan = vlan.parse::<u16>().ok().filter(|vlan| *vlan <= 4094);
            let vlan = vlan.ok_or_else(|| invalid("a VLAN is a number from 0 to 4094"))?;
            switch = switch.port_group(group, vlan);
        }
        Ok(switch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_a_switch_its_folder_and_its_groups() {
        let switch: NewDistributedSwitch = "dvs/0@Lab:web=10,db".parse().unwrap();
        let expected = NewDistributedSwitch::new("dvs/0")
            .folder("Lab")
            .port_group("web", 10)
            .port_group("db", 0);
        assert_eq!(switch, expected);
        for (text, reason) in [
            ("", "expected NAME[@FOLDER][:GROUP[=VLAN],...]"),
            ("a@", "expected NAME[@FOLDER][:GROUP[=VLAN],...]"),
            ("a:b=4095", "a VLAN is a number from 0 to 4094"),
        ] {
            let error = text.parse::<NewDistributedSwitch>().unwrap_err();
            let expected = format!("'{text}' describes no distributed switch: {reason}");
            assert_eq!(error.to_string(), expected);
        }
    }
}
