//! Taking back what was changed in a host's networks since a moment.

use std::io;

use sha2::{Digest as _, Sha256};
use vi_client::property_set;
use vi_types::{
    ManagedObjectReference,
    methods::RetrievePropertiesEx,
    objects::{
        DynamicProperty, HostNetworkConfig, HostNetworkConfigResult, HostVirtualNicConfig,
        ObjectContent, RetrieveResult,
    },
    wire::{Limits, decode_response, encode_response},
};
use virt_model::{ErrorNumber, Uuid};

use super::plan::is_manual;
use crate::{
    Connect, Error, ErrorKind, Operation, Result,
    connect::no_host,
    derived_uuid::derived_uuid,
    engine::{Change, Effect},
    error::refuse_flags,
    network::refused,
};

property_set! {
    struct Host: HostSystem {
        uuid: Option<String> = summary.hardware.uuid,
    }
}

property_set! {
    struct System: HostNetworkSystem {
        config: Option<HostNetworkConfig> = network_config,
    }
}

/// How the first line of an entry begins. The format has a number, so that a later one can be told apart.
const FORMAT: &str = "networks-of-host 1";

impl Connect {
    /// Keeps the networks of the host as they are, so that
    /// [`interface_change_rollback`](Connect::interface_change_rollback) can give them back: all of its switches, port
    /// groups, interfaces, names and routes. Two requests, of which none changes anything.
    ///
    /// A host has one such transaction at a time. It is kept in the connection; with
    /// [`OpenOptions::store`](crate::OpenOptions::store) it outlives the program.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if there is a transaction; [`ErrorKind::Unsupported`] if the server does not show the host's
    /// networks; [`ErrorKind::Store`] if they cannot be kept; [`ErrorKind::UnsupportedFlags`] for any flag.
    #[doc(alias = "virInterfaceChangeBegin")]
    pub fn interface_change_begin(&self, flags: u32) -> Operation<'static> {
        let connect = self.clone();
        Operation::new("Could not begin a transaction", move |mut runner| {
            Box::pin(async move {
                refuse_flags(flags, "esxInterfaceChangeBegin")?;
                let host = runner.prepare(connect.host_key()).await?;
                if connect
                    .store()
                    .read(&host)
                    .map_or(true, |kept| kept.is_some())
                {
                    // libvirt's texts (testInterfaceChangeBegin and the like of test_driver.c, 9.0.0).
                    return Err(Error::wrong_state("there is another transaction running."));
                }
                let config = runner.prepare(connect.network_config()).await?;
                let system = connect.network_system().await?.to_moref();
                let kept = write(&host, system, config);
                match connect.store().add(&host, &kept) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::wrong_state("there is another transaction running.")),
                    Err(error) => Err(not_kept("cannot keep the host's networks", error)),
                }
            })
        })
    }

    /// Forgets the networks that [`interface_change_begin`](Connect::interface_change_begin) has kept: what was changed since
    /// stays. One request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] without a transaction; [`ErrorKind::Store`] if it cannot be forgotten;
    /// [`ErrorKind::UnsupportedFlags`] for any flag.
    #[doc(alias = "virInterfaceChangeCommit")]
    pub fn interface_change_commit(&self, flags: u32) -> Operation<'static> {
        let connect = self.clone();
        Operation::new("Could not commit a transaction", move |mut runner| {
            Box::pin(async move {
                refuse_flags(flags, "esxInterfaceChangeCommit")?;
                let host = runner.prepare(connect.host_key()).await?;
                match connect.store().remove(&host) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Error::wrong_state(
                        "no transaction running, nothing to be committed.",
                    )),
                    Err(error) => Err(not_kept("cannot forget the host's networks", error)),
                }
            })
        })
    }

    /// Gives the host the networks that [`interface_change_begin`](Connect::interface_change_begin) has kept, whoever has
    /// changed them since, and forgets them. The host does it in one step, or not at all; then the transaction goes on. Two
    /// requests.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] without a transaction, or if something that would go is in use; [`ErrorKind::Store`] if what
    /// was kept cannot be read; [`ErrorKind::UnsupportedFlags`] for any flag; what any [`Operation`] may fail with.
    #[doc(alias = "virInterfaceChangeRollback")]
    pub fn interface_change_rollback(&self, flags: u32) -> Operation<'static> {
        let connect = self.clone();
        Operation::new("Could not roll back a transaction", move |mut runner| {
            Box::pin(async move {
                refuse_flags(flags, "esxInterfaceChangeRollback")?;
                let host = runner.prepare(connect.host_key()).await?;
                let kept = connect.store().read(&host);
                let kept = kept.map_err(|error| {
                    not_kept("cannot read the networks that were kept", error).advise(DAMAGED)
                })?;
                let kept = kept.ok_or_else(|| {
                    Error::wrong_state("no transaction running, nothing to rollback.")
                })?;
                let config = read(&host, &kept)?;
                let rolled_back = runner.perform(connect.give_back(config).await?).await;
                rolled_back.map_err(|error| refused(error, "the networks that were kept"))?;
                let forgotten = connect.store().remove(&host);
                forgotten.map(drop).map_err(|error| {
                    not_kept("cannot forget the host's networks", error)
                        .note("the host has them again")
                        .advise("commit the transaction to end it")
                })
            })
        })
    }

    /// What the host is called in the store: by the UUID of its hardware, so that it is the same by whatever URI it is
    /// reached.
    async fn host_key(&self) -> Result<String> {
        let moref = self.host_system().await?;
        let host: Option<Host> = self.read_complete(moref).await?;
        let uuid = host.ok_or_else(no_host)?.uuid.unwrap_or_default();
        let uuid: Option<Uuid> = uuid.parse().ok();
        let uuid = uuid.filter(|uuid| *uuid != Uuid::default());
        let uuid = uuid.unwrap_or_else(|| {
            let (server, host) = (self.uri().server(), &moref.value);
            derived_uuid(&format!("{server}/{host}"))
        });
        Ok(format!("interfaces-{uuid}"))
    }

    /// The host's networks as it takes them back.
    async fn network_config(&self) -> Result<HostNetworkConfig> {
        let system = self.network_system().await?.to_moref();
        let read: Option<System> = self.read_complete(&system).await?;
        let config = read.and_then(|read| read.config).ok_or_else(|| {
            let message = "the server does not show the host's network configuration";
            Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, message)
                .advise("the user needs the privilege System.Read on the host")
        })?;
        Ok(as_input(config))
    }

    /// The call that gives the host its networks back.
    async fn give_back(
        &self,
        config: HostNetworkConfig,
    ) -> Result<Change<HostNetworkConfigResult>> {
        let system = self.network_system().await?;
        let request = system.update_network_config(config.clone(), "replace");
        let connect = self.clone();
        Ok(Change::call(self.client(), request).verified_by(move || {
            let (connect, wanted) = (connect.clone(), config.clone());
            Box::pin(async move {
                let now = connect.network_config().await?;
                Ok(match now == wanted {
                    true => Effect::Done(HostNetworkConfigResult::default()),
                    false => Effect::NotDone,
                })
            })
        }))
    }
}

