//! Rules as text, for the command line.

use std::str::FromStr;
use std::time::Duration;

use http::StatusCode;
use vi_types::{Poly, SoapFault, objects::LocalizedMethodFault, objects::MethodFault};

use super::{Effect, Rule};
use crate::fault;

/// The text is not a rule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRule {
    /// The part after `=` is missing.
    #[error("invalid rule '{0}' (expected METHOD[@OBJECT][:CALLS]=EFFECT)")]
    Form(String),
    /// The part for the calls has none of the known forms.
    #[error(
        "invalid calls '{0}' (expected 2 for the second call, 2- for the second and all later calls, or 2-4)"
    )]
    Calls(String),
    /// The effect is unknown.
    #[error(
        "unknown effect '{0}' (expected drop-before, drop-after, expire-session, silence, html, \
         ignore-range, status:NUMBER, delay:SECONDS, truncate:BYTES, tear:BYTES, replace:TEXT:TEXT or fault:TYPE)"
    )]
    Effect(String),
    /// The value behind the effect's colon is invalid.
    #[error("invalid value '{value}' of the effect '{effect}' (expected {expected})")]
    Value {
        /// The effect's name.
        effect: String,
        /// The value.
        value: String,
        /// Valid values.
        expected: &'static str,
    },
}

/// `METHOD[@OBJECT][:CALLS]=EFFECT`, for example `PowerOnVM_Task@web01:2=drop-after`.
///
/// `OBJECT` is a name in the inventory or the value of a reference, `CALLS` is `2`, `2-` or `2-4`.
impl FromStr for Rule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let form = || InvalidRule::Form(text.to_owned());
        let (about, effect) = text.rsplit_once('=').ok_or_else(form)?;
        let (about, calls) = match about.rsplit_once(':') {
            Some((about, calls)) => (about, Some(calls)),
            None => (about, None),
        };
        let (method, object) = match about.split_once('@') {
            Some((method, object)) => (method, Some(object)),
            None => (about, None),
        };
        if method.is_empty() || object == Some("") {
            return Err(form());
        }
        let mut rule = Self::new(method, read_effect(effect)?);
        if let Some(object) = object {
            rule = rule.on_named(object);
        }
        if let Some(calls) = calls {
            rule = among(rule, calls).ok_or_else(|| InvalidRule::Calls(calls.to_owned()))?;
        }
        Ok(rule)
    }
}

/// The rule for some of the calls only.
fn among(rule: Rule, calls: &str) -> Option<Rule> {
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
    Some(match calls.split_once('-') {
        None => rule.nth(number(calls)?),
        Some((first, "")) => rule.from_nth(number(first)?),
        Some((first, last)) => {
            let (first, last): (usize, usize) = (number(first)?, number(last)?);
            rule.from_nth(first).times(last.checked_sub(first)? + 1)
        }
    })
}

fn read_effect(text: &str) -> Result<Effect, InvalidRule> {
    let (word, value) = match text.split_once(':') {
        Some((word, value)) => (word, Some(value)),
        None => (text, None),
    };
    let invalid = |expected| InvalidRule::Value {
        effect: word.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected,
    };
    let given = value.unwrap_or_default();
    let effect = match word {
        "drop-before" => Effect::DropBefore,
        "drop-after" => Effect::DropAfter,
        "expire-session" => Effect::ExpireSession,
        "silence" => Effect::Silence,
        "html" => Effect::Html,
        "ignore-range" => Effect::IgnoreRange,
        "status" => {
            let status = given.parse::<StatusCode>();
            return Ok(Effect::Status(
                status.map_err(|_| invalid("an HTTP status, such as 503"))?,
            ));
        }
        "delay" => {
            let seconds = given.parse::<f64>().ok();
            let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            return Ok(Effect::Delay(
                time.ok_or_else(|| invalid("seconds, such as 0.5"))?,
            ));
        }
        "truncate" => {
            let length = given.parse().map_err(|_| invalid("a number of bytes"))?;
            return Ok(Effect::Truncate(length));
        }
        "tear" => {
            let length = given.parse().map_err(|_| invalid("a number of bytes"))?;
            return Ok(Effect::Tear(length));
        }
        "replace" => {
            let texts = given.split_once(':').filter(|(from, _)| !from.is_empty());
            let bytes = texts.and_then(|(from, to)| Some((unescaped(from)?, unescaped(to)?)));
            let (from, to) = bytes.ok_or_else(|| invalid("two texts, such as web01:gr\\xfcn"))?;
            return Ok(Effect::Replace { from, to });
        }
        "fault" => {
            return named_fault(given)
                .map(|fault| Effect::Fault(Box::new(fault)))
                .ok_or_else(|| invalid("the type of a fault, such as NotSupported"));
        }
        _ => return Err(InvalidRule::Effect(text.to_owned())),
    };
    match value {
        None => Ok(effect),
        Some(_) => Err(invalid("nothing")),
    }
}

