//! What moves between a volume and a local file.

pub(super) mod partial;
pub(super) mod ranges;
pub(super) mod reader;
pub(super) mod runs;
pub(super) mod writer;
