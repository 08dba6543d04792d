//! The state of the table, and what keys and news do to it. No terminal and no server are needed here.

use std::time::SystemTime;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use esx_driver::question::Question;
use esx_driver::vi_types::ManagedObjectReference;
use virt_model::DomainState;

use super::action::Action;
use super::column::{self, Column};
use super::picture::{Picture, Row};
use crate::commands::state;

/// The lines of the screen that are not the table's: the title, the header, the status and the keys.
const FRAME: u16 = 4;

/// What the table knows, and what is shown of it.
#[derive(Debug)]
pub(super) struct Model {
    /// The server's name.
    pub(super) server: String,
    pub(super) picture: Picture,
    pub(super) now: SystemTime,
    /// The size of the terminal.
    pub(super) size: (u16, u16),
    pub(super) sort: Column,
    pub(super) is_reversed: bool,
    pub(super) filter: String,
    pub(super) mode: Mode,
    /// The rows that the filter leaves, in their order: indices of the picture's.
    pub(super) shown: Vec<usize>,
    /// The position of the chosen row among the shown ones.
    pub(super) cursor: usize,
    /// Whether somebody chose a domain, which then stays chosen wherever it goes. Otherwise the uppermost row is chosen.
    is_following: bool,
    /// The position of the uppermost visible row.
    pub(super) top: usize,
    pub(super) running: Vec<Running>,
    pub(super) notice: Option<Notice>,
    next_id: u64,
}

/// What the keys do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    Table,
    /// The filter is being typed; it was this one before.
    Filter {
        before: String,
    },
    Help,
    /// An action waits for a yes.
    Confirm {
        subject: Subject,
        action: Action,
    },
    /// A question waits for the choice of this index.
    Answer {
        subject: Subject,
        question: Question,
        choice: usize,
    },
}

/// The domain of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) moref: ManagedObjectReference,
    pub(super) name: String,
}

/// An action that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    id: u64,
    /// `starting 'web01'`
    pub(super) text: String,
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Message {
    Key(KeyEvent),
    Resized(u16, u16),
    Picture(Picture),
    /// It is this time.
    Time(SystemTime),
    /// An action ended, with an error if there is one.
    Ended {
        id: u64,
        error: Option<String>,
    },
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Quit,
    Perform {
        id: u64,
        moref: ManagedObjectReference,
        action: Action,
    },
}

impl Model {
    pub(super) fn new(server: String, picture: Picture, now: SystemTime) -> Self {
        let mut model = Self {
            server,
            picture,
            now,
            size: (80, 24),
            sort: Column::Name,
            is_reversed: false,
            filter: String::new(),
            mode: Mode::Table,
            shown: Vec::new(),
            cursor: 0,
            is_following: false,
            top: 0,
            running: Vec::new(),
            notice: None,
            next_id: 0,
        };
        model.arrange();
        model
    }

    /// Sorts and filters as the options say.
    pub(super) fn arranged(mut self, sort: Column, filter: String) -> Self {
        self.sort = sort;
        self.filter = filter;
        self.arrange();
        self
    }

