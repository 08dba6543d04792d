mod batch;
mod definition;
pub(super) mod devices;
pub(super) mod field;
mod host;
mod interfaces;
mod migrate;
pub(super) mod names;
pub(super) mod networks;
mod nouns;
mod power;
mod removal;
mod shell;
mod snapshot;
pub(super) mod storage;
mod tuning;

use std::fs;
use std::path::{Path, PathBuf};

use super::peers::{Simulator, Tools, workspace};
use super::process::{self, Run};
use super::report::Report;

/// A difference that stays, because what virsh does is a defect.
#[derive(Clone, Copy)]
struct Known {
    /// The arguments it shows with: all of these words are among them.
    words: &'static [&'static str],
    reason: &'static str,
}

/// An entry that no longer shows is a failure, so that this list only holds what is true.
const KNOWN: &[Known] = &[
    Known {
        words: &["list", "--with-checkpoint"],
        reason: "libvirt's ESX driver takes this filter and ignores it: it lists domains, none of \
                 which has a checkpoint",
    },
    Known {
        words: &["freecell", "--all"],
        reason: "virsh sums up the NUMA cells of the capabilities; ESX has none there, and the \
                 total it prints is 0; virt-esx lists the cells, whose free memory hosts do not tell",
    },
];

/// Runs every command with virsh and with virt-esx on the same esx-sim.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "a simulated host", "root", &["--esx"])?;
    pair.run_all("test:///default", report)?;
    let user = "administrator@vsphere.local";
    let pair = Pair::new(tools, "a simulated vCenter", user, &["--vcenter"])?;
    pair.run_all("test:///vcenter", report)?;

    let count = ODD_NAMES.len().to_string();
    let names = ODD_NAMES.iter().flat_map(|name| ["--name", name]);
    let args: Vec<_> = ["--esx", "--vms", &count]
        .into_iter()
        .chain(names)
        .collect();
    Pair::new(tools, "odd names", "root", &args)?.run_names(report)?;

    power::run(tools, report)?;
    power::compare(tools, report)?;
    definition::compare(tools, report)?;
    migrate::compare(tools, report)?;
    removal::compare(tools, report)?;
    nouns::compare(tools, report)?;
    host::compare(tools, report)?;
    interfaces::compare(tools, report)?;
    snapshot::compare(tools, report)?;
    tuning::compare(tools, report)?;
    shell::compare(tools, report)
}

/// virsh and virt-esx on one simulated server.
struct Pair<'a> {
    tools: &'a Tools,
    /// Runs as long as this.
    _simulator: Simulator,
    auth: PathBuf,
    uri: String,
    virsh_section: String,
    section: String,
}

/// A command line, and whether virsh has to succeed with it.
#[derive(Clone)]
struct Line {
    args: Vec<String>,
    succeeds: bool,
}

impl Line {
    fn new(args: &[&str], succeeds: bool) -> Self {
        Self {
            args: args.iter().copied().map(str::to_owned).collect(),
            succeeds,
        }
    }
}

impl<'a> Pair<'a> {
    fn new(tools: &'a Tools, place: &str, user: &str, args: &[&str]) -> Result<Self, String> {
        let simulator = tools.start_esx_sim(args)?;
        Ok(Self {
            tools,
            auth: tools.auth_file("compare.conf", user, "password")?,
            // Debian's virsh knows no other UUIDs; it warns of the parameter and goes on.
            uri: format!("{}&legacy_uuid=1", simulator.uri),
            _simulator: simulator,
            virsh_section: format!("virsh on {place}"),
            section: format!("virt-esx as virsh on {place}"),
        })
    }

    /// Every command with every option; `uri` is the simulated server's in recordings.
    fn run_all(&self, uri: &str, report: &mut Report) -> Result<(), String> {
        let domains = self.domains(report)?;
        let mut shown = [false; KNOWN.len()];
        let lines = [
            host_lines(),
            list_lines(),
            self.domain_lines(&domains)?,
            recorded_lines(uri)?,
        ];
        for line in lines.concat() {
            self.compare(report, &line, &mut shown)?;
        }
        for (known, _) in KNOWN.iter().zip(shown).filter(|(_, shown)| !shown) {
            let name = format!("{}: known difference {:?}", self.section, known.words);
            report.fail(&name, "does not show any more: remove it from the list");
        }
        Ok(())
    }

