use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use virt_model::{Document, DomainXmlFlags};
use vmx::names::{Datastore, Datastores, Folder};
use vmx::{FileNames, LibvirtVersion, Mode, ParseOptions};

use super::convert::{self, Converted};
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::ui::Ui;

/// convert VMX files to domain XML, without a host
///
/// Every file that VMware reads is converted. A warning with line and key tells what the XML cannot hold. For a
/// folder, all .vmx files in it and below it are converted, several at a time; a line with the file's name stands in front of each
/// document.
#[derive(Debug, clap::Args)]
pub(crate) struct Vmx2xml {
    /// VMX files, folders with VMX files, or - for the standard input
    #[arg(value_name = "file", required = true, num_args = 1..)]
    files: Vec<PathBuf>,

    /// datastore of the files; without it, file names become paths of this computer
    #[arg(long, value_name = "name")]
    datastore: Option<String>,

    /// directory that file names are relative to (default: the file's own)
    #[arg(long, value_name = "directory")]
    directory: Option<String>,

    /// refuse what libvirt refuses, with libvirt's error, as on a host without other datastores than --datastore
    #[arg(long)]
    strict: bool,

    /// convert as this libvirt does: 9.0.0, 11.3, 11.5, 11.10, 12.4, 12.5 or newest
    #[arg(long, value_name = "version", default_value_t)]
    libvirt: LibvirtVersion,

    /// write NAME.xml for each NAME.vmx into this folder instead of printing it; existing files are replaced
    #[arg(long, value_name = "folder")]
    output_dir: Option<PathBuf>,
}

impl LocalCommand for Vmx2xml {
    fn run(self, ui: &Ui) -> Result<(), Failure> {
        let inputs = self.inputs()?;
        self.check_outputs(&inputs)?;
        let name = |input: &Input| input.path.display().to_string();
        convert::convert_all(ui, &inputs, name, |input| self.convert(input))
    }
}

impl Vmx2xml {
    fn convert(&self, input: &Input) -> Converted {
        if let Some(unreadable) = &input.unreadable {
            return Converted::failed(unreadable.clone());
        }
        let name = input.path.display().to_string();
        let text = match convert::read(&input.path) {
            Ok(text) => text,
            Err(failure) => return Converted::failed(failure.to_string()),
        };
        let names = self.names(&input.path);
        let mut options = ParseOptions::default().as_libvirt(self.libvirt);
        if self.strict {
            options.mode = Mode::Strict;
        }
        options.default_name = input
            .path
            .file_stem()
            .filter(|_| !convert::is_standard_input(&input.path))
            .map(|stem| stem.to_string_lossy().into_owned());
        match vmx::parse(text.as_slice(), &*names, &options) {
            Ok(parsed) => {
                let warnings = parsed.warnings.iter();
                let warnings = warnings.map(|warning| format!("{name}: {warning}"));
                let document = parsed.domain.to_xml(DomainXmlFlags::SECURE);
                let converted = match &self.output_dir {
                    None => Converted::printed(document),
                    Some(folder) => Converted::written(&folder.join(&input.output), &document),
                };
                converted.with_warnings(warnings.collect())
            }
            Err(error) => Converted::failed(convert::error(&error, &name, &text)),
        }
    }

    /// What names of files become: with `--strict` what they become on a host that has the datastore, where libvirt does not
    /// know the file's folder.
    fn names(&self, path: &Path) -> Box<dyn FileNames> {
        if !self.strict {
            return Box::new(Folder {
                datastore: self.datastore.clone(),
                directory: self.directory(path),
                ..Folder::default()
            });
        }
        let datastore = self.datastore.clone();
        let folder = match (&datastore, &self.directory) {
            (None, None) => "?".to_owned(),
            _ => self.directory(path),
        };
        let on = datastore.as_deref().unwrap_or("?");
        let datastores = datastore.iter().map(|name| Datastore {
            name: name.clone(),
            // A host has a datastore under its UUID, which no file tells, and libvirt compares that with names first.
            mount: "\0".to_owned(),
        });
        Box::new(Datastores {
            datastores: datastores.collect(),
            directory: format!("[{on}] {folder}"),
            libvirt: self.libvirt,
            ..Datastores::default()
        })
    }

