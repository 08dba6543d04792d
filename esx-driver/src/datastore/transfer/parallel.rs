//! Reading a range on several connections: it is cut into smaller ranges, and a connection that is free takes the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tracing::debug;

use super::download::Piece;
use super::part::{Part, Stopped, Subject};
use super::pause::Pauses;
use crate::{Error, Result};

/// The largest range of one connection. A new range costs a round trip, and a large one leaves connections idle at the end.
const LARGEST_RANGE: u64 = 64 << 20;
/// The smallest one, near the end.
const SMALLEST_RANGE: u64 = 4 << 20;
/// How far connections may be ahead of the caller who wants the pieces in order: what is held in memory.
const WINDOW: u64 = 32 << 20;
/// How many pieces wait for the caller. The largest have 400 KiB.
const WAITING_PIECES: usize = 32;

/// A range that is read on several connections.
pub(super) struct Parallel {
    /// Dropped, it ends the connections.
    _workers: JoinSet<()>,
    pieces: mpsc::Receiver<Result<Piece>>,
    shared: Arc<Shared>,
    /// Pieces that came too early, if they are wanted in order.
    early: BTreeMap<u64, Bytes>,
    /// What is still to be given to the caller.
    left: u64,
    /// Where the next piece begins, if they are wanted in order.
    next: Option<u64>,
}

/// What the connections share.
struct Shared {
    subject: Subject,
    connections: usize,
    work: Mutex<Work>,
    /// Something has changed in `work`.
    changed: Notify,
}

struct Work {
    /// What nobody has taken yet.
    next: u64,
    end: u64,
    /// Ranges that were given back: start and end.
    returned: BTreeMap<u64, u64>,
    /// How many ranges are being read.
    taken: usize,
    /// How many answers are being received.
    receiving: usize,
    /// Where the caller is, who wants the pieces in order.
    given: Option<u64>,
    /// Failures of all connections since the last byte, as rounds in which all of them failed.
    failures: usize,
}

/// The length of the first range, whose answer tells the length of the file. The other connections wait for its head only.
pub(super) fn first_range(wanted: Option<u64>) -> u64 {
    wanted.map_or(SMALLEST_RANGE, |wanted| wanted.min(SMALLEST_RANGE))
}

/// The length of the next range when so much is left: smaller towards the end, so that all connections end together.
fn chunk(left: u64, connections: usize, largest: u64) -> u64 {
    let share = left / (2 * connections as u64).max(1);
    share.clamp(SMALLEST_RANGE.min(largest), largest).min(left)
}

impl Parallel {
    /// Begins to read `offset..end`. `part` is the answer with its first bytes, up to `first`.
    pub(super) fn begin(
        subject: &Subject,
        part: Part,
        (offset, first, end): (u64, u64, u64),
        connections: usize,
        is_ordered: bool,
    ) -> Parallel {
        let work = Work {
            next: first,
            end,
            returned: BTreeMap::new(),
            taken: 1,
            receiving: 0,
            given: is_ordered.then_some(offset),
            failures: 0,
        };
        let shared = Arc::new(Shared {
            subject: subject.clone(),
            connections,
            work: Mutex::new(work),
            changed: Notify::new(),
        });
        let (sender, pieces) = mpsc::channel(WAITING_PIECES);
        let mut workers = JoinSet::new();
        let mut begun = Some(Begun {
            part: Some(part),
            at: offset,
            end: first,
        });
        for _ in 0..connections {
            let (shared, sender) = (Arc::clone(&shared), sender.clone());
            workers.spawn(read(shared, sender, begun.take()));
        }
        Parallel {
            _workers: workers,
            pieces,
            shared,
            early: BTreeMap::new(),
            left: end - offset,
            next: is_ordered.then_some(offset),
        }
    }

    /// The next piece; `None` when the range is complete.
    pub(super) async fn piece(&mut self) -> Result<Option<Piece>> {
        loop {
            if self.left == 0 {
                return Ok(None);
            }
            if let Some(offset) = self.next
                && let Some(bytes) = self.early.remove(&offset)
            {
                let next = offset + bytes.len() as u64;
                self.next = Some(next);
                self.left -= bytes.len() as u64;
                self.shared.given(next);
                return Ok(Some(Piece { offset, bytes }));
            }
            let Some(piece) = self.pieces.recv().await else {
                // The workers end when everything is read, or with an error.
                return Err(Error::new(
                    crate::ErrorKind::Transport,
                    virt_model::ErrorNumber::InternalError,
                    "the connections of the download have ended early",
                ));
            };
            let piece = piece?;
            if self.next.is_some() {
                self.early.insert(piece.offset, piece.bytes);
            } else {
                self.left -= piece.bytes.len() as u64;
                return Ok(Some(piece));
            }
        }
    }
}

/// A range that a connection has taken.
struct Begun {
    /// The answer, if it is there already.
    part: Option<Part>,
    at: u64,
    end: u64,
}

