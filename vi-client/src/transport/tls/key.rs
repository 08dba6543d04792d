//! The key of a certificate, and the signature that shows that the server has it.

use std::fmt;

use ring::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    UnparsedPublicKey,
};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::SubjectPublicKeyInfoDer;

use super::der::{self, Element, Elements};

/// `rsaEncryption`.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The other keys that certificates have, for people: the object identifier of the curve, or else of the algorithm.
const KINDS: [(&[u8], &str); 8] = [
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        "an EC key on the curve P-256",
    ),
    (
        &[0x2b, 0x81, 0x04, 0x00, 0x22],
        "an EC key on the curve P-384",
    ),
    (
        &[0x2b, 0x81, 0x04, 0x00, 0x23],
        "an EC key on the curve P-521",
    ),
    (&[0x2b, 0x65, 0x70], "an Ed25519 key"),
    (&[0x2b, 0x65, 0x71], "an Ed448 key"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "a DSA key"),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
        "an EC key on a rare curve",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
        "an RSA-PSS key",
    ),
];

/// Shorter RSA keys are only for certificates that are trusted by themselves, longer ones for none: ring's limits.
const SAFE_RSA: usize = 2048;
const SHORTEST_RSA: usize = 1024;
const LONGEST_RSA: usize = 8192;

/// A public key.
#[derive(Clone, Copy)]
pub(super) struct PublicKey<'a> {
    /// The `SubjectPublicKeyInfo`.
    info: &'a [u8],
    /// What is in its `AlgorithmIdentifier`.
    algorithm: &'a [u8],
    bits: &'a [u8],
}

/// Why the signature of a handshake shows nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// It is not the key's.
    Forged,
    /// The key is an RSA key whose signatures can only be checked in TLS 1.2, and not all of them.
    ShortKey,
    /// There are no means to check signatures of such a key, or only for a certificate that is trusted by itself.
    Unverifiable { can_be_pinned: bool },
}

/// The two kinds of handshakes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Tls12,
    Tls13,
}

impl<'a> PublicKey<'a> {
    pub(super) fn read(info: Element<'a>) -> Option<Self> {
        let mut parts = info.inside();
        let algorithm = parts.expect(der::SEQUENCE)?.content;
        let (unused, bits) = parts.expect(der::BIT_STRING)?.content.split_first()?;
        (*unused == 0).then_some(Self {
            info: info.whole,
            algorithm,
            bits,
        })
    }

    /// The length of an RSA key, in bits.
    fn rsa_bits(&self) -> Option<usize> {
        if Elements(self.algorithm).next()?.content != RSA {
            return None;
        }
        let modulus = Elements(self.bits).expect(der::SEQUENCE)?.inside().next()?;
        let at = modulus.content.iter().position(|byte| *byte != 0)?;
        let digits = &modulus.content[at..];
        Some(digits.len() * 8 - digits[0].leading_zeros() as usize)
    }

    /// Checks the signature of a handshake. `trusted` is whether the certificate is trusted by itself, so that its owner has
    /// decided about the length of the key.
    pub(super) fn verify(
        &self,
        version: Version,
        message: &[u8],
        signed: &DigitallySignedStruct,
        algorithms: &WebPkiSupportedAlgorithms,
        trusted: bool,
    ) -> Result<(), Unproven> {
        match self.rsa_bits().map(|bits| bits.next_multiple_of(8)) {
            None | Some(SAFE_RSA..=LONGEST_RSA) => {}
            Some(SHORTEST_RSA..SAFE_RSA) if trusted => {
                return self.verify_short(version, message, signed);
            }
            Some(bits) => {
                let can_be_pinned = (SHORTEST_RSA..SAFE_RSA).contains(&bits);
                return Err(Unproven::Unverifiable { can_be_pinned });
            }
        }
        let is_own = |id: &[u8]| id == self.algorithm;
        if !algorithms
            .all
            .iter()
            .any(|known| is_own(&known.public_key_alg_id()))
        {
            let can_be_pinned = false;
            return Err(Unproven::Unverifiable { can_be_pinned });
        }
        let holds = match version {
            Version::Tls13 => {
                let key = SubjectPublicKeyInfoDer::from(self.info);
                verify_tls13_signature_with_raw_key(message, &key, signed, algorithms).is_ok()
            }
            // The scheme of TLS 1.2 does not tell the curve, so there are several algorithms for one.
            Version::Tls12 => algorithms
                .mapping
                .iter()
                .filter(|(scheme, _)| *scheme == signed.scheme)
                .flat_map(|(_, candidates)| *candidates)
                .filter(|candidate| is_own(&candidate.public_key_alg_id()))
                .any(|candidate| {
                    let verified =
                        candidate.verify_signature(self.bits, message, signed.signature());
                    verified.is_ok()
                }),
        };
        holds.then_some(()).ok_or(Unproven::Forged)
    }

    /// ring checks signatures of short keys only in the oldest of the schemes, which TLS 1.3 does not have.
    fn verify_short(
        &self,
        version: Version,
        message: &[u8],
        signed: &DigitallySignedStruct,
    ) -> Result<(), Unproven> {
        let algorithm = match (version, signed.scheme) {
            (Version::Tls12, SignatureScheme::RSA_PKCS1_SHA256) => {
                &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (Version::Tls12, SignatureScheme::RSA_PKCS1_SHA512) => {
                &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            _ => return Err(Unproven::ShortKey),
        };
        UnparsedPublicKey::new(algorithm, self.bits)
            .verify(message, signed.signature())
            .map_err(|_| Unproven::Forged)
    }
}

/// Whether signatures of this scheme can be checked for RSA keys of all lengths, or are of other keys.
pub(super) fn is_for_short_keys(scheme: SignatureScheme) -> bool {
    !matches!(
        scheme,
        SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
            | SignatureScheme::RSA_PKCS1_SHA384
    )
}

/// `an RSA key of 1024 bits`.
impl fmt::Display for PublicKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bits) = self.rsa_bits() {
            return write!(f, "an RSA key of {bits} bits");
        }
        let identifiers = || {
            let elements = Elements(self.algorithm);
            elements.filter(|element| element.tag == der::OBJECT_IDENTIFIER)
        };
        let known = |element: Element<'_>| {
            let kind = KINDS.iter().find(|(id, _)| *id == element.content);
            kind.map(|(_, text)| *text)
        };
        // The parameters tell more than the algorithm.
        let texts: Vec<_> = identifiers().filter_map(known).collect();
        f.write_str(texts.last().copied().unwrap_or("a key of an unknown kind"))
    }
}
