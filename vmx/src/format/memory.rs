use virt_model::DomainDef;

use super::Writer;

impl Writer<'_> {
    /// Writes the memory, in MiB. VMware wants a multiple of four.
    pub(super) fn memory(&mut self, def: &DomainDef) {
        const STEP: u64 = 4096;
        let size = def.memory.div_ceil(STEP).saturating_mul(STEP);
        self.line("memsize", size / 1024);
        let current = match def.current_memory() {
            0 => def.memory,
            current => current.min(def.memory),
        };
        // libvirt compares with the rounded size, so it also writes this line for every size that is
        // not a multiple of four.
        if current < size {
            self.line("sched.mem.max", current.div_ceil(1024));
        }
        if let Some(guarantee) = def.memory_tune.min_guarantee.filter(|kib| *kib > 0) {
            self.line("sched.mem.minsize", guarantee.div_ceil(1024));
        }
    }
}
