//! Another name for a domain.

use vi_client::property_set;
use vi_types::objects::DuplicateName;
use virt_model::ErrorNumber;
use vmx::escape::PERCENT;

use super::{Domain, identity};
use crate::{Error, ErrorKind, Operation, Result, What, engine::Effect};

property_set! {
    struct Named: VirtualMachine {
        name: String = name,
    }
}

impl Domain {
    /// Renames the domain, in any state, and returns it with its new name. Its files keep theirs.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for an empty name; [`ErrorKind::WrongState`] for the name that it has;
    /// [`ErrorKind::Exists`] if the folder of the inventory has something of that name; what [any task](Operation) may
    /// end with.
    #[doc(alias = "virDomainRename")]
    pub fn rename(&self, new_name: &str) -> Operation<'static, Domain> {
        let renamed = Domain {
            name: new_name.to_owned(),
            ..self.clone()
        };
        let checked = self.check_new_name(new_name);
        // A server escapes `/`, `\` and `%` itself, but takes escapes as they are, so a name with them would change.
        let change = self.task(self.vm().rename_task(PERCENT.escape(new_name)));
        let change = change.verified_by({
            let renamed = renamed.clone();
            move || Box::pin(renamed.clone().has_its_name())
        });
        Operation::new("Could not rename domain", move |mut runner| {
            Box::pin(async move {
                checked?;
                let done = runner.perform(change).await;
                done.map_err(|error| taken(error, &renamed.name))?;
                Ok(renamed)
            })
        })
    }

    /// Refuses what libvirt refuses.
    fn check_new_name(&self, new_name: &str) -> Result<()> {
        if new_name.is_empty() {
            let message = "string new_name in virDomainRename must not be empty";
            let error = Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
            return Err(error.plain());
        }
        if new_name == self.name {
            return Err(Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                "Can't rename domain to itself",
            ));
        }
        Ok(())
    }

    async fn has_its_name(self) -> Result<Effect<()>> {
        let found: Named = self.properties().await?;
        let name = identity::name(&found.name);
        Ok(match name.is_ok_and(|name| name == self.name) {
            true => Effect::Done(()),
            false => Effect::NotDone,
        })
    }
}

/// libvirt's error, if the host has something of that name.
fn taken(error: Error, name: &str) -> Error {
    let is_taken = error
        .fault()
        .is_some_and(|fault| fault.is::<DuplicateName>());
    if !is_taken {
        return error;
    }
    let message = format!("domain with name '{name}' already exists");
    let kind = ErrorKind::Exists(What::Domain);
    Error::new(kind, ErrorNumber::OperationInvalid, message).because(error)
}
