//! Content of volumes: what arrives in files, what an interruption leaves, and how it goes on.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use super::{Host, fails, succeeds, text};

/// What the volumes contain: no two pieces are the same.
fn content() -> Vec<u8> {
    let numbers = (0..375_000_u64).flat_map(|number| (number * number).to_le_bytes());
    numbers.collect()
}

const VOLUME: &str = "iso/netinst.iso";
const PATH: &str = "[ssd] iso/netinst.iso";

/// `sha256sum` of [`content`].
fn sha256() -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(content());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A host whose volume has that content.
fn host() -> Host {
    let host = Host::new();
    assert!(host.simulator.write_file(PATH, content()));
    host
}

impl Host {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// What is in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Begins a slow download to `x`, and interrupts it when something has arrived. Gives the exit status and the errors.
    fn interrupted_download(&self, options: &[&str]) -> (Option<i32>, String) {
        self.simulator.set_file_rate(Some(300_000));
        let args = ["vol-download", VOLUME, &self.path("x"), "ssd"];
        let args = [&args[..], &["--progress", "json"], options].concat();
        let mut child = self.virt_esx(&args).spawn().unwrap();
        let mut first = String::new();
        let stderr = child.stderr.take().unwrap();
        let mut stderr = BufReader::new(stderr);
        stderr.read_line(&mut first).unwrap();
        assert!(first.contains("\"total_bytes\":3000000"), "{first}");
        let id = child.id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(killed.unwrap().success());
        let lines = stderr.lines().map(Result::unwrap);
        let lines: Vec<_> = lines.filter(|line| line.starts_with("error: ")).collect();
        self.simulator.set_file_rate(None);
        (child.wait().unwrap().code(), lines.join("\n"))
    }
}

#[test]
fn content_is_downloaded() {
    let host = host();
    let file = host.path("x");
    fs::write(&file, "what was there before").unwrap();
    for options in [
        &[][..],
        &["--sparse"],
        &["--connections", "3"],
        &["--resume"],
        &["--offset", "0", "--length", "0"],
        &["--length=-1"],
    ] {
        let args = [&["-q", "vol-download", VOLUME, &file, "ssd"], options].concat();
        succeeds(&host.virt_esx(&args).output().unwrap(), "");
        assert!(fs::read(&file).unwrap() == content(), "{options:?}");
        assert_eq!(host.names(), ["x"], "{options:?}");
    }
    let args = [
        "vol-download",
        PATH,
        &file,
        "--offset",
        "1000",
        "--length",
        "10",
    ];
    succeeds(&host.virt_esx(&args).output().unwrap(), "\n");
    assert_eq!(fs::read(&file).unwrap(), content()[1000..1010]);
}

#[test]
fn content_goes_through_the_standard_streams() {
    let host = host();
    let output = host
        .virt_esx(&["vol-download", PATH, "-", "--checksum"])
        .output()
        .unwrap();
    assert!(output.stdout == content());
    assert_eq!(text(&output.stderr), format!("SHA-256: {}\n", sha256()));

    let mut other = content();
    other.reverse();
    let mut upload = host.virt_esx(&["vol-upload", PATH, "-"]);
    let mut child = upload.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&other).unwrap();
    succeeds(&child.wait_with_output().unwrap(), "\n");
    assert!(host.simulator.file(PATH).unwrap() == other);
}

#[test]
fn content_is_uploaded() {
    let host = host();
    let mut other = content();
    other.reverse();
    let file = host.path("x");
    fs::write(&file, &other).unwrap();
    let args = [
        "--output",
        "json",
        "vol-upload",
        VOLUME,
        &file,
        "ssd",
        "--checksum",
    ];
    let output = host.virt_esx(&args).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("\"length_bytes\": 3000000"));
    assert!(host.simulator.file(PATH).unwrap() == other);
    let args = ["vol-upload", VOLUME, &file, "ssd", "--length", "7"];
    succeeds(&host.virt_esx(&args).output().unwrap(), "\n");
    assert_eq!(host.simulator.file(PATH).unwrap(), other[..7]);

    // Neither an offset nor a part of a disk can be written.
    let args = ["vol-upload", VOLUME, &file, "ssd", "--offset", "5"];
    let output = host.virt_esx(&args).output().unwrap();
    fails(&output, "error: cannot upload to volume iso/netinst.iso\n");
    let output = host.virt_esx(&["vol-upload", VOLUME, &host.path("nosuch"), "ssd"]);
    fails(&{ output }.output().unwrap(), "error: cannot read ");
}

