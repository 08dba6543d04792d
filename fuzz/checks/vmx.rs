//! VMX files: no text panics, they print back unchanged, and lenient reading without a warning gives the same machine as
//! strict reading, if that succeeds.

use vmx::names::Folder;
use vmx::virt_model::DomainDef;
use vmx::virt_model::domain::DiskSource;
use vmx::{LibvirtVersion, ParseOptions, VmxFile};

pub(crate) fn check(data: &[u8]) {
    let Ok(mut file) = VmxFile::read(data) else {
        return;
    };
    assert_eq!(file.as_bytes(), data);
    for entry in file.entries() {
        let position = entry.position();
        assert!(position.bytes.end <= data.len());
        assert!(file.find(entry.key()).is_some());
    }

    for libvirt in LibvirtVersion::ALL {
        let names = Folder::default();
        let parse = |options: ParseOptions| vmx::parse(data, &names, &options.as_libvirt(libvirt));
        let lenient = parse(ParseOptions::default());
        let Ok(mut strict) = parse(ParseOptions::strict()) else {
            continue;
        };
        // VMware's escapes, which libvirt undoes in two values only, and bytes that have another meaning to those
        // who don't trust the label, as two of Shift_JIS's have to libvirt; libvirt's own quotes.
        let shift_jis = file.encoding() == "Shift_JIS";
        if shift_jis
            || data.iter().any(|byte| {
                *byte == b'|' || *byte == b'\'' || !(*byte == b'\n' || (b' '..0x7f).contains(byte))
            })
        {
            continue;
        }
        let lenient = lenient.expect("what libvirt reads, VMware reads");
        if !lenient.warnings.is_empty() {
            continue;
        }
        let name = strict.domain.name.as_deref().unwrap_or_default();
        if name.is_empty() || name.contains(|c: char| c.is_ascii_control()) {
            strict.domain.name.clone_from(&lenient.domain.name);
        }
        // Lenient mode names disks, cards and identities in ways of its own.
        let (strict, lenient) = (strict.domain, lenient.domain);
        let sources = |def: &DomainDef| -> Vec<DiskSource> {
            let disks = def.devices.disks.iter();
            disks.map(|disk| disk.source.clone()).collect()
        };
        assert_eq!(strict.name, lenient.name);
        assert_eq!(strict.description, lenient.description);
        assert_eq!(strict.memory, lenient.memory);
        assert_eq!(strict.vcpu, lenient.vcpu);
        assert_eq!(strict.cpu, lenient.cpu);
        assert_eq!(sources(&strict), sources(&lenient));
        assert_eq!(strict.devices.filesystems, lenient.devices.filesystems);
        assert_eq!(
            strict.devices.interfaces.len(),
            lenient.devices.interfaces.len()
        );
        assert_eq!(strict.devices.graphics, lenient.devices.graphics);
        assert_eq!(strict.devices.parallels, lenient.devices.parallels);
    }

    let before: Vec<_> = others(&file);
    file.set("fuzz.key", "a\"b")
        .expect("ASCII is in every encoding");
    assert_eq!(file.get("fuzz.key").as_deref(), Some("a|22b"));
    assert_eq!(others(&file), before);
    assert!(file.remove("fuzz.key"));
    assert_eq!(others(&file), before);
}

/// Every other assignment.
fn others(file: &VmxFile) -> Vec<(String, String)> {
    file.entries()
        .filter(|entry| !entry.key().eq_ignore_ascii_case("fuzz.key"))
        .map(|entry| (entry.key().to_owned(), entry.value().into_owned()))
        .collect()
}
