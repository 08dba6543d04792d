//! virsh's group "Host and Hypervisor".

mod capabilities;
mod cpu_models;
mod domcapabilities;
mod freecell;
mod hostname;
mod maxvcpus;
mod node_firewall;
mod node_health;
mod node_license;
mod node_log;
mod node_maintenance;
mod node_ntp;
mod node_service;
mod nodecpumap;
mod nodecpustats;
mod nodeinfo;
mod nodememstats;
mod nodesuspend;
mod sysinfo;
mod uri;
mod version;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Host and Hypervisor",
    keyword: "host",
    rows: &[
        Row::query::<capabilities::Capabilities>("capabilities"),
        Row::query::<cpu_models::CpuModels>("cpu-models"),
        Row::query::<domcapabilities::Domcapabilities>("domcapabilities"),
        Row::query::<freecell::Freecell>("freecell"),
        Row::query::<hostname::Hostname>("hostname"),
        Row::query::<maxvcpus::Maxvcpus>("maxvcpus"),
        Row::command::<node_firewall::NodeFirewall>("node-firewall"),
        Row::query::<node_health::NodeHealth>("node-health"),
        Row::query::<node_license::NodeLicense>("node-license"),
        Row::command::<node_log::NodeLog>("node-log"),
        Row::command::<node_maintenance::NodeMaintenance>("node-maintenance"),
        Row::command::<node_ntp::NodeNtp>("node-ntp"),
        Row::command::<node_service::NodeService>("node-service"),
        Row::query::<nodecpumap::Nodecpumap>("nodecpumap"),
        Row::query::<nodecpustats::Nodecpustats>("nodecpustats"),
        Row::query::<nodeinfo::Nodeinfo>("nodeinfo"),
        Row::query::<nodememstats::Nodememstats>("nodememstats"),
        Row::command::<nodesuspend::Nodesuspend>("nodesuspend"),
        Row::query::<sysinfo::Sysinfo>("sysinfo"),
        Row::query::<uri::Uri>("uri"),
        Row::query::<version::Version>("version"),
    ],
};
