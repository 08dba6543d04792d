//! Writes pages in the language of `man`.

use roff::{Inline, Roff, bold, italic, roman};

use super::block::{Block, Span};
use super::{Page, ascii};

/// The page, in ASCII, so that no locale and no `man` has to know more.
pub(super) fn render(page: &Page) -> String {
    let mut roff = Roff::new();
    let section = page.section.to_string();
    let version = concat!("virt-esx ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [&*page.name, &*section, "", version, "virt-esx"]);
    // Words are not hyphenated: they are names and options. Lines that are too short for them have ragged ends.
    roff.control("nh", []);
    roff.control("ad", ["l"]);
    for block in &page.blocks {
        write(&mut roff, block);
    }
    roff.render()
}

fn write(roff: &mut Roff, block: &Block) {
    match block {
        Block::Section(title) => drop(roff.control("SH", [&*ascii(title).to_uppercase()])),
        Block::Part(title) => drop(roff.control("SS", [&*ascii(title)])),
        Block::Paragraph(spans) => {
            roff.control("PP", []);
            roff.text(inlines(spans));
        }
        Block::Lines(lines) => {
            roff.control("PP", []);
            roff.control("RS", ["4"]);
            roff.control("nf", []);
            for line in lines.lines() {
                match line.is_empty() {
                    // An empty line of text would be a mistake to some programs.
                    true => roff.control("sp", []),
                    false => roff.text([roman(ascii(line))]),
                };
            }
            roff.control("fi", []);
            roff.control("RE", []);
        }
        Block::Item(spans) => {
            roff.control("IP", ["\\(bu", "2"]);
            roff.text(inlines(spans));
        }
        Block::Term(term, texts) => {
            roff.control("TP", []);
            roff.text(inlines(term));
            // A term needs a text.
            if texts.is_empty() {
                roff.text([roman("\u{20}")]);
            }
            for (place, text) in texts.iter().enumerate() {
                if place > 0 {
                    roff.control("br", []);
                }
                roff.text(inlines(text));
            }
        }
    }
}

fn inlines(spans: &[Span]) -> Vec<Inline> {
    let inline = |span: &Span| match span {
        Span::Plain(text) => roman(ascii(text)),
        Span::Literal(text) => bold(ascii(text)),
        Span::Variable(text) => italic(ascii(text)),
    };
    spans.iter().map(inline).collect()
}
