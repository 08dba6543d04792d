//! Tasks, the questions that block them, and what a guest is asked for.

use esx_sim::{Outcome, Question, Script, Simulator};
use vi_types::enums::{TaskInfoState, VirtualMachinePowerState};
use vi_types::methods::{
    AnswerVm, CancelTask, CreateFilter, PowerOffVmTask, PowerOnVmTask, RebootGuest,
    ReconfigureAutostart, ResetVmTask, ShutdownGuest, SuspendVmTask, WaitForUpdates,
};
use vi_types::objects::{
    AutoStartDefaults, AutoStartPowerInfo, ConcurrentAccess, HostAutoStartManagerConfig,
    InvalidArgument, InvalidPowerState, InvalidState, NotSupported, PropertyFilterSpec,
    RequestCanceled, TaskInProgress, TaskInfo, ToolsUnavailable, UpdateSet,
};
use vi_types::{ManagedObjectReference, properties};

use crate::client::{Client, at, properties as property_spec};

/// A machine that is off, on a host whose tasks go on only when they are told to.
async fn stepped() -> (Simulator, Client, ManagedObjectReference) {
    let simulator = Simulator::esx().build();
    simulator.stop_tasks();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    (simulator, client, vm)
}

async fn power_on(client: &Client, vm: &ManagedObjectReference) -> ManagedObjectReference {
    let request = PowerOnVmTask {
        this: vm.clone(),
        ..PowerOnVmTask::default()
    };
    client.call(&request).await.unwrap()
}

fn info(simulator: &Simulator, task: &ManagedObjectReference) -> TaskInfo {
    let task: properties::Task = simulator.properties(task).unwrap();
    *task.info.unwrap()
}

fn power(simulator: &Simulator, vm: &ManagedObjectReference) -> VirtualMachinePowerState {
    let vm: properties::VirtualMachine = simulator.properties(vm).unwrap();
    vm.runtime.unwrap().power_state
}

/// The id of the question that a machine asks.
fn question(simulator: &Simulator, vm: &ManagedObjectReference) -> Option<String> {
    let vm: properties::VirtualMachine = simulator.properties(vm).unwrap();
    let question = vm.runtime.unwrap().question;
    question.map(|question| question.id)
}

async fn answer(
    client: &Client,
    vm: &ManagedObjectReference,
    id: &str,
    key: &str,
) -> Result<(), vi_types::SoapFault> {
    let request = AnswerVm {
        this: vm.clone(),
        question_id: id.to_owned(),
        answer_choice: key.to_owned(),
        ..Default::default()
    };
    client.call(&request).await
}

#[tokio::test]
async fn a_task_goes_from_queued_to_success() {
    let (simulator, client, vm) = stepped().await;
    let task = power_on(&client, &vm).await;
    let queued = info(&simulator, &task);
    assert_eq!(queued.state, TaskInfoState::Queued);
    assert_eq!(queued.name.as_deref(), Some("PowerOnVM_Task"));
    assert_eq!(queued.entity.as_ref(), Some(&vm));
    assert_eq!(queued.entity_name.as_deref(), Some("web01"));
    for percent in [0, 50] {
        assert!(simulator.step_tasks());
        let running = info(&simulator, &task);
        assert_eq!(running.state, TaskInfoState::Running);
        assert_eq!(running.progress, Some(percent));
    }
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOff);
    assert!(simulator.step_tasks());
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Success);
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOn);
    assert!(!simulator.step_tasks());
    let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
    assert_eq!(machine.recent_task, [task]);
}

#[tokio::test]
async fn tasks_of_a_machine_come_one_after_the_other() {
    let (simulator, client, vm) = stepped().await;
    let task = power_on(&client, &vm).await;
    let request = PowerOnVmTask {
        this: vm.clone(),
        ..PowerOnVmTask::default()
    };
    let fault = client.call(&request).await.unwrap_err();
    assert_eq!(fault.cast::<TaskInProgress>().unwrap().task, task);
    while simulator.step_tasks() {}
    let fault = client.call(&request).await.unwrap_err();
    let state = fault.cast::<InvalidPowerState>().unwrap();
    assert_eq!(state.existing_state, VirtualMachinePowerState::PoweredOn);
}

