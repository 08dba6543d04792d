//! Numbers that a command reads in its own time, as virsh does: checks that come before are not skipped because a number
//! is malformed.

use std::convert::Infallible;
use std::str::FromStr;

use clap::builder::ValueParser;

use super::options;
use crate::failure::Failure;

/// The text of a number: `#[arg(long, value_parser = Number::parser())] period: Option<Number>`.
#[derive(Debug, Clone)]
pub(crate) struct Number(pub(super) String);

impl Number {
    /// Reads any text.
    pub(crate) fn parser() -> ValueParser {
        ValueParser::new(|text: &str| Ok::<_, Infallible>(Self(text.to_owned())))
    }

    /// The text as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The number, of the option of that name (without dashes).
    ///
    /// # Errors
    /// virsh's text if it is not one, or out of its type's range.
    pub(crate) fn read<N: FromStr>(&self, option: &str) -> Result<N, Failure> {
        let number = options::number(&self.0);
        number.map_err(|_| Failure::new(self.malformed("Numeric", option)))
    }

    /// The seconds of a time-out: from 1 to as many as virsh can count in milliseconds in an int.
    ///
    /// # Errors
    /// virsh's text for any other number.
    pub(crate) fn seconds(&self, option: &str) -> Result<u64, Failure> {
        let seconds = options::number::<i32>(&self.0).ok();
        seconds
            .filter(|seconds| (1..=i32::MAX / 1000).contains(seconds))
            .and_then(|seconds| seconds.try_into().ok())
            .ok_or_else(|| Failure::new(self.malformed("Numeric", option)))
    }

    /// The number multiplied by its unit (`k`, `KiB`: 1024; `kB`: 1000; …), or by `scale` if it has none, as
    /// vshCommandOptScaledInt reads it.
    ///
    /// # Errors
    /// virsh's text, and libvirt's reason if there is one.
    pub(crate) fn scaled(&self, option: &str, scale: u64) -> Result<u64, Failure> {
        scaled(&self.0, scale).map_err(|reason| {
            let failure = Failure::new(self.malformed("Scaled numeric", option));
            match reason {
                Some(reason) => failure.followed_by(reason),
                None => failure,
            }
        })
    }

    /// The number as vshCommandOptULongLongWrap reads it: a negative one counts back from 2⁶⁴.
    ///
    /// # Errors
    /// virsh's text if it is not one, or out of its type's range.
    pub(crate) fn wrapping(&self, option: &str) -> Result<u64, Failure> {
        let negative = options::number::<i64>(&self.0);
        negative.map_or_else(|_| self.read(option), |number| Ok(number.cast_unsigned()))
    }

    fn malformed(&self, kind: &str, option: &str) -> String {
        let text = &self.0;
        format!("{kind} value '{text}' for <{option}> option is malformed or out of range")
    }
}

/// The number of `text` multiplied by its unit, or by `scale` if it has none.
///
/// # Errors
/// libvirt's reason, if it gives one.
pub(super) fn scaled(text: &str, scale: u64) -> Result<u64, Option<String>> {
    let digits = text.trim_start();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = digits.split_at(end.unwrap_or(digits.len()));
    let number: u64 = number.parse().map_err(|_| None)?;
    let factor = factor(unit, scale);
    let factor =
        factor.ok_or_else(|| Some(format!("invalid argument: unknown suffix '{unit}'")))?;
    let scaled = number.checked_mul(factor);
    scaled.ok_or_else(|| {
        Some(format!(
            "numerical overflow: value too large: {number}{unit}"
        ))
    })
}

/// How many bytes a unit is: a power of 1024, or of 1000 with a `B` behind its letter.
fn factor(unit: &str, scale: u64) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let mut rest = match unit.as_str() {
        "" => return Some(scale),
        "b" | "byte" | "bytes" => return Some(1),
        unit => unit.chars(),
    };
    let letter = rest.next()?;
    let (power, _) = (1..)
        .zip("kmgtpe".chars())
        .find(|(_, known)| *known == letter)?;
    match rest.as_str() {
        "" | "ib" => Some(1024_u64.pow(power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn scaled() {
        for (text, expected) in [
            ("5", Some(5 << 10)),
            (" +5b", Some(5)),
            ("5bytes", Some(5)),
            ("2k", Some(2048)),
            ("2KB", Some(2000)),
            ("2KiB", Some(2048)),
            ("1E", Some(1 << 60)),
            ("16E", None),
            ("5x", None),
            ("5kbit", None),
            ("-5", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            let read = Number(text.to_owned()).scaled("size", 1024);
            assert_eq!(read.ok(), expected, "{text:?}");
        }
        let wrapped = |text: &str| Number(text.to_owned()).wrapping("length").ok();
        assert_eq!(wrapped("-1"), Some(u64::MAX));
        assert_eq!(wrapped("18446744073709551615"), Some(u64::MAX));
        assert_eq!(wrapped("5"), Some(5));
        assert_eq!(wrapped("1k"), None);
        let failed = |text: &str| {
            let failure = Number(text.to_owned()).scaled("size", 1).unwrap_err();
            failure.to_string()
        };
        let first = "for <size> option is malformed or out of range";
        assert_eq!(
            failed("5x"),
            format!(
                "error: Scaled numeric value '5x' {first}\nerror: invalid argument: unknown suffix 'x'\n"
            )
        );
        assert_eq!(
            failed("99E"),
            format!(
                "error: Scaled numeric value '99E' {first}\n\
                 error: numerical overflow: value too large: 99E\n"
            )
        );
    }
}
