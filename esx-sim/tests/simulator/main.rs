//! The simulator, asked as clients ask it: with bytes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod client;
mod http;
mod retrieve;
mod search;
mod sessions;
mod updates;
mod versions;
mod views;
mod wire;
