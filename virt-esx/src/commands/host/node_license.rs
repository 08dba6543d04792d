use std::collections::BTreeMap;

use esx_driver::HostLicense;
use serde::Serialize;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::printable;

/// licences of the host
///
/// Display the licences of the host, on a vCenter the one that it has given to the host: edition, expiry, what they allow and
/// what is used. Only the last group of a key is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeLicense {
    /// also what the licences allow
    #[arg(long)]
    features: bool,
}

/// The licences of a host.
#[derive(Debug, Serialize)]
pub(crate) struct Licenses {
    licenses: Vec<License>,

    #[serde(skip)]
    features: bool,
}

#[derive(Debug, Serialize)]
struct License {
    name: String,
    edition: String,
    /// Masked.
    key: Option<String>,
    evaluation: bool,
    product: Option<String>,
    unit: String,
    total: Option<u32>,
    used: Option<u32>,
    expires: Option<String>,
    expires_in_s: Option<u64>,
    features: Vec<Feature>,
    facts: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Feature {
    key: String,
    limit: Option<u64>,
    name: String,
}

impl Query for NodeLicense {
    type Answer = Licenses;

    async fn ask(self, connection: &Connection) -> Result<Licenses, Failure> {
        let licenses = connection.host_licenses().await?;
        Ok(Licenses {
            licenses: licenses.into_iter().map(license).collect(),
            features: self.features,
        })
    }
}

fn license(license: HostLicense) -> License {
    let features = license.features.into_iter().map(|feature| Feature {
        key: feature.key,
        limit: feature.limit,
        name: feature.name,
    });
    License {
        name: license.name,
        edition: license.edition,
        key: license.key.map(|key| key.to_string()),
        evaluation: license.is_evaluation,
        product: license.product,
        unit: license.unit,
        total: license.total,
        used: license.used,
        expires: license.expires.map(|time| time.to_string()),
        expires_in_s: license.expires_in.map(|rest| rest.as_secs()),
        features: features.collect(),
        facts: license.facts.into_iter().collect(),
    }
}

impl License {
    fn text(&self, features: bool) -> String {
        let mut text = String::new();
        let mut line = |title: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&property(10, title, printable(value)));
            }
        };
        line("Name:", &self.name);
        line("Edition:", &self.edition);
        line("Key:", self.key.as_deref().unwrap_or_default());
        line("Product:", self.product.as_deref().unwrap_or_default());
        line("Expires:", &self.expiry());
        if let Some(used) = self.used {
            let unit = &self.unit;
            line(
                "Used:",
                &match self.total {
                    Some(total) => format!("{used} of {total} {unit}"),
                    None => format!("{used} {unit}, without a limit"),
                },
            );
        }
        if features {
            let mut title = "Features:";
            for feature in &self.features {
                line(title, &feature.name);
                title = "";
            }
        }
        text
    }

    fn expiry(&self) -> String {
        match (&self.expires, self.expires_in_s) {
            (Some(time), _) => time.clone(),
            (None, Some(0)) => "has expired".to_owned(),
            (None, Some(rest)) if rest >= 2 * 86_400 => format!("in {} days", rest / 86_400),
            (None, Some(rest)) => format!("in {} hours", rest.div_ceil(3600)),
            (None, None) => "never".to_owned(),
        }
    }
}

impl Answer for Licenses {
    const SCHEMA: &'static str = "virt-esx/node-licenses/1";

    fn text(&self, _quiet: bool) -> String {
        let licenses = self.licenses.iter();
        let texts: Vec<_> = licenses.map(|one| one.text(self.features)).collect();
        texts.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::License;

    #[test]
    fn an_expiry_is_a_time_or_a_rest() {
        for (expires, rest, expected) in [
            (
                Some("2026-01-01T00:00:00Z"),
                Some(5),
                "2026-01-01T00:00:00Z",
            ),
            (None, Some(0), "has expired"),
            (None, Some(5), "in 1 hours"),
            (None, Some(30 * 3600), "in 30 hours"),
            (None, Some(60 * 86_400), "in 60 days"),
            (None, None, "never"),
        ] {
            let license = License {
                name: String::new(),
                edition: String::new(),
                key: None,
                evaluation: false,
                product: None,
                unit: String::new(),
                total: None,
                used: None,
                expires: expires.map(str::to_owned),
                expires_in_s: rest,
                features: Vec::new(),
                facts: Default::default(),
            };
            assert_eq!(license.expiry(), expected);
        }
    }
}
