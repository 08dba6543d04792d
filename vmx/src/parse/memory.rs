use virt_model::{DomainDef, ErrorNumber};

use super::reader::Reader;
use crate::VmxError;

/// More memory than any host has, in MiB.
const MOST: i64 = 1 << 40;

impl Reader<'_> {
    /// Reads the memory and its limits: MiB in the file, KiB in the definition.
    pub(super) fn memory(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let mut size = self.long("memsize", 32)?;
        if size <= 0 || size % 4 != 0 {
            let error = self
                .error(
                    "memsize",
                    format!(
                        "Expecting VMX entry 'memsize' to be an unsigned integer (multiple of 4) \
                         but found {size}"
                    ),
                )
                .with_help("write a multiple of 4, in MB");
            let (taken, instead) = if size > 0 {
                (size, "it is kept")
            } else {
                (32, "32 is used")
            };
            self.tolerate(error, instead)?;
            size = taken;
        }
        if self.is_beyond("memsize", size, MOST, "32 is used") {
            size = 32;
        }
        let lenient = self.lenient();
        let kib = |mb: i64| match lenient {
            true => mb.saturating_mul(1024) as u64,
            false => mb.wrapping_mul(1024) as u64,
        };
        let memory = kib(size);

        let most = match self.long("sched.mem.max", size)? {
            none if none < 0 => size,
            most => most,
        };
        // libvirt reads 0 as unset, and takes the maximum.
        let current = Some(kib(most)).filter(|&current| current > 0 && current < memory);
        let mut least = self.long("sched.mem.minsize", 0)?.max(0);
        if self.lenient() && least == 0 {
            // The key of newer hosts.
            least = self.long("sched.mem.min", 0)?.max(0);
        }
        let guarantee = kib(least).min(memory);

        def.memory = memory;
        def.current_memory = current;
        def.memory_tune.min_guarantee = (guarantee > 0).then_some(guarantee);
        Ok(())
    }

    /// Checks that there is memory. A size that overflows 64 bits of KiB may become 0, and libvirt reports
    /// that after everything else.
    pub(super) fn check_memory(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if def.memory > 0 {
            return Ok(());
        }
        let text = "Memory size must be specified via <memory> or in the <numa> configuration";
        let error = VmxError::new(ErrorNumber::XmlError, text)
            .with_key("memsize")
            .with_position(self.file.find("memsize").map(|entry| entry.position()))
            .with_help("write a multiple of 4, in MB");
        self.tolerate(error, "32 MB are used")?;
        def.memory = 32 << 10;
        def.current_memory = None;
        Ok(())
    }
}
