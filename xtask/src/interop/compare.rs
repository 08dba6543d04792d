use std::path::{Path, PathBuf};

use super::peers::Tools;
use super::process::{self, Run};
use super::report::Report;

/// A difference that stays, because what virsh does is a defect.
struct Known {
    /// The arguments it shows with: all of these words are among them.
    words: &'static [&'static str],
    reason: &'static str,
}

/// An entry that no longer shows is a failure, so that this list only holds what is true.
const KNOWN: &[Known] = &[Known {
    words: &["freecell", "--all"],
    reason: "virsh sums up the NUMA cells of the capabilities; ESX has none there, and the \
                 total it prints is 0",
}];

/// Runs every command with virsh and with virt-esx on the same esx-sim.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let host = Side {
        tools,
        kind: "--esx",
        auth: tools.auth_file("esx.conf", "root", "password")?,
        virsh_section: "virsh on a simulated host",
        section: "virt-esx as virsh on a simulated host",
    };
    host.run(report)?;
    let vcenter = Side {
        tools,
        kind: "--vcenter",
        auth: tools.auth_file("vpx.conf", "administrator@vsphere.local", "password")?,
        virsh_section: "virsh on a simulated vCenter",
        section: "virt-esx as virsh on a simulated vCenter",
    };
    vcenter.run(report)
}

/// One simulated server and how it is reached.
struct Side<'a> {
    tools: &'a Tools,
    kind: &'a str,
    auth: PathBuf,
    virsh_section: &'a str,
    section: &'a str,
}

impl Side<'_> {
    fn run(&self, report: &mut Report) -> Result<(), String> {
        let simulator = self.tools.start_esx_sim(&[self.kind])?;
        // Debian's virsh knows no other UUIDs; it warns of the parameter and goes on.
        let uri = format!("{}&legacy_uuid=1", simulator.uri);

        let names = self.virsh(&uri, &["list", "--all", "--name"])?;
        report.check(
            self.virsh_section,
            "list --all --name",
            names.succeeded(),
            &names.to_string(),
        );
        let domains: Vec<_> = names
            .stdout
            .lines()
            .filter(|line| !line.is_empty())
            .collect();
        report.check(
            self.virsh_section,
            "lists domains",
            domains.len() > 3,
            &names.to_string(),
        );

        let mut shown = [false; KNOWN.len()];
        for args in self.command_lines(&uri, &domains)? {
            self.compare(report, &uri, &args, &mut shown)?;
        }
        for (known, _) in KNOWN.iter().zip(shown).filter(|(_, shown)| !shown) {
            let name = format!("{}: known difference {:?}", self.section, known.words);
            report.fail(&name, "does not show any more: remove it from the list");
        }
        Ok(())
    }

    /// Everything that is compared, with every domain by name, UUID and id.
    fn command_lines(&self, uri: &str, domains: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let mut lines: Vec<Vec<String>> = Vec::new();
        let mut add = |args: &[&str]| lines.push(args.iter().copied().map(str::to_owned).collect());

        for args in HOST_COMMANDS.iter().chain(MISTAKES) {
            add(args);
            add(&[&["-q"], *args].concat());
        }
        for filter in LIST_FILTERS {
            add(&["list", filter]);
            add(&["list", "--all", filter]);
            for other in LIST_FILTERS.iter().filter(|other| other > &filter) {
                add(&["list", "--name", "--all", filter, other]);
            }
        }
        for columns in LIST_COLUMNS {
            add(&[&["list", "--all"], *columns].concat());
            add(&[&["-q", "list"], *columns].concat());
        }
        for domain in domains {
            let uuid = self
                .virsh(uri, &["domuuid", domain])?
                .stdout
                .trim()
                .to_owned();
            let id = self
                .virsh(uri, &["domid", domain])?
                .stdout
                .trim()
                .to_owned();
            for word in [domain, &*uuid, &*id, &*uuid.to_uppercase()] {
                for command in DOMAIN_COMMANDS {
                    add(&[&command[..1], &["--domain", word], &command[1..]].concat());
                }
            }
            add(&["dominfo", domain]);
            add(&["-q", "dominfo", domain]);
        }
        Ok(lines)
    }

    fn compare(
        &self,
        report: &mut Report,
        uri: &str,
        args: &[String],
        shown: &mut [bool],
    ) -> Result<(), String> {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let theirs = in_our_versions(&args, self.virsh(uri, &args)?);
        let ours = self.virt_esx(uri, &args)?;
        if theirs.status.is_none() {
            report.fail(
                &format!("{}: {}", self.virsh_section, args.join(" ")),
                &theirs.to_string(),
            );
        }
        let known = KNOWN
            .iter()
            .position(|known| known.words.iter().all(|word| args.contains(word)));
        let same = theirs == ours;
        if let (false, Some(index)) = (same, known) {
            if !shown[index] {
                println!(
                    "known difference {:?}: {}",
                    args.join(" "),
                    KNOWN[index].reason
                );
            }
            shown[index] = true;
            return Ok(());
        }
        let found = format!("virsh: {theirs}virt-esx: {ours}");
        report.check(self.section, &args.join(" "), same, &found);
        Ok(())
    }

    fn virsh(&self, uri: &str, args: &[&str]) -> Result<Run, String> {
        self.client("virsh".as_ref(), uri, args)
    }

    fn virt_esx(&self, uri: &str, args: &[&str]) -> Result<Run, String> {
        self.client(&self.tools.virt_esx, uri, args)
    }

    fn client(&self, program: &Path, uri: &str, args: &[&str]) -> Result<Run, String> {
        let mut command = self.tools.client(program, &self.auth);
        process::run(command.args(["-c", uri]).args(args), "")
    }
}

