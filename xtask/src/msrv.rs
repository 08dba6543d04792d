//! `cargo xtask msrv`: checks that the dependencies compile with the workspace's `rust-version`.

use std::process::Command;

use clap::Args;
use serde_json::Value;

/// Check that no dependency needs a newer Rust than the workspace's `rust-version`.
///
/// Compares the `rust-version` of every package in Cargo.lock; a package without one passes.
#[derive(Args)]
pub(crate) struct Msrv {}

/// Why the check fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MsrvError {
    /// `cargo metadata` could not be run.
    #[error("cannot run cargo metadata")]
    Run(#[source] std::io::Error),
    /// `cargo metadata` failed; its standard error.
    #[error("cargo metadata failed: {0}")]
    Cargo(String),
    /// `cargo metadata` printed something unexpected.
    #[error("cannot read the output of cargo metadata")]
    Output(#[source] serde_json::Error),
    /// The workspace has no `rust-version`.
    #[error("{0} has no rust-version")]
    NoPromise(&'static str),
    /// Packages that need a newer Rust.
    #[error("newer than Rust {promised}: {}\nuse an older version, or raise rust-version in Cargo.toml", .packages.join(", "))]
    Newer {
        /// The workspace's `rust-version`.
        promised: String,
        /// Name, version and `rust-version` of each package.
        packages: Vec<String>,
    },
}

/// The package whose `rust-version` is the workspace's.
const OURS: &str = "xtask";

impl Msrv {
    pub(crate) fn run(&self) -> Result<(), MsrvError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--locked", "--format-version", "1"])
            .output()
            .map_err(MsrvError::Run)?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(MsrvError::Cargo(text.trim().to_owned()));
        }
        let metadata = serde_json::from_slice(&output.stdout).map_err(MsrvError::Output)?;
        let promised = check(&metadata)?;
        println!("all dependencies allow Rust {promised}");
        Ok(())
    }
}

/// Compares all packages with the workspace's `rust-version`, and returns that.
fn check(metadata: &Value) -> Result<String, MsrvError> {
    let packages = metadata["packages"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let promised = packages
        .iter()
        .find(|package| package["name"] == OURS)
        .and_then(|package| package["rust_version"].as_str())
        .ok_or(MsrvError::NoPromise(OURS))?;
    let newer: Vec<_> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            let name = package["name"].as_str()?;
            let version = package["version"].as_str()?;
            (numbers(needed) > numbers(promised)).then(|| format!("{name} {version} ({needed})"))
        })
        .collect();
    match newer.is_empty() {
        true => Ok(promised.to_owned()),
        false => Err(MsrvError::Newer {
            promised: promised.to_owned(),
            packages: newer,
        }),
    }
}

/// `1.89` and `1.89.0` as three numbers.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome for dependencies with these versions of Rust, where the workspace promises 1.89.
    fn outcome(needed: &[Option<&str>]) -> String {
        let ours = serde_json::json!({"name": "xtask", "version": "0.1.0", "rust_version": "1.89"});
        let packages = needed.iter().enumerate().map(|(index, needed)| {
            serde_json::json!({
                "name": format!("p{index}"), "version": "2.0.1", "rust_version": needed,
            })
        });
        let packages: Vec<_> = packages.chain([ours]).collect();
        match check(&serde_json::json!({ "packages": packages })) {
            Ok(promised) => promised,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn older_and_silent_dependencies_pass() {
        let needed = [Some("1.56"), Some("1.9.1"), Some("1.89.0"), None];
        assert_eq!(outcome(&needed), "1.89");
    }

    #[test]
    fn newer_dependencies_are_named() {
        let needed = [Some("1.89.1"), Some("1.88"), Some("2.0")];
        assert_eq!(
            outcome(&needed),
            "newer than Rust 1.89: p0 2.0.1 (1.89.1), p2 2.0.1 (2.0)\n\
             use an older version, or raise rust-version in Cargo.toml"
        );
    }

    #[test]
    fn a_workspace_without_a_promise_is_an_error() {
        let found = check(&serde_json::json!({ "packages": [] }));
        assert!(matches!(found, Err(MsrvError::NoPromise("xtask"))));
    }
}
