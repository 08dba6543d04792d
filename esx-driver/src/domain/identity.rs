//! The identity of a domain: id, name and UUID.

use tracing::warn;
use vi_client::{
    property_set,
    retrieve::{ObjectProperties, PropertySet as _, Retrieve},
};
use vi_types::{
    ManagedObjectReference,
    enums::{ManagedEntityStatus, VirtualMachinePowerState},
};
use virt_model::{DomainState, ErrorNumber, Uuid};
use vmx::escape::PERCENT;

use super::Domain;
use crate::{Connect, Error, ErrorKind, Result};

property_set! {
    /// The name, as the server escapes it.
    pub(super) struct Name: VirtualMachine {
        pub(super) name: String = name,
    }
}

property_set! {
    struct PowerState: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
    }
}

property_set! {
    /// Whether the server can read the virtual machine's configuration, which only matters without a UUID.
    pub(super) struct Condition: VirtualMachine {
        pub(super) status: ManagedEntityStatus = config_status,
    }
}

property_set! {
    struct InstanceUuid: VirtualMachine {
        uuid: Option<String> = config.instance_uuid,
    }
}

property_set! {
    struct BiosUuid: VirtualMachine {
        uuid: Option<String> = config.uuid,
    }
}

/// What a listing shows of a domain: all of its identity but the UUID.
pub(super) struct Identity {
    pub(super) moref: ManagedObjectReference,
    pub(super) name: String,
    pub(super) id: i32,
    pub(super) power_state: VirtualMachinePowerState,
}

impl Connect {
    /// Adds the properties that make a virtual machine a domain to a request.
    pub(crate) fn with_identity(&self, request: Retrieve) -> Retrieve {
        self.with_name_and_uuid(request).set::<Condition>()
    }

    /// Adds the same properties but for the [condition](Condition) of the virtual machine.
    pub(super) fn with_name_and_uuid(&self, request: Retrieve) -> Retrieve {
        let request = with_name(request);
        match self.by_instance_uuid() {
            true => request.set::<InstanceUuid>(),
            false => request.set::<BiosUuid>(),
        }
    }

    /// The domain that these properties make.
    pub(crate) fn identify(&self, properties: ObjectProperties) -> Result<Domain> {
        self.identify_with_state(properties)
            .map(|(domain, _)| domain)
    }

    /// The domain that these properties make, and its virtual machine's power state.
    pub(crate) fn identify_with_state(
        &self,
        mut properties: ObjectProperties,
    ) -> Result<(Domain, VirtualMachinePowerState)> {
        let identity = identity(&mut properties)?;
        let power_state = identity.power_state.clone();
        let domain = match self.raw_uuid(&mut properties)? {
            Some(raw) => self.with_uuid(identity, &raw)?,
            None => {
                let found = Condition::from_properties(&mut properties);
                self.without_uuid(identity, found.map_err(Error::missing_property)?)?
            }
        };
        Ok((domain, power_state))
    }

    /// The UUID that the server gives the virtual machine. A user without the permission to read it gets none.
    pub(super) fn raw_uuid(&self, properties: &mut ObjectProperties) -> Result<Option<String>> {
        let found = match self.by_instance_uuid() {
            true => InstanceUuid::from_properties(properties).map(|found| found.uuid),
            false => BiosUuid::from_properties(properties).map(|found| found.uuid),
        };
        found.map_err(Error::missing_property)
    }

    /// The domain of a virtual machine with that UUID.
    pub(super) fn with_uuid(&self, identity: Identity, raw: &str) -> Result<Domain> {
        let uuid = uuid(Some(raw), true)?;
        Ok(identity.domain(self, uuid))
    }

    /// The domain of a virtual machine that has no UUID in that condition.
    pub(super) fn without_uuid(&self, identity: Identity, condition: Condition) -> Result<Domain> {
        let is_healthy = condition.status == ManagedEntityStatus::Green;
        if !is_healthy {
            warn!(
                vm = %identity.moref,
                "Cannot access UUID, because 'configStatus' property indicates a config problem"
            );
        }
        let uuid = uuid(None, is_healthy)?;
        Ok(identity.domain(self, uuid))
    }
}

impl Identity {
    fn domain(self, connect: &Connect, uuid: Uuid) -> Domain {
        Domain {
            connect: connect.clone(),
            id: self.active_id(),
            name: self.name,
            uuid,
            moref: self.moref,
        }
    }

    /// The id, if the virtual machine is not off.
    pub(super) fn active_id(&self) -> Option<i32> {
        (self.power_state != VirtualMachinePowerState::PoweredOff).then_some(self.id)
    }
}

/// Adds the properties of an [`Identity`] to a request.
pub(super) fn with_name(request: Retrieve) -> Retrieve {
    request.set::<PowerState>().set::<Name>()
}

