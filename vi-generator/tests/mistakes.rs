//! Each mistake that a description can have, with its line and what would be right.

use vi_generator::{Target, generate};

/// Expects these mistakes, as they are shown, and no others.
#[track_caller]
fn check(input: &str, expected: &[&str]) {
    let found = match generate("test.input", input, &Target::Module) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.to_string().lines().map(str::to_owned).collect(),
    };
    assert_eq!(found, expected);
}

#[test]
fn five_planted_mistakes() {
    check(
        include_str!("mistakes/five.input"),
        &[
            "test.input:9: object VirtualDisk: capacity has the unknown type 'Lang' (did you mean 'Long'?); \
             expected a predefined type or an enum, object or fault of this file",
            "test.input:15: object VirtualCdrom extends the unknown object 'VirtualDevise' (did you mean \
             'VirtualDevice'?); expected an object of this file",
            "test.input:16: object VirtualCdrom: label has the unknown occurrence 'x'; expected r, o, rl, ol or i",
            "test.input:22: enum PowerState: the value off is already in line 21; one is enough",
            "test.input:29: method PowerOff: 'NoPower' is an unknown fault; expected a fault of this file",
        ],
    );
}

#[test]
fn a_definition_with_a_misspelt_keyword() {
    check(
        "objct A\n  String a r\nend\nobject B\nend",
        &[
            "test.input:1: 'objct' does not begin a definition; expected enum, object, fault, managed object, method, \
             family or section (did you mean 'object'?)",
        ],
    );
}

#[test]
fn families() {
    check(
        "object A\n  B b r\n  B c o\nend\nfamily\nfamily x y\nfamily Host\nfamily full\nfamily host needs perv\n\
         object B\nend\nfamily perf\nobject C extends B\nend\nmethod M returns B r\n\
         ManagedObjectReference _this r\n  result B r\n  B b rl\nend\nfamily host",
        &[
            "test.input:2: object A: b requires B of family host; move one of them, or let \
             the one family need the other",
            "test.input:5: 'family' does not begin a family; expected 'family <name> [needs <family>...]'",
            "test.input:6: 'family x y' does not begin a family; expected 'family <name> [needs <family>...]'",
            "test.input:7: 'Host' is not a valid name for a family; expected lower-case letters and digits, and none of api, \
             core, default, full, serde, std",
            "test.input:8: 'full' is not a valid name for a family; expected lower-case letters and digits, and none of api, \
             core, default, full, serde, std",
            "test.input:9: family host needs the unknown family 'perv' (did you mean 'perf'?)",
            "test.input:13: object C: its base class requires B of family host; move one of \
             them, or let the one family need the other",
            "test.input:15: method M: its return value requires B of family host; move one \
             of them, or let the one family need the other",
            "test.input:17: method M: its result requires B of family host; move one of them, \
             or let the one family need the other",
            "test.input:18: method M: b requires B of family host; move one of them, or let \
             the one family need the other",
            "test.input:20: family host already began in line 9; keep its definitions together",
        ],
    );
}

#[test]
fn sections() {
    check(
        "section a_1\nobject A\nend\nsection\nsection b c\nsection B\nsection a_1\nfamily f\nsection a_1\nobject B\n\
         section c\nend",
        &[
            "test.input:4: 'section' does not begin a section; expected 'section <name>'",
            "test.input:5: 'section b c' does not begin a section; expected 'section <name>'",
            "test.input:6: 'B' is not a valid name for a section; expected lower-case letters, digits and underscores",
            "test.input:7: section a_1 already began in line 1; keep its definitions together",
            "test.input:11: object B: 'section c' is not a property; expected '<type> <name> <occurrence>' and annotations",
        ],
    );
}

#[test]
fn an_end_too_many() {
    check(
        "object A\nend\nend",
        &[
            "test.input:3: 'end' does not begin a definition; expected enum, object, fault, managed object, method, family or section",
        ],
    );
}

#[test]
fn headers() {
    let expected = |line, found, form| {
        format!(
            "test.input:{line}: '{found}' is not the first line of a definition; expected '{form}'"
        )
    };
    check(
        "enum\nend\nobject A extend B\n  whatever\nend\nmanaged object A since\nend\nmethod A returns String\nend\n\
         enum A extends B\nend",
        &[
            &expected(1, "enum", "enum <name> [since <version>]"),
            &expected(
                3,
                "object A extend B",
                "object <name> [extends <object>] [since <version>]",
            ),
            &expected(
                6,
                "managed object A since",
                "managed object <name> [extends <managed object>] [since <version>]",
            ),
            &expected(
                8,
                "method A returns String",
                "method <name> [returns <type> <occurrence>] [<annotation>...]",
            ),
            &expected(10, "enum A extends B", "enum <name> [since <version>]"),
        ],
    );
}

