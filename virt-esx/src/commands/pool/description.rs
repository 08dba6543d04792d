//! The options that describe a pool, for the commands that make one without a document.

use serde::Serialize;

use crate::answer::Answer;
use crate::commands::options::{check_exclusive, check_texts};
use crate::failure::Failure;
use crate::markup::escaped;

/// The name, the type, the source and the target of a pool: `#[command(flatten)] pool: Description`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Description {
    /// name of the pool
    #[arg(value_name = "name", required = true)]
    name: String,

    /// type of the pool
    #[arg(id = "type", value_name = "type", required = true)]
    kind: String,

    /// print XML document, but don't define/create
    #[arg(long)]
    pub(super) print_xml: bool,

    /// source-host for underlying storage
    #[arg(id = "source-host", value_name = "source-host")]
    source_host: Option<String>,

    /// source path for underlying storage
    #[arg(id = "source-path", value_name = "source-path")]
    source_path: Option<String>,

    /// source device for underlying storage
    #[arg(id = "source-dev", value_name = "source-dev")]
    source_dev: Option<String>,

    /// source name for underlying storage
    #[arg(id = "source-name", value_name = "source-name")]
    source_name: Option<String>,

    /// target for underlying storage
    #[arg(value_name = "target")]
    target: Option<String>,

    /// format for underlying storage
    #[arg(id = "source-format", value_name = "source-format")]
    source_format: Option<String>,

    /// auth type to be used for underlying storage
    #[arg(id = "auth-type", value_name = "auth-type")]
    auth_type: Option<String>,

    /// auth username to be used for underlying storage
    #[arg(id = "auth-username", value_name = "auth-username")]
    auth_username: Option<String>,

    /// auth secret usage to be used for underlying storage
    #[arg(id = "secret-usage", value_name = "secret-usage")]
    secret_usage: Option<String>,

    /// auth secret UUID to be used for underlying storage
    #[arg(id = "secret-uuid", value_name = "secret-uuid")]
    secret_uuid: Option<String>,

    /// adapter name to be used for underlying storage
    #[arg(id = "adapter-name", value_name = "adapter-name")]
    adapter_name: Option<String>,

    /// adapter wwnn to be used for underlying storage
    #[arg(id = "adapter-wwnn", value_name = "adapter-wwnn")]
    adapter_wwnn: Option<String>,

    /// adapter wwpn to be used for underlying storage
    #[arg(id = "adapter-wwpn", value_name = "adapter-wwpn")]
    adapter_wwpn: Option<String>,

    /// adapter parent scsi_hostN to be used for underlying vHBA storage
    #[arg(id = "adapter-parent", value_name = "adapter-parent")]
    adapter_parent: Option<String>,

    /// adapter parent scsi_hostN wwnn to be used for underlying vHBA storage
    #[arg(id = "adapter-parent-wwnn", value_name = "adapter-parent-wwnn")]
    adapter_parent_wwnn: Option<String>,

    /// adapter parent scsi_hostN wwpn to be used for underlying vHBA storage
    #[arg(id = "adapter-parent-wwpn", value_name = "adapter-parent-wwpn")]
    adapter_parent_wwpn: Option<String>,

    /// adapter parent scsi_hostN fabric_wwn to be used for underlying vHBA storage
    #[arg(
        id = "adapter-parent-fabric-wwn",
        value_name = "adapter-parent-fabric-wwn"
    )]
    adapter_parent_fabric_wwn: Option<String>,

    /// nfsvers value for NFS pool mount option
    #[arg(id = "source-protocol-ver", value_name = "source-protocol-ver")]
    source_protocol_ver: Option<String>,

    /// initiator iqn for underlying storage
    #[arg(id = "source-initiator", value_name = "source-initiator")]
    source_initiator: Option<String>,
}

/// What `--print-xml` prints.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// The document that would be given to libvirt.
    xml: String,
}

impl Answer for Document {
    const SCHEMA: &'static str = "virt-esx/pool-definition/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}

impl Description {
    /// The pool's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Refuses what virsh refuses.
    ///
    /// # Errors
    /// virsh's text.
    pub(super) fn check(&self) -> Result<(), Failure> {
        check_exclusive([
            ("secret-usage", self.secret_usage.is_some()),
            ("secret-uuid", self.secret_uuid.is_some()),
        ])?;
        let (name, kind) = (Some(self.name.clone()), Some(self.kind.clone()));
        check_texts([
            ("name", &name),
            ("type", &kind),
            ("source-host", &self.source_host),
            ("source-path", &self.source_path),
            ("source-dev", &self.source_dev),
            ("source-name", &self.source_name),
            ("target", &self.target),
            ("source-format", &self.source_format),
            ("auth-type", &self.auth_type),
            ("auth-username", &self.auth_username),
            ("secret-usage", &self.secret_usage),
            ("secret-uuid", &self.secret_uuid),
            ("adapter-name", &self.adapter_name),
            ("adapter-wwnn", &self.adapter_wwnn),
            ("adapter-wwpn", &self.adapter_wwpn),
            ("adapter-parent", &self.adapter_parent),
            ("adapter-parent-wwnn", &self.adapter_parent_wwnn),
            ("adapter-parent-wwpn", &self.adapter_parent_wwpn),
            ("adapter-parent-fabric-wwn", &self.adapter_parent_fabric_wwn),
            ("source-protocol-ver", &self.source_protocol_ver),
            ("source-initiator", &self.source_initiator),
        ])
    }

