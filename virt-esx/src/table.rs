use unicode_width::UnicodeWidthChar as _;

use crate::ui::foreign;

/// A table as virsh prints it: every cell is preceded by one blank and padded to its column's width
/// and two blanks more, the last column is not padded, and a line of dashes follows the header.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these column titles.
    pub(crate) fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            header: header.into_iter().map(Cell::new).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row; `cells` are as many as there are columns.
    pub(crate) fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        let row: Vec<_> = cells.into_iter().map(Cell::new).collect();
        debug_assert_eq!(
            row.len(),
            self.header.len(),
            "a row has a cell for every column"
        );
        self.rows.push(row);
    }

    /// The table's text; without `header` the titles don't count for the widths either. On a terminal that is narrower, long
    /// cells go on in the next lines of their columns, which virsh leaves to the terminal. One that is too narrow for that has
    /// a line for each cell.
    pub(crate) fn render(&self, header: bool) -> String {
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        self.render_within(header, terminal.map(|(width, _)| usize::from(width.0)))
    }

    /// The table's text, at most `limit` columns wide.
    fn render_within(&self, header: bool, limit: Option<usize>) -> String {
        let shown = || header.then_some(&self.header).into_iter().chain(&self.rows);
        // The widest text of each column, and the widest word.
        let mut widths = vec![0; self.header.len()];
        let mut words = widths.clone();
        for row in shown() {
            for ((width, word), cell) in widths.iter_mut().zip(&mut words).zip(row) {
                *width = cell.width.max(*width);
                *word = cell.widest_word().max(*word);
            }
        }
        if let Some(limit) = limit {
            let room = limit.saturating_sub(GAP * widths.len());
            // Words are broken only if that does not suffice.
            if !narrow(&mut widths, &words, room)
                && !narrow(&mut widths, &vec![NARROWEST; words.len()], room)
            {
                return self.records(header, limit);
            }
        }

        let mut text = String::new();
        for (index, row) in shown().enumerate() {
            render_row(&row.iter().collect::<Vec<_>>(), &widths, &mut text);
            if header && index == 0 {
                text.extend(
                    widths
                        .iter()
                        .flat_map(|width| std::iter::repeat_n('-', width + GAP)),
                );
                text.push('\n');
            }
        }
        text
    }

    /// A line for each cell, with the title in front of it if `header` is wanted, and an empty line between two rows.
    fn records(&self, header: bool, limit: usize) -> String {
        let titles = if header { &*self.header } else { &[] };
        let title = titles.iter().map(|title| title.width).max();
        let room = limit.saturating_sub(title.map_or(1, |title| title + GAP + 1));
        let widths: Vec<_> = title.into_iter().chain([room.max(1)]).collect();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            for (column, cell) in row.iter().enumerate() {
                let line: Vec<_> = titles.get(column).into_iter().chain([cell]).collect();
                render_row(&line, &widths, &mut text);
            }
        }
        text
    }
}

/// What a column takes besides its widest cell: a blank in front of it, and two behind.
const GAP: usize = 3;

/// No column is made narrower than this.
const NARROWEST: usize = 6;

/// A cell that is wider than this many columns is cut. No name of a server is so long.
const WIDEST: usize = 1000;

/// Makes the widest columns narrower, but none narrower than `least` says, until all fit into `room`. Tells whether they do.
fn narrow(widths: &mut [usize], least: &[usize], room: usize) -> bool {
    while widths.iter().sum::<usize>() > room {
        let yielding = widths.iter_mut().zip(least);
        let yielding = yielding.filter(|(width, least)| **width > **least);
        match yielding.map(|(width, _)| width).max() {
            Some(widest) => *widest -= 1,
            None => return false,
        }
    }
    true
}

/// Writes a row: one line, or as many as its longest cell needs.
fn render_row(row: &[&Cell], widths: &[usize], text: &mut String) {
    let mut rest: Vec<_> = row.iter().map(|cell| (&*cell.text, cell.width)).collect();
    let mut is_first = true;
    loop {
        let begin = text.len();
        let mut padding = 0;
        for (index, (rest, width)) in rest.iter_mut().zip(widths).enumerate() {
            text.extend(std::iter::repeat_n(' ', padding + 1));
            let (taken, used) = take(rest, *width);
            text.push_str(taken);
            padding = width.saturating_sub(used) + if index + 1 < row.len() { 2 } else { 0 };
        }
        // virsh pads an empty last cell; lines of ours need not.
        if !is_first {
            text.truncate(begin + text[begin..].trim_end().len());
        }
        text.push('\n');
        is_first = false;
        if rest.iter().all(|(rest, _)| rest.is_empty()) {
            return;
        }
    }
}

