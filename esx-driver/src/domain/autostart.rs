//! Starting domains together with their host.

use std::time::Duration;

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference,
    enums::AutoStartWaitHeartbeatSetting,
    objects::{AutoStartDefaults, AutoStartPowerInfo, HostAutoStartManagerConfig},
    references,
};
use virt_model::ErrorNumber;

use super::Domain;
use crate::{
    Connect, Error, ErrorKind, Operation, Result,
    engine::{Change, Effect},
};

property_set! {
    pub(super) struct AutoStart: HostAutoStartManager {
        defaults: Option<AutoStartDefaults> = config.defaults,
        power_info: Vec<AutoStartPowerInfo> = config.power_info,
    }
}

/// Whether and how a domain starts and stops with its host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutostartSettings {
    /// Whether it starts with its host.
    pub enabled: bool,
    /// Position in the start order, counted from 1. Domains with `None` start after those with a position, in any order.
    pub start_order: Option<u32>,
    /// Pause between the start of this domain and the next, in whole seconds; `None` is the host's default.
    pub start_delay: Option<Duration>,
    /// Pause between the stop of this domain and the next when the host shuts down, in whole seconds. With `None` the host
    /// does not stop the domain in that order, as libvirt sets it.
    pub stop_delay: Option<Duration>,
}

impl AutostartSettings {
    /// The settings of libvirt 9.0.0 (esxDomainSetAutostart): no order, the host's default delays.
    pub fn new(enabled: bool) -> AutostartSettings {
        AutostartSettings {
            enabled,
            start_order: None,
            start_delay: None,
            stop_delay: None,
        }
    }

    fn of(info: &AutoStartPowerInfo, enabled: bool) -> AutostartSettings {
        // The API's -1 means "not set".
        let seconds = |delay: i32| u64::try_from(delay).ok().map(Duration::from_secs);
        AutostartSettings {
            enabled,
            start_order: u32::try_from(info.start_order).ok(),
            start_delay: seconds(info.start_delay),
            stop_delay: seconds(info.stop_delay),
        }
    }

    fn info(&self, key: ManagedObjectReference) -> AutoStartPowerInfo {
        let seconds = |delay: Option<Duration>| match delay {
            Some(delay) => i32::try_from(delay.as_secs()).unwrap_or(i32::MAX),
            None => -1,
        };
        AutoStartPowerInfo {
            key,
            start_order: match self.start_order {
                Some(order) => i32::try_from(order).unwrap_or(i32::MAX),
                None => -1,
            },
            start_delay: seconds(self.start_delay),
            wait_for_heartbeat: AutoStartWaitHeartbeatSetting::SystemDefault,
            start_action: if self.enabled { "powerOn" } else { "none" }.to_owned(),
            stop_delay: seconds(self.stop_delay),
            stop_action: match self.stop_delay {
                Some(_) => "systemDefault",
                None => "none",
            }
            .to_owned(),
            ..Default::default()
        }
    }
}

impl Domain {
    /// Whether the domain starts with its host.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give the settings. Whether the virtual machine still exists is not
    /// checked.
    #[doc(alias = "virDomainGetAutostart")]
    pub async fn autostart(&self) -> Result<bool> {
        Ok(self.connect.auto_start().await?.starts(&self.moref))
    }

    /// Whether and how the domain starts with its host.
    ///
    /// # Errors
    /// As [`autostart`](Domain::autostart).
    pub async fn autostart_settings(&self) -> Result<AutostartSettings> {
        let host = self.connect.auto_start().await?;
        let own = host.power_info.iter().find(|info| info.key == self.moref);
        let enabled = host.starts(&self.moref);
        Ok(match own {
            Some(info) => AutostartSettings::of(info, enabled),
            None => AutostartSettings::new(enabled),
        })
    }

