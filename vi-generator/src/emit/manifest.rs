//! The manifest of a generated crate.

use super::{Emission, File, Target};

pub(super) fn emit(emission: &Emission<'_>, files: &mut Vec<File>) {
    let Target::Crate { name, runtime } = emission.target else {
        return;
    };
    let mark = emission.mark();
    let families = super::features(emission.shape.description, &[]);
    let text = format!(
        r#"# {mark}

[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[features]
serde = ["dep:serde", "vi-types/serde"]
{families}
[dependencies]
serde = {{ version = "1", optional = true }}
vi-types = {runtime}

# Not a member of the workspace it may lie in.
[workspace]
"#
    );
    files.push(File {
        path: "Cargo.toml".to_owned(),
        text,
    });
}
