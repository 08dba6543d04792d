use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

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

    /// The table's text; without `header` the titles don't count for the widths either.
    pub(crate) fn render(&self, header: bool) -> String {
        let shown = || header.then_some(&self.header).into_iter().chain(&self.rows);
        let mut widths = vec![0; self.header.len()];
        for row in shown() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width.max(*width);
            }
        }

        let mut text = String::new();
        for (index, row) in shown().enumerate() {
            render_row(row, &widths, &mut text);
            if header && index == 0 {
                text.extend(
                    widths
                        .iter()
                        .flat_map(|width| std::iter::repeat_n('-', width + 3)),
                );
                text.push('\n');
            }
        }
        text
    }
}

fn render_row(row: &[Cell], widths: &[usize], text: &mut String) {
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        text.push(' ');
        text.push_str(&cell.text);
        if index + 1 < row.len() {
            text.extend(std::iter::repeat_n(' ', width - cell.width + 2));
        }
    }
    text.push('\n');
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
        if source
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

    fn push_escaped(&mut self, character: char) {
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "\\x{byte:02x}");
            self.width += 4;
        }
    }
}

/// The columns a character takes on a terminal; none if a terminal doesn't print it.
fn width(character: char) -> Option<usize> {
    match character {
        // Line and paragraph separators: no control characters, but nothing that is printed.
        '\u{2028}' | '\u{2029}' => None,
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
    fn wide_and_combining_characters_count_their_columns() {
        let rendered =
            names(&["漢字", "e\u{301}", "Ａ", "😀", "zwj\u{200d}x", "a\u{ad}"]).render(false);
        let expected = " 1   漢字   running\n 1   e\u{301}      running\n 1   Ａ     running\n \
                        1   😀     running\n 1   zwj\u{200d}x   running\n \
                        1   a\u{ad}     running\n";
        assert_eq!(rendered, expected);
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
        ] {
            assert_eq!(
                names(&[name]).render(false),
                format!(" 1   {shown}   running\n"),
                "{name:?}"
            );
        }
    }
}
