//! virsh's group "Secret".

mod secret_event;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Secret",
    keyword: "secret",
    rows: &[Row::command::<secret_event::SecretEvent>("secret-event")],
};
