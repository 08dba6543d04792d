//! The simulator: the handle to a simulated server.

mod builder;
mod dispatch;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use tokio::net::ToSocketAddrs;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{Event, VmRemovedEvent};
use vi_types::{DateTime, ManagedObject, ManagedObjectReference, Poly};

pub use self::builder::{Builder, Licence, UnknownRelease};
use self::dispatch::Shared;
pub(crate) use self::dispatch::{State, end_session};
use crate::changes;
use crate::files::{DatastorePath, Descriptor};
use crate::health::{self, PartHealth};
use crate::hosts::{self, HostAddress};
use crate::machine::{place, power};
use crate::payload::{self, whole};
use crate::recording::Recorded;
use crate::rule::Rule;
use crate::server::{Server, Tls, UriParts};
use crate::task::{Question, Script};
use crate::upload::Upload;
use crate::version::{ApiVersion, Release};
use crate::world::inventory::ServerKind;

/// A handle to a simulated server. Cloning it is cheap; all clones are the same server.
///
/// The server lives as long as any handle, handler or [`Server`] of it.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

/// A handle that does not keep the simulator alive.
pub(crate) struct WeakSimulator(Weak<Shared>);

impl WeakSimulator {
    /// The simulator, if it still is there.
    pub(crate) fn upgrade(&self) -> Option<Simulator> {
        let shared = self.0.upgrade()?;
        Some(Simulator { shared })
    }
}

/// Settings that stay the same while the simulator runs.
pub(crate) struct Settings {
    pub(crate) kind: ServerKind,
    pub(crate) release: &'static Release,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) licence: Licence,
    /// The most objects a retrieve gives at once, whatever the client asks for.
    pub(crate) page: Option<usize>,
    recording: bool,
    /// Whether answers on a port are compressed for clients that accept it.
    gzip: bool,
    uri: UriParts,
}

impl Settings {
    pub(crate) fn version(&self) -> ApiVersion {
        self.release.version()
    }
}