/// `version` tells the version of the program itself; that alone is put in our terms.
fn in_our_versions(args: &[&str], mut run: Run) -> Run {
    if args.contains(&"version") && run.succeeded() {
        let ours = env!("CARGO_PKG_VERSION");
        run.stdout = run
            .stdout
            .replace("libvirt 9.0.0", &format!("virt-esx {ours}"));
        run.stdout = run
            .stdout
            .replace("Using API: ESX 9.0.0", &format!("Using API: ESX {ours}"));
        run.stdout = run
            .stdout
            .replace("daemon: 9.0.0", &format!("daemon: {ours}"));
    }
    run
}

const HOST_COMMANDS: &[&[&str]] = &[
    &["capabilities"],
    &["freecell"],
    &["freecell", "--all"],
    &["freecell", "--cellno", "0"],
    &["freecell", "1"],
    &["hostname"],
    &["list"],
    &["nodeinfo"],
    &["uri"],
    &["version"],
    &["version", "--daemon"],
];

const DOMAIN_COMMANDS: &[&[&str]] = &[
    &["domid"],
    &["dominfo"],
    &["domname"],
    &["domstate"],
    &["domstate", "--reason"],
    &["domuuid"],
];

const LIST_FILTERS: &[&str] = &[
    "--autostart",
    "--inactive",
    "--no-autostart",
    "--persistent",
    "--state-other",
    "--state-paused",
    "--state-running",
    "--state-shutoff",
    "--transient",
    "--with-checkpoint",
    "--with-managed-save",
    "--with-snapshot",
    "--without-checkpoint",
    "--without-managed-save",
    "--without-snapshot",
];

const LIST_COLUMNS: &[&[&str]] = &[
    &[],
    &["--id"],
    &["--managed-save"],
    &["--name"],
    &["--name", "--id"],
    &["--name", "--title"],
    &["--name", "--uuid"],
    &["--name", "--uuid", "--id"],
    &["--table"],
    &["--table", "--id"],
    &["--table", "--name"],
    &["--table", "--uuid"],
    &["--title"],
    &["--uuid"],
    &["--uuid", "--id"],
];

const MISTAKES: &[&[&str]] = &[
    &["domid", "no such"],
    &["domid"],
    &["dominfo", ""],
    &["dominfo", "--domain"],
    &["dominfo", "--nope", "x"],
    &["dominfo", "-x"],
    &["dominfo", "00000000-0000-0000-0000-000000000000"],
    &["dominfo", "99999"],
    &["dominfo", "a", "b"],
    &["domname", "no such"],
    &["domstate", "--reason"],
    &["domuuid", "no such"],
    &["freecell", "--all", "--cellno", "0"],
    &["freecell", "--cellno"],
    &["freecell", "--cellno", "x"],
    &["list", "--all", "--all"],
    &["list", "--all=1"],
    &["list", "--bogus"],
    &["list", "extra"],
    &["nosuch"],
    &["version", "x"],
];
