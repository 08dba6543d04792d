//! Writing of files: a PUT from its header to the last byte, or to where it is torn.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::request::Parts;
use http::{StatusCode, Uri};
use vi_types::ManagedObjectReference;

use super::place::{NoPlace, Place};
use super::{hides, is_accessible};
use crate::files::{DatastorePath, Entry, Writer};
use crate::machine::lock;
use crate::simulator::State;
use crate::transfers::{Pace, Transfer};
use crate::world::World;

/// The longest name of a file, in bytes.
const LONGEST_NAME: usize = 255;

/// A file that is being written.
pub(crate) struct Upload {
    location: DatastorePath,
    is_new: bool,
    writer: Writer,
    /// The bytes that there is room for on the datastore.
    room: u64,
    pub(crate) pace: Option<Pace>,
    /// Counted until it is written.
    _transfer: Transfer,
}

impl Upload {
    /// Begins one. What was in the file before stays until all has arrived, or the connection breaks.
    ///
    /// # Errors
    /// The status that refuses it.
    pub(crate) fn begin(
        state: &mut State,
        host: Option<&ManagedObjectReference>,
        head: &Parts,
    ) -> Result<Self, StatusCode> {
        let world = &state.world;
        let (location, is_new) = destination(world, host, &head.uri)?;
        if head.headers.contains_key(CONTENT_RANGE) {
            // Only whole files can be written.
            return Err(StatusCode::BAD_REQUEST);
        }
        // What it replaces makes room.
        let before = world.data(&location).map_or(0, |data| data.allocated());
        let room = world.free_space(&location.store).saturating_add(before);
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > room) {
            return Err(StatusCode::INSUFFICIENT_STORAGE);
        }
        let transfer = state.transfers.begin(host);
        Ok(Self {
            location,
            is_new,
            writer: Writer::new(state.world.store()),
            room,
            _transfer: transfer.ok_or(StatusCode::SERVICE_UNAVAILABLE)?,
            pace: state.transfers.pace(),
        })
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// The status for a full datastore or simulator. What fits is kept.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StatusCode> {
        let left = self.room.saturating_sub(self.writer.length());
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let fits = bytes.len().min(left);
        let written = self.writer.write(&bytes[..fits]);
        match written.is_ok() && fits == bytes.len() {
            true => Ok(()),
            false => Err(StatusCode::INSUFFICIENT_STORAGE),
        }
    }

    /// Puts in its place what has arrived: everything, or a part if the connection broke.
    ///
    /// # Errors
    /// The status for a place that is not there any more, and for a full simulator.
    pub(crate) fn finish(self, world: &mut World) -> Result<StatusCode, StatusCode> {
        let Self {
            location,
            writer,
            is_new,
            ..
        } = self;
        if let Some(Entry::Folder) = world.entry(&location) {
            return Err(StatusCode::CONFLICT);
        }
        if !world.has_folder_of(&location) {
            return Err(StatusCode::NOT_FOUND);
        }
        let (content, kept) = writer.finish();
        world.write(&location, content);
        match (kept, is_new) {
            (Err(_), _) => Err(StatusCode::INSUFFICIENT_STORAGE),
            (Ok(()), true) => Ok(StatusCode::CREATED),
            (Ok(()), false) => Ok(StatusCode::OK),
        }
    }
}

/// The place for a file, and whether there is none yet.
fn destination(
    world: &World,
    host: Option<&ManagedObjectReference>,
    uri: &Uri,
) -> Result<(DatastorePath, bool), StatusCode> {
    let location = match Place::of(world, host, uri) {
        Ok(Place::DatastorePath(location)) => location,
        Ok(_) | Err(NoPlace::NotFound) => return Err(StatusCode::NOT_FOUND),
        Err(NoPlace::Invalid) => return Err(StatusCode::BAD_REQUEST),
    };
    if location
        .path
        .split('/')
        .any(|name| name.len() > LONGEST_NAME)
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    if !is_accessible(world, &location.store) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if hides(world, &location) {
        return Err(StatusCode::NOT_FOUND);
    }
    if lock::is_written(world, &location) {
        return Err(StatusCode::FORBIDDEN);
    }
    match world.entry(&location) {
        Some(Entry::Folder) => Err(StatusCode::CONFLICT),
        Some(_) => Ok((location, false)),
        None if world.has_folder_of(&location) => Ok((location, true)),
        None => Err(StatusCode::NOT_FOUND),
    }
}
