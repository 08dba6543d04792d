//! Changes that somebody else makes: the guest, the hardware, other clients.

mod apply;
mod churn;
mod parse;
mod world;

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;
use vi_types::ManagedObjectReference;

use crate::simulator::{Simulator, WeakSimulator};
use crate::task::Question;

pub use self::churn::Churn;
pub(crate) use self::churn::churn_behind;
pub use self::parse::InvalidChanges;
pub(crate) use self::parse::read_text;

/// A change of the world that no request of the client under test has made.
///
/// What the API has a method for is done as another client does it: with the method's checks, its task, which succeeds at
/// once, and its events. `FromStr` reads the syntax of [`Changes`] without the time: `power-off web01`.
#[derive(Debug, Clone)]
pub struct Change {
    pub(crate) of: Target,
    pub(crate) action: Action,
}

impl Change {
    /// A change of one object.
    pub fn new(of: impl Into<Target>, action: Action) -> Self {
        Self {
            of: of.into(),
            action,
        }
    }
}

/// The object that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// This one.
    Object(ManagedObjectReference),
    /// The one with this name in the inventory, or with this value in its reference. What is to be made gets the name.
    Named(String),
}

impl From<&ManagedObjectReference> for Target {
    fn from(object: &ManagedObjectReference) -> Self {
        Self::Object(object.clone())
    }
}

impl From<&str> for Target {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(object) => f.write_str(&object.value),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// What happens to an object. The first line of each says which word of [`Changes`] it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Action {
    /// `power-on`: a machine is started (`PowerOnVM_Task`), or goes on after it was suspended.
    PowerOn,
    /// `power-off`: a machine is stopped (`PowerOffVM_Task`).
    PowerOff,
    /// `suspend`: a machine is suspended (`SuspendVM_Task`).
    Suspend,
    /// `reset`: a machine is reset (`ResetVM_Task`).
    Reset,
    /// `guest-shutdown`: the guest shuts down (`ShutdownGuest`).
    ShutdownGuest,
    /// `guest-reboot`: the guest reboots (`RebootGuest`).
    RebootGuest,
    /// `guest-standby`: the guest goes to sleep (`StandbyGuest`).
    StandbyGuest,
    /// `guest-crash`: the operating system crashes. The machine stays on; its tools fall silent.
    CrashGuest,
    /// `tools running`, `tools stopped`: VMware Tools begin or end to run in a machine that is on.
    RunTools(bool),
    /// `ask`: a machine asks a question.
    Ask(Question),
    /// `answer`: its question is answered (`AnswerVM`) with a choice's label or key; without one, with the default choice.
    Answer(Option<String>),
    /// `create`: a machine without disks is made on a host (`CreateVM_Task`); without a name, on the first host.
    Create(Option<String>),
    /// `clone`: a copy with this name is made (`CloneVM_Task`). Only a vCenter can.
    Clone(String),
    /// `unregister`: a machine leaves the inventory, its files stay (`UnregisterVM`).
    Unregister,
    /// `destroy`: an object is removed, a machine with its files (`Destroy_Task`).
    Destroy,
    /// `rename`: an object gets this name (`Rename_Task`).
    Rename(String),
    /// `migrate`: a machine moves to the host with this name (`MigrateVM_Task`). Only a vCenter can.
    Migrate(String),
    /// `snapshot`: a snapshot with this name is taken (`CreateSnapshot_Task`), without memory.
    CreateSnapshot(String),
    /// `revert`: a machine goes back to its current snapshot (`RevertToCurrentSnapshot_Task`).
    Revert,
    /// `remove-snapshots`: all snapshots of a machine are removed (`RemoveAllSnapshots_Task`).
    RemoveSnapshots,
    /// `cpus`: number of processors (`ReconfigVM_Task`).
    SetCpus(i32),
    /// `memory`: memory in MB (`ReconfigVM_Task`).
    SetMemory(i64),
    /// `annotation`: description of a machine (`ReconfigVM_Task`).
    SetAnnotation(String),
    /// `extra`: a key and a value of `extraConfig` (`ReconfigVM_Task`).
    SetExtra(String, String),
    /// `encrypt`: a machine is encrypted with the key of this id, of the key provider with this one. (The simulator's
    /// `ReconfigVM_Task` takes no `crypto`.)
    Encrypt {
        /// The key's id.
        key: String,
        /// The id of its provider.
        provider: Option<String>,
    },
    /// `add-disk`: a new disk of so many MB on the first SCSI controller (`ReconfigVM_Task`).
    AddDisk(i64),
    /// `add-nic`: a new network card in this network (`ReconfigVM_Task`).
    AddNic(String),
    /// `remove-device`: the device with this label, such as `Hard disk 2`, goes away (`ReconfigVM_Task`).
    RemoveDevice(String),
    /// `cdrom connect`, `cdrom disconnect`: the first CD-ROM drive is closed or opened (`ReconfigVM_Task`).
    ConnectCdrom(bool),
    /// `cdrom insert`: the image at this datastore path is put into the first CD-ROM drive (`ReconfigVM_Task`).
    InsertCdrom(String),
    /// `balloon`: the balloon driver holds so many MB. That notifies nobody, like everything in `summary.quickStats`.
    SetBalloon(i32),
    /// `console open`, `console close`: somebody looks at the screen of a machine (`AcquireTicket`), and goes away.
    OpenConsole(bool),
    /// `datastore accessible`, `datastore inaccessible`: the host reaches a datastore, or doesn't.
    ReachDatastore(bool),
    /// `datastore maintenance`, `datastore normal`: a datastore begins or ends maintenance mode.
    MaintainDatastore(bool),
    /// `datastore free`: a datastore has so many bytes of free space left, because somebody else has filled or emptied it.
    FillDatastore(u64),
    /// `add-datastore`: a datastore with this name is added to all hosts.
    AddDatastore,
    /// `remove-datastore`: a datastore goes away.
    RemoveDatastore,
    /// `add-switch`: all hosts get a virtual switch with this name.
    AddSwitch,
    /// `remove-switch`: all hosts lose a virtual switch and its port groups.
    RemoveSwitch,
    /// `add-network`: all hosts get a port group with this name on a virtual switch.
    AddNetwork(String),
    /// `remove-network`: all hosts lose a port group.
    RemoveNetwork,
    /// `add-nic-device`: all hosts get a physical network card with this name, such as `vmnic4`.
    AddPhysicalNic,
    /// `remove-nic-device`: all hosts lose a physical network card.
    RemovePhysicalNic,
    /// `host connected`, `host disconnected`: a vCenter reaches a host, or doesn't. Its machines change with it.
    ReachHost(bool),
    /// `host maintenance`, `host normal`: a host begins or ends maintenance mode.
    MaintainHost(bool),
    /// `drop-connections`: all connections break.
    DropConnections,
    /// `expire-sessions`: all sessions end.
    ExpireSessions,
    /// `restart`: the server restarts, see [`Simulator::restart`].
    Restart,
}

