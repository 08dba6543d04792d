use virt_model::{DomainDef, Uuid};

use super::reader::Reader;
use crate::escape::{PERCENT, PIPE, Scheme};
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Reads the name, the UUIDs and the description.
    pub(super) fn identity(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        self.uuids(def)?;
        self.name(def)?;
        self.generation(def)?;
        self.description(def)?;
        if self.lenient()
            && let Some(text) = def.description.take()
        {
            // libvirt writes an empty description and reads it as none, and XML parsers turn CR LF into
            // LF. Without this the definition would not survive being written and read.
            let text = text.replace("\r\n", "\n");
            def.description = Some(text).filter(|text| !text.is_empty());
        }
        Ok(())
    }

    fn uuids(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let bios = self.uuid("uuid.bios")?;
        let mut instance = None;
        if self.since(LibvirtVersion::V12_4) {
            instance = self.uuid("vc.uuid")?.filter(is_a_uuid);
            def.hwuuid = bios.filter(is_a_uuid);
        }
        def.uuid = match instance.or(bios) {
            // libvirt chooses one for a document without a UUID, and takes this one for a domain's only once.
            None | Some(Uuid::NIL) if self.lenient() => None,
            found => Some(found.unwrap_or(Uuid::NIL)),
        };
        Ok(())
    }

    fn name(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let key = "displayName";
        if let Some(value) = self.string(key) {
            def.name = Some(match shown(&value, &[PERCENT, PIPE], true) {
                Some(name) => name,
                None => {
                    let text = "VMX entry 'name' contains invalid escape sequence";
                    let error = self.error(key, text).with_help(ESCAPES);
                    self.tolerate(error, "the name is not changed")?;
                    value.into_owned()
                }
            });
        }
        if self.lenient() {
            self.usable_name(def);
        }
        Ok(())
    }

    /// Gives the domain a name that libvirt accepts in a document.
    fn usable_name(&mut self, def: &mut DomainDef) {
        let mut name = def.name.take().unwrap_or_default();
        if name.contains(char::is_control) {
            name = name.replace(char::is_control, " ");
            self.warn(
                "displayName",
                "line ends and control characters were replaced by blanks",
            );
        }
        if name.is_empty() {
            // VMware takes the name of the file, so this needs no warning.
            name = match &self.options.default_name {
                Some(name) => name.clone(),
                None => {
                    self.warn(
                        "displayName",
                        "the virtual machine has no name; 'unnamed' is used",
                    );
                    "unnamed".to_owned()
                }
            };
        }
        def.name = Some(name);
    }

    fn generation(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let first = self.long("vm.genid", 0)?;
        let second = self.long("vm.genidX", 0)?;
        if (first, second) != (0, 0) {
            let [a, b] = [first, second].map(i64::to_be_bytes);
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&a);
            bytes[8..].copy_from_slice(&b);
            def.genid = Some(Uuid::from_bytes(bytes));
        }
        Ok(())
    }

    fn description(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let key = "annotation";
        let Some(value) = self.string(key) else {
            return Ok(());
        };
        def.description = Some(match shown(&value, &[PIPE], !self.lenient()) {
            Some(text) => text,
            None => {
                let text = "VMX entry 'annotation' contains invalid escape sequence";
                let error = self.error(key, text).with_help(ESCAPES);
                self.tolerate(error, "the text is not changed")?;
                value.into_owned()
            }
        });
        Ok(())
    }
}

const ESCAPES: &str =
    "write the two hexadecimal digits of a byte behind each `|`, and in names behind each `%`";

/// Resolves the escapes of one scheme after the other, as libvirt does. The bytes in between need not
/// be UTF-8. libvirt's texts end at a NUL.
fn shown(value: &str, schemes: &[Scheme], ends_at_nul: bool) -> Option<String> {
    let mut bytes = value.as_bytes().to_vec();
    for scheme in schemes {
        bytes = scheme.unescape_bytes(&bytes).ok()?.into_owned();
        if let (true, Some(end)) = (ends_at_nul, bytes.iter().position(|byte| *byte == 0)) {
            bytes.truncate(end);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether libvirt accepts the UUID: `virUUIDIsValid` refuses 16 equal bytes.
fn is_a_uuid(uuid: &Uuid) -> bool {
    let bytes = uuid.as_bytes();
    bytes.iter().any(|byte| *byte != bytes[0])
}
