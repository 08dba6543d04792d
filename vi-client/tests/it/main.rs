//! The client against small servers of the tests' own, over the loopback and in process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod http;
mod limits;
mod odd_certificates;
mod proxy_logins;
mod recording;
mod repeats;
mod retrieve;
mod session;
mod streams;
mod support;
mod tls;
mod typed;
mod vi;
