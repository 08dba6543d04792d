//! Draws the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph, Widget as _, Wrap};
use unicode_width::UnicodeWidthStr as _;
use virt_model::DomainState;

use super::column::{self, Column};
use super::model::{Mode, Model, age};
use super::picture::Row;
use crate::ui;

/// What the terminal can show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) is_coloured: bool,
    pub(super) is_unicode: bool,
}

/// The text of the help.
const HELP: &[&str] = &[
    "Up, Down, PgUp, PgDn, Home, End   choose a domain",
    "Left, Right   sort by another column",
    "r   reverse the order",
    "/   filter by name, state or host",
    "Esc   clear the message, then the filter",
    "s   start or resume the domain",
    "x   shut it down (through the guest)",
    "X   destroy it (power off)",
    "a   answer its question",
    "q, Ctrl-C   quit",
];

const KEYS: &str = "?:help  /:filter  <>:sort  s:start  x:shut down  X:destroy  a:answer  q:quit";

/// The border where there are no other characters than ASCII's.
const ASCII: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Look {
    /// What the environment says: `NO_COLOR`, `TERM` and the locale.
    pub(super) fn of_environment() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_monochrome = variable("TERM").is_none_or(|term| term.starts_with("vt"));
        Self {
            is_coloured: variable("NO_COLOR").is_none() && !is_monochrome,
            is_unicode: ui::is_unicode(),
        }
    }

    fn colour(self, colour: Color) -> Style {
        match self.is_coloured {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    /// Something that has to be seen.
    fn alarm(self) -> Style {
        match self.is_coloured {
            true => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            false => Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD),
        }
    }

    fn state(self, state: DomainState) -> Style {
        match state {
            DomainState::Running => self.colour(Color::Green),
            DomainState::Paused | DomainState::PmSuspended | DomainState::Shutdown => {
                self.colour(Color::Yellow)
            }
            DomainState::Crashed | DomainState::NoState => self.colour(Color::Red),
            _ => Style::new().add_modifier(Modifier::DIM),
        }
    }
}

/// Draws the model on the whole buffer.
pub(super) fn draw(model: &Model, look: Look, buffer: &mut Buffer) {
    let area = buffer.area;
    let lines: Vec<_> = area.rows().collect();
    let Some((title, lines)) = lines.split_first() else {
        return;
    };
    draw_title(model, look, *title, buffer);
    if let Some((keys, lines)) = lines.split_last() {
        draw_keys(*keys, buffer);
        if let Some((status, lines)) = lines.split_last() {
            draw_status(model, look, *status, buffer);
            draw_table(model, look, lines, buffer);
        }
    }
    draw_dialog(model, look, area, buffer);
}

