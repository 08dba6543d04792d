//! Answers as servers in the field give them, which virsh and virt-esx read from the same server.

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::report::Report;

/// Runs both programs on each server.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    restricted_pages(tools, report)?;
    TEXTS
        .iter()
        .try_for_each(|text| foreign_text(tools, text, report))
}

/// vCenter 7.0.3 to 8.0.2 gives users with restricted rights the first page of an answer, and no other.
fn restricted_pages(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let fault = "ContinueRetrievePropertiesEx=fault:NoPermission";
    let args = [
        "--vcenter",
        "--vms",
        "30",
        "--page-size",
        "5",
        "--fault",
        fault,
    ];
    let user = "administrator@vsphere.local";
    let pair = Pair::new(tools, "a vCenter that refuses further pages", user, &args)?;
    for args in [
        &["list", "--all"][..],
        &["list", "--all", "--uuid"],
        &["nodeinfo"],
    ] {
        let (theirs, ours) = (pair.virsh(args)?, pair.virt_esx(args)?);
        let held = theirs == ours && ours.succeeded();
        let found = format!("virsh: {theirs}virt-esx: {ours}");
        report.check(&pair.section, &args.join(" "), held, &found);
    }
    Ok(())
}

/// A text that XML or UTF-8 forbids, in the name of one of five domains.
struct Foreign {
    /// As in `--fault`.
    name: &'static str,
    /// What virt-esx shows.
    shown: &'static str,
    /// The end of what virsh says about the whole answer.
    virsh: &'static str,
}

const TEXTS: &[Foreign] = &[
    Foreign {
        name: "gr\\xfcn",
        shown: "gr\u{fffd}n",
        virsh: "",
    },
    Foreign {
        name: "\\xbcber\\xa4",
        shown: "\u{fffd}ber\u{fffd}",
        virsh: "",
    },
    Foreign {
        name: "cut\\xe6\\xa8",
        shown: "cut\u{fffd}",
        virsh: "",
    },
    Foreign {
        name: "bell\\x07",
        shown: "bell\u{fffd}",
        virsh: "",
    },
    Foreign {
        // Nothing is lost if a reference to nothing stays as it is.
        name: "a&nothing;b",
        shown: "a&nothing;b",
        virsh: "",
    },
    Foreign {
        name: "a&#1;b",
        shown: "a\u{fffd}b",
        virsh: "",
    },
    Foreign {
        name: "a&#xd800;b",
        shown: "a\u{fffd}b",
        virsh: "",
    },
];

/// virsh fails with the whole list; virt-esx shows U+FFFD in this one name, and warns.
fn foreign_text(tools: &Tools, text: &Foreign, report: &mut Report) -> Result<(), String> {
    let plain = Pair::new(tools, "a host", "root", &["--esx"])?;
    let expected = plain.virt_esx(&["list", "--all", "--name"])?;
    let expected = expected.stdout.replace("web01", text.shown);
    let fault = format!("*=replace:>web01<:>{}<", text.name);
    let place = format!("a host that sends {:?}", text.name);
    let pair = Pair::new(tools, &place, "root", &["--esx", "--fault", &fault])?;
    let args = ["list", "--all", "--name"];
    let (theirs, ours) = (pair.virsh(&args)?, pair.virt_esx(&args)?);
    let found = format!("virsh: {theirs}virt-esx: {ours}");
    let held = !theirs.succeeded() && theirs.stderr.contains(text.virsh);
    report.check(&pair.virsh_section, "fails", held, &found);
    let held = ours.succeeded() && ours.stdout == expected && ours.stderr.contains("warning:");
    report.check(&pair.section, "shows the rest", held, &found);
    Ok(())
}
