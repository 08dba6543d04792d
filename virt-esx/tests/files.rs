//! What commands make of files and folders, called where these are: `vmx2xml`, `xml2vmx` and `screenshot`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The folder's name on disk, without links: the command tells whole paths.
fn folder(files: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_virt-esx"));
    program.env_clear().args(arguments).current_dir(folder);
    program.output().unwrap()
}

/// The lines of the standard output that have `mark` in them; there is nothing else to tell.
#[track_caller]
fn lines(output: &Output, mark: &str) -> Vec<String> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(0), ""));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.contains(mark));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[track_caller]
fn fails(output: &Output, expected: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(1), expected));
    assert_eq!(output.stdout, b"");
}

fn document(disk: &str) -> String {
    format!(
        "<domain type='vmware'><name>web</name><memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os>\
         <devices><disk type='file' device='disk'><source file='{disk}'/><target dev='sda' bus='scsi'/></disk>\
         </devices></domain>"
    )
}

const VMX: &str = "config.version = \"8\"\nvirtualHW.version = \"13\"\nide0:0.present = \"true\"\n\
                   ide0:0.fileName = \"a.vmdk\"\n";

#[test]
fn documents_tell_whole_paths() {
    let (_folder, path) = folder(&[("web/web.vmx", VMX)]);
    let whole = format!("<source file='{}/web/a.vmdk'/>", path.display());
    for (from, argument) in [("web", "web.vmx"), ("", "web/web.vmx"), ("", "web")] {
        let output = run(&path.join(from), &["vmx2xml", argument]);
        assert_eq!(lines(&output, "<source"), [whole.as_str()], "{argument}");
    }
}

#[test]
fn a_folder_on_a_datastore_has_a_name() {
    let (_folder, path) = folder(&[("web/web.vmx", VMX), ("web/sub/x", "")]);
    for (from, argument) in [
        ("", "web/web.vmx"),
        ("web", "web.vmx"),
        ("web", "./web.vmx"),
        ("web/sub", "../web.vmx"),
    ] {
        let output = run(
            &path.join(from),
            &["vmx2xml", argument, "--datastore", "ssd"],
        );
        let expected = ["<source file='[ssd] web/a.vmdk'/>"];
        assert_eq!(lines(&output, "<source"), expected, "{argument}");
    }
}

#[test]
fn files_beside_a_document_are_relative() {
    let (_folder, path) = folder(&[("web/x", "")]);
    for (disk, expected) in [
        (format!("{}/web/a.vmdk", path.display()), "a.vmdk"),
        (format!("{}/web/sub/a.vmdk", path.display()), "sub/a.vmdk"),
        ("a.vmdk".to_owned(), "a.vmdk"),
        ("/srv/a.vmdk".to_owned(), "/srv/a.vmdk"),
        (
            "[ssd] web/a.vmdk".to_owned(),
            "/vmfs/volumes/ssd/web/a.vmdk",
        ),
    ] {
        fs::write(path.join("web/web.xml"), document(&disk)).unwrap();
        let line = format!("scsi0:0.fileName = \"{expected}\"");
        for (from, argument) in [
            ("web", "web.xml"),
            ("web", "./web.xml"),
            ("", "web/web.xml"),
        ] {
            let output = run(&path.join(from), &["xml2vmx", argument]);
            assert_eq!(lines(&output, "fileName"), [line.as_str()], "{argument}");
        }
    }
}

#[test]
fn there_and_back() {
    let (_folder, path) = folder(&[("web/web.vmx", VMX)]);
    let output = run(&path, &["vmx2xml", "web/web.vmx", "--output-dir", "web"]);
    assert_eq!(lines(&output, ""), Vec::<String>::new());
    let output = run(&path, &["xml2vmx", "web/web.xml"]);
    assert_eq!(
        lines(&output, "ide0:0.fileName"),
        ["ide0:0.fileName = \"a.vmdk\""]
    );
}

#[test]
fn documents_are_replaced() {
    let (_folder, path) = folder(&[("web.vmx", VMX), ("out/web.xml", "old")]);
    let output = run(&path, &["vmx2xml", "web.vmx", "--output-dir", "out"]);
    assert_eq!(lines(&output, ""), Vec::<String>::new());
    let text = fs::read_to_string(path.join("out/web.xml")).unwrap();
    assert!(text.starts_with("<domain type='vmware'"), "{text}");
}