/// How much work a simulator has at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Unfinished tasks.
    pub tasks: usize,
    /// The largest number of unfinished tasks so far.
    pub most_tasks: usize,
    /// Number of tasks started so far.
    pub tasks_begun: usize,
    /// Calls that wait for a change.
    pub waits: usize,
    /// The largest number of waiting calls so far.
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

    /// A function that answers requests, for a client in the same process.
    ///
    /// The URI of a request has the path, such as `/sdk`. The future of a waiting method completes when something
    /// changes. If a rule closes the connection, the answer is empty and its extensions have a
    /// [`std::io::ErrorKind`].
    pub fn handler(
        &self,
    ) -> impl Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Clone + Send + Sync + 'static
    {
        let shared = Arc::clone(&self.shared);
        move |request| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                begin(&shared);
                whole(shared.answer(None, request.map(Upload::from)).await).await
            })
        }
    }

    /// Listens at an address; port 0 means any free port. Dropping the [`Server`] closes the port.
    ///
    /// `tls` is `true` for TLS with a new self-signed certificate, `false` for plain HTTP, or a [`Tls`].
    ///
    /// # Errors
    /// The address cannot be bound, or the certificate cannot be made or used.
    pub async fn listen(
        &self,
        address: impl ToSocketAddrs,
        tls: impl Into<Tls>,
    ) -> io::Result<Server> {
        let uri = self.shared.settings.uri.clone();
        self.serve(address, tls.into(), uri, None).await
    }

    /// Lets the hosts of a simulated vCenter listen at addresses of their own, so that clients with a ticket
    /// (`AcquireGenericServiceTicket`) get files from them: the loopback addresses behind that of `server`, which listens at
    /// a loopback address, with its port. If it has TLS they have too, each with a certificate of its own.
    ///
    /// The hosts' properties show the addresses from then on: `config.network.vnic` and `summary.config`. There is nothing
    /// but `/folder` at them. The [`Server`]s are in the order of the hosts; an ESX host has none.
    ///
    /// # Errors
    /// `server` listens at another address, or an address cannot be bound.
    pub async fn listen_hosts(&self, server: &Server) -> io::Result<Vec<Server>> {
        let mut servers = Vec::new();
        if self.shared.settings.kind == ServerKind::Esx {
            return Ok(servers);
        }
        for (host, number) in self.objects("HostSystem").into_iter().zip(1..) {
            let address = hosts::address(server.addr(), number)?;
            let tls = match server.is_plain() {
                true => Tls::Off,
                false => Tls::default(),
            };
            let uri = UriParts {
                scheme: ServerKind::Esx.scheme(),
                user: "root".to_owned(),
                path: String::new(),
            };
            let own = self.serve(address, tls, uri, Some(host.clone())).await?;
            #[cfg(feature = "tls")]
            let (sha1, sha256) = (own.sha1_thumbprint(), own.thumbprint());
            #[cfg(not(feature = "tls"))]
            let (sha1, sha256) = (None, None);
            let at = HostAddress {
                host,
                address,
                sha1,
                sha256,
            };
            self.shared.change(|state| {
                hosts::show(&mut state.world, &at);
                state.hosts.add(at);
            });
            servers.push(own);
        }
        Ok(servers)
    }

    async fn serve(
        &self,
        address: impl ToSocketAddrs,
        tls: Tls,
        uri: UriParts,
        host: Option<ManagedObjectReference>,
    ) -> io::Result<Server> {
        let shared = Arc::clone(&self.shared);
        let answering = Arc::new(move |request: Request<Upload>| {
            let (shared, host) = (Arc::clone(&shared), host.clone());
            Box::pin(async move {
                begin(&shared);
                let gzip = shared.settings.gzip && payload::accepts_gzip(request.headers());
                let answer = shared.answer(host.as_ref(), request).await?;
                Ok(match gzip {
                    true => payload::compressed(answer),
                    false => answer,
                })
            }) as BoxFuture<'static, _>
        });
        let restarts = self.shared.restarts.subscribe();
        Server::start(address, tls, uri, answering, restarts).await
    }

    /// Limits the number of files that are transferred at the same time, through the server and from each of its hosts. More
    /// are answered with status 503. `None` means no limit.
    pub fn limit_transfers(&self, most: Option<usize>) {
        self.shared.lock().transfers.most = most;
    }

    /// Limits how fast later transfers of files are, each of them, in bytes a second. `None` means no limit.
    pub fn set_file_rate(&self, rate: Option<u64>) {
        self.shared.lock().transfers.rate = rate;
    }

    /// Name of the only user.
    pub fn user(&self) -> &str {
        &self.shared.settings.user
    }

    /// Password of the only user.
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

    /// Applies a rule to later calls; see [`Rule`].
    pub fn inject(&self, rule: Rule) {
        self.shared.lock().rules.push(rule);
    }

    /// Removes all rules.
    pub fn clear_rules(&self) {
        self.shared.lock().rules.clear();
    }

    /// Property collectors, property filters and views that clients have made and not destroyed.
    /// The end of a session removes those of the session.
    pub fn leftovers(&self) -> Vec<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut found: Vec<_> = state.world.of_sessions().cloned().collect();
        found.sort_by(|a, b| natural(&a.value).cmp(&natural(&b.value)));
        found
    }

    /// How much work there is, and the largest amount so far.
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        Load {
            waits: state.waits,
            most_waits: state.most_waits,
            ..state.tasks.load()
        }
    }

    /// Ends all sessions, as a restart or an idle time-out of a server does.
    pub fn expire_sessions(&self) {
        self.shared.change(|state| {
            for session in state.sessions.end_all() {
                end_session(state, &session);
            }
        });
    }

    /// Restarts the server, as `hostd` and `vpxd` do: connections break, sessions end with their collectors, filters and
    /// views, and tasks are forgotten. Virtual machines go on as they are, with their questions.
    pub fn restart(&self) {
        self.shared.change(|state| {
            for session in state.sessions.end_all() {
                end_session(state, &session);
            }
            state.collectors.restart();
            state.tasks.restart(&mut state.world);
            state.world.restart_log();
        });
        self.drop_connections();
    }

    /// Limits the number of objects in one answer of `WaitForUpdatesEx`, even if the client allows more. The rest is in the
    /// next answers, and the answer says that it is truncated. `None` means no limit, as in the beginning.
    pub fn limit_updates(&self, objects: Option<usize>) {
        let limits = &mut self.shared.lock().collectors.limits;
        limits.objects = objects.map_or(usize::MAX, |objects| objects.max(1));
    }

    /// Number of versions before the last one that a client can ask for again because it lost the answers: 1 in the
    /// beginning. For older ones the fault is `InvalidCollectorVersion`.
    pub fn keep_versions(&self, count: usize) {
        self.shared.lock().collectors.limits.versions = count;
    }

    /// Forgets all versions that property collectors have given so far. Clients that use one get `InvalidCollectorVersion`,
    /// also those that wait.
    pub fn forget_versions(&self) {
        self.shared.change(|state| {
            state.collectors.forget_versions();
            state.world.touch();
        });
    }

    /// Breaks all connections, also of calls that wait. Sessions go on.
    pub fn drop_connections(&self) {
        self.shared.restarts.send_modify(|restarts| *restarts += 1);
    }

    /// Changes the state with the settings at hand, and wakes all waiting calls.
    pub(crate) fn with_state<R>(&self, change: impl FnOnce(&mut State, &Settings) -> R) -> R {
        let settings = &self.shared.settings;
        self.shared.change(|state| change(state, settings))
    }

    /// Number of sessions.
    pub fn sessions(&self) -> usize {
        self.shared.lock().sessions.all().count()
    }

    /// Takes from all users the permission to read a property of a type, and everything below that property. Answers then
    /// report it in `missingSet`. For example `VirtualMachine` and `config.uuid`.
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

    /// The properties of an object. `None` if there is no such object, or it is not a `T`.
    pub fn properties<T: ManagedObject + Clone>(
        &self,
        reference: &ManagedObjectReference,
    ) -> Option<T> {
        self.shared.lock().world.read::<T>(reference).cloned()
    }

    /// Looks at the properties of an object without a copy of them. `None` if there is no such object, or it is not a `T`.
    pub fn read<T: ManagedObject, R>(
        &self,
        reference: &ManagedObjectReference,
        read: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        self.shared.lock().world.read::<T>(reference).map(read)
    }

    /// Changes the properties of an object, and wakes all waiting calls. `None` if there is no such object, or it is
    /// not a `T`.
    pub fn change<T: ManagedObject, R>(
        &self,
        reference: &ManagedObjectReference,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.shared
            .change(|state| state.world.change(reference, change))
    }

    /// Sets the power state of a virtual machine in all properties that show it. Returns whether the machine exists.
    pub fn set_power_state(
        &self,
        vm: &ManagedObjectReference,
        power: VirtualMachinePowerState,
    ) -> bool {
        self.shared
            .change(|state| power::set(&mut state.world, vm, power))
    }

    /// The content of the file at a datastore path (`[datastore] directory/file`). `None` if there is no such file, or it is
    /// larger than 256 MiB: [`file_part`](Self::file_part) reads that.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path).ok()?;
            state.world.content(&location)
        })
    }

    /// The length of the file at a datastore path, in bytes. `None` if there is no such file.
    pub fn file_length(&self, path: &str) -> Option<u64> {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path).ok()?;
            Some(state.world.data(&location)?.length())
        })
    }

    /// A part of the file at a datastore path, as far as it is there. `None` if there is no such file.
    pub fn file_part(&self, path: &str, range: Range<u64>) -> Option<Bytes> {
        let data = self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path).ok()?;
            state.world.data(&location)
        });
        data?.read_at(range).ok()
    }

    /// The datastore paths of all files with their lengths in bytes, in order.
    pub fn files(&self) -> Vec<(String, u64)> {
        self.shared.change(|state| {
            state.world.fill_files();
            state.world.all_files()
        })
    }

    /// Writes the file at a datastore path and makes its missing folders. Returns whether the datastore exists. Writing a
    /// VMX file of a virtual machine changes the machine.
    pub fn write_file(&self, path: &str, content: impl Into<Bytes>) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path);
            let location =
                location.map(|location| state.world.write(&location, content.into().into()));
            location.is_ok()
        })
    }

    /// Writes bytes into a file that is there, beyond its end too. Returns whether it is there and the bytes are kept.
    pub fn write_file_part(&self, path: &str, offset: u64, bytes: &[u8]) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let Ok(location) = DatastorePath::resolve(&state.world, None, path) else {
                return false;
            };
            let Some(mut data) = state.world.data(&location) else {
                return false;
            };
            let written = data.write_at(&state.world.store(), offset, bytes);
            state.world.write(&location, data);
            written.is_ok()
        })
    }

    /// Makes a virtual disk at a datastore path, and its missing folders. Returns whether the datastore exists.
    ///
    /// `adapter` is the type of controller that the disk is for: `lsilogic`, `buslogic`, `lsisas1068`, `pvscsi` or `ide`.
    pub fn make_disk(&self, path: &str, capacity_kb: u64, adapter: &str) -> bool {
        let descriptor = Descriptor::new(adapter, capacity_kb);
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

    /// Deletes a file, or a folder and everything in it. Returns whether it existed.
    pub fn delete_file(&self, path: &str) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let location = DatastorePath::resolve(&state.world, None, path);
            location.is_ok_and(|location| state.world.delete(&location))
        })
    }

    /// Applies a script to later tasks; see [`Script`].
    pub fn script(&self, script: Script) {
        self.shared.lock().tasks.script(script);
    }

    /// Lets a virtual machine ask a question that no task waits for.
    pub fn ask(&self, vm: &ManagedObjectReference, question: Question) {
        self.shared
            .change(|state| state.tasks.ask(&mut state.world, vm, question));
    }

    /// From now on, tasks advance only with [`step_tasks`](Self::step_tasks). By default they advance one step when a
    /// client reads something, is refused because of another task, or waits and there is no change to report.
    pub fn stop_tasks(&self) {
        self.shared.lock().tasks.stop();
    }

    /// Advances every task that is not blocked by a question by one step. Returns whether there was one.
    pub fn step_tasks(&self) -> bool {
        self.shared
            .change(|state| state.tasks.step(&mut state.world))
    }

    /// Stops the server's clock at a time. From then on only [`advance_clock`](Self::advance_clock) advances it.
    ///
    /// `CurrentTime`, `serverClock` and the values of counters follow the clock.
    pub fn stop_clock(&self, at: DateTime) {
        self.shared.lock().world.clock.stop(&at);
    }

    /// Advances the server's clock, by whole seconds.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.lock().world.clock.advance(by);
    }

    /// Sets the state of a part of all hosts: a sensor, a module of memory, a processor or a disk. Returns whether a host
    /// has it.
    pub fn set_health(&self, part: &PartHealth) -> bool {
        self.shared
            .change(|state| health::set(&mut state.world, part))
    }

    /// Writes a line into a log of the hosts, behind all others. `hostd` and `vpxd:vpxd.log` also grow with every change
    /// of the server.
    pub fn write_log(&self, key: &str, line: &str) {
        self.shared.lock().world.logs.write(key, line);
    }

    /// Begins a log of the hosts anew, without a line.
    pub fn rotate_log(&self, key: &str) {
        self.shared.lock().world.logs.rotate(key);
    }

    /// Gives a counter the same value in all samples, past ones too: of a virtual machine or host, the counter's name such as
    /// `net.bytesRx.average`, and an instance, empty for the whole. Other instances, and the whole, stay as they are.
    pub fn set_counter(
        &self,
        entity: &ManagedObjectReference,
        counter: &str,
        instance: &str,
        value: i64,
    ) {
        let key = (entity.clone(), counter.to_owned(), instance.to_owned());
        self.shared.lock().world.fixed_values.insert(key, value);
    }

    /// The event log, oldest first.
    pub fn events(&self) -> Vec<Poly<Event>> {
        let state = self.shared.lock();
        let entries = state.world.events.entries().iter();
        entries.map(|entry| entry.event.clone()).collect()
    }

    /// Writes an event about an object of the inventory, and wakes all waiting calls. Returns the event's key; `None` if
    /// the server is older than the event's type.
    ///
    /// Key, chain, time and user are set by the log; so are the arguments (machine, host, …) and the text unless the event
    /// has them.
    pub fn post_event(
        &self,
        about: &ManagedObjectReference,
        event: impl Into<Poly<Event>>,
    ) -> Option<i32> {
        self.shared.change(|state| state.world.log(about, event))
    }

    /// Removes a virtual machine from the inventory. Returns whether it existed.
    pub fn remove_vm(&self, vm: &ManagedObjectReference) -> bool {
        self.shared.change(|state| {
            let about = state.world.about(vm);
            let existed = place::leave(&mut state.world, vm);
            if existed {
                state.world.log_about(&about, VmRemovedEvent::default());
            }
            existed
        })
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

/// Begins with the first request what is to happen in the background. It ends with the simulator.
fn begin(shared: &Arc<Shared>) {
    let to_come = shared.to_come.lock();
    let to_come = to_come.unwrap_or_else(PoisonError::into_inner).take();
    let Some((changes, churn)) = to_come else {
        return;
    };
    if let Some(changes) = changes {
        let simulator = WeakSimulator(Arc::downgrade(shared));
        tokio::spawn(changes::play_behind(simulator, changes));
    }
    if let Some(churn) = churn {
        let simulator = WeakSimulator(Arc::downgrade(shared));
        tokio::spawn(changes::churn_behind(simulator, churn));
    }
}

/// `vm-9` before `vm-10`.
fn natural(value: &str) -> (usize, &str) {
    (value.len(), value)
}
