use std::fmt;
use std::str::FromStr;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The digest of a server certificate in DER form, which identifies the certificate.
///
/// Parses hexadecimal digits of either case, with or without colons: 64 digits are SHA-256, 40 are SHA-1 (as older
/// vSphere clients show it). The digest may be named in front, as tools print it: `SHA256:AB:CD:…`,
/// `sha256 Fingerprint=AB:CD:…`. Displays as VMware's tools do: `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Thumbprint {
    /// SHA-1, 20 bytes.
    Sha1([u8; 20]),
    /// SHA-256, 32 bytes.
    Sha256([u8; 32]),
}

impl Thumbprint {
    /// The SHA-256 thumbprint of a certificate in DER form.
    pub fn sha256(certificate: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(certificate).into())
    }

    /// The SHA-1 thumbprint of a certificate in DER form.
    pub fn sha1(certificate: &[u8]) -> Self {
        Self::Sha1(Sha1::digest(certificate).into())
    }

    /// Whether this is the thumbprint of `certificate` in DER form.
    pub fn matches(&self, certificate: &[u8]) -> bool {
        *self
            == match self {
                Self::Sha1(_) => Self::sha1(certificate),
                Self::Sha256(_) => Self::sha256(certificate),
            }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        }
    }
}

impl FromStr for Thumbprint {
    type Err = InvalidThumbprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidThumbprint(text.to_owned());
        let (length, digits) = match named(text.trim()) {
            Some((length, digits)) => (Some(length), digits),
            None => (None, text.trim()),
        };
        let mut bytes = Vec::with_capacity(32);
        let mut high = None;
        for c in digits.chars().filter(|&c| c != ':') {
            let digit = u8::try_from(c.to_digit(16).ok_or_else(invalid)?).map_err(|_| invalid())?;
            match high.take() {
                None => high = Some(digit),
                Some(high) => bytes.push(high << 4 | digit),
            }
        }
        if high.is_some() || length.is_some_and(|length| length != bytes.len()) {
            return Err(invalid());
        }
        if let Ok(bytes) = <[u8; 20]>::try_from(bytes.as_slice()) {
            return Ok(Self::Sha1(bytes));
        }
        <[u8; 32]>::try_from(bytes.as_slice())
            .map(Self::Sha256)
            .map_err(|_| invalid())
    }
}

/// The length that the name of a digest in front of the digits promises, and the digits.
fn named(text: &str) -> Option<(usize, &str)> {
    let (name, digits) = text.split_once([':', '='])?;
    let name = name.to_ascii_lowercase();
    match name.trim_end_matches(" fingerprint") {
        "sha256" | "sha-256" => Some((32, digits)),
        "sha1" | "sha-1" => Some((20, digits)),
        _ => None,
    }
}

/// The digest's name and the digits, as URIs take them: `SHA256:AB:CD:…`.
impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1(_) => write!(f, "SHA1:{self}"),
            Self::Sha256(_) => write!(f, "SHA256:{self}"),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.bytes().iter().enumerate() {
            if i > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

/// Invalid thumbprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a certificate thumbprint (40 hexadecimal digits for SHA-1 or 64 for SHA-256, colons allowed)"
)]
pub struct InvalidThumbprint(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_with_and_without_colons() {
        let shown = Thumbprint::sha256(b"x").to_string();
        assert_eq!(shown.len(), 95);
        let bare = shown.replace(':', "").to_lowercase();
        assert_eq!(shown.parse(), Ok(Thumbprint::sha256(b"x")));
        assert_eq!(bare.parse(), Ok(Thumbprint::sha256(b"x")));
    }

    #[test]
    fn the_digest_may_be_named() {
        let (sha256, sha1) = (Thumbprint::sha256(b"x"), Thumbprint::sha1(b"x"));
        let bare = sha256.to_string().replace(':', "").to_lowercase();
        for text in [
            format!("SHA256:{sha256}"),
            format!("sha256:{bare}"),
            format!("SHA-256:{bare}"),
            format!("SHA256 Fingerprint={sha256}"),
            format!(" sha256={bare}\n"),
        ] {
            assert_eq!(text.parse(), Ok(sha256), "{text}");
        }
        for text in [
            format!("SHA1:{sha1}"),
            format!("sha-1:{sha1}"),
            format!("sha1 Fingerprint={sha1}"),
        ] {
            assert_eq!(text.parse(), Ok(sha1), "{text}");
        }
        for text in [
            format!("SHA256:{sha1}"),
            format!("SHA1:{sha256}"),
            format!("MD5:{sha1}"),
            // as ssh prints it
            "SHA256:LS0tLXg=".to_owned(),
        ] {
            assert!(text.parse::<Thumbprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn debug_names_the_digest_and_can_be_parsed() {
        for thumbprint in [Thumbprint::sha256(b"x"), Thumbprint::sha1(b"x")] {
            assert_eq!(format!("{thumbprint:?}").parse(), Ok(thumbprint));
        }
        let abc = format!("{:?}", Thumbprint::sha1(b"abc"));
        assert_eq!(
            abc,
            "SHA1:A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D"
        );
    }

    #[test]
    fn sha1_is_told_by_its_length() {
        // RFC 3174: SHA1("abc")
        let abc: Thumbprint = "a9:99:3e:36:47:06:81:6a:ba:3e:25:71:78:50:c2:6c:9c:d0:d8:9d"
            .parse()
            .unwrap();
        assert!(abc.matches(b"abc"));
        assert!(!abc.matches(b"abd"));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "zz", "abc", "a9993e3647", &"ab".repeat(33)] {
            let error = text.parse::<Thumbprint>().unwrap_err();
            assert!(error.to_string().contains("not a certificate thumbprint"));
        }
    }
}