#[test]
fn a_definition_inside_another_one() {
    check(
        "object A\n  String a r\nobject B\n  String b r\nend",
        &["test.input:3: object B begins inside object A of line 1; expected 'end' first"],
    );
}

#[test]
fn no_end() {
    check(
        "object A\nend\nobject B\n  String b r\n",
        &["test.input:3: object B has no end; expected a line 'end' behind its last member"],
    );
}

#[test]
fn members() {
    check(
        "object A\n  String a\nend\nmethod M\n  ManagedObjectReference _this r\n  String\nend",
        &[
            "test.input:2: object A: 'String a' is not a property; expected '<type> <name> <occurrence>' and annotations",
            "test.input:6: method M: 'String' is not a parameter; expected '<type> <name> <occurrence>' and annotations",
        ],
    );
}

#[test]
fn values() {
    check(
        "enum E\n  a b\n  c since\n  ?\nend",
        &[
            "test.input:2: enum E: 'a b' is not a value; expected one word, or '<value> since <version>'",
            "test.input:3: enum E: 'c since' is not a value; expected one word, or '<value> since <version>'",
            "test.input:4: enum E: '?' is not a name; expected letters, digits and '_', not beginning with a digit",
        ],
    );
}

#[test]
fn ignored_is_for_properties() {
    let expected = "expected r, o, rl or ol (only an object's property can be ignored with i)";
    check(
        "method M returns String i\nend\nmethod N\n  ManagedObjectReference _this r\n  String a i\nend",
        &[
            &format!(
                "test.input:1: method M: its return value has the unknown occurrence 'i'; {expected}"
            ),
            "test.input:1: 'method M returns String i' is not the first line of a definition; expected 'method <name> \
             [returns <type> <occurrence>] [<annotation>...]'",
            &format!("test.input:5: method N: a has the unknown occurrence 'i'; {expected}"),
        ],
    );
}

#[test]
fn annotations() {
    check(
        "object A\n  String a r sinse 2.0\n  String b r since\n  String c r secret secret\n  String d r to A\n  \
         String e r required\n  String f r priv A priv B\nend",
        &[
            "test.input:2: object A: 'sinse' is not an annotation (did you mean 'since'?); expected any of since, to, \
             link, holds, names, required, linkable, secret, priv",
            "test.input:2: object A: '2.0' is not an annotation; expected any of since, to, link, holds, names, \
             required, linkable, secret, priv",
            "test.input:3: object A: 'since' lacks its word; expected 'since <version>'",
            "test.input:4: object A: 'secret' is given twice; one is enough",
            "test.input:5: object A: 'to' does not fit d, a String; it is for ManagedObjectReference",
            "test.input:5: object A: 'to A' names the object of that name; expected a managed object",
            "test.input:6: object A: 'required' does not fit e, a String; it is for what is o or ol",
            "test.input:7: object A: 'priv' is given twice; one is enough",
        ],
    );
}

#[test]
fn lines_of_methods() {
    check(
        "method M\n  ManagedObjectReference _this r\n  throws\n  privilege\n  privilege A\n  privilege B\n  result\nend",
        &[
            "test.input:3: method M: 'throws' is not complete or given twice; expected one line 'throws <fault>, <fault>'",
            "test.input:4: method M: 'privilege' is not complete or given twice; expected one line 'privilege <privilege>'",
            "test.input:6: method M: 'privilege B' is not complete or given twice; expected one line 'privilege <privilege>'",
            "test.input:7: method M: 'result' is not complete or given twice; expected one line 'result <type> \
             <occurrence> [<annotation>...]'",
        ],
    );
}

#[test]
fn names_that_are_taken() {
    check(
        "object A\nend\nenum A\nend\nobject String\nend\nmethod A\n  ManagedObjectReference _this r\nend\nobject a\nend",
        &[
            "test.input:3: enum A is already defined in line 1; names of types are unique, those of methods as well",
            "test.input:5: object String has the name of a predefined type; choose another one",
            "test.input:10: types: a and A (line 1) would both be called A in Rust; rename or leave out one",
        ],
    );
}

