use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};

use esx_driver::Domain;
use jiff::Zoned;
use serde::Serialize;

use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// take a screenshot of a current domain console and store it into a file
///
/// The image is a PNG image. Without --file its name is that of the domain with the time.
#[derive(Debug, clap::Args)]
pub(crate) struct Screenshot {
    #[command(flatten)]
    domain: DomainArg,

    /// where to store the screenshot
    #[arg(value_name = "file")]
    file: Option<String>,

    /// ID of a screen to take screenshot of
    #[arg(value_name = "screen", value_parser = Number::parser())]
    screen: Option<Number>,
}

/// A screenshot that was taken.
#[derive(Debug, Serialize)]
struct Taken<'a> {
    domain: &'a str,
    file: &'a str,
    mime_type: &'a str,
}

impl Command for Screenshot {
    fn check(&self) -> Result<(), Failure> {
        options::check_text("file", self.file.as_deref())?;
        let screen = self.screen.as_ref();
        screen
            .map_or(Ok(0), |screen| screen.read("screen"))
            .map(|_: u32| ())
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let screen = self.screen.map_or(Ok(0), |screen| screen.read("screen"))?;
        let failed = |reason| {
            let line = format!("could not take a screenshot of {}", domain.name());
            Failure::because(line, reason)
        };
        let writable = connection.check_writable("virDomainScreenshot");
        writable.map_err(failed)?;
        let shot = domain.screenshot(screen, 0).await.map_err(|error| {
            let is_transfer = error.kind() == esx_driver::ErrorKind::File;
            match is_transfer {
                true => not_received(&domain, error),
                false => failed(error.into()),
            }
        });
        let mut shot = shot?;
        let (mime_type, file) = (shot.mime_type(), self.file.unwrap_or_else(|| name(&domain)));
        let (mut target, is_new) = open(&file)?;
        let stored = store(&domain, &mut shot, &mut target).await;
        if stored.is_err() && is_new {
            // The error says why there is no picture.
            let _ = std::fs::remove_file(&file);
        }
        stored?;
        let taken = Taken {
            domain: domain.name(),
            file: &file,
            mime_type,
        };
        // virsh ends the line with that of the command's end.
        let text = match ui.is_quiet() {
            true => String::new(),
            false => format!("Screenshot saved to {file}, with type of {mime_type}"),
        };
        Ok(ui.item("virt-esx/domain-screenshot/1", &taken, &text)?)
    }
}

/// The file's name if none is given: the domain's with the local time, as in virsh.
fn name(domain: &Domain) -> String {
    let now = Zoned::now().strftime("%Y-%m-%d-%H:%M:%S").to_string();
    format!("{}-{now}.png", domain.name())
}

/// Opens a file for writing, and says whether it is new. Like virsh, it replaces a file that exists.
fn open(path: &str) -> Result<(File, bool), Failure> {
    let cannot = |_| Failure::new(format!("cannot create file {path}"));
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = OpenOptions::new().write(true).truncate(true).open(path);
            Ok((file.map_err(cannot)?, false))
        }
        Err(error) => Err(cannot(error)),
    }
}

/// Writes the pieces of the picture as they come.
async fn store(
    domain: &Domain,
    shot: &mut esx_driver::Screenshot,
    target: &mut File,
) -> Result<(), Failure> {
    while let Some(piece) = shot
        .chunk()
        .await
        .map_err(|error| not_received(domain, error))?
    {
        target
            .write_all(&piece)
            .map_err(|error| not_received(domain, error))?;
    }
    Ok(())
}

fn not_received(domain: &Domain, reason: impl Into<Failure>) -> Failure {
    let line = format!("could not receive data from domain '{}'", domain.name());
    Failure::because(line, reason)
}
