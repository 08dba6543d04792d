//! The standard error, as progress bars are drawn on it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressDrawTarget, TermLike};

/// The target that draws bars on the standard error, at most 20 times a second.
pub(super) fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::<Screen>::default(), 20)
}

/// A terminal whose writes never fail: indicatif panics if one does, and a terminal can go away at any time. What is drawn
/// is written at once.
#[derive(Debug, Default)]
struct Screen(Mutex<String>);

impl Screen {
    fn push(&self, text: std::fmt::Arguments<'_>) -> io::Result<()> {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = drawn.write_fmt(text);
        Ok(())
    }

    /// Moves the cursor: 0 would mean 1.
    fn go(&self, cells: usize, direction: char) -> io::Result<()> {
        match cells {
            0 => Ok(()),
            _ => self.push(format_args!("\x1b[{cells}{direction}")),
        }
    }

    fn size() -> Option<(u16, u16)> {
        let (width, height) = terminal_size::terminal_size_of(io::stderr())?;
        Some((width.0, height.0))
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        Self::size().map_or(80, |(width, _)| width)
    }

    fn height(&self) -> u16 {
        Self::size().map_or(24, |(_, height)| height)
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.go(lines, 'A')
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.go(lines, 'B')
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.go(columns, 'C')
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.go(columns, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.push(format_args!("{text}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.push(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stream = io::stderr().lock();
        let _ = stream.write_all(drawn.as_bytes());
        let _ = stream.flush();
        drawn.clear();
        Ok(())
    }
}
