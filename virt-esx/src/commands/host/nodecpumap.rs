use serde::Serialize;
use virt_model::{CpuSet, NodeCpuMap};

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// node cpu map
///
/// Displays the node's total number of CPUs, the number of online CPUs and the list of online CPUs.
#[derive(Debug, clap::Args)]
pub(crate) struct Nodecpumap {
    /// return human readable output
    #[arg(long)]
    pretty: bool,
}

/// The host's logical processors.
#[derive(Debug, Serialize)]
pub(crate) struct CpuMap {
    present: usize,
    online: usize,
    /// The numbers of those that are online.
    online_cpus: Vec<usize>,

    #[serde(skip)]
    map: NodeCpuMap,
    #[serde(skip)]
    pretty: bool,
}

impl CpuMap {
    fn new(map: NodeCpuMap, pretty: bool) -> Self {
        let online = map.online.iter().enumerate().filter(|(_, online)| **online);
        Self {
            present: map.present(),
            online: map.online_count(),
            online_cpus: online.map(|(number, _)| number).collect(),
            map,
            pretty,
        }
    }

    /// `0-3,7`, or a letter for each processor.
    fn shown(&self) -> String {
        if self.pretty {
            let numbers = self.online_cpus.iter().copied();
            let set: CpuSet = numbers.filter_map(|cpu| u32::try_from(cpu).ok()).collect();
            return set.to_string();
        }
        let letters = self.map.online.iter();
        letters
            .map(|online| if *online { 'y' } else { '-' })
            .collect()
    }
}

impl Query for Nodecpumap {
    type Answer = CpuMap;

    async fn ask(self, connection: &Connection) -> Result<CpuMap, Failure> {
        let map = connection.node_cpu_map().await;
        let failed = |error| Failure::because("Unable to get cpu map", error);
        Ok(CpuMap::new(map.map_err(failed)?, self.pretty))
    }
}

impl Answer for CpuMap {
    const SCHEMA: &'static str = "virt-esx/node-cpu-map/1";

    fn text(&self, _quiet: bool) -> String {
        [
            property(15, "CPUs present:", self.present),
            property(15, "CPUs online:", self.online),
            property(15, "CPU map:", self.shown()),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use virt_model::NodeCpuMap;

    use super::CpuMap;
    use crate::answer::Answer as _;

    #[test]
    fn letters_or_ranges() {
        let online = [true, false, true, true, true, false];
        let map = || NodeCpuMap::new(online.to_vec());
        let expected = "\
CPUs present:   6
CPUs online:    4
CPU map:        y-yyy-
";
        assert_eq!(CpuMap::new(map(), false).text(false), expected);
        let pretty = CpuMap::new(map(), true).text(false);
        assert!(pretty.ends_with("CPU map:        0,2-4\n"), "{pretty}");
    }
}
