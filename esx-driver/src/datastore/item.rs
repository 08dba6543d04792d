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