/// The identity that these properties make.
pub(super) fn identity(properties: &mut ObjectProperties) -> Result<Identity> {
    let PowerState { power_state } =
        PowerState::from_properties(properties).map_err(Error::missing_property)?;
    let Name { name: raw } = Name::from_properties(properties)
        .map_err(|error| unreadable("Could not get name of virtual machine").because(error))?;
    Ok(Identity {
        id: id(&properties.object.value)?,
        name: name(&raw)?,
        power_state,
        moref: properties.object.clone(),
    })
}

/// The id that libvirt would give the virtual machine with this reference: the number `16` of a
/// host's, or that of a vCenter's `vm-16`.
///
/// # Errors
/// If the text has another form, or the number is not positive.
pub(crate) fn id(reference: &str) -> Result<i32> {
    reference
        .strip_prefix("vm-")
        .unwrap_or(reference)
        .parse()
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| {
            unreadable(format!(
                "Could not parse positive integer from '{reference}'"
            ))
        })
}

/// A domain's name, unescaped from the `name` of its virtual machine.
///
/// # Errors
/// If a `%` in it escapes nothing.
pub(crate) fn name(raw: &str) -> Result<String> {
    match PERCENT.unescape(raw) {
        Ok(name) => Ok(name.into_owned()),
        Err(error) => {
            Err(unreadable("Domain name contains invalid escape sequence").because(error))
        }
    }
}

/// A domain's UUID.
///
/// If the server cannot read a virtual machine's configuration, the machine has no UUID and is not `healthy`; the UUID
/// is then [`Uuid::NIL`]. (libvirt uses the nil UUID for every machine whose `configStatus` is not green, even if there
/// is a UUID.)
///
/// # Errors
/// If a healthy machine has no UUID, or if the text is not a UUID.
pub(crate) fn uuid(raw: Option<&str>, healthy: bool) -> Result<Uuid> {
    match raw {
        Some(raw) => raw.parse().map_err(|error| {
            unreadable(format!("Could not parse UUID from string '{raw}'")).because(error)
        }),
        None if healthy => Err(unreadable("Could not get UUID of virtual machine")),
        None => Ok(Uuid::NIL),
    }
}

/// libvirt's state for a virtual machine's `runtime.powerState`.
pub(crate) fn state(power_state: &VirtualMachinePowerState) -> DomainState {
    match power_state {
        VirtualMachinePowerState::PoweredOff => DomainState::Shutoff,
        VirtualMachinePowerState::PoweredOn => DomainState::Running,
        VirtualMachinePowerState::Suspended => DomainState::Paused,
        _ => DomainState::NoState,
    }
}

/// The error that a virtual machine lacks something and so is no domain.
pub(crate) fn unreadable(message: impl Into<String>) -> Error {
    Error::new(
        ErrorKind::UnreadableDomain,
        ErrorNumber::InternalError,
        message,
    )
}

#[cfg(test)]
mod tests {
    use vi_types::Enum;

    use super::*;

    #[test]
    fn ids() {
        for (reference, expected) in [
            ("16", Some(16)),
            ("vm-1042", Some(1042)),
            ("2147483647", Some(i32::MAX)),
            ("0", None),
            ("vm-0", None),
            ("-5", None),
            ("vm-", None),
            ("", None),
            ("2147483648", None),
            ("vm-1042:guid", None),
            ("group-v3", None),
        ] {
            assert_eq!(id(reference).ok(), expected, "{reference:?}");
        }
        assert_eq!(
            id("x").unwrap_err().to_string(),
            "internal error: Could not parse positive integer from 'x'"
        );
    }

    #[test]
    fn names() {
        assert_eq!(name("plain").unwrap(), "plain");
        assert_eq!(name("a%2fb%25").unwrap(), "a/b%");
        assert_eq!(
            name("50%").unwrap_err().to_string(),
            "internal error: Domain name contains invalid escape sequence"
        );
    }

    #[test]
    fn uuids() {
        let text = "564d9bef-acd9-b4e0-c8f0-aea8b9103515";
        for healthy in [true, false] {
            assert_eq!(uuid(Some(text), healthy).unwrap().to_string(), text);
        }
        assert_eq!(uuid(None, false).unwrap(), Uuid::NIL);
        assert_eq!(
            uuid(None, true).unwrap_err().to_string(),
            "internal error: Could not get UUID of virtual machine"
        );
        assert_eq!(
            uuid(Some("x"), true).unwrap_err().to_string(),
            "internal error: Could not parse UUID from string 'x'"
        );
    }

    #[test]
    fn states() {
        for (power_state, expected) in [
            ("poweredOff", DomainState::Shutoff),
            ("poweredOn", DomainState::Running),
            ("suspended", DomainState::Paused),
            ("hibernating", DomainState::NoState),
        ] {
            assert_eq!(
                state(&VirtualMachinePowerState::from_wire(power_state)),
                expected
            );
        }
    }
}
