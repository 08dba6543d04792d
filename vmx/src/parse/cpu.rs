use virt_model::domain::{Cpu, CpuTopology, SmbiosMode, Vcpu};
use virt_model::{CpuSet, DomainDef};

use super::reader::{Reader, is_space, skip_spaces};
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Reads the processors, their topology, affinity and shares.
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
                .with_help("write 1 or more");
            self.tolerate(error, "1 is used")?;
            count = 1;
        }
        if self.is_beyond("numvcpus", count, MOST_PROCESSORS, "1 is used") {
            count = 1;
        }
        // libvirt keeps the lower 32 bits.
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
                .with_help("write at most as many as 'numvcpus'");
            return self.tolerate(error, "the topology is left out");
        }
        // libvirt keeps the lower 32 bits, and writes no topology with a zero.
        let (sockets, cores) = (sockets as u32, cores as u32);
        if sockets == 0 || cores == 0 {
            return Ok(());
        }
        let one_since = |version| self.since(version).then_some(1);
        def.cpu = Some(Cpu {
            topology: Some(CpuTopology {
                sockets,
                dies: Some(1),
                clusters: one_since(LibvirtVersion::V11_3),
                cores,
                threads: 1,
                ..CpuTopology::default()
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
        // libvirt counts the numbers before it reads them, so this error comes first.
        let count_found = match value.len() {
            0 => 0,
            _ => value.split(',').count() as i64,
        };
        let message = if count_found < count {
            format!(
                "Expecting VMX entry '{key}' to contain at least as many values as 'numvcpus' \
                 ({count}) but found only {count_found} value(s)"
            )
        } else {
            match affinity(&value) {
                Ok(cpus) => {
                    def.vcpu.cpuset = Some(cpus);
                    return Ok(());
                }
                Err(Affinity::Syntax) => format!(
                    "Expecting VMX entry '{key}' to be a comma separated list of unsigned \
                     integers but found '{value}'"
                ),
                Err(Affinity::TooLarge(cpu)) => {
                    // libvirt's error has the number as a signed one.
                    let cpu = cpu as i32;
                    format!("VMX entry '{key}' contains a {cpu}, this value is too large")
                }
            }
        };
        let help = "write all, or numbers of host processors separated by commas";
        let error = self.error(key, message).with_help(help);
        self.tolerate(error, "the affinity is left out")
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
        // libvirt multiplies with 32 bits.
        let level = each.map(|each: u32| match self.lenient() {
            true => u64::from(def.vcpu.max) * u64::from(each),
            false => u64::from(def.vcpu.max.wrapping_mul(each)),
        });
        let Some(shares) = level.or_else(|| unsigned(&value)) else {
            let accepted = "an unsigned integer or 'low', 'normal' or 'high'";
            let error = self.expecting(key, accepted, &value);
            return self.tolerate(error, "the shares are left out");
        };
        if self.lenient() && !LIBVIRTS_SHARES.contains(&shares) {
            let taken = shares.clamp(*LIBVIRTS_SHARES.start(), *LIBVIRTS_SHARES.end());
            let message = format!("libvirt has no {shares} shares; {taken} is used");
            self.warn(key, message);
            def.cpu_tune.shares = Some(taken);
            return Ok(());
        }
        def.cpu_tune.shares = Some(shares);
        Ok(())
    }

    /// Reads the architecture and SMBIOS.
    pub(super) fn machine(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let guest = self.string("guestOS").unwrap_or_default();
        let arch = match &*guest {
            guest if self.lenient() && is_arm(guest) => "aarch64",
            guest if guest.ends_with("-64") => "x86_64",
            _ => "i686",
        };
        def.os.arch = Some(arch.to_owned());
        if self.boolean("smbios.reflecthost", false)? {
            def.os.smbios = Some(SmbiosMode::Host);
        }
        Ok(())
    }
}

/// As many processors as libvirt's sets can have, which is more than any host has.
const MOST_PROCESSORS: i64 = 16_384;

/// The shares that libvirt accepts (`VIR_CGROUP_CPU_SHARES_MIN` and `MAX`).
const LIBVIRTS_SHARES: std::ops::RangeInclusive<u64> = 2..=262_144;

/// Whether a `guestOS` runs on ARM, as those of Fusion and of ESXi on ARM do: `arm-ubuntu-64`,
/// `arm-windows11-64`. VMware has 64-bit ARM only.
fn is_arm(guest: &str) -> bool {
    let guest = guest.trim().to_ascii_lowercase();
    guest.starts_with("arm") || guest.contains("aarch64") || guest.contains("-arm")
}

enum Affinity {
    Syntax,
    TooLarge(u32),
}

/// Reads a list of processors.
fn affinity(list: &str) -> Result<CpuSet, Affinity> {
    let mut cpus = CpuSet::default();
    for part in list.split(',') {
        let number = skip_spaces(part).trim_end_matches(is_space);
        let digits = number.strip_prefix('+').unwrap_or(number);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Affinity::Syntax);
        }
        let cpu = digits.parse().map_err(|_| Affinity::Syntax)?;
        if !cpus.insert(cpu) {
            return Err(Affinity::TooLarge(cpu));
        }
    }
    Ok(cpus)
}

/// Reads a number as C's `strtoull` does, which accepts a sign.
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
