//! Compiles the Rust examples of the workspace's README as documentation tests.

#![cfg_attr(doctest, doc = include_str!("../../README.md"))]