/// The server, the number of domains in each state, and the age of the numbers; or that the connection is lost.
fn draw_title(model: &Model, look: Look, line: Rect, buffer: &mut Buffer) {
    if let Some(lost) = &model.picture.lost {
        let ago = age(model.now, lost.since);
        let text = format!("connection lost {ago} ago: {}", lost.cause);
        put(buffer, line, &text, look.alarm());
        return;
    }
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let end = put(buffer, line, &model.server, bold);
    let rows = &model.picture.rows;
    let count = |fits: fn(&Row) -> bool| rows.iter().filter(|row| fits(row)).count();
    let parts = [
        (count(|row| row.question.is_some()), "with a question"),
        (count(|row| row.state == DomainState::Running), "running"),
        (count(|row| row.state == DomainState::Paused), "paused"),
        (count(|row| row.state == DomainState::Shutoff), "shut off"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let domains = match rows.len() {
        1 => "1 domain".to_owned(),
        count => format!("{count} domains"),
    };
    let text = match parts.is_empty() {
        true => domains,
        false => format!("{domains}: {}", parts.join(", ")),
    };
    let end = put(buffer, rest(line, end + 2), &text, Style::new());
    if let Some(polled) = model.picture.polled {
        let text = format!("numbers {} old", age(model.now, polled));
        let left = line.right().saturating_sub(text.width() as u16);
        if left >= end + 2 {
            let dim = Style::new().add_modifier(Modifier::DIM);
            put(buffer, rest(line, left), &text, dim);
        }
    }
}

fn draw_keys(line: Rect, buffer: &mut Buffer) {
    put(buffer, line, KEYS, Style::new().add_modifier(Modifier::DIM));
}

/// What is typed, what went wrong, what is being done, or what the filter is.
fn draw_status(model: &Model, look: Look, line: Rect, buffer: &mut Buffer) {
    if matches!(model.mode, Mode::Filter { .. }) {
        let text = format!("filter: {}", model.filter);
        let end = put(buffer, line, &text, Style::new());
        let cursor = Style::new().add_modifier(Modifier::REVERSED);
        put(buffer, rest(line, end), " ", cursor);
        return;
    }
    if let Some(notice) = &model.notice {
        let style = match notice.is_error {
            true => look.alarm(),
            false => Style::new(),
        };
        let text = match notice.is_error {
            true => format!("error {}", notice.text),
            false => notice.text.clone(),
        };
        put(buffer, line, &text, style);
        return;
    }
    let running: Vec<_> = model.running.iter().map(|running| &*running.text).collect();
    let text = match (running.is_empty(), model.filter.is_empty()) {
        (false, _) => running.join(", "),
        (true, false) => {
            let (shown, all) = (model.shown.len(), model.picture.rows.len());
            format!("filter: {} ({shown} of {all})", model.filter)
        }
        (true, true) => String::new(),
    };
    put(buffer, line, &text, Style::new());
}

fn draw_table(model: &Model, look: Look, lines: &[Rect], buffer: &mut Buffer) {
    let Some((header, lines)) = lines.split_first() else {
        return;
    };
    // A mark for questions and a blank stand in front of the names.
    let width = header.width.saturating_sub(2);
    // Of all rows, so that columns stay where they are while a filter is typed.
    let names = model.picture.rows.iter();
    let longest = names.map(|row| row.name.width()).max();
    let longest = u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX);
    let mut rows = model.picture.rows.iter();
    let first = rows.next();
    let has_hosts = first.is_some_and(|first| rows.any(|row| row.host != first.host));
    let columns = column::layout(width, longest, has_hosts);

    let bold = Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    buffer.set_style(*header, bold);
    draw_cells(*header, &columns, buffer, |column| {
        let mark = match (column == model.sort, model.is_reversed) {
            (false, _) => "",
            (true, false) => "^",
            (true, true) => "v",
        };
        (format!("{}{mark}", column.title()), bold)
    });
    let visible = model.rows().enumerate().skip(model.top);
    for ((position, row), line) in visible.zip(lines) {
        let is_chosen = position == model.cursor;
        let style = match is_chosen {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        buffer.set_style(*line, style);
        if row.question.is_some() {
            put(buffer, *line, "?", style.patch(look.alarm()));
        }
        draw_cells(*line, &columns, buffer, |column| {
            let style = match column {
                Column::State => style.patch(look.state(row.state)),
                _ => style,
            };
            (column.text(row), style)
        });
    }
}

/// Writes a cell into each column: texts to the left, numbers to the right.
fn draw_cells(
    line: Rect,
    columns: &[(Column, u16)],
    buffer: &mut Buffer,
    cell: impl Fn(Column) -> (String, Style),
) {
    let mut left = line.left() + 2;
    for (column, width) in columns {
        let (text, style) = cell(*column);
        let room = Rect {
            width: *width,
            ..rest(line, left)
        }
        .intersection(line);
        let free = room.width.saturating_sub(text.width() as u16);
        let at = match column.is_number() {
            true => rest(room, room.left() + free),
            false => room,
        };
        put(buffer, at, &text, style);
        left = left.saturating_add(width + 1);
    }
}

fn draw_dialog(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    match &model.mode {
        Mode::Table | Mode::Filter { .. } => {}
        Mode::Help => {
            let lines = HELP.iter().map(|line| Line::from(*line));
            draw_box(" Keys ", lines.collect(), look, area, buffer);
        }
        Mode::Confirm { subject, action } => {
            let text = match action {
                super::action::Action::Destroy => "Destroy (power off)",
                _ => "Shut down",
            };
            let lines = vec![
                Line::from(format!("{text} '{}'?", subject.name)),
                Line::default(),
                Line::from("y: yes    any other key: no"),
            ];
            draw_box(" Confirm ", lines, look, area, buffer);
        }
        Mode::Answer {
            subject,
            question,
            choice,
        } => {
            let text = question.text.lines().map(Line::from);
            let choices = question.choices.iter().enumerate().map(|(nth, label)| {
                let text = format!("{}. {}", nth + 1, label.label);
                let style = match nth == *choice {
                    true => Style::new().add_modifier(Modifier::REVERSED),
                    false => Style::new(),
                };
                Line::styled(text, style)
            });
            let lines = text
                .chain([Line::default()])
                .chain(choices)
                .chain([Line::default(), Line::from("Enter: answer    Esc: not now")]);
            let title = format!(" Question of '{}' ", subject.name);
            draw_box(&title, lines.collect(), look, area, buffer);
        }
    }
}

/// Draws lines in a box in the middle.
fn draw_box(title: &str, lines: Vec<Line<'_>>, look: Look, area: Rect, buffer: &mut Buffer) {
    let longest = lines.iter().map(Line::width).max().unwrap_or(0);
    let longest = longest.max(title.width() + 2) as u16;
    let width = longest.saturating_add(4).min(area.width);
    let inner = usize::from(width.saturating_sub(4).max(1));
    let wrapped = lines.iter().map(|line| line.width().div_ceil(inner).max(1));
    // Words are not broken, so lines may need a little more.
    let spare = usize::from(usize::from(longest) > inner);
    let height = (wrapped.sum::<usize>() + spare + 2).min(usize::from(area.height)) as u16;
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    Clear.render(place, buffer);
    let borders = match look.is_unicode {
        true => border::PLAIN,
        false => ASCII,
    };
    let block = Block::bordered()
        .border_set(borders)
        .title(title)
        .padding(ratatui::widgets::Padding::horizontal(1));
    Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .block(block)
        .render(place, buffer);
}

/// Writes a text, cut off at the end of `line`, and returns where it ends.
fn put(buffer: &mut Buffer, line: Rect, text: &str, style: Style) -> u16 {
    if line.is_empty() {
        return line.left();
    }
    let width = usize::from(line.width);
    let (end, _) = buffer.set_stringn(line.left(), line.top(), text, width, style);
    end
}

/// What is to the right of the column `left`, including it.
fn rest(line: Rect, left: u16) -> Rect {
    let left = left.clamp(line.left(), line.right());
    Rect {
        x: left,
        width: line.right() - left,
        ..line
    }
}
