//! Ctrl-C: one handler for the whole program.
//!
//! The first Ctrl-C ends the work under way; a second one, while the first is still being obeyed, ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::engine::Running;
use crate::error::{Error, Kind, Result};

/// Exit code of a program that Ctrl-C ended.
pub const EXIT_CODE: u8 = 130;

/// Batches that wait between the engine and the output.
const WAITING: usize = 2;

/// Says when Ctrl-C was pressed.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    pressed: Arc<Notify>,
    /// Whether work is under way that one more Ctrl-C would end the program from.
    obeying: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts to listen; from here on Ctrl-C no longer ends the program by itself.
    pub fn install(runtime: &Handle) -> Self {
        let interrupt = Self::default();
        let listening = interrupt.clone();
        runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if listening.obeying.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(EXIT_CODE));
                }
                listening.pressed.notify_waiters();
            }
        });
        interrupt
    }

    /// Does the work unless Ctrl-C comes first.
    ///
    /// # Errors
    /// Those of the work; `Interrupted` on Ctrl-C.
    pub async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let pressed = self.pressed.notified();
        let mut pressed = std::pin::pin!(pressed);
        pressed.as_mut().enable();
        self.obeying.store(false, Ordering::Relaxed);
        tokio::select! {
            biased;
            () = pressed => Err(Error::new(Kind::Interrupted, "interrupted")),
            result = work => result,
        }
    }
}

/// Work that ends when nobody waits for it any more.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a statement in a task of its own, so that one which computes without a pause still lets Ctrl-C through.
///
/// # Errors
/// Those of the work; `Internal` when it panics.
pub async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<(T, Running)>> + Send + 'static,
) -> Result<(T, Running)> {
    let (send_head, head) = oneshot::channel();
    let (send_batch, batches) = mpsc::channel(WAITING);
    let task = Task(tokio::spawn(async move {
        let mut running = match work.await {
            Ok((about, running)) => {
                let schema = Arc::clone(&running.schema);
                if send_head.send(Ok((about, schema))).is_err() {
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
            if send_batch.send(batch).await.is_err() {
                return;
            }
        }
    }));
    let (about, schema) = head.await.map_err(|_| panicked())??;
    Ok((about, Running { schema, batches: Box::pin(received(batches, task)) }))
}

/// The batches as they arrive, and an error when the task ended before it was done.
fn received(
    batches: mpsc::Receiver<Result<arrow::array::RecordBatch>>,
    task: Task,
) -> impl Stream<Item = Result<arrow::array::RecordBatch>> + Send {
    futures::stream::unfold(Some((batches, task)), async |state| {
        let (mut batches, mut task) = state?;
        match batches.recv().await {
            Some(batch) => Some((batch, Some((batches, task)))),
            None => match (&mut task.0).await {
                Ok(()) => None,
                Err(_) => Some((Err(panicked()), None)),
            },
        }
    })
}

fn panicked() -> Error {
    Error::internal("the statement ended in a panic; this is a defect of cxlake or its engine")
}
