//! Commands about the host.

use super::super::peers::Tools;
use super::super::report::Report;
use super::{Known, Pair, batch};

/// Runs them with virsh and with virt-esx.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let user = "administrator@vsphere.local";
    for (place, user, arg) in [
        ("commands about a simulated host", "root", "--esx"),
        (
            "commands about a host of a simulated vCenter",
            user,
            "--vcenter",
        ),
    ] {
        let pair = Pair::new(tools, place, user, &[arg])?;
        batch::compare((&pair, &pair), LINES, KNOWN, report)?;
    }
    Ok(())
}

const LINES: &[&str] = &[
    "nodeinfo",
    "nodeinfo extra",
    "hostname",
    "uri",
    "capabilities",
    "freecell",
    "freecell --cellno 0",
    "freecell --cellno 99",
    "nodememstats",
    "nodememstats 0",
    "nodememstats --cell x",
    "nodememstats --cell -3",
    "nodememstats 0 extra",
    "nodecpustats",
    "nodecpustats 0",
    "nodecpustats --percent",
    "nodecpustats --cpu x",
    "nodecpustats --cpu -3",
    "nodecpumap",
    "nodecpumap --pretty",
    "nodecpumap extra",
    "sysinfo",
    "sysinfo --xpath //bios",
    "nodesuspend",
    "nodesuspend mem",
    "nodesuspend mem 59",
    "nodesuspend mem x",
    "nodesuspend mem -1",
    "nodesuspend standby 60",
    "nodesuspend standby -1",
    "nodesuspend standby x",
    "nodesuspend '' 60",
    "domcapabilities",
    "domcapabilities --virttype ''",
    "domcapabilities --emulatorbin ''",
    "domcapabilities --arch ''",
    "domcapabilities --machine ''",
    "domcapabilities --bogus",
    "maxvcpus",
    "maxvcpus --type vmware",
    "maxvcpus --type ''",
    "maxvcpus vmware extra",
    "cpu-models",
    "cpu-models --bogus",
    "cpu-models x86_64",
    "cpu-models ''",
    "freepages",
    "freepages --all",
    "freepages --cellno 0",
    "freepages --cellno x",
    "freepages --cellno 0 --pagesize 4",
    "freepages --cellno 0 --pagesize x",
    "freepages --all --cellno 0",
    "allocpages 4",
    "allocpages 4 1",
    "allocpages 4 x",
    "allocpages x 1",
    "allocpages 4 1 --all",
    "allocpages 4 1 --all --cellno 0",
    "node-memory-tune",
    "node-memory-tune --shm-pages-to-scan 5",
    "node-memory-tune --shm-pages-to-scan x",
    "nodesevinfo",
    "cpu-baseline /nonexistent",
    "cpu-compare /nonexistent",
    "hypervisor-cpu-baseline",
    "hypervisor-cpu-baseline /nonexistent",
    "hypervisor-cpu-compare /nonexistent",
];

const KNOWN: &[Known] = &[
    Known {
        words: &["nodememstats"],
        reason: "libvirt's ESX driver has no virNodeGetMemoryStats",
    },
    Known {
        words: &["nodecpustats"],
        reason: "libvirt's ESX driver has no virNodeGetCPUStats",
    },
    Known {
        words: &["nodecpumap"],
        reason: "libvirt's ESX driver has no virNodeGetCPUMap",
    },
    Known {
        words: &["sysinfo"],
        reason: "libvirt's ESX driver has no virConnectGetSysinfo",
    },
    Known {
        words: &["nodesuspend"],
        reason: "libvirt's ESX driver has no virNodeSuspendForDuration",
    },
    Known {
        words: &["domcapabilities"],
        reason: "libvirt's ESX driver has no virConnectGetDomainCapabilities",
    },
    Known {
        words: &["maxvcpus"],
        reason: "libvirt's ESX driver has no virConnectGetMaxVcpus",
    },
    Known {
        words: &["freecell", "--cellno", "99"],
        reason: "libvirt's ESX driver has no virNodeGetCellsFreeMemory; virt-esx says that there is no such cell",
    },
    Known {
        words: &["cpu-models"],
        reason: "libvirt's ESX driver has no virConnectGetCPUModelNames",
    },
    Known {
        words: &["allocpages", "4", "1", "--all"],
        reason: "virsh has nothing to do, since ESX shows it no NUMA cells; virt-esx says that it cannot",
    },
];
