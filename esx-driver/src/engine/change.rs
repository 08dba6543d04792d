//! What an operation does to the server, as its noun describes it.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use vi_client::{Client, Error as Cause};
use vi_types::{
    Any, CastError, ManagedObjectReference, Method, TaskMethod, enums::VirtualMachinePowerState,
};

use super::state::Effect;
use crate::{Error, Result, policy::Policy, question::Asker};

/// One call that changes something, with all that the engine has to know to bring it to its end.
///
/// [`Change::task`] is a call that starts a task, [`Change::call`] one that is over when the server answers. The rest is
/// optional: the virtual machine whose questions and other tasks are in the way, the power states that the change starts
/// from, and how to see whether it is done.
pub(crate) struct Change<T> {
    /// The server that is asked: the host, or its vCenter.
    pub(super) client: Client,
    /// The name of the method that is called.
    pub(super) method: &'static str,
    pub(super) request: Request<T>,
    pub(super) machine: Option<Machine>,
    pub(super) find_machine: Option<FindMachine>,
    pub(super) precondition: Option<Precondition>,
    pub(super) effect: EffectTest<T>,
}

/// The call.
pub(super) enum Request<T> {
    Task(Sender<ManagedObjectReference>, ReadResult<T>),
    Call(Sender<T>),
}

/// Sends the request each time it is called.
pub(super) type Sender<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, Cause>> + Send + Sync>;

/// Reads `TaskInfo.result`.
pub(super) type ReadResult<T> = fn(Option<Any>) -> Result<T, CastError>;

/// Looks for the machine of a change that makes one: `None` if it is not there yet.
pub(super) type FindMachine =
    Box<dyn Fn() -> BoxFuture<'static, Result<Option<Machine>>> + Send + Sync>;

/// The power states that a change starts from.
pub(super) struct Precondition {
    pub(super) states: &'static [VirtualMachinePowerState],
    /// libvirt's text for any other state.
    pub(super) wrong_state: &'static str,
}

/// How to see whether a change is done.
pub(super) enum EffectTest<T> {
    /// It cannot be seen.
    Unseen,
    /// The machine is in that power state.
    PowerState(VirtualMachinePowerState, fn() -> T),
    /// By asking the server.
    Read(Box<dyn Fn() -> BoxFuture<'static, Result<Effect<T>>> + Send + Sync>),
}

/// A virtual machine that may ask questions.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Its reference at the server of the change.
    pub(crate) moref: ManagedObjectReference,
    /// What the policy and error texts say of it.
    pub(crate) asker: Asker,
    pub(crate) policy: Policy,
    /// The error if the server has no such machine.
    pub(crate) not_found: fn(&Asker) -> Error,
}

impl<T: Send + 'static> Change<T> {
    /// A call that starts a task; the task's result is what the change returns.
    pub(crate) fn task<M>(client: &Client, request: M) -> Change<T>
    where
        M: TaskMethod<Output = ManagedObjectReference, Result = T>,
    {
        let request = Request::Task(sender(client, request), M::task_result);
        Change::new(client, M::name(), request)
    }

    /// A call that is over when the server answers; the answer is what the change returns.
    pub(crate) fn call<M: Method<Output = T>>(client: &Client, request: M) -> Change<T> {
        let request = Request::Call(sender(client, request));
        Change::new(client, M::name(), request)
    }

    fn new(client: &Client, method: &'static str, request: Request<T>) -> Change<T> {
        Change {
            client: client.clone(),
            method,
            request,
            machine: None,
            find_machine: None,
            precondition: None,
            effect: EffectTest::Unseen,
        }
    }

    /// The task is one of that virtual machine. Before it starts, the machine is read: a question or another task of
    /// it is in the way. Questions that come up while the task is awaited go to the machine's policy.
    pub(crate) fn of(mut self, machine: Machine) -> Change<T> {
        self.machine = Some(machine);
        self
    }

    /// The task makes a virtual machine, which may ask questions as soon as it is there. `find` looks for it, while the
    /// task is awaited.
    pub(crate) fn making(
        mut self,
        find: impl Fn() -> BoxFuture<'static, Result<Option<Machine>>> + Send + Sync + 'static,
    ) -> Change<T> {
        self.find_machine = Some(Box::new(find));
        self
    }

    /// The machine has to be in one of these power states; `wrong_state` is libvirt's text for any other state.
    pub(crate) fn from(
        mut self,
        states: &'static [VirtualMachinePowerState],
        wrong_state: &'static str,
    ) -> Change<T> {
        self.precondition = Some(Precondition {
            states,
            wrong_state,
        });
        self
    }

    /// How to see whether the change is done, and what it returns then. It is asked when there was no reply, or when a
    /// task cannot tell how it ended.
    pub(crate) fn verified_by(
        mut self,
        read: impl Fn() -> BoxFuture<'static, Result<Effect<T>>> + Send + Sync + 'static,
    ) -> Change<T> {
        self.effect = EffectTest::Read(Box::new(read));
        self
    }
}

impl Change<()> {
    /// A call that starts a task whose result nobody needs. It is not read: vcsim's tasks lack some.
    pub(crate) fn task_without_result<M>(client: &Client, request: M) -> Change<()>
    where
        M: TaskMethod<Output = ManagedObjectReference>,
    {
        let request = Request::Task(sender(client, request), |_| Ok(()));
        Change::new(client, M::name(), request)
    }

    /// A call that is over when the server answers, with an answer that nobody needs.
    pub(crate) fn call_without_result<M: Method>(client: &Client, request: M) -> Change<()> {
        let send = sender(client, request);
        let request = Request::Call(Box::new(move || {
            let sent = send();
            Box::pin(async move { sent.await.map(drop) })
        }));
        Change::new(client, M::name(), request)
    }

    /// The change is done when the machine is in that power state.
    pub(crate) fn leads_to(mut self, state: VirtualMachinePowerState) -> Change<()> {
        self.effect = EffectTest::PowerState(state, || ());
        self
    }
}

impl<T> Change<T> {
    /// Whether a machine in that power state is as the change needs it.
    pub(super) fn starts_from(&self, state: &VirtualMachinePowerState) -> bool {
        let precondition = self.precondition.as_ref();
        precondition.is_none_or(|precondition| precondition.states.contains(state))
    }
}

fn sender<M: Method>(client: &Client, request: M) -> Sender<M::Output> {
    let (client, request) = (client.clone(), Arc::new(request));
    Box::new(move || {
        let (client, request) = (client.clone(), Arc::clone(&request));
        Box::pin(async move { client.call(&*request).await })
    })
}
