//! The model is played with keys, and the screens are compared with recorded ones.
//!
//! `UPDATE_SCREENS=1 cargo test -p virt-esx watch` writes the screens anew.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use esx_driver::question::Question;
use esx_driver::vi_types::ManagedObjectReference;
use esx_driver::vi_types::objects::{
    ChoiceOption, Description, ElementDescription, VirtualMachineQuestionInfo,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};
use virt_model::DomainState;

use super::action::Action;
use super::column::Column;
use super::model::{Effect, Message, Mode, Model};
use super::picture::{Lost, Picture, Row};
use super::view::{self, Look};

const PLAIN: Look = Look {
    is_coloured: false,
    is_unicode: false,
};

const RICH: Look = Look {
    is_coloured: true,
    is_unicode: true,
};

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn moref(name: &str) -> ManagedObjectReference {
    ManagedObjectReference {
        value: name.to_owned(),
        ..ManagedObjectReference::default()
    }
}

fn question(id: &str) -> Question {
    let choice = |key: &str, label: &str| ElementDescription {
        base: Description {
            label: label.to_owned(),
            summary: label.to_owned(),
            ..Description::default()
        },
        key: key.to_owned(),
        ..ElementDescription::default()
    };
    Question::from(VirtualMachineQuestionInfo {
        id: id.to_owned(),
        text: "There is no more space for virtual disk web01.vmdk. You might be able to continue this session by \
               freeing disk space on the relevant volume, and clicking Retry."
            .to_owned(),
        choice: ChoiceOption {
            choice_info: vec![choice("r", "Retry").into(), choice("c", "Cancel").into()],
            default_index: Some(1),
            ..ChoiceOption::default()
        },
        ..VirtualMachineQuestionInfo::default()
    })
}

fn row(name: &str, state: DomainState, load: f64) -> Row {
    let is_on = state == DomainState::Running;
    let rate = |factor: f64| is_on.then_some(load * factor);
    Row {
        moref: moref(name),
        name: name.to_owned(),
        state,
        host: "esx1.example.com".to_owned(),
        cpu: rate(1.0),
        memory: is_on.then_some((load * 4_194_304.0) as u64),
        max_memory: 4_194_304,
        read: rate(3_000_000.0),
        written: rate(1_000_000.0),
        received: rate(20_000.0),
        sent: rate(500.0),
        uptime: is_on.then_some((load * 1_000_000.0) as u64),
        question: None,
    }
}

fn picture() -> Picture {
    Picture {
        rows: vec![
            row("build/ci", DomainState::Shutoff, 0.0),
            row("db01", DomainState::Running, 0.873),
            row("desktop", DomainState::Paused, 0.0),
            row(
                "a-rather-long-name-of-a-domain.example.com",
                DomainState::Running,
                0.02,
            ),
            row("web01", DomainState::Running, 0.25),
            row("\u{65e5}\u{672c}", DomainState::Crashed, 0.0),
        ],
        polled: Some(time(988)),
        lost: None,
    }
}

fn asking() -> Picture {
    let mut picture = picture();
    picture.rows[4].question = Some(question("7"));
    picture
}

fn model() -> Model {
    Model::new("test:///default".to_owned(), picture(), time(1000))
}

/// Presses keys: letters, and names of others in angle brackets. Returns the effects.
fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (code, modifiers) = match named.filter(|(name, _)| name.len() > 1) {
            Some((name, after)) => {
                rest = after;
                match name {
                    "up" => (KeyCode::Up, KeyModifiers::NONE),
                    "down" => (KeyCode::Down, KeyModifiers::NONE),
                    "right" => (KeyCode::Right, KeyModifiers::NONE),
                    "left" => (KeyCode::Left, KeyModifiers::NONE),
                    "end" => (KeyCode::End, KeyModifiers::NONE),
                    "home" => (KeyCode::Home, KeyModifiers::NONE),
                    "pgdn" => (KeyCode::PageDown, KeyModifiers::NONE),
                    "enter" => (KeyCode::Enter, KeyModifiers::NONE),
                    "esc" => (KeyCode::Esc, KeyModifiers::NONE),
                    "back" => (KeyCode::Backspace, KeyModifiers::NONE),
                    "ctrl-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
                    "ctrl-u" => (KeyCode::Char('u'), KeyModifiers::CONTROL),
                    name => panic!("no key {name}"),
                }
            }
            None => {
                rest = &rest[first.len_utf8()..];
                (KeyCode::Char(first), KeyModifiers::NONE)
            }
        };
        effects.extend(model.update(Message::Key(KeyEvent::new(code, modifiers))));
    }
    effects
}

