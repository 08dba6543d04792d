use std::{fmt, str::FromStr};

/// A UUID: 16 bytes in the order of its text. No byte order is ever swapped, so VMX files, the VI API
/// and libvirt show the same bytes.
///
/// [`Display`](fmt::Display) writes `8-4-4-4-12` in lower case. [`FromStr`] reads what libvirt's
/// `virUUIDParse` reads: pairs of hexadecimal digits with any number of blanks and `-` between them,
/// and white space around. It also reads the form of VMX files,
/// `56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID of 16 zero bytes, which libvirt uses for "none".
    pub const NIL: Uuid = Uuid([0; 16]);

    /// The UUID of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Uuid {
        Uuid(bytes)
    }

    /// The 16 bytes, in the order in which they are printed.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether all bytes are zero.
    pub fn is_nil(&self) -> bool {
        *self == Uuid::NIL
    }

    /// The UUID with the bytes of its first three fields reversed.
    ///
    /// SMBIOS stores these fields with the lowest byte first. Programs that read them, and hypervisors that write them, do
    /// not agree whether to reverse them, so tools that match guests to domains have to compare both forms.
    ///
    /// ```
    /// let uuid: virt_model::Uuid = "564d9bef-acd9-b4e0-c8f0-aea8b9103515".parse()?;
    /// assert_eq!(uuid.swapped().to_string(), "ef9b4d56-d9ac-e0b4-c8f0-aea8b9103515");
    /// assert_eq!(uuid.swapped().swapped(), uuid);
    /// # Ok::<(), virt_model::ParseUuidError>(())
    /// ```
    #[must_use]
    pub fn swapped(mut self) -> Uuid {
        self.0[..4].reverse();
        self.0[4..6].reverse();
        self.0[6..8].reverse();
        self
    }

    /// The form of VMX files: eight pairs separated by blanks, `-`, eight pairs.
    pub fn to_vmx(&self) -> String {
        let pairs = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        format!("{}-{}", pairs(&self.0[..8]), pairs(&self.0[8..]))
    }
}

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Uuid, ParseUuidError> {
        let fail = |at| ParseUuidError {
            text: text.to_owned(),
            at,
        };
        let bytes = text.as_bytes();
        let end = bytes.trim_ascii_end().len();
        let mut at = bytes.len() - bytes.trim_ascii_start().len();

        let mut uuid = [0; 16];
        for byte in &mut uuid {
            while at < end && matches!(bytes[at], b' ' | b'-') {
                at += 1;
            }
            let digit = |at: usize| {
                let digit = (at < end)
                    .then(|| char::from(bytes[at]).to_digit(16))
                    .flatten();
                digit.ok_or_else(|| fail(at))
            };
            // Two hexadecimal digits always fit into a byte.
            *byte = (digit(at)? * 16 + digit(at + 1)?) as u8;
            at += 2;
        }
        if at != end {
            return Err(fail(at));
        }
        Ok(Uuid(uuid))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uuid({self})")
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a UUID: expected a hexadecimal digit or the end at byte {at}")]
pub struct ParseUuidError {
    /// The text.
    pub text: String,
    /// The index of the first byte that is not accepted.
    pub at: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "564d9bef-acd9-b4e0-c8f0-aea8b9103515";

    #[track_caller]
    fn check(input: &str, expected: Option<&str>) {
        let uuid = input.parse::<Uuid>().ok().map(|uuid| uuid.to_string());
        assert_eq!(uuid.as_deref(), expected, "{input:?}");
    }

    #[test]
    fn plain() {
        check(TEXT, Some(TEXT));
    }

    #[test]
    fn vmx_form() {
        let vmx = "56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15";
        check(vmx, Some(TEXT));
        assert_eq!(TEXT.parse::<Uuid>().unwrap().to_vmx(), vmx);
    }

    #[test]
    fn upper_case_without_separators_and_with_space_around() {
        check("\t 564D9BEFACD9B4E0C8F0AEA8B9103515\r\n", Some(TEXT));
    }

    #[test]
    fn separators_repeat_and_lead() {
        check("- 564d9bef--acd9 - b4e0-c8f0-aea8-b910 35 15", Some(TEXT));
    }

    #[test]
    fn separator_inside_a_pair() {
        check("5-64d9bef-acd9-b4e0-c8f0-aea8b9103515", None);
    }

    #[test]
    fn too_short_too_long_and_foreign_letters() {
        check("", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b91035", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b910351", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b91035150", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b9103515-", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b910351g", None);
        check("564d9bef-acd9-b4e0-c8f0-aea8b910351é", None);
    }

    #[test]
    fn error_names_the_place() {
        let error = "564d9bef_acd9".parse::<Uuid>().unwrap_err();
        assert_eq!(error.at, 8);
    }

    #[test]
    fn nil() {
        assert!(
            "00000000-0000-0000-0000-000000000000"
                .parse::<Uuid>()
                .unwrap()
                .is_nil()
        );
        assert!(!TEXT.parse::<Uuid>().unwrap().is_nil());
    }

    proptest! {
        #[test]
        fn both_forms_round_trip(bytes: [u8; 16]) {
            let uuid = Uuid::from_bytes(bytes);
            prop_assert_eq!(uuid.to_string().parse::<Uuid>().unwrap(), uuid);
            prop_assert_eq!(uuid.to_vmx().parse::<Uuid>().unwrap(), uuid);
        }

        #[test]
        fn any_text_parses_or_fails_without_a_panic(text: String) {
            let _ = text.parse::<Uuid>();
        }
    }
}
