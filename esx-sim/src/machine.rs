//! Virtual machines: how they come to be, and what becomes of them.

pub(crate) mod snapshot;
