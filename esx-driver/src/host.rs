//! The host beyond libvirt: its health, licences, logs, services, firewall and clock, and its
//! maintenance mode, as the VI API has them.

mod firewall;
mod health;
mod license;
mod log;
mod maintenance;
mod service;
mod suspend;
mod time;

use vi_client::retrieve::PropertySet;
use vi_types::Method;
use virt_model::ErrorNumber;

pub use self::firewall::{
    HostFirewall, HostFirewallAllowed, HostFirewallDirection, HostFirewallPort, HostFirewallRule,
    HostFirewallRuleset,
};
pub use self::health::{
    HealthReading, HealthState, HostElement, HostElementKind, HostHealth, HostSensor,
};
pub use self::license::{HostLicense, HostLicenseFeature, LicenseKey};
pub use self::log::{HostLog, HostLogFollow, HostLogLines};
pub use self::maintenance::{
    HostMaintenance, MaintenanceDomain, MaintenanceException, MaintenanceObstacle,
    MaintenanceOptions, MaintenanceState, VsanEvacuation,
};
pub use self::service::{HostService, HostServicePolicy};
pub use self::time::{HostClock, HostTime, HostTimeTest};
use crate::{
    Connect, Error, ErrorKind, Result, What,
    connect::no_host,
    engine::{Change, Effect},
    error::fault_words,
    near::Near,
};

impl Connect {
    /// Properties of the host: one request. Fails if the server refuses any of them.
    async fn host_set<P: PropertySet>(&self) -> Result<P> {
        let found = self.read_complete(self.host_system().await?).await?;
        found.ok_or_else(no_host)
    }

    /// A call whose effect is seen in properties of the host.
    fn seen_on_host<P, M>(
        &self,
        request: M,
        is_done: impl Fn(&P) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()>
    where
        P: PropertySet + Send + 'static,
        M: Method<Output = ()>,
    {
        let connect = self.clone();
        Change::call(self.client(), request).verified_by(move || {
            let (connect, is_done) = (connect.clone(), is_done.clone());
            Box::pin(async move {
                let now: P = connect.host_set().await?;
                Ok(match is_done(&now) {
                    true => Effect::Done(()),
                    false => Effect::NotDone,
                })
            })
        })
    }
}

/// A thing of the host has no such key; `keys` are those that there are.
fn not_found<'k>(
    what: What,
    noun: &str,
    key: &str,
    keys: impl IntoIterator<Item = &'k str>,
) -> Error {
    let mut near = Near::new(key);
    keys.into_iter().for_each(|known| near.consider(known));
    near.advise(Error::new(
        ErrorKind::NotFound(what),
        ErrorNumber::InvalidArg,
        format!("the host has no {noun} '{key}'"),
    ))
}

/// The host does not tell something. On a vCenter that may be because it is not connected.
fn untold(what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::OperationUnsupported,
        format!("the host does not tell {what}"),
    )
    .advise("the host may be too old for it, or not connected to its vCenter")
}

/// What the server refused, with the name of the thing in front: `service 'ntpd'`.
fn refused(error: Error, what: &str) -> Error {
    match (error.kind(), error.fault()) {
        (ErrorKind::Fault, Some(fault)) => {
            let message = format!("{what}: {}", fault_words(fault));
            Error::new(ErrorKind::Fault, ErrorNumber::OperationFailed, message).because(error)
        }
        (ErrorKind::InDoubt, _) => error.advise_also(&format!("look at {what}")),
        _ => error,
    }
}
