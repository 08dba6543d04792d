use similar::TextDiff;

/// What differs, line by line, with the lines around.
pub(crate) fn unified(expected: &str, found: &str) -> String {
    TextDiff::from_lines(expected, found)
        .unified_diff()
        .context_radius(2)
        .header("expected", "found")
        .to_string()
}
