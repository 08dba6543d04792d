//! The signals that end a program: Ctrl-C, SIGTERM and SIGHUP.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tracing::warn;

/// A signal that ends a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// The program is told to end.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

impl Signal {
    /// The exit status of a program that it ended, as a shell gives it.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

/// The signals that come. All clones are the same.
///
/// A thread of its own receives them, so none is lost while a command works without waiting. If nobody takes a signal in time
/// (a file or a terminal is read, say), the thread ends the program.
#[derive(Debug, Clone)]
pub(crate) struct Signals(Rc<Mutex<mpsc::UnboundedReceiver<Received>>>);

/// A signal, and where to note that it was taken.
type Received = (Signal, Arc<AtomicBool>);

/// How long the program may take to notice a signal.
const PATIENCE: Duration = Duration::from_secs(1);

impl Signals {
    /// Receives them from now on.
    pub(crate) fn listen() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        thread::spawn(move || receive(&sender, &ready));
        // It fails if the thread has ended.
        let _ = is_ready.recv();
        Self(Rc::new(Mutex::new(received)))
    }

    /// The next one.
    pub(crate) async fn next(&self) -> Signal {
        match self.0.lock().await.recv().await {
            Some((signal, is_taken)) => {
                is_taken.store(true, Ordering::Relaxed);
                signal
            }
            None => std::future::pending().await,
        }
    }
}

fn receive(sender: &mpsc::UnboundedSender<Received>, ready: &std::sync::mpsc::Sender<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let received = runtime.and_then(|runtime| runtime.block_on(forward(sender, ready)));
    if let Err(error) = received {
        warn!(%error, "signals end the program without logging out");
    }
}

#[cfg(unix)]
async fn forward(
    sender: &mpsc::UnboundedSender<Received>,
    ready: &std::sync::mpsc::Sender<()>,
) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    let _ = ready.send(());
    let mut last = Arc::new(AtomicBool::new(true));
    loop {
        let signal = tokio::select! {
            _ = interrupted.recv() => Signal::Interrupt,
            _ = terminated.recv() => Signal::Terminate,
            _ = hung_up.recv() => Signal::HangUp,
        };
        send(sender, signal, &mut last);
    }
}

#[cfg(not(unix))]
async fn forward(
    sender: &mpsc::UnboundedSender<Received>,
    ready: &std::sync::mpsc::Sender<()>,
) -> std::io::Result<()> {
    let _ = ready.send(());
    let mut last = Arc::new(AtomicBool::new(true));
    loop {
        tokio::signal::ctrl_c().await?;
        send(sender, Signal::Interrupt, &mut last);
    }
}

/// Passes a signal on, and ends the program if it is not taken in time, or if `last` was not taken.
fn send(sender: &mpsc::UnboundedSender<Received>, signal: Signal, last: &mut Arc<AtomicBool>) {
    let is_taken = Arc::<AtomicBool>::default();
    if !std::mem::replace(last, Arc::clone(&is_taken)).load(Ordering::Relaxed) {
        std::process::exit(signal.status().into());
    }
    // It fails when the program ends anyway.
    let _ = sender.send((signal, Arc::clone(&is_taken)));
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        if !is_taken.load(Ordering::Relaxed) {
            std::process::exit(signal.status().into());
        }
    });
}
