use std::path::Path;

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::process::{self, Run};
use crate::interop::report::Report;

/// Commands on the standard input: prompts, echoes, mistakes, and connections in between.
const SCRIPTS: &[&str] = &[
    "",
    "list\ndominfo web01\nuri",
    "list\nbogus\nlist --bogus\ndomid nosuch\ndomname 1; domid nosuch\nlist; bogus\ndominfo\n",
    "\n  \n# a remark\necho a # b\n;\n;;echo a;\n",
    "echo \"a b\"  'c d' e\\ f \"g\\\"h\" 'i\\j' \"k\\l\"\necho \"x\necho x\\\necho 'x\n",
    "cd /nonexistent\ncd /etc/passwd\ncd /\npwd\ncd /tmp /\n",
    "quit 3\nquit\nlist\n",
    "list; exit; list\nlist\n",
    "connect\nuri\nconnect --readonly\nuri\ndestroy web01\ndestroy web01 --graceful\nshutdown web01 --mode acpi\n\
     undefine installer\ndefine /dev/null\ndefine /dev/null --validate\nautostart web01 --disable\n\
     dumpxml web01 --security-info\ndomxml-from-native vmware-vmx /dev/null\nconnect --name \n",
    "help nosuch\ndomid web01 --nosuch --help\n",
    "start installer\ndomstate installer\ndestroy installer\ndomstate installer\n",
];

/// Commands in one argument.
const TEXTS: &[&str] = &[
    "list",
    "list; domid nosuch",
    "domid nosuch; list",
    "list;bogus",
    "bogus;list",
    ";",
    " ",
    "#",
    ";;echo a; ;echo b;",
    "echo a\necho b # c\n# d\necho e",
    "echo a#b \\#c \"#\" \\; ';'",
    "echo \"a\"b'c' \"\" d",
    "echo 'a",
    "echo \"a",
    "echo a\\",
    "echo a \\\n b",
    "echo --shell a 'b c' \"it's\" '' '$x' a=b,c:d%e+f@g a~b",
    "echo --xml '<a b=\"c\">&'\"'\"",
    "echo --split a,b,,c",
    "echo --err a b; echo c",
    "echo --shell --xml a",
    "echo",
    "quit; list",
    "exit x",
    "cd /; list --name",
    "connect; uri",
];

/// Runs scripts and texts with virsh and with virt-esx.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let pair = Pair::new(tools, "a simulated host, in a shell", "root", &["--esx"])?;
    for options in [&[][..], &["-q"], &["-r"]] {
        for script in SCRIPTS {
            check(&pair, report, options, script)?;
        }
    }
    for text in TEXTS {
        check(&pair, report, &[text], "")?;
    }
    Ok(())
}

fn check(pair: &Pair<'_>, report: &mut Report, args: &[&str], input: &str) -> Result<(), String> {
    let run = |program: &Path| -> Result<Run, String> {
        let mut command = pair.tools.client(program, &pair.auth);
        process::run(command.args(["-c", &pair.uri]).args(args), input).map(Run::without_hints)
    };
    let mut theirs = run("virsh".as_ref())?;
    theirs.stdout = theirs.stdout.replace("virsh", "virt-esx");
    let ours = run(&pair.tools.virt_esx)?;
    let found = format!("virsh: {theirs}virt-esx: {ours}");
    let shown = format!("{args:?} {input:?}");
    report.check(&pair.section, &shown, theirs == ours, &found);
    Ok(())
}
