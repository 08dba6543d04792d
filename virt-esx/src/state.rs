//! Where the command keeps what outlives a run.

use std::path::PathBuf;

/// `$XDG_STATE_HOME/virt-esx`; the first part is `~/.local/state` by default. `None` if the environment says neither.
pub(crate) fn folder() -> Option<PathBuf> {
    of_environment("XDG_STATE_HOME", ".local/state")
}

/// The same for what can be found out again: `$XDG_CACHE_HOME/virt-esx`, by default below `~/.cache`.
pub(crate) fn cache() -> Option<PathBuf> {
    of_environment("XDG_CACHE_HOME", ".cache")
}

fn of_environment(name: &str, in_home: &str) -> Option<PathBuf> {
    let folder = |name| {
        let value = std::env::var_os(name).map(PathBuf::from);
        // The specification has relative ones ignored.
        value.filter(|path| path.is_absolute())
    };
    let base = folder(name).or_else(|| Some(folder("HOME")?.join(in_home)))?;
    Some(base.join("virt-esx"))
}
