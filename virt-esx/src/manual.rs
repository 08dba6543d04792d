//! The manual: a page for the program, one for each command, and one for each form of file and document.
//!
//! What is said of a command is its definition's. Everything else is Markdown in the folder `manual/`, in `json.md`, and in
//! esx-driver, whose documentation it is too. A page is written for `man` or as plain text; the program's `--help` has parts of
//! it.

mod block;
mod roff;
mod text;

use clap::{Arg, Command};
use esx_driver::EsxUri;
use esx_driver::policy::Rules;

use self::block::{Block, Span, spans};
use crate::cli::Cli;
use crate::commands::{self, GROUPS, Row};

/// What the page of the program says besides its options and commands.
const PROGRAM: &str = include_str!("../manual/virt-esx.md");
const ANSWERS: &str = include_str!("../manual/answers.md");
const JSON: &str = include_str!("../json.md");

/// A page of the manual.
pub(crate) struct Page {
    /// `virt-esx-list`.
    name: String,
    /// 1 for commands, 5 for files.
    section: u8,
    blocks: Vec<Block>,
}

impl Page {
    /// Its file: `virt-esx-list.1`.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }

    /// The page for `man`. It has only ASCII characters.
    pub(crate) fn roff(&self) -> String {
        roff::render(self)
    }

    /// The page as text with lines of at most `width` columns.
    pub(crate) fn text(&self, width: usize) -> String {
        text::render(&self.blocks, width)
    }
}

/// All pages.
pub(crate) fn pages() -> impl Iterator<Item = Page> {
    let own = [program(), answers(), json()];
    own.into_iter().chain(commands::rows().map(of_command))
}

/// The page of this name: a command's, `answers`, `json`, or `virt-esx`; `virt-esx-` may stand in front.
pub(crate) fn page(name: &str) -> Option<Page> {
    let short = name.strip_prefix("virt-esx-").unwrap_or(name);
    match short {
        "virt-esx" => Some(program()),
        "answers" => Some(answers()),
        "json" => Some(json()),
        _ => {
            let mut rows = commands::rows();
            let row = commands::find(short)
                .or_else(|| rows.find(|row| row.name.replace(' ', "-") == short));
            row.map(of_command)
        }
    }
}

/// A section of the program's page, as text: for `--help`.
pub(crate) fn section(title: &str, width: usize) -> String {
    let blocks = block::read(PROGRAM);
    let mut blocks = blocks.into_iter();
    let first = blocks.find(|block| matches!(block, Block::Section(name) if name == title));
    let rest = blocks.take_while(|block| !matches!(block, Block::Section(_)));
    let blocks: Vec<_> = first.into_iter().chain(rest).collect();
    text::render(&blocks, width)
}

fn program() -> Page {
    let definition = Cli::definition();
    let about = definition.get_about().map(ToString::to_string);
    let mut blocks = head("virt-esx", &about.unwrap_or_default());
    blocks.push(Block::Section("Synopsis".to_owned()));
    for usage in [
        "[*OPTIONS*] [*COMMAND* [*ARGUMENTS*]]",
        "[*OPTIONS*] '*COMMAND*; *COMMAND*; ...'",
    ] {
        blocks.extend(block::read(&format!("**virt-esx** {usage}")));
    }
    blocks.push(Block::Section("Description".to_owned()));
    blocks.extend(description(&definition));
    blocks.push(Block::Section("Options".to_owned()));
    blocks.push(Block::Paragraph(spans(
        "They stand in front of the command; but for the last ones, behind its name, too.",
    )));
    blocks.extend(definition.get_arguments().map(of_argument));
    let own = PROGRAM.replace("<!-- URI -->", EsxUri::MANUAL);
    blocks.extend(block::read(&own));
    blocks.push(Block::Section("Commands".to_owned()));
    blocks.push(Block::Paragraph(spans(
        "Each has a page of its own: virt-esx-list(1), virt-esx-question-list(1).",
    )));
    for group in GROUPS {
        blocks.push(Block::Part(group.title.to_owned()));
        blocks.extend(group.rows.iter().map(|row| {
            let term = vec![Span::Literal(row.name.to_owned())];
            Block::Term(term, vec![spans(&about_of(&row.definition()))])
        }));
    }
    blocks.extend(see_also("virt-esx-answers(5), virt-esx-json(5), virsh(1)"));
    Page {
        name: "virt-esx".to_owned(),
        section: 1,
        blocks,
    }
}

