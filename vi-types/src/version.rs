//! The order of the API's versions.

/// The numbers of a version of the VI API, by which versions compare: `2.5 < 2.5u2 < 4.0 < 6.7 < 6.7.1 < 7.0.0.2 < 8.0.1.0`.
///
/// ```
/// use vi_types::VersionNumbers;
///
/// let version = |text| VersionNumbers::parse(text);
/// assert!(version("2.5u2") < version("4.0"));
/// assert_eq!(version("8.0"), version("8.0.0.0"));
/// assert_eq!(version("m5CA1EF4D"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionNumbers([u16; 4]);

impl VersionNumbers {
    /// The version with these numbers; missing ones are 0.
    pub const fn new(numbers: [u16; 4]) -> Self {
        Self(numbers)
    }

    /// Reads a version, such as the `since` of a type or a server's `about.apiVersion`; `None` if it is not written in
    /// numbers, like those of unreleased servers.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = [0; 4];
        let mut slots = numbers.iter_mut();
        // `2.5u2` and `2.5u2server` are update 2 of 2.5: a third number.
        for part in text.trim_end_matches("server").split(['.', 'u']) {
            let slot = slots.next()?;
            // `parse` would accept a sign.
            part.starts_with(|first: char| first.is_ascii_digit())
                .then_some(())?;
            *slot = part.parse().ok()?;
        }
        Some(Self(numbers))
    }

    /// The numbers.
    pub const fn numbers(self) -> [u16; 4] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_the_order_of_their_releases() {
        let order = [
            "2.0", "2.5", "2.5u2", "4.0", "4.1", "5.0", "5.5", "6.5", "6.7", "6.7.1", "6.7.3",
            "6.9.1", "7.0.0.0", "7.0.0.2", "7.0.3.2", "8.0.0.0", "8.0.1.0", "8.0.2.0", "9.1.1.0",
            "10.0",
        ];
        let versions = order.map(|text| VersionNumbers::parse(text).unwrap());
        assert!(versions.is_sorted_by(|left, right| left < right));
        let same = [("2.5u2", "2.5u2server"), ("8.0", "8.0.0.0"), ("6", "6.0")];
        for (left, right) in same {
            assert_eq!(VersionNumbers::parse(left), VersionNumbers::parse(right));
        }
    }

    #[test]
    fn what_has_no_numbers_has_no_order() {
        for text in [
            "",
            "six",
            "m5CA1EF4D",
            "6.7.1.2.3",
            "6.-7",
            "6.+7",
            "6..7",
            "70000.0",
        ] {
            assert_eq!(VersionNumbers::parse(text), None, "{text}");
        }
    }
}
