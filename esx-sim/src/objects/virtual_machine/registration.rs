//! VirtualMachine: unregistering, and answers to questions.
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, Suspended};
use vi_types::methods::{AnswerVm, UnregisterVm};
use vi_types::SoapFault;
use vi_types::objects::VmRemovedEvent;

use super::power::check_power_state;
use crate::call::{Call, Row};
use crate::machine::place;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(unregister),
        Row::new(answer_vm),
    ]
}

/// The files stay.
fn unregister(call: &mut Call<'_>, _: &UnregisterVm) -> Result<(), SoapFault> {
    check_power_state(call, &[PoweredOff, Suspended], PoweredOff)?;
    let state = &mut *call.state;
    state.tasks.check_idle(call.this)?;
    state.world.fill_files();
    let about = state.world.about(call.this);
    place::leave(&mut state.world, call.this);
    state.world.log_about(&about, VmRemovedEvent::default());
    Ok(())
}

fn answer_vm(call: &mut Call<'_>, request: &AnswerVm) -> Result<(), SoapFault> {
    let state = &mut *call.state;
    let (id, key) = (&request.question_id, &request.answer_choice);
    state.tasks.answer(&mut state.world, call.this, id, key)
}

