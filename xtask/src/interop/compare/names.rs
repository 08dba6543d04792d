//! Every command name that virsh's `help` lists.

use super::super::peers::Tools;
use super::super::report::Report;
use super::batch::Batch;
use super::{Known, Pair, in_our_versions};

const NO_DEVICES: &str = "libvirt's ESX driver has no node devices";

/// A command with which virsh and virt-esx differ.
const KNOWN: &[Known] = &[
    Known {
        words: &["help"],
        reason: "virt-esx lists what it has, and commands that virsh does not have",
    },
    Known {
        words: &["domstats"],
        reason: "libvirt's ESX driver has no virConnectGetAllDomainStats",
    },
    Known {
        words: &["nodememstats"],
        reason: "libvirt's ESX driver has no virNodeGetMemoryStats",
    },
    Known {
        words: &["nodecpustats"],
        reason: "libvirt's ESX driver has no virNodeGetCPUStats",
    },
    Known {
        words: &["cpu-models"],
        reason: "libvirt's ESX driver has no virConnectGetCPUModelNames",
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
        words: &["domcapabilities"],
        reason: "libvirt's ESX driver has no virConnectGetDomainCapabilities",
    },
    Known {
        words: &["maxvcpus"],
        reason: "libvirt's ESX driver has no virConnectGetMaxVcpus",
    },
    Known {
        words: &["pool-capabilities"],
        reason: "libvirt's ESX driver has no virConnectGetStoragePoolCapabilities",
    },
    Known {
        words: &["find-storage-pool-sources"],
        reason: "libvirt's ESX driver has no virConnectFindStoragePoolSources",
    },
    Known {
        words: &["find-storage-pool-sources-as"],
        reason: "libvirt's ESX driver has no virConnectFindStoragePoolSources",
    },
    Known {
        words: &["nodedev-autostart"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-destroy"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-detach"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-dumpxml"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-info"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-list"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-reattach"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-reset"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-start"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["nodedev-undefine"],
        reason: NO_DEVICES,
    },
    Known {
        words: &["iface-list"],
        reason: "libvirt's ESX driver looks up each card by its name and finds none",
    },
    Known {
        words: &["iface-dumpxml"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-mac"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-edit"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-start"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-destroy"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-undefine"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-unbridge"],
        reason: "a name is looked up as a name, not as a hardware address",
    },
    Known {
        words: &["iface-begin"],
        reason: "libvirt's ESX driver has no virInterfaceChangeBegin",
    },
    Known {
        words: &["iface-commit"],
        reason: "libvirt's ESX driver has no virInterfaceChangeCommit",
    },
    Known {
        words: &["iface-rollback"],
        reason: "libvirt's ESX driver has no virInterfaceChangeRollback",
    },
    Known {
        words: &["secret-list"],
        reason: "libvirt's ESX driver has no secrets",
    },
];

/// What changes the run itself: only compared without arguments.
const OF_THE_SHELL: &[&str] = &["cd", "connect", "echo", "exit", "help", "pwd", "quit"];

/// Compares all commands: without arguments, with a domain that does not exist, and the synopsis of those that
/// virt-esx has in its table only.
///
/// The command lines without arguments are a run each, all others are read from one standard input: a connection
/// each takes minutes.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "every command name", "root", &["--esx"])?;
    let help = pair.virsh(&["help"])?.stdout;
    let names: Vec<_> = help.lines().filter_map(name).collect();
    let found = format!("{} names", names.len());
    report.check(
        &pair.virsh_section,
        "help lists the commands",
        names.len() > 250,
        &found,
    );

    let helps: Vec<_> = names
        .iter()
        .map(|name| vec!["help".to_owned(), (*name).to_owned()])
        .collect();
    let (theirs, ours) = (
        Batch::run(&pair, "virsh".as_ref(), &helps)?,
        Batch::run(&pair, &tools.virt_esx, &helps)?,
    );
    let mut lines = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let synopsis = synopsis(&theirs.stdout(index));
        let ours = ours.stdout(index);
        if ours.starts_with("  NAME\n") {
            let found = format!("virsh: {synopsis}\nvirt-esx: {ours}");
            let name = format!("synopsis of {name}");
            report.check(
                &pair.section,
                &name,
                self::synopsis(&ours) == synopsis,
                &found,
            );
        }
        if !OF_THE_SHELL.contains(name) {
            lines.extend(self::lines(name, &synopsis));
        }
    }

    let mut shown = vec![false; KNOWN.len()];
    let mut compare = |args: &[&str], theirs: String, ours: String| {
        let known = KNOWN
            .iter()
            .position(|known| known.words.iter().all(|word| args.contains(word)));
        match known {
            Some(index) if theirs != ours => shown[index] = true,
            _ => {
                let found = format!("virsh: {theirs}virt-esx: {ours}");
                report.check(&pair.section, &args.join(" "), theirs == ours, &found);
            }
        }
    };
    for name in &names {
        let (theirs, ours) = (pair.virsh(&[name])?, pair.virt_esx(&[name])?);
        let theirs = in_our_versions(&[name], theirs);
        compare(&[name], theirs.to_string(), ours.to_string());
    }
    let (theirs, ours) = (
        Batch::run(&pair, "virsh".as_ref(), &lines)?,
        Batch::run(&pair, &tools.virt_esx, &lines)?,
    );
    for (index, args) in lines.iter().enumerate() {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        compare(&args, theirs.both(index), ours.both(index));
    }

    for known in KNOWN {
        report.note(
            &pair.section,
            &format!("{:?}: {}", known.words, known.reason),
        );
    }
    let all = KNOWN.iter().map(|known| known.words.join(" "));
    for (known, _) in all.zip(shown).filter(|(_, shown)| !shown) {
        let name = format!("{}: known difference {known:?}", pair.section);
        report.fail(&name, "does not show any more: remove it from the list");
    }
    Ok(())
}

/// The name in a line of virsh's `help`.
fn name(line: &str) -> Option<&str> {
    let line = line.strip_prefix("    ")?;
    line.split(' ').next().filter(|name| !name.is_empty())
}

/// The line below SYNOPSIS.
fn synopsis(help: &str) -> String {
    let mut lines = help.lines().skip_while(|line| line.trim() != "SYNOPSIS");
    lines.nth(1).unwrap_or_default().trim().to_owned()
}

/// The command lines of a command: with something that does not exist, and if a domain is required, with a domain
/// that does not exist and a value for everything else that is required.
fn lines(name: &str, synopsis: &str) -> Vec<Vec<String>> {
    let owned = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    // `<domain>` and `{[--cmd] <string>}...`; optional ones begin with a bracket.
    let required = synopsis
        .split(' ')
        .filter_map(|word| match word.strip_prefix("{[--") {
            Some(option) => option.strip_suffix(']'),
            None => word.strip_prefix('<')?.strip_suffix('>'),
        });
    let required: Vec<_> = required.collect();
    let mut lines = vec![owned(&[name, "nosuch"])];
    if required.contains(&"domain") {
        let mut line = owned(&[name]);
        for option in required {
            let value = if option == "domain" { "nosuch" } else { "1" };
            line.extend([format!("--{option}"), value.to_owned()]);
        }
        lines.push(line);
    }
    lines
}