fn chosen(model: &Model) -> &str {
    model.chosen().map_or("", |row| &row.name)
}

fn names(model: &Model) -> Vec<&str> {
    model.rows().map(|row| row.name.as_str()).collect()
}

fn perform(id: u64, name: &str, action: Action) -> Effect {
    Effect::Perform {
        id,
        moref: moref(name),
        action,
    }
}

#[test]
fn keys_move_the_cursor() {
    for (keys, name) in [
        ("", "a-rather-long-name-of-a-domain.example.com"),
        ("<down><down>", "db01"),
        ("jjk", "build/ci"),
        ("<up>", "a-rather-long-name-of-a-domain.example.com"),
        ("<end>", "\u{65e5}\u{672c}"),
        ("<end><up>", "web01"),
        ("<pgdn><down>", "\u{65e5}\u{672c}"),
        ("<end><home>", "a-rather-long-name-of-a-domain.example.com"),
    ] {
        let mut model = model();
        assert_eq!(press(&mut model, keys), []);
        assert_eq!(chosen(&model), name, "{keys}");
    }
}

#[test]
fn quits() {
    for keys in ["q", "<ctrl-c>", "/<ctrl-c>", "?<ctrl-c>", "x<ctrl-c>"] {
        assert_eq!(press(&mut model(), keys), [Effect::Quit], "{keys}");
    }
    // These close what is open.
    assert_eq!(press(&mut model(), "?q"), []);
    assert_eq!(press(&mut model(), "xq"), []);
    assert_eq!(press(&mut model(), "/q"), []);
}

#[test]
fn sorts_by_columns_and_chooses_the_first_row() {
    let long = "a-rather-long-name-of-a-domain.example.com";
    let mut model = model();
    press(&mut model, "<end><up>");
    assert_eq!(chosen(&model), "web01");
    press(&mut model, "<right><right>");
    assert_eq!(model.sort, Column::Cpu);
    assert_eq!(names(&model)[..3], ["db01", "web01", long]);
    assert_eq!(chosen(&model), "db01");
    press(&mut model, "r");
    assert_eq!(names(&model).last(), Some(&"db01"));
    assert_eq!(model.cursor, 0);
    press(&mut model, "<left>");
    assert_eq!((model.sort, model.is_reversed), (Column::State, false));
    assert_eq!(names(&model)[0], long);
    press(&mut model, "<");
    assert_eq!(model.sort, Column::Name);
    press(&mut model, "<");
    assert_eq!(model.sort, Column::Host);
}

#[test]
fn a_domain_that_somebody_chose_stays_chosen() {
    let busy = |name: &str| {
        let mut picture = picture();
        let mut rows = picture.rows.iter_mut();
        rows.find(|row| row.name == name).unwrap().cpu = Some(1.0);
        picture
    };
    let mut model = model();
    press(&mut model, "<right><right>");
    model.update(Message::Picture(busy("web01")));
    // The first row, whatever stands there.
    assert_eq!((model.cursor, chosen(&model)), (0, "web01"));
    press(&mut model, "<down>");
    assert_eq!(chosen(&model), "db01");
    model.update(Message::Picture(busy("db01")));
    assert_eq!((model.cursor, chosen(&model)), (0, "db01"));
    model.update(Message::Picture(busy("web01")));
    assert_eq!((model.cursor, chosen(&model)), (1, "db01"));
}

#[test]
fn filters_while_typing() {
    let mut model = model();
    press(&mut model, "/DB");
    assert_eq!(names(&model), ["db01"]);
    press(&mut model, "<back><back>");
    assert_eq!(names(&model).len(), 6);
    press(&mut model, "paused<enter>");
    assert_eq!(names(&model), ["desktop"]);
    assert_eq!(model.mode, Mode::Table);
    press(&mut model, "/x<esc>");
    assert_eq!(model.filter, "paused");
    press(&mut model, "/<ctrl-u>nosuch<enter>");
    assert_eq!(names(&model), [""; 0]);
    // There is nobody to do something with.
    assert_eq!(press(&mut model, "sxXa<down>"), []);
    assert_eq!(model.mode, Mode::Table);
    press(&mut model, "<esc>");
    assert_eq!(names(&model).len(), 6);
}

