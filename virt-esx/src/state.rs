//! Where the command keeps what outlives a run.

use std::path::PathBuf;

/// `$XDG_STATE_HOME/virt-esx`; the first part is `~/.local/state` by default. `None` if the environment says neither.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = |name| {
        let value = std::env::var_os(name).map(PathBuf::from);
        // The specification has relative ones ignored.
        value.filter(|path| path.is_absolute())
    };
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("virt-esx"))
}