    /// The rows that are shown.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.shown.iter().map(|index| &self.picture.rows[*index])
    }

    /// The chosen row.
    pub(super) fn chosen(&self) -> Option<&Row> {
        let index = self.shown.get(self.cursor)?;
        self.picture.rows.get(*index)
    }

    /// How many rows are visible.
    pub(super) fn page(&self) -> usize {
        usize::from(self.size.1.saturating_sub(FRAME))
    }

    /// Takes a message in.
    pub(super) fn update(&mut self, message: Message) -> Option<Effect> {
        match message {
            Message::Key(key) if key.kind == KeyEventKind::Release => None,
            Message::Key(key) => self.press(key),
            Message::Resized(width, height) => {
                self.size = (width, height);
                self.scroll();
                None
            }
            Message::Picture(picture) => {
                self.take(picture);
                None
            }
            Message::Time(now) => {
                self.now = now;
                None
            }
            Message::Ended { id, error } => {
                self.end(id, error);
                None
            }
        }
    }

    /// Shows another picture. If the chosen domain is gone, its place stays.
    fn take(&mut self, picture: Picture) {
        let chosen = self.chosen().map(|row| row.moref.clone());
        self.picture = picture;
        self.arrange();
        self.follow(chosen.as_ref());
        if let Mode::Answer {
            subject, question, ..
        } = &self.mode
        {
            let mut rows = self.picture.rows.iter();
            let row = rows.find(|row| row.moref == subject.moref);
            let asked = row.and_then(|row| row.question.as_ref());
            if asked.is_none_or(|asked| asked.id != question.id) {
                let name = &subject.name;
                self.notice = Some(Notice {
                    text: format!("the question of '{name}' is answered"),
                    is_error: false,
                });
                self.mode = Mode::Table;
            }
        }
    }

    fn end(&mut self, id: u64, error: Option<String>) {
        let Some(index) = self.running.iter().position(|running| running.id == id) else {
            return;
        };
        let text = self.running.remove(index).text;
        self.notice = Some(match error {
            None => Notice {
                text: format!("{text}: done"),
                is_error: false,
            },
            Some(error) => Notice {
                text: format!("{text}: {error}"),
                is_error: true,
            },
        });
    }

    /// Filters and sorts the rows again.
    fn arrange(&mut self) {
        let wanted = self.filter.to_lowercase();
        let fits = |row: &Row| {
            let texts = [&row.name, &row.host, state::word(row.state)];
            texts
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        let rows = &self.picture.rows;
        let mut shown: Vec<_> = (0..rows.len())
            .filter(|index| wanted.is_empty() || fits(&rows[*index]))
            .collect();
        shown.sort_by(|one, other| {
            let (one, other) = (&rows[*one], &rows[*other]);
            let order = self.sort.order(one, other);
            let order = order.then_with(|| one.name.cmp(&other.name));
            match self.is_reversed {
                true => order.reverse(),
                false => order,
            }
        });
        self.shown = shown;
        self.scroll();
    }

    /// Follows this domain, if it is shown and somebody chose it.
    fn follow(&mut self, moref: Option<&ManagedObjectReference>) {
        let position = self.rows().position(|row| Some(&row.moref) == moref);
        match position {
            Some(position) if self.is_following => self.cursor = position,
            Some(_) => self.cursor = 0,
            None => {}
        }
        self.scroll();
    }

    /// Keeps the cursor within the rows, and the visible rows around the cursor.
    fn scroll(&mut self) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        let page = self.page().max(1);
        let lowest = self.shown.len().saturating_sub(page);
        self.top = self
            .top
            .clamp(self.cursor.saturating_sub(page - 1), self.cursor)
            .min(lowest);
    }

    fn press(&mut self, key: KeyEvent) -> Option<Effect> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if is_control && key.code == KeyCode::Char('c') {
            return Some(Effect::Quit);
        }
        match &mut self.mode {
            Mode::Table => self.press_in_table(key),
            Mode::Filter { .. } => {
                self.press_in_filter(key, is_control);
                None
            }
            Mode::Help => {
                self.mode = Mode::Table;
                None
            }
            Mode::Confirm { .. } => self.press_in_confirmation(key),
            Mode::Answer { .. } => self.press_in_question(key),
        }
    }

    fn press_in_table(&mut self, key: KeyEvent) -> Option<Effect> {
        let page = self.page().max(1);
        // All other keys do something with the chosen domain, or choose another one.
        if !matches!(key.code, KeyCode::Esc | KeyCode::Char('/')) {
            self.is_following = true;
        }
        match key.code {
            KeyCode::Char('q') => return Some(Effect::Quit),
            KeyCode::Esc if self.notice.is_some() => self.notice = None,
            KeyCode::Esc => self.set_filter(String::new()),
            KeyCode::Up | KeyCode::Char('k') => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.cursor += 1,
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(page),
            KeyCode::PageDown => self.cursor += page,
            KeyCode::Home | KeyCode::Char('g') => self.cursor = 0,
            KeyCode::End | KeyCode::Char('G') => self.cursor = usize::MAX,
            KeyCode::Left | KeyCode::Char('<') => self.sort_by(-1),
            KeyCode::Right | KeyCode::Char('>') => self.sort_by(1),
            KeyCode::Char('r') => {
                self.is_following = false;
                self.rearrange(|model| model.is_reversed = !model.is_reversed);
            }
            KeyCode::Char('/') => {
                let before = self.filter.clone();
                self.mode = Mode::Filter { before };
            }
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.mode = Mode::Help,
            KeyCode::Char('s') => return self.start(),
            KeyCode::Char('x') => self.confirm(Action::Shutdown),
            KeyCode::Char('X') => self.confirm(Action::Destroy),
            KeyCode::Char('a') | KeyCode::Enter => self.ask(),
            _ => {}
        }
        self.scroll();
        None
    }

    fn press_in_filter(&mut self, key: KeyEvent, is_control: bool) {
        let Mode::Filter { before } = &self.mode else {
            return;
        };
        let mut filter = self.filter.clone();
        match key.code {
            KeyCode::Enter => {
                self.mode = Mode::Table;
                return;
            }
            KeyCode::Esc => {
                filter = before.clone();
                self.mode = Mode::Table;
            }
            KeyCode::Backspace => drop(filter.pop()),
            KeyCode::Char('u') if is_control => filter.clear(),
            KeyCode::Char(letter) if !is_control => filter.push(letter),
            _ => {}
        }
        self.set_filter(filter);
    }

    fn press_in_confirmation(&mut self, key: KeyEvent) -> Option<Effect> {
        let Mode::Confirm { subject, action } = std::mem::replace(&mut self.mode, Mode::Table)
        else {
            return None;
        };
        match key.code {
            KeyCode::Char('y' | 'Y') => self.perform(subject, action),
            _ => None,
        }
    }

    fn press_in_question(&mut self, key: KeyEvent) -> Option<Effect> {
        let Mode::Answer {
            question, choice, ..
        } = &mut self.mode
        else {
            return None;
        };
        let last = question.choices.len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => *choice = choice.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *choice = (*choice + 1).min(last),
            KeyCode::Char(digit @ '1'..='9') => {
                let wanted = digit.to_digit(10).map_or(0, |digit| digit as usize - 1);
                *choice = wanted.min(last);
            }
            KeyCode::Enter => return self.answer(),
            KeyCode::Esc | KeyCode::Char('q') => self.mode = Mode::Table,
            _ => {}
        }
        None
    }

    fn set_filter(&mut self, filter: String) {
        self.rearrange(|model| model.filter = filter);
    }

    /// Sorts by the column that is so many to the right.
    fn sort_by(&mut self, step: isize) {
        let all = Column::ALL;
        let now = all.iter().position(|column| *column == self.sort);
        let next = (now.unwrap_or(0) + all.len()).saturating_add_signed(step) % all.len();
        self.is_following = false;
        self.rearrange(|model| {
            model.sort = all[next];
            model.is_reversed = false;
        });
    }

    /// Changes the arrangement.
    fn rearrange(&mut self, change: impl FnOnce(&mut Self)) {
        let chosen = self.chosen().map(|row| row.moref.clone());
        change(self);
        self.arrange();
        self.follow(chosen.as_ref());
    }

    fn subject(&self) -> Option<Subject> {
        self.chosen().map(|row| Subject {
            moref: row.moref.clone(),
            name: row.name.clone(),
        })
    }

    /// Starts the chosen domain, or resumes it if it is paused.
    fn start(&mut self) -> Option<Effect> {
        let action = match self.chosen()?.state {
            DomainState::Paused => Action::Resume,
            _ => Action::Start,
        };
        let subject = self.subject()?;
        self.perform(subject, action)
    }

    fn confirm(&mut self, action: Action) {
        if let Some(subject) = self.subject() {
            self.mode = Mode::Confirm { subject, action };
        }
    }

    /// Shows the chosen domain's question.
    fn ask(&mut self) {
        let Some((subject, row)) = self.subject().zip(self.chosen()) else {
            return;
        };
        match &row.question {
            Some(question) => {
                self.mode = Mode::Answer {
                    choice: question.default.unwrap_or(0),
                    question: question.clone(),
                    subject,
                };
            }
            None => {
                self.notice = Some(Notice {
                    text: format!("'{}' has no pending question", subject.name),
                    is_error: false,
                });
            }
        }
    }

    fn answer(&mut self) -> Option<Effect> {
        let Mode::Answer {
            subject,
            question,
            choice,
        } = std::mem::replace(&mut self.mode, Mode::Table)
        else {
            return None;
        };
        let key = question.choices.get(choice)?.key.clone();
        self.perform(subject, Action::Answer(question, key))
    }

    fn perform(&mut self, subject: Subject, action: Action) -> Option<Effect> {
        let id = self.next_id;
        self.next_id += 1;
        self.notice = None;
        self.running.push(Running {
            id,
            text: format!("{action} '{}'", subject.name),
        });
        Some(Effect::Perform {
            id,
            moref: subject.moref,
            action,
        })
    }
}

/// How long ago `time` was, in a few characters.
pub(super) fn age(now: SystemTime, time: SystemTime) -> String {
    // A clock that was set back.
    let age = now.duration_since(time).unwrap_or_default();
    column::duration(age.as_secs())
}
