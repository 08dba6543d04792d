//! Questions of a host.

use vi_types::objects::{
    ChoiceOption, Description, ElementDescription, LocalizedMethodFault, MethodFault, OptionType,
    RequestCanceled, VirtualMachineQuestionInfo,
};
use vi_types::{Extends, SoapFault};

use super::{localized, soap_fault};

/// A question of a virtual machine, which is blocked until a client answers it.
#[derive(Clone, Debug)]
pub struct Question {
    text: String,
    choices: Vec<Choice>,
    default: Option<i32>,
}

/// A possible answer.
#[derive(Clone, Debug)]
struct Choice {
    key: String,
    label: String,
    then: Outcome,
}

/// What happens when a choice is the answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The task continues.
    Proceed,
    /// The question is asked again, with another id.
    AskAgain,
    /// The task fails with this fault.
    Fail(Box<LocalizedMethodFault>),
}

impl Outcome {
    /// The task fails with this fault; `message` is its localized message.
    pub fn fail(fault: impl Extends<MethodFault>, message: &str) -> Self {
        Self::Fail(Box::new(localized(soap_fault(fault, message))))
    }

    fn cancel() -> Self {
        Self::fail(RequestCanceled::default(), "The operation was canceled.")
    }
}

impl Question {
    /// A question without choices and without a default answer.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            choices: Vec::new(),
            default: None,
        }
    }

    /// Adds a choice. Its key is its index, counted from 0.
    #[must_use]
    pub fn choice(mut self, label: impl Into<String>, then: Outcome) -> Self {
        self.choices.push(Choice {
            key: self.choices.len().to_string(),
            label: label.into(),
            then,
        });
        self
    }

    /// Sets the index of the default choice, counted from 0. An index beyond the choices is sent too.
    #[must_use]
    pub fn default(self, index: i32) -> Self {
        Self {
            default: Some(index),
            ..self
        }
    }

    /// The output file of a serial port already exists.
    pub fn serial_port() -> Self {
        Self::new(
            "msg.serial.file.open: Serial port output file \"/vmfs/volumes/datastore1/serial.log\" already \
             exists. Do you want to replace it with any newly created content, or append new content to the end \
             of the file?",
        )
        .choice("Replace", Outcome::Proceed)
        .choice("Append", Outcome::Proceed)
        .choice("Cancel", Outcome::cancel())
        .default(1)
    }

    /// The guest has locked its CD-ROM drive.
    pub fn cdrom_locked() -> Self {
        Self::new(
            "msg.cdromdisconnect.locked: The guest operating system has locked the CD-ROM door and is probably \
             using the CD-ROM, which can prevent the guest from recognizing media changes. Disconnect anyway and \
             override the lock?",
        )
        .choice("Yes", Outcome::Proceed)
        .choice("No", Outcome::cancel())
        .default(1)
    }

    /// The files of the virtual machine have been moved or copied.
    pub fn moved_or_copied() -> Self {
        Self::new(
            "msg.uuid.altered: This virtual machine might have been moved or copied. If you don't know, answer \
             \"I copied it\".",
        )
        .choice("Cancel", Outcome::cancel())
        .choice("I moved it", Outcome::Proceed)
        .choice("I copied it", Outcome::Proceed)
        .default(2)
    }

    /// The datastore is full.
    pub fn disk_full() -> Self {
        Self::new(
            "msg.hbacommon.outofspace: There is no more space for virtual disk 'disk.vmdk'. You might be able to \
             continue this session by freeing disk space on the relevant volume, and clicking Retry. Click Cancel \
             to terminate this session.",
        )
        .choice("Retry", Outcome::AskAgain)
        .choice("Cancel", Outcome::cancel())
        .default(0)
    }

    /// A question with choices, but without a default answer.
    pub fn without_default() -> Self {
        Self::new("msg.sim.nodefault: Shall it be this or that?")
            .choice("This", Outcome::Proceed)
            .choice("That", Outcome::Proceed)
    }

    /// A question without choices.
    pub fn without_choices() -> Self {
        Self::new("msg.sim.nochoices: Nobody can say how this is to go on.")
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The property `runtime.question`.
    pub(super) fn info(&self, id: &str) -> VirtualMachineQuestionInfo {
        let choices = self.choices.iter().map(|choice| ElementDescription {
            base: Description {
                label: choice.label.clone(),
                summary: choice.label.clone(),
                ..Description::default()
            },
            key: choice.key.clone(),
            ..ElementDescription::default()
        });
        VirtualMachineQuestionInfo {
            id: id.to_owned(),
            text: self.text.clone(),
            choice: ChoiceOption {
                base: OptionType::default(),
                choice_info: choices.map(Into::into).collect(),
                default_index: self.default,
                ..ChoiceOption::default()
            },
            ..VirtualMachineQuestionInfo::default()
        }
    }

    /// The outcome of the choice with that key.
    pub(super) fn choice_of(&self, key: &str) -> Option<Outcome> {
        let choice = self.choices.iter().find(|choice| choice.key == key)?;
        Some(choice.then.clone())
    }
}

impl From<SoapFault> for Outcome {
    /// The task ends with this fault.
    fn from(fault: SoapFault) -> Self {
        Self::Fail(Box::new(localized(fault)))
    }
}
