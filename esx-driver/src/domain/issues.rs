//! What is wrong with a domain: messages of the host, and disks that it cannot use.

use vi_client::property_set;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff};
use vi_types::objects::{
    Event, VirtualDevice, VirtualMachineFileLayoutEx, VirtualMachineQuestionInfo,
};
use vi_types::{Any, Poly};
use virt_model::domain::{DiskErrorCode, DomainDiskError};
use virt_model::flags::{MessageFlags, refuse_unknown};

use super::{Domain, disks, not_running};
use crate::{Result, error::refuse_flags};

property_set! {
    struct Issues: VirtualMachine {
        issues: Vec<Poly<Event>> = config_issue,
    }
}

property_set! {
    struct State: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
        version: Option<String> = config.version,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
        layout: Option<VirtualMachineFileLayoutEx> = layout_ex,
    }
}

impl Domain {
    /// What the host reports about the domain's configuration (`configIssue`), in its words: one request. None of it is a
    /// tainting or a deprecation, so there is nothing with a flag. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such virtual machine any more; [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that
    /// libvirt does not have.
    #[doc(alias = "virDomainGetMessages")]
    pub async fn messages(&self, flags: MessageFlags) -> Result<Vec<String>> {
        let known = MessageFlags::DEPRECATION | MessageFlags::TAINTING;
        refuse_unknown(flags, known, "esxDomainGetMessages")?;
        let found: Issues = self.properties().await?;
        if !flags.is_empty() {
            return Ok(Vec::new());
        }
        let texts = found.issues.into_iter();
        let texts = texts.filter_map(|issue| issue.full_formatted_message.clone());
        Ok(texts.filter(|text| !text.is_empty()).collect())
    }

    /// The disks of an active domain that have errors: the host asks about one whose datastore is full, or cannot reach a
    /// file of it. One request. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`](crate::ErrorKind::WrongState) if the domain is off; [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag.
    #[doc(alias = "virDomainGetDiskErrors")]
    pub async fn disk_errors(&self, flags: u32) -> Result<Vec<DomainDiskError>> {
        refuse_flags(flags, "esxDomainGetDiskErrors")?;
        let found: State = self.properties().await?;
        if found.power_state == PoweredOff {
            return Err(not_running());
        }
        let libvirt = self.connect.uri().libvirt().unwrap_or_default();
        let drives = disks::drives(&found.devices, found.version.as_deref(), libvirt);
        let mut errors = Vec::new();
        for drive in drives {
            let Some(disk) = drive.disk() else { continue };
            let question = found.question.as_ref();
            let is_full = question
                .zip(drive.source)
                .is_some_and(|(question, source)| is_full(question, source));
            let layout = found.layout.as_ref();
            let error = if is_full {
                DiskErrorCode::NoSpace
            } else if layout.is_some_and(|layout| is_lost(layout, disk.base.key)) {
                DiskErrorCode::Unspec
            } else {
                continue;
            };
            errors.push(DomainDiskError {
                disk: drive.target,
                error,
            });
        }
        Ok(errors)
    }
}

/// What the ids of a host's messages about disks begin with.
const DISK_MESSAGE: &str = "msg.hbacommon.";

/// Which problem with a disk a question is about: the rest of its message's id, such as `outofspace`.
pub(crate) fn disk_problem(question: &VirtualMachineQuestionInfo) -> Option<&str> {
    let ids = question.message.iter().map(|message| message.id.as_str());
    // Old servers have the id in front of the text only.
    let in_front = question.text.split(':').next();
    let mut ids = ids.chain(in_front);
    ids.find_map(message_problem)
}

/// The problem with a disk that a message of this id is about.
pub(crate) fn message_problem(id: &str) -> Option<&str> {
    id.strip_prefix(DISK_MESSAGE)
}

/// The problem of a host whose datastore is full.
pub(crate) const OUT_OF_SPACE: &str = "outofspace";

/// Whether the question is about the want of space for a disk.
fn is_full(question: &VirtualMachineQuestionInfo, source: &str) -> bool {
    disk_problem(question) == Some(OUT_OF_SPACE) && is_about(question, source)
}

/// Whether the question names the disk's file.
pub(crate) fn is_about(question: &VirtualMachineQuestionInfo, source: &str) -> bool {
    let file = source.rsplit(['/', ' ']).next().unwrap_or_default();
    let messages = &question.message;
    let arguments = messages.iter().flat_map(|message| &message.argument);
    let arguments = arguments.filter_map(|argument| match argument {
        Any::String(text) => Some(text.as_str()),
        _ => None,
    });
    let texts = messages
        .iter()
        .filter_map(|message| message.text.as_deref());
    let mut texts = arguments.chain(texts).chain([question.text.as_str()]);
    !file.is_empty() && texts.any(|text| names(text, file))
}

/// Whether a text has the name of a file in it, not only the end of another one's.
fn names(text: &str, file: &str) -> bool {
    text.match_indices(file).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"_-.".contains(before))
    })
}

/// Whether the host cannot reach a file of the disk.
fn is_lost(layout: &VirtualMachineFileLayoutEx, disk: i32) -> bool {
    let mut disks = layout.disk.iter();
    let Some(disk) = disks.find(|other| other.key == disk) else {
        return false;
    };
    let mut files = layout
        .file
        .iter()
        .filter(|file| file.accessible == Some(false));
    files.any(|file| {
        disk.chain
            .iter()
            .any(|unit| unit.file_key.contains(&file.key))
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_file_in_a_text() {
        for (text, expected) in [
            ("no space for virtual disk 'web.vmdk'.", true),
            ("[ssd] web/web.vmdk", true),
            ("web.vmdk", true),
            ("no space for virtual disk 'my-web.vmdk'.", false),
            ("no space for virtual disk 'web_1.vmdk'.", false),
        ] {
            assert_eq!(names(text, "web.vmdk"), expected, "{text}");
        }
    }
}
