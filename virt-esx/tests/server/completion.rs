//! The completion scripts, sourced in the shells that they are for.

use std::fs;
use std::process::Command;

use super::{Host, PASSWORD, text, virt_esx};

/// What the words of a command line become, in a line. `$` in a line stands for `virt-esx -c test:///default `.
const LINES: [(&str, &str); 22] = [
    ("virt-esx dominf", "dominfo"),
    (
        "virt-esx start --a",
        "--all --answers --ask --auto-answer --autodestroy",
    ),
    ("virt-esx question sh", "show"),
    ("virt-esx help mon", "monitor"),
    ("virt-esx --output ", "json jsonl text"),
    ("virt-esx list --output=j", "--output=json --output=jsonl"),
    ("virt-esx list --output j", "json jsonl"),
    ("virt-esx completion z", "zsh"),
    ("virt-esx -c test:///v", "test:///vcenter"),
    ("$ start w", "web01"),
    ("$ -q start web01 d", "db01 desktop"),
    ("$ dominfo --domain=we", "--domain=web01"),
    ("$ dominfo bui", "build/ci"),
    ("$ pool-info data", "datastore1"),
    ("$ net-dumpxml vS", "vSwitch0 vSwitch1 vSwitch2"),
    ("$ iface-mac vmk", "vmk0 vmk1"),
    ("$ snapshot-info db01 be", "before-upgrade"),
    ("$ vol-info --pool datastore1 db01/db01.v", "db01/db01.vmdk"),
    ("virt-esx start w -c test:///default d", "db01 desktop"),
    ("virt-esx -c nosuch:/// start w", ""),
    ("$ dumpxml web01 x", ""),
    ("virt-esx nosuch x", ""),
];

/// Runs a shell's program with the script of `virt-esx completion SHELL` in the file `$1`.
#[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
fn run(shell: &str, options: &[&str], program: &str) -> Option<String> {
    let found = Command::new(shell).arg("--version").output();
    if found.is_err() {
        // A developer's machine need not have every shell; `cargo xtask interop terminal` installs them.
        eprintln!("skipped: there is no {shell}");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    let printed = virt_esx(&["completion", shell]).output().unwrap();
    fs::write(&script, printed.stdout).unwrap();
    let program_folder = std::path::Path::new(env!("CARGO_BIN_EXE_virt-esx")).parent();
    let path = format!(
        "{}:/usr/local/bin:/usr/bin:/bin",
        program_folder.unwrap().display()
    );
    let output = Command::new(shell)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .args(options)
        .arg(program)
        .args([if shell == "fish" { "--" } else { shell }])
        .arg(&script)
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "", "{shell}");
    Some(text(&output.stdout).to_owned())
}

/// Compares what a shell printed, `LINE -> WORDS` in lines, with what it should.
fn check(shell: &str, printed: Option<String>) {
    let Some(printed) = printed else {
        return;
    };
    let printed: Vec<_> = printed.lines().collect();
    let expected: Vec<_> = lines()
        .map(|(line, words)| format!("{line} -> {words}"))
        .collect();
    assert_eq!(printed, expected, "{shell}");
}

fn lines() -> impl Iterator<Item = (String, &'static str)> {
    let lines = LINES.iter();
    lines.map(|(line, words)| (line.replace("$ ", "virt-esx -c test:///default "), *words))
}

/// A call of the shell's function `try` for each line.
fn tries() -> String {
    lines().map(|(line, _)| format!("try '{line}'\n")).collect()
}

#[test]
fn bash_completes_words() {
    let program = r#"
source "$1"
try() {
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    current=${1##*[ :=]}
    whole=${1##* }
    _virt_esx virt-esx "$current"
    # Bash replaces what is behind a `:` or a `=`.
    words=$(printf -- "${whole%"$current"}%s\n" "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' ')
    ((${#COMPREPLY[@]})) || words=
    echo "$1 -> ${words% }"
}
"#;
    check(
        "bash",
        run("bash", &["--norc", "-c"], &(program.to_owned() + &tries())),
    );
}

#[test]
fn bash_quotes_names_and_completes_files() {
    let program = r#"
source "$1"
compopt() { echo "compopt $*"; }
try() {
    COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    _virt_esx virt-esx "$2"
    echo "$1 -> ${COMPREPLY[*]}"
}
try 'virt-esx define we' we
try 'virt-esx list --keyring ' ''
try 'virt-esx -c test:///default net-update "vS' '"vS'
"#;
    if let Some(printed) = run("bash", &["--norc", "-c"], program) {
        let expected = "compopt -o default\nvirt-esx define we -> \ncompopt -o default\nvirt-esx list --keyring  -> \n\
                        virt-esx -c test:///default net-update \"vS -> vSwitch0 vSwitch1 vSwitch2\n";
        assert_eq!(printed, expected);
    }
}

#[test]
fn zsh_completes_words() {
    let program = r#"
compdef() { :; }
compadd() { added=(${(P)2}); }
_files() { added=(:files); }
source "$1"
try() {
    words=(${(z)1})
    [[ $1 == *' ' ]] && words+=('')
    CURRENT=$#words PREFIX=$words[-1] added=()
    _virt-esx
    echo "$1 -> ${(j: :)${(@o)added}}"
}
"#;
    check(
        "zsh",
        run("zsh", &["-f", "-c"], &(program.to_owned() + &tries())),
    );
}

#[test]
fn fish_completes_words() {
    let program = r#"
source $argv[-1]
function try
    set -l words (complete --do-complete $argv[1] | string replace --regex '\t.*' '' | LC_ALL=C sort)
    echo "$argv[1] -> $words"
end
"#;
    check(
        "fish",
        run(
            "fish",
            &["--no-config", "-c"],
            &(program.to_owned() + &tries()),
        ),
    );
}

#[test]
fn names_of_a_server_are_kept_for_a_while_and_failures_are_silent() {
    let host = Host::new();
    let cache = host.folder.path().to_str().unwrap();
    let complete = |uri: &str, password: &str| {
        let mut command = virt_esx(&["complete", "--", "-c", uri, "start", "w"]);
        command
            .env("XDG_CACHE_HOME", cache)
            .env("VIRT_ESX_PASSWORD", password);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(text(&output.stderr), "");
        text(&output.stdout).to_owned()
    };
    let uri = host.uri("no_verify=1");
    assert_eq!(complete(&uri, PASSWORD), "web01\n");
    assert_eq!(host.simulator.sessions(), 0);
    let asked = host.simulator.requests().len();
    assert_eq!(complete(&uri, PASSWORD), "web01\n");
    assert_eq!(host.simulator.requests().len(), asked);
    for (uri, password) in [
        (host.uri("no_verify=1&vcenter="), "wrong"),
        (host.uri(""), PASSWORD),
        ("esx://127.0.0.1:1/".to_owned(), PASSWORD),
        ("nonsense".to_owned(), PASSWORD),
    ] {
        assert_eq!(complete(&uri, password), "", "{uri}");
    }
}
