//! The simulator, asked as clients ask it: with bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on may panic"
)]
#![allow(
    clippy::cloned_ref_to_slice_refs,
    reason = "shorter, and these are tests"
)]

mod changes;
mod client;
mod clones;
mod datastores;
mod disks;
mod distributed;
mod environment;
mod events;
mod faults;
mod folder;
mod folds;
mod guests;
mod host;
mod host_networks;
mod host_systems;
mod http;
mod inventory;
mod licences;
mod looking;
mod machines;
mod managers;
mod moves;
mod networks;
mod performance;
mod reconfigure;
mod removal;
mod retrieve;
mod screens;
mod search;
mod sessions;
mod snapshots;
mod storage;
mod tasks;
mod transfers;
mod updates;
mod versions;
mod views;
mod wire;