    /// What depends on the domains' names.
    fn run_names(&self, report: &mut Report) -> Result<(), String> {
        let domains = self.domains(report)?;
        for name in ODD_NAMES {
            let found = domains.iter().any(|domain| domain == name);
            report.check(&self.virsh_section, name, found, &domains.join("\n"));
        }
        let list = [
            vec!["list", "--all"],
            vec!["-q", "list", "--all"],
            vec!["list", "--name"],
        ];
        let mut lines: Vec<_> = list.iter().map(|args| Line::new(args, true)).collect();
        for domain in &domains {
            for command in DOMAIN_COMMANDS {
                // virsh writes control characters of a name to the terminal there; virt-esx escapes them.
                if *command == ["dominfo"] && domain.contains(char::is_control) {
                    continue;
                }
                lines.push(Line::new(
                    &by_name(command, domain),
                    *command != ["domname"],
                ));
            }
        }
        lines
            .iter()
            .try_for_each(|line| self.compare(report, line, &mut [false; KNOWN.len()]))
    }

    /// The domains' names, as virsh lists them.
    fn domains(&self, report: &mut Report) -> Result<Vec<String>, String> {
        let names = self.virsh(&["list", "--all", "--name"])?;
        let domains = names.stdout.lines().filter(|line| !line.is_empty());
        let domains: Vec<_> = domains.map(str::to_owned).collect();
        report.check(
            &self.virsh_section,
            "lists domains",
            domains.len() > 3,
            &names.to_string(),
        );
        Ok(domains)
    }

    /// Every domain by name, UUID and id.
    fn domain_lines(&self, domains: &[String]) -> Result<Vec<Line>, String> {
        let mut lines = Vec::new();
        for domain in domains {
            let uuid = self.virsh(&["domuuid", domain])?.stdout.trim().to_owned();
            let id = self.virsh(&["domid", domain])?.stdout.trim().to_owned();
            for word in [domain, &uuid, &id, &uuid.to_uppercase()] {
                // Not every command takes every kind, and an inactive domain has no id.
                let lines_of = DOMAIN_COMMANDS.iter().map(|command| by_name(command, word));
                lines.extend(lines_of.map(|args| Line::new(&args, false)));
            }
            lines.push(Line::new(&["dominfo", domain], true));
            lines.push(Line::new(&["-q", "dominfo", domain], true));
        }
        Ok(lines)
    }

    fn compare(&self, report: &mut Report, line: &Line, shown: &mut [bool]) -> Result<(), String> {
        let args: Vec<_> = line.args.iter().map(String::as_str).collect();
        let shown_args = args.join(" ");
        let theirs = in_our_versions(&args, self.virsh(&args)?);
        let ours = self.virt_esx(&args)?;
        if line.succeeds {
            report.check(
                &self.virsh_section,
                &shown_args,
                theirs.succeeded(),
                &theirs.to_string(),
            );
        }
        let is_known = |known: &Known| known.words.iter().all(|word| args.contains(word));
        if let (false, Some(index)) = (theirs == ours, KNOWN.iter().position(is_known)) {
            if !shown[index] {
                let (section, reason) = (&self.section, KNOWN[index].reason);
                println!("{section}: known difference: {shown_args}: {reason}");
            }
            shown[index] = true;
            return Ok(());
        }
        let found = format!("virsh: {theirs}virt-esx: {ours}");
        report.check(&self.section, &shown_args, theirs == ours, &found);
        Ok(())
    }

    fn virsh(&self, args: &[&str]) -> Result<Run, String> {
        self.client("virsh".as_ref(), args)
    }

    fn virt_esx(&self, args: &[&str]) -> Result<Run, String> {
        self.client(&self.tools.virt_esx, args)
    }

