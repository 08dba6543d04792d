//! Starting, stopping, and what is between.

use vi_client::Client;
use vi_types::{
    ManagedObjectReference,
    enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    methods::{
        FindByUuid, PowerOffVmTask, PowerOnVmTask, RebootGuest, ResetVmTask, ShutdownGuest,
        SuspendVmTask,
    },
};
use virt_model::{ErrorNumber, flags::refuse_unknown};

use super::{Domain, Power, no_domain_with_uuid};
use crate::{
    CreateFlags, DestroyFlags, Error, ErrorKind, Operation, RebootFlags, Result, ShutdownFlags,
    engine::{self, Goal, Start, Target, Words},
};

impl Domain {
    /// Starts the domain: it must be off. A paused one is [resumed](Domain::resume).
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it is not off; [`ErrorKind::TaskFailed`] if the host fails; what [all
    /// tasks](Operation) may end with: [`ErrorKind::Blocked`], [`ErrorKind::TaskPending`], [`ErrorKind::NotStarted`],
    /// [`ErrorKind::InDoubt`], [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`]; [`ErrorKind::UnsupportedFlags`] for any
    /// flag.
    pub fn create(&self, flags: CreateFlags) -> Operation<'static> {
        let change = Change {
            from: PoweredOff,
            to: Some(PoweredOn),
            method: "PowerOnVM_Task",
            start: power_on,
            words: Words {
                could_not: "Could not start domain",
                wrong_state: "Domain is not powered off",
            },
            by_vcenter: false,
        };
        match refuse_unknown(flags, CreateFlags::NONE, "esxDomainCreateWithFlags") {
            Ok(()) => change.of(self),
            Err(error) => Operation::refused(self, error.into()),
        }
    }

