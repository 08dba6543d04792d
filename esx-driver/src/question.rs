//! Questions that a host asks about a virtual machine before it goes on with it.
//!
//! A host may ask something while it works on a domain ("the serial port's file exists already: replace it, or append to
//! it?"). The domain is blocked until the question is answered. The connection's [`Policy`](crate::policy::Policy) decides
//! about the answer.

use vi_types::ManagedObjectReference;
use vi_types::objects::VirtualMachineQuestionInfo;
use virt_model::Uuid;

/// A question of a host, which blocks a virtual machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// The server's id of the question. Each question gets a new one, also if the same is asked again.
    pub id: String,
    /// The text.
    pub text: String,
    /// The possible answers, in the server's order.
    pub choices: Vec<Choice>,
    /// The index of the default answer in [`choices`](Question::choices); `None` if there is none, or if the server's index is
    /// out of range.
    pub default: Option<usize>,
    /// The ids of the kind of question, such as `msg.uuid.altered`. Some servers only put the id in front of the text; it is
    /// taken from there.
    pub messages: Vec<String>,
}

/// A possible answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The key, which is sent as the answer.
    pub key: String,
    /// The label that people read, such as `Append`.
    pub label: String,
    /// A description, often the label again.
    pub summary: String,
}

/// The domain that a question blocks, as a [policy](crate::policy::Answer) gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    name: String,
    uuid: Uuid,
    moref: ManagedObjectReference,
}

impl Asker {
    pub(crate) fn new(name: impl Into<String>, uuid: Uuid, moref: ManagedObjectReference) -> Asker {
        Asker {
            name: name.into(),
            uuid,
            moref,
        }
    }

    /// The domain's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The domain's UUID.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The server's reference of the virtual machine.
    pub fn moref(&self) -> &ManagedObjectReference {
        &self.moref
    }
}

impl Question {
    /// The choice with that key, or else with that label. An exact match comes before one in another case.
    pub fn choice(&self, key_or_label: &str) -> Option<&Choice> {
        let find = |fits: &dyn Fn(&Choice) -> bool| self.choices.iter().find(|choice| fits(choice));
        find(&|choice| choice.key == key_or_label)
            .or_else(|| find(&|choice| choice.label == key_or_label))
            .or_else(|| find(&|choice| choice.key.eq_ignore_ascii_case(key_or_label)))
            .or_else(|| find(&|choice| choice.label.to_lowercase() == key_or_label.to_lowercase()))
    }

    /// The default answer.
    pub fn default_choice(&self) -> Option<&Choice> {
        self.choices.get(self.default?)
    }

    /// The labels, quoted as in libvirt's error text: `'Replace', 'Append', 'Cancel'`.
    pub fn possible_answers(&self) -> String {
        let quoted: Vec<_> = self
            .choices
            .iter()
            .map(|choice| format!("'{}'", choice.label))
            .collect();
        quoted.join(", ")
    }
}

impl From<VirtualMachineQuestionInfo> for Question {
    fn from(info: VirtualMachineQuestionInfo) -> Question {
        let choices: Vec<_> = info
            .choice
            .choice_info
            .iter()
            .map(|choice| Choice {
                key: choice.key.clone(),
                label: choice.base.label.clone(),
                summary: choice.base.summary.clone(),
            })
            .collect();
        let default = info.choice.default_index;
        let mut messages: Vec<_> = info.message.into_iter().map(|message| message.id).collect();
        if messages.is_empty() {
            messages.extend(id_in_front(&info.text).map(str::to_owned));
        }
        Question {
            id: info.id,
            default: default
                .and_then(|index| usize::try_from(index).ok())
                .filter(|index| *index < choices.len()),
            text: info.text,
            choices,
            messages,
        }
    }
}

/// The `msg.uuid.altered` of `msg.uuid.altered: This virtual machine …`.
fn id_in_front(text: &str) -> Option<&str> {
    let (id, _) = text.split_once(':')?;
    let letters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (id.contains('.') && id.chars().all(letters)).then_some(id)
}

#[cfg(test)]
mod tests {
    use vi_types::objects::{ChoiceOption, Description, ElementDescription, VirtualMachineMessage};

    use super::*;

    fn info(text: &str, default: Option<i32>) -> VirtualMachineQuestionInfo {
        let choice = |key: &str, label: &str| ElementDescription {
            base: Description {
                label: label.to_owned(),
                summary: format!("{label}."),
                ..Default::default()
            },
            key: key.to_owned(),
            ..Default::default()
        };
        VirtualMachineQuestionInfo {
            id: "7".to_owned(),
            text: text.to_owned(),
            choice: ChoiceOption {
                choice_info: vec![
                    choice("0", "Retry").into(),
                    choice("1", "Cancel").into(),
                    choice("Retry", "2").into(),
                ],
                default_index: default,
                ..ChoiceOption::default()
            },
            ..VirtualMachineQuestionInfo::default()
        }
    }

    #[test]
    fn defaults_out_of_range_are_none() {
        for (index, expected) in [
            (None, None),
            (Some(-1), None),
            (Some(0), Some(0)),
            (Some(2), Some(2)),
            (Some(3), None),
        ] {
            assert_eq!(
                Question::from(info("?", index)).default,
                expected,
                "{index:?}"
            );
        }
    }

    #[test]
    fn choices_by_key_before_label_and_as_written_before_any_case() {
        let question = Question::from(info("?", None));
        for (asked, key) in [
            ("0", Some("0")),
            ("Retry", Some("Retry")),
            ("retry", Some("Retry")),
            ("cancel", Some("1")),
            ("2", Some("Retry")),
            ("3", None),
            ("", None),
        ] {
            let found = question.choice(asked).map(|choice| choice.key.as_str());
            assert_eq!(found, key, "{asked:?}");
        }
        assert_eq!(question.possible_answers(), "'Retry', 'Cancel', '2'");
    }

    #[test]
    fn message_ids_are_the_servers_or_stand_in_front_of_the_text() {
        for (text, expected) in [
            (
                "msg.uuid.altered: Moved or copied?",
                Some("msg.uuid.altered"),
            ),
            (
                "msg.uuid.altered:Moved or copied?",
                Some("msg.uuid.altered"),
            ),
            ("Moved: or copied?", None),
            ("Moved or copied?", None),
            ("", None),
        ] {
            let found = Question::from(info(text, None)).messages;
            assert_eq!(found, Vec::from_iter(expected), "{text:?}");
        }
        let mut told = info("msg.a.b: ?", None);
        told.message.push(VirtualMachineMessage {
            id: "msg.c.d".to_owned(),
            ..VirtualMachineMessage::default()
        });
        assert_eq!(Question::from(told).messages, ["msg.c.d"]);
    }
}
