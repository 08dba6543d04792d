//! Events of the memory balloon. Its size is a measurement, of whose changes no server tells: it is polled.

use std::time::Duration;

use vi_client::property_set;
use vi_types::enums::VirtualMachinePowerState;

/// How often the balloon is read. Hosts measure every 20 seconds.
pub(super) const INTERVAL: Duration = Duration::from_secs(20);

property_set! {
    pub(super) struct Balloon: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        memory_mib: Option<i32> = config.hardware.memory_mb,
        ballooned_mib: Option<i32> = summary.quick_stats.ballooned_memory,
    }
}

impl Balloon {
    /// The memory that the guest has left, in KiB; `None` if it does not run or is not measured.
    pub(super) fn actual(&self) -> Option<u64> {
        if self.power_state != VirtualMachinePowerState::PoweredOn {
            return None;
        }
        let left = self.memory_mib?.saturating_sub(self.ballooned_mib?);
        Some(u64::try_from(left).ok()? * 1024)
    }
}