    /// Stops the domain at once: it must run. With `vcenter=` the vCenter does it, as in libvirt.
    ///
    /// # Errors
    /// As [`create`](Domain::create); [`ErrorKind::WrongState`] if it is off or paused.
    pub fn destroy(&self, flags: DestroyFlags) -> Operation<'static> {
        let change = Change {
            from: PoweredOn,
            to: Some(PoweredOff),
            method: "PowerOffVM_Task",
            start: |client, this| {
                Box::pin(async move {
                    client
                        .call(&PowerOffVmTask {
                            this,
                            ..Default::default()
                        })
                        .await
                })
            },
            words: Words {
                could_not: "Could not destroy domain",
                wrong_state: NOT_ON,
            },
            by_vcenter: true,
        };
        match refuse_unknown(flags, DestroyFlags::NONE, "esxDomainDestroyFlags") {
            Ok(()) => change.of(self),
            Err(error) => Operation::refused(self, error.into()),
        }
    }

    /// Pauses the domain: it must run. The host writes its memory to disk.
    ///
    /// # Errors
    /// As [`create`](Domain::create).
    pub fn suspend(&self) -> Operation<'static> {
        let change = Change {
            from: PoweredOn,
            to: Some(Suspended),
            method: "SuspendVM_Task",
            start: |client, this| {
                Box::pin(async move {
                    client
                        .call(&SuspendVmTask {
                            this,
                            ..Default::default()
                        })
                        .await
                })
            },
            words: Words {
                could_not: "Could not suspend domain",
                wrong_state: NOT_ON,
            },
            by_vcenter: false,
        };
        change.of(self)
    }

    /// Goes on with a paused domain.
    ///
    /// # Errors
    /// As [`create`](Domain::create); [`ErrorKind::WrongState`] if it is not paused.
    pub fn resume(&self) -> Operation<'static> {
        let change = Change {
            from: Suspended,
            to: Some(PoweredOn),
            method: "PowerOnVM_Task",
            start: power_on,
            words: Words {
                could_not: "Could not resume domain",
                wrong_state: "Domain is not suspended",
            },
            by_vcenter: false,
        };
        change.of(self)
    }

    /// Resets the domain, as the button on a machine does: it must run. (libvirt's ESX driver does not have this
    /// function; texts are in its manner.)
    ///
    /// # Errors
    /// As [`create`](Domain::create).
    pub fn reset(&self) -> Operation<'static> {
        let change = Change {
            from: PoweredOn,
            to: None,
            method: "ResetVM_Task",
            start: |client, this| {
                Box::pin(async move {
                    client
                        .call(&ResetVmTask {
                            this,
                            ..Default::default()
                        })
                        .await
                })
            },
            words: Words {
                could_not: "Could not reset domain",
                wrong_state: NOT_ON,
            },
            by_vcenter: false,
        };
        change.of(self)
    }

    /// Asks the guest to shut down, and does not wait until it has: the domain must run, with VMware Tools.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it does not run, [`ErrorKind::Fault`] with `ToolsUnavailable`,
    /// [`ErrorKind::UnsupportedFlags`] for any flag.
    pub fn shutdown(&self, flags: ShutdownFlags) -> Operation<'static> {
        let flags = refuse_unknown(flags, ShutdownFlags::NONE, "esxDomainShutdownFlags");
        Operation::calls(self, async move |domain: Domain| {
            flags?;
            domain.must_run().await?;
            let this = domain.moref.clone();
            Ok(domain
                .connect
                .client()
                .call(&ShutdownGuest {
                    this,
                    ..Default::default()
                })
                .await?)
        })
    }

    /// Asks the guest to reboot, and does not wait until it has: the domain must run, with VMware Tools.
    ///
    /// # Errors
    /// As [`shutdown`](Domain::shutdown).
    pub fn reboot(&self, flags: RebootFlags) -> Operation<'static> {
        let flags = refuse_unknown(flags, RebootFlags::NONE, "esxDomainReboot");
        Operation::calls(self, async move |domain: Domain| {
            flags?;
            domain.must_run().await?;
            let this = domain.moref.clone();
            Ok(domain
                .connect
                .client()
                .call(&RebootGuest {
                    this,
                    ..Default::default()
                })
                .await?)
        })
    }

    async fn must_run(&self) -> Result<()> {
        let power: Power = self.properties().await?;
        if power.power_state == PoweredOn {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            NOT_ON,
        ))
    }

    /// The same domain at the vCenter of `vcenter=`, if there is one; else at the host.
    pub(super) async fn at_vcenter(&self) -> Result<(Client, ManagedObjectReference)> {
        let Some(vcenter) = self.connect.vcenter() else {
            return Ok((self.connect.client().clone(), self.moref.clone()));
        };
        let request = FindByUuid {
            uuid: self.uuid.to_string(),
            vm_search: true,
            // Servers before API 4.0 do not know it.
            instance_uuid: self.connect.by_instance_uuid().then_some(true),
            ..FindByUuid::default()
        };
        let found = vcenter.call(&request).await?;
        let moref = found.ok_or_else(|| no_domain_with_uuid(self.uuid))?;
        Ok((vcenter.clone(), moref))
    }
}

const NOT_ON: &str = "Domain is not powered on";

/// A change of a domain that is a task of its host.
struct Change {
    from: VirtualMachinePowerState,
    to: Option<VirtualMachinePowerState>,
    method: &'static str,
    start: fn(Client, ManagedObjectReference) -> engine::Started,
    words: Words,
    /// Whether the vCenter of `vcenter=` is asked, as libvirt does for some.
    by_vcenter: bool,
}

impl Change {
    fn of(self, domain: &Domain) -> Operation<'static> {
        Operation::new(domain, move |domain, options| {
            Box::pin(async move {
                let (client, vm) = match self.by_vcenter {
                    true => domain.at_vcenter().await?,
                    false => (domain.connect.client().clone(), domain.moref.clone()),
                };
                let goal = Goal {
                    from: self.from,
                    to: self.to,
                };
                let target = Target {
                    domain,
                    client,
                    vm,
                    goal,
                    method: self.method,
                    start: Start::Call(self.start),
                };
                let outcome = engine::run(&target, options).await;
                engine::result(outcome, self.words, &target.domain)
            })
        })
    }
}

fn power_on(client: Client, this: ManagedObjectReference) -> engine::Started {
    Box::pin(async move {
        let request = PowerOnVmTask {
            this,
            host: None,
            ..Default::default()
        };
        client.call(&request).await
    })
}
