//! Tasks and questions: what may happen between a call and its end.

mod bulk;
mod calls;
mod faults;
mod lifecycle;
mod questions;
mod requests;

use std::time::Duration;

use esx_driver::{
    Connect, CreateFlags, Domain, Error, Operation, Result,
    policy::{Answer, BoxFuture, Policy},
    question::{Asker, Question},
    vi_client::transport::InProcess,
};
use esx_sim::{Question as Asked, Script, Simulator};
use vi_types::{
    ManagedObjectReference,
    enums::{TaskInfoState, VirtualMachinePowerState},
    properties::{Task, VirtualMachine},
};

use crate::{open, open_over};

/// A host with a domain that is off, opened by a URI with these query parameters.
async fn off(query: &str) -> (Simulator, Domain) {
    in_state(query, VirtualMachinePowerState::PoweredOff).await
}

/// The same with a domain that runs.
async fn on(query: &str) -> (Simulator, Domain) {
    in_state(query, VirtualMachinePowerState::PoweredOn).await
}

async fn in_state(query: &str, power: VirtualMachinePowerState) -> (Simulator, Domain) {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, power);
    let uri = format!("esx://esx.example.com/?{query}");
    let connect = open_slowly(&simulator, &uri).await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

/// A connection whose requests take their time, so that whoever waits for an answer can be seen waiting.
async fn open_slowly(simulator: &Simulator, uri: &str) -> Connect {
    let handler = simulator.handler();
    let transport = InProcess::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            let answer = handler(request).await;
            tokio::task::yield_now().await;
            answer
        })
    });
    open_over(transport, uri).await.unwrap()
}

fn start(domain: &Domain) -> Operation<'static> {
    domain.create(CreateFlags::NONE)
}

fn power(simulator: &Simulator, domain: &Domain) -> VirtualMachinePowerState {
    let vm: VirtualMachine = simulator.properties(domain.moref()).unwrap();
    vm.runtime.unwrap().power_state
}

/// How often a method was called.
fn calls(simulator: &Simulator, method: &str) -> usize {
    let methods = crate::methods(simulator);
    methods.iter().filter(|called| *called == method).count()
}

/// The states of the domain's tasks, the newest first.
fn tasks(simulator: &Simulator, domain: &Domain) -> Vec<TaskInfoState> {
    let vm: VirtualMachine = simulator.properties(domain.moref()).unwrap();
    let state = |task: &ManagedObjectReference| {
        let task: Task = simulator.properties(task).unwrap();
        task.info.unwrap().state
    };
    vm.recent_task.iter().map(state).collect()
}

/// Lets everything that can go on do so.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Nothing of ours is left on the server: no filter, no collector, no view.
#[track_caller]
fn nothing_left(simulator: &Simulator) {
    assert_eq!(simulator.leftovers(), []);
}

/// Polls a future for a while, until everything waits for something; `None` if it has not ended by then.
pub(crate) async fn begin<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    for _ in 0..20 {
        for _ in 0..20 {
            if let Some(output) = futures_util::FutureExt::now_or_never(&mut *future) {
                return Some(output);
            }
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    None
}

/// The question of [`Asked::serial_port`] as libvirt reports it.
const SERIAL_PORT: &str = "internal error: Pending question blocks virtual machine execution, question is \
     'msg.serial.file.open: Serial port output file \"/vmfs/volumes/datastore1/serial.log\" already exists. Do \
     you want to replace it with any newly created content, or append new content to the end of the file?', possible \
     answers are 'Replace', 'Append', 'Cancel'";

/// A program that answers.
struct Says(&'static str);

impl Answer for Says {
    fn answer<'a>(&'a self, _: &'a Asker, _: &'a Question) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { Some(self.0.to_owned()) })
    }
}

/// The same domain with another policy.
async fn with(domain: &Domain, policy: Policy) -> Domain {
    let connect: Connect = domain.connect().with_policy(policy);
    connect.lookup_by_name(domain.name()).await.unwrap()
}

/// What a start comes to when it meets such a script.
async fn started(query: &str, script: Script) -> (Simulator, Domain, Result<(), Error>) {
    let (simulator, domain) = off(query).await;
    simulator.script(script);
    let result = start(&domain).await;
    settle().await;
    nothing_left(&simulator);
    (simulator, domain, result)
}

/// A start that meets a question.
fn asking(question: Asked) -> Script {
    Script::new("PowerOnVM_Task").asks(question)
}
