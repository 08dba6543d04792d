//! Starting with the host.

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
    /// Its place among the domains that do, counted from 1; `None` is after those that have one, in any order.
    pub start_order: Option<u32>,
    /// How long the host waits after its start before it starts the next one, in whole seconds; `None` is the host's
    /// default.
    pub start_delay: Option<Duration>,
    /// How long the host waits for it to stop before it stops the next one, in whole seconds, when it stops itself;
    /// `None` leaves the domain out of that, as libvirt does.
    pub stop_delay: Option<Duration>,
}

impl AutostartSettings {
    /// What libvirt sets: no order, and the host's default delay.
    pub fn new(enabled: bool) -> AutostartSettings {
        AutostartSettings {
            enabled,
            start_order: None,
            start_delay: None,
            stop_delay: None,
        }
    }

    fn of(info: &AutoStartPowerInfo, enabled: bool) -> AutostartSettings {
        // -1 is "not said".
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
    /// When the host does not tell. Whether there still is such a virtual machine is not asked.
    pub async fn autostart(&self) -> Result<bool> {
        Ok(self.connect.auto_start().await?.starts(&self.moref))
    }

    /// Whether and how the domain starts with its host.
    ///
    /// # Errors
    /// When the host does not tell. Whether there still is such a virtual machine is not asked.
    pub async fn autostart_settings(&self) -> Result<AutostartSettings> {
        let host = self.connect.auto_start().await?;
        let own = host.power_info.iter().find(|info| info.key == self.moref);
        let enabled = host.starts(&self.moref);
        Ok(match own {
            Some(info) => AutostartSettings::of(info, enabled),
            None => AutostartSettings::new(enabled),
        })
    }

    /// Lets the domain start with its host, or not, as libvirt does: without an order, with the host's delays.
    ///
    /// A host whose automatic start is off altogether gets it switched on for the first domain; not if that would start
    /// others too.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it would affect other domains; when the host cannot be read or does not do it.
    pub fn set_autostart(&self, enabled: bool) -> Operation<'static> {
        self.set_autostart_settings(AutostartSettings::new(enabled))
    }

    /// Lets the domain start with its host in a certain way.
    ///
    /// # Errors
    /// As [`set_autostart`](Domain::set_autostart).
    pub fn set_autostart_settings(&self, settings: AutostartSettings) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not set autostart", move |mut runner| {
            Box::pin(async move {
                let (manager, spec) = runner.prepare(domain.autostart_spec(&settings)).await?;
                let request = manager.reconfigure_autostart(spec);
                let change = Change::call(domain.connect.client(), request).seen_by({
                    let domain = domain.clone();
                    move || Box::pin(domain.clone().has_autostart(settings.clone()))
                });
                runner.perform(change).await
            })
        })
    }

    /// What to set, and where.
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
        let manager = self.connect.auto_start_manager()?.clone().into();
        let spec = HostAutoStartManagerConfig {
            defaults: defaults.map(Box::new),
            power_info: vec![settings.info(self.moref.clone())],
            ..Default::default()
        };
        Ok((manager, spec))
    }

    /// Whether the host has these settings.
    async fn has_autostart(self, settings: AutostartSettings) -> Result<Effect<()>> {
        let is_set = self.autostart_settings().await? == settings;
        Ok(match is_set {
            true => Effect::Done(()),
            false => Effect::NotDone,
        })
    }
}

impl Connect {
    /// What starts the host's domains.
    fn auto_start_manager(&self) -> Result<&ManagedObjectReference> {
        let manager = self.place().host.auto_start_manager.as_ref();
        manager.ok_or_else(no_auto_start)
    }

    /// Which domains the host starts.
    pub(super) async fn auto_start(&self) -> Result<AutoStart> {
        let manager = self.auto_start_manager()?;
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

    /// What switches the host's automatic start on, if no virtual machine but this one would notice.
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
