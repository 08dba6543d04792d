//! The firewall of the host.

use std::{collections::BTreeSet, net::IpAddr};

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference, Method,
    enums::{HostFirewallRuleDirection, HostFirewallRulePortType},
    objects::{
        self, HostFirewallInfo, HostFirewallRulesetIpList, HostFirewallRulesetIpNetwork,
        HostFirewallRulesetRulesetSpec,
    },
    references::HostFirewallSystem,
};
use virt_model::ErrorNumber;

use super::{not_found, refused, untold};
use crate::{
    Connect, Error, ErrorKind, Operation, Result, What, connect::no_system, engine::Change,
};

property_set! {
    struct Firewall: HostSystem {
        info: Option<HostFirewallInfo> = config.firewall,
        system: Option<ManagedObjectReference> = config_manager.firewall_system,
    }
}

impl Firewall {
    fn info(&self) -> Result<&HostFirewallInfo> {
        self.info.as_ref().ok_or_else(|| untold("its firewall"))
    }

    fn ruleset(&self, key: &str) -> Result<&objects::HostFirewallRuleset> {
        let rulesets = &self.info()?.ruleset;
        let found = rulesets.iter().find(|ruleset| ruleset.key == key);
        found.ok_or_else(|| {
            let keys = rulesets.iter().map(|ruleset| ruleset.key.as_str());
            let what = "ruleset of the firewall";
            not_found(What::FirewallRuleset, what, key, keys)
        })
    }

    fn system(&self) -> Result<HostFirewallSystem> {
        let system = self.system.clone().ok_or_else(|| no_system("firewall"))?;
        Ok(system.into())
    }

    /// Whether a ruleset is so. One that is gone is not.
    fn is(&self, key: &str, so: impl Fn(&objects::HostFirewallRuleset) -> bool) -> bool {
        self.ruleset(key).is_ok_and(so)
    }
}

/// The firewall of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostFirewall {
    /// Whether connections to the host are refused unless a ruleset allows them. None if the host does not say.
    pub incoming_blocked: Option<bool>,
    /// The same for connections from the host.
    pub outgoing_blocked: Option<bool>,
    /// The rulesets, in the host's order.
    pub rulesets: Vec<HostFirewallRuleset>,
}

/// Rules that are switched on and off together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostFirewallRuleset {
    /// Its key, by which it is changed: `sshServer`.
    pub key: String,
    /// Its name for people, such as `SSH Server`.
    pub label: String,
    /// Whether its ports are open.
    pub enabled: bool,
    /// Whether it cannot be disabled.
    pub required: bool,
    /// The key of the service that it belongs to.
    pub service: Option<String>,
    /// What it opens.
    pub rules: Vec<HostFirewallRule>,
    /// Who may connect; none before API 5.0, where it is everybody.
    pub allowed: Option<HostFirewallAllowed>,
}

/// Ports that a ruleset opens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostFirewallRule {
    /// The first port.
    pub port: u16,
    /// The last port, the same for a single one.
    pub end_port: u16,
    /// Which way.
    pub direction: HostFirewallDirection,
    /// Whose port it is; hosts tell it since API 5.0.
    pub port_of: Option<HostFirewallPort>,
    /// `tcp`, `udp`, or what else the host says.
    pub protocol: String,
}

/// Which way a rule opens ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostFirewallDirection {
    /// To the host.
    Inbound,
    /// From the host.
    Outbound,
    /// Something that this crate does not know.
    Unknown,
}

impl HostFirewallDirection {
    /// The VI API's word: `inbound`, `outbound`; or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            HostFirewallDirection::Inbound => "inbound",
            HostFirewallDirection::Outbound => "outbound",
            HostFirewallDirection::Unknown => "unknown",
        }
    }
}

/// The end of a connection whose port a rule means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostFirewallPort {
    /// Where it comes from.
    Source,
    /// Where it goes to.
    Destination,
}

impl HostFirewallPort {
    /// The VI API's word: `src` or `dst`.
    pub fn as_str(self) -> &'static str {
        match self {
            HostFirewallPort::Source => "src",
            HostFirewallPort::Destination => "dst",
        }
    }
}

/// Who may connect through a ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostFirewallAllowed {
    /// Everybody.
    All,
    /// These addresses and networks: `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`.
    Only(Vec<String>),
}

impl HostFirewallAllowed {
    /// As the server has it.
    fn of(list: &HostFirewallRulesetIpList) -> HostFirewallAllowed {
        if list.all_ip {
            return HostFirewallAllowed::All;
        }
        let networks = list.ip_network.iter();
        let networks =
            networks.map(|network| format!("{}/{}", network.network, network.prefix_length));
        let addresses = list.ip_address.iter().cloned();
        HostFirewallAllowed::Only(addresses.chain(networks).collect())
    }

