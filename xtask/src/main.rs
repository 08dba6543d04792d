//! The tasks of this workspace, run as `cargo xtask TASK`.

fn main() {}