    fn client(&self, program: &Path, args: &[&str]) -> Result<Run, String> {
        self.client_to(program, &self.uri, args)
    }

    fn client_to(&self, program: &Path, uri: &str, args: &[&str]) -> Result<Run, String> {
        let mut command = self.tools.client(program, &self.auth);
        process::run(command.args(["-c", uri]).args(args), "").map(Run::without_hints)
    }
}

/// The first line of a recording in `virt-esx/tests/console/` whose command lines are compared with virsh's.
const AS_VIRSH: &str = "# virsh prints the same.";

/// The command lines of recordings that begin with [`AS_VIRSH`] and use `uri`.
fn recorded_lines(uri: &str) -> Result<Vec<Line>, String> {
    let folder = workspace().join("virt-esx/tests/console");
    let failed = |error| format!("{}: {error}", folder.display());
    let start = format!("$ virt-esx -c {uri} ");
    let mut lines = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let text = fs::read_to_string(entry.map_err(failed)?.path()).map_err(failed)?;
        if text.lines().next() == Some(AS_VIRSH) {
            let commands = text.lines().filter_map(|line| line.strip_prefix(&start));
            lines.extend(commands.map(|line| Line {
                args: words(line),
                succeeds: false,
            }));
        }
    }
    match lines.is_empty() {
        true => Err(format!("no recording in {} uses {uri}", folder.display())),
        false => Ok(lines),
    }
}

/// The words of a recorded command line; those with blanks are in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// What asks the host, and what cannot work.
fn host_lines() -> Vec<Line> {
    let lines = |commands: &[&[&str]], succeeds: bool| {
        let quiet = commands.iter().map(|args| [&["-q"], *args].concat());
        let all = commands.iter().map(|args| args.to_vec()).chain(quiet);
        all.map(|args| Line::new(&args, succeeds))
            .collect::<Vec<_>>()
    };
    [lines(HOST_COMMANDS, true), lines(MISTAKES, false)].concat()
}

/// Every filter alone, with another one, and every choice of columns.
fn list_lines() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut add = |args: &[&str]| lines.push(Line::new(args, true));
    for (index, filter) in LIST_FILTERS.iter().enumerate() {
        add(&["list", filter]);
        add(&["list", "--all", filter]);
        for other in &LIST_FILTERS[index + 1..] {
            add(&["list", "--name", "--all", filter, other]);
        }
    }
    for columns in LIST_COLUMNS {
        add(&[&["list", "--all"], *columns].concat());
        add(&[&["-q", "list"], *columns].concat());
    }
    lines
}

/// A command line about the domain `word`, given by name so that it may look like an option.
fn by_name<'a>(command: &[&'a str], word: &'a str) -> Vec<&'a str> {
    [&command[..1], &["--domain", word], &command[1..]].concat()
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

/// Not the column of `--title`: virsh reads it from each domain's VMX file, which esx-sim doesn't
/// have.
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
    &["freecell", "--cellno", "0"],
    &["freecell", "1"],
    &["freecell", "--cellno"],
    &["freecell", "--cellno", "x"],
    &["list", "--all", "--all"],
    &["list", "--all=1"],
    &["list", "--table", "--id"],
    &["list", "--table", "--name"],
    &["list", "--table", "--uuid"],
    &["list", "--bogus"],
    &["list", "extra"],
    &["nosuch"],
    &["version", "x"],
];

const ODD_NAMES: &[&str] = &[
    "wide 漢字",
    "combining e\u{301}",
    "\u{fffd} replaced",
    "emoji \u{1f600}",
    "no\u{200b}width",
    "soft\u{ad}hyphen",
    "ambiguous \u{a7}\u{3b1}",
    "<&>\"'",
    "100%",
    "%41%2f",
    "a/b\\c",
    "\\x41",
    "tab\there",
    " blanks ",
    "-x",
    "--all",
    "42",
    "6695eb01-f6a4-8304-79aa-97f2502e193f",
];
