use virt_model::domain::{Cpu, CpuTopology, SmbiosMode, Vcpu};
use virt_model::{CpuSet, DomainDef};

use super::reader::{Reader, skip_spaces};
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Processors, their topology, affinity and shares.
    pub(super) fn processors(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let mut count = self.long("numvcpus", 1)?;
        if count <= 0 {
            let error = self
                .error(
                    "numvcpus",
                    format!(
                        "Expecting VMX entry 'numvcpus' to be an unsigned integer greater than 0 \
                         but found {count}"
                    ),
                )
                .with_help("1 or more");
            self.tolerate(error, "1 is taken")?;
            count = 1;
        }
        // libvirt keeps 32 bits.
        def.vcpu = Vcpu::new(count as u32);
        self.topology(def, count)?;
        self.affinity(def, count)?;
        self.shares(def)
    }

    fn topology(&mut self, def: &mut DomainDef, count: i64) -> Result<(), VmxError> {
        let key = "cpuid.coresPerSocket";
        let cores = self.long(key, 1)?;
        if cores <= 1 {
            return Ok(());
        }
        let sockets = count / cores;
        if sockets == 0 {
            let text = "VMX entry 'cpuid.coresPerSocket' smaller than 'numvcpus'";
            let error = self
                .error(key, text)
                .with_help("at most as many as 'numvcpus'");
            return self.tolerate(error, "no topology is taken over");
        }
        let one_since = |version| self.since(version).then_some(1);
        def.cpu = Some(Cpu {
            topology: Some(CpuTopology {
                sockets: sockets as u32,
                dies: Some(1),
                clusters: one_since(LibvirtVersion::V11_3),
                cores: cores as u32,
                threads: 1,
            }),
            ..Cpu::default()
        });
        Ok(())
    }

    fn affinity(&mut self, def: &mut DomainDef, count: i64) -> Result<(), VmxError> {
        let key = "sched.cpu.affinity";
        let Some(value) = self.string(key) else {
            return Ok(());
        };
        if value.eq_ignore_ascii_case("all") {
            return Ok(());
        }
        let message = match affinity(&value) {
            Ok((_, found)) if i64::from(found) < count => format!(
                "Expecting VMX entry '{key}' to contain at least as many values as 'numvcpus' \
                 ({count}) but found only {found} value(s)"
            ),
            Ok((cpus, _)) => {
                def.vcpu.cpuset = Some(cpus);
                return Ok(());
            }
            Err(Affinity::Syntax) => format!(
                "Expecting VMX entry '{key}' to be a comma separated list of unsigned integers \
                 but found '{value}'"
            ),
            Err(Affinity::TooLarge(cpu)) => {
                format!("VMX entry '{key}' contains a {cpu}, this value is too large")
            }
        };
        let help = "all, or numbers of host processors separated by commas";
        let error = self.error(key, message).with_help(help);
        self.tolerate(error, "no affinity is taken over")
    }

    fn shares(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let key = "sched.cpu.shares";
        let Some(value) = self.string(key) else {
            return Ok(());
        };
        let each = match value.to_ascii_lowercase().as_str() {
            "low" => Some(500),
            "normal" => Some(1000),
            "high" => Some(2000),
            _ => None,
        };
        // The product of 32 bits, as libvirt has it.
        let level = each.map(|each: u32| u64::from(def.vcpu.max.wrapping_mul(each)));
        let Some(shares) = level.or_else(|| unsigned(&value)) else {
            let accepted = "an unsigned integer or 'low', 'normal' or 'high'";
            let error = self.expecting(key, accepted, &value);
            return self.tolerate(error, "no shares are taken over");
        };
        def.cpu_tune.shares = Some(shares);
        Ok(())
    }

    /// Architecture and SMBIOS.
    pub(super) fn machine(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let wide = self
            .string("guestOS")
            .is_some_and(|guest| guest.ends_with("-64"));
        let arch = if wide { "x86_64" } else { "i686" };
        def.os.arch = Some(arch.to_owned());
        if self.boolean("smbios.reflecthost", false)? {
            def.os.smbios = Some(SmbiosMode::Host);
        }
        Ok(())
    }
}

enum Affinity {
    Syntax,
    TooLarge(u32),
}

/// The processors of a list, and how many numbers it has.
fn affinity(list: &str) -> Result<(CpuSet, u32), Affinity> {
    let mut cpus = CpuSet::default();
    let mut count = 0;
    let mut rest = list;
    while !rest.is_empty() {
        rest = skip_spaces(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let cpu = rest[..digits]
            .parse::<i32>()
            .map_err(|_| Affinity::Syntax)?;
        // Not below zero: it has no sign.
        let cpu = cpu as u32;
        if !cpus.insert(cpu) {
            return Err(Affinity::TooLarge(cpu));
        }
        count += 1;
        rest = skip_spaces(&rest[digits..]);
        if rest.is_empty() {
            break;
        }
        rest = skip_spaces(rest.strip_prefix(',').ok_or(Affinity::Syntax)?);
    }
    Ok((cpus, count))
}

/// A number as C's `strtoull` reads it, which takes a sign.
fn unsigned(text: &str) -> Option<u64> {
    let text = skip_spaces(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(if text.starts_with('-') {
        number.wrapping_neg()
    } else {
        number
    })
}
