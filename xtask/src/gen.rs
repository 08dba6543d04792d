//! `cargo xtask gen`: from descriptions to Rust.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use vi_generator::{Errors, File, Target, generate};

/// Generate Rust types from a description of the VI API.
///
/// Without options: from generator.input to vi-types/src/generated.
#[derive(Args)]
pub(crate) struct Gen {
    /// Write nothing; fail if a generated file is not up to date.
    #[arg(long)]
    check: bool,
    /// The description, in the syntax of generator.input or of libvirt's esx_vi_generator.input.
    #[arg(long, value_name = "FILE", requires = "crate_dir")]
    input: Option<PathBuf>,
    /// Write a separate crate into this folder; its last part becomes the crate's name.
    #[arg(
        long = "crate",
        value_name = "DIR",
        requires = "input",
        id = "crate_dir"
    )]
    crate_dir: Option<PathBuf>,
}

impl Gen {
    pub(crate) fn run(&self) -> Result<(), GenError> {
        let job = match (&self.input, &self.crate_dir) {
            (Some(input), Some(folder)) => Job::own_crate(input, folder)?,
            _ => Job::workspace(),
        };
        let files = job.generate()?;
        if self.check {
            return job.check(&files);
        }
        job.write(&files)?;
        println!("{}: {} files", job.folder.display(), files.len());
        Ok(())
    }
}

/// The input and output of a generation.
struct Job {
    input: PathBuf,
    folder: PathBuf,
    target: Target,
    /// The manifest whose features are the families, if it is not generated as a whole.
    manifest: Option<PathBuf>,
    /// The command that generates it again.
    command: String,
}

/// The lines before and after the families in a manifest.
const BEGIN: &str = "# Families of generator.input, written by `cargo xtask gen`:\n";
const END: &str = "# End of the families.\n";

/// A manifest that is mostly written by hand.
struct Manifest<'a> {
    path: &'a Path,
    found: String,
    expected: String,
}

