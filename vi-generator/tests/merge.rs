//! Descriptions, newer ones, and what they make together.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use vi_generator::merge::{Merged, Source, merge};

fn merged(kept: &str, newer: &str, remove: bool) -> Result<Merged, String> {
    let kept = Source {
        file: "kept.input",
        text: kept,
    };
    let newer = Source {
        file: "newer.input",
        text: newer,
    };
    merge(kept, newer, remove).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("\n")
    })
}

/// Expects this text and this report, and that doing it again changes nothing.
#[track_caller]
fn check(kept: &str, newer: &str, expected: &str, report: &str) {
    let found = merged(kept, newer, false).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(found.text, expected);
    assert_eq!(found.report.to_string(), report);
    let again = merged(expected, newer, false).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.text, expected);
    assert!(again.report.is_empty(), "{}", again.report);
}

/// Expects these mistakes.
#[track_caller]
fn refused(kept: &str, newer: &str, expected: &str) {
    match merged(kept, newer, false) {
        Ok(found) => panic!("merged into\n{}", found.text),
        Err(errors) => assert_eq!(errors, expected),
    }
}

#[test]
fn the_same_in_another_order_and_form_is_nothing_to_do() {
    let kept = "# Ours\nobject A   # a\n\tInt  a r  since 2 # why\n\n  # more\n  String b o\nend\nenum E\nx\nend";
    let newer = "enum E\n    x\nend\n\n\nobject A\n    Int a r since 2\n    String b o\nend\n";
    check(kept, newer, kept, "nothing to do");
}

#[test]
fn annotations_and_throws_in_another_order_are_the_same() {
    let kept = "fault MethodFault\nend\nfault F extends MethodFault\nend\nfault G extends MethodFault\nend\n\
                method M\n  ManagedObjectReference _this r\n  String s o secret since 2 priv A,B\n  \
                privilege P\n  throws F, G\nend\n";
    let newer = "method M\n  ManagedObjectReference _this r\n  String s o priv A,B since 2 secret\n  \
                 throws G, F\n  privilege P\nend\n";
    check(
        kept,
        newer,
        kept,
        "kept     fault MethodFault (not in the newer description)\n\
         kept     fault F (not in the newer description)\n\
         kept     fault G (not in the newer description)\n\
         nothing to do; 3 kept that the newer description doesn't have",
    );
}

#[test]
fn a_changed_definition_keeps_its_comments_and_its_other_lines() {
    check(
        "# Head.\n\nobject A since 2.0 # the first\n\t# About a.\n\tInt    a   r    # kept as it is\n\t# About b.\n\tInt b o # b's\n\t# About c.\n\tInt c o\n\t# The end.\nend # A\n# Tail.\n",
        "object A since 2.5\n    Int a r\n    Long b  ol since 3.0\n    Int  d  o\nend\n",
        "# Head.\n\nobject A since 2.5 # the first\n\t# About a.\n\tInt    a   r    # kept as it is\n\t# About b.\n\tLong b  ol since 3.0 # b's\n\tInt  d  o\n\t# About c.\n\t# The end.\nend # A\n# Tail.\n",
        "changed  object A\n    \
         ~ since: 2.0 -> 2.5\n    \
         ~ b: Int o -> Long ol since 3.0\n    \
         + Int d o\n    \
         - c Int o\n\
         0 added, 1 changed, 0 removed",
    );
}

#[test]
fn properties_come_in_the_newer_order_with_their_comments() {
    check(
        "object A\n  # About a.\n  Int a r # a\n  Int b r\nend\n",
        "object A\n    Int b r\n    Int a r\nend\n",
        "object A\n  Int b r\n  # About a.\n  Int a r # a\nend\n",
        "changed  object A\n    ~ order: b, a\n0 added, 1 changed, 0 removed",
    );
}

#[test]
fn a_value_is_added_to_an_enum() {
    check(
        "enum E since 2.0\n    a\n    c # the last\nend\n",
        "enum E since 2.0\n    a\n    b since 3.0\n    c\nend\n",
        "enum E since 2.0\n    a\n    b since 3.0\n    c # the last\nend\n",
        "changed  enum E\n    + b since 3.0\n0 added, 1 changed, 0 removed",
    );
}

