//! Undefining domains with their storage, as virsh 9.0.0 does it.

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::report::Report;

/// The same commands with virsh and with virt-esx, each on an esx-sim of its own. Each group begins anew.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let new = || -> Result<Pair<'_>, String> {
        let mut pair = Pair::new(tools, "a simulated host", "root", &["--esx"])?;
        // Without it virt-esx warns of what it leaves out of a document.
        pair.uri = format!("{}&libvirt=9.0.0", pair.uri);
        Ok(pair)
    };
    for group in GROUPS {
        let pairs = (new()?, new()?);
        for args in group.iter().chain([&REST]) {
            let (theirs, ours) = (pairs.0.virsh(args)?, pairs.1.virt_esx(args)?);
            let found = format!("virsh: {theirs}virt-esx: {ours}");
            report.check(&pairs.1.section, &args.join(" "), theirs == ours, &found);
        }
    }
    Ok(())
}

/// What is left behind a group.
const REST: &[&str] = &["list", "--all", "--name"];

const DISK: &str = "[ssd] installer/installer.vmdk";

const GROUPS: &[&[&[&str]]] = &[
    &[
        &["undefine", "nosuch", "--wipe-storage"],
        &[
            "undefine",
            "nosuch",
            "--storage",
            "a",
            "--remove-all-storage",
        ],
        &[
            "undefine",
            "web01",
            "--storage",
            "a",
            "--remove-all-storage",
        ],
        &["undefine", "web01", "--wipe-storage"],
        &["undefine", "web01", "--wipe-storage", "--storage", "x"],
        &["undefine", "desktop", "--remove-all-storage"],
        &["undefine", "web01", "--keep-nvram"],
        &["undefine", "web01", "--tpm"],
        &["undefine", "installer", "--delete-storage-volume-snapshots"],
        &["undefine", "installer", "--tpm", "--keep-tpm"],
        &[
            "undefine",
            "installer",
            "--wipe-storage",
            "--nvram",
            "--keep-nvram",
        ],
        &["undefine", "installer", "--storage"],
        &["undefine", "installer", "sda", "x"],
        &["undefine", "installer", "--storage", "vdx,sda"],
        &["undefine", "installer", "--storage", "sda,,"],
        &["undefine", "installer", "--storage", ",sda"],
        &["undefine", "installer", "--storage", "sda, vdx"],
        &["undefine", "build/ci", "--wipe-storage", "--storage", ""],
        &["undefine", "build/ci", "--storage", ""],
        &["undefine", "installer", "sda"],
    ],
    &[&["undefine", "installer", "--remove-all-storage"]],
    &[&["undefine", "installer", "--storage", "sda,sda"]],
    &[&["undefine", "installer", "--storage", DISK]],
    &[&["-q", "undefine", "installer", "--storage", "sda"]],
    &[
        &[
            "undefine",
            "installer",
            "--snapshots-metadata",
            "--keep-tpm",
        ],
        &[
            "undefine",
            "build/ci",
            "--managed-save",
            "--checkpoints-metadata",
            "--tpm",
        ],
        &["undefine", "desktop", "--keep-nvram"],
    ],
    &[
        &["destroy", "web01"],
        &["snapshot-create-as", "web01", "base"],
        &[
            "undefine",
            "web01",
            "--storage",
            "sda",
            "--snapshots-metadata",
        ],
    ],
];
