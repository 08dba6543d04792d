//! What a host says about its processors.

use virt_model::{ErrorNumber, NodeInfo};

use crate::{Error, ErrorKind, Result};

/// A processor's name as libvirt 9.0.0 shortens it (esxNodeGetInfo of esx_driver.c): without doubled blanks, `(R)`, `(C)`
/// and `(TM)`, cut to the length of `virNodeInfo.model`.
pub(crate) fn model(name: &str) -> String {
    let mut name = name.to_owned();
    // Removing a mark may leave a doubled blank, and removing a blank may complete a mark.
    loop {
        let mut shorter = name.replace("  ", " ");
        for mark in ["(R)", "(C)", "(TM)"] {
            shorter = shorter.replace(mark, "");
        }
        if shorter == name {
            return NodeInfo::short_model(&name).to_owned();
        }
        name = shorter;
    }
}

/// Whether a processor has the 64-bit mode: bit 29 of EDX of CPUID leaf 0x80000001, written as eight
/// groups of four characters with colons between them, the highest bit first.
///
/// # Errors
/// [`ErrorKind::UnexpectedValue`] if the register has another form, or if the bit is neither 0 nor 1.
pub(crate) fn has_long_mode(edx: &str) -> Result<bool> {
    let bits = bits("edx", edx)?;
    match bits[31 - 29] {
        '0' => Ok(false),
        '1' => Ok(true),
        other => Err(unexpected(format!(
            "Bit 29 (Long Mode) of HostSystem property 'hardware.cpuFeature[].edx' with value '{edx}' has \
             unexpected value '{other}', expecting '0' or '1'"
        ))),
    }
}

fn bits(register: &str, text: &str) -> Result<Vec<char>> {
    if text.chars().count() != 39 {
        return Err(unexpected(format!(
            "HostCpuIdInfo register '{register}' has an unexpected length"
        )));
    }
    if text
        .chars()
        .enumerate()
        .any(|(i, c)| (i % 5 == 4) != (c == ':'))
    {
        return Err(unexpected(format!(
            "HostCpuIdInfo register '{register}' has an unexpected format"
        )));
    }
    Ok(text.chars().filter(|c| *c != ':').collect())
}

fn unexpected(message: String) -> Error {
    Error::new(
        ErrorKind::UnexpectedValue,
        ErrorNumber::InternalError,
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models() {
        for (name, expected) in [
            (
                "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz",
                "Intel Xeon CPU E5-2680 v4 @ 2.4",
            ),
            (
                "Intel(R) Core(TM)2 CPU          6600  @ 2.40GHz",
                "Intel Core2 CPU 6600 @ 2.40GHz",
            ),
            ("AMD Opteron(tm)", "AMD Opteron(tm)"),
            ("A (R) (TM) B", "A B"),
            ("((R)R)", ""),
            ("", ""),
        ] {
            assert_eq!(model(name), expected, "{name:?}");
        }
    }

    #[test]
    fn long_mode() {
        let edx = "0010:1000:0001:0000:0000:1000:0000:0000";
        assert!(has_long_mode(edx).unwrap());
        assert!(!has_long_mode("0001:1000:0001:0000:0000:1000:0000:0000").unwrap());
        assert!(has_long_mode("HR1T:XXXX:----:0000:0000:1000:0000:0000").unwrap());
    }

    #[track_caller]
    fn refused(edx: &str, text: &str) {
        assert_eq!(has_long_mode(edx).unwrap_err().message(), text);
    }

    #[test]
    fn registers_of_another_shape() {
        refused("", "HostCpuIdInfo register 'edx' has an unexpected length");
        refused(
            "00101000000100000000100000000000",
            "HostCpuIdInfo register 'edx' has an unexpected length",
        );
        refused(
            "0010:1000:0001:0000:0000:1000:0000-0000",
            "HostCpuIdInfo register 'edx' has an unexpected format",
        );
        refused(
            "00H0:1000:0001:0000:0000:1000:0000:0000",
            "Bit 29 (Long Mode) of HostSystem property 'hardware.cpuFeature[].edx' with value \
             '00H0:1000:0001:0000:0000:1000:0000:0000' has unexpected value 'H', expecting '0' or '1'",
        );
    }
}
