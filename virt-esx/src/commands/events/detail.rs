//! What is printed of a domain's event.

use std::fmt::Write as _;

use esx_driver::question::Question;
use esx_driver::virt_model::event::{GraphicsAddress, GraphicsSubjectIdentity};
use esx_driver::virt_model::{ParamValue, TypedParam};
use esx_driver::{DomainEventDetail, QuestionEvent};
use serde::Serialize;

use crate::commands::params;
use crate::commands::question::PendingQuestion;
use crate::ui::foreign;

/// virsh's text of an event of the domain `name`, with the newline at its end.
///
/// Source: virsh 9.0.0's output when its callbacks are called. The text of [`DomainEventDetail::Question`] is ours.
pub(crate) fn text(name: &str, detail: &DomainEventDetail) -> String {
    use DomainEventDetail as Is;

    let kind = detail.id();
    let name = foreign::line(name);
    let of_domain = format!("event '{kind}' for domain '{name}'");
    let line = match detail {
        Is::Lifecycle(event) => format!(": {event}"),
        Is::Watchdog(action) => format!(": {action}"),
        Is::IoError {
            path,
            alias,
            action,
        } => format!(": {path} ({alias}) {action}"),
        Is::IoErrorReason {
            path,
            alias,
            action,
            reason,
        } => format!(": {path} ({alias}) {action} due to {reason}"),
        Is::Graphics {
            phase,
            local,
            remote,
            auth_scheme,
            subject,
        } => {
            let address =
                |end: &GraphicsAddress| format!("[{} {} {}]", end.family, end.node, end.service);
            let (local, remote) = (address(local), address(remote));
            let identities = subject
                .iter()
                .map(|identity| format!("\n\t{}={}", identity.r#type, identity.name));
            let identities: String = identities.collect();
            format!(": {phase} local{local} remote{remote} {auth_scheme}{identities}")
        }
        Is::TrayChange { alias, reason } => format!(" disk {alias}: {reason}"),
        Is::BalloonChange { actual } => format!(": {actual}KiB"),
        Is::DeviceAdded { alias } | Is::DeviceRemoved { alias } => format!(": {alias}"),
        Is::AgentLifecycle { state, reason } => {
            format!(": state: '{state}' reason: '{reason}'")
        }
        Is::JobCompleted { params } => params.iter().fold(":".to_owned(), |mut text, param| {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n\t{}: {}", param.field, value(&param.value));
            text
        }),
        Is::MetadataChange { kind, uri } => {
            let uri = uri.as_deref().unwrap_or("<null>");
            format!(": type {kind}, uri {uri}")
        }
        Is::Question(QuestionEvent::Raised(question)) => {
            format!(": raised: {}{}", question.text, choices(question))
        }
        Is::Question(QuestionEvent::Answered(question)) => {
            format!(": answered: {}", question.text)
        }
        // Kinds without details.
        _ => String::new(),
    };
    format!("{of_domain}{line}\n")
}

/// A line for each answer, with its key in front.
fn choices(question: &Question) -> String {
    let choices = question.choices.iter();
    let lines = choices.map(|choice| format!("\n\t{}: {}", choice.key, choice.label));
    lines.collect()
}

/// A value as libvirt's `virTypedParameterToString` writes it, which is not how `domstats` prints one.
fn value(value: &ParamValue) -> String {
    match value {
        ParamValue::Boolean(is_so) => u8::from(*is_so).to_string(),
        ParamValue::Double(number) => number.to_string(),
        value => value.to_string(),
    }
}

/// What the JSON document of an event has for its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Detail<'a> {
    Lifecycle {
        #[serde(rename = "type")]
        event: &'static str,
        detail: &'static str,
    },
    Watchdog {
        action: &'static str,
    },
    IoError {
        path: &'a str,
        alias: &'a str,
        action: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    Graphics {
        phase: &'static str,
        local: Address<'a>,
        remote: Address<'a>,
        auth_scheme: &'a str,
        subject: Vec<Identity<'a>>,
    },
    TrayChange {
        alias: &'a str,
        reason: &'static str,
    },
    BalloonChange {
        actual_kib: u64,
    },
    Device {
        alias: &'a str,
    },
    AgentLifecycle {
        state: &'static str,
        reason: &'static str,
    },
    JobCompleted {
        #[serde(serialize_with = "params::by_name")]
        job: &'a [TypedParam],
    },
    MetadataChange {
        metadata: &'static str,
        uri: Option<&'a str>,
    },
    Question {
        change: &'static str,
        question: PendingQuestion,
    },
    Nothing {},
}

/// An end of a viewer's connection.
#[derive(Debug, Serialize)]
pub(crate) struct Address<'a> {
    family: &'static str,
    node: &'a str,
    service: &'a str,
}

/// Who uses a viewer.
#[derive(Debug, Serialize)]
pub(crate) struct Identity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    name: &'a str,
}