    /// What `--print-xml` prints.
    pub(super) fn document(&self) -> Document {
        Document { xml: self.xml() }
    }

    /// The document that virsh makes of the options (virshBuildPoolXML). virsh does not escape the texts.
    pub(super) fn xml(&self) -> String {
        let (kind, name) = (escaped(&self.kind), escaped(&self.name));
        let mut xml = format!("<pool type='{kind}'>\n  <name>{name}</name>\n");
        if self.has_source() {
            xml += &format!("  <source>\n{}  </source>\n", self.source());
        }
        if let Some(target) = &self.target {
            let target = escaped(target);
            xml += &format!("  <target>\n    <path>{target}</path>\n  </target>\n");
        }
        xml + "</pool>\n"
    }

    /// Whether virsh writes a source; a login or a version alone is none for it.
    fn has_source(&self) -> bool {
        let options = [
            &self.source_host,
            &self.source_path,
            &self.source_dev,
            &self.source_name,
            &self.source_format,
            &self.source_initiator,
            &self.adapter_name,
        ];
        options.iter().any(|option| option.is_some()) || self.fc_host().is_some()
    }

    fn source(&self) -> String {
        let mut xml = String::new();
        let mut element = |name, attribute, value: &Option<String>| {
            if let Some(value) = value {
                let value = escaped(value);
                xml += &format!("    <{name} {attribute}='{value}'/>\n");
            }
        };
        element("host", "name", &self.source_host);
        element("dir", "path", &self.source_path);
        element("device", "path", &self.source_dev);
        if let Some(iqn) = &self.source_initiator {
            let iqn = escaped(iqn);
            xml += &format!("    <initiator>\n      <iqn name='{iqn}'/>\n    </initiator>\n");
        }
        match (self.fc_host(), &self.adapter_name) {
            (Some(attributes), _) => xml += &format!("    <adapter type='fc_host'{attributes}/>\n"),
            (None, Some(name)) => {
                let name = escaped(name);
                xml += &format!("    <adapter type='scsi_host' name='{name}'/>\n");
            }
            (None, None) => {}
        }
        xml += &self.auth();
        if let Some(format) = &self.source_format {
            xml += &format!("    <format type='{}'/>\n", escaped(format));
        }
        if let Some(name) = &self.source_name {
            xml += &format!("    <name>{}</name>\n", escaped(name));
        }
        if let Some(version) = &self.source_protocol_ver {
            xml += &format!("    <protocol ver='{}'/>\n", escaped(version));
        }
        xml
    }

    /// The attributes of a virtual adapter, which has two names at least; one way to name its parent is enough.
    fn fc_host(&self) -> Option<String> {
        let (wwnn, wwpn) = (self.adapter_wwnn.as_ref()?, self.adapter_wwpn.as_ref()?);
        let attribute = |name: &str, value: &str| format!(" {name}='{}'", escaped(value));
        let parents = (&self.adapter_parent_wwnn, &self.adapter_parent_wwpn);
        let parent = match (
            &self.adapter_parent,
            parents,
            &self.adapter_parent_fabric_wwn,
        ) {
            (Some(parent), _, _) => attribute("parent", parent),
            (None, (Some(wwnn), Some(wwpn)), _) => {
                attribute("parent_wwnn", wwnn) + &attribute("parent_wwpn", wwpn)
            }
            (None, _, Some(wwn)) => attribute("parent_fabric_wwn", wwn),
            (None, _, None) => String::new(),
        };
        Some(parent + &attribute("wwnn", wwnn) + &attribute("wwpn", wwpn))
    }

    /// The login, if all of it was given.
    fn auth(&self) -> String {
        let (Some(kind), Some(user)) = (&self.auth_type, &self.auth_username) else {
            return String::new();
        };
        let secret = match (&self.secret_usage, &self.secret_uuid) {
            (Some(usage), _) => format!("usage='{}'", escaped(usage)),
            (None, Some(uuid)) => format!("uuid='{}'", escaped(uuid)),
            (None, None) => return String::new(),
        };
        let (kind, user) = (escaped(kind), escaped(user));
        format!(
            "    <auth type='{kind}' username='{user}'>\n      <secret {secret}/>\n    </auth>\n"
        )
    }
}
