//! Task: something that a server works on.

use vi_types::SoapFault;
use vi_types::methods::CancelTask;

use crate::call::{Call, Row};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(cancel_task),
    ]
}

fn cancel_task(call: &mut Call<'_>, _: &CancelTask) -> Result<(), SoapFault> {
    let state = &mut *call.state;
    state.tasks.cancel(&mut state.world, call.this)
}