/// What can be done about an entry that cannot be read.
const DAMAGED: &str = "commit the transaction to end it without a rollback";

/// A configuration without what only servers write: what changed, how far a migration is, and the addresses that came by
/// DHCP or from a router.
fn as_input(mut config: HostNetworkConfig) -> HostNetworkConfig {
    config.migration_status = None;
    for switch in &mut config.vswitch {
        switch.change_operation = None;
    }
    for switch in &mut config.proxy_switch {
        switch.change_operation = None;
    }
    for group in &mut config.portgroup {
        group.change_operation = None;
    }
    let nics = config.vnic.iter_mut().chain(&mut config.console_vnic);
    nics.for_each(nic_as_input);
    config
}

fn nic_as_input(nic: &mut HostVirtualNicConfig) {
    nic.change_operation = None;
    let Some(ip) = nic
        .spec
        .as_deref_mut()
        .and_then(|spec| spec.ip.as_deref_mut())
    else {
        return;
    };
    if ip.dhcp {
        (ip.ip_address, ip.subnet_mask) = (None, None);
    }
    if let Some(config) = ip.ip_v6_config.as_deref_mut() {
        config.ip_v6_address.retain(is_manual);
        for address in &mut config.ip_v6_address {
            (address.origin, address.dad_state) = (None, None);
            (address.lifetime, address.operation) = (None, None);
        }
    }
}

