//! virsh's group "Secret".

mod change;
mod secret_define;
mod secret_dumpxml;
mod secret_event;
mod secret_get_value;
mod secret_list;
mod secret_set_value;
mod secret_undefine;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Secret",
    keyword: "secret",
    rows: &[
        Row::change::<secret_define::SecretDefine>("secret-define"),
        Row::query::<secret_dumpxml::SecretDumpxml>("secret-dumpxml"),
        Row::command::<secret_event::SecretEvent>("secret-event"),
        Row::query::<secret_get_value::SecretGetValue>("secret-get-value"),
        Row::query::<secret_list::SecretList>("secret-list"),
        Row::command::<secret_set_value::SecretSetValue>("secret-set-value"),
        Row::change::<secret_undefine::SecretUndefine>("secret-undefine"),
    ],
};
