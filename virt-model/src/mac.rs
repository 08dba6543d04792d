use std::{fmt, str::FromStr};

/// A network card's address: six bytes.
///
/// [`Display`](fmt::Display) writes `52:54:00:ab:cd:ef`; [`FromStr`] reads what libvirt's
/// `virMacAddrParse` reads: six hexadecimal numbers up to `ff`, separated by `:`. Text after a
/// blank is ignored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The address of these bytes.
    pub const fn from_bytes(bytes: [u8; 6]) -> MacAddress {
        MacAddress(bytes)
    }

    /// The six bytes, in the order they are printed.
    pub const fn as_bytes(&self) -> &[u8; 6] {
        &self.0
    }

    /// Whether it addresses a group of cards instead of one.
    pub const fn is_multicast(&self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl FromStr for MacAddress {
    type Err = ParseMacAddressError;

    fn from_str(text: &str) -> Result<MacAddress, ParseMacAddressError> {
        let fail = || ParseMacAddressError {
            text: text.to_owned(),
        };
        let mut bytes = [0; 6];
        // Text after a blank is ignored, as in libvirt's virMacAddrParse.
        let (address, _) = text
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((text, ""));
        let mut parts = address.split(':');
        for byte in &mut bytes {
            let part = parts.next().ok_or_else(fail)?;
            // `from_str_radix` would accept a sign.
            if !part.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(fail());
            }
            *byte = u8::from_str_radix(part, 16).map_err(|_| fail())?;
        }
        match parts.next() {
            None => Ok(MacAddress(bytes)),
            Some(_) => Err(fail()),
        }
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacAddress({self})")
    }
}

/// The text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a MAC address: expected six hexadecimal numbers like `52:54:00:ab:cd:ef`")]
#[non_exhaustive]
pub struct ParseMacAddressError {
    /// The text.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = text.parse::<MacAddress>().ok().map(|mac| mac.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn texts() {
        check("52:54:00:AB:cd:0f", Some("52:54:00:ab:cd:0f"));
        check("0:1:2:3:4:5 6:7", Some("00:01:02:03:04:05"));
        check("0:1:2:3:4:005", Some("00:01:02:03:04:05"));
        for text in [
            "",
            "52:54:00:ab:cd",
            "52:54:00:ab:cd:ef:01",
            "52:54:00:ab:cd:100",
        ] {
            check(text, None);
        }
        for text in [
            "52-54-00-ab-cd-ef",
            "+1:2:3:4:5:6",
            "1:2:3::5:6",
            " 1:2:3:4:5:6",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn groups() {
        assert!(MacAddress::from_bytes([1, 0, 0x5e, 0, 0, 1]).is_multicast());
        assert!(!MacAddress::from_bytes([0, 0x0c, 0x29, 0, 0, 1]).is_multicast());
    }
}