fn answers() -> Page {
    let mut blocks = head(
        "virt-esx-answers",
        "rules that answer the questions of virtual machines",
    );
    blocks.extend(block::read(
        &ANSWERS.replace("<!-- RULES -->", Rules::MANUAL),
    ));
    blocks.extend(see_also(
        "virt-esx(1), virt-esx-question-list(1), virt-esx-question-answer(1), virt-esx-start(1)",
    ));
    Page {
        name: "virt-esx-answers".to_owned(),
        section: 5,
        blocks,
    }
}

fn json() -> Page {
    let mut blocks = head("virt-esx-json", "the JSON documents that virt-esx prints");
    blocks.push(Block::Section("Description".to_owned()));
    // The first line is the title.
    blocks.extend(block::read(JSON).into_iter().skip(1));
    blocks.extend(see_also("virt-esx(1)"));
    Page {
        name: "virt-esx-json".to_owned(),
        section: 5,
        blocks,
    }
}

fn of_command(row: &Row) -> Page {
    let name = format!("virt-esx-{}", row.name.replace(' ', "-"));
    let mut definition = row.definition();
    let mut blocks = head(&name, &about_of(&definition));
    blocks.push(Block::Section("Synopsis".to_owned()));
    let usage = definition.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let program = format!("virt-esx {}", row.name);
    blocks.push(Block::Paragraph(match usage.strip_prefix(&program) {
        Some(rest) => vec![Span::Literal(program), Span::Plain(rest.to_owned())],
        None => vec![Span::Plain(usage.to_owned())],
    }));
    blocks.push(Block::Section("Description".to_owned()));
    blocks.extend(description(&definition));
    let mut arguments = definition
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && arg.get_id() != "help")
        .peekable();
    if arguments.peek().is_some() {
        blocks.push(Block::Section("Options".to_owned()));
    }
    blocks.extend(arguments.map(of_argument));
    blocks.extend(block::read(OF_EVERY_COMMAND));
    blocks.extend(see_also("virt-esx(1), virt-esx-json(5)"));
    Page {
        name,
        section: 1,
        blocks,
    }
}

/// What is said on the page of every command.
const OF_EVERY_COMMAND: &str = "\
Every argument can be given by place or by name. The options `--connect`, `--output`, `--quiet`, `--readonly`, \
`--password-stdin`, `--keyring` and `--verbose` of virt-esx(1) can stand behind the command's name, too.

## Exit status

0: it is done. 1: it failed. 3: it is not known whether the server did it. 129, 130, 143: a signal ended it. virt-esx(1) says more.
";

fn head(name: &str, about: &str) -> Vec<Block> {
    let about = about.trim_end_matches('.');
    vec![
        Block::Section("Name".to_owned()),
        Block::Paragraph(vec![Span::Plain(format!("{name} - {about}"))]),
    ]
}

fn see_also(pages: &str) -> [Block; 2] {
    [
        Block::Section("See also".to_owned()),
        Block::Paragraph(vec![Span::Plain(pages.to_owned())]),
    ]
}