/// An entry of the store: a line with the host and a checksum, and below it the configuration as a server would tell it.
fn write(host: &str, system: ManagedObjectReference, config: HostNetworkConfig) -> String {
    let property = DynamicProperty {
        name: "networkConfig".to_owned(),
        val: vi_types::Any::object(config),
        ..DynamicProperty::default()
    };
    let object = ObjectContent {
        obj: system,
        prop_set: vec![property],
        ..ObjectContent::default()
    };
    let answer = RetrieveResult {
        objects: vec![object],
        ..RetrieveResult::default()
    };
    let text = encode_response::<RetrievePropertiesEx>(&Some(answer.into()));
    format!("{FORMAT} {host} {}\n{text}", checksum(&text))
}

/// The configuration of an entry.
fn read(host: &str, kept: &str) -> Result<HostNetworkConfig> {
    let damaged = |why: &str| {
        let message = format!("the networks that were kept of the host cannot be read: {why}");
        Error::new(ErrorKind::Store, ErrorNumber::InternalError, message).advise(DAMAGED)
    };
    let (head, text) = kept.split_once('\n').unwrap_or((kept, ""));
    let Some(head) = head.strip_prefix(FORMAT) else {
        return Err(damaged("the format is not known"));
    };
    let (of, sum) = head.trim_start().split_once(' ').unwrap_or_default();
    if of != host {
        return Err(damaged("they are another host's"));
    }
    if sum != checksum(text) {
        return Err(damaged("they were damaged or changed"));
    }
    let answer = decode_response::<RetrievePropertiesEx>(text.as_bytes(), Limits::default());
    let answer = answer
        .map_err(|error| damaged(&error.to_string()))?
        .returnval;
    let properties = answer.into_iter().flat_map(|answer| answer.objects);
    let mut properties = properties.flat_map(|object| object.prop_set);
    let property = properties.next().ok_or_else(|| damaged("there are none"))?;
    let config = property.val.cast::<HostNetworkConfig>();
    config.map_err(|error| damaged(&error.to_string()))
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn not_kept(what: &str, error: io::Error) -> Error {
    let message = format!("{what}: {error}");
    Error::new(ErrorKind::Store, ErrorNumber::SystemError, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_and_no_other_is() {
        let config = HostNetworkConfig {
            ip_v6_enabled: Some(true),
            ..HostNetworkConfig::default()
        };
        let system = ManagedObjectReference::new("HostNetworkSystem", "networkSystem");
        let kept = write("interfaces-1", system, config.clone());
        assert_eq!(read("interfaces-1", &kept).unwrap(), config);
        let head = kept.lines().next().unwrap();
        let valid = "<a/>";
        for (entry, expected) in [
            (String::new(), "the format is not known"),
            (
                "networks-of-host 2 interfaces-1 0\n".to_owned(),
                "the format is not known",
            ),
            (
                kept.replace("interfaces-1", "interfaces-2"),
                "they are another host's",
            ),
            (
                kept[..kept.len() / 2].to_owned(),
                "they were damaged or changed",
            ),
            (head.to_owned(), "they were damaged or changed"),
            (
                format!("{FORMAT} interfaces-1 {}\n{valid}", checksum(valid)),
                "",
            ),
        ] {
            let error = read("interfaces-1", &entry).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