impl<'a> Detail<'a> {
    /// The detail of an event of the domain `name`.
    pub(crate) fn new(name: &str, detail: &'a DomainEventDetail) -> Self {
        use DomainEventDetail as Is;

        match detail {
            Is::Lifecycle(event) => Self::Lifecycle {
                event: event.as_str(),
                detail: event.detail_str(),
            },
            Is::Watchdog(action) => Self::Watchdog {
                action: action.as_str(),
            },
            Is::IoError {
                path,
                alias,
                action,
            } => Self::IoError {
                path,
                alias,
                action: action.as_str(),
                reason: None,
            },
            Is::IoErrorReason {
                path,
                alias,
                action,
                reason,
            } => Self::IoError {
                path,
                alias,
                action: action.as_str(),
                reason: Some(reason),
            },
            Is::Graphics {
                phase,
                local,
                remote,
                auth_scheme,
                subject,
            } => Self::Graphics {
                phase: phase.as_str(),
                local: local.into(),
                remote: remote.into(),
                auth_scheme,
                subject: subject.iter().map(Identity::from).collect(),
            },
            Is::TrayChange { alias, reason } => Self::TrayChange {
                alias,
                reason: reason.as_str(),
            },
            Is::BalloonChange { actual } => Self::BalloonChange {
                actual_kib: *actual,
            },
            Is::DeviceAdded { alias } | Is::DeviceRemoved { alias } => Self::Device { alias },
            Is::AgentLifecycle { state, reason } => Self::AgentLifecycle {
                state: state.as_str(),
                reason: reason.as_str(),
            },
            Is::JobCompleted { params } => Self::JobCompleted { job: params },
            Is::MetadataChange { kind, uri } => Self::MetadataChange {
                metadata: kind.as_str(),
                uri: uri.as_deref(),
            },
            Is::Question(event) => {
                let (change, question) = match event {
                    QuestionEvent::Raised(question) => ("raised", question),
                    QuestionEvent::Answered(question) => ("answered", question),
                    _ => return Self::Nothing {},
                };
                let question = PendingQuestion::new(name, question);
                Self::Question { change, question }
            }
            _ => Self::Nothing {},
        }
    }
}

impl<'a> From<&'a GraphicsAddress> for Address<'a> {
    fn from(address: &'a GraphicsAddress) -> Self {
        Self {
            family: address.family.as_str(),
            node: &address.node,
            service: &address.service,
        }
    }
}

