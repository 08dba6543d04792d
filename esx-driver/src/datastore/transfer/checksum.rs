use std::fmt;
use std::str::FromStr;

use virt_model::ErrorNumber;

use crate::{Error, ErrorKind};

/// The SHA-256 of the bytes of a transfer, in the order that they have in the file.
///
/// Displays as `sha256sum` does: 64 hexadecimal digits, which also parse, in either case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(digest: [u8; 32]) -> Sha256 {
        Sha256(digest)
    }
}

impl FromStr for Sha256 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Sha256, Error> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let mut digest = [0; 32];
        let is_read = text.len() == 64
            && text
                .as_bytes()
                .chunks(2)
                .zip(&mut digest)
                .all(|(pair, byte)| {
                    let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                        return false;
                    };
                    *byte = u8::try_from(high << 4 | low).unwrap_or_default();
                    true
                });
        if is_read {
            return Ok(Sha256(digest));
        }
        let message = format!("'{text}' is no SHA-256: it does not have 64 hexadecimal digits");
        Err(Error::new(
            ErrorKind::Argument,
            ErrorNumber::InvalidArg,
            message,
        ))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_read_back() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let sum: Sha256 = text.parse().unwrap();
        assert_eq!(sum.to_string(), text);
        assert_eq!(text.to_uppercase().parse::<Sha256>().unwrap(), sum);
        for bad in [
            "",
            "e3b0",
            &text[1..],
            &format!("{text}0"),
            &text.replace('e', "g"),
        ] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad}");
        }
        assert!("é".repeat(32).parse::<Sha256>().is_err());
    }
}