/// Changes with times: a script to play.
///
/// As text, each line has a time, a word and its arguments:
///
/// ```text
/// # seconds since the beginning, or + and seconds since the line before
/// 0     power-on 'build/ci'
/// 1.5   rename web01 "web 01"
/// +1    ask 'web 01' disk-full
/// +2    answer 'web 01' Retry
/// +0.5  add-disk db01 1024
/// 30    repeat
/// ```
///
/// | line | what happens |
/// |---|---|
/// | `power-on VM`, `power-off VM`, `suspend VM`, `reset VM` | the machine's power state |
/// | `guest-shutdown VM`, `guest-reboot VM`, `guest-standby VM`, `guest-crash VM` | what the guest does |
/// | `tools VM running` or `stopped` | VMware Tools |
/// | `ask VM QUESTION`, `answer VM [CHOICE]` | questions: `serial-port`, `cdrom-locked`, `moved-or-copied`, `disk-full`, `without-default`, `without-choices` |
/// | `create VM [HOST]`, `clone VM NAME`, `unregister VM`, `destroy OBJECT`, `rename OBJECT NAME`, `migrate VM HOST` | the inventory |
/// | `snapshot VM NAME`, `revert VM`, `remove-snapshots VM` | snapshots |
/// | `cpus VM NUMBER`, `memory VM MB`, `annotation VM TEXT`, `extra VM KEY VALUE` | the configuration |
/// | `encrypt VM KEY [PROVIDER]` | the key that encrypts it, from API 6.5 on |
/// | `add-disk VM [MB]`, `add-nic VM [NETWORK]`, `remove-device VM LABEL` | devices |
/// | `cdrom VM connect`, `disconnect` or `insert PATH` | the first CD-ROM drive |
/// | `balloon VM MB` | memory that the balloon driver holds |
/// | `console VM open` or `close` | somebody looks at the screen |
/// | `datastore NAME accessible`, `inaccessible`, `maintenance`, `normal` or `free SIZE` (like `0` or `64G`); `add-datastore NAME`, `remove-datastore NAME` | datastores |
/// | `add-switch NAME`, `remove-switch NAME`, `add-network NAME [SWITCH]`, `remove-network NAME` | virtual switches and port groups of all hosts |
/// | `add-nic-device NAME`, `remove-nic-device NAME` | physical network cards of all hosts |
/// | `host NAME connected`, `disconnected`, `maintenance` or `normal` | hosts |
/// | `drop-connections`, `expire-sessions`, `restart` | the server |
/// | `repeat` | the script begins anew; nothing follows it |
///
/// Objects are named by their names in the inventory, or by the values of their references. A word in single or double
/// quotes may contain spaces. `#` at the beginning of a word begins a comment.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    steps: Vec<Step>,
    /// When it begins anew, counted from its beginning.
    repeat: Option<Duration>,
}