    /// As the server wants it.
    fn list(&self) -> Result<HostFirewallRulesetIpList> {
        let mut list = HostFirewallRulesetIpList::default();
        let HostFirewallAllowed::Only(addresses) = self else {
            list.all_ip = true;
            return Ok(list);
        };
        if addresses.is_empty() {
            let message = "no address is given that may connect".to_owned();
            return Err(Error::argument(message).advise("disable the ruleset to allow nobody"));
        }
        for text in addresses {
            match network(text).ok_or_else(|| no_address(text))? {
                (address, None) => list.ip_address.push(address.to_string()),
                (address, Some(prefix)) => list.ip_network.push(HostFirewallRulesetIpNetwork {
                    network: address.to_string(),
                    prefix_length: prefix.into(),
                    ..HostFirewallRulesetIpNetwork::default()
                }),
            }
        }
        Ok(list)
    }

    /// Whether the two allow the same, however they write it.
    fn is_same(&self, other: &HostFirewallAllowed) -> bool {
        let networks = |addresses: &[String]| -> BTreeSet<_> {
            addresses.iter().map(|text| network(text)).collect()
        };
        match (self, other) {
            (HostFirewallAllowed::Only(one), HostFirewallAllowed::Only(other)) => {
                networks(one) == networks(other)
            }
            (one, other) => one == other,
        }
    }
}

/// An address, or a network with the length of its prefix.
fn network(text: &str) -> Option<(IpAddr, Option<u8>)> {
    let Some((address, prefix)) = text.split_once('/') else {
        return Some((text.parse().ok()?, None));
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= longest)?;
    Some((address, Some(prefix)))
}

fn no_address(text: &str) -> Error {
    Error::argument(format!("'{text}' is neither an address nor a network"))
        .advise("write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32")
}

impl Connect {
    /// The firewall of the host: one request. libvirt has no such function.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the host does not tell it, as while it is not connected to its vCenter.
    pub async fn host_firewall(&self) -> Result<HostFirewall> {
        let found: Firewall = self.host_set().await?;
        let info = found.info()?;
        Ok(HostFirewall {
            incoming_blocked: info.default_policy.incoming_blocked,
            outgoing_blocked: info.default_policy.outgoing_blocked,
            rulesets: info.ruleset.iter().map(ruleset).collect(),
        })
    }

    /// A ruleset of the host's firewall: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown key; as [`host_firewall`](Connect::host_firewall).
    pub async fn host_firewall_ruleset(&self, key: &str) -> Result<HostFirewallRuleset> {
        let found: Firewall = self.host_set().await?;
        Ok(ruleset(found.ruleset(key)?))
    }

    /// Opens the ports of a ruleset: two requests, or one if they are open.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown key; [`ErrorKind::Unsupported`] if the host does not let users change it; as
    /// [`host_firewall`](Connect::host_firewall), and what any [`Operation`] may fail with.
    pub fn enable_firewall_ruleset(&self, key: &str) -> Operation<'static> {
        let id = key.to_owned();
        let could_not = "Could not enable the ruleset of the firewall";
        self.change_ruleset(could_not, key, move |connect, found| {
            if found.is(&id, |ruleset| ruleset.enabled) {
                return Ok(None);
            }
            check_controllable(found.ruleset(&id)?)?;
            let request = found.system()?.enable_ruleset(&id);
            let change = connect.seen_in_firewall(request, id, |ruleset| ruleset.enabled);
            Ok(Some(change))
        })
    }

    /// Closes the ports of a ruleset: two requests, or one if they are closed.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for a ruleset that the host requires; else as
    /// [`enable_firewall_ruleset`](Connect::enable_firewall_ruleset).
    pub fn disable_firewall_ruleset(&self, key: &str) -> Operation<'static> {
        let id = key.to_owned();
        let could_not = "Could not disable the ruleset of the firewall";
        self.change_ruleset(could_not, key, move |connect, found| {
            let ruleset = found.ruleset(&id)?;
            if !ruleset.enabled {
                return Ok(None);
            }
            if ruleset.required {
                let message = format!("the host requires ruleset '{id}' of its firewall");
                return Err(Error::wrong_state(message));
            }
            check_controllable(ruleset)?;
            let request = found.system()?.disable_ruleset(&id);
            let change = connect.seen_in_firewall(request, id, |ruleset| !ruleset.enabled);
            Ok(Some(change))
        })
    }

    /// Sets who may connect through a ruleset: two requests. Nothing changes until the ruleset is enabled.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for what is neither an address nor a network, and for an empty list;
    /// [`ErrorKind::Unsupported`] on hosts older than API 5.0, where everybody may; else as
    /// [`enable_firewall_ruleset`](Connect::enable_firewall_ruleset).
    pub fn set_firewall_allowed(
        &self,
        key: &str,
        allowed: HostFirewallAllowed,
    ) -> Operation<'static> {
        let id = key.to_owned();
        let could_not = "Could not set who may connect through the ruleset of the firewall";
        self.change_ruleset(could_not, key, move |connect, found| {
            let list = allowed.list()?;
            if !connect.client().api_version().at_least(5, 0) {
                return Err(unsupported(
                    "the host is too old to choose who may connect".to_owned(),
                ));
            }
            if found.ruleset(&id)?.ip_list_user_configurable == Some(false) {
                let message = format!(
                    "the host does not let users choose who may connect through ruleset '{id}'"
                );
                return Err(unsupported(message));
            }
            let spec = HostFirewallRulesetRulesetSpec {
                allowed_hosts: list,
                ..HostFirewallRulesetRulesetSpec::default()
            };
            let request = found.system()?.update_ruleset(&id, spec);
            let is_set = move |ruleset: &objects::HostFirewallRuleset| {
                let now = ruleset.allowed_hosts.as_deref();
                now.is_some_and(|now| HostFirewallAllowed::of(now).is_same(&allowed))
            };
            Ok(Some(connect.seen_in_firewall(request, id, is_set)))
        })
    }

    /// Changes a ruleset that there is, unless there is nothing to change.
    fn change_ruleset(
        &self,
        could_not: &'static str,
        key: &str,
        change: impl FnOnce(&Connect, Firewall) -> Result<Option<Change<()>>> + Send + 'static,
    ) -> Operation<'static> {
        let (connect, key) = (self.clone(), key.to_owned());
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let found: Firewall = runner.prepare(connect.host_set()).await?;
                found.ruleset(&key)?;
                let Some(change) = change(&connect, found)? else {
                    return Ok(());
                };
                let changed = runner.perform(change).await;
                changed.map_err(|error| refused(error, &format!("ruleset '{key}'")))
            })
        })
    }

    fn seen_in_firewall<M>(
        &self,
        request: M,
        key: String,
        so: impl Fn(&objects::HostFirewallRuleset) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()>
    where
        M: Method<Output = ()>,
    {
        self.seen_on_host(request, move |now: &Firewall| now.is(&key, &so))
    }
}

