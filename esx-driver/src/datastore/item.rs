//! Names of files and directories that the driver creates on datastores.

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use vmx::escape::PERCENT;

/// The name of the file or directory of something called `name`, in the manner of VMware's own tools: characters that no
/// file system takes are replaced by `_`, and other characters than plain ASCII are written in base64 between `+` and `-`
/// (esxUtil_EscapeDatastoreItem of libvirt's esx_util.c, 9.0.0).
///
/// The name cannot be read back, since several names become the same.
pub(crate) fn item_name(name: &str) -> String {
    let replaced = name.replace(['"', '*', '<', '>', ':', '|', '?'], "_");
    let escaped = PERCENT.escape(&replaced);
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some(&first) = rest.first() {
        let run = rest
            .iter()
            .take_while(|&&byte| is_plain(byte) == is_plain(first));
        let (run, behind) = rest.split_at(run.count());
        rest = behind;
        if is_plain(first) {
            out.extend(run.iter().map(|&byte| char::from(byte)));
            continue;
        }
        out.push('+');
        encoding().encode_string(run, &mut out);
        if !rest.is_empty() {
            out.push('-');
        }
    }
    out
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'(),. _-".contains(&byte)
}

/// base64 with a comma instead of the slash, which would separate directories.
fn encoding() -> GeneralPurpose {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    #[expect(clippy::expect_used, reason = "64 different printable characters")]
    let alphabet = Alphabet::new(ALPHABET).expect("an alphabet");
    GeneralPurpose::new(&alphabet, NO_PAD)
}

#[cfg(test)]
mod tests {
    use super::item_name;

    /// The vectors of libvirt's own test (tests/esxutilstest.c, testEscapeDatastoreItem, 9.0.0).
    #[test]
    fn names_are_escaped_as_libvirt_escapes_them() {
        for (name, expected) in [
            ("normal", "normal"),
            (
                "Aä1ö2ü3ß4#5~6!7§8/9%Z",
                "A+w6Q-1+w7Y-2+w7w-3+w58-4+Iw-5+fg-6+IQ-7+wqc-8+JQ-2f9+JQ-25Z",
            ),
            (
                "Z~6!7§8/9%0#1\"2'3`4&A",
                "Z+fg-6+IQ-7+wqc-8+JQ-2f9+JQ-250+Iw-1_2'3+YA-4+Jg-A",
            ),
            ("標準語", "+5qiZ5rqW6Kqe"),
            (
                "!\"#$%&'()*+,-./0123456789:;<=>?",
                "+IQ-_+IyQl-25+Jg-'()_+Kw-,-.+JQ-2f0123456789_+Ow-_+PQ-__",
            ),
            ("A Z[\\]^_B", "A Z+WyU-5c+XV4-_B"),
            ("A`B@{|}~DEL", "A+YA-B+QHs-_+fX4-DEL"),
            ("hÀÁÂÃÄÅH", "h+w4DDgcOCw4PDhMOF-H"),
            ("A쿀Z", "A+7L+A-Z"),
            ("!쿀A", "+Iey,gA-A"),
            ("~~~", "+fn5+"),
            ("~~~A", "+fn5+-A"),
            ("K%U/H\\Z", "K+JQ-25U+JQ-2fH+JQ-5cZ"),
            ("vvv<A\"B\"C>zzz", "vvv_A_B_C_zzz"),
        ] {
            assert_eq!(item_name(name), expected, "{name}");
        }
    }

    #[test]
    fn names_become_what_every_file_system_takes() {
        for (name, expected) in [
            ("normal", "normal"),
            ("", ""),
            ("web 01 (old), v1.2_a-b's", "web 01 (old), v1.2_a-b's"),
            ("名前", "+5ZCN5YmN"),
            ("Mäx", "M+w6Q-x"),
            ("x~", "x+fg"),
            ("a/b", "a+JQ-2fb"),
            ("a\\b", "a+JQ-5cb"),
            ("50%", "50+JQ-25"),
            ("\"a\"*<b>:|?", "_a___b____"),
            ("a+b", "a+Kw-b"),
        ] {
            assert_eq!(item_name(name), expected, "{name}");
        }
    }
}
