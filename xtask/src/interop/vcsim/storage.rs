//! Datastores: lists, browsing, uploads, downloads, copies and deletions.

use std::fs;
use std::path::Path;

use super::Peer;
use crate::interop::peers::Tools;
use crate::interop::process::Server;
use crate::interop::report::Report;

/// What is uploaded is listed, downloaded, copied and deleted.
pub(super) fn run(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    let vcenter = Server::start(&tools.vcsim, &["-mounts"])?;
    // The host tells no path where it has mounted its datastore.
    let host = Server::start(&tools.vcsim, &["-esx"])?;
    for (section, uri) in [
        (
            "virt-esx on vcsim as a vCenter: storage",
            format!("vpx://{}/DC0/DC0_H0?no_verify=1", vcenter.greeting),
        ),
        (
            "virt-esx on vcsim as a host: storage",
            format!("esx://{}/?no_verify=1", host.greeting),
        ),
    ] {
        let peer = Peer {
            tools,
            auth,
            uri,
            section,
        };
        peer.storage(report)?;
    }
    Ok(())
}

/// Length and SHA-256 of [`content`].
const CONTENT: (usize, &str) = (
    3_000_000,
    "31608434bdbb3175f3fe9b71a9a484d2b0c982b56fabc15945adff51a079749a",
);

/// The SHA-256 of the 1000 bytes from offset 1,000,000 on.
const PART: &str = "19a4021e07145246f4c7b997f811beb417c33cf7694a69de7ea64960f1186e61";

/// Bytes that do not repeat soon.
fn content() -> Vec<u8> {
    let bytes = (0..CONTENT.0).map(|at| (at * at / 255 + at) % 251);
    bytes
        .map(|byte| u8::try_from(byte).unwrap_or_default())
        .collect()
}

impl Peer<'_> {
    fn storage(&self, report: &mut Report) -> Result<(), String> {
        let scratch = &self.tools.scratch;
        let (sent, received) = (scratch.join("vcsim-sent"), scratch.join("vcsim-received"));
        fs::write(&sent, content()).map_err(|error| error.to_string())?;
        // A download replaces what is there.
        fs::write(&received, "old").map_err(|error| error.to_string())?;
        for (command, expected) in STEPS {
            let with_sums = |text: &str| text.replace("WHOLE", CONTENT.1).replace("PART", PART);
            let command = with_sums(command)
                .replace("SENT", &sent.display().to_string())
                .replace("RECEIVED", &received.display().to_string());
            let expected = with_sums(expected);
            let args: Vec<_> = command
                .split(' ')
                .map(|word| word.replace('~', " "))
                .collect();
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            let run = self.run(&args)?;
            let contains = |text: &str| run.stdout.contains(text) || run.stderr.contains(text);
            let held = match expected.strip_prefix('!') {
                Some(absent) => run.succeeded() && !contains(absent),
                None => contains(&expected),
            };
            report.check(self.section, &args.join(" "), held, &run.to_string());
        }
        let same = fs::read(&received).is_ok_and(|bytes| bytes == content());
        let found = received.display().to_string();
        report.check(self.section, "the same bytes come back", same, &found);
        Ok(())
    }
}

/// A command, and what it prints; behind a `!`, what it does not print, and it succeeds. `~` is a blank within a word.
const STEPS: &[(&str, &str)] = &[
    ("pool-list", " LocalDS_0 "),
    ("pool-info LocalDS_0", "State:          running"),
    ("vol-list LocalDS_0", "_VM0/disk1.vmdk   [LocalDS_0] "),
    (
        "vol-create-as LocalDS_0 images/x.iso 0 --format iso",
        "Vol images/x.iso created\n",
    ),
    (
        "vol-create-as LocalDS_0 images/x.iso 0 --format iso",
        "already exists",
    ),
    (
        "vol-upload images/x.iso SENT LocalDS_0 --checksum",
        "SHA-256: WHOLE\n",
    ),
    (
        "vol-info images/x.iso LocalDS_0 --bytes",
        "Capacity:       3000000 bytes\n",
    ),
    (
        "vol-download images/x.iso RECEIVED LocalDS_0 --offset 1000000 --length 1000 --checksum",
        "SHA-256: PART\n",
    ),
    (
        "vol-download images/x.iso RECEIVED LocalDS_0 --connections 3 --sparse --sha256 WHOLE",
        "!error",
    ),
    (
        "vol-download [LocalDS_0]~images/x.iso RECEIVED --sha256 PART",
        "has the SHA-256 WHOLE, not PART",
    ),
    ("vol-download images/x.iso RECEIVED LocalDS_0", "!error"),
    (
        "vol-create-as LocalDS_0 images/a.vmdk 1M --format vmdk",
        "Vol images/a.vmdk created\n",
    ),
    (
        "vol-clone images/a.vmdk images/b.vmdk LocalDS_0",
        "Vol images/b.vmdk cloned from images/a.vmdk\n",
    ),
    ("vol-list LocalDS_0", "   [LocalDS_0] images/b.vmdk\n"),
    (
        "vol-list LocalDS_0 --details",
        " file   2.86 MiB   2.86 MiB",
    ),
    (
        "vol-info images/b.vmdk LocalDS_0",
        "Name:           images/b.vmdk\n",
    ),
    (
        "vol-delete images/b.vmdk LocalDS_0",
        "Vol images/b.vmdk deleted\n",
    ),
    (
        "vol-delete images/x.iso LocalDS_0",
        "Vol images/x.iso deleted\n",
    ),
    ("vol-info images/x.iso LocalDS_0", "failed to get vol"),
    ("vol-info images/b.vmdk LocalDS_0", "failed to get vol"),
];