#[test]
fn checksums_are_verified() {
    let host = host();
    let file = host.path("x");
    let sum = sha256();
    let args = [
        "-q",
        "vol-download",
        PATH,
        &file,
        "--checksum",
        "--sha256",
        &sum,
    ];
    let expected = format!("SHA-256: {sum}\n");
    succeeds(&host.virt_esx(&args).output().unwrap(), &expected);
    fs::remove_file(&file).unwrap();

    let wrong = sum.replace(|digit: char| digit.is_ascii_digit(), "a");
    let output = host
        .virt_esx(&["vol-download", PATH, &file, "--sha256", &wrong])
        .output()
        .unwrap();
    let expected = format!("has the SHA-256 {sum}, not {wrong}");
    fails(&output, &expected);
    // It is not mistaken for what was wanted, not even later.
    assert_eq!(host.names(), ["x.part"]);
    let output = host
        .virt_esx(&["vol-download", PATH, &file, "--resume"])
        .output()
        .unwrap();
    fails(&output, "error: cannot resume from ");
}

#[test]
fn an_interrupted_download_goes_on() {
    let host = host();
    for connections in ["1", "3"] {
        let (status, stderr) = host.interrupted_download(&["--connections", connections]);
        assert_eq!(status, Some(130));
        let expected =
            "error: cannot receive data from volume iso/netinst.iso\nerror: interrupted\nerror: ";
        assert!(stderr.starts_with(expected), "{stderr}");
        let expected = " of 3000000 bytes: the same command with --resume goes on there";
        assert!(stderr.ends_with(expected), "{stderr}");
        assert_eq!(host.names(), ["x.part", "x.part.json"]);

        let file = host.path("x");
        let args = [
            "vol-download",
            VOLUME,
            &file,
            "ssd",
            "--resume",
            "--checksum",
            "--output",
            "json",
        ];
        let output = host.virt_esx(&args).output().unwrap();
        assert_eq!(text(&output.stderr), "");
        let printed = text(&output.stdout);
        assert!(printed.contains(&sha256()), "{printed}");
        assert!(!printed.contains("\"resumed_bytes\": 0"), "{printed}");
        assert!(fs::read(&file).unwrap() == content());
        assert_eq!(host.names(), ["x"]);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_download_of_something_else_does_not_go_on() {
    let host = host();
    host.interrupted_download(&[]);
    let file = host.path("x");
    let resume = |volume: &str, options: &[&str]| {
        let args = [&["vol-download", volume, &file, "ssd", "--resume"], options].concat();
        host.virt_esx(&args).output().unwrap()
    };
    fails(
        &resume("web01/web01.vmx", &[]),
        "it is a part of [ssd] iso/netinst.iso\n",
    );
    fails(
        &resume(VOLUME, &["--length", "10"]),
        "it is of 3000000 bytes from offset 0\n",
    );
    let mut other = content();
    other[2_999_999] += 1;
    assert!(host.simulator.write_file(PATH, other.clone()));
    fails(&resume(VOLUME, &[]), "the volume has changed since\n");
    assert_eq!(host.names(), ["x.part", "x.part.json"]);

    // Without --resume it begins anew.
    let args = ["-q", "vol-download", VOLUME, &file, "ssd"];
    succeeds(&host.virt_esx(&args).output().unwrap(), "");
    assert!(fs::read(&file).unwrap() == other);
    assert_eq!(host.names(), ["x"]);
}

#[test]
fn nothing_is_left_of_a_download_that_does_not_begin() {
    let host = host();
    let file = host.path("x");
    let output = host
        .virt_esx(&["-r", "vol-download", PATH, &file])
        .output()
        .unwrap();
    fails(&output, "read only access prevents virStorageVolDownload\n");
    let output = host
        .virt_esx(&["vol-download", PATH, &file, "--offset", "3000001"])
        .output()
        .unwrap();
    fails(
        &output,
        "error: cannot download from volume iso/netinst.iso\n",
    );
    assert_eq!(host.names(), [""; 0]);
}

#[test]
fn ctrl_c_during_an_upload_says_what_may_be_there() {
    let host = host();
    host.simulator.set_file_rate(Some(300_000));
    let file = host.path("x");
    fs::write(&file, content()).unwrap();
    let args = ["vol-upload", VOLUME, &file, "ssd", "--progress", "json"];
    let mut child = host.virt_esx(&args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    let id = child.id().to_string();
    let killed = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(killed.unwrap().success());
    let lines: Vec<_> = stderr.lines().map(Result::unwrap).collect();
    let expected = "may have some of the ";
    assert!(
        lines.last().is_some_and(|line| line.contains(expected)),
        "{lines:?}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
