//! The format of keyrings.
//!
//! ```text
//! virt-esx keyring 1
//! secret 0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f
//! private no
//! description CHAP%20of%20the%20array
//! usage iscsi array
//! value Z2VoZWlt
//! end 1 c1d0b9…
//! ```
//!
//! The first line has the version. A secret begins with its UUID; `description`, `usage` (libvirt's word for the type, and
//! the id) and `value` (base64) may be missing. In texts, spaces, `%`, control characters and what is not ASCII are percent-encoded. The last
//! line has the number of secrets and the SHA-256 of all lines above it, and ends with a line feed: a file that was cut off
//! or changed is not taken for a keyring with other secrets.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use virt_model::{
    SecretDef,
    secret::{SecretUsage, SecretUsageType},
};
use zeroize::Zeroizing;

use crate::secret::store::Entry;

/// What the first line has in front of the version.
const TITLE: &str = "virt-esx keyring ";

const VERSION: &str = "1";

/// What is encoded in texts.
const SPECIAL: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is something else.
    Foreign,
    /// It is of another version.
    Version,
    /// The line of that number, counted from 1, cannot be understood.
    Line(usize),
    /// The end is missing.
    CutOff,
    /// It is not what was written.
    Changed,
}

/// The file of these secrets.
pub(super) fn encode(entries: &[Entry]) -> Zeroizing<Vec<u8>> {
    let size = |entry: &Entry| {
        let description = entry.def.description.as_ref().map_or(0, String::len);
        let usage = entry.def.usage.as_ref().map_or(0, |usage| usage.id().len());
        256 + 3 * (description + usage) + 2 * entry.value.as_ref().map_or(0, |value| value.len())
    };
    // With room for all of it the text never moves, so that no copy of it stays anywhere.
    let size = 256 + entries.iter().map(size).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(size));
    text.push_str(TITLE);
    text.push_str(VERSION);
    text.push('\n');
    for entry in entries {
        // Writing to a string cannot fail.
        let private = if entry.def.private { "yes" } else { "no" };
        let _ = write!(text, "secret {}\nprivate {private}\n", entry.uuid);
        if let Some(description) = &entry.def.description {
            let description = utf8_percent_encode(description, SPECIAL);
            let _ = writeln!(text, "description {description}");
        }
        if let Some(usage) = &entry.def.usage {
            let id = utf8_percent_encode(usage.id(), SPECIAL);
            let _ = writeln!(text, "usage {} {id}", usage.kind().as_str());
        }
        if let Some(value) = &entry.value {
            text.push_str("value ");
            STANDARD.encode_string(value.as_slice(), &mut text);
            text.push('\n');
        }
    }
    let (count, sum) = (entries.len(), sum(&text));
    let _ = writeln!(text, "end {count} {sum}");
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

/// The secrets of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|_| Damage::Foreign)?;
    let Some(rest) = text.strip_prefix(TITLE) else {
        return Err(match TITLE.starts_with(text) {
            true => Damage::CutOff,
            false => Damage::Foreign,
        });
    };
    match rest.split_once('\n') {
        Some((VERSION, _)) => {}
        Some(_) => return Err(Damage::Version),
        None => return Err(Damage::CutOff),
    }
    let lines = text.strip_suffix('\n').ok_or(Damage::CutOff)?;
    let (_, end) = lines.rsplit_once('\n').ok_or(Damage::CutOff)?;
    let (count, expected) = end
        .strip_prefix("end ")
        .and_then(|end| end.split_once(' '))
        .ok_or(Damage::CutOff)?;
    let above = &lines[..lines.len() - end.len()];
    if sum(above) != expected {
        return Err(Damage::Changed);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in (1..).zip(above.lines()).skip(1) {
        read(line, &mut entries).ok_or(Damage::Line(number))?;
    }
    match entries.len().to_string() == count {
        true => Ok(entries),
        false => Err(Damage::Changed),
    }
}

/// Reads a line. `None` if it cannot be understood.
fn read(line: &str, entries: &mut Vec<Entry>) -> Option<()> {
    let (word, rest) = line.split_once(' ')?;
    if word == "secret" {
        let uuid = rest.parse().ok()?;
        if entries.iter().any(|entry| entry.uuid == uuid) {
            return None;
        }
        let def = SecretDef {
            uuid: Some(uuid),
            ..SecretDef::default()
        };
        let value = None;
        entries.push(Entry { uuid, def, value });
        return Some(());
    }
    let entry = entries.last_mut()?;
    match word {
        "private" => {
            entry.def.private = match rest {
                "yes" => true,
                "no" => false,
                _ => return None,
            }
        }
        "description" => entry.def.description = Some(decoded(rest)?),
        "usage" => {
            let (kind, id) = rest.split_once(' ')?;
            let id = decoded(id)?;
            entry.def.usage = Some(match SecretUsageType::from_word(kind)? {
                SecretUsageType::Volume => SecretUsage::Volume(id),
                SecretUsageType::Ceph => SecretUsage::Ceph(id),
                SecretUsageType::Iscsi => SecretUsage::Iscsi(id),
                SecretUsageType::Tls => SecretUsage::Tls(id),
                SecretUsageType::Vtpm => SecretUsage::Vtpm(id),
                _ => return None,
            });
        }
        "value" => {
            // With room for all of it, as above.
            let mut value = Zeroizing::new(Vec::with_capacity(rest.len()));
            STANDARD.decode_vec(rest, &mut value).ok()?;
            entry.value = Some(value);
        }
        _ => return None,
    }
    Some(())
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some(text.into_owned())
}

fn sum(text: &str) -> String {
    let sum = Sha256::digest(text);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
