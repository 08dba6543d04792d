//! Suspending the host: libvirt's `virNodeSuspendForDuration`.

use std::time::Duration;

use vi_client::property_set;
use vi_types::{
    enums::HostSystemPowerState, methods::PowerDownHostToStandByTask, objects::NotSupported,
    references,
};
use virt_model::{
    ErrorNumber, NodeSuspendTarget,
    flags::{NoFlags, refuse_unknown},
};
use vmx::escape::PERCENT;

use super::maintenance::seconds;
use crate::{
    Connect, Error, ErrorKind, Operation, Result,
    connect::no_host,
    engine::{Change, Effect},
};

property_set! {
    struct Power: HostSystem {
        state: Option<HostSystemPowerState> = runtime.power_state,
    }
}

property_set! {
    struct Standby: HostSystem {
        name: Option<String> = name,
        is_supported: Option<bool> = capability.standby_supported,
    }
}

/// The shortest time (`MIN_TIME_REQ_FOR_SUSPEND` of virnodesuspend.c, libvirt 9.0.0).
const SHORTEST: Duration = Duration::from_secs(60);

/// How long a host may take to be free of running domains, and to wake up.
const PATIENCE: Duration = Duration::from_secs(300);

const COULD_NOT: &str = "Could not suspend the host";

impl Connect {
    /// Lets a vCenter suspend the host, and wakes it `duration` later: the operation takes as long. Only
    /// [`Mem`](NodeSuspendTarget::Mem) is possible, the standby of the VI API, and only on a connection with a vCenter, since
    /// a host cannot be told to wake up by itself. The vCenter wakes it by IPMI, iLO or Wake-on-LAN, as it is configured to.
    ///
    /// A host stands by when no domain runs on it any more: a cluster that balances itself moves domains away; after five
    /// minutes the wait is over. If the caller interrupts the operation after that, the host stays in standby. (libvirt
    /// returns at once, and lets the host's clock wake it.)
    ///
    /// Requests: one to read the host, the calls of the two tasks, and the waiting for them.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for other targets, without a vCenter, and if the host cannot be woken;
    /// [`ErrorKind::Argument`] for less than 60 s; [`ErrorKind::UnsupportedFlags`] for any flag; [`ErrorKind::Timeout`] with
    /// the domains that still run; what any [`Operation`] may fail with.
    #[doc(alias = "virNodeSuspendForDuration")]
    pub fn node_suspend_for_duration(
        &self,
        target: NodeSuspendTarget,
        duration: Duration,
        flags: u32,
    ) -> Operation<'static> {
        let connect = self.clone();
        Operation::new(COULD_NOT, move |mut runner| {
            Box::pin(async move {
                connect.check_suspend(target, duration, flags)?;
                let (client, host) = connect.keeper().await?;
                let standby: Option<Standby> = runner
                    .prepare(async { Ok(client.read_opt(&host).await?) })
                    .await?;
                let standby = standby.ok_or_else(no_host)?;
                if standby.is_supported == Some(false) {
                    return Err(unsupported(target).advise("the host has no standby"));
                }
                let name = standby.name.unwrap_or_else(|| host.value.clone());
                let name = PERCENT.unescape(&name).map(Into::into).unwrap_or(name);
                let typed = references::HostSystem::from(host);
                let patience = seconds(Some(PATIENCE));
                let request = typed.power_down_host_to_stand_by_task(patience);
                let down = Change::task_without_result(&client, request);
                let down = connect
                    .seen_in_power(down, HostSystemPowerState::StandBy)
                    .await?;
                if let Err(error) = runner.perform(down).await {
                    let is_unsupported = error.cause().is_some_and(|cause| {
                        cause
                            .declared::<PowerDownHostToStandByTask, NotSupported>()
                            .is_some()
                    });
                    if is_unsupported {
                        let advice = "the vCenter cannot wake this host; look at its IPMI, iLO or Wake-on-LAN settings";
                        return Err(unsupported(target).because(error).advise(advice));
                    }
                    let error = connect
                        .explain_busy::<PowerDownHostToStandByTask>(error, COULD_NOT, PATIENCE)
                        .await;
                    return Err(match error.kind() {
                        ErrorKind::NotDone | ErrorKind::TaskFailed => error,
                        // A task that goes on is told in the outcome.
                        ErrorKind::Fault if error.outcome().is_none() => error,
                        _ => error
                            .advise_also(&format!("look whether the host '{name}' is in standby")),
                    });
                }
                let left = &format!("the host '{name}' is in standby; its vCenter can wake it");
                let slept = runner.prepare(async {
                    tokio::time::sleep(duration).await;
                    Ok(())
                });
                slept.await.map_err(|error| error.note(left))?;
                let request = typed.power_up_host_from_stand_by_task(patience);
                let up = Change::task_without_result(&client, request);
                let up = connect
                    .seen_in_power(up, HostSystemPowerState::PoweredOn)
                    .await?;
                let woken = runner.perform(up).await;
                woken.map_err(|error| error.note(left))
            })
        })
    }

    /// The checks and texts of virNodeSuspend (virnodesuspend.c, libvirt 9.0.0).
    fn check_suspend(
        &self,
        target: NodeSuspendTarget,
        duration: Duration,
        flags: u32,
    ) -> Result<()> {
        refuse_unknown(NoFlags::from_bits(flags), NoFlags::NONE, "virNodeSuspend")?;
        if target != NodeSuspendTarget::Mem {
            let advice = "a host can only be suspended to memory";
            return Err(unsupported(target).advise(advice));
        }
        if !self.is_managed() {
            let advice =
                "only a vCenter can wake a host; connect to it (vpx://, or esx:// with vcenter=)";
            return Err(unsupported(target).advise(advice));
        }
        if duration < SHORTEST {
            let message = format!(
                "Suspend duration is too short, must be at least {} seconds",
                SHORTEST.as_secs()
            );
            return Err(Error::new(
                ErrorKind::Argument,
                ErrorNumber::InvalidArg,
                message,
            ));
        }
        Ok(())
    }

    /// The change is done when the host is in that power state.
    async fn seen_in_power(
        &self,
        change: Change<()>,
        wanted: HostSystemPowerState,
    ) -> Result<Change<()>> {
        let (client, host) = self.keeper().await?;
        Ok(change.verified_by(move || {
            let (client, host, wanted) = (client.clone(), host.clone(), wanted.clone());
            Box::pin(async move {
                let now: Option<Power> = client.read_opt(&host).await?;
                let now = now.ok_or_else(no_host)?.state;
                // A task that has begun may still be waiting for its turn.
                Ok(match now {
                    Some(now) if now == wanted => Effect::Done(()),
                    _ => Effect::Unknown,
                })
            })
        }))
    }
}

/// libvirt's text for a target that the host does not have.
fn unsupported(target: NodeSuspendTarget) -> Error {
    let message = match target {
        NodeSuspendTarget::Disk => "Suspend-to-Disk",
        NodeSuspendTarget::Hybrid => "Hybrid-Suspend",
        _ => "Suspend-to-RAM",
    };
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::OperationUnsupported,
        message,
    )
}
