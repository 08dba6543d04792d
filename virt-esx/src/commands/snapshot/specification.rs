//! The options that say where a snapshot stores memory and disks.

use crate::commands::options;
use crate::failure::Failure;
use crate::markup::escaped;

/// The element of a disk: `disk[,snapshot=type][,driver=type][,stype=type][,file=name]`.
///
/// # Errors
/// virsh's text.
pub(super) fn disk(text: &str) -> Result<String, Failure> {
    let failed = || Failure::new(format!("unable to parse diskspec: {text}"));
    let mut words = options::words(text).into_iter();
    let name = words.next().unwrap_or_default();
    let [snapshot, driver, storage, file] =
        values(words, ["snapshot", "driver", "stype", "file"]).ok_or_else(failed)?;
    let attribute = match storage.as_deref() {
        None | Some("file") => "file",
        Some("block") => "dev",
        Some(other) => {
            let line = format!("Unknown storage type: '{other}'");
            return Err(Failure::because(line, failed()));
        }
    };

    let mut xml = format!("<disk name='{}'", escaped(&name));
    push_attribute(&mut xml, "snapshot", snapshot.as_deref());
    push_attribute(&mut xml, "type", storage.as_deref());
    if driver.is_none() && file.is_none() {
        return Ok(xml + "/>\n");
    }
    xml += ">\n";
    for (element, attribute, value) in [("driver", "type", driver), ("source", attribute, file)] {
        if let Some(value) = value {
            xml += &format!("  <{element} {attribute}='{}'/>\n", escaped(&value));
        }
    }
    Ok(xml + "</disk>\n")
}

/// The element of the memory: `[file=]name[,snapshot=type]`.
///
/// # Errors
/// virsh's text.
pub(super) fn memory(text: &str) -> Result<String, Failure> {
    let values = values(options::words(text), ["snapshot", "file"]);
    let [snapshot, file] =
        values.ok_or_else(|| Failure::new(format!("unable to parse memspec: {text}")))?;
    let mut xml = "<memory".to_owned();
    push_attribute(&mut xml, "snapshot", snapshot.as_deref());
    push_attribute(&mut xml, "file", file.as_deref());
    Ok(xml + "/>\n")
}

fn push_attribute(xml: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        *xml += &format!(" {name}='{}'", escaped(value));
    }
}

/// The values of `NAME=VALUE` words; None if a word is something else or comes twice.
fn values<const N: usize>(
    words: impl IntoIterator<Item = String>,
    names: [&str; N],
) -> Option<[Option<String>; N]> {
    let mut values = [const { None }; N];
    for word in words {
        let (name, value) = word.split_once('=')?;
        let index = names.iter().position(|known| *known == name)?;
        if values[index].replace(value.to_owned()).is_some() {
            return None;
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::{disk, memory};

    // What virsh 9.0.0 prints with --print-xml.
    #[test]
    fn a_disk_is_an_element() {
        for (text, expected) in [
            ("sda", "<disk name='sda'/>\n"),
            ("sda,snapshot=no", "<disk name='sda' snapshot='no'/>\n"),
            (
                "vdb,driver=qcow2,file=/y",
                "<disk name='vdb'>\n  <driver type='qcow2'/>\n  <source file='/y'/>\n</disk>\n",
            ),
            (
                "sdc,snapshot=external,stype=block,file=/dev/x",
                "<disk name='sdc' snapshot='external' type='block'>\n  <source dev='/dev/x'/>\n</disk>\n",
            ),
            ("a,,b,snapshot=x", "<disk name='a,b' snapshot='x'/>\n"),
        ] {
            assert_eq!(disk(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn the_memory_is_an_element() {
        for (text, expected) in [
            (
                "file=/x,snapshot=external",
                "<memory snapshot='external' file='/x'/>\n",
            ),
            (
                "snapshot=c,file=a,,b",
                "<memory snapshot='c' file='a,b'/>\n",
            ),
            ("file=a<'b", "<memory file='a&lt;&apos;b'/>\n"),
        ] {
            assert_eq!(memory(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, expected) in [
            ("sda,foo", "error: unable to parse diskspec: sda,foo\n"),
            (
                "a,file=x,file=y",
                "error: unable to parse diskspec: a,file=x,file=y\n",
            ),
            (
                "a,stype=network,file=x",
                "error: Unknown storage type: 'network'\nerror: unable to parse diskspec: a,stype=network,file=x\n",
            ),
        ] {
            assert_eq!(disk(text).unwrap_err().to_string(), expected);
        }
        let failure = memory("x").unwrap_err();
        assert_eq!(failure.to_string(), "error: unable to parse memspec: x\n");
    }
}