fn about_of(definition: &Command) -> String {
    definition
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The paragraphs of a command's help; of what stands beside the name already, only if there is nothing else.
fn description(definition: &Command) -> Vec<Block> {
    let about = about_of(definition);
    let long = definition.get_long_about().map(ToString::to_string);
    let long = long.as_deref().unwrap_or(&about);
    let rest = long
        .strip_prefix(&*about)
        .map(|rest| rest.trim_start_matches('.').trim_start());
    block::read(rest.filter(|rest| !rest.is_empty()).unwrap_or(long))
}

/// An option or argument as a term.
fn of_argument(arg: &Arg) -> Block {
    let mut term = Vec::new();
    if let Some(short) = arg.get_short() {
        term.push(Span::Literal(format!("-{short}")));
    }
    if let Some(long) = arg.get_long() {
        if !term.is_empty() {
            term.push(Span::Plain(", ".to_owned()));
        }
        term.push(Span::Literal(format!("--{long}")));
    }
    if arg.get_action().takes_values() {
        let name = arg.get_value_names().and_then(|names| names.first());
        let name = name.map_or(arg.get_id().as_str(), |name| name.as_str());
        let is_optional = arg
            .get_num_args()
            .is_some_and(|count| count.min_values() == 0);
        let (before, after) = match (term.is_empty(), is_optional) {
            (true, _) => ("", ""),
            (false, true) => ("[=", "]"),
            (false, false) => (" ", ""),
        };
        term.push(Span::Plain(before.to_owned()));
        term.push(Span::Variable(name.to_owned()));
        term.push(Span::Plain(after.to_owned()));
    }
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut texts: Vec<_> = help
        .split("\n\n")
        .map(|text| spans(&text.replace('\n', " ")))
        .collect();
    let defaults = arg.get_default_values();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        let defaults: Vec<_> = defaults
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        texts.push(spans(&format!("default: `{}`", defaults.join(","))));
    }
    texts.retain(|text| !text.is_empty());
    let values = arg.get_possible_values();
    let takes_values = arg.get_action().takes_values();
    for value in values
        .iter()
        .filter(|value| takes_values && !value.is_hide_set())
    {
        let mut text = vec![Span::Literal(value.get_name().to_owned())];
        if let Some(help) = value.get_help() {
            text.push(Span::Plain(": ".to_owned()));
            text.extend(spans(&help.to_string()));
        }
        texts.push(text);
    }
    Block::Term(term, texts)
}

