use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;

use virt_model::Uuid;

use crate::escape::PIPE;
use crate::names::Missing;
use crate::{
    Entry, FileNames, LibvirtVersion, Mode, ParseOptions, Slot, VmxError, VmxFile, Warning,
};

/// A file being read, with libvirt's rules for reading values.
///
/// Every value that libvirt refuses goes through [`Reader::tolerate`], which is an error in strict mode
/// and a warning in lenient mode; lenient mode then takes another value.
pub(super) struct Reader<'a> {
    pub(super) file: &'a VmxFile,
    names: &'a dyn FileNames,
    pub(super) options: &'a ParseOptions,
    /// `virtualHW.version`.
    pub(super) hardware: i64,
    warnings: Vec<Warning>,
    /// The assignments that were read.
    read: RefCell<HashSet<u32>>,
    /// The slots of the definition's disks, in their order.
    pub(super) slots: Vec<Slot>,
    /// The devices that were read, in lower case: `scsi0:0`, `ethernet1`.
    carried: HashSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        file: &'a VmxFile,
        names: &'a dyn FileNames,
        options: &'a ParseOptions,
    ) -> Reader<'a> {
        let warnings = match options.mode {
            Mode::Strict => Vec::new(),
            Mode::Lenient => file.warnings().to_vec(),
        };
        Reader {
            file,
            names,
            options,
            hardware: 0,
            warnings,
            read: RefCell::default(),
            slots: Vec::new(),
            carried: HashSet::new(),
        }
    }

    /// The warnings: those with a line, in the order of lines, then the others.
    pub(super) fn into_warnings(mut self) -> Vec<Warning> {
        self.warnings
            .sort_by_key(|warning| warning.line().unwrap_or(usize::MAX));
        self.warnings
    }

    pub(super) fn lenient(&self) -> bool {
        self.options.mode == Mode::Lenient
    }

    /// Whether the libvirt version to reproduce is `version` or newer.
    pub(super) fn since(&self, version: LibvirtVersion) -> bool {
        self.options.libvirt >= version
    }

    /// A value, without resolving escapes.
    pub(super) fn string(&self, key: &str) -> Option<Cow<'a, str>> {
        let entry = self.file.find(key)?;
        if self.lenient() {
            self.read.borrow_mut().insert(entry.id());
        }
        Some(entry.value())
    }

    /// Whether an assignment was read.
    pub(super) fn is_read(&self, entry: Entry<'_>) -> bool {
        self.read.borrow().contains(&entry.id())
    }

    /// Whether a device that is present is connected when the machine starts. libvirt reads that, and makes nothing of it.
    pub(super) fn starts_connected(&mut self, device: &str) -> Result<bool, VmxError> {
        self.boolean(&format!("{device}.startConnected"), true)
    }

    /// Warns of a device that is not connected when the machine starts.
    pub(super) fn warn_unconnected(&mut self, device: &str) {
        let key = format!("{device}.startConnected");
        self.warn(
            &key,
            "the device is not connected when the machine starts; in the definition it is",
        );
    }

    /// A value with VMware's escapes resolved in lenient mode. libvirt does not resolve them.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let value = self.string(key)?;
        Some(match PIPE.unescape(&value) {
            Ok(text) if self.lenient() => text.into_owned(),
            _ => value.into_owned(),
        })
    }

    /// A required text. None only in lenient mode, with a warning.
    pub(super) fn essential(
        &mut self,
        key: &str,
        instead: &str,
    ) -> Result<Option<String>, VmxError> {
        let text = self.text(key);
        if text.is_none() {
            self.tolerate(self.missing(key), instead)?;
        }
        Ok(text)
    }

    /// A number, or `default` if the key is missing.
    pub(super) fn long(&mut self, key: &str, default: i64) -> Result<i64, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(default);
        };
        if let Some(number) = number(&value) {
            return Ok(number);
        }
        if self.lenient()
            && let Some(number) = number(value.trim())
        {
            return Ok(number);
        }
        let error = self
            .error(
                key,
                format!("Config entry '{key}' must represent an integer value"),
            )
            .with_help("write a whole number, or unlimited");
        self.tolerate(error, &format!("{default} is used"))?;
        Ok(default)
    }

    /// A required number, or `default` in lenient mode.
    pub(super) fn essential_long(&mut self, key: &str, default: i64) -> Result<i64, VmxError> {
        if self.file.find(key).is_none() {
            self.tolerate(self.missing(key), &format!("{default} is used"))?;
        }
        self.long(key, default)
    }

    /// A boolean, or `default` if the key is missing.
    pub(super) fn boolean(&mut self, key: &str, default: bool) -> Result<bool, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(default);
        };
        let lower = value.to_ascii_lowercase();
        match lower.as_str() {
            "true" => return Ok(true),
            "false" => return Ok(false),
            _ => {}
        }
        if self.lenient() {
            match lower.trim() {
                "true" | "1" | "yes" | "on" | "t" | "y" => return Ok(true),
                "false" | "0" | "no" | "off" | "f" | "n" => return Ok(false),
                _ => {}
            }
        }
        let error = self
            .error(
                key,
                format!("Config entry '{key}' must represent a boolean value (true|false)"),
            )
            .with_help("write true or false");
        self.tolerate(error, &format!("{default} is used"))?;
        Ok(default)
    }

    /// A UUID, if there is one.
    pub(super) fn uuid(&mut self, key: &str) -> Result<Option<Uuid>, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(None);
        };
        if let Ok(uuid) = value.parse() {
            return Ok(Some(uuid));
        }
        let error = self
            .error(key, format!("Could not parse UUID from string '{value}'"))
            .with_help("write 16 pairs of hexadecimal digits");
        self.tolerate(error, "it is left out")?;
        Ok(None)
    }

    /// Whether the name of a file or device counts as set. libvirt writes an empty one, but reads it as
    /// none.
    pub(super) fn is_name(&self, name: &str) -> bool {
        !self.lenient() || !name.is_empty()
    }

    /// The file name in the value of `key`, in the definition's form.
    pub(super) fn file_name(
        &mut self,
        key: &str,
        name: &str,
        missing: Missing,
    ) -> Result<Option<String>, VmxError> {
        if !self.is_name(name) {
            return Ok(None);
        }
        match self.names.parse(name, missing) {
            Ok(source) => Ok(source.filter(|name| self.is_name(name))),
            Err(error) => {
                let help =
                    "write a name in the file's own directory, or /vmfs/volumes/<datastore>/<path>";
                let error = VmxError::new(error.number, error.message)
                    .with_key(key)
                    .with_value(name)
                    .with_position(self.file.find(key).map(|entry| entry.position()))
                    .with_help(help);
                self.tolerate(error, "the name is not changed")?;
                Ok(Some(name.to_owned()))
            }
        }
    }

    /// An internal error about the value of `key`. If the key is missing, the position is that of its
    /// device.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) -> VmxError {
        let entry = self.file.find(key);
        let error = VmxError::internal(message).with_key(key).with_position(
            entry
                .or_else(|| self.of_device(key))
                .map(|entry| entry.position()),
        );
        match entry {
            Some(entry) => error.with_value(entry.value()),
            None => error,
        }
    }

    /// The assignment that tells that the device of a key is there.
    fn of_device(&self, key: &str) -> Option<Entry<'_>> {
        let (device, _) = key.rsplit_once('.')?;
        self.file.find(&format!("{device}.present"))
    }

    /// Warns, in lenient mode, that a value is missing or empty.
    pub(super) fn lacks(&mut self, key: &str, instead: &str) -> Result<(), VmxError> {
        let error = match self.file.find(key) {
            Some(_) => self.error(key, "it is empty"),
            None => self.missing(key),
        };
        self.tolerate(error, instead)
    }

    fn missing(&self, key: &str) -> VmxError {
        self.error(key, format!("Missing essential config entry '{key}'"))
    }

    /// libvirt's error for a value that is not one of the accepted ones. `accepted` is libvirt's list.
    pub(super) fn expecting(&self, key: &str, accepted: &str, found: &str) -> VmxError {
        self.error(
            key,
            format!("Expecting VMX entry '{key}' to be {accepted} but found '{found}'"),
        )
        .with_help(format!("write {accepted}"))
    }

    /// In strict mode the error. In lenient mode a warning that says what the definition has instead.
    pub(super) fn tolerate(&mut self, error: VmxError, instead: &str) -> Result<(), VmxError> {
        if !self.lenient() {
            return Err(error);
        }
        if self.warnings.len() < LIMIT {
            self.warnings.push(Warning {
                position: error.position().cloned(),
                key: error.key().map(str::to_owned),
                message: format!("{}; {instead}", error.message()),
                left_out: false,
            });
        }
        Ok(())
    }

    /// Warns, in lenient mode, about the value of `key`. libvirt does not warn.
    pub(super) fn warn(&mut self, key: &str, message: impl Into<String>) {
        if self.lenient() && self.warnings.len() < LIMIT {
            let mut warning = self.file.warning(key, message);
            if warning.position.is_none() {
                warning.position = self.of_device(key).map(|entry| entry.position());
            }
            self.warnings.push(warning);
        }
    }

    /// Whether, in lenient mode, a number is larger than any machine has, with a warning. libvirt keeps the lower bits of such
    /// numbers.
    pub(super) fn is_beyond(&mut self, key: &str, number: i64, most: i64, instead: &str) -> bool {
        let is_beyond = self.lenient() && number > most;
        if is_beyond {
            self.warn(
                key,
                format!("{number} is more than any machine has; {instead}"),
            );
        }
        is_beyond
    }

    pub(super) fn extend_warnings(&mut self, warnings: Vec<Warning>) {
        self.warnings.extend(warnings);
    }

    /// Marks a device as read.
    pub(super) fn carried(&mut self, device: &str) {
        if self.lenient() {
            self.carried.insert(device.to_ascii_lowercase());
        }
    }

    /// Whether a device, in lower case, was read.
    pub(super) fn is_carried(&self, device: &str) -> bool {
        self.carried.contains(device)
    }
}

/// The largest number of warnings: a hostile file may cause millions.
const LIMIT: usize = 1000;

/// Reads a number as libvirt does: the whole value must be a number for C's `strtoll`, or `unlimited`,
/// which is -1.
fn number(value: &str) -> Option<i64> {
    if value.eq_ignore_ascii_case("unlimited") {
        return Some(-1);
    }
    skip_spaces(value).parse().ok()
}

/// The text without the white space that C skips before a number.
pub(super) fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// C's white space.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}
