//! Changes without end, by chance.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::{ManagedObjectReference, properties};

use super::{Action, Change};
use crate::simulator::{Simulator, WeakSimulator};
use crate::world::inventory::parts::mix;

/// Random changes of power states, names and configurations of virtual machines: so many a second, the same for the same
/// seed.
///
/// Every change is possible when it is made, and changes something.
#[derive(Debug, Clone)]
pub struct Churn {
    /// Changes a second.
    rate: f64,
    /// The state of the generator.
    random: u64,
    /// Number of changes so far.
    made: u64,
    vms: Vec<ManagedObjectReference>,
}

/// The shortest time between two rounds of changes. More changes a second than this allows are made several at a time.
const ROUND: Duration = Duration::from_millis(5);

impl Churn {
    /// The most changes a second.
    pub const MOST: u32 = 100_000;

    /// So many changes a second, at most [`MOST`](Self::MOST).
    pub fn new(rate: f64) -> Self {
        Self {
            rate: rate.min(f64::from(Self::MOST)),
            random: 1,
            made: 0,
            vms: Vec::new(),
        }
    }

    /// Begins elsewhere in the sequence of random numbers.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self {
            random: mix(seed),
            ..self
        }
    }

    /// The next change. `None` if there are no virtual machines.
    ///
    /// Half of all changes are of power states, a quarter renames, a quarter reconfigurations.
    pub fn next(&mut self, simulator: &Simulator) -> Option<Change> {
        self.made += 1;
        if self.vms.is_empty() || self.made.is_multiple_of(1000) {
            self.vms = simulator.objects("VirtualMachine");
        }
        for _ in 0..100 {
            let index = self.below(self.vms.len().max(1) as u64);
            let vm = self.vms.get(usize::try_from(index).unwrap_or(0))?.clone();
            let kind = self.below(8);
            let choice = self.below(4);
            let action = simulator.look(&vm, |machine: &properties::VirtualMachine| {
                let runtime = machine.runtime.as_deref()?;
                let config = machine.config.as_deref()?;
                if config.template || runtime.question.is_some() {
                    return None;
                }
                Some(match kind {
                    0..=3 => power_action(&runtime.power_state, choice),
                    4 | 5 => Action::Rename(another_name(&config.name, self.made)),
                    _ => Action::SetAnnotation(format!("change {}", self.made)),
                })
            });
            if let Some(action) = action.flatten() {
                return Some(Change::new(&vm, action));
            }
        }
        None
    }

    /// A number below that one.
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.random) % limit
    }
}

fn power_action(power: &VirtualMachinePowerState, choice: u64) -> Action {
    match (power, choice) {
        (VirtualMachinePowerState::PoweredOn, 0) => Action::Suspend,
        (VirtualMachinePowerState::PoweredOn, _) => Action::PowerOff,
        _ => Action::PowerOn,
    }
}

/// The name without the number of an earlier change, with that of this one.
fn another_name(name: &str, number: u64) -> String {
    let own = name.split_once("~").map_or(name, |(own, _)| own);
    format!("{own}~{number}")
}

impl Simulator {
    /// Makes random changes for as long as the future is polled. Those that fail are left out.
    pub async fn churn(&self, churn: Churn) {
        churn_on(|| Some(self.clone()), churn).await;
    }

    /// Looks at the properties of an object without copying them.
    fn look<T: vi_types::ManagedObject, R>(
        &self,
        object: &ManagedObjectReference,
        look: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        self.with_state(|state, _| state.world.read::<T>(object).map(look))
    }
}

/// Makes random changes as long as the simulator is there.
pub(crate) async fn churn_behind(simulator: WeakSimulator, churn: Churn) {
    churn_on(|| simulator.upgrade(), churn).await;
}

async fn churn_on(simulator: impl Fn() -> Option<Simulator>, mut churn: Churn) {
    if churn.rate.is_nan() || churn.rate <= 0.0 {
        return;
    }
    let pause = Duration::try_from_secs_f64(1.0 / churn.rate).unwrap_or(Duration::MAX);
    let mut rounds = tokio::time::interval(pause.max(ROUND));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let beginning = Instant::now();
    let mut made = 0.0;
    loop {
        rounds.tick().await;
        let due = beginning.elapsed().as_secs_f64() * churn.rate;
        while made < due {
            made += 1.0;
            let Some(simulator) = simulator() else {
                return;
            };
            let Some(change) = churn.next(&simulator) else {
                break;
            };
            // Another client may have changed the machine in between.
            let _ = simulator.apply(&change);
        }
        tokio::task::yield_now().await;
    }
}