/// A text in ASCII, for terminals and programs that know nothing else.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '…' => out.push_str("..."),
            '–' | '—' | '−' => out.push('-'),
            '×' => out.push('x'),
            '→' => out.push_str("->"),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            'µ' => out.push('u'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::{page, pages};
    use crate::signals::Signal;

    #[test]
    fn every_page_is_ascii_and_has_its_sections() {
        let mut names = BTreeSet::new();
        for page in pages() {
            let roff = page.roff();
            let strange: Vec<_> = roff.chars().filter(|c| !c.is_ascii()).collect();
            assert!(strange.is_empty(), "{}: {strange:?}", page.name);
            for section in [".SH NAME", ".SH DESCRIPTION", ".SH \"SEE ALSO\""] {
                assert!(roff.contains(section), "{}: {roff}", page.name);
            }
            // `whatis` finds pages by this line.
            let name = format!("{} \\- ", page.name.replace('-', "\\-"));
            assert!(roff.contains(&name), "{}: {roff}", page.name);
            assert!(names.insert(page.file_name()), "{} twice", page.name);
        }
        for name in [
            "virt-esx.1",
            "virt-esx-answers.5",
            "virt-esx-json.5",
            "virt-esx-question-list.1",
        ] {
            assert!(names.contains(name), "{name}: {names:?}");
        }
    }

    #[test]
    fn a_page_is_found_by_every_name_of_it() {
        for (name, file) in [
            ("virt-esx", "virt-esx.1"),
            ("list", "virt-esx-list.1"),
            ("virt-esx-list", "virt-esx-list.1"),
            ("question list", "virt-esx-question-list.1"),
            ("question-list", "virt-esx-question-list.1"),
            ("virt-esx-answers", "virt-esx-answers.5"),
            ("json", "virt-esx-json.5"),
        ] {
            let found = page(name).map(|page| page.file_name());
            assert_eq!(found.as_deref(), Some(file), "{name}");
        }
        assert!(page("nosuch").is_none());
    }

    /// Calls `each` with the text of every Rust file below the source folders of the workspace's crates that the command uses.
    fn sources(each: &mut dyn FnMut(&Path, &str)) {
        fn of(folder: &Path, each: &mut dyn FnMut(&Path, &str)) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => of(&path, each),
                    false if path.extension().is_some_and(|end| end == "rs") => {
                        let text = fs::read_to_string(&path).unwrap();
                        // What tests say is not what the command knows.
                        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                        if !path.ends_with("tests.rs") {
                            each(&path, text);
                        }
                    }
                    false => {}
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for crate_name in ["virt-esx", "esx-driver", "vi-client"] {
            of(&root.join(crate_name).join("src"), each);
        }
    }

    /// The texts in quotes.
    fn quoted(text: &str) -> impl Iterator<Item = &str> {
        text.split('"').skip(1).step_by(2)
    }

    #[test]
    fn every_variable_of_the_environment_is_described() {
        let (mut names, mut readers) = (BTreeSet::new(), 0);
        sources(&mut |path, text| {
            if !text.contains("env::var") {
                return;
            }
            readers += 1;
            let is_name = |name: &&str| {
                let letters = |c: char| c.is_ascii_uppercase() || c == '_';
                name.len() > 3 && name.chars().all(letters) || name.ends_with("_proxy")
            };
            let found: BTreeSet<_> = text
                .lines()
                .filter(|line| !line.trim().starts_with("//"))
                .flat_map(quoted)
                .filter(is_name)
                .collect();
            assert!(
                !found.is_empty(),
                "no names of variables in {}",
                path.display()
            );
            names.extend(found.into_iter().map(str::to_owned));
        });
        assert!(readers >= 8 && names.len() > 15, "{readers} {names:?}");
        let page = page("virt-esx").unwrap().text(100);
        let (_, environment) = page.split_once("\nEnvironment:\n").unwrap();
        let (environment, _) = environment.split_once("\nFiles:\n").unwrap();
        names.retain(|name| !environment.contains(name.as_str()));
        assert!(names.is_empty(), "add to manual/virt-esx.md: {names:?}");
    }

    #[test]
    fn every_parameter_of_a_uri_is_described() {
        let mut names = BTreeSet::new();
        sources(&mut |path, text| {
            if path.ends_with("esx-driver/src/uri.rs") {
                let (_, body) = text.split_once("fn read(&mut self, name: &str").unwrap();
                let (body, _) = body.split_once("_ => return Ok(false)").unwrap();
                let arms = body.lines().filter(|line| line.contains("\" => self."));
                names.extend(arms.flat_map(|arm| quoted(arm).next()).map(str::to_owned));
            }
            if path.ends_with("virt-esx/src/connection.rs") {
                let (_, list) = text.split_once("SIMULATOR_PARAMETERS: [&str;").unwrap();
                let (list, _) = list.split_once("];").unwrap();
                names.extend(quoted(list).map(str::to_owned));
            }
        });
        assert!(names.len() > 15, "{names:?}");
        let page = page("virt-esx").unwrap().text(100);
        names.retain(|name| !page.contains(&format!("\n  {name}\n")));
        assert!(
            names.is_empty(),
            "add to esx-driver/src/uri.md or manual/virt-esx.md: {names:?}"
        );
    }

    #[test]
    fn every_exit_status_is_described() {
        let mut statuses = BTreeSet::from(["0".to_owned(), "1".to_owned()]);
        let signals = [Signal::Interrupt, Signal::Terminate, Signal::HangUp];
        statuses.extend(signals.map(|signal| signal.status().to_string()));
        sources(&mut |path, text| {
            if !path.to_string_lossy().contains("virt-esx/src") {
                return;
            }
            let mut is_status = false;
            for line in text.lines().map(str::trim) {
                match line.strip_prefix("///") {
                    Some(doc) => is_status |= doc.to_lowercase().contains("exit status"),
                    None => {
                        let value = line.split_once(": u8 = ").filter(|_| is_status);
                        statuses
                            .extend(value.map(|(_, value)| value.trim_end_matches(';').to_owned()));
                        is_status = false;
                    }
                }
            }
        });
        assert!(statuses.len() >= 6, "{statuses:?}");
        let page = page("virt-esx").unwrap().text(100);
        // The first cells of the README's tables.
        let readme = include_str!("../../README.md");
        let readme: BTreeSet<_> = readme
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
            .flat_map(|cell| cell.split(", "))
            .collect();
        statuses.retain(|status| {
            !page.contains(&format!("\n  {status}\n")) || !readme.contains(status.as_str())
        });
        assert!(
            statuses.is_empty(),
            "add to manual/virt-esx.md and README.md: {statuses:?}"
        );
    }
}
