use serde::Serialize;
use virt_model::Document as _;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// print the hypervisor sysinfo
///
/// output an XML string for the hypervisor sysinfo, if available
#[derive(Debug, clap::Args)]
pub(crate) struct Sysinfo {}

/// What the host's firmware says of the host.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    /// libvirt's document.
    xml: String,
}

impl Query for Sysinfo {
    type Answer = Facts;

    async fn ask(self, connection: &Connection) -> Result<Facts, Failure> {
        let sysinfo = connection.sysinfo().await;
        let failed = |error| Failure::because("failed to get sysinfo", error);
        Ok(Facts {
            xml: sysinfo.map_err(failed)?.to_xml(Default::default()),
        })
    }
}

impl Answer for Facts {
    const SCHEMA: &'static str = "virt-esx/sysinfo/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
