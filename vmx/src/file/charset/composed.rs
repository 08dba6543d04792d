//! Letters with signs of Hebrew and Vietnamese, which glibc decodes as one character where Unicode has one.
//!
//! `composed.txt` has a line for each sign: the sign, then pairs of a letter without and with it. It was made by asking glibc 2.36 for
//! every pair of bytes of `CP1255` and `CP1258`.

const TABLE: &str = include_str!("composed.txt");

/// Where Hebrew's composed letters begin, to which glibc adds a second sign.
const HEBREW: char = '\u{fb1d}';

/// The signs, each with its pairs.
fn signs() -> impl Iterator<Item = (char, impl Iterator<Item = (char, char)>)> {
    TABLE.lines().filter_map(|line| {
        let mut chars = line.chars();
        let sign = chars.next()?;
        Some((
            sign,
            std::iter::from_fn(move || Some((chars.next()?, chars.next()?))),
        ))
    })
}

/// The text of these characters, with each letter and the sign behind it as one.
pub(super) fn compose(chars: impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    let mut letter = None;
    for c in chars {
        match letter.and_then(|letter| with(letter, c)) {
            Some(whole) => {
                text.pop();
                text.push(whole);
                letter = Some(whole).filter(|whole| *whole >= HEBREW);
            }
            None => {
                text.push(c);
                letter = Some(c);
            }
        }
    }
    text
}

fn with(letter: char, sign: char) -> Option<char> {
    if sign.is_ascii() {
        return None;
    }
    let (_, mut pairs) = signs().find(|(found, _)| *found == sign)?;
    Some(pairs.find(|(found, _)| *found == letter)?.1)
}

/// The letter and the sign of a character.
pub(super) fn parts(whole: char) -> Option<(char, char)> {
    signs().find_map(|(sign, mut pairs)| {
        let (letter, _) = pairs.find(|(_, found)| *found == whole)?;
        Some((letter, sign))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pairs() {
        let mut count = 0;
        for line in TABLE.lines() {
            assert!(line.chars().count() % 2 == 1, "{line}");
        }
        for (sign, pairs) in signs() {
            for (letter, whole) in pairs {
                count += 1;
                assert_eq!(with(letter, sign), Some(whole));
                let text = compose([letter, sign, '.'].into_iter());
                assert_eq!(text, format!("{whole}."));
            }
        }
        assert_eq!(count, 198 + 32 + 4);
    }

    #[test]
    fn only_hebrew_has_two_signs() {
        for (text, composed) in [
            ("\u{5e9}\u{5bc}\u{5c1}", "\u{fb2c}"),
            ("\u{5e9}\u{5c2}\u{5bc}", "\u{fb2d}"),
            ("U\u{301}\u{303}", "\u{da}\u{303}"),
            ("\u{301}\u{301}a", "\u{301}\u{301}a"),
            ("e\u{323}e\u{301}x", "\u{1eb9}\u{e9}x"),
        ] {
            assert_eq!(compose(text.chars()), composed, "{text}");
        }
    }
}
