//! Migration between two hosts of a vCenter, as virsh 9.0.0 does it.

use super::Pair;
use crate::interop::peers::Tools;
use crate::interop::report::Report;

/// The same commands with virsh and with virt-esx, each on an esx-sim of its own, which begin alike and stay alike.
pub(super) fn compare(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let new = || {
        let user = "administrator@vsphere.local";
        Pair::new(tools, "two hosts of a vCenter", user, &["--vcenter"])
    };
    let pairs = (new()?, new()?);
    // What both hosts have is compared behind each migration.
    let lists = [("SOURCE", "list --all"), ("DESTINATION", "list --all")];
    for (host, line) in LINES {
        let lines = [(*host, *line)].into_iter().chain(lists);
        for (host, line) in lines {
            let run = |pair: &Pair<'_>, program: &std::path::Path| {
                let destination = pair.uri.replace(HOSTS.0, HOSTS.1);
                let uri = match host {
                    "SOURCE" => &pair.uri,
                    _ => &destination,
                };
                let words: Vec<_> = line
                    .split(' ')
                    .map(|word| match word {
                        "SOURCE" => pair.uri.as_str(),
                        "DESTINATION" => destination.as_str(),
                        "''" => "",
                        word => word,
                    })
                    .collect();
                pair.client_to(program, uri, &words)
            };
            let theirs = run(&pairs.0, "virsh".as_ref())?;
            let ours = run(&pairs.1, &tools.virt_esx)?;
            let found = format!("virsh: {theirs}virt-esx: {ours}");
            let name = format!("on the {}: {line}", host.to_lowercase());
            report.check(&pairs.1.section, &name, theirs == ours, &found);
        }
    }
    Ok(())
}

/// The hosts of the source's and the destination's URI.
const HOSTS: (&str, &str) = ("esx-01.example.com", "esx-02.example.com");

/// On which host, and what.
const LINES: &[(&str, &str)] = &[
    ("SOURCE", "migrate web01 DESTINATION --offline"),
    ("SOURCE", "migrate web01 DESTINATION --tunnelled"),
    ("SOURCE", "migrate web01 DESTINATION --tunnelled --offline"),
    ("SOURCE", "migrate web01 DESTINATION --dname x"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --dname x --migrateuri foo:x",
    ),
    ("SOURCE", "migrate web01 DESTINATION --copy-storage-all"),
    ("SOURCE", "migrate web01 DESTINATION --copy-storage-inc"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --copy-storage-all --copy-storage-inc",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --copy-storage-all --copy-storage-synchronous-writes",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --copy-storage-synchronous-writes",
    ),
    ("SOURCE", "migrate web01 DESTINATION --change-protection"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --change-protection --graphicsuri x",
    ),
    ("SOURCE", "migrate web01 DESTINATION --unsafe"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --unsafe --xml Cargo.toml",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --unsafe --graphicsuri x",
    ),
    ("SOURCE", "migrate web01 DESTINATION --compressed"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --compressed --comp-methods mt",
    ),
    ("SOURCE", "migrate web01 DESTINATION --auto-converge"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --auto-converge --unsafe",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --auto-converge --dname x",
    ),
    ("SOURCE", "migrate web01 DESTINATION --rdma-pin-all"),
    ("SOURCE", "migrate web01 DESTINATION --abort-on-error"),
    ("SOURCE", "migrate web01 DESTINATION --postcopy"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --postcopy --postcopy-resume",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --postcopy --postcopy-after-precopy",
    ),
    ("SOURCE", "migrate web01 DESTINATION --zerocopy"),
    ("SOURCE", "migrate web01 DESTINATION --tls"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --tls --tls-destination x",
    ),
    ("SOURCE", "migrate web01 DESTINATION --parallel"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --parallel --parallel-connections 2",
    ),
    ("SOURCE", "migrate web01 DESTINATION --migrateuri foo://x"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --migrateuri vpxmigr://192.0.2.1/a/b",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --migrateuri vpxmigr://127.0.0.1/a",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --migrateuri vpxmigr://127.0.0.1",
    ),
    (
        "SOURCE",
        "migrate web01 DESTINATION --migrateuri vpxmigr://127.0.0.1/a/b",
    ),
    ("SOURCE", "migrate web01 DESTINATION --xml Cargo.toml"),
    ("SOURCE", "migrate web01 DESTINATION --xml /nonexistent"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --persistent --persistent-xml Cargo.toml",
    ),
    ("SOURCE", "migrate web01 DESTINATION --disks-port 5"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --live --timeout 0 --timeout-suspend",
    ),
    ("SOURCE", "migrate web01 DESTINATION extra"),
    ("SOURCE", "migrate web01 ''"),
    ("SOURCE", "migrate web01 SOURCE"),
    ("SOURCE", "migrate nosuch DESTINATION"),
    (
        "SOURCE",
        "migrate web01 DESTINATION --live --timeout 600 --bandwidth 5",
    ),
    ("SOURCE", "migrate web01 DESTINATION"),
    (
        "SOURCE",
        "migrate db01 DESTINATION --live --verbose --persistent --undefinesource",
    ),
    ("SOURCE", "migrate installer DESTINATION --disks-port 0"),
    ("SOURCE", "migrate desktop DESTINATION --suspend"),
    ("DESTINATION", "migrate web01 SOURCE --live"),
    ("DESTINATION", "migrate installer SOURCE"),
];
