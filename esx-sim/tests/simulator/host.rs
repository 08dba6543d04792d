//! A simulator with a client, for tests of what changes on it.

use esx_sim::Simulator;
use vi_types::enums::TaskInfoState;
use vi_types::methods::{DestroyTask, RenameTask};
use vi_types::objects::{MethodFault, TaskInfo, VirtualMachineConfigInfo};
use vi_types::properties::VirtualMachine;
use vi_types::{Any, DataObject, Extends, ManagedObjectReference, Method, SoapFault, properties};

use crate::client::Client;
use crate::machines::label;

/// A simulator and a client of it.
pub(crate) struct Host {
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
}

impl Host {
    pub(crate) async fn esx() -> Self {
        Self::of(Simulator::esx().build()).await
    }

    pub(crate) async fn vcenter() -> Self {
        Self::of(Simulator::vcenter().build()).await
    }

    pub(crate) async fn of(simulator: Simulator) -> Self {
        let client = Client::login(&simulator).await;
        Self { simulator, client }
    }

    pub(crate) async fn task(
        &self,
        request: &impl Method<Output = ManagedObjectReference>,
    ) -> Result<TaskInfo, SoapFault> {
        let task = self.client.call(request).await?;
        while self.simulator.step_tasks() {}
        let task: properties::Task = self.simulator.properties(&task).unwrap();
        Ok(*task.info.unwrap())
    }

    pub(crate) async fn succeeds(
        &self,
        request: &impl Method<Output = ManagedObjectReference>,
    ) -> Any {
        let info = self.task(request).await.unwrap();
        assert_eq!(info.state, TaskInfoState::Success, "{:?}", info.error);
        info.result.unwrap_or_default()
    }

    pub(crate) async fn made(
        &self,
        request: &impl Method<Output = ManagedObjectReference>,
    ) -> ManagedObjectReference {
        self.succeeds(request).await.cast().unwrap()
    }

    /// The fault of a call, or of the task that it began.
    pub(crate) async fn fails<F: DataObject + Extends<MethodFault> + Clone>(
        &self,
        request: &impl Method<Output = ManagedObjectReference>,
    ) -> F {
        let fault = match self.task(request).await {
            Err(fault) => fault.cast::<F>().cloned(),
            Ok(info) => info.error.unwrap().fault.cast::<F>().cloned(),
        };
        fault.unwrap()
    }

    pub(crate) fn vm(&self, vm: &ManagedObjectReference) -> VirtualMachine {
        self.simulator.properties(vm).unwrap()
    }

    pub(crate) fn config(&self, vm: &ManagedObjectReference) -> VirtualMachineConfigInfo {
        *self.vm(vm).config.unwrap()
    }

    /// Labels and keys of what is not on every machine's board.
    pub(crate) fn devices(&self, vm: &ManagedObjectReference) -> Vec<(String, i32)> {
        let devices = self.config(vm).hardware.device;
        let own = devices.iter().filter(|device| {
            let key = device.key;
            key >= 1000 && key != 12_000
        });
        own.map(|device| (label(device), device.key)).collect()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let bytes = self.simulator.file(path).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

/// Destroys an object.
pub(crate) fn destroy(object: &ManagedObjectReference) -> DestroyTask {
    DestroyTask {
        this: object.clone(),
        ..DestroyTask::default()
    }
}

/// Gives an object a name.
pub(crate) fn rename(object: &ManagedObjectReference, name: &str) -> RenameTask {
    RenameTask {
        this: object.clone(),
        new_name: name.to_owned(),
        ..RenameTask::default()
    }
}
