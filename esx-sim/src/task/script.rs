//! What tasks are to meet on their way.

use vi_types::objects::MethodFault;
use vi_types::{Extends, ManagedObjectReference, SoapFault};

use super::{Question, soap_fault};

/// What the tasks of a method meet: questions, a fault at the end, how many steps they take.
///
/// Given to [`Simulator::script`](crate::Simulator::script); the first script that fits a new task is its.
#[derive(Clone, Debug)]
pub struct Script {
    method: String,
    vm: Option<ManagedObjectReference>,
    left: Option<usize>,
    cancelable: bool,
    pub(super) steps: usize,
    /// Asked before the call that begins the task is answered.
    pub(super) at_once: Option<Question>,
    /// After how many steps each is asked.
    pub(super) questions: Vec<(usize, Question)>,
    pub(super) fault: Option<SoapFault>,
}

impl Script {
    /// For the tasks of the method with this name, such as `PowerOnVM_Task`; `*` stands for all of them.
    ///
    /// They run in two steps, can't be cancelled, ask nothing and succeed.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            vm: None,
            left: None,
            cancelable: false,
            steps: 2,
            at_once: None,
            questions: Vec::new(),
            fault: None,
        }
    }

    /// Only for tasks of that virtual machine.
    #[must_use]
    pub fn on(self, vm: &ManagedObjectReference) -> Self {
        Self {
            vm: Some(vm.clone()),
            ..self
        }
    }

    /// Only for the next so many tasks.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self {
            left: Some(count),
            ..self
        }
    }

    /// The task takes so many steps from the beginning to the end, at least one.
    #[must_use]
    pub fn steps(self, count: usize) -> Self {
        Self {
            steps: count.max(1),
            ..self
        }
    }

    /// The task runs and asks a question before its caller knows of it.
    #[must_use]
    pub fn asks_at_once(self, question: Question) -> Self {
        Self {
            at_once: Some(question),
            ..self
        }
    }

    /// A question is asked as soon as the task runs.
    #[must_use]
    pub fn asks(self, question: Question) -> Self {
        self.asks_after(0, question)
    }

    /// A question is asked after so many more steps, or after the last one.
    #[must_use]
    pub fn asks_after(mut self, steps: usize, question: Question) -> Self {
        self.questions.push((steps, question));
        self
    }

    /// The task ends with a fault; `message` is what people read.
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
        Self { cancelable, ..self }
    }

    pub(super) fn is_cancelable(&self) -> bool {
        self.cancelable
    }

    /// The script, if it is for such a task; one of its times is used up then.
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
