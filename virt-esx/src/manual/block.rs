//! What a page is made of, read from Markdown.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// The title of a section.
    Section(String),
    /// The title of a part of a section.
    Part(String),
    Paragraph(Vec<Span>),
    /// Lines that are shown as they are.
    Lines(String),
    /// An item of a list.
    Item(Vec<Span>),
    /// A term, and what there is to say of it.
    Term(Vec<Span>, Vec<Vec<Span>>),
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Span {
    Plain(String),
    /// What is typed or printed as it is.
    Literal(String),
    /// What stands for something else.
    Variable(String),
}

impl Span {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Literal(text) | Self::Variable(text) => text,
        }
    }
}

/// Reads Markdown: headings, paragraphs, lists, tables and code. Of links, their texts are left.
///
/// A row of a table is a term, its first cell, with the other cells below it; behind the second one, the heading of the column stands
/// in front of them.
pub(super) fn read(markdown: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        reader.take(event);
    }
    reader.blocks
}

/// The spans of a text that has nothing but `code` in it.
pub(super) fn spans(text: &str) -> Vec<Span> {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(place, piece)| match place % 2 {
        0 => Span::Plain(piece.to_owned()),
        _ => Span::Literal(piece.to_owned()),
    });
    pieces.filter(|span| !span.text().is_empty()).collect()
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    code: Option<String>,
    /// Whether emphasised text is read.
    is_emphasised: bool,
    is_strong: bool,
    /// The headings of the table's columns.
    columns: Vec<String>,
    cells: Vec<Vec<Span>>,
    /// How many lists are open.
    depth: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
                self.code = Some(String::new());
            }
            Event::Start(Tag::Emphasis) => self.is_emphasised = true,
            Event::End(TagEnd::Emphasis) => self.is_emphasised = false,
            Event::Start(Tag::Strong) => self.is_strong = true,
            Event::End(TagEnd::Strong) => self.is_strong = false,
            Event::Start(Tag::List(_)) => self.depth += 1,
            Event::End(TagEnd::List(_)) => self.depth -= 1,
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None if self.is_emphasised => self.spans.push(Span::Variable(text.into_string())),
                None if self.is_strong => self.spans.push(Span::Literal(text.into_string())),
                None => self.plain(&text),
            },
            Event::Code(text) => self.spans.push(Span::Literal(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.plain(" "),
            Event::End(end) => self.end(end),
            _ => {}
        }
    }

    fn plain(&mut self, text: &str) {
        match self.spans.last_mut() {
            Some(Span::Plain(before)) => before.push_str(text),
            _ => self.spans.push(Span::Plain(text.to_owned())),
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(level) => {
                let title = plain(&std::mem::take(&mut self.spans));
                self.blocks.push(match level as usize {
                    1 | 2 => Block::Section(title),
                    _ => Block::Part(title),
                });
            }
            TagEnd::Paragraph | TagEnd::Item if !self.spans.is_empty() => {
                let spans = std::mem::take(&mut self.spans);
                self.blocks.push(match self.depth {
                    0 => Block::Paragraph(spans),
                    _ => Block::Item(spans),
                });
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.blocks.push(Block::Lines(code));
            }
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.spans)),
            TagEnd::TableHead => {
                let cells = std::mem::take(&mut self.cells);
                self.columns = cells.iter().map(|cell| plain(cell)).collect();
            }
            TagEnd::TableRow => self.row(),
            _ => {}
        }
    }

    fn row(&mut self) {
        let cells = std::mem::take(&mut self.cells);
        let mut columns = self.columns.iter().zip(cells);
        let Some((_, term)) = columns.next() else {
            return;
        };
        let texts = columns.enumerate().map(|(place, (column, mut cell))| {
            if place > 0 && !cell.is_empty() {
                cell.insert(0, Span::Plain(format!("{column}: ")));
            }
            cell
        });
        let texts = texts.filter(|cell| !cell.is_empty()).collect();
        self.blocks.push(Block::Term(term, texts));
    }
}

/// The text of spans.
pub(super) fn plain(spans: &[Span]) -> String {
    spans.iter().map(Span::text).collect()
}

#[cfg(test)]
mod tests {
    use super::{Block, read, spans};

    fn shown(markdown: &str) -> String {
        let blocks = read(markdown);
        let blocks = blocks.iter().map(|block| format!("{block:?}\n"));
        blocks.collect()
    }

    #[test]
    fn every_kind_of_block_is_read() {
        let text = shown(
            "## A title\n\n### A part\n\nOne `two`\nthree [four](x). *FILE*\n\n- an item\n- another `one`\n\n\
             ```toml\na = 1\n\nb\n```\n\n| k | v | w |\n|---|---|---|\n| `a` | b \\| c | d |\n| e | f | |\n",
        );
        let expected = r#"Section("A title")
Part("A part")
Paragraph([Plain("One "), Literal("two"), Plain(" three four. "), Variable("FILE")])
Item([Plain("an item")])
Item([Plain("another "), Literal("one")])
Lines("a = 1\n\nb\n")
Term([Literal("a")], [[Plain("b | c")], [Plain("w: "), Plain("d")]])
Term([Plain("e")], [[Plain("f")]])
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn code_in_a_line_is_literal() {
        let read = Block::Paragraph(spans("a `b` c`d`"));
        let expected = r#"Paragraph([Plain("a "), Literal("b"), Plain(" c"), Literal("d")])"#;
        assert_eq!(format!("{read:?}"), expected);
    }
}
