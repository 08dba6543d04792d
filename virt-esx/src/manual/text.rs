//! Writes pages as plain text.

use unicode_width::UnicodeWidthStr as _;

use super::block::{Block, Span, plain};

/// The text, whose lines have at most `width` columns where words allow it.
pub(super) fn render(blocks: &[Block], width: usize) -> String {
    let mut out = String::new();
    for (place, block) in blocks.iter().enumerate() {
        let is_below_term = matches!(block, Block::Term(..) | Block::Item(_))
            && place
                .checked_sub(1)
                .is_some_and(|before| same_kind(&blocks[before], block));
        if place > 0 && !is_below_term {
            out.push('\n');
        }
        write(&mut out, block, width);
    }
    out
}

fn same_kind(one: &Block, other: &Block) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn write(out: &mut String, block: &Block, width: usize) {
    match block {
        Block::Section(title) => fill(out, &format!("{title}:"), 0, 0, width),
        Block::Part(title) => fill(out, &format!("{title}:"), 1, 1, width),
        Block::Paragraph(spans) => fill(out, &quoted(spans), 2, 2, width),
        Block::Lines(lines) => {
            for line in lines.lines() {
                let line = format!("      {line}");
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        Block::Item(spans) => fill(out, &format!("- {}", quoted(spans)), 2, 4, width),
        Block::Term(term, texts) => {
            fill(out, &plain(term), 2, 6, width);
            for text in texts {
                fill(out, &quoted(text), 6, 6, width);
            }
        }
    }
}

/// The text of spans; what is typed as it is stands in backticks where it would be read wrongly otherwise.
fn quoted(spans: &[Span]) -> String {
    let span = |span: &Span| match span {
        Span::Literal(text) if text.contains(' ') => format!("`{text}`"),
        Span::Plain(text) | Span::Literal(text) | Span::Variable(text) => text.clone(),
    };
    spans.iter().map(span).collect()
}

/// Writes words in lines of at most `width` columns; the first one begins at the column `first`, the others at `rest`.
fn fill(out: &mut String, text: &str, first: usize, rest: usize, width: usize) {
    let mut column = first;
    out.push_str(&" ".repeat(first));
    let mut is_first = true;
    for word in text.split_whitespace() {
        if !is_first && column + 1 + word.width() > width {
            out.push('\n');
            out.push_str(&" ".repeat(rest));
            column = rest;
        } else if !is_first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.width();
        is_first = false;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::manual::block;

    #[test]
    fn lines_are_filled() {
        let blocks = block::read(
            "## Files\n\nSome words that are more than a line has.\n\n| a | b |\n|---|---|\n\
             | `~/x` | what `x y` has in it for ever |\n| `z` | |\n\n- one\n- two\n\n```\n$ a\n\nb\n```\n",
        );
        let expected = "\
Files:

  Some words that are
  more than a line has.

  ~/x
      what `x y` has in
      it for ever
  z

  - one
  - two

      $ a

      b
";
        assert_eq!(render(&blocks, 23), expected);
    }
}
