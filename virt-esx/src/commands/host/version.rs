use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// show version
///
/// Display the system version information.
#[derive(Debug, clap::Args)]
pub(crate) struct Version {
    /// report daemon version too
    #[arg(long)]
    daemon: bool,
}

/// Whose versions are at work.
#[derive(Debug, Serialize)]
pub(crate) struct Versions {
    /// Of virt-esx, which is library, API and (there being none) daemon.
    library: String,
    hypervisor_type: String,
    /// Of the host or, for vpx://, of the vCenter.
    hypervisor: String,

    #[serde(skip)]
    daemon: bool,
}

impl Query for Version {
    type Answer = Versions;

    async fn ask(self, connection: &Connection) -> Result<Versions, Failure> {
        Ok(Versions {
            library: env!("CARGO_PKG_VERSION").to_owned(),
            hypervisor_type: connection.type_name().to_owned(),
            hypervisor: connection.version().to_string(),
            daemon: self.daemon,
        })
    }
}

impl Answer for Versions {
    const SCHEMA: &'static str = "virt-esx/version/1";

    fn text(&self, _quiet: bool) -> String {
        let Self {
            library,
            hypervisor_type,
            hypervisor,
            daemon,
        } = self;
        let mut text = format!(
            "Compiled against library: virt-esx {library}\n\
             Using library: virt-esx {library}\n\
             Using API: {hypervisor_type} {library}\n\
             Running hypervisor: {hypervisor_type} {hypervisor}\n"
        );
        if *daemon {
            text.push_str(&format!("Running against daemon: {library}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Versions;
    use crate::answer::Answer as _;

    #[test]
    fn every_line() {
        let versions = Versions {
            library: "0.1.0".to_owned(),
            hypervisor_type: "ESX".to_owned(),
            hypervisor: "8.0.2".to_owned(),
            daemon: true,
        };
        let expected = "\
Compiled against library: virt-esx 0.1.0
Using library: virt-esx 0.1.0
Using API: ESX 0.1.0
Running hypervisor: ESX 8.0.2
Running against daemon: 0.1.0
";
        assert_eq!(versions.text(false), expected);
    }
}