/// One connection: takes ranges until there are none.
async fn read(shared: Arc<Shared>, sender: mpsc::Sender<Result<Piece>>, mut begun: Option<Begun>) {
    let mut pauses = Pauses::default();
    loop {
        let mut range = match begun.take() {
            Some(range) => range,
            None => match shared.take().await {
                Some(range) => range,
                None => return,
            },
        };
        let stopped = match range.read(&shared, &sender).await {
            Ok(true) => {
                pauses.reset();
                shared.done();
                continue;
            }
            // Nobody wants more.
            Ok(false) => return,
            Err(stopped) => stopped,
        };
        shared.give_back(&range);
        // This connection waits longer and longer, so a server without room gets fewer requests. The download goes on as
        // long as any connection brings something.
        let wait = pauses.after_or_longest(stopped.failure);
        let gives_up = shared.failed(&stopped);
        let Some(wait) = wait.filter(|_| !gives_up) else {
            let _ = sender.send(Err(stopped.error)).await;
            return;
        };
        debug!(error = %stopped.error, ?wait, offset = range.at, "a connection of the download waits");
        shared.wait(wait).await;
    }
}

impl Begun {
    /// Reads the range and gives it to the caller. False if nobody listens any more.
    async fn read(
        &mut self,
        shared: &Shared,
        sender: &mpsc::Sender<Result<Piece>>,
    ) -> Result<bool, Stopped> {
        let subject = &shared.subject;
        let mut part = match self.part.take() {
            Some(part) => part,
            None => subject.open(self.at, self.end).await?,
        };
        shared.lock().receiving += 1;
        let read = self.receive(&mut part, shared, sender).await;
        shared.lock().receiving -= 1;
        read
    }

    async fn receive(
        &mut self,
        part: &mut Part,
        shared: &Shared,
        sender: &mpsc::Sender<Result<Piece>>,
    ) -> Result<bool, Stopped> {
        let subject = &shared.subject;
        while self.at < self.end {
            let offset = self.at;
            let Some(bytes) = part.next(subject, &mut self.at, self.end).await? else {
                // The server gave less than it was asked for, and said so.
                *part = subject.open(self.at, self.end).await?;
                continue;
            };
            shared.progress();
            if sender.send(Ok(Piece { offset, bytes })).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Shared {
    /// The next range; `None` when everything is read.
    async fn take(&self) -> Option<Begun> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut work = self.lock();
                if let Some((at, end)) = work.returned.pop_first() {
                    work.taken += 1;
                    return Some(Begun {
                        part: None,
                        at,
                        end,
                    });
                }
                let left = work.end - work.next;
                if left == 0 && work.taken == 0 {
                    return None;
                }
                let is_near = work.given.is_none_or(|given| work.next < given + WINDOW);
                if left > 0 && is_near {
                    let largest = match work.given {
                        None => LARGEST_RANGE,
                        Some(_) => (WINDOW / (2 * self.connections as u64)).max(1 << 20),
                    };
                    let at = work.next;
                    work.next += chunk(left, self.connections, largest);
                    work.taken += 1;
                    let end = work.next;
                    return Some(Begun {
                        part: None,
                        at,
                        end,
                    });
                }
            }
            changed.await;
        }
    }

    /// A range has been read.
    fn done(&self) {
        self.lock().taken -= 1;
        self.changed.notify_waiters();
    }

    /// What is left of a range is for another connection.
    fn give_back(&self, range: &Begun) {
        let mut work = self.lock();
        work.taken -= 1;
        if range.at < range.end {
            work.returned.insert(range.at, range.end);
        }
        drop(work);
        self.changed.notify_waiters();
    }

    /// Something has arrived.
    fn progress(&self) {
        self.lock().failures = 0;
    }

    /// The caller has everything up to there.
    fn given(&self, next: u64) {
        let mut work = self.lock();
        let before = work.given.replace(next);
        let is_far = before.is_some_and(|before| before / SMALLEST_RANGE != next / SMALLEST_RANGE);
        drop(work);
        if is_far {
            self.changed.notify_waiters();
        }
    }

    /// Whether to give up: the failure is final, or nothing has arrived for long. While other connections receive
    /// something, or could if the caller took it, it has not.
    fn failed(&self, stopped: &Stopped) -> bool {
        let mut work = self.lock();
        if work.receiving == 0 {
            work.failures += 1;
        }
        Pauses::is_enough(stopped.failure, work.failures.div_ceil(self.connections))
    }

    /// Waits, but not when everything has been read.
    async fn wait(&self, longest: Duration) {
        let over = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                {
                    let work = self.lock();
                    if work.next == work.end && work.taken == 0 && work.returned.is_empty() {
                        return;
                    }
                }
                changed.await;
            }
        };
        let _ = tokio::time::timeout(longest, over).await;
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_get_smaller_towards_the_end() {
        let mut left: u64 = 1 << 30;
        let mut ranges = Vec::new();
        while left > 0 {
            let next = chunk(left, 4, LARGEST_RANGE);
            ranges.push(next);
            left -= next;
        }
        assert_eq!(ranges.iter().sum::<u64>(), 1 << 30);
        assert_eq!(ranges[0], LARGEST_RANGE);
        assert!(ranges.is_sorted_by(|one, next| one >= next));
        assert!(
            ranges
                .iter()
                .rev()
                .skip(1)
                .all(|range| *range >= SMALLEST_RANGE)
        );
        assert_eq!(chunk(100, 4, LARGEST_RANGE), 100);
        assert_eq!(chunk(0, 4, LARGEST_RANGE), 0);
    }
}