    /// The directory of a file's relative names: on a datastore the name of the file's folder, on
    /// this computer its path.
    fn directory(&self, path: &Path) -> String {
        if let Some(directory) = &self.directory {
            return directory.clone();
        }
        let folder = convert::folder(path);
        if self.datastore.is_none() {
            return folder;
        }
        let mut folder = PathBuf::from(folder);
        // What ends in `..` has a name only once that is followed.
        if folder.file_name().is_none()
            && let Ok(followed) = fs::canonicalize(&folder)
        {
            folder = followed;
        }
        let name = folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let mut inputs = Vec::new();
        for path in &self.files {
            if path.is_dir() {
                let from = inputs.len();
                search(path, path, &mut inputs);
                if inputs.len() == from {
                    let text = format!("no file in '{}' ends in .vmx", path.display());
                    return Err(Failure::new(text));
                }
                inputs[from..].sort_by(|a, b| a.path.cmp(&b.path));
            } else {
                let name = match convert::is_standard_input(path) {
                    true => OsStr::new("stdin"),
                    false => path.file_name().unwrap_or(path.as_os_str()),
                };
                inputs.push(Input {
                    path: path.clone(),
                    output: Path::new(name).with_extension("xml"),
                    unreadable: None,
                });
            }
        }
        Ok(inputs)
    }

    /// Refuses to write two documents into one file.
    fn check_outputs(&self, inputs: &[Input]) -> Result<(), Failure> {
        if self.output_dir.is_none() {
            return Ok(());
        }
        let readable = inputs.iter().filter(|input| input.unreadable.is_none());
        let mut outputs: Vec<_> = readable.map(|input| &input.output).collect();
        outputs.sort();
        match outputs.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Failure::new(format!(
                "two files would be written to '{}': convert them one by one",
                pair[0].display()
            ))),
            None => Ok(()),
        }
    }
}

/// A file to convert.
struct Input {
    path: PathBuf,
    /// Where its document goes below the output folder.
    output: PathBuf,
    /// Why nothing below this folder was found, as it is printed.
    unreadable: Option<String>,
}

