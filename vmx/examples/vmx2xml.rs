//! Prints the libvirt definition of a VMX file: `cargo run -p vmx --example vmx2xml FILE`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks to its user"
)]

use std::error::Error;
use std::path::Path;

use virt_model::{Document, DomainXmlFlags};
use vmx::ParseOptions;
use vmx::names::Folder;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give me a VMX file")?;
    let path = Path::new(&path);
    let text = std::fs::read(path)?;

    // Relative names are those of files beside the VMX file.
    let folder = path.parent().unwrap_or(Path::new(""));
    let names = Folder {
        directory: folder.to_string_lossy().into_owned(),
        ..Folder::default()
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let options = ParseOptions::default().default_name(name);

    match vmx::parse(text, &names, &options) {
        Ok(parsed) => {
            for warning in &parsed.warnings {
                eprintln!("{}: {warning}", path.display());
            }
            print!("{}", parsed.domain.to_xml(DomainXmlFlags::SECURE));
            Ok(())
        }
        Err(error) => {
            let line = error.line().map(|line| format!("line {line}: "));
            let help = error.help().map(|help| format!(" ({help})"));
            let (line, help) = (line.unwrap_or_default(), help.unwrap_or_default());
            Err(format!("{}: {line}{error}{help}", path.display()).into())
        }
    }
}
