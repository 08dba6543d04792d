//! New events, as they happen.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_core::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::Instant;
use vi_types::enums::ObjectUpdateKind;
use vi_types::methods::{CreateCollectorForEvents, ReadNextEvents};
use vi_types::objects::{
    Event, EventFilterSpec, InvalidCollectorVersion, ObjectSpec, ObjectUpdate, PropertyFilterSpec,
    PropertySpec,
};
use vi_types::{DateTime, Method as _, Poly};

use super::collector::Collector;
use super::turning::Turning;
use super::{LARGEST_PAGE, Seen, page_size};
use crate::{Client, Error, Rounds, Watch};

/// How many events the server reports when one is new. So many at a time need no further request.
const PAGE: usize = 20;

/// How many it reports while many happen: all are read anyway, and one tells that there are some.
const SMALL_PAGE: usize = 1;

/// New events in the order of their keys, without loss or duplicates: a stream that ends only with an error.
///
/// A [`Watch`] of the collector's latest page reports them; if more happened at once than the page holds, they are read with
/// a second collector. While that happens often, the second collector goes on where it ended, and the page is small, so
/// that each event comes once. A lost connection, an ended session and a restart of the server are repaired, and what
/// happened meanwhile follows, for as long as the server keeps it. An ESX host forgets its events when it restarts, and
/// counts again from 0: what it has written before the restart and nobody has read is lost.
///
/// Nothing is asked while nobody polls. [`close`](Self::close) destroys what is on the server; dropping it does so in the
/// background.
pub struct EventFollow {
    reader: Arc<Mutex<Reader>>,
    reading: Option<BoxFuture<'static, Result<Vec<Poly<Event>>, Error>>>,
    ready: VecDeque<Poly<Event>>,
    is_over: bool,
}

impl EventFollow {
    pub(super) fn new(
        collector: Collector,
        filter: EventFilterSpec,
        seen: Seen,
        knows_start: bool,
    ) -> Self {
        let reader = Reader {
            client: collector.client().clone(),
            filter,
            knows_start,
            seen,
            collector: Some(collector),
            watch: None,
            page: Page::Large,
            backlog: None,
            failures: Rounds::of(u32::MAX),
            losses: Rounds::of(5),
        };
        Self {
            reader: Arc::new(Mutex::new(reader)),
            reading: None,
            ready: VecDeque::new(),
            is_over: false,
        }
    }