/// The bytes of a text in which `\xfc` is the byte 252.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2)?;
        // A sign would be taken for a part of the number.
        let digits = digits
            .bytes()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(digits)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

/// A fault of that type with nothing else in it.
fn named_fault(name: &str) -> Option<SoapFault> {
    let object = (vi_types::registry().object(name)?.new)();
    let fault = Poly::<MethodFault>::from_object(object).ok()?;
    Some(fault::of(LocalizedMethodFault {
        fault,
        localized_message: Some(format!("The simulator was told to answer {name}.")),
        ..LocalizedMethodFault::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_can_be_written() {
        for (text, expected) in [
            ("Login=html", Rule::new("Login", Effect::Html)),
            (
                "PowerOnVM_Task@web01:2=drop-after",
                Rule::new("PowerOnVM_Task", Effect::DropAfter)
                    .on_named("web01")
                    .nth(2),
            ),
            (
                "*:3-=status:503",
                Rule::new("*", Effect::Status(StatusCode::SERVICE_UNAVAILABLE)).from_nth(3),
            ),
            (
                "*:3-4=delay:1.5",
                Rule::new("*", Effect::Delay(Duration::from_millis(1500)))
                    .from_nth(3)
                    .times(2),
            ),
            (
                "PUT:1=truncate:9",
                Rule::new("PUT", Effect::Truncate(9)).nth(1),
            ),
            (
                "PUT@dir/a.vmdk:2=tear:4294967296",
                Rule::new("PUT", Effect::Tear(1 << 32))
                    .on_named("dir/a.vmdk")
                    .nth(2),
            ),
            ("GET=ignore-range", Rule::new("GET", Effect::IgnoreRange)),
            (
                "*@ha-folder-vm=replace:web01:gr\\xfcn\\x3d&nothing;",
                Rule::new(
                    "*",
                    Effect::Replace {
                        from: b"web01".to_vec(),
                        to: b"gr\xfcn=&nothing;".to_vec(),
                    },
                )
                .on_named("ha-folder-vm"),
            ),
        ] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(format!("{rule:?}"), format!("{expected:?}"), "{text}");
        }
        let fault = "CancelTask=fault:NotSupported".parse::<Rule>().unwrap();
        assert!(format!("{fault:?}").contains("NotSupported"));
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, expected) in [
            (
                "Login",
                "invalid rule 'Login' (expected METHOD[@OBJECT][:CALLS]=EFFECT)",
            ),
            (
                "@web01=html",
                "invalid rule '@web01=html' (expected METHOD[@OBJECT][:CALLS]=EFFECT)",
            ),
            (
                "Login:0=html",
                "invalid calls '0' (expected 2 for the second call, 2- for the second and all later calls, or 2-4)",
            ),
            (
                "Login:4-2=html",
                "invalid calls '4-2' (expected 2 for the second call, 2- for the second and all later calls, or 2-4)",
            ),
            (
                "Login=drop",
                "unknown effect 'drop' (expected drop-before, drop-after, expire-session, silence, html, \
                 ignore-range, status:NUMBER, delay:SECONDS, truncate:BYTES, tear:BYTES, replace:TEXT:TEXT or fault:TYPE)",
            ),
            (
                "Login=status:x",
                "invalid value 'x' of the effect 'status' (expected an HTTP status, such as 503)",
            ),
            (
                "Login=delay:-1",
                "invalid value '-1' of the effect 'delay' (expected seconds, such as 0.5)",
            ),
            (
                "PUT=tear:x",
                "invalid value 'x' of the effect 'tear' (expected a number of bytes)",
            ),
            (
                "Login=fault:Description",
                "invalid value 'Description' of the effect 'fault' (expected the type of a fault, such as NotSupported)",
            ),
            (
                "Login=replace:web01",
                "invalid value 'web01' of the effect 'replace' (expected two texts, such as web01:gr\\xfcn)",
            ),
            (
                "Login=replace:a:\\xg1",
                "invalid value 'a:\\xg1' of the effect 'replace' (expected two texts, such as web01:gr\\xfcn)",
            ),
            (
                "Login=html:3",
                "invalid value '3' of the effect 'html' (expected nothing)",
            ),
        ] {
            let error = text.parse::<Rule>().unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        }
    }
}
