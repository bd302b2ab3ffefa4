//! Ctrl-C: one handler for the whole program.
//!
//! The first Ctrl-C ends the work under way; a second one, while the first is still being obeyed, ends the program.
//! Statements compute on threads of their own, which are left behind when they do not end: neither the handler nor the
//! next statement waits for a join that computes without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{FutureExt, Stream, StreamExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::engine::Running;
use crate::error::{Error, Kind, Result};

/// Exit code of a program that Ctrl-C ended.
pub const EXIT_CODE: u8 = 130;

/// Batches that wait between the engine and the output.
const WAITING: usize = 2;

/// How long a statement that is given up may take to end, before its threads are left behind.
const GRACE: Duration = Duration::from_millis(200);

/// Says when Ctrl-C was pressed.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    /// Wakes work that is under way.
    woken: Arc<Notify>,
    /// Whether a Ctrl-C is to be obeyed or being obeyed; one more would end the program.
    pressed: Arc<AtomicBool>,
    /// While a program of the user reads the keys, such as a pager, Ctrl-C is meant for it.
    elsewhere: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts to listen; from here on Ctrl-C no longer ends the program by itself.
    pub fn install(runtime: &Handle) -> Self {
        let interrupt = Self::default();
        let listening = interrupt.clone();
        let mut press = Box::pin(tokio::signal::ctrl_c());
        // The first poll sets the handler up. A line editor that starts before it would put back the one that ends the
        // program.
        let inside = runtime.enter();
        let _ = (&mut press).now_or_never();
        drop(inside);
        runtime.spawn(async move {
            while press.await.is_ok() {
                press = Box::pin(tokio::signal::ctrl_c());
                if listening.elsewhere.load(Ordering::SeqCst) {
                    continue;
                }
                if listening.pressed.swap(true, Ordering::SeqCst) {
                    std::process::exit(i32::from(EXIT_CODE));
                }
                listening.woken.notify_waiters();
            }
        });
        interrupt
    }

    /// Forgets a Ctrl-C that was obeyed, or that came too late to end anything.
    pub fn forget(&self) {
        self.pressed.store(false, Ordering::SeqCst);
    }

    /// Leaves Ctrl-C to another program, or takes it back.
    pub fn leave_to_another(&self, leaves: bool) {
        self.elsewhere.store(leaves, Ordering::SeqCst);
    }

    /// Does the work unless Ctrl-C comes first, or has come since the last [`Self::forget`].
    ///
    /// # Errors
    /// Those of the work; `Interrupted` on Ctrl-C.
    pub async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let interrupted = || Err(Error::new(Kind::Interrupted, "interrupted"));
        let woken = self.woken.notified();
        let mut woken = std::pin::pin!(woken);
        woken.as_mut().enable();
        if self.pressed.load(Ordering::SeqCst) {
            return interrupted();
        }
        tokio::select! {
            biased;
            () = woken => interrupted(),
            result = work => result,
        }
    }
}

/// Stack of a statement's threads. A filter of some thousand terms is a tree as deep as that; only what is used is taken.
const STACK: usize = 256 << 20;

/// Work on threads of its own, that ends when nobody waits for it any more.
struct Task {
    work: JoinHandle<()>,
    /// `None` only while it is dropped.
    threads: Option<Runtime>,
}

impl Task {
    /// Starts the work on as many threads as the program has.
    fn start(work: impl Future<Output = ()> + Send + 'static) -> Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(Handle::current().metrics().num_workers())
            .thread_name("statement")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|error| Error::internal(format!("cannot start threads: {error}")).caused_by(error))?;
        Ok(Self { work: threads.spawn(work), threads: Some(threads) })
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.work.abort();
        if let Some(threads) = self.threads.take() {
            // What has ended by then has dropped what it holds, such as spilled files.
            tokio::task::block_in_place(|| threads.shutdown_timeout(GRACE));
        }
    }
}

/// Runs a statement on threads of its own, so that one which computes without a pause still lets Ctrl-C through.
///
/// # Errors
/// Those of the work; `Internal` when it panics.
pub async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<(T, Running)>> + Send + 'static,
) -> Result<(T, Running)> {
    let (send_head, head) = oneshot::channel();
    let (send_batch, batches) = mpsc::channel(WAITING);
    let task = Task::start(async move {
        let mut running = match work.await {
            Ok((about, running)) => {
                let head = (Arc::clone(&running.schema), running.scans.clone());
                if send_head.send(Ok((about, head))).is_err() {
                    return;
                }
                running
            }
            Err(error) => {
                // Nobody waits for the error when the wait itself was given up.
                let _ = send_head.send(Err(error));
                return;
            }
        };
        while let Some(batch) = running.batches.next().await {
            // Behind an error nothing is to be had, and what its stream holds must go.
            let is_end = batch.is_err();
            if send_batch.send(batch).await.is_err() || is_end {
                return;
            }
        }
    })?;
    let (about, (schema, scans)) = head.await.map_err(|_| panicked())??;
    Ok((about, Running { schema, batches: Box::pin(received(batches, task)), scans }))
}

/// Does work on threads of its own, so that one which computes without a pause holds nothing else up. Dropped before its end, it
/// ends the work.
///
/// # Errors
/// Those of the work; `Internal` when it panics.
pub async fn apart<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let (send, done) = oneshot::channel();
    let _task = Task::start(async move {
        // Nobody waits for what was given up.
        let _ = send.send(work.await);
    })?;
    done.await.map_err(|_| panicked())?
}

/// The batches as they arrive, and an error when the task ended before it was done.
fn received(
    batches: mpsc::Receiver<Result<arrow::array::RecordBatch>>,
    task: Task,
) -> impl Stream<Item = Result<arrow::array::RecordBatch>> + Send {
    futures::stream::unfold(Some((batches, task)), async |state| {
        let (mut batches, mut task) = state?;
        // Batches that are always ready would never let `guard` look at Ctrl-C.
        tokio::task::yield_now().await;
        match batches.recv().await {
            Some(batch) => Some((batch, Some((batches, task)))),
            None => match (&mut task.work).await {
                Ok(()) => None,
                Err(_) => Some((Err(panicked()), None)),
            },
        }
    })
}

fn panicked() -> Error {
    Error::internal("the statement ended in a panic; this is a defect of cxlake or its engine")
}
