//! How the host's processor time is shared out: reservation, limit and shares.

use vi_client::property_set;
use vi_types::{
    enums::{SharesLevel, VirtualMachinePowerState},
    objects::{ResourceAllocationInfo, SharesInfo, VirtualMachineConfigSpec},
};
use virt_model::{ErrorNumber, domain::SchedulerParameters, flags::ModificationImpact};

use super::{
    Domain,
    reconfiguration::{check_impact, check_live, known_impact, live},
};
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Allocation: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        reservation: Option<i64> = config.cpu_allocation.reservation,
        limit: Option<i64> = config.cpu_allocation.limit,
        shares: Option<SharesInfo> = config.cpu_allocation.shares,
    }
}

/// The levels of shares with libvirt's numbers (esxDomainGetSchedulerParametersFlags of libvirt 9.0.0). Other numbers are
/// shares of the level `custom`.
const LEVELS: [(SharesLevel, i32); 3] = [
    (SharesLevel::Low, -1),
    (SharesLevel::Normal, -2),
    (SharesLevel::High, -3),
];

impl Domain {
    /// The name of the scheduler and the number of its parameters: always `allocation` and 3.
    #[doc(alias = "virDomainGetSchedulerType")]
    pub fn scheduler_type(&self) -> (&'static str, usize) {
        ("allocation", 3)
    }

    /// The scheduler's parameters, of which the server may leave some out. One request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::UnexpectedValue`]
    /// for a level of shares that libvirt has no number for; [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetSchedulerParameters")]
    #[doc(alias = "virDomainGetSchedulerParametersFlags")]
    pub async fn scheduler_parameters(
        &self,
        flags: ModificationImpact,
    ) -> Result<SchedulerParameters> {
        check_impact(flags, "esxDomainGetSchedulerParametersFlags")?;
        let found: Allocation = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        Ok(SchedulerParameters {
            reservation: found.reservation,
            limit: found.limit,
            shares: found.shares.as_ref().map(number).transpose()?,
            ..SchedulerParameters::default()
        })
    }

    /// Sets parameters of the scheduler. What is `None` stays.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for a number that the parameter cannot have; [`ErrorKind::WrongState`] for an inactive
    /// domain with [`ModificationImpact::LIVE`]; [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetSchedulerParameters")]
    #[doc(alias = "virDomainSetSchedulerParametersFlags")]
    pub fn set_scheduler_parameters(
        &self,
        parameters: &SchedulerParameters,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        let allocation = ResourceAllocationInfo {
            reservation: parameters.reservation,
            limit: parameters.limit,
            shares: parameters.shares.map(|shares| info(shares).into()),
            ..ResourceAllocationInfo::default()
        };
        let spec = VirtualMachineConfigSpec {
            cpu_allocation: Some(allocation.into()),
            ..VirtualMachineConfigSpec::default()
        };
        let wanted = parameters.clone();
        let change = self.reconfigure(spec, move |found: &Allocation| {
            let shares = found.shares.as_ref().map(number);
            let has_shares = |wanted| matches!(shares, Some(Ok(shares)) if shares == wanted);
            (wanted.reservation.is_none() || wanted.reservation == found.reservation)
                && (wanted.limit.is_none() || wanted.limit == found.limit)
                && wanted.shares.is_none_or(has_shares)
        });
        let known = known_impact(flags, "esxDomainSetSchedulerParametersFlags");
        let checked = known.and_then(|()| check(parameters));
        let is_live = flags.contains(ModificationImpact::LIVE);
        let change = checked.map(|()| live(change, is_live));
        Operation::of("Could not change scheduler parameters", change)
    }
}

/// libvirt's number for shares.
fn number(shares: &SharesInfo) -> Result<i32> {
    if shares.level == SharesLevel::Custom {
        return Ok(shares.shares);
    }
    let level = LEVELS.iter().find(|(level, _)| *level == shares.level);
    level.map(|(_, number)| *number).ok_or_else(|| {
        let message = format!("Shares level has unknown value {}", shares.level);
        Error::new(
            ErrorKind::UnexpectedValue,
            ErrorNumber::InternalError,
            message,
        )
    })
}

/// The shares of libvirt's number.
fn info(number: i32) -> SharesInfo {
    let level = LEVELS.iter().find(|(_, other)| *other == number);
    match level {
        // The server ignores the number, but the type requires one.
        Some((level, _)) => SharesInfo {
            level: level.clone(),
            ..SharesInfo::default()
        },
        None => SharesInfo {
            level: SharesLevel::Custom,
            shares: number,
            ..SharesInfo::default()
        },
    }
}

/// Refuses numbers that a parameter cannot have (esxDomainSetSchedulerParametersFlags of libvirt 9.0.0).
fn check(parameters: &SchedulerParameters) -> Result<()> {
    let message = match parameters {
        SchedulerParameters {
            reservation: Some(reservation @ ..0),
            ..
        } => format!("Could not set reservation to {reservation} MHz, expecting positive value"),
        SchedulerParameters {
            limit: Some(limit @ ..-1),
            ..
        } => format!(
            "Could not set limit to {limit} MHz, expecting positive value or -1 (unlimited)"
        ),
        SchedulerParameters {
            shares: Some(shares @ ..-3),
            ..
        } => format!(
            "Could not set shares to {shares}, expecting positive value or -1 (low), -2 (normal) or -3 (high)"
        ),
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::Argument,
        ErrorNumber::InvalidArg,
        message,
    ))
}
