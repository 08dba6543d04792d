//! The simulator: the handle to a simulated server.

mod builder;
mod dispatch;

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use tokio::net::ToSocketAddrs;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::{ManagedObject, ManagedObjectReference};

pub use self::builder::{Builder, UnknownRelease};
use self::dispatch::Shared;
pub(crate) use self::dispatch::{State, end_session};
use crate::files::{DatastorePath, Descriptor};
use crate::machine::{place, power};
use crate::payload::whole;
use crate::recording::Recorded;
use crate::rule::Rule;
use crate::server::{Server, Tls, UriParts};
use crate::task::{Question, Script};
use crate::version::{ApiVersion, Release};
use crate::world::inventory::ServerKind;

/// A simulated server. A cheap handle: clones are the same server.
///
/// It is there for as long as a handle, a handler or a [`Server`] is.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

/// What was decided when the simulator was made.
pub(crate) struct Settings {
    pub(crate) kind: ServerKind,
    pub(crate) release: &'static Release,
    pub(crate) user: String,
    pub(crate) password: String,
    /// The most objects a retrieve gives at once, whatever the client asks for.
    pub(crate) page: Option<usize>,
    recording: bool,
    uri: UriParts,
}

impl Settings {
    pub(crate) fn version(&self) -> ApiVersion {
        self.release.version()
    }
}

/// What a simulator has to do at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Tasks that are not over.
    pub tasks: usize,
    /// The most there were at any time.
    pub most_tasks: usize,
    /// All tasks so far.
    pub tasks_begun: usize,
    /// Calls that wait for something to change.
    pub waits: usize,
    /// The most there were at any time.
    pub most_waits: usize,
}

impl Simulator {
    /// An ESX host with a handful of virtual machines in all power states.
    pub fn esx() -> Builder {
        Builder::new(ServerKind::Esx, "root")
    }

    /// A vCenter with two datacenters, folders, a cluster of two hosts and stand-alone hosts.
    pub fn vcenter() -> Builder {
        Builder::new(ServerKind::VCenter, "administrator@vsphere.local")
    }

    /// The function that answers requests, for a client in the same process.
    ///
    /// Requests have the path in their URI (`/sdk`). The future of a method that waits does not end
    /// before something changes. Where a rule closes the connection, the answer is empty and has a
    /// [`std::io::ErrorKind`] among its extensions.
    pub fn handler(
        &self,
    ) -> impl Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Clone + Send + Sync + 'static
    {
        let shared = Arc::clone(&self.shared);
        move |request| {
            let shared = Arc::clone(&shared);
            Box::pin(async move { whole(shared.answer(request).await) })
        }
    }

    /// Listens at an address; port 0 is any free port. The server ends when it is dropped.
    ///
    /// `tls` is `true` for a certificate made for the purpose, `false` for plain HTTP, or a [`Tls`].
    pub async fn listen(
        &self,
        address: impl ToSocketAddrs,
        tls: impl Into<Tls>,
    ) -> io::Result<Server> {
        let shared = Arc::clone(&self.shared);
        let answering = Arc::new(move |request| {
            let shared = Arc::clone(&shared);
            Box::pin(async move { shared.answer(request).await }) as BoxFuture<'static, _>
        });
        let uri = self.shared.settings.uri.clone();
        Server::start(address, tls.into(), uri, answering).await
    }

    /// The user who can log in.
    pub fn user(&self) -> &str {
        &self.shared.settings.user
    }

    /// That user's password.
    pub fn password(&self) -> &str {
        &self.shared.settings.password
    }

