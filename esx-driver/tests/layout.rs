//! The modules of the driver lean on each other in one direction: see "The driver's modules" in ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module, the lowest first: a module uses only those before it. A noun is nothing that the engine could name.
const ORDER: [&str; 28] = [
    // Values, errors, and what a program says before there is a connection.
    "question",
    "error",
    "near",
    "derived_uuid",
    "document",
    "uri",
    "auth",
    "policy",
    "store",
    // The engine, on the client.
    "engine",
    "operation",
    "undo",
    "bulk",
    // The connection.
    "inventory",
    "connect",
    // The host beyond libvirt.
    "host",
    // The nouns.
    "datastore",
    "secret",
    "storage_pool",
    "storage_volume",
    "domain",
    "network",
    "interface",
    "snapshot",
    "node_device",
    "event",
    "history",
    // Pictures of a whole server.
    "monitor",
];

fn rank(module: &str) -> usize {
    let found = ORDER.iter().position(|known| *known == module);
    found.unwrap_or_else(|| panic!("the module '{module}' has no place in ORDER"))
}

/// The Rust files of the library.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code without comments and tests.
fn code(text: &str) -> String {
    let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    let lines = code.lines().map(|line| match line.find("//") {
        Some(comment) => &line[..comment],
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that directly follow `path::`: `crate::a`, `crate::{a, b::c}`.
fn names_behind(code: &str, path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(path) {
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, 0);
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    names.push(word(&group[start..index]));
                    start = index + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The modules whose items lib.rs exports, by the items' names.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for module in ORDER {
        for item in names_behind(lib, &format!("pub use {module}::")) {
            exports.insert(item, module.to_owned());
        }
    }
    exports
}

#[test]
fn modules_use_only_modules_below_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let exports = exports(&code(&fs::read_to_string(source.join("lib.rs")).unwrap()));
    assert_eq!(exports["Error"], "error");
    let mut found = Vec::new();
    files(&source, &mut found);
    let mut upward = Vec::new();
    let mut uses = 0;
    for file in found {
        let inside = file.strip_prefix(&source).unwrap();
        if inside == Path::new("lib.rs") || inside.ends_with("tests.rs") {
            continue;
        }
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let own = first.trim_end_matches(".rs");
        let text = code(&fs::read_to_string(&file).unwrap());
        for name in names_behind(&text, "crate::") {
            let used = match exports.get(&name) {
                Some(module) => module.as_str(),
                None if ORDER.contains(&name.as_str()) => name.as_str(),
                // Another crate's item that lib.rs exports.
                None => continue,
            };
            uses += 1;
            if rank(used) > rank(own) {
                upward.push(format!("{} uses {name} of {used}", inside.display()));
            }
        }
    }
    assert!(uses > 100, "only {uses} uses were found");
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn uses_are_found() {
    let text = code(
        "use crate::{\n    Error, a::{B, C}, // crate::comment\n    d,\n};\nfn f() { crate::e::g() }\n#[cfg(test)]\nuse crate::h;",
    );
    assert_eq!(names_behind(&text, "crate::"), ["Error", "a", "d", "e"]);
}