#[tokio::test]
async fn every_power_state_is_reached() {
    let (simulator, client, vm) = stepped().await;
    power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    client
        .call(&ResetVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOn);
    client
        .call(&SuspendVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::Suspended);
    power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    client
        .call(&PowerOffVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOff);
}

#[tokio::test]
async fn an_unanswered_question_blocks_a_task() {
    let (simulator, client, vm) = stepped().await;
    simulator.script(Script::new("PowerOnVM_Task").asks(Question::serial_port()));
    let task = power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Running);
    let id = question(&simulator, &vm).unwrap();

    let other = answer(&client, &vm, "other", "1").await.unwrap_err();
    assert!(other.is::<ConcurrentAccess>());
    let unknown = answer(&client, &vm, &id, "7").await.unwrap_err();
    assert!(unknown.is::<InvalidArgument>());
    assert_eq!(question(&simulator, &vm), Some(id.clone()));

    answer(&client, &vm, &id, "1").await.unwrap();
    assert_eq!(question(&simulator, &vm), None);
    while simulator.step_tasks() {}
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Success);
    let again = answer(&client, &vm, &id, "1").await.unwrap_err();
    assert!(again.is::<ConcurrentAccess>());
}

#[tokio::test]
async fn an_answer_can_end_the_task_or_bring_the_question_back() {
    let (simulator, client, vm) = stepped().await;
    let retry_or_cancel = Script::new("PowerOnVM_Task").asks(Question::disk_full());
    simulator.script(retry_or_cancel);
    let task = power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    let first = question(&simulator, &vm).unwrap();
    answer(&client, &vm, &first, "0").await.unwrap();
    assert!(simulator.step_tasks());
    let second = question(&simulator, &vm).unwrap();
    assert_ne!(first, second);
    answer(&client, &vm, &second, "1").await.unwrap();
    let ended = info(&simulator, &task);
    assert_eq!(ended.state, TaskInfoState::Error);
    assert!(ended.error.unwrap().fault.is::<RequestCanceled>());
    assert!(!simulator.step_tasks());
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOff);
}

#[tokio::test]
async fn a_question_can_come_late_and_a_script_is_for_one_machine() {
    let (simulator, client, vm) = stepped().await;
    let script = Script::new("*")
        .on(&vm)
        .times(1)
        .steps(4)
        .asks_after(2, Question::without_default());
    simulator.script(script);
    let task = power_on(&client, &vm).await;
    for _ in 0..3 {
        assert!(simulator.step_tasks());
        assert_eq!(question(&simulator, &vm), None);
    }
    assert_eq!(info(&simulator, &task).progress, Some(50));
    assert!(simulator.step_tasks());
    let id = question(&simulator, &vm).unwrap();
    answer(&client, &vm, &id, "0").await.unwrap();
    while simulator.step_tasks() {}
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Success);
    client
        .call(&PowerOffVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOff);
}

#[tokio::test]
async fn a_question_can_be_there_before_its_task_is_known() {
    let (simulator, client, vm) = stepped().await;
    simulator.script(Script::new("PowerOnVM_Task").asks_at_once(Question::serial_port()));
    let task = power_on(&client, &vm).await;
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Running);
    let id = question(&simulator, &vm).unwrap();
    assert!(!simulator.step_tasks());
    answer(&client, &vm, &id, "1").await.unwrap();
    while simulator.step_tasks() {}
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Success);
}