/// Takes the first part of a text, with the columns that it takes: at most `columns`, but at least one character. It ends at
/// its last blank, or else behind its last slash, if it has one.
fn take<'a>(rest: &mut (&'a str, usize), columns: usize) -> (&'a str, usize) {
    let (text, all) = *rest;
    // The end of the part, where the rest begins, and the columns up to them.
    let (mut blank, mut slash) = (None, None);
    let mut used = 0;
    for (index, character) in text.char_indices() {
        if all <= columns {
            break;
        }
        let width = width(character).unwrap_or(0);
        if character == ' ' && index > 0 {
            blank = Some((index, index + 1, used, used + 1));
        }
        if used + width > columns && index > 0 {
            let cut = blank.or(slash).unwrap_or((index, index, used, used));
            let (end, next, taken, gone) = cut;
            *rest = (&text[next..], all - gone);
            return (&text[..end], taken);
        }
        used += width;
        if character == '/' && index > 0 {
            slash = Some((index + 1, index + 1, used, used));
        }
    }
    *rest = ("", 0);
    (text, all)
}

/// A text made safe for a terminal, as the cells of tables are: what cannot be shown is written as `\xNN`.
pub(crate) fn printable(text: &str) -> String {
    Cell::new(text).text
}

/// A cell's text made safe for a terminal, and the columns it takes there.
#[derive(Debug)]
struct Cell {
    text: String,
    width: usize,
}

impl Cell {
    /// Writes what a terminal can't show as `\xNN`, byte by byte, and a `\x` of the text itself in
    /// the same way, so that the escapes can be told from the text.
    ///
    /// virsh prints every byte above 0x7f of an unprintable character as `\xff`; here it is the
    /// byte's own value.
    fn new(source: &str) -> Self {
        if source.len() <= WIDEST
            && source
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~' if byte != b'\\'))
        {
            return Self {
                text: source.to_owned(),
                width: source.len(),
            };
        }
        let mut cell = Self {
            text: String::with_capacity(source.len()),
            width: 0,
        };
        let mut characters = source.chars().peekable();
        while let Some(character) = characters.next() {
            // Every row is padded to the width of the widest one.
            if cell.width >= WIDEST {
                cell.text.push_str("...");
                cell.width += 3;
                break;
            }
            let escape = character == '\\' && characters.peek() == Some(&'x');
            match width(character) {
                Some(width) if !escape => {
                    cell.text.push(character);
                    cell.width += width;
                }
                _ => cell.push_escaped(character),
            }
        }
        cell
    }

    /// The columns of the widest word.
    fn widest_word(&self) -> usize {
        let words = self.text.split(' ');
        let widths = words.map(|word| word.chars().filter_map(width).sum());
        widths.max().unwrap_or(0)
    }

    fn push_escaped(&mut self, character: char) {
        foreign::push_escaped(&mut self.text, character);
        self.width += 4 * character.len_utf8();
    }
}