impl<'a> From<&'a GraphicsSubjectIdentity> for Identity<'a> {
    fn from(identity: &'a GraphicsSubjectIdentity) -> Self {
        Self {
            kind: &identity.r#type,
            name: &identity.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use esx_driver::DomainEventDetail as Is;
    use esx_driver::vi_types::objects::{
        ChoiceOption, Description, ElementDescription, VirtualMachineQuestionInfo,
    };
    use esx_driver::virt_model::event::*;
    use serde_json::json;

    use super::*;

    /// The details of the events whose texts are in `virsh.txt`, which virsh 9.0.0 printed when its callbacks were called
    /// with these values.
    fn details() -> Vec<Is> {
        macro_rules! lifecycle {
            ($($event:ident $detail:ident,)*) => {
                [$($detail::ALL.iter().copied().map(LifecycleEvent::$event).collect::<Vec<_>>(),)*].concat()
            };
        }
        let lifecycle = lifecycle![
            Defined DefinedDetail,
            Undefined UndefinedDetail,
            Started StartedDetail,
            Suspended SuspendedDetail,
            Resumed ResumedDetail,
            Stopped StoppedDetail,
            Shutdown ShutdownDetail,
            PmSuspended PmSuspendedDetail,
            Crashed CrashedDetail,
        ];
        let path = || "/path".to_owned();
        let alias = |alias: &str| alias.to_owned();
        let address = |family, node: &str, service: &str| GraphicsAddress {
            family,
            node: node.to_owned(),
            service: service.to_owned(),
        };
        let graphics = |phase| Is::Graphics {
            phase,
            local: address(GraphicsAddressFamily::Ipv4, "127.0.0.1", "5900"),
            remote: address(GraphicsAddressFamily::Ipv6, "::1", "40000"),
            auth_scheme: "vnc".to_owned(),
            subject: [("x509dname", "CN=a"), ("saslUsername", "bob")]
                .map(|(kind, name)| GraphicsSubjectIdentity {
                    r#type: kind.to_owned(),
                    name: name.to_owned(),
                })
                .to_vec(),
        };
        let unix = || address(GraphicsAddressFamily::Unix, "/sock", "");
        let mut all: Vec<Is> = lifecycle.into_iter().map(Is::Lifecycle).collect();
        all.push(Is::Reboot);
        all.extend(WatchdogAction::ALL.iter().copied().map(Is::Watchdog));
        for action in IoErrorAction::ALL {
            all.push(Is::IoError {
                path: path(),
                alias: alias(match action {
                    IoErrorAction::None => "",
                    _ => "virtio-disk0",
                }),
                action: *action,
            });
        }
        all.extend(GraphicsPhase::ALL.iter().copied().map(graphics));
        all.push(Is::Graphics {
            phase: GraphicsPhase::Connect,
            local: unix(),
            remote: unix(),
            auth_scheme: String::new(),
            subject: Vec::new(),
        });
        for action in [IoErrorAction::Pause, IoErrorAction::Report] {
            all.push(Is::IoErrorReason {
                path: path(),
                alias: alias("virtio-disk0"),
                action,
                reason: "enospc".to_owned(),
            });
        }
        all.push(Is::ControlError);
        for reason in TrayChangeReason::ALL {
            all.push(Is::TrayChange {
                alias: alias("ide0-1-0"),
                reason: *reason,
            });
        }
        all.extend([Is::PmWakeup, Is::PmSuspend]);
        all.push(Is::BalloonChange { actual: 524_288 });
        all.push(Is::DeviceRemoved {
            alias: alias("net0"),
        });
        for state in AgentLifecycleState::ALL {
            for reason in AgentLifecycleReason::ALL {
                all.push(Is::AgentLifecycle {
                    state: *state,
                    reason: *reason,
                });
            }
        }
        all.push(Is::DeviceAdded {
            alias: alias("net0"),
        });
        let values = [
            ParamValue::Int(-1),
            ParamValue::UInt(2),
            ParamValue::LLong(-3),
            ParamValue::ULLong(4),
            ParamValue::Double(1.5),
            ParamValue::Boolean(true),
            ParamValue::String("text".to_owned()),
        ];
        let params = (0..).zip(values);
        let params = params.map(|(nth, value)| TypedParam {
            field: format!("field.{nth}"),
            value,
        });
        all.push(Is::JobCompleted {
            params: params.collect(),
        });
        all.push(Is::JobCompleted { params: Vec::new() });
        for (kind, uri) in [
            (MetadataType::Description, None),
            (MetadataType::Title, None),
            (MetadataType::Element, Some("http://x/".to_owned())),
        ] {
            all.push(Is::MetadataChange { kind, uri });
        }
        all
    }

    #[test]
    fn texts_are_virshs() {
        let expected = include_str!("virsh.txt");
        let details = details();
        let texts: String = details.iter().map(|detail| text("test", detail)).collect();
        let differing = expected.lines().zip(texts.lines());
        for (expected, found) in differing {
            assert_eq!(found, expected);
        }
        assert_eq!(texts, expected);
    }

    #[test]
    fn documents_have_the_details() {
        let documents: Vec<_> = details()
            .iter()
            .map(|detail| serde_json::to_value(Detail::new("test", detail)).unwrap())
            .collect();
        for expected in [
            json!({"type": "Stopped", "detail": "Destroyed"}),
            json!({}),
            json!({"action": "poweroff"}),
            json!({"path": "/path", "alias": "virtio-disk0", "action": "pause"}),
            json!({"path": "/path", "alias": "virtio-disk0", "action": "pause", "reason": "enospc"}),
            json!({
                "phase": "connect",
                "local": {"family": "IPv4", "node": "127.0.0.1", "service": "5900"},
                "remote": {"family": "IPv6", "node": "::1", "service": "40000"},
                "auth_scheme": "vnc",
                "subject": [{"type": "x509dname", "name": "CN=a"}, {"type": "saslUsername", "name": "bob"}],
            }),
            json!({"alias": "ide0-1-0", "reason": "opened"}),
            json!({"actual_kib": 524_288}),
            json!({"alias": "net0"}),
            json!({"state": "connected", "reason": "channel event"}),
            json!({"job": {
                "field.0": -1, "field.1": 2, "field.2": -3, "field.3": 4, "field.4": 1.5, "field.5": true,
                "field.6": "text",
            }}),
            json!({"metadata": "description", "uri": null}),
            json!({"metadata": "element", "uri": "http://x/"}),
        ] {
            assert!(documents.contains(&expected), "{expected} in {documents:?}");
        }
    }

    #[test]
    fn questions_show_their_answers() {
        let choice = |key: &str, label: &str| ElementDescription {
            base: Description {
                label: label.to_owned(),
                summary: label.to_owned(),
                ..Description::default()
            },
            key: key.to_owned(),
            ..ElementDescription::default()
        };
        let question = Question::from(VirtualMachineQuestionInfo {
            id: "7".to_owned(),
            text: "Moved or copied?".to_owned(),
            choice: ChoiceOption {
                choice_info: vec![choice("0", "Cancel").into(), choice("2", "Copied").into()],
                default_index: Some(1),
                ..ChoiceOption::default()
            },
            ..VirtualMachineQuestionInfo::default()
        });
        let raised = Is::Question(QuestionEvent::Raised(question.clone()));
        assert_eq!(
            text("web", &raised),
            "event 'question' for domain 'web': raised: Moved or copied?\n\t0: Cancel\n\t2: Copied\n"
        );
        let document = serde_json::to_value(Detail::new("web", &raised)).unwrap();
        assert_eq!(document["change"], "raised");
        assert_eq!(document["question"]["default"], "2");
        let answered = Is::Question(QuestionEvent::Answered(question));
        assert_eq!(
            text("web", &answered),
            "event 'question' for domain 'web': answered: Moved or copied?\n"
        );
    }
}