#[test]
fn starts_at_once_and_stops_after_a_yes() {
    let mut model = model();
    press(&mut model, "<down>");
    let started = press(&mut model, "s");
    assert_eq!(started, [perform(0, "build/ci", Action::Start)]);
    press(&mut model, "<down><down>");
    let resumed = press(&mut model, "s");
    assert_eq!(resumed, [perform(1, "desktop", Action::Resume)]);
    press(&mut model, "<up>");
    assert_eq!(press(&mut model, "xn"), []);
    assert_eq!(press(&mut model, "x<enter>"), []);
    let shut_down = press(&mut model, "xy");
    assert_eq!(shut_down, [perform(2, "db01", Action::Shutdown)]);
    let destroyed = press(&mut model, "Xy");
    assert_eq!(destroyed, [perform(3, "db01", Action::Destroy)]);
    assert_eq!(model.running.len(), 4);

    model.update(Message::Ended { id: 2, error: None });
    assert_eq!(model.running.len(), 3);
    let notice = model.notice.clone().unwrap();
    assert_eq!(
        (&*notice.text, notice.is_error),
        ("shutting down 'db01': done", false)
    );
    let error = Some("no".to_owned());
    model.update(Message::Ended { id: 0, error });
    let notice = model.notice.clone().unwrap();
    assert_eq!(
        (&*notice.text, notice.is_error),
        ("starting 'build/ci': no", true)
    );
    press(&mut model, "<esc>");
    assert_eq!(model.notice, None);
}

#[test]
fn a_confirmation_is_for_the_domain_that_it_names() {
    let mut model = model();
    press(&mut model, "<down><down>X");
    // db01 vanishes meanwhile, and another one is in its place.
    let mut smaller = picture();
    smaller.rows.remove(1);
    model.update(Message::Picture(smaller));
    assert_eq!(chosen(&model), "desktop");
    assert_eq!(
        press(&mut model, "y"),
        [perform(0, "db01", Action::Destroy)]
    );
}

#[test]
fn answers_with_a_choice() {
    let mut model = model();
    assert_eq!(press(&mut model, "a"), []);
    assert!(model.notice.is_some());
    model.update(Message::Picture(asking()));
    press(&mut model, "<end><up>");
    for (keys, key) in [
        // The default.
        ("a<enter>", "c"),
        ("a<up><enter>", "r"),
        ("a<up><up><down><down><down><enter>", "c"),
        ("a1<enter>", "r"),
        ("<enter>9<enter>", "c"),
    ] {
        let effects = press(&mut model, keys);
        let [Effect::Perform { action, .. }] = &*effects else {
            panic!("{keys}: {effects:?}");
        };
        assert_eq!(
            action,
            &Action::Answer(question("7"), key.to_owned()),
            "{keys}"
        );
    }
    assert_eq!(press(&mut model, "a<esc>"), []);
    assert_eq!(model.mode, Mode::Table);
}

#[test]
fn a_question_that_somebody_else_answers_closes() {
    let mut model = model();
    model.update(Message::Picture(asking()));
    press(&mut model, "<end><up>a");
    let mut other = asking();
    other.rows[0].state = DomainState::Running;
    model.update(Message::Picture(other));
    assert!(matches!(model.mode, Mode::Answer { .. }));
    let mut next = asking();
    next.rows[4].question = Some(question("8"));
    model.update(Message::Picture(next));
    assert_eq!(model.mode, Mode::Table);
    assert_eq!(
        model.notice.unwrap().text,
        "the question of 'web01' is answered"
    );
}

#[test]
fn the_cursor_stays_visible() {
    let mut model = model();
    model.update(Message::Resized(80, 7));
    assert_eq!(model.page(), 3);
    for (keys, top, cursor) in [
        ("<down><down>", 0, 2),
        ("<down>", 1, 3),
        ("<end>", 3, 5),
        ("<up><up>", 3, 3),
        ("<up>", 2, 2),
    ] {
        press(&mut model, keys);
        assert_eq!((model.top, model.cursor), (top, cursor), "{keys}");
    }
    model.update(Message::Resized(80, 30));
    assert_eq!(model.top, 0);
    for height in 0..5 {
        model.update(Message::Resized(80, height));
        press(&mut model, "<end><pgdn><home><end>");
    }
    model.update(Message::Picture(Picture::default()));
    assert_eq!((model.cursor, model.top), (0, 0));
}

