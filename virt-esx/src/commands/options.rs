//! Rules that options of several commands follow.

use crate::failure::Failure;

/// Refuses more than one of these options, of which each says whether it was given.
///
/// # Errors
/// virsh's text, with the first two that were given.
pub(crate) fn check_exclusive<const N: usize>(options: [(&str, bool); N]) -> Result<(), Failure> {
    let mut given = options.iter().filter(|(_, is_given)| *is_given);
    match (given.next(), given.next()) {
        (Some((one, _)), Some((other, _))) => Err(Failure::new(format!(
            "Options --{one} and --{other} are mutually exclusive"
        ))),
        _ => Ok(()),
    }
}

/// Refuses the first option without the second; each says whether it was given.
///
/// # Errors
/// virsh's text.
pub(crate) fn check_requires(
    (option, is_given): (&str, bool),
    (needed, is_there): (&str, bool),
) -> Result<(), Failure> {
    match is_given && !is_there {
        true => Err(Failure::new(format!(
            "Option --{needed} is required by option --{option}"
        ))),
        false => Ok(()),
    }
}

/// Refuses empty texts of options, in their order.
///
/// # Errors
/// virsh's text.
pub(crate) fn check_texts<const N: usize>(
    options: [(&str, &Option<String>); N],
) -> Result<(), Failure> {
    let mut options = options.into_iter();
    options.try_for_each(|(option, text)| check_text(option, text.as_deref()))
}

/// Refuses an empty text of an option.
///
/// # Errors
/// virsh's text.
pub(crate) fn check_text(option: &str, text: Option<&str>) -> Result<(), Failure> {
    match text {
        Some("") => Err(Failure::new(format!(
            "Failed to get option '{option}': Option argument is empty"
        ))),
        _ => Ok(()),
    }
}

/// The flags of the options that were given.
pub(crate) fn flags<F: std::ops::BitOr<Output = F> + Copy, const N: usize>(
    none: F,
    options: [(bool, F); N],
) -> F {
    let given = options.into_iter().filter(|(is_given, _)| *is_given);
    given.fold(none, |flags, (_, flag)| flags | flag)
}

/// Splits at commas; two of them are one that belongs to a word (vshStringToArray).
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_end = c == ',' && chars.next_if_eq(&',').is_none();
        match words.last_mut() {
            Some(word) if !is_end => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words
}

/// A number as C's `strtol` reads it: blanks may precede it.
///
/// # Errors
/// When it is not one, or out of its type's range.
pub(crate) fn number<N: std::str::FromStr>(text: &str) -> Result<N, N::Err> {
    text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r'])
        .parse()
}