#[test]
fn what_is_no_document_is_refused() {
    let (_folder, path) = folder(&[("web.xml/x", "")]);
    fs::write(path.join("bytes.xml"), b"\xff\xfe").unwrap();
    let output = run(&path, &["xml2vmx", "bytes.xml"]);
    fails(&output, "error: 'bytes.xml' is not UTF-8\n");
    let output = run(&path, &["xml2vmx", "web.xml"]);
    fails(
        &output,
        "error: cannot read 'web.xml': Is a directory (os error 21)\n",
    );
}

/// A pipe that nobody writes to would be waited for.
#[cfg(unix)]
#[test]
fn pipes_in_a_folder_are_no_files() {
    let (_folder, path) = folder(&[("web.vmx", VMX)]);
    let pipe = path.join("pipe.vmx");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let output = run(&path, &["vmx2xml", ".", "--output-dir", "out"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(path.join("out/web.xml").is_file());
    assert!(!path.join("out/pipe.xml").exists());
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[cfg(feature = "simulator")]
#[test]
fn a_screenshot_replaces_a_file() {
    let (_folder, path) = folder(&[("a.png", "something longer than a picture's beginning")]);
    let shoot = |file| {
        run(
            &path,
            &["-c", "test:///default", "screenshot", "web01", file],
        )
    };
    for file in ["a.png", "b.png"] {
        let output = shoot(file);
        let expected = format!("Screenshot saved to {file}, with type of image/png");
        assert_eq!(lines(&output, "saved"), [expected]);
        assert!(
            fs::read(path.join(file)).unwrap().starts_with(PNG),
            "{file}"
        );
    }
    let one = fs::read(path.join("a.png")).unwrap();
    assert_eq!(one, fs::read(path.join("b.png")).unwrap());
    let output = shoot("nosuch/c.png");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "error: cannot create file nosuch/c.png\n");
    assert_eq!(output.status.code(), Some(1));
}

#[cfg(feature = "simulator")]
#[test]
fn a_screenshot_has_a_name() {
    let (_folder, path) = folder(&[]);
    let output = run(&path, &["-qc", "test:///default", "screenshot", "1"]);
    assert_eq!(lines(&output, ""), <[String; 0]>::default());
    let found = names(&path);
    let [name] = &*found else {
        panic!("{found:?}");
    };
    // web01-2026-11-29-17:57:33.png
    let time = name
        .strip_prefix("web01-")
        .and_then(|rest| rest.strip_suffix(".png"));
    let shape: String = time
        .unwrap_or_else(|| panic!("{name}"))
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00-00:00:00");
}

/// A screenshot that fails leaves no file.
#[cfg(feature = "simulator")]
#[test]
fn no_screenshot_no_file() {
    let (_folder, path) = folder(&[]);
    let output = run(&path, &["-c", "test:///default", "screenshot", "installer"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(names(&path), <[String; 0]>::default());
}

#[test]
fn documents_of_several_files_have_names() {
    let (_folder, path) = folder(&[("a.vmx", VMX), ("b/b.vmx", VMX)]);
    let output = run(&path, &["vmx2xml", "."]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = stdout.lines().filter(|line| line.contains("==>")).collect();
    assert_eq!(names, ["==> ./a.vmx <==", "==> ./b/b.vmx <=="]);
    let output = run(&path, &["vmx2xml", "a.vmx"]);
    assert!(output.stdout.starts_with(b"<domain"));

    for (format, schema, count) in [
        ("json", "virt-esx/converted-files/1", 1),
        ("jsonl", "virt-esx/converted-file/1", 3),
    ] {
        let arguments = ["vmx2xml", ".", "missing.vmx", "--output", format];
        let output = run(&path, &arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(stdout.matches(schema).count(), count, "{stdout}");
        assert_eq!(stdout.matches("<domain").count(), 2, "{stdout}");
        assert!(stdout.contains("cannot read 'missing.vmx'"), "{stdout}");
        assert_eq!(output.status.code(), Some(1));
    }
}