#[test]
fn lines_of_a_method_are_added_changed_and_removed() {
    let faults = "fault MethodFault\nend\nfault F extends MethodFault\nend\n";
    check(
        &format!(
            "{faults}method M\n  ManagedObjectReference _this r\n  throws F # why\n  privilege P\nend\n"
        ),
        &format!(
            "{faults}fault G extends F\nend\nmethod M returns Int r since 2\n    ManagedObjectReference _this r\n    \
             result Int r\n    throws F, G\nend\n"
        ),
        "fault MethodFault\nend\nfault F extends MethodFault\nend\n\
         method M returns Int r since 2\n  ManagedObjectReference _this r\n  result Int r\n  throws F, G # why\nend\n\
         \n\nfault G extends F\nend\n",
        "added    fault G (core, behind method M)\n\
         changed  method M\n    \
         ~ returns: none -> Int r\n    \
         ~ since: none -> 2\n    \
         + result Int r\n    \
         ~ its faults: F -> F, G\n    \
         - its privilege P\n\
         1 added, 1 changed, 0 removed",
    );
}

/// A core with a class of its own properties, one without, and a family with a managed object.
const FAMILIES: &str = "\
object Root
end


object Shape extends Root
    Int sides r
end


# The family.
family host

managed object Host
end


# Its only method.
method Boot
    ManagedObjectReference _this r to Host
end


object HostThing extends Root
    Int a r
end
";

/// Expects that `newer` goes behind `anchor` in [`FAMILIES`], as it is written.
#[track_caller]
fn check_place(newer: &str, anchor: &str, report: &str) {
    assert_eq!(FAMILIES.matches(anchor).count(), 1);
    let expected = FAMILIES.replace(anchor, &format!("{anchor}\n\n{newer}"));
    let found = merged(FAMILIES, newer, false).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(found.text, expected);
    assert_eq!(found.report.to_string().lines().next(), Some(report));
    let again = merged(&expected, newer, false).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.text, expected);
}

#[test]
fn a_new_class_goes_behind_its_base() {
    check_place(
        "object Square extends Shape\n    Int side r\nend\n",
        "    Int sides r\nend\n",
        "added    object Square (core, behind object Shape)",
    );
}

#[test]
fn a_new_method_goes_behind_the_last_one_of_its_managed_object() {
    check_place(
        "method Halt\n    ManagedObjectReference _this r to Host\nend\n",
        "    ManagedObjectReference _this r to Host\nend\n",
        "added    method Halt (family host, behind method Boot)",
    );
}

#[test]
fn a_class_whose_base_is_everybodys_goes_where_its_name_belongs() {
    check_place(
        "object HostThingPart extends Root\n    Int b r\nend\n",
        "    Int a r\nend\n",
        "added    object HostThingPart (family host, behind object HostThing)",
    );
}

#[test]
fn what_nothing_leads_to_goes_to_the_end_of_the_core() {
    check_place(
        "enum Mood\n    good\nend\n",
        "    Int sides r\nend\n",
        "added    enum Mood (core, behind object Shape)",
    );
}

#[test]
fn a_class_goes_where_its_first_user_is() {
    check(
        FAMILIES,
        "object Bolt extends Root\n    Int b r\nend\nobject HostThing extends Root\n    Int a r\n    Bolt bolt o\nend\n",
        &format!(
            "{}    Bolt bolt o\nend\n\n\nobject Bolt extends Root\n    Int b r\nend\n",
            FAMILIES.strip_suffix("end\n").unwrap_or_default()
        ),
        "added    object Bolt (family host, behind object HostThing)\n\
         changed  object HostThing\n    \
         + Bolt bolt o\n\
         kept     object Root (not in the newer description)\n\
         kept     object Shape (not in the newer description)\n\
         kept     managed object Host (not in the newer description)\n\
         kept     method Boot (not in the newer description)\n\
         1 added, 1 changed, 0 removed; 4 kept that the newer description doesn't have",
    );
}

#[test]
fn a_class_moves_to_the_family_of_what_it_cannot_do_without() {
    check_place(
        "object Cage extends Shape\n    HostThing thing r\nend\n",
        "    Int a r\nend\n",
        "added    object Cage (family host, behind object HostThing)",
    );
}

#[test]
fn what_two_families_cannot_do_without_goes_to_the_core() {
    let kept = "object Root\nend\nfamily a\nobject A\nend\nfamily b\nobject B\nend\n";
    check(
        kept,
        "object Root\nend\nobject N\nend\nobject A\n  N n r\nend\nobject B\n  N n r\nend\n",
        "object Root\nend\n\n\nobject N\nend\nfamily a\nobject A\n    N n r\nend\nfamily b\nobject B\n    N n r\nend\n",
        "added    object N (core, behind object Root)\n\
         changed  object A\n    + N n r\n\
         changed  object B\n    + N n r\n\
         1 added, 2 changed, 0 removed",
    );
}