#[test]
fn members_that_are_taken() {
    check(
        "object A\n  String a r\n  Int a r\nend\nobject B extends A\n  String a r\n  String someName r\n  String SomeName r\nend",
        &[
            "test.input:3: object A: a is already in object A (line 2); a property or parameter is named once",
            "test.input:6: object B: a is already in object A (line 2); a property or parameter is named once",
            "test.input:8: object B: SomeName and someName (line 7) would both be called some_name in Rust; rename or \
             leave out one",
        ],
    );
}

#[test]
fn names_that_are_none() {
    check(
        "object A-B\nend\nobject C\n  String 1a r\nend",
        &[
            "test.input:1: object A-B: 'A-B' is not a name; expected letters, digits and '_', not beginning with a digit",
            "test.input:4: object C: '1a' is not a name; expected letters, digits and '_', not beginning with a digit",
        ],
    );
}

#[test]
fn bases_of_another_kind() {
    check(
        "fault F\nend\nobject O extends F\nend\nfault G extends O\nend\nmanaged object M extends O\nend",
        &[
            "test.input:3: object O extends the unknown object 'F'; expected an object of this file",
            "test.input:5: fault G extends the unknown fault 'O'; expected a fault of this file",
            "test.input:7: managed object M extends the unknown managed object 'O'; expected a managed object of this file",
        ],
    );
}

#[test]
fn a_cycle_of_bases() {
    check(
        "object A extends C\nend\nobject B extends A\nend\nobject C extends B\nend\nobject D extends A\nend",
        &[
            "test.input:1: object A extends itself: A -> C -> B -> A; a chain of base classes ends at one without 'extends'",
        ],
    );
}

#[test]
fn objects_that_require_themselves() {
    let end = "no value could exist, so one of these must be optional or a list";
    check(
        "object A\n  A a r\nend",
        &[&format!(
            "test.input:1: object A requires itself: A.a -> A; {end}"
        )],
    );
    check(
        "object A\n  B b r\nend\nobject B\n  A a r\nend",
        &[&format!(
            "test.input:1: object A requires itself: A.b -> B.a -> A; {end}"
        )],
    );
    // Through an inherited property, and through a position that holds descendants.
    check(
        "object A\n  B b r\nend\nobject B extends A\nend",
        &[&format!(
            "test.input:4: object B requires itself: B.b -> B; {end}"
        )],
    );
}

#[test]
fn objects_that_may_hold_themselves() {
    check("object A\n  A a o\n  A b ol\n  A c rl\n  A d i\nend", &[]);
}

#[test]
fn what_a_method_is_called_on() {
    let expected = "expected 'ManagedObjectReference _this r', or _this:<member of ServiceContent>";
    check(
        "method A\nend\nmethod B\n  String name r\nend\nmethod C\n  String _this r\nend\nmethod D\n  \
         ManagedObjectReference _this: r\nend\nmethod E\n  ManagedObjectReference _this:sessionManager r\nend",
        &[
            &format!("test.input:1: method A: the first parameter is missing; {expected}"),
            &format!("test.input:4: method B: the first parameter is 'String name'; {expected}"),
            &format!("test.input:7: method C: the first parameter is 'String _this'; {expected}"),
            &format!(
                "test.input:10: method D: the first parameter is 'ManagedObjectReference _this:'; {expected}"
            ),
        ],
    );
}

#[test]
fn an_object_is_no_fault() {
    check(
        "object O\nend\nfault InvalidLogin\nend\nmethod M\n  ManagedObjectReference _this r\n  throws O, InvalidLogn\nend",
        &[
            "test.input:7: method M: 'O' is an object, not a fault; expected a fault of this file",
            "test.input:7: method M: 'InvalidLogn' is an unknown fault (did you mean 'InvalidLogin'?); expected a \
             fault of this file",
        ],
    );
}

#[test]
fn unknown_types_of_methods() {
    check(
        "method M returns Strang r\n  ManagedObjectReference _this r\n  Bolean b r\n  result Foo r\nend",
        &[
            "test.input:1: method M: its return value has the unknown type 'Strang' (did you mean 'String'?); expected a \
             predefined type or an enum, object or fault of this file",
            "test.input:3: method M: b has the unknown type 'Bolean' (did you mean 'Boolean'?); expected a predefined \
             type or an enum, object or fault of this file",
            "test.input:4: method M: its result has the unknown type 'Foo'; expected a predefined type or an enum, \
             object or fault of this file",
        ],
    );
}
