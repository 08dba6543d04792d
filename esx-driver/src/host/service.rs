//! The services of the host.

use std::{convert::Infallible, fmt, str::FromStr};

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference, Method,
    objects::{self, HostServiceInfo},
    references::HostServiceSystem,
};

use super::{not_found, refused, untold};
use crate::{Connect, Error, Operation, Result, What, connect::no_system, engine::Change};

property_set! {
    struct Services: HostSystem {
        info: Option<HostServiceInfo> = config.service,
        system: Option<ManagedObjectReference> = config_manager.service_system,
    }
}

impl Services {
    fn list(&self) -> Result<&[objects::HostService]> {
        let info = self.info.as_ref().ok_or_else(|| untold("its services"))?;
        Ok(&info.service)
    }

    fn service(&self, key: &str) -> Result<&objects::HostService> {
        let services = self.list()?;
        let found = services.iter().find(|service| service.key == key);
        found.ok_or_else(|| {
            let keys = services.iter().map(|service| service.key.as_str());
            not_found(What::Service, "service", key, keys)
        })
    }

    fn system(&self) -> Result<HostServiceSystem> {
        let system = self.system.clone().ok_or_else(|| no_system("service"))?;
        Ok(system.into())
    }

    /// Whether a service is so. One that is gone is not.
    fn is(&self, key: &str, so: impl Fn(&objects::HostService) -> bool) -> bool {
        self.service(key).is_ok_and(so)
    }
}

/// What starts a service of the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostServicePolicy {
    /// The host, with itself.
    On,
    /// Nobody but a person.
    Off,
    /// The host, as long as one of the ports that the service needs is open.
    Automatic,
    /// Something that this crate does not know.
    Other(String),
}

impl HostServicePolicy {
    /// The VI API's word: `on`, `off`, `automatic`.
    pub fn as_str(&self) -> &str {
        match self {
            HostServicePolicy::On => "on",
            HostServicePolicy::Off => "off",
            HostServicePolicy::Automatic => "automatic",
            HostServicePolicy::Other(word) => word,
        }
    }
}

impl FromStr for HostServicePolicy {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<HostServicePolicy, Infallible> {
        Ok(match word {
            "on" => HostServicePolicy::On,
            "off" => HostServicePolicy::Off,
            "automatic" => HostServicePolicy::Automatic,
            other => HostServicePolicy::Other(other.to_owned()),
        })
    }
}

impl fmt::Display for HostServicePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A service of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostService {
    /// Its key, by which it is changed: `TSM-SSH`, `ntpd`.
    pub key: String,
    /// Its name for people, such as `SSH`.
    pub label: String,
    /// Whether it runs.
    pub running: bool,
    /// What starts it.
    pub policy: HostServicePolicy,
    /// Whether the host needs it.
    pub required: bool,
    /// The rulesets of the firewall that it needs, by their keys.
    pub rulesets: Vec<String>,
}

impl Connect {
    /// The services of the host: one request. libvirt has no such function.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the host does not tell them, as while it is not
    /// connected to its vCenter.
    pub async fn host_services(&self) -> Result<Vec<HostService>> {
        let found: Services = self.host_set().await?;
        Ok(found.list()?.iter().map(service).collect())
    }

    /// A service of the host: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown key; as
    /// [`host_services`](Connect::host_services).
    pub async fn host_service(&self, key: &str) -> Result<HostService> {
        let found: Services = self.host_set().await?;
        Ok(service(found.service(key)?))
    }

    /// Starts a service: two requests.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown key;
    /// [`ErrorKind::WrongState`](crate::ErrorKind::WrongState) if it runs already; as
    /// [`host_services`](Connect::host_services), and what any [`Operation`] may fail with.
    pub fn start_service(&self, key: &str) -> Operation<'static> {
        let id = key.to_owned();
        self.change_service("Could not start service", key, move |connect, found| {
            if found.is(&id, |service| service.running) {
                return Err(Error::wrong_state(format!("service '{id}' runs already")));
            }
            let request = found.system()?.start_service(&id);
            Ok(connect.seen_in_services(request, id, |service| service.running))
        })
    }

    /// Stops a service: two requests.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`](crate::ErrorKind::WrongState) if it does not run; else as
    /// [`start_service`](Connect::start_service).
    pub fn stop_service(&self, key: &str) -> Operation<'static> {
        let id = key.to_owned();
        self.change_service("Could not stop service", key, move |connect, found| {
            check_running(&found, &id)?;
            let request = found.system()?.stop_service(&id);
            Ok(connect.seen_in_services(request, id, |service| !service.running))
        })
    }

    /// Stops a service and starts it again: two requests. That it has been done is not to be seen.
    ///
    /// # Errors
    /// As [`stop_service`](Connect::stop_service).
    pub fn restart_service(&self, key: &str) -> Operation<'static> {
        let id = key.to_owned();
        self.change_service("Could not restart service", key, move |connect, found| {
            check_running(&found, &id)?;
            let request = found.system()?.restart_service(&id);
            Ok(Change::call(connect.client(), request))
        })
    }

    /// Sets what starts a service: two requests. It neither starts nor stops it now.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) for a policy that this crate does not know; else as
    /// [`start_service`](Connect::start_service).
    pub fn set_service_policy(&self, key: &str, policy: HostServicePolicy) -> Operation<'static> {
        let id = key.to_owned();
        let could_not = "Could not set the policy of service";
        self.change_service(could_not, key, move |connect, found| {
            if let HostServicePolicy::Other(word) = &policy {
                let message = format!("'{word}' is no policy of a service");
                return Err(Error::argument(message).advise("it is on, off or automatic"));
            }
            let request = found.system()?.update_service_policy(&id, policy.as_str());
            let is_set = move |service: &objects::HostService| service.policy == policy.as_str();
            Ok(connect.seen_in_services(request, id, is_set))
        })
    }

    /// Changes a service that there is.
    fn change_service(
        &self,
        could_not: &'static str,
        key: &str,
        change: impl FnOnce(&Connect, Services) -> Result<Change<()>> + Send + 'static,
    ) -> Operation<'static> {
        let (connect, key) = (self.clone(), key.to_owned());
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let found: Services = runner.prepare(connect.host_set()).await?;
                found.service(&key)?;
                let change = change(&connect, found)?;
                let changed = runner.perform(change).await;
                changed.map_err(|error| refused(error, &format!("service '{key}'")))
            })
        })
    }

    fn seen_in_services<M>(
        &self,
        request: M,
        key: String,
        so: impl Fn(&objects::HostService) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()>
    where
        M: Method<Output = ()>,
    {
        self.seen_on_host(request, move |now: &Services| now.is(&key, &so))
    }
}

fn check_running(found: &Services, key: &str) -> Result<()> {
    match found.is(key, |service| service.running) {
        true => Ok(()),
        false => Err(Error::wrong_state(format!("service '{key}' does not run"))),
    }
}

pub(super) fn service(found: &objects::HostService) -> HostService {
    let policy = found.policy.parse();
    HostService {
        key: found.key.clone(),
        label: found.label.clone(),
        running: found.running,
        policy: policy.unwrap_or_else(|never: Infallible| match never {}),
        required: found.required,
        rulesets: found.ruleset.clone(),
    }
}
