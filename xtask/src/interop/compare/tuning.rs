//! Memory, virtual processors and the scheduler: what libvirt's ESX driver does.

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::report::Report;

/// The same commands on every domain with virsh and with virt-esx, each on an esx-sim of its own, which begin alike and stay
/// alike.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let make = || Pair::new(tools, "a simulated host", "root", &["--esx"]);
    let (theirs, ours) = (make()?, make()?);
    for domain in theirs.domains(report)? {
        for step in STEPS {
            let args: Vec<_> = step.split(' ').collect();
            let args = match args.as_slice() {
                [command, rest @ ..] => [&[*command, &*domain], rest].concat(),
                [] => continue,
            };
            let (virsh, virt_esx) = (theirs.virsh(&args)?, ours.virt_esx(&args)?);
            // libvirt speaks an API that does not have this fault: the server sends the one it is derived from.
            let virsh = virsh.to_string().replace(
                "VmConfigFault - CPU hot",
                "CpuHotPlugNotSupported - CPU hot",
            );
            let virt_esx = virt_esx.to_string();
            let found = format!("virsh: {virsh}virt-esx: {virt_esx}");
            let is_same = virsh == virt_esx;
            report.check(&ours.section, &args.join(" "), is_same, &found);
        }
    }
    Ok(())
}

/// What follows the command's name comes behind the domain's. `dominfo` and `schedinfo` show the host's state afterwards.
const STEPS: &[&str] = &[
    "setmem 1000001 --current",
    "setmem 2G --current",
    "setmem 0 --current",
    "setmem x --current",
    "setmem 1Z --current",
    "setmem 1 --current --live",
    "setmem 1 --live --config --current",
    "dominfo",
    "setmaxmem 0 --current",
    "setmaxmem x",
    "setmaxmem 1 --current --config",
    "memtune --min-guarantee 1000",
    "memtune --min-guarantee x",
    "memtune --min-guarantee 1Z",
    "memtune --hard-limit 5",
    "memtune --soft-limit 5 --min-guarantee 5",
    "memtune --swap-hard-limit=-1",
    "memtune --config --current",
    "setvcpus 2",
    "setvcpus 4",
    "setvcpus 1 --current",
    "setvcpus 0",
    "setvcpus x",
    "setvcpus 100000",
    "setvcpus 2 --guest",
    "setvcpus 2 --maximum",
    "setvcpus 2 --guest --config",
    "vcpucount --maximum",
    "vcpucount --maximum --current",
    "vcpucount --guest",
    "vcpucount --active --maximum",
    "vcpucount --active --live --current",
    "vcpupin --cpulist 0",
    "vcpupin x",
    "vcpupin 0 x",
    "vcpupin 0 --live --config",
    "dominfo",
    "schedinfo",
    "schedinfo shares=2000",
    "schedinfo --set shares=-1 limit=5000",
    "schedinfo reservation=100 limit=-1 shares=-3",
    "schedinfo shares=-4",
    "schedinfo limit=-2",
    "schedinfo reservation=-1",
    "schedinfo shares=x",
    "schedinfo limit=",
    "schedinfo shares",
    "schedinfo shares=1 foo=2",
    "schedinfo foo=2 shares=x",
    "schedinfo shares=1 shares=2",
    "schedinfo --weight 1",
    "schedinfo --cap x",
    "schedinfo --current --live --config",
    "schedinfo",
    "domhostname",
    "domhostname --source lease",
    "domhostname --source arp",
    "domifaddr",
    "domifaddr --source arp",
    "domifaddr --source x",
    "domifaddr --source agent --interface nosuch",
    "desc",
    "desc --title",
    "desc --live --config --current",
    "metadata",
    "domrename",
    "numatune --mode x",
    "numatune --current --config",
];