    /// Sets whether the domain starts with its host, like libvirt 9.0.0: without an order, with the host's delays.
    ///
    /// If automatic start is off for the whole host, it is switched on, unless other domains have settings that would then
    /// take effect.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if other domains would be affected; what any [`Operation`] may fail with.
    #[doc(alias = "virDomainSetAutostart")]
    pub fn set_autostart(&self, enabled: bool) -> Operation<'static> {
        self.set_autostart_settings(AutostartSettings::new(enabled))
    }

    /// Sets whether and how the domain starts with its host.
    ///
    /// # Errors
    /// As [`set_autostart`](Domain::set_autostart).
    pub fn set_autostart_settings(&self, settings: AutostartSettings) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not set autostart", move |mut runner| {
            Box::pin(async move {
                let (manager, spec) = runner.prepare(domain.autostart_spec(&settings)).await?;
                let request = manager.reconfigure_autostart(spec);
                let change = Change::call(domain.connect.client(), request).verified_by({
                    let domain = domain.clone();
                    move || Box::pin(domain.clone().has_autostart(settings.clone()))
                });
                runner.perform(change).await
            })
        })
    }

    /// The manager and the request's specification.
    async fn autostart_spec(
        &self,
        settings: &AutostartSettings,
    ) -> Result<(references::HostAutoStartManager, HostAutoStartManagerConfig)> {
        let host = self.connect.auto_start().await?;
        let is_on = host.defaults.as_ref().and_then(|defaults| defaults.enabled);
        let defaults = match (settings.enabled, is_on) {
            (false, _) | (true, Some(true)) => None,
            (true, Some(false) | None) => Some(host.enable_for(&self.moref)?),
        };
        let manager = self.connect.auto_start_manager().await?.clone().into();
        let spec = HostAutoStartManagerConfig {
            defaults: defaults.map(Box::new),
            power_info: vec![settings.info(self.moref.clone())],
            ..Default::default()
        };
        Ok((manager, spec))
    }

    /// Whether the server shows these settings.
    async fn has_autostart(self, settings: AutostartSettings) -> Result<Effect<()>> {
        let is_set = self.autostart_settings().await? == settings;
        Ok(match is_set {
            true => Effect::Done(()),
            false => Effect::NotDone,
        })
    }
}

impl Connect {
    /// The object that holds the host's autostart settings.
    async fn auto_start_manager(&self) -> Result<&ManagedObjectReference> {
        let manager = self.place().await?.host.auto_start_manager.as_ref();
        manager.ok_or_else(no_auto_start)
    }

    /// The host's autostart settings.
    pub(super) async fn auto_start(&self) -> Result<AutoStart> {
        let manager = self.auto_start_manager().await?;
        let found = self.client().read_opt::<AutoStart>(manager).await?;
        let settings = found.ok_or_else(no_auto_start)?;
        if settings.defaults.is_none() {
            return Err(no_auto_start());
        }
        Ok(settings)
    }
}

impl AutoStart {
    /// Whether the host starts the virtual machine.
    pub(super) fn starts(&self, moref: &ManagedObjectReference) -> bool {
        let enabled = self.defaults.as_ref().and_then(|defaults| defaults.enabled);
        enabled == Some(true)
            && self
                .power_info
                .iter()
                .any(|info| info.key == *moref && info.start_action.eq_ignore_ascii_case("powerOn"))
    }

    /// The defaults that switch the host's automatic start on, unless other virtual machines would be affected.
    fn enable_for(&self, moref: &ManagedObjectReference) -> Result<AutoStartDefaults> {
        if self.power_info.iter().any(|info| info.key != *moref) {
            return Err(Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                "Cannot enable general autostart option without affecting other domains",
            )
            .advise("switch the host's automatic start on first"));
        }
        Ok(AutoStartDefaults {
            enabled: Some(true),
            ..AutoStartDefaults::default()
        })
    }
}

fn no_auto_start() -> Error {
    let message = "Could not retrieve the AutoStartDefaults object";
    Error::new(ErrorKind::Property, ErrorNumber::InternalError, message)
}