/// Every VMX file in a folder and below it, and every folder that cannot be read. Links to folders
/// are not followed; pipes and devices are no files.
fn search(root: &Path, folder: &Path, inputs: &mut Vec<Input>) {
    let mut found = || -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let is_vmx = path
                .extension()
                .is_some_and(|suffix| suffix.eq_ignore_ascii_case("vmx"));
            if kind.is_dir() {
                search(root, &path, inputs);
            } else if is_vmx && (kind.is_file() || path.is_file()) {
                let below = path.strip_prefix(root).unwrap_or(&path);
                // Never out of the output folder, whatever the path looks like.
                let plain = |part: &Component<'_>| matches!(part, Component::Normal(_));
                let output: PathBuf = below.components().filter(plain).collect();
                inputs.push(Input {
                    output: output.with_extension("xml"),
                    path,
                    unreadable: None,
                });
            }
        }
        Ok(())
    };
    if let Err(error) = found() {
        let text = format!("cannot read '{}': {error}", folder.display());
        inputs.push(Input {
            path: folder.to_owned(),
            output: PathBuf::new(),
            unreadable: Some(Failure::new(text).to_string()),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::Vmx2xml;
    use crate::answer::Format;
    use crate::commands::LocalCommand as _;
    use crate::ui::{Terminal, Ui};

    /// What a run leaves behind.
    struct Outcome {
        stdout: String,
        stderr: String,
        has_failed: bool,
    }

    const HEAD: &str = "config.version = \"8\"\nvirtualHW.version = \"13\"\n";

    /// Converts these files of a folder of their own.
    fn run(files: &[(&str, &str)], input: &str, change: impl Fn(&mut Vmx2xml, &Path)) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{HEAD}{text}")).unwrap();
        }
        let mut command = Vmx2xml {
            files: vec![folder.path().join(input)],
            datastore: None,
            directory: None,
            strict: false,
            libvirt: vmx::LibvirtVersion::Newest,
            output_dir: None,
        };
        change(&mut command, folder.path());
        let ui = Ui::new(Terminal::keeping(), Format::Text, false);
        if let Err(failure) = command.run(&ui) {
            ui.failure(&failure);
        }
        let own = folder.path().display().to_string();
        let [stdout, stderr] = ui.terminal().kept().map(|text| text.replace(&own, "~"));
        Outcome {
            stdout,
            stderr,
            has_failed: ui.status() != 0,
        }
    }

    const DISK: &str = "ide0:0.present = \"true\"\nide0:0.fileName = \"a.vmdk\"\n";

    #[test]
    fn names_are_those_of_files_in_the_folder() {
        let source = |change: fn(&mut Vmx2xml, &Path)| {
            let outcome = run(&[("web/web.vmx", DISK)], "web/web.vmx", change);
            assert_eq!((outcome.has_failed, outcome.stderr.as_str()), (false, ""));
            let line = outcome.stdout.lines().find(|line| line.contains("source"));
            line.unwrap().trim().to_owned()
        };
        assert_eq!(source(|_, _| {}), "<source file='~/web/a.vmdk'/>");
        let on_datastore = |command: &mut Vmx2xml, _: &Path| {
            command.datastore = Some("ds".to_owned());
        };
        assert_eq!(source(on_datastore), "<source file='[ds] web/a.vmdk'/>");
        let elsewhere = |command: &mut Vmx2xml, _: &Path| {
            command.datastore = Some("ds".to_owned());
            command.directory = Some("x/y".to_owned());
        };
        assert_eq!(source(elsewhere), "<source file='[ds] x/y/a.vmdk'/>");
    }

    /// libvirt does not know the folder of a file that it converts.
    #[test]
    fn strict_names_are_those_that_libvirt_gives_on_a_host() {
        let convert = |name: &str, change: fn(&mut Vmx2xml)| {
            let disk = DISK.replace("a.vmdk", name);
            let outcome = run(
                &[("web/web.vmx", disk.as_str())],
                "web/web.vmx",
                |command, _| {
                    command.strict = true;
                    change(command);
                },
            );
            let shown = format!("{}{}", outcome.stdout, outcome.stderr);
            let mut lines = shown.lines().map(str::trim);
            let line = lines.find(|line| line.contains("<source") || line.starts_with("error: "));
            line.unwrap_or_default().to_owned()
        };
        let on_datastore = |command: &mut Vmx2xml| command.datastore = Some("ds".to_owned());
        let elsewhere = |command: &mut Vmx2xml| {
            command.datastore = Some("ds".to_owned());
            command.directory = Some("x".to_owned());
        };
        assert_eq!(convert("a.vmdk", |_| {}), "<source file='[?] ?/a.vmdk'/>");
        assert_eq!(
            convert("a.vmdk", on_datastore),
            "<source file='[ds] web/a.vmdk'/>"
        );
        assert_eq!(
            convert("a.vmdk", elsewhere),
            "<source file='[ds] x/a.vmdk'/>"
        );
        assert_eq!(convert("/a.vmdk", |_| {}), "<source file='/a.vmdk'/>");
        let on_host = "/vmfs/volumes/ds/b/a.vmdk";
        assert_eq!(
            convert(on_host, on_datastore),
            "<source file='[ds] b/a.vmdk'/>"
        );
        assert!(convert(on_host, |_| {}).contains("refers to non-existing datastore 'ds'"));
        for (name, source) in [
            ("[ds] b/a.vmdk", "[?] ?/[ds] b/a.vmdk"),
            ("[ds]a.vmdk", "[?] ?/[ds]a.vmdk"),
            ("../a.vmdk", "[?] ?/../a.vmdk"),
            ("sub/a.vmdk", "[?] ?/sub/a.vmdk"),
            ("C:a.vmdk", "[?] ?/C:a.vmdk"),
            ("/vmfs/devices/a.vmdk", "/vmfs/devices/a.vmdk"),
        ] {
            let line = format!("<source file='{source}'/>");
            assert_eq!(convert(name, |_| {}), line);
        }
        assert_eq!(
            convert("/vmfs/volumes/ds//a.vmdk", on_datastore),
            "<source file='[ds] /a.vmdk'/>"
        );
        for name in ["/vmfs/volumes/ds10/a.vmdk", "/vmfs/volumes/other/a.vmdk"] {
            let shown = convert(name, on_datastore);
            assert!(
                shown.contains("refers to non-existing datastore"),
                "{shown}"
            );
        }
        for name in [r"C:\a.vmdk", r"..\a.vmdk", r"\\nas\a.vmdk"] {
            let error = format!("error: internal error: Could not handle file name '{name}'");
            assert_eq!(convert(name, |_| {}), error);
            assert_eq!(convert(name, on_datastore), error);
        }
    }

    #[test]
    fn a_folder_goes_to_a_folder() {
        let files = [
            ("a/one.vmx", ""),
            ("b/one.VMX", "memsize = x\n"),
            ("b/two.txt", ""),
        ];
        let outcome = run(&files, "", |command, folder| {
            command.output_dir = Some(folder.join("out"));
        });
        let expected = "warning: ~/b/one.VMX: line 3: memsize: Config entry 'memsize' must \
                        represent an integer value; 32 is used\n\
                        2 files: 2 converted, 0 failed, 1 warnings\n";
        assert_eq!(outcome.stderr, expected);
        assert_eq!((outcome.has_failed, outcome.stdout.as_str()), (false, ""));
    }

    #[test]
    fn an_error_shows_its_line() {
        let outcome = run(&[("a.vmx", "memsize = 5\n")], "a.vmx", |command, _| {
            command.strict = true;
        });
        assert!(outcome.has_failed);
        for part in [
            "error: configuration file syntax error: memory conf:3: numbers not allowed in VMX format\n",
            "~/a.vmx:3:11",
            "memsize = 5",
            "the value in quotes",
        ] {
            assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
        }
    }

    #[test]
    fn an_error_shows_its_line_though_it_is_inside_of_a_character() {
        for line in [
            "é = \"1\"\n",
            "a = \"1\" 標\n",
            "a = 😀\n",
            "a\u{301} = \"1\"\n",
        ] {
            let outcome = run(&[("a.vmx", line)], "a.vmx", |command, _| {
                command.strict = true;
            });
            assert!(
                outcome.stderr.contains("memory conf:3: "),
                "{}",
                outcome.stderr
            );
            assert!(
                outcome.stderr.contains(line.trim_end()),
                "{}",
                outcome.stderr
            );
        }
    }

    #[test]
    fn two_documents_never_go_to_one_file() {
        let files = [("a/one.vmx", ""), ("b/one.vmx", "")];
        let outcome = run(&files, "", |command, folder| {
            command.files = vec![folder.join("a/one.vmx"), folder.join("b/one.vmx")];
            command.output_dir = Some(PathBuf::from("unused"));
        });
        assert!(
            outcome
                .stderr
                .contains("two files would be written to 'one.xml'")
        );
    }

    #[test]
    fn nothing_to_convert() {
        let outcome = run(&[("a.txt", "")], "", |_, _| {});
        assert_eq!(outcome.stderr, "error: no file in '~/' ends in .vmx\n");
        let outcome = run(&[], "none.vmx", |_, _| {});
        assert!(
            outcome
                .stderr
                .starts_with("error: cannot read '~/none.vmx': ")
        );
    }

    /// Such as lost+found, among many others.
    #[test]
    fn a_folder_that_cannot_be_read_fails_alone() {
        let gone = Path::new("gone");
        let mut inputs = Vec::new();
        super::search(gone, gone, &mut inputs);
        let why = inputs[0].unreadable.as_deref().unwrap();
        assert!(why.contains("cannot read 'gone': "), "{why}");
    }
}