#[tokio::test]
async fn only_some_tasks_can_be_cancelled() {
    let (simulator, client, vm) = stepped().await;
    let task = power_on(&client, &vm).await;
    let request = CancelTask {
        this: task.clone(),
        ..Default::default()
    };
    let fault = client.call(&request).await.unwrap_err();
    assert!(fault.is::<NotSupported>());
    while simulator.step_tasks() {}

    let blocked = Script::new("PowerOffVM_Task")
        .cancelable(true)
        .asks(Question::cdrom_locked());
    simulator.script(blocked);
    let task = client
        .call(&PowerOffVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    assert!(question(&simulator, &vm).is_some());
    let request = CancelTask {
        this: task.clone(),
        ..Default::default()
    };
    client.call(&request).await.unwrap();
    let ended = info(&simulator, &task);
    assert!(ended.cancelled);
    assert!(ended.error.unwrap().fault.is::<RequestCanceled>());
    assert_eq!(question(&simulator, &vm), None);
    let fault = client.call(&request).await.unwrap_err();
    assert!(fault.is::<InvalidState>());
}

#[tokio::test]
async fn a_task_can_fail() {
    let (simulator, client, vm) = stepped().await;
    let broken = Script::new("PowerOnVM_Task").fails(ToolsUnavailable::default(), "no tools");
    simulator.script(broken);
    let task = power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    let error = info(&simulator, &task).error.unwrap();
    assert_eq!(error.localized_message.as_deref(), Some("no tools"));
    assert!(error.fault.is::<ToolsUnavailable>());
}

#[tokio::test]
async fn a_question_needs_no_task() {
    let (simulator, client, vm) = stepped().await;
    let ended = Outcome::fail(RequestCanceled::default(), "no");
    let ask = Question::new("Which?").choice("A", ended).default(3);
    simulator.ask(&vm, ask);
    let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
    let shown = machine.runtime.unwrap().question.unwrap();
    assert_eq!(shown.text, "Which?");
    assert_eq!(shown.choice.default_index, Some(3));
    assert_eq!(shown.choice.choice_info.len(), 1);
    answer(&client, &vm, &shown.id, "0").await.unwrap();
    assert_eq!(question(&simulator, &vm), None);
}

#[tokio::test]
async fn whoever_waits_lets_time_pass() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let task = client
        .call(&PowerOffVmTask {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    let filter = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![property_spec("Task", &["info.state"])],
            object_set: vec![at(&task, false, vec![])],
            ..PropertyFilterSpec::default()
        },
        partial_updates: true,
        ..Default::default()
    };
    client.call(&filter).await.unwrap();
    let mut version = String::new();
    let mut states = Vec::new();
    while states.last() != Some(&TaskInfoState::Success) {
        let wait = WaitForUpdates {
            version: Some(version.clone()),
            ..Default::default()
        };
        let set: UpdateSet = client.call(&wait).await.unwrap();
        version = set.version;
        for change in &set.filter_set[0].object_set[0].change_set {
            let state = change.val.clone().unwrap();
            states.push(state.cast::<TaskInfoState>().unwrap());
        }
    }
    let expected = [
        TaskInfoState::Queued,
        TaskInfoState::Running,
        TaskInfoState::Success,
    ];
    assert_eq!(states, expected);
}

#[tokio::test]
async fn whoever_polls_a_task_lets_time_pass() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let task = client
        .call(&SuspendVmTask {
            this: vm,
            ..Default::default()
        })
        .await
        .unwrap();
    let mut polls = 0;
    loop {
        polls += 1;
        assert!(polls < 10);
        let read = client
            .read(std::slice::from_ref(&task), "Task", &["info.state"])
            .await
            .unwrap();
        let state = read[0].prop_set[0].val.clone();
        if state.cast::<TaskInfoState>().unwrap() == TaskInfoState::Success {
            break;
        }
    }
}

