//! The texts of doc comments.

use super::Emission;
use crate::grammar::{Occurrence, Predefined};
use crate::model::{Member, Type};
use crate::shape::Meaning;

impl Emission<'_> {
    /// Describes a property or parameter: `` `capacityInKB`: required long. ``
    pub(super) fn member_doc(&self, member: &Member, occurrence: Occurrence) -> String {
        let ty = self.type_doc(&member.ty, occurrence);
        let mut doc = format!("`{}`: {ty}", member.name);
        if let Some(version) = &member.ty.annotations.since {
            doc.push_str(&format!(", since VI API {version}"));
        }
        if member.ty.annotations.required {
            doc.push_str(" and always there from then on");
        }
        if !member.ty.annotations.privileges.is_empty() {
            let privileges = member.ty.annotations.privileges.join("`, `");
            doc.push_str(&format!("; needs the privilege `{privileges}`"));
        }
        doc + "."
    }

    /// Describes a type with its occurrence: `optional reference to a VirtualMachine`.
    pub(super) fn type_doc(&self, ty: &Type, occurrence: Occurrence) -> String {
        let mut doc = match occurrence {
            Occurrence::Required => "required ",
            Occurrence::Optional | Occurrence::Ignored => "optional ",
            Occurrence::RequiredList => "list, not empty, of ",
            Occurrence::OptionalList => "list of ",
        }
        .to_owned();
        match self.shape.meaning(&ty.name) {
            Some(Meaning::Predefined(Predefined::ManagedObjectReference)) => {
                doc.push_str("reference");
                if let Some(to) = &ty.annotations.to {
                    doc.push_str(&format!(" to `{to}`"));
                }
            }
            Some(Meaning::Predefined(predefined)) => doc.push_str(predefined.wire_name()),
            Some(Meaning::Object(object)) if self.shape.is_polymorphic(object) => {
                doc.push_str(&format!("`{}` or a descendant", object.name));
            }
            Some(Meaning::Enum(_) | Meaning::Object(_)) | None => {
                doc.push_str(&format!("`{}`", ty.name));
            }
        }
        if let Some(names) = &ty.annotations.names {
            doc.push_str(&format!(", a {names}"));
        }
        if let Some(link) = &ty.annotations.link {
            doc.push_str(&format!(", the key of a `{link}`"));
        }
        if let Some(holds) = &ty.annotations.holds {
            doc.push_str(&format!(" with the fault `{holds}`"));
        }
        if ty.annotations.linkable {
            doc.push_str(", found by its key");
        }
        if ty.annotations.secret {
            doc.push_str(", secret");
        }
        doc
    }
}

/// `, since VI API 2.0`, where that is known.
pub(super) fn since_doc(since: Option<&String>) -> String {
    since
        .map(|version| format!(", since VI API {version}"))
        .unwrap_or_default()
}
