//! How `shutdown` and `reboot` are to reach the guest.

use crate::failure::Failure;

/// The option that says how. ESX has one way of its own, so that its driver takes none of these.
#[derive(Debug, clap::Args)]
pub(crate) struct ShutdownMode {
    /// shutdown mode: acpi|agent|initctl|signal|paravirt
    #[arg(long, value_name = "string")]
    mode: Option<String>,
}

impl ShutdownMode {
    /// Refuses a mode that there isn't.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.parse().map(drop)
    }

    /// libvirt's numbers of the modes, the same for both.
    pub(crate) fn flags(&self) -> u32 {
        self.parse().unwrap_or_default()
    }

    fn parse(&self) -> Result<u32, Failure> {
        let modes = self.mode.iter().flat_map(|modes| modes.split(','));
        let mut flags = modes.map(|mode| match mode {
            "acpi" => Ok(1 << 0),
            "agent" => Ok(1 << 1),
            "initctl" => Ok(1 << 2),
            "signal" => Ok(1 << 3),
            "paravirt" => Ok(1 << 4),
            other => {
                // virsh quotes what it can't see otherwise.
                let shown = if other.is_empty() { "''" } else { other };
                Err(Failure::new(format!(
                    "Unknown mode {shown} value, expecting 'acpi', 'agent', 'initctl', 'signal', \
                     or 'paravirt'"
                )))
            }
        });
        flags.try_fold(0, |flags, flag| Ok(flags | flag?))
    }
}