/// The columns a character takes on a terminal; none if a terminal doesn't print it.
fn width(character: char) -> Option<usize> {
    match character {
        _ if foreign::is_command(character) => None,
        // Terminals print a soft hyphen as they do a hyphen.
        '\u{ad}' => Some(1),
        _ => character.width(),
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn names(names: &[&str]) -> Table {
        let mut table = Table::new(["Id", "Name", "State"]);
        for name in names {
            table.push(["1", name, "running"]);
        }
        table
    }

    #[test]
    fn pads_every_column_but_the_last() {
        let expected = " Id   Name   State\n\
                        ----------------------\n \
                         1    test   running\n";
        assert_eq!(names(&["test"]).render(true), expected);
    }

    #[test]
    fn an_empty_table_is_its_header() {
        assert_eq!(
            names(&[]).render(true),
            " Id   Name   State\n--------------------\n"
        );
    }

    #[test]
    fn without_header_the_titles_take_no_room() {
        assert_eq!(names(&["t"]).render(false), " 1   t   running\n");
        assert_eq!(names(&[]).render(false), "");
    }

    #[test]
    fn long_cells_are_broken_where_the_terminal_is_narrow() {
        let table = names(&[
            "short",
            "abcdefghijklmnopqrstuvwxyz",
            "漢字漢字漢字漢字漢字",
        ]);
        let expected = " Id   Name              State\n\
                        ---------------------------------\n \
                        1    short             running\n \
                        1    abcdefghijklmno   running\n      \
                        pqrstuvwxyz\n \
                        1    漢字漢字漢字漢    running\n      \
                        字漢字\n";
        assert_eq!(table.render_within(true, Some(33)), expected);
        for wide in [Some(44), Some(500), None] {
            assert_eq!(
                table.render_within(true, wide).lines().count(),
                5,
                "{wide:?}"
            );
        }
    }

    #[test]
    fn words_stay_whole_while_others_can_be_broken() {
        let mut table = Table::new(["Name", "Path", "State of it"]);
        table.push(["x", "[ds] folder/of/a/file", "shut off now"]);
        let expected = concat!(
            " Name   Path           State\n",
            "                       of it\n",
            "------------------------------\n",
            " x      [ds]           shut\n",
            "        folder/of/a/   off\n",
            "        file           now\n",
        );
        assert_eq!(table.render_within(true, Some(30)), expected);
        // A word that has no place is broken in the end.
        let mut table = Table::new(["Id", "Name"]);
        table.push(["1", "two abcdefghijklmnop"]);
        assert_eq!(
            table.render_within(false, Some(17)),
            " 1   two\n     abcdefghij\n     klmnop\n"
        );
    }

    #[test]
    fn a_table_that_cannot_fit_has_a_line_for_each_cell() {
        let table = names(&["abcdefghijklmnopqrstuvwxyz", "x"]);
        let narrowest = 9 + 1 + 6 + 6;
        let found = table.render_within(false, Some(narrowest));
        assert_eq!(
            found,
            " 1   abcdef   runnin\n     ghijkl   g\n     mnopqr\n     stuvwx\n     yz\n \
             1   x        runnin\n              g\n"
        );
        let found = table.render_within(false, Some(narrowest - 1));
        assert_eq!(
            found,
            " 1\n abcdefghijklmnopqrst\n uvwxyz\n running\n\n 1\n x\n running\n"
        );
        let found = table.render_within(true, Some(narrowest - 1));
        assert_eq!(
            found,
            " Id      1\n Name    abcdefghijkl\n         mnopqrstuvwx\n         yz\n State   running\n\n \
             Id      1\n Name    x\n State   running\n"
        );
        assert_eq!(names(&[]).render_within(true, Some(5)), "");
    }

    #[test]
    fn wide_and_combining_characters_count_their_columns() {
        let rendered =
            names(&["漢字", "e\u{301}", "Ａ", "😀", "zwj\u{200d}x", "a\u{ad}"]).render(false);
        let expected = " 1   漢字   running\n 1   e\u{301}      running\n 1   Ａ     running\n \
                        1   😀     running\n 1   zwj\u{200d}x   running\n \
                        1   a\u{ad}     running\n";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn endless_cells_are_cut() {
        for name in ["x".repeat(1_000_000), "漢".repeat(1_000_000)] {
            let text = names(&[&name, "y"]).render(false);
            assert!(text.len() < 4000, "{}", text.len());
            assert!(text.lines().next().unwrap().contains("..."));
        }
    }

    #[test]
    fn unprintable_characters_are_escaped() {
        for (name, shown) in [
            ("tab\tx", r"tab\x09x"),
            ("del\x7f", r"del\x7f"),
            (r"a\x41", r"a\x5cx41"),
            (r"a\b", r"a\b"),
            ("a\u{2028}", r"a\xe2\x80\xa8"),
            ("a\u{85}", r"a\xc2\x85"),
            ("a\u{202e}b", r"a\xe2\x80\xaeb"),
        ] {
            assert_eq!(
                names(&[name]).render(false),
                format!(" 1   {shown}   running\n"),
                "{name:?}"
            );
        }
    }
}