/// The screen as text; `<`, `>` stand around the chosen row and other reversed text.
fn screen(model: &mut Model, look: Look, width: u16, height: u16) -> String {
    model.update(Message::Resized(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| view::draw(model, look, frame.buffer_mut()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..height {
        let mut line = String::new();
        let mut is_reversed = false;
        let mut hidden = 0;
        for x in 0..width {
            // The second half of a wide character.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            let cell = &buffer[(x, y)];
            let reversed = cell.modifier.contains(Modifier::REVERSED);
            if reversed != is_reversed {
                line.push(if reversed { '\u{ab}' } else { '\u{bb}' });
                is_reversed = reversed;
            }
            hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            line.push_str(cell.symbol());
        }
        if is_reversed {
            line.push('\u{bb}');
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[track_caller]
fn check(name: &str, found: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands/monitor/watch/screens");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, recorded, "UPDATE_SCREENS=1 records the screen anew");
}

#[test]
fn screens_are_as_recorded() {
    for (width, height) in [
        (100, 12),
        (80, 12),
        (60, 9),
        (40, 8),
        (20, 6),
        (10, 3),
        (3, 2),
        (1, 1),
    ] {
        let mut model = model();
        model.update(Message::Picture(asking()));
        press(&mut model, "<down>");
        let found = screen(&mut model, PLAIN, width, height);
        check(&format!("table-{width}x{height}"), &found);
    }
    for (name, keys) in [
        ("help", "?"),
        ("filter", "/web"),
        ("filtered", "/web<enter>"),
        ("by-cpu", "<right><right>r"),
        ("shut-down", "x"),
        ("destroy", "X"),
        ("question", "<end><up>a"),
        ("no-question", "a"),
        ("starting", "<down>s"),
    ] {
        let mut model = model();
        model.update(Message::Picture(asking()));
        press(&mut model, keys);
        check(name, &screen(&mut model, RICH, 90, 16));
        // Nothing panics on any terminal.
        for (width, height) in [(1, 1), (2, 9), (30, 4), (12, 20), (0, 0), (250, 60)] {
            screen(&mut model, PLAIN, width, height);
        }
    }
}

#[test]
fn a_lost_connection_is_shown_with_its_age() {
    let mut model = model();
    let lost = Lost {
        since: time(917),
        cause: "connection refused".to_owned(),
    };
    let picture = Picture {
        lost: Some(lost),
        ..picture()
    };
    model.update(Message::Picture(picture));
    check("lost", &screen(&mut model, PLAIN, 80, 6));
    model.update(Message::Time(time(4600)));
    let later = screen(&mut model, PLAIN, 80, 6);
    assert!(
        later.contains("connection lost 1h 01m ago: connection refused"),
        "{later}"
    );
}

#[test]
fn errors_are_shown() {
    let mut model = model();
    press(&mut model, "<down>s");
    let error = Some("Could not start domain: no space".to_owned());
    model.update(Message::Ended { id: 0, error });
    check("error", &screen(&mut model, PLAIN, 80, 6));
}

#[test]
fn hosts_have_a_column_if_there_are_several() {
    let mut several = picture();
    several.rows[0].host = "esx2.example.com".to_owned();
    let mut model = model();
    model.update(Message::Picture(several));
    check("hosts", &screen(&mut model, PLAIN, 140, 11));
}

#[test]
fn colours_are_only_used_if_the_terminal_has_them() {
    let colours = |look| {
        let mut model = model();
        model.update(Message::Picture(asking()));
        model.update(Message::Resized(80, 12));
        let mut terminal = Terminal::new(TestBackend::new(80, 12)).unwrap();
        terminal
            .draw(|frame| view::draw(&model, look, frame.buffer_mut()))
            .unwrap();
        let cells = terminal.backend().buffer().content();
        let coloured = cells.iter().filter(|cell| cell.fg != Color::Reset);
        coloured.count()
    };
    assert_eq!(colours(PLAIN), 0);
    assert!(colours(RICH) > 20);
}