/// Why generating fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum GenError {
    /// The description has mistakes.
    #[error("{}", mistakes(.0))]
    Description(Errors),
    /// Generated files differ from what would be generated now.
    #[error("generated files are stale: {}\nrun `{command}`", .files.join(", "))]
    Stale {
        /// The files.
        files: Vec<String>,
        /// The command that updates them.
        command: String,
    },
    /// A manifest has no place for the families.
    #[error("{} has no lines '{}' and '{}'; add them to its features", .0.display(), BEGIN.trim_end(), END.trim_end())]
    NoMarks(PathBuf),
    /// The folder's name is not a valid name for a crate.
    #[error("'{0}' is not a valid name for a crate; expected letters, digits, '-' and '_'")]
    CrateName(String),
    /// A file exists that was not generated.
    #[error("{} exists and was not generated; choose another folder", .0.display())]
    NotGenerated(PathBuf),
    /// A file or folder could not be read or written.
    #[error("{}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Job {
    /// Generates vi-types' bindings.
    fn workspace() -> Self {
        let root = workspace();
        Self {
            input: root.join("generator.input"),
            folder: root.join("vi-types/src/generated"),
            target: Target::Module,
            manifest: Some(root.join("vi-types/Cargo.toml")),
            command: "cargo xtask gen".to_owned(),
        }
    }

    /// Generates a crate named after its folder.
    fn own_crate(input: &Path, folder: &Path) -> Result<Self, GenError> {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
        if !is_name {
            return Err(GenError::CrateName(name));
        }
        let path = workspace().join("vi-types").display().to_string();
        let runtime = format!("{{ path = {path:?}, default-features = false }}");
        Ok(Self {
            input: input.to_owned(),
            folder: folder.to_owned(),
            target: Target::Crate { name, runtime },
            manifest: None,
            command: format!(
                "cargo xtask gen --input {} --crate {}",
                input.display(),
                folder.display()
            ),
        })
    }

    fn generate(&self) -> Result<Vec<File>, GenError> {
        let text = self.description()?;
        generate(&self.input.display().to_string(), &text, &self.target)
            .map_err(GenError::Description)
    }

    fn description(&self) -> Result<String, GenError> {
        fs::read_to_string(&self.input).map_err(at(&self.input))
    }

    /// The manifest as it is and as it should be.
    fn manifest(&self) -> Result<Option<Manifest<'_>>, GenError> {
        let Some(path) = &self.manifest else {
            return Ok(None);
        };
        let found = fs::read_to_string(path).map_err(at(path))?;
        let features = vi_generator::features(&self.description()?, &["api"]);
        let marks = found.split_once(BEGIN).and_then(|(before, behind)| {
            let (_, behind) = behind.split_once(END)?;
            Some((before, behind))
        });
        let (before, behind) = marks.ok_or_else(|| GenError::NoMarks(path.clone()))?;
        let expected = format!("{before}{BEGIN}{features}{END}{behind}");
        Ok(Some(Manifest {
            path,
            found,
            expected,
        }))
    }

    fn check(&self, files: &[File]) -> Result<(), GenError> {
        let mut stale: Vec<String> = Vec::new();
        for file in files {
            let path = self.folder.join(&file.path);
            match fs::read_to_string(&path) {
                Ok(text) if text == file.text => {}
                Ok(_) => stale.push(path.display().to_string()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    stale.push(format!("{} (missing)", path.display()));
                }
                Err(error) => return Err(at(&path)(error)),
            }
        }
        if let Some(manifest) = self.manifest()?
            && manifest.found != manifest.expected
        {
            stale.push(manifest.path.display().to_string());
        }
        let left_over = self.left_over(files)?;
        stale.extend(
            left_over
                .iter()
                .map(|path| format!("{} (to be removed)", path.display())),
        );
        if stale.is_empty() {
            return Ok(());
        }
        let command = self.command.clone();
        Err(GenError::Stale {
            files: stale,
            command,
        })
    }

    fn write(&self, files: &[File]) -> Result<(), GenError> {
        let foreign = |path: &PathBuf| path.exists() && !is_generated(path);
        let mut paths = files.iter().map(|file| self.folder.join(&file.path));
        if let Some(path) = paths.find(foreign) {
            return Err(GenError::NotGenerated(path));
        }
        for file in files {
            let path = self.folder.join(&file.path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(at(parent))?;
            }
            // A file that stays the same keeps its time, so that cargo doesn't compile it again.
            if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
                continue;
            }
            fs::write(&path, &file.text).map_err(at(&path))?;
        }
        if let Some(manifest) = self.manifest()?
            && manifest.found != manifest.expected
        {
            fs::write(manifest.path, manifest.expected).map_err(at(manifest.path))?;
        }
        for path in self.left_over(files)? {
            fs::remove_file(&path).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Generated files of an earlier description that are not generated any more.
    fn left_over(&self, files: &[File]) -> Result<Vec<PathBuf>, GenError> {
        let expected: BTreeSet<PathBuf> = files
            .iter()
            .map(|file| self.folder.join(&file.path))
            .collect();
        let mut left_over = Vec::new();
        let mut folders = vec![match self.target {
            Target::Module => self.folder.clone(),
            Target::Crate { .. } => self.folder.join("src"),
        }];
        while let Some(next) = folders.pop() {
            let entries = match fs::read_dir(&next) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(at(&next)(error)),
            };
            for entry in entries {
                let path = entry.map_err(at(&next))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !expected.contains(&path) && is_generated(&path) {
                    left_over.push(path);
                }
            }
        }
        left_over.sort();
        Ok(left_over)
    }
}

fn is_generated(path: &Path) -> bool {
    let mark = "@generated by `cargo xtask gen`";
    fs::read_to_string(path).is_ok_and(|text| text.get(..60).unwrap_or(&text).contains(mark))
}

fn mistakes(errors: &Errors) -> String {
    let plural = if errors.mistakes.len() == 1 {
        "mistake"
    } else {
        "mistakes"
    };
    format!(
        "{} {plural} in the description\n{errors}",
        errors.mistakes.len()
    )
}

fn workspace() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

fn at(path: &Path) -> impl Fn(io::Error) -> GenError {
    move |source| GenError::File {
        path: path.to_owned(),
        source,
    }
}
