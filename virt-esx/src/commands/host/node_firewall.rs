use esx_driver::{
    HostFirewall, HostFirewallAllowed, HostFirewallDirection, HostFirewallRule, HostFirewallRuleset,
};
use serde::Serialize;

use crate::answer::{Answer, property, unless_quiet};
use crate::commands::Command;
use crate::commands::options::{self, check_exclusive, check_requires, check_texts};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::Ui;

/// firewall of the host
///
/// List the rulesets of the host's firewall, or enable or disable one, or set who may connect through it.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeFirewall {
    /// key of a ruleset, as the list has it
    #[arg(value_name = "key")]
    key: Option<String>,

    /// open the ports of the ruleset
    #[arg(long)]
    enable: bool,

    /// close the ports of the ruleset
    #[arg(long)]
    disable: bool,

    /// who may connect: 'all', or addresses and networks such as 192.0.2.1,192.0.2.0/24,2001:db8::/32
    #[arg(long, value_name = "addresses")]
    allow: Option<String>,
}

/// A host's firewall.
#[derive(Debug, Serialize)]
struct Firewall {
    incoming_blocked: Option<bool>,
    outgoing_blocked: Option<bool>,

    #[serde(flatten)]
    rulesets: Rulesets,
}

/// Rulesets of a host's firewall.
#[derive(Debug, Serialize)]
struct Rulesets {
    rulesets: Vec<Ruleset>,
}

#[derive(Debug, Serialize)]
struct Ruleset {
    key: String,
    label: String,
    enabled: bool,
    required: bool,
    service: Option<String>,
    rules: Vec<Rule>,
    /// Null on hosts that do not tell; `all_allowed` then.
    allowed: Option<Vec<String>>,
    all_allowed: bool,
}

#[derive(Debug, Serialize)]
struct Rule {
    port: u16,
    end_port: u16,
    direction: &'static str,
    port_of: Option<&'static str>,
    protocol: String,
}

/// A ruleset that was changed.
#[derive(Debug, Serialize)]
struct Changed {
    ruleset: String,
    change: &'static str,

    #[serde(skip)]
    text: String,
}

impl Command for NodeFirewall {
    fn check(&self) -> Result<(), Failure> {
        check_texts([("key", &self.key), ("allow", &self.allow)])?;
        let changes = [
            ("enable", self.enable),
            ("disable", self.disable),
            ("allow", self.allow.is_some()),
        ];
        check_exclusive(changes)?;
        let key = ("key", self.key.is_some());
        changes
            .into_iter()
            .try_for_each(|change| check_requires(change, key))
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let key = self.key.as_deref().unwrap_or_default();
        let (verb, change, done, operation) = if self.enable {
            let operation = connection.enable_firewall_ruleset(key);
            (
                "enable",
                "enabled",
                format!("Ruleset {key} enabled"),
                operation,
            )
        } else if self.disable {
            let operation = connection.disable_firewall_ruleset(key);
            (
                "disable",
                "disabled",
                format!("Ruleset {key} disabled"),
                operation,
            )
        } else if let Some(allow) = &self.allow {
            let allowed = match allow.as_str() {
                "all" => HostFirewallAllowed::All,
                list => HostFirewallAllowed::Only(options::words(list)),
            };
            let done = format!("Ruleset {key} allows {allow}");
            let operation = connection.set_firewall_allowed(key, allowed);
            ("set who may connect through", "allowed", done, operation)
        } else {
            match &self.key {
                Some(key) => {
                    let found = connection.host_firewall_ruleset(key).await?;
                    ui.answer(&Rulesets::of(vec![found]))?
                }
                None => ui.answer(&Firewall::of(connection.host_firewall().await?))?,
            }
            return Ok(());
        };
        let failed = |reason| Failure::because(format!("Failed to {verb} ruleset {key}"), reason);
        let writable = connection.check_writable("changes of the firewall");
        writable.map_err(failed)?;
        operation.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed {
            ruleset: key.to_owned(),
            change,
            text: done + "\n",
        })?)
    }
}

impl Firewall {
    fn of(firewall: HostFirewall) -> Self {
        Self {
            incoming_blocked: firewall.incoming_blocked,
            outgoing_blocked: firewall.outgoing_blocked,
            rulesets: Rulesets::of(firewall.rulesets),
        }
    }
}

impl Rulesets {
    fn of(rulesets: Vec<HostFirewallRuleset>) -> Self {
        Self {
            rulesets: rulesets.into_iter().map(ruleset).collect(),
        }
    }

    fn table(&self, quiet: bool) -> String {
        let mut table = Table::new(["Key", "Label", "State", "Ports", "Allowed"]);
        for ruleset in &self.rulesets {
            let state = match ruleset.enabled {
                true => "enabled",
                false => "disabled",
            };
            let rules: Vec<_> = ruleset.rules.iter().map(Rule::text).collect();
            let allowed = match (&ruleset.allowed, ruleset.all_allowed) {
                (Some(addresses), false) => addresses.join(", "),
                _ => "all".to_owned(),
            };
            table.push([
                &*ruleset.key,
                &ruleset.label,
                state,
                &rules.join(", "),
                &allowed,
            ]);
        }
        table.render(!quiet)
    }
}

fn ruleset(ruleset: HostFirewallRuleset) -> Ruleset {
    let (allowed, all_allowed) = match ruleset.allowed {
        Some(HostFirewallAllowed::Only(addresses)) => (Some(addresses), false),
        Some(HostFirewallAllowed::All) => (Some(Vec::new()), true),
        None => (None, true),
    };
    Ruleset {
        key: ruleset.key,
        label: ruleset.label,
        enabled: ruleset.enabled,
        required: ruleset.required,
        service: ruleset.service,
        rules: ruleset.rules.into_iter().map(rule).collect(),
        allowed,
        all_allowed,
    }
}

fn rule(rule: HostFirewallRule) -> Rule {
    Rule {
        port: rule.port,
        end_port: rule.end_port,
        direction: match rule.direction {
            HostFirewallDirection::Inbound => "inbound",
            HostFirewallDirection::Outbound => "outbound",
            _ => "unknown",
        },
        port_of: rule.port_of.map(|port| port.as_str()),
        protocol: rule.protocol,
    }
}

impl Rule {
    fn text(&self) -> String {
        let ports = match self.port == self.end_port {
            true => self.port.to_string(),
            false => format!("{}-{}", self.port, self.end_port),
        };
        let Self {
            direction,
            protocol,
            ..
        } = self;
        format!("{protocol} {ports} {direction}")
    }
}

impl Answer for Firewall {
    const SCHEMA: &'static str = "virt-esx/node-firewall/1";

    fn text(&self, quiet: bool) -> String {
        let policy = |blocked: Option<bool>| match blocked {
            Some(true) => "blocked",
            Some(false) => "allowed",
            None => "unknown",
        };
        let policies = || {
            let incoming = property(10, "Incoming:", policy(self.incoming_blocked));
            incoming + &property(10, "Outgoing:", policy(self.outgoing_blocked)) + "\n"
        };
        unless_quiet(quiet, policies) + &self.rulesets.table(quiet)
    }
}

impl Answer for Rulesets {
    const SCHEMA: &'static str = "virt-esx/node-rulesets/1";

    fn text(&self, quiet: bool) -> String {
        self.table(quiet)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/node-ruleset-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
