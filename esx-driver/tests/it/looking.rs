//! What a domain looks like: sizes and limits of its disks, statistics, jobs, screenshots, the guest's power management.

mod blocks;
mod issues;
mod jobs;
mod power_management;
mod screenshots;
mod stats;