/// Hosts have rulesets that are theirs alone, and say so since API 8.0.2.
fn check_controllable(ruleset: &objects::HostFirewallRuleset) -> Result<()> {
    match ruleset.user_controllable {
        Some(false) => Err(unsupported(format!(
            "the host does not let users change ruleset '{}' of its firewall",
            ruleset.key
        ))),
        _ => Ok(()),
    }
}

fn unsupported(message: String) -> Error {
    let number = ErrorNumber::OperationUnsupported;
    Error::new(ErrorKind::Unsupported, number, message)
}

fn ruleset(found: &objects::HostFirewallRuleset) -> HostFirewallRuleset {
    let allowed = found.allowed_hosts.as_deref();
    HostFirewallRuleset {
        key: found.key.clone(),
        label: found.label.clone(),
        enabled: found.enabled,
        required: found.required,
        service: found.service.clone(),
        rules: found.rule.iter().map(rule).collect(),
        allowed: allowed.map(HostFirewallAllowed::of),
    }
}

fn rule(found: &objects::HostFirewallRule) -> HostFirewallRule {
    // The schema has numbers that ports cannot be.
    let port = |port: i32| u16::try_from(port.max(0)).unwrap_or(u16::MAX);
    HostFirewallRule {
        port: port(found.port),
        // Hosts also write 0 for no last port.
        end_port: port(found.end_port.filter(|end| *end > 0).unwrap_or(found.port)),
        direction: match found.direction {
            HostFirewallRuleDirection::Inbound => HostFirewallDirection::Inbound,
            HostFirewallRuleDirection::Outbound => HostFirewallDirection::Outbound,
            _ => HostFirewallDirection::Unknown,
        },
        port_of: match found.port_type {
            Some(HostFirewallRulePortType::Src) => Some(HostFirewallPort::Source),
            Some(HostFirewallRulePortType::Dst) => Some(HostFirewallPort::Destination),
            _ => None,
        },
        protocol: found.protocol.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::HostFirewallAllowed::{All, Only};

    #[test]
    fn addresses_of_a_ruleset_are_checked() {
        for (text, is_valid) in [
            ("192.0.2.1", true),
            ("192.0.2.0/24", true),
            ("2001:db8::/32", true),
            ("::1/128", true),
            ("192.0.2.0/33", false),
            ("192.0.2", false),
            ("example.com", false),
            ("192.0.2.0/-1", false),
            ("", false),
            ("all", false),
        ] {
            let list = Only(vec![text.to_owned()]).list();
            assert_eq!(list.is_ok(), is_valid, "{text}: {list:?}");
        }
        assert!(Only(Vec::new()).list().is_err());
        assert!(All.list().unwrap().all_ip);
    }

    #[test]
    fn addresses_are_the_same_however_they_are_written() {
        let only = |texts: &[&str]| Only(texts.iter().map(|&text| text.to_owned()).collect());
        let one = only(&["2001:db8:0::1", "192.0.2.0/24"]);
        assert!(one.is_same(&only(&["192.0.2.0/24", "2001:db8::1"])));
        assert!(!one.is_same(&only(&["192.0.2.0/24"])));
        assert!(!one.is_same(&All));
    }
}
