//! The synopsis of a command, as virsh's `help` writes it.

/// An option or argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    /// Whether its value can't be given by place.
    pub(super) is_by_name: bool,
}

/// What is given for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only its name.
    Flag,
    Text,
    Number,
    /// All arguments that are left.
    List,
}

/// The parameters of a synopsis, in their order:
///
/// ```text
/// send-key <domain> [--codeset <string>] [--holdtime <number>] {[--keycode] <string>}...
/// ```
pub(super) fn parameters(synopsis: &'static str) -> Vec<Parameter> {
    let words = words(synopsis).into_iter().skip(1);
    words.map(parameter).collect()
}

/// Splits at the blanks outside of brackets.
fn words(synopsis: &'static str) -> Vec<&'static str> {
    let mut words = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (index, c) in synopsis.char_indices() {
        match c {
            '<' | '[' | '{' => depth += 1,
            '>' | ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                words.push(&synopsis[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    words.push(&synopsis[start..]);
    words
}

fn parameter(word: &'static str) -> Parameter {
    let is_list = word.ends_with("...");
    let is_required = word.starts_with(['<', '{']);
    let is_bracket = |c: char| "<>[]{}.".contains(c);
    let (first, value) = word.split_once(' ').unwrap_or((word, ""));
    let first = first.trim_matches(is_bracket);
    let kind = match value.trim_matches(is_bracket) {
        _ if is_list => Kind::List,
        "number" => Kind::Number,
        "" if first.starts_with("--") => Kind::Flag,
        _ => Kind::Text,
    };
    Parameter {
        name: first.trim_start_matches("--"),
        kind,
        is_required,
        is_by_name: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, parameters};

    #[test]
    fn a_synopsis_has_every_kind_of_parameter() {
        let all = parameters(
            "x <domain> [--flag] [--text <string>] [--number <number>] [<list>]... [[--named] <string>]... {[--some] <string>}...",
        );
        let all: Vec<_> = all
            .iter()
            .map(|parameter| (parameter.name, parameter.kind, parameter.is_required))
            .collect();
        assert_eq!(
            all,
            [
                ("domain", Kind::Text, true),
                ("flag", Kind::Flag, false),
                ("text", Kind::Text, false),
                ("number", Kind::Number, false),
                ("list", Kind::List, false),
                ("named", Kind::List, false),
                ("some", Kind::List, true),
            ]
        );
    }
}
