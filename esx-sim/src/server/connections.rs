//! The connections of a server: how they are accepted, and how many there can be.

use std::io;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tracing::{debug, warn};

use super::patience::Patience;

/// The most connections at a time: fewer than a process has file descriptors, usually.
pub(super) const MOST: usize = 900;

/// How long nothing is accepted after a connection could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts a connection. When that fails (a process without a free file descriptor cannot accept any), it tries again a
/// little later.
pub(super) async fn next<T, F>(mut accept: impl FnMut() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    let mut has_failed = false;
    loop {
        let error = match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        match has_failed {
            false => warn!(%error, "cannot accept a connection"),
            true => debug!(%error, "still cannot accept a connection"),
        }
        has_failed = true;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Open connections. They are aborted when this is dropped.
pub(super) struct Connections {
    most: usize,
    tasks: JoinSet<()>,
    open: Vec<(AbortHandle, Patience)>,
}

impl Connections {
    /// None yet, and at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
            open: Vec::new(),
        }
    }

    /// Completes when a connection has ended; never if there is none.
    pub(super) async fn one_ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Serves one more connection. If there are too many, the one ends that has done nothing for the longest time; if all
    /// of them do something, the new one.
    pub(super) fn serve(
        &mut self,
        patience: Patience,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= self.most {
            let idle = self.open.iter().enumerate();
            let idle = idle.filter_map(|(at, (_, patience))| Some((patience.idle_since()?, at)));
            let Some((_, at)) = idle.min() else {
                warn!(
                    "all {} connections are in use; closing a new one",
                    self.most
                );
                return;
            };
            let (task, _) = self.open.swap_remove(at);
            debug!("too many connections; ending an idle one");
            task.abort();
        }
        let task = self.tasks.spawn(connection);
        self.open.push((task, patience));
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_accepted_is_tried_again_with_pauses() {
        let mut failures = 50;
        let begin = Instant::now();
        let accepted = next(|| {
            if failures == 0 {
                return ready(Ok("connection"));
            }
            failures -= 1;
            // EMFILE
            ready(Err(io::Error::from_raw_os_error(24)))
        });
        assert_eq!(accepted.await, "connection");
        assert_eq!(begin.elapsed(), 50 * PAUSE);
    }

    /// A connection that tells its end by closing the channel.
    fn connection(connections: &mut Connections, patience: &Patience) -> oneshot::Receiver<()> {
        let (ends, ended) = oneshot::channel::<()>();
        connections.serve(patience.clone(), async move {
            let _ends = ends;
            std::future::pending::<()>().await;
        });
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn of_too_many_connections_the_longest_idle_one_ends() {
        let mut connections = Connections::new(3);
        let patience = [(); 3].map(|()| Patience::new());
        let mut ended = patience
            .each_ref()
            .map(|patience| connection(&mut connections, patience));
        // The second one was idle first.
        for at in [1, 0] {
            patience[at].clone().answering(async {}).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let fourth = Patience::new();
        let mut of_fourth = connection(&mut connections, &fourth);
        connections.one_ended().await;
        let is_open = |ended: &mut oneshot::Receiver<()>| {
            matches!(ended.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        assert_eq!(ended.each_mut().map(is_open), [true, false, true]);
        assert!(is_open(&mut of_fourth));
        // Then the first one; then none is idle.
        let mut fifth = connection(&mut connections, &Patience::new());
        connections.one_ended().await;
        assert_eq!(ended.each_mut().map(is_open), [false, false, true]);
        let mut sixth = connection(&mut connections, &Patience::new());
        assert!(is_open(&mut fifth));
        assert!(!is_open(&mut sixth));
    }
}