#[derive(Debug, Clone)]
struct Step {
    /// Counted from the beginning.
    at: Duration,
    change: Change,
    /// The line of the text, counted from 1.
    line: Option<usize>,
}

impl Changes {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a change at a time since the beginning.
    #[must_use]
    pub fn at(mut self, at: Duration, change: Change) -> Self {
        let line = None;
        self.steps.push(Step { at, change, line });
        self.steps.sort_by_key(|step| step.at);
        self
    }
}

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}{change}: {reason}", Line(*line))]
#[non_exhaustive]
pub struct ChangeError {
    /// The line of the text that asks for it, counted from 1.
    pub line: Option<usize>,
    /// The change, as a line of [`Changes`] without the time.
    pub change: String,
    /// Why not: the message of the fault that a client would get.
    pub reason: String,
}

/// The line that an error is in.
struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, "line {line}: "),
            None => Ok(()),
        }
    }
}

impl Simulator {
    /// Makes a change now.
    ///
    /// # Errors
    /// The object does not exist, or the change is impossible: what a client would get as a fault.
    pub fn apply(&self, change: &Change) -> Result<(), ChangeError> {
        self.make(change).map_err(|reason| ChangeError {
            line: None,
            change: change.to_string(),
            reason,
        })
    }

    /// Plays changes at their times, which are tokio's: a test that pauses time doesn't wait. Returns after the last one.
    ///
    /// # Errors
    /// The first change that cannot be made; those after it are not made.
    pub async fn play(&self, changes: Changes) -> Result<(), ChangeError> {
        let mut failed = Ok(());
        let simulator = || Some(self.clone());
        play_each(simulator, &changes, |error| {
            failed = Err(error);
            ControlFlow::Break(())
        })
        .await;
        failed
    }

    /// Plays changes like [`play`](Self::play), and tells about those that cannot be made.
    pub async fn play_on(&self, changes: Changes, mut failed: impl FnMut(ChangeError)) {
        let simulator = || Some(self.clone());
        play_each(simulator, &changes, |error| {
            failed(error);
            ControlFlow::Continue(())
        })
        .await;
    }
}

/// Plays changes as long as the simulator is there, and logs those that cannot be made.
pub(crate) async fn play_behind(simulator: WeakSimulator, changes: Changes) {
    play_each(
        || simulator.upgrade(),
        &changes,
        |error| {
            warn!(%error, "a change cannot be made");
            ControlFlow::Continue(())
        },
    )
    .await;
}

/// Plays changes until there is no simulator any more, or until `failed` says so.
async fn play_each(
    simulator: impl Fn() -> Option<Simulator>,
    changes: &Changes,
    mut failed: impl FnMut(ChangeError) -> ControlFlow<()>,
) {
    let mut beginning = Instant::now();
    loop {
        for step in &changes.steps {
            tokio::time::sleep_until(beginning + step.at).await;
            let Some(simulator) = simulator() else {
                return;
            };
            if let Err(error) = simulator.apply(&step.change) {
                let line = step.line;
                if failed(ChangeError { line, ..error }).is_break() {
                    return;
                }
            }
        }
        let Some(length) = changes.repeat else {
            return;
        };
        beginning += length;
        tokio::time::sleep_until(beginning).await;
    }
}
