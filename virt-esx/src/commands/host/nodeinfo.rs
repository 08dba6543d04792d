use serde::Serialize;
use virt_model::NodeInfo;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// node information
///
/// Returns basic information about the node.
#[derive(Debug, clap::Args)]
pub(crate) struct Nodeinfo {}

/// Basic information about the host.
#[derive(Debug, Serialize)]
pub(crate) struct Node {
    cpu_model: String,
    cpus: u32,
    cpu_frequency_mhz: u32,
    cpu_sockets: u32,
    cores_per_socket: u32,
    threads_per_core: u32,
    numa_cells: u32,
    memory_kib: u64,
}

impl Query for Nodeinfo {
    type Answer = Node;

    async fn ask(self, connection: &Connection) -> Result<Node, Failure> {
        let info = connection.node_info().await;
        let info =
            info.map_err(|error| Failure::because("failed to get node information", error))?;
        Ok(info.into())
    }
}

impl From<NodeInfo> for Node {
    fn from(info: NodeInfo) -> Self {
        Self {
            cpu_model: info.model,
            cpus: info.cpus,
            cpu_frequency_mhz: info.mhz,
            cpu_sockets: info.sockets,
            cores_per_socket: info.cores,
            threads_per_core: info.threads,
            numa_cells: info.nodes,
            memory_kib: info.memory,
        }
    }
}

impl Answer for Node {
    const SCHEMA: &'static str = "virt-esx/node-info/1";

    fn text(&self, _quiet: bool) -> String {
        let line = |title, value: &dyn std::fmt::Display| property(20, title, value);
        let mut lines = vec![
            line("CPU model:", &self.cpu_model),
            line("CPU(s):", &self.cpus),
        ];
        if self.cpu_frequency_mhz != 0 {
            lines.push(line(
                "CPU frequency:",
                &format_args!("{} MHz", self.cpu_frequency_mhz),
            ));
        }
        lines.extend([
            line("CPU socket(s):", &self.cpu_sockets),
            line("Core(s) per socket:", &self.cores_per_socket),
            line("Thread(s) per core:", &self.threads_per_core),
            line("NUMA cell(s):", &self.numa_cells),
            line("Memory size:", &format_args!("{} KiB", self.memory_kib)),
        ]);
        lines.concat()
    }
}

#[cfg(test)]
mod tests {
    use virt_model::NodeInfo;

    use super::Node;
    use crate::answer::Answer as _;

    #[test]
    fn every_line() {
        let node = Node::from(NodeInfo {
            model: "i686".to_owned(),
            memory: 3_145_728,
            cpus: 16,
            mhz: 1400,
            nodes: 2,
            sockets: 2,
            cores: 2,
            threads: 2,
        });
        let expected = "\
CPU model:           i686
CPU(s):              16
CPU frequency:       1400 MHz
CPU socket(s):       2
Core(s) per socket:  2
Thread(s) per core:  2
NUMA cell(s):        2
Memory size:         3145728 KiB
";
        assert_eq!(node.text(false), expected);
    }

    #[test]
    fn an_unknown_frequency_is_left_out() {
        assert!(
            !Node::from(NodeInfo::default())
                .text(false)
                .contains("frequency")
        );
    }
}