#[tokio::test]
async fn a_guest_without_tools_can_be_asked_for_nothing() {
    let (simulator, client, vm) = stepped().await;
    let off = client
        .call(&ShutdownGuest {
            this: vm.clone(),
            ..Default::default()
        })
        .await;
    assert!(off.unwrap_err().is::<InvalidPowerState>());
    power_on(&client, &vm).await;
    while simulator.step_tasks() {}
    simulator.change(&vm, |vm: &mut properties::VirtualMachine| {
        let guest = vm.guest.as_deref_mut().unwrap();
        guest.tools_running_status = Some("guestToolsNotRunning".to_owned());
    });
    let without = client
        .call(&RebootGuest {
            this: vm.clone(),
            ..Default::default()
        })
        .await;
    assert!(without.unwrap_err().is::<ToolsUnavailable>());
    simulator.change(&vm, |vm: &mut properties::VirtualMachine| {
        let guest = vm.guest.as_deref_mut().unwrap();
        guest.tools_running_status = Some("guestToolsRunning".to_owned());
    });
    client
        .call(&RebootGuest {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOn);
    client
        .call(&ShutdownGuest {
            this: vm.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(power(&simulator, &vm), VirtualMachinePowerState::PoweredOff);
}

#[tokio::test]
async fn autostart_settings_change_where_they_are_set() {
    let (simulator, client, vm) = stepped().await;
    let manager = simulator.objects("HostAutoStartManager").remove(0);
    let request = ReconfigureAutostart {
        this: manager.clone(),
        spec: HostAutoStartManagerConfig {
            defaults: Some(Box::new(AutoStartDefaults {
                start_delay: Some(7),
                ..AutoStartDefaults::default()
            })),
            power_info: vec![AutoStartPowerInfo {
                key: vm.clone(),
                start_order: 3,
                start_action: "powerOn".to_owned(),
                ..AutoStartPowerInfo::default()
            }],
            ..Default::default()
        },
        ..Default::default()
    };
    client.call(&request).await.unwrap();
    let found: properties::HostAutoStartManager = simulator.properties(&manager).unwrap();
    let config = found.config.unwrap();
    let defaults = config.defaults.as_ref().unwrap();
    assert_eq!(defaults.start_delay, Some(7));
    assert_eq!(defaults.enabled, Some(true), "what is not set stays");
    let own: Vec<_> = config
        .power_info
        .iter()
        .filter(|info| info.key == vm)
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].start_order, 3);
    let host = simulator.objects("HostSystem").remove(0);
    let host: properties::HostSystem = simulator.properties(&host).unwrap();
    assert_eq!(host.config.unwrap().auto_start, Some(config));
}

#[tokio::test]
async fn questions_are_shown_as_they_are_meant() {
    for (question, id, labels, default) in [
        (
            Question::serial_port(),
            "msg.serial.file.open",
            &["Replace", "Append", "Cancel"][..],
            Some(1),
        ),
        (
            Question::cdrom_locked(),
            "msg.cdromdisconnect.locked",
            &["Yes", "No"],
            Some(1),
        ),
        (
            Question::moved_or_copied(),
            "msg.uuid.altered",
            &["Cancel", "I moved it", "I copied it"],
            Some(2),
        ),
        (
            Question::disk_full(),
            "msg.hbacommon.outofspace",
            &["Retry", "Cancel"],
            Some(0),
        ),
        (
            Question::without_default(),
            "msg.sim.nodefault",
            &["This", "That"],
            None,
        ),
        (Question::without_choices(), "msg.sim.nochoices", &[], None),
    ] {
        let (simulator, _, vm) = stepped().await;
        simulator.ask(&vm, question);
        let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
        let shown = machine.runtime.unwrap().question.unwrap();
        assert_eq!(shown.text.split(": ").next(), Some(id));
        let choices = shown.choice.choice_info.iter();
        let found: Vec<_> = choices.map(|choice| choice.label.as_str()).collect();
        assert_eq!(found, labels, "{id}");
        assert_eq!(shown.choice.default_index, default, "{id}");
    }
}
