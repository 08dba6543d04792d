use std::{fmt, str::FromStr};

/// A version as libvirt encodes it: `1000000 * major + 1000 * minor + micro`.
///
/// [`FromStr`] reads `major[.minor[.micro]]` and ignores text after it (`6.7.0-8169922`, `4.1u1`),
/// as libvirt's `virStringParseVersion` does with `allowMissing`. [`Display`](fmt::Display) writes
/// all three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LibVersion(u64);

impl LibVersion {
    /// `major.minor.micro`; `minor` and `micro` below 1000.
    pub const fn new(major: u32, minor: u32, micro: u32) -> LibVersion {
        LibVersion(major as u64 * 1_000_000 + minor as u64 * 1000 + micro as u64)
    }

    /// The number libvirt's `virConnectGetVersion` gives.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The first number.
    pub const fn major(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The second number.
    pub const fn minor(self) -> u64 {
        self.0 / 1000 % 1000
    }

    /// The third number.
    pub const fn micro(self) -> u64 {
        self.0 % 1000
    }
}

impl FromStr for LibVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<LibVersion, ParseVersionError> {
        let mut parts = [0u32; 3];
        let mut rest = text;
        for (i, part) in parts.iter_mut().enumerate() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            *part = rest[..digits]
                .parse()
                .map_err(|_| ParseVersionError(text.to_owned()))?;
            // A larger number would run into the next part of the encoded version.
            if i > 0 && *part > 999 {
                return Err(ParseVersionError(text.to_owned()));
            }
            rest = &rest[digits..];
            match rest.strip_prefix('.') {
                Some(next) if i < 2 => rest = next,
                _ => break,
            }
        }
        Ok(LibVersion::new(parts[0], parts[1], parts[2]))
    }
}

impl fmt::Display for LibVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major(), self.minor(), self.micro())
    }
}

/// The text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version: expected `major[.minor[.micro]]`, the last two below 1000")]
pub struct ParseVersionError(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(
            text.parse().ok().map(LibVersion::number),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn all_parts() {
        check("6.7.3", Some(6_007_003));
        check("2.5", Some(2_005_000));
        check("9", Some(9_000_000));
        check("8.0.999", Some(8_000_999));
    }

    #[test]
    fn suffix_is_ignored() {
        check("6.7.0-8169922", Some(6_007_000));
        check("4.1u1", Some(4_001_000));
        check("8.0.3.0", Some(8_000_003));
        check("5 beta", Some(5_000_000));
    }

    #[test]
    fn no_version() {
        check("", None);
        check("v6", None);
        check(".5", None);
        check("6.", None);
        check("6.7.", None);
        check("6..1", None);
        check("6.1000", None);
        check("6.7.1000", None);
        check("99999999999.1", None);
    }

    #[test]
    fn display() {
        assert_eq!(LibVersion::new(6, 7, 0).to_string(), "6.7.0");
    }
}