    /// `esx` or `vpx`: the scheme of a libvirt URI for this server.
    pub fn scheme(&self) -> &'static str {
        self.shared.settings.uri.scheme
    }

    /// The path of a libvirt URI for this server, percent-encoded and without a slash in front: empty
    /// for an ESX host, the inventory path of the first host for a vCenter.
    pub fn path(&self) -> &str {
        &self.shared.settings.uri.path
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorded.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.lock().recorded.clear();
    }

    /// Spoils answers from now on; see [`Rule`].
    pub fn inject(&self, rule: Rule) {
        self.shared.lock().rules.push(rule);
    }

    /// Ends all rules.
    pub fn clear_rules(&self) {
        self.shared.lock().rules.clear();
    }

    /// What clients made for their sessions and did not destroy: property collectors, property filters and views.
    /// All of it ends with its session.
    pub fn leftovers(&self) -> Vec<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut found: Vec<_> = state.world.of_sessions().cloned().collect();
        found.sort_by(|a, b| natural(&a.value).cmp(&natural(&b.value)));
        found
    }

    /// How much there is to do, and was at most.
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        Load {
            waits: state.waits,
            most_waits: state.most_waits,
            ..state.tasks.load()
        }
    }

    /// Ends all sessions, as a server does that restarts or finds them idle for too long.
    pub fn expire_sessions(&self) {
        self.shared.change(|state| {
            for session in state.sessions.end_all() {
                end_session(state, &session);
            }
        });
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.shared.lock().sessions.all().count()
    }

    /// From now on nobody may read a property, or what lies below it, of objects of a type: it is missing
    /// for want of permission. For example `VirtualMachine` and `config.uuid`.
    pub fn set_unreadable(&self, ty: impl Into<String>, path: impl Into<String>) {
        self.shared.change(|state| {
            state.unreadable.push((ty.into(), path.into()));
            state.world.touch_all();
        });
    }

    /// The managed objects of exactly that type, in the order of their names.
    pub fn objects(&self, ty: &str) -> Vec<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut found: Vec<_> = state.world.all(ty).cloned().collect();
        found.sort_by(|a, b| natural(&a.value).cmp(&natural(&b.value)));
        found
    }

    /// The virtual machine with that name.
    pub fn vm(&self, name: &str) -> Option<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut vms = state.world.all("VirtualMachine");
        vms.find(|vm| state.world.name(vm) == Some(name)).cloned()
    }

    /// The properties of an object, as they are; `None` when there is no such object or it is no `T`.
    pub fn properties<T: ManagedObject + Clone>(
        &self,
        reference: &ManagedObjectReference,
    ) -> Option<T> {
        self.shared.lock().world.read::<T>(reference).cloned()
    }

    /// Changes the properties of an object, and tells everybody who waits for changes. `None` when there
    /// is no such object or it is no `T`.
    pub fn change<T: ManagedObject, R>(
        &self,
        reference: &ManagedObjectReference,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.shared
            .change(|state| state.world.change(reference, change))
    }

    /// Gives a virtual machine another power state, wherever that shows; whether there is such a machine.
    pub fn set_power_state(
        &self,
        vm: &ManagedObjectReference,
        power: VirtualMachinePowerState,
    ) -> bool {
        self.shared
            .change(|state| power::set(&mut state.world, vm, power))
    }

    /// The content of a file on a datastore, `[datastore] directory/file`; `None` when there is no such file.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path).ok()?;
            state.world.content(&location)
        })
    }

    /// Writes a file on a datastore, with the folders it lies in; whether there is such a datastore. The file of a
    /// virtual machine's configuration changes the machine.
    pub fn write_file(&self, path: &str, content: impl Into<Bytes>) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path);
            let location = location.map(|location| state.world.write(&location, content.into()));
            location.is_ok()
        })
    }

    /// Makes a virtual disk on a datastore, with the folders it lies in; whether there is such a datastore.
    ///
    /// `adapter` is what the disk is made for: `lsilogic`, `buslogic`, `lsisas1068`, `pvscsi` or `ide`.
    pub fn make_disk(&self, path: &str, capacity_kb: u64, adapter: &str) -> bool {
        let adapter = adapter.to_owned();
        let descriptor = Descriptor {
            adapter,
            capacity_kb,
        };
        self.shared.change(|state| {
            state.world.fill_files();
            let Ok(location) = DatastorePath::resolve(&state.world, None, path) else {
                return false;
            };
            for (location, entry) in descriptor.files(&location) {
                state.world.put(&location, entry);
            }
            true
        })
    }

    /// Takes a file off its datastore, or a folder with everything in it; whether there was one.
    pub fn delete_file(&self, path: &str) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path);
            location.is_ok_and(|location| state.world.delete(&location))
        })
    }

    /// What tasks that begin from now on meet; see [`Script`].
    pub fn script(&self, script: Script) {
        self.shared.lock().tasks.script(script);
    }

    /// A virtual machine asks a question that no task waits for.
    pub fn ask(&self, vm: &ManagedObjectReference, question: Question) {
        self.shared
            .change(|state| state.tasks.ask(&mut state.world, vm, question));
    }

    /// From now on tasks go on only with [`step_tasks`](Self::step_tasks). Otherwise they take a step whenever a
    /// client reads a task, or waits for changes while there are none.
    pub fn stop_tasks(&self) {
        self.shared.lock().tasks.stop();
    }

    /// Lets every task that no question blocks take a step; whether there was one.
    pub fn step_tasks(&self) -> bool {
        self.shared
            .change(|state| state.tasks.step(&mut state.world))
    }

    /// Takes a virtual machine out of the inventory; whether there was one.
    pub fn remove_vm(&self, vm: &ManagedObjectReference) -> bool {
        self.shared
            .change(|state| place::leave(&mut state.world, vm))
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("kind", &self.shared.settings.kind)
            .field("version", &self.shared.settings.version())
            .finish_non_exhaustive()
    }
}

/// `vm-9` before `vm-10`.
fn natural(value: &str) -> (usize, &str) {
    (value.len(), value)
}