    /// The next event; `None` after an error.
    ///
    /// # Errors
    /// Why events can no longer be read, for instance because the user may not; the last item.
    pub async fn next(&mut self) -> Option<Result<Poly<Event>, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Destroys the collector and its filter, and waits until they are destroyed.
    pub async fn close(mut self) {
        self.reading = None;
        let mut reader = self.reader.lock().await;
        if let Some(watch) = reader.watch.take() {
            watch.close().await;
        }
        if let Some(collector) = reader.collector.take() {
            close(collector).await;
        }
        if let Some(backlog) = reader.backlog.take() {
            close(backlog.collector).await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Poly<Event>, Error>>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if self.is_over {
                return Poll::Ready(None);
            }
            let reading = self.reading.get_or_insert_with(|| {
                let reader = Arc::clone(&self.reader);
                Box::pin(async move { reader.lock().await.next().await })
            });
            let Poll::Ready(events) = reading.as_mut().poll(context) else {
                return Poll::Pending;
            };
            self.reading = None;
            match events {
                Ok(events) => self.ready.extend(events),
                Err(error) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Stream for EventFollow {
    type Item = Result<Poly<Event>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl fmt::Debug for EventFollow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFollow")
            .field("ready", &self.ready.len())
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

/// Reads new events. Its futures may be dropped at any time.
struct Reader {
    client: Client,
    filter: EventFilterSpec,
    seen: Seen,
    /// Whether `seen` says where to begin; the first page does otherwise.
    knows_start: bool,
    collector: Option<Collector>,
    watch: Option<Watch>,
    page: Page,
    /// What reads when more events happen than a page holds.
    backlog: Option<Backlog>,
    /// The attempts that have failed since something new came, or the server waited for it.
    failures: Rounds,
    /// Those of them after which the server did not have any more what it had.
    losses: Rounds,
}

/// The size of the latest page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Large,
    /// It is to become small.
    Shrinking,
    Small,
    /// It is to become large.
    Growing,
    /// The server was told so. Pages may still come that were made before.
    Grown,
}

impl Page {
    /// The least number of events in a page that may not be all that is new.
    fn may_be_full(self) -> usize {
        match self {
            Page::Large => PAGE,
            _ => SMALL_PAGE,
        }
    }
}

/// A collector that reads what a page does not hold, and is kept for the next time.
struct Backlog {
    collector: Collector,
    /// How many pages have been enough since it read, or would have been by far. It would read their events again.
    pages: usize,
}

/// How many pages a backlog is kept for.
const PAGES: usize = 10;

/// So many events at a time are few: a page would have been enough by far.
const FEW: usize = PAGE / 4;

/// The longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A server that waits so long for an event has what it is asked for.
const CALM: Duration = Duration::from_secs(1);

impl Reader {
    /// The next new events, at least one.
    async fn next(&mut self) -> Result<Vec<Poly<Event>>, Error> {
        loop {
            let begun = Instant::now();
            let result = self.step().await;
            let is_calm = begun.elapsed() >= CALM;
            if is_calm || result.as_ref().is_ok_and(|events| !events.is_empty()) {
                self.failures = self.failures.fruitful();
                self.losses = self.losses.fruitful();
            }
            match result {
                Ok(events) if events.is_empty() => {}
                Ok(events) => return Ok(events),
                Err(error) if may_pass(&error) => {
                    tracing::debug!(%error, "opening the event history again");
                    self.forget(&error);
                    self.failures = self.failures.fruitless();
                    self.losses = match error.is_broken() {
                        true => self.losses.fruitful(),
                        false => self.losses.fruitless(),
                    };
                    if self.losses.are_spent() {
                        return Err(Error::Stalled {
                            method: CreateCollectorForEvents::name(),
                            behaviour: "forgets the collector at once",
                            rounds: self.losses.count(),
                        });
                    }
                    // The first attempt follows at once, because a session ends without any trouble.
                    if self.failures.count() > 1 {
                        tokio::time::sleep(self.failures.pause(LONGEST_PAUSE)).await;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for another latest page, and returns what is new.
    async fn step(&mut self) -> Result<Vec<Poly<Event>>, Error> {
        let collector = match &self.collector {
            Some(collector) => collector,
            None => {
                let made = Collector::create(&self.client, &self.filter).await?;
                self.collector.insert(made)
            }
        };
        let watch = match &mut self.watch {
            Some(watch) => watch,
            None => {
                collector.set_page_size(page_size(PAGE)).await?;
                self.page = Page::Large;
                let made = self.client.watch(spec(collector)).await?;
                made.keep_trying();
                self.watch.insert(made)
            }
        };
        let resized = match self.page {
            Page::Shrinking => Some((SMALL_PAGE, Page::Small)),
            Page::Growing => Some((PAGE, Page::Grown)),
            Page::Large | Page::Small | Page::Grown => None,
        };
        if let Some((size, page)) = resized {
            collector.set_page_size(page_size(size)).await?;
            self.page = page;
        }
        let updates = watch.next().await.map_err(Error::Shared)?;
        let Some(mut page) = latest_page(updates) else {
            return Err(Error::NoObject {
                object: collector.reference().clone(),
            });
        };
        page.sort_by_key(|event| event.key);
        self.take(page).await
    }

    /// The new ones of the newest events and, if there may be more, of those before them.
    async fn take(&mut self, page: Vec<Poly<Event>>) -> Result<Vec<Poly<Event>>, Error> {
        if !std::mem::replace(&mut self.knows_start, true) {
            self.seen.add_all(&page);
            return Ok(Vec::new());
        }
        let is_other = self.seen.is_other_history(&page);
        let is_new = |event: &Poly<Event>| is_other || self.seen.is_new(event);
        let may_be_more = page.len() >= self.page.may_be_full() && page.iter().all(is_new);
        if self.page == Page::Grown && page.len() > SMALL_PAGE {
            self.page = Page::Large;
        }
        let events = match may_be_more {
            true => self.read_all(is_other, page).await?,
            false => {
                self.spare_backlog().await;
                page
            }
        };
        if is_other || self.seen.is_other_history(&events) {
            self.seen.clear();
        }
        let mut new = events;
        new.retain(|event| self.seen.is_new(event));
        self.seen.add_all(&new);
        Ok(new)
    }

    /// Counts a page that was enough. After many, the page gets large again, and then the backlog is destroyed.
    async fn spare_backlog(&mut self) {
        let Some(backlog) = &mut self.backlog else {
            return;
        };
        backlog.pages += 1;
        if backlog.pages <= PAGES {
            return;
        }
        match self.page {
            Page::Small => self.page = Page::Growing,
            Page::Large => {
                if let Some(backlog) = self.backlog.take() {
                    close(backlog.collector).await;
                }
            }
            Page::Shrinking | Page::Growing | Page::Grown => {}
        }
    }

    /// Everything since the newest event that was seen, with another collector. Without a time it reads everything, as the
    /// clock of a restarted server may be another one.
    async fn read_all(
        &mut self,
        whole: bool,
        newest: Vec<Poly<Event>>,
    ) -> Result<Vec<Poly<Event>>, Error> {
        if let Some(Backlog { collector, pages }) = self.backlog.take() {
            let events = match whole {
                true => Vec::new(),
                false => read_to_end(&collector).await?,
            };
            // A server whose collectors do not go on where they ended has not told the newest event.
            let last = newest.last().map(|event| event.key);
            if events.iter().any(|event| Some(event.key) == last) {
                let are_few = events.len() <= FEW;
                self.backlog = Some(Backlog {
                    collector,
                    pages: if are_few { pages + 1 } else { 0 },
                });
                self.page = match self.page {
                    Page::Large => Page::Shrinking,
                    Page::Small if are_few && pages >= PAGES => Page::Growing,
                    page => page,
                };
                return Ok(in_order(events, newest));
            }
            close(collector).await;
        }
        let mut filter = self.filter.clone();
        if let Some((seconds, _)) = self.seen.newest_time().filter(|_| !whole) {
            let time = filter.time.get_or_insert_default();
            let since = DateTime::from_epoch_seconds(seconds);
            let begins = time.begin_time.as_ref().map(DateTime::epoch_seconds);
            if !begins.is_some_and(|begin| begin.is_ok_and(|begin| begin >= seconds)) {
                time.begin_time = Some(since);
            }
        }
        let collector = Collector::create(&self.client, &filter).await?;
        let events = read_to_end(&collector).await?;
        self.backlog = Some(Backlog {
            collector,
            pages: 0,
        });
        if self.page == Page::Large {
            self.page = Page::Shrinking;
        }
        Ok(in_order(events, newest))
    }

    /// Gives up what the server has lost.
    fn forget(&mut self, error: &Error) {
        self.watch = None;
        self.backlog = None;
        if !error.is_broken() {
            self.collector = None;
        }
    }
}

/// Reads everything from where the collector is.
async fn read_to_end(collector: &Collector) -> Result<Vec<Poly<Event>>, Error> {
    let (mut events, mut turning) = (Vec::new(), Turning::default());
    let method = ReadNextEvents::name();
    let limits = collector.client().limits();
    loop {
        let request = ReadNextEvents {
            this: collector.reference().clone(),
            max_count: page_size(LARGEST_PAGE),
            ..ReadNextEvents::default()
        };
        let read = collector.call(&request).await?;
        turning.note(method, &read).await?;
        let is_last = read.len() < LARGEST_PAGE;
        events.extend(read);
        if events.len() > limits.objects {
            let limit = format!("{} events at a time", limits.objects);
            return Err(Error::Excess { method, limit });
        }
        if is_last {
            return Ok(events);
        }
    }
}

/// All events, each once, in the order of their keys.
fn in_order(mut events: Vec<Poly<Event>>, more: Vec<Poly<Event>>) -> Vec<Poly<Event>> {
    events.extend(more);
    events.sort_by_key(|event| event.key);
    events.dedup_by_key(|event| event.key);
    events
}

async fn close(collector: Collector) {
    if let Err(error) = collector.close().await {
        // The server destroys it with the session.
        tracing::debug!(%error, "an event collector could not be destroyed");
    }
}

/// Whether trying again may help: the connection, the session or the collector is lost.
fn may_pass(error: &Error) -> bool {
    error.is_broken()
        || error.is_not_authenticated()
        || error.is_not_found()
        || error.is_fault::<InvalidCollectorVersion>()
}

fn spec(collector: &Collector) -> PropertyFilterSpec {
    PropertyFilterSpec {
        prop_set: vec![PropertySpec {
            r#type: collector.reference().r#type.clone(),
            path_set: vec![LATEST_PAGE.to_owned()],
            ..PropertySpec::default()
        }],
        object_set: vec![ObjectSpec {
            obj: collector.reference().clone(),
            ..ObjectSpec::default()
        }],
        ..PropertyFilterSpec::default()
    }
}

const LATEST_PAGE: &str = "latestPage";

/// The latest page after some updates; none if the collector is gone.
fn latest_page(updates: Vec<ObjectUpdate>) -> Option<Vec<Poly<Event>>> {
    let mut page = Vec::new();
    for update in updates {
        if update.kind == ObjectUpdateKind::Leave {
            return None;
        }
        for change in update.change_set {
            if change.name == LATEST_PAGE
                && let Some(value) = change.val
            {
                match value.cast() {
                    Ok(events) => page = events,
                    Err(error) => tracing::warn!(%error, "the latest page cannot be read"),
                }
            }
        }
    }
    Some(page)
}
