//! Scripts: how tasks run.

use vi_types::objects::MethodFault;
use vi_types::{Extends, ManagedObjectReference, SoapFault};

use super::{Question, soap_fault};

/// The methods whose tasks can be cancelled unless a script says otherwise.
const CANCELABLE: [&str; 9] = [
    "CloneVM_Task",
    "CopyDatastoreFile_Task",
    "CopyVirtualDisk_Task",
    "EnterMaintenanceMode_Task",
    "MigrateVM_Task",
    "MoveDatastoreFile_Task",
    "MoveVirtualDisk_Task",
    "PowerDownHostToStandBy_Task",
    "RelocateVM_Task",
];

/// How the tasks of a method run: number of steps, questions, and a fault at the end.
///
/// [`Simulator::script`](crate::Simulator::script) adds one. A new task follows the first script that applies to it.
#[derive(Clone, Debug)]
pub struct Script {
    method: String,
    vm: Option<ManagedObjectReference>,
    left: Option<usize>,
    /// Whether the task can be cancelled, if that does not depend on its method.
    cancelable: Option<bool>,
    pub(super) steps: usize,
    /// Asked before the call that starts the task returns.
    pub(super) at_once: Option<Question>,
    /// Questions, each with the number of steps before it.
    pub(super) questions: Vec<(usize, Question)>,
    pub(super) fault: Option<SoapFault>,
}

impl Script {
    /// A script for the tasks of a method, such as `PowerOnVM_Task`; `*` means all methods.
    ///
    /// Without further settings, a task succeeds after two steps and asks nothing. Clones, moves, copies, and what waits
    /// until a host is free can be cancelled, other tasks cannot.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            vm: None,
            left: None,
            cancelable: None,
            steps: 2,
            at_once: None,
            questions: Vec::new(),
            fault: None,
        }
    }

    /// Limits it to tasks of one virtual machine.
    #[must_use]
    pub fn on(self, vm: &ManagedObjectReference) -> Self {
        Self {
            vm: Some(vm.clone()),
            ..self
        }
    }

    /// Limits it to the next `count` tasks.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self {
            left: Some(count),
            ..self
        }
    }

    /// Number of steps until the task is finished, at least 1.
    #[must_use]
    pub fn steps(self, count: usize) -> Self {
        Self {
            steps: count.max(1),
            ..self
        }
    }

    /// The task asks a question before the call that starts it returns.
    #[must_use]
    pub fn asks_at_once(self, question: Question) -> Self {
        Self {
            at_once: Some(question),
            ..self
        }
    }

    /// The task asks a question as soon as it runs.
    #[must_use]
    pub fn asks(self, question: Question) -> Self {
        self.asks_after(0, question)
    }

    /// The task asks a question after `steps` more steps, at the latest after the last one.
    #[must_use]
    pub fn asks_after(mut self, steps: usize, question: Question) -> Self {
        self.questions.push((steps, question));
        self
    }

    /// The task fails with a fault; `message` is its localized message.
    #[must_use]
    pub fn fails(self, fault: impl Extends<MethodFault>, message: &str) -> Self {
        Self {
            fault: Some(soap_fault(fault, message)),
            ..self
        }
    }

    /// Whether the task can be cancelled.
    #[must_use]
    pub fn cancelable(self, cancelable: bool) -> Self {
        Self {
            cancelable: Some(cancelable),
            ..self
        }
    }

    pub(super) fn is_cancelable(&self, method: &str) -> bool {
        self.cancelable
            .unwrap_or_else(|| CANCELABLE.contains(&method))
    }

    /// The script if it applies to such a task, which counts towards its limit.
    pub(super) fn take(&mut self, method: &str, vm: &ManagedObjectReference) -> Option<Self> {
        let fits = (self.method == "*" || self.method == method)
            && self.vm.as_ref().is_none_or(|own| own == vm)
            && self.left != Some(0);
        if fits && let Some(left) = &mut self.left {
            *left -= 1;
        }
        fits.then(|| self.clone())
    }
}
