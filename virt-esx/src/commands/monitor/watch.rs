//! `watch`: a live table of domains.

mod action;
mod column;
mod model;
mod picture;
mod screen;
#[cfg(test)]
mod tests;
mod view;

use std::pin::pin;
use std::time::{Duration, SystemTime};

use crossterm::event::{Event, EventStream};
use esx_driver::{Monitor, MonitorOptions};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior};

use self::column::Column;
use self::model::{Effect, Message, Model};
use self::picture::{Picture, one_line};
use self::screen::Screen;
use crate::answer::Format;
use crate::commands::Command;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// How long a picture stays before the next one, so that busy servers do not keep this program busy.
const PICTURE: Duration = Duration::from_millis(250);

/// show a live table of domains
///
/// Shows state, processor and memory use, rates of disks and networks, uptime and pending questions of all domains in the
/// terminal, until q. Press ? there for the keys: they sort, filter, start and stop domains, and answer questions.
///
/// The server reports changes of domains as they happen; numbers are read at the interval. This is not a command of virsh.
#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// seconds between two readings of numbers; hosts renew them every 20 seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = seconds)]
    interval: u64,

    /// column to sort by
    #[arg(long, value_name = "COLUMN", default_value = "name")]
    sort: Column,

    /// only show domains with this text in their name, state or host
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
}

impl Command for Watch {
    fn check(&self) -> Result<(), Failure> {
        screen::check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        if ui.format() != Format::Text {
            return Err(Failure::new(
                "'watch' prints no JSON: use 'event --all --loop' or 'domstats'",
            ));
        }
        let options = MonitorOptions::table(Duration::from_secs(self.interval));
        let monitor = Monitor::start(connection, options).await?;
        let shown = self.show(ui, connection, &monitor).await;
        monitor.close().await;
        shown
    }
}

impl Watch {
    /// Shows the table until somebody ends it.
    async fn show(
        &self,
        ui: &Ui,
        connection: &Connection,
        monitor: &Monitor,
    ) -> Result<(), Failure> {
        let snapshot = monitor.snapshot();
        let server = connection.shown_uri();
        let mut model = Model::new(server, Picture::from(&*snapshot), SystemTime::now())
            .arranged(self.sort, self.filter.clone());
        let mut seen = snapshot.number;
        let mut next_picture = Instant::now();

        let interruption = ui.interruption();
        let mut interrupted = pin!(interruption.comes());
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut actions = FuturesUnordered::new();

        // What the libraries say would be written across the table.
        let _held = ui.terminal().hold();
        let mut screen = Screen::open()?;
        let mut keys = EventStream::new();
        loop {
            // Not every change of the size is reported.
            let (width, height) = screen.size()?;
            if model.size != (width, height) {
                model.update(Message::Resized(width, height));
            }
            screen.draw(&model)?;
            let newer = async {
                tokio::time::sleep_until(next_picture).await;
                monitor.changed(seen).await
            };
            let message = tokio::select! {
                event = keys.next() => match event {
                    Some(Ok(Event::Key(key))) => Message::Key(key),
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => return Err(error.into()),
                    // The terminal is gone.
                    None => return Ok(()),
                },
                snapshot = newer => {
                    let Some(snapshot) = snapshot else {
                        return Err(Failure::new("the server is not watched any more"));
                    };
                    seen = snapshot.number;
                    next_picture = Instant::now() + PICTURE;
                    Message::Picture(Picture::from(&*snapshot))
                },
                Some((id, error)) = actions.next() => Message::Ended { id, error },
                _ = seconds.tick() => Message::Time(SystemTime::now()),
                () = &mut interrupted => {
                    ui.accept_interruption();
                    return Ok(());
                }
            };
            match model.update(message) {
                None => {}
                Some(Effect::Quit) => return Ok(()),
                Some(Effect::Perform { id, moref, action }) => {
                    let snapshot = monitor.snapshot();
                    let domain = snapshot.domain(&moref);
                    let domain = domain.map(|domain| monitor.domain(domain));
                    actions.push(async move {
                        let done = match domain {
                            Some(domain) => action.perform(connection, domain).await,
                            None => Err(Failure::new("there is no such domain any more")),
                        };
                        (id, done.err().map(|failure| one_line(&failure)))
                    });
                }
            }
        }
    }
}

/// A number of seconds between two pictures.
fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (1..=3600).contains(seconds));
    seconds.ok_or_else(|| "expected a number of seconds, from 1 to 3600".to_owned())
}
