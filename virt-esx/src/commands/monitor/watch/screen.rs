//! The terminal while the table is shown.

use std::io::{self, IsTerminal as _, Stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Size;

use super::model::Model;
use super::view::{self, Look};
use crate::failure::Failure;

/// A full screen. Dropping it gives the terminal back as it was, and so does a panic before it writes its message.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    look: Look,
    /// The hook of panics from before.
    hook: Arc<Hook>,
}

/// Whether the terminal shows a screen.
static IS_OPEN: AtomicBool = AtomicBool::new(false);

type Hook = dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync;

/// Refuses standard streams that are not a terminal which can show a screen.
pub(super) fn check() -> Result<(), Failure> {
    let advice = "use 'list' or 'domstats' once, or 'event --all --loop' for what happens";
    let failed = |text: &str| Err(Failure::new(text).followed_by(advice));
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return failed("'watch' needs a terminal as its standard input and output");
    }
    match std::env::var("TERM").as_deref() {
        Ok("dumb") => {
            failed("'watch' needs a terminal with a cursor that can be moved (TERM=dumb)")
        }
        _ => Ok(()),
    }
}

impl Screen {
    /// Shows an empty screen in the place of what the terminal shows.
    ///
    /// # Errors
    /// When the terminal refuses. It is as before then.
    pub(super) fn open() -> io::Result<Self> {
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let hook: Arc<Hook> = std::panic::take_hook().into();
        let before = Arc::clone(&hook);
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
        // From here on, dropping it undoes what was done.
        let screen = Self {
            terminal,
            look: Look::of_environment(),
            hook,
        };
        IS_OPEN.store(true, Ordering::Relaxed);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    /// The width and height.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let Size { width, height } = self.terminal.size()?;
        Ok((width, height))
    }

    /// Draws what has changed.
    pub(super) fn draw(&mut self, model: &Model) -> io::Result<()> {
        let look = self.look;
        self.terminal
            .draw(|frame| view::draw(model, look, frame.buffer_mut()))
            .map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
        // A thread that panics cannot change the hook; the program ends anyway.
        if !std::thread::panicking() {
            let hook = Arc::clone(&self.hook);
            std::panic::set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

/// Gives the terminal back as it was, if it is not. Nobody could be told what fails here.
pub(super) fn restore() {
    if !IS_OPEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
