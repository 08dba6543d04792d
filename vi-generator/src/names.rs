//! Names of the description and names in Rust.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// The name of a type, method or managed object: `VirtualUSBController` -> `VirtualUsbController`.
pub(crate) fn type_name(name: &str) -> String {
    let name = join_plurals(name).to_upper_camel_case();
    if PRELUDE.contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

/// The name of a field: `numCPU` -> `num_cpu`, `type` -> `r#type`, `self` -> `self_`.
pub(crate) fn field_name(name: &str) -> String {
    let name = join_plurals(name).to_snake_case();
    match name.as_str() {
        // The embedded base class has this name; the others can't be raw identifiers.
        "base" | "self" | "super" | "crate" => name + "_",
        _ if is_keyword(&name) => format!("r#{name}"),
        _ => name,
    }
}

/// The name of a method's function: `PowerOnVM_Task` -> `power_on_vm_task`.
///
/// Names of methods differ in Rust, which is checked, and so do their functions, also those of base classes.
pub(crate) fn function_name(name: &str) -> String {
    let name = field_name(name);
    if REFERENCE.contains(&name.as_str()) {
        name + "_"
    } else {
        name
    }
}

/// The name of an enum's value: `poweredOff` -> `PoweredOff`.
pub(crate) fn variant_name(value: &str) -> String {
    let name = join_plurals(value).to_upper_camel_case();
    match name.as_str() {
        "Self" | "Unrecognized" => name + "_",
        _ if name.starts_with(|first: char| first.is_ascii_digit()) => format!("V{name}"),
        _ => name,
    }
}

/// The name of a type's description: `VirtualDisk` -> `VIRTUAL_DISK`.
pub(crate) fn static_name(name: &str) -> String {
    join_plurals(name).to_shouty_snake_case()
}

/// The one of `candidates` that `name` was probably meant to be.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let lower = name.to_lowercase();
    let limit = match name.len() {
        0..3 => 0,
        length => (length / 4).max(1),
    };
    candidates
        .into_iter()
        .map(|other| {
            (
                strsim::damerau_levenshtein(&lower, &other.to_lowercase()),
                other,
            )
        })
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, other)| other.to_owned())
}

/// Makes one word of an abbreviation and its plural's `s`, which would begin the next one otherwise
/// (`numCPUs` is `num_cpus`, not `num_cp_us`).
fn join_plurals(name: &str) -> String {
    let mut out: Vec<char> = name.chars().collect();
    for at in 2..out.len() {
        let ends = out
            .get(at + 1)
            .is_none_or(|next| !next.is_ascii_lowercase());
        let plural = out[at] == 's' && ends && out[at - 1].is_ascii_uppercase();
        if plural
            && name
                .chars()
                .nth(at - 2)
                .is_some_and(|before| before.is_ascii_uppercase())
        {
            let mut start = at - 1;
            while start > 0 && out[start - 1].is_ascii_uppercase() {
                start -= 1;
            }
            for letter in &mut out[start + 1..at] {
                letter.make_ascii_lowercase();
            }
        }
    }
    out.into_iter().collect()
}

fn is_keyword(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(name).is_err()
}

/// Names that generated code uses without a path.
const PRELUDE: [&str; 18] = [
    "Box",
    "Clone",
    "Copy",
    "Default",
    "Drop",
    "Err",
    "Into",
    "None",
    "Ok",
    "Option",
    "PartialEq",
    "Reference",
    "Result",
    "Send",
    "Some",
    "String",
    "Sync",
    "Vec",
];

/// What references have besides the functions of methods: their own functions and those of traits that are always in
/// scope.
const REFERENCE: [&str; 18] = [
    "as_mut",
    "as_ref",
    "borrow",
    "borrow_mut",
    "clone",
    "clone_from",
    "clone_into",
    "cmp",
    "deref",
    "eq",
    "fmt",
    "from",
    "from_moref",
    "hash",
    "into",
    "ne",
    "to_moref",
    "to_owned",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        for (name, rust) in [
            ("VirtualUSBController", "VirtualUsbController"),
            ("PowerOnVM_Task", "PowerOnVmTask"),
            (
                "vslmInfrastructureObjectPolicy",
                "VslmInfrastructureObjectPolicy",
            ),
            ("ClusterSystemVMsConfigSpec", "ClusterSystemVmsConfigSpec"),
            ("Option", "Option_"),
            ("Reference", "Reference_"),
        ] {
            assert_eq!(type_name(name), rust);
        }
    }

    #[test]
    fn fields() {
        for (name, rust) in [
            ("numCPU", "num_cpu"),
            ("numCPUs", "num_cpus"),
            ("maxSupportedVMs", "max_supported_vms"),
            ("capacityInKB", "capacity_in_kb"),
            ("type", "r#type"),
            ("self", "self_"),
            ("base", "base_"),
            ("_this", "this"),
        ] {
            assert_eq!(field_name(name), rust);
        }
    }

    #[test]
    fn functions() {
        for (name, rust) in [
            ("PowerOnVM_Task", "power_on_vm_task"),
            ("Move", "r#move"),
            ("Clone", "clone_"),
            ("FromMoref", "from_moref_"),
        ] {
            assert_eq!(function_name(name), rust);
        }
    }

    #[test]
    fn variants() {
        for (name, rust) in [
            ("poweredOff", "PoweredOff"),
            ("self", "Self_"),
            ("unrecognized", "Unrecognized_"),
            ("5.5", "V55"),
        ] {
            assert_eq!(variant_name(name), rust);
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(
            nearest("VirtualDisc", ["VirtualDisk", "VirtualDevice"]).as_deref(),
            Some("VirtualDisk")
        );
        assert_eq!(nearest("Elephant", ["VirtualDisk", "VirtualDevice"]), None);
    }
}