#[test]
fn a_new_base_class_comes_between_old_ones() {
    check(
        "object Root\n  Int a r\nend\nobject Leaf extends Root\n  Int b r\n  Int c r\nend",
        "object Middle extends Root\n  Int b r\nend\nobject Root\n  Int a r\nend\nobject Leaf extends Middle\n  Int c r\nend\n",
        "object Root\n  Int a r\nend\n\n\nobject Middle extends Root\n  Int b r\nend\n\
         object Leaf extends Middle\n  Int c r\nend",
        "added    object Middle (core, behind object Root)\n\
         changed  object Leaf\n    \
         ~ base class: Root -> Middle\n    \
         - b Int r\n\
         1 added, 1 changed, 0 removed",
    );
}

#[test]
fn new_ones_behind_new_ones_stay_in_the_newer_order() {
    check(
        "object Root\n  Int a r\nend",
        "object C extends B\n  Int c r\nend\nobject B extends Root\n  Int b r\nend\nobject D extends Root\nend\n",
        "object Root\n  Int a r\nend\n\n\nobject B extends Root\n  Int b r\nend\n\n\nobject D extends Root\nend\n\
         \n\nobject C extends B\n  Int c r\nend\n",
        "added    object C (core, behind object B)\n\
         added    object B (core, behind object Root)\n\
         added    object D (core, behind object Root)\n\
         kept     object Root (not in the newer description)\n\
         3 added, 0 changed, 0 removed; 1 kept that the newer description doesn't have",
    );
}

#[test]
fn into_nothing() {
    check(
        "# Nothing yet.\n",
        "# Theirs.\nenum E # e\n    a # first\nend\n",
        "# Nothing yet.\n\n\nenum E\n    a\nend\n",
        "added    enum E (core)\n1 added, 0 changed, 0 removed",
    );
}

#[test]
fn what_the_newer_one_lacks_goes_only_when_it_is_told_to() {
    let kept = "# Section\n\nobject A\nend\n\n\n# Only ours.\nobject B\nend\n\n\nobject C\nend\n";
    let newer = "object A\nend\nobject C\nend\n";
    check(
        kept,
        newer,
        kept,
        "kept     object B (not in the newer description)\n\
         nothing to do; 1 kept that the newer description doesn't have",
    );
    let found = merged(kept, newer, true).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        found.text,
        "# Section\n\nobject A\nend\n\n\nobject C\nend\n"
    );
    assert_eq!(
        found.report.to_string(),
        "removed  object B\n0 added, 0 changed, 1 removed"
    );
}

#[test]
fn mistakes_of_either_are_shown_with_their_lines() {
    refused(
        "object A\n  Int a x\nend\n",
        "objct A\nend\nobject B\nend\nobject B\nend\n",
        "kept.input:2: object A: a has the unknown occurrence 'x'; expected r, o, rl, ol or i\n\
         newer.input:1: 'objct' does not begin a definition; expected enum, object, fault, managed object, method, \
         family or section (did you mean 'object'?)\n\
         newer.input:5: object B is already defined in line 3; names of types are \
         unique, those of methods as well",
    );
}

#[test]
fn mistakes_of_both_together_have_the_lines_of_where_they_come_from() {
    refused(
        "\n\nobject A\n  Int a r\nend\nobject Z\n  Y y o\nend\n",
        "\nobject A\n  Int a r\n  Missing m o\nend\nobject B extends Nobody\nend\n",
        "kept.input:7: object Z: y has the unknown type 'Y'; expected a predefined type or an \
         enum, object or fault of this file\n\
         newer.input:4: object A: m has the unknown type 'Missing'; expected a predefined type or an enum, object or \
         fault of this file\n\
         newer.input:6: object B extends the unknown object 'Nobody'; expected an object of this file",
    );
}

#[test]
fn what_is_said_twice_is_told() {
    refused(
        "object A\n  Int a r\nend\nobject A\nend\n",
        "object A\n  Int a r\n  Int a r\nend\nenum E\n  x\n  x\nend\n",
        "kept.input:4: object A is already defined in line 1; names of types are unique, those of methods as well\n\
         newer.input:3: object A: a is already in object A (line 2); a property or parameter is named once\n\
         newer.input:7: enum E: the value x is already in line 6; one is enough",
    );
}

#[test]
fn a_parameter_may_be_called_as_a_line_is() {
    let method = |result: &str| {
        format!(
            "method M\n  ManagedObjectReference _this r\n  Int result o\n  result {result} r\nend\n"
        )
    };
    check(
        &method("Int"),
        &method("Long"),
        &method("Long"),
        "changed  method M\n    ~ its result: Int r -> Long r\n0 added, 1 changed, 0 removed",
    );
}
