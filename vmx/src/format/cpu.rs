use virt_model::DomainDef;
use virt_model::domain::{Cpu, CpuMode, CpuTopology, Placement};

use super::Writer;
use crate::{LibvirtVersion, VmxError};

impl Writer<'_> {
    /// Writes the processors, their topology, affinity and shares.
    pub(super) fn processors(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let count = def.vcpu.max;
        if def.vcpu.current() < count {
            return Err(VmxError::unsupported(
                "No support for domain XML entry 'vcpu' attribute 'current'",
            )
            .with_key("numvcpus"));
        }
        if count == 0 {
            return Err(VmxError::internal(
                "Expecting domain XML entry 'vcpu' to be greater than 0",
            )
            .with_key("numvcpus"));
        }
        self.line("numvcpus", count);
        if let Some(cpu) = &def.cpu {
            self.topology(cpu, count)?;
        }
        self.affinity(def)?;
        if let Some(shares) = def.cpu_tune.shares {
            self.shares(shares, count);
        }
        Ok(())
    }

    fn topology(&mut self, cpu: &Cpu, count: u32) -> Result<(), VmxError> {
        let key = "cpuid.coresPerSocket";
        if cpu.mode != CpuMode::Custom {
            return Err(VmxError::internal(format!(
                "Expecting domain XML CPU mode 'custom' but found '{}'",
                cpu.mode
            ))
            .with_key(key));
        }
        let none = CpuTopology {
            sockets: 0,
            dies: None,
            clusters: None,
            cores: 0,
            threads: 0,
            ..CpuTopology::default()
        };
        let topology = match cpu.topology {
            Some(topology) => topology,
            None if self.lenient() => return Ok(()),
            None => none,
        };
        let only = |what: &str| {
            let text = format!("Only 1 {what} is supported");
            Err(VmxError::unsupported(text).with_key(key))
        };
        if topology.threads != 1 {
            return only("thread per core");
        }
        if topology.dies.unwrap_or(1) != 1 {
            return only("die per socket");
        }
        if self.since(LibvirtVersion::V11_3) && topology.clusters.unwrap_or(1) != 1 {
            return only("cluster per die");
        }
        let product = topology.sockets.wrapping_mul(topology.cores);
        if product != count {
            return Err(VmxError::internal(format!(
                "Expecting domain XML CPU sockets per core as {count} but found {}",
                product.cast_signed()
            ))
            .with_key(key)
            .with_help("make the sockets times the cores the number of processors"));
        }
        self.line(key, topology.cores);
        Ok(())
    }

    fn affinity(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let key = "sched.cpu.affinity";
        let count = def.vcpu.max;
        let Some(cpus) = &def.vcpu.cpuset else {
            return Ok(());
        };
        if def.vcpu.placement == Placement::Auto {
            return Ok(());
        }
        if cpus.len() < count as usize {
            return Err(VmxError::internal(format!(
                "Expecting domain XML attribute 'cpuset' of entry 'vcpu' to contain at least \
                 {count} CPU(s)"
            ))
            .with_key(key));
        }
        let cpus: Vec<String> = cpus.iter().map(|cpu| cpu.to_string()).collect();
        self.line(key, cpus.join(","));
        Ok(())
    }

    /// Writes the shares. VMware's words for shares mean a number for each processor.
    fn shares(&mut self, shares: u64, count: u32) {
        let key = "sched.cpu.shares";
        let level = [(500, "low"), (1000, "normal"), (2000, "high")]
            .into_iter()
            // libvirt multiplies with 32 bits.
            .find(|(each, _)| u64::from(count.wrapping_mul(*each)) == shares);
        match level {
            Some((_, word)) => self.line(key, word),
            None => self.line(key, shares),
        }
    }
}
