//! Starting and stopping domains, and the questions on the way.

use super::{Line, Pair};
use crate::interop::peers::Tools;
use crate::interop::process::Run;
use crate::interop::report::Report;

/// virsh alone on esx-sim: what works, and what a question does.
pub(super) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let host = Pair::new(tools, "a simulated host", "root", &["--esx"])?;
    for (command, expected) in CYCLE {
        let args: Vec<_> = command.split(' ').collect();
        let run = host.virsh(&args)?;
        expect(report, &host.virsh_section, command, &run, *expected);
    }
    QUESTIONS
        .iter()
        .try_for_each(|question| question.run(tools, report))
}

/// The same commands with virsh and with virt-esx, each on an esx-sim of its own, which begin alike and stay alike.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (place, user, args) in [
        ("a simulated host", "root", ["--esx"]),
        (
            "a simulated vCenter",
            "administrator@vsphere.local",
            ["--vcenter"],
        ),
    ] {
        let pairs = (
            Pair::new(tools, place, user, &args)?,
            Pair::new(tools, place, user, &args)?,
        );
        for line in lines(&pairs.0.domains(report)?) {
            let args: Vec<_> = line.args.iter().map(String::as_str).collect();
            let (theirs, ours) = (pairs.0.virsh(&args)?, pairs.1.virt_esx(&args)?);
            let found = format!("virsh: {theirs}virt-esx: {ours}");
            report.check(&pairs.1.section, &args.join(" "), theirs == ours, &found);
        }
    }
    Ok(())
}

/// What is done to every domain, whatever its state, and mistakes.
fn lines(domains: &[String]) -> Vec<Line> {
    let mut lines = Vec::new();
    for domain in domains {
        for command in STEPS {
            let args: Vec<_> = command.split(' ').chain([domain.as_str()]).collect();
            lines.push(Line::new(&args, false));
            lines.push(Line::new(&["domstate", domain], false));
        }
        lines.push(Line::new(&["dominfo", domain], false));
    }
    let mistakes = MISTAKES.iter().map(|args| args.split(' ').collect());
    lines.extend(mistakes.map(|args: Vec<_>| Line::new(&args, false)));
    lines
}

/// How a run ends, and text that one of its streams has.
type Expected = (i32, &'static str);

fn expect(report: &mut Report, section: &str, name: &str, run: &Run, (status, text): Expected) {
    let held =
        run.status == Some(status) && (run.stdout.contains(text) || run.stderr.contains(text));
    report.check(section, name, held, &run.to_string());
}

/// In this order, on the host that esx-sim is without options.
const CYCLE: &[(&str, Expected)] = &[
    ("start web01", (1, "error: Domain is already active\n")),
    ("destroy web01", (0, "Domain 'web01' destroyed\n")),
    (
        "destroy web01",
        (
            1,
            "error: Requested operation is not valid: Domain is not powered on\n",
        ),
    ),
    ("domstate web01", (0, "shut off\n")),
    ("start web01", (0, "Domain 'web01' started\n")),
    ("domstate web01", (0, "running\n")),
    ("suspend web01", (0, "Domain 'web01' suspended\n")),
    ("domstate web01", (0, "paused\n")),
    (
        "suspend web01",
        (
            1,
            "error: Requested operation is not valid: Domain is not powered on\n",
        ),
    ),
    ("resume web01", (0, "Domain 'web01' resumed\n")),
    (
        "resume web01",
        (
            1,
            "error: Requested operation is not valid: Domain is not suspended\n",
        ),
    ),
    ("reboot web01", (0, "Domain 'web01' is being rebooted\n")),
    ("domstate web01", (0, "running\n")),
    ("shutdown web01", (0, "Domain 'web01' is being shutdown\n")),
    ("domstate web01", (0, "shut off\n")),
    ("reboot router", (1, "VMware Tools is not running")),
    (
        "autostart installer",
        (0, "Domain 'installer' marked as autostarted\n"),
    ),
    ("dominfo installer", (0, "Autostart:      enable\n")),
    (
        "autostart --disable installer",
        (0, "Domain 'installer' unmarked as autostarted\n"),
    ),
    ("dominfo installer", (0, "Autostart:      disable\n")),
];

const STEPS: &[&str] = &[
    "start",
    "suspend",
    "destroy",
    "resume",
    "reboot",
    "autostart",
    "shutdown",
    "-q start",
    "-q suspend",
    "-q resume",
    "-q destroy",
    "destroy --graceful",
    "start --paused",
    "shutdown --mode acpi",
    "autostart --disable",
];

const MISTAKES: &[&str] = &[
    "start",
    "start nosuch",
    "start --nope web01",
    "suspend nosuch",
    "shutdown --mode nope web01",
    "autostart --disable",
];

/// A question that virsh meets when it starts a domain several times.
struct Met {
    /// Options of esx-sim.
    sim: &'static [&'static str],
    /// For every start a parameter of the URI, and what comes of it.
    starts: &'static [(&'static str, Expected)],
}

impl Met {
    fn run(&self, tools: &Tools, report: &mut Report) -> Result<(), String> {
        let sim = [&["--esx", "--ask"], self.sim].concat();
        let mut host = Pair::new(tools, "a simulated host", "root", &sim)?;
        let uri = host.uri.clone();
        for (nth, (answer, expected)) in self.starts.iter().enumerate() {
            host.uri = format!("{uri}{answer}");
            let run = host.virsh(&["start", "installer"])?;
            let name = format!("start {} {answer} with {}", nth + 1, self.sim.join(" "));
            expect(report, &host.virsh_section, &name, &run, *expected);
        }
        Ok(())
    }
}

/// virsh looks for questions only between two waits, and waits for ever when one comes within a wait; so the question
/// has to be there before it waits.
const QUESTIONS: &[Met] = &[
    // Reported; the task can't be cancelled and blocks whatever comes next, until somebody answers. Whoever answers
    // had seen the task, and doesn't start his own.
    Met {
        sim: &["serial-port", "--ask-after", "0"],
        starts: &[
            (
                "",
                (
                    1,
                    "Non-cancelable task is blocked by an unanswered question",
                ),
            ),
            (
                "",
                (1, "possible answers are 'Replace', 'Append', 'Cancel'\n"),
            ),
            (
                "&auto_answer=0",
                (1, "Pending question blocks virtual machine execution"),
            ),
            (
                "&auto_answer=1",
                (1, "Other tasks are pending for this domain\n"),
            ),
        ],
    },
    // Reported and cancelled: the next start asks anew.
    Met {
        sim: &["serial-port", "--ask-after", "0", "--cancelable"],
        starts: &[
            (
                "&auto_answer=0",
                (1, "Pending question blocks virtual machine execution"),
            ),
            ("&auto_answer=1", (0, "Domain 'installer' started\n")),
        ],
    },
    // Answered, and the task goes on.
    Met {
        sim: &["serial-port", "--ask-after", "0"],
        starts: &[
            ("&auto_answer=1", (0, "Domain 'installer' started\n")),
            ("&auto_answer=1", (1, "error: Domain is already active\n")),
        ],
    },
    Met {
        sim: &["without-default", "--ask-after", "0"],
        starts: &[(
            "&auto_answer=1",
            (1, "'This', 'That', but no default answer is specified\n"),
        )],
    },
];
