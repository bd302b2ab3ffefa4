//! A shared subplan while it runs: what it has made and its readers have not all taken yet, in a lane for each partition.
//!
//! A task for each lane runs the subplan, a few batches ahead of its fastest reader at most, so that nothing is made that
//! nobody wants and no reader ever waits for another one. What the slower readers still need is kept in memory under the
//! session's limit, beyond it in files. It is let go when the last of them has taken it or is gone.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SpillFile, TaskContext};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, SpillManager};
use futures::{Stream, StreamExt, stream};
use tokio::sync::Notify;

/// Batches that the subplan is ahead of its fastest reader at most.
const AHEAD: usize = 2;

/// A run of a shared subplan. It ends with its last reader and the plan that could start more of them.
pub struct Run {
    lanes: Vec<Arc<Lane>>,
}

impl Run {
    /// A run for so many readers, all of which are expected.
    pub fn new(
        readers: usize,
        label: &str,
        plan: &dyn ExecutionPlan,
        context: &TaskContext,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        let lane = |partition| {
            let consumer = MemoryConsumer::new(format!("SharedExec[{label}]")).with_can_spill(true);
            let reservation = consumer.register(context.memory_pool());
            let spill = SpillManager::new(context.runtime_env(), SpillMetrics::new(metrics, partition), plan.schema());
            Arc::new(Lane::new(readers, reservation, spill))
        };
        Self { lanes: (0..plan.output_partitioning().partition_count()).map(lane).collect() }
    }

    /// The batches of a partition for one reader. The first to come starts it.
    pub fn read(
        self: &Arc<Self>,
        reader: usize,
        partition: usize,
        plan: &dyn ExecutionPlan,
        context: &Arc<TaskContext>,
    ) -> Result<impl Stream<Item = Result<RecordBatch>> + Send + use<>> {
        let Some(lane) = self.lanes.get(partition) else {
            return internal_err!("a shared subplan has no partition {partition}");
        };
        lane.sit(reader)?;
        let seat = Seat { _run: Arc::clone(self), lane: Arc::clone(lane), reader };
        lane.start(plan, partition, context)?;
        Ok(stream::try_unfold((seat, None), |(seat, file)| async move {
            let (next, file) = seat.next(file).await?;
            Ok(next.map(|batch| (batch, (seat, file))))
        }))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.stop();
        }
    }
}

/// A partition of a run.
struct Lane {
    state: Mutex<State>,
    is_started: Mutex<bool>,
    /// Something came, went or ended.
    changed: Notify,
}

struct State {
    kept: VecDeque<Kept>,
    /// Number of the first batch that is kept.
    first: usize,
    /// Batches made so far.
    made: usize,
    end: Option<End>,
    readers: Vec<Reader>,
    reservation: MemoryReservation,
    spill: SpillManager,
    /// Runs the subplan; ends with the lane.
    task: Option<SpawnedTask<()>>,
}

/// Where a reader is.
#[derive(Clone, Copy)]
enum Reader {
    /// It has not come yet, and will want all batches.
    Expected,
    /// It takes the batch of this number next.
    At(usize),
    Gone,
}

impl Reader {
    fn wants(self) -> Option<usize> {
        match self {
            Self::Expected => Some(0),
            Self::At(number) => Some(number),
            Self::Gone => None,
        }
    }
}

#[derive(Clone)]
enum End {
    Complete,
    Failed(Arc<DataFusionError>),
}

/// Batches that not all readers have taken.
enum Kept {
    InMemory { batch: RecordBatch, bytes: usize },
    InFile { file: Arc<dyn SpillFile>, batches: usize },
}

impl Kept {
    fn batches(&self) -> usize {
        match self {
            Self::InMemory { .. } => 1,
            Self::InFile { batches, .. } => *batches,
        }
    }
}

/// What there is for a reader.
enum Next {
    Batch(RecordBatch),
    /// The next `batches` are in a file, after `skip` others.
    File {
        file: Arc<dyn SpillFile>,
        skip: usize,
        batches: usize,
    },
    End(End),
    NotYet,
}

impl Lane {
    fn new(readers: usize, reservation: MemoryReservation, spill: SpillManager) -> Self {
        let state = State {
            kept: VecDeque::new(),
            first: 0,
            made: 0,
            end: None,
            readers: vec![Reader::Expected; readers],
            reservation,
            spill,
            task: None,
        };
        Self { state: Mutex::new(state), is_started: Mutex::new(false), changed: Notify::new() }
    }

    /// Takes a reader's seat, which can be taken once.
    fn sit(&self, reader: usize) -> Result<()> {
        let mut state = self.state();
        let Some(seat @ Reader::Expected) = state.readers.get_mut(reader) else {
            return internal_err!("a shared subplan is read twice by one reader");
        };
        *seat = Reader::At(0);
        Ok(())
    }

    /// Starts the subplan's partition, unless another reader has.
    fn start(self: &Arc<Self>, plan: &dyn ExecutionPlan, partition: usize, context: &Arc<TaskContext>) -> Result<()> {
        // Readers come from several threads. The lock is held until the task runs, and the task needs another one.
        let mut is_started = self.is_started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_started {
            let input = plan.execute(partition, Arc::clone(context))?;
            let ending = Ending { lane: Arc::clone(self), end: None };
            self.state().task = Some(SpawnedTask::spawn(run(ending, input, context.session_config().batch_size())));
            *is_started = true;
        }
        Ok(())
    }

    fn stop(&self) {
        // The task's own end takes the lock, so that it must not be held here.
        let task = self.state().task.take();
        drop(task);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a reader comes near the end of what was made; false when none will.
    async fn is_wanted(&self) -> bool {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let state = self.state();
                match state.readers.iter().filter_map(|reader| reader.wants()).max() {
                    None => return false,
                    Some(fastest) if state.made < fastest + AHEAD => return true,
                    Some(_) => {}
                }
            }
            changed.await;
        }
    }

    fn push(&self, batch: RecordBatch) -> Result<()> {
        self.state().push(batch)?;
        self.changed.notify_waiters();
        Ok(())
    }
}

impl State {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = get_record_batch_memory_size(&batch);
        self.made += 1;
        if self.reservation.try_grow(bytes).is_ok() {
            self.kept.push_back(Kept::InMemory { batch, bytes });
            return Ok(());
        }
        // All that is in memory goes to one file; readers find their place in it.
        let mut file = self.spill.create_in_progress_file("shared subplan")?;
        let start = self.kept.iter().take_while(|kept| matches!(kept, Kept::InFile { .. })).count();
        let mut batches = 1;
        for kept in self.kept.drain(start..) {
            if let Kept::InMemory { batch, .. } = kept {
                file.append_batch(&batch)?;
                batches += 1;
            }
        }
        file.append_batch(&batch)?;
        self.reservation.free();
        let Some(file) = file.finish()? else { return Err(exec_datafusion_err!("nothing was spilled")) };
        self.kept.push_back(Kept::InFile { file, batches });
        Ok(())
    }

    fn next(&self, reader: usize) -> Next {
        let Some(wanted) = self.readers.get(reader).and_then(|reader| reader.wants()) else {
            return Next::End(End::Complete);
        };
        let mut number = self.first;
        for kept in &self.kept {
            let after = number + kept.batches();
            if wanted < after {
                return match kept {
                    Kept::InMemory { batch, .. } => Next::Batch(batch.clone()),
                    Kept::InFile { file, .. } => {
                        Next::File { file: Arc::clone(file), skip: wanted - number, batches: after - wanted }
                    }
                };
            }
            number = after;
        }
        self.end.clone().map_or(Next::NotYet, Next::End)
    }

    /// Lets go of what no reader needs any more.
    fn trim(&mut self) {
        let Some(slowest) = self.readers.iter().filter_map(|reader| reader.wants()).min() else {
            self.kept.clear();
            self.reservation.free();
            return;
        };
        while let Some(front) = self.kept.front() {
            if self.first + front.batches() > slowest {
                break;
            }
            self.first += front.batches();
            if let Some(Kept::InMemory { bytes, .. }) = self.kept.pop_front() {
                self.reservation.shrink(bytes);
            }
        }
    }
}

/// Runs a partition of the subplan into its lane.
async fn run(mut ending: Ending, mut input: SendableRecordBatchStream, rows: usize) {
    let lane = Arc::clone(&ending.lane);
    let result = async {
        let schema = input.schema();
        // Small batches are put together: they are kept, counted and read piece by piece.
        let mut pieces =
            BatchCoalescer::new(Arc::clone(&schema), rows).with_biggest_coalesce_batch_size(Some(rows / 2));
        while lane.is_wanted().await {
            let Some(batch) = input.next().await.transpose()? else {
                pieces.finish_buffered_batch()?;
                if let Some(batch) = pieces.next_completed_batch() {
                    lane.push(batch)?;
                }
                break;
            };
            if schema.fields().is_empty() {
                lane.push(batch)?;
                continue;
            }
            pieces.push_batch(batch)?;
            while let Some(batch) = pieces.next_completed_batch() {
                lane.push(batch)?;
            }
        }
        Ok::<_, DataFusionError>(())
    };
    ending.end = Some(match result.await {
        Ok(()) => End::Complete,
        Err(error) => End::Failed(Arc::new(error)),
    });
}

/// Tells the readers how the run ended, also when it did by a panic.
struct Ending {
    lane: Arc<Lane>,
    end: Option<End>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let stopped = || End::Failed(Arc::new(exec_datafusion_err!("a shared subplan stopped before its end")));
        self.lane.state().end = Some(self.end.take().unwrap_or_else(stopped));
        self.lane.changed.notify_waiters();
    }
}

/// A reader's place in a lane. Whoever leaves early keeps nothing back.
struct Seat {
    /// The run, which ends when nobody holds it.
    _run: Arc<Run>,
    lane: Arc<Lane>,
    reader: usize,
}

/// A file that a reader is in: what it has not read of it yet.
struct Open {
    stream: SendableRecordBatchStream,
    batches: usize,
}

impl Seat {
    async fn next(&self, mut file: Option<Open>) -> Result<(Option<RecordBatch>, Option<Open>)> {
        loop {
            if let Some(mut open) = file.take_if(|open| open.batches > 0) {
                let batch = open.stream.next().await.transpose()?;
                let Some(batch) = batch else { return Err(exec_datafusion_err!("a spilled file ended too early")) };
                open.batches -= 1;
                self.took();
                return Ok((Some(batch), Some(open)));
            }
            let mut changed = pin!(self.lane.changed.notified());
            changed.as_mut().enable();
            let next = self.lane.state().next(self.reader);
            match next {
                Next::Batch(batch) => {
                    self.took();
                    return Ok((Some(batch), None));
                }
                Next::File { file: spilled, skip, batches } => {
                    let mut stream = self.lane.state().spill.read_spill_as_stream(spilled, None)?;
                    for _ in 0..skip {
                        stream.next().await.transpose()?;
                    }
                    file = Some(Open { stream, batches });
                }
                Next::End(End::Complete) => return Ok((None, None)),
                Next::End(End::Failed(error)) => return Err(DataFusionError::Shared(error)),
                Next::NotYet => changed.await,
            }
        }
    }

    fn took(&self) {
        let mut state = self.lane.state();
        if let Some(Reader::At(next)) = state.readers.get_mut(self.reader) {
            *next += 1;
        }
        state.trim();
        drop(state);
        self.lane.changed.notify_waiters();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.lane.state();
        if let Some(reader) = state.readers.get_mut(self.reader) {
            *reader = Reader::Gone;
        }
        state.trim();
        let is_deserted = state.readers.iter().all(|reader| matches!(reader, Reader::Gone));
        drop(state);
        if is_deserted {
            self.lane.stop();
        }
        self.lane.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, Int64Array};
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::SessionConfig;

    use super::*;
    use crate::engine::functions::aggregate::paths::Random;

    /// Partitions of batches with numbers that count on through each partition.
    fn source(chance: &mut Random) -> (Arc<dyn ExecutionPlan>, Vec<i64>) {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let mut partitions = vec![];
        let mut rows = vec![];
        for _ in 0..=chance.below(3) {
            let mut next = 0;
            let batches = (0..chance.below(40)).map(|_| {
                let start = next;
                next += i64::try_from(chance.below(300)).expect("a small number");
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from_iter_values(start..next))])
                    .expect("a batch")
            });
            partitions.push(batches.collect::<Vec<_>>());
            rows.push(next);
        }
        (MemorySourceConfig::try_new_exec(&partitions, schema, None).expect("a plan"), rows)
    }

    /// Reads until the end, or until so many batches have come.
    async fn drain(batches: impl Stream<Item = Result<RecordBatch>>, most: usize, pause: usize) -> Vec<i64> {
        let mut batches = pin!(batches);
        let mut rows = vec![];
        for _ in 0..most {
            for _ in 0..pause {
                tokio::task::yield_now().await;
            }
            let Some(batch) = batches.next().await else { break };
            let batch = batch.expect("a batch");
            let column = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("numbers");
            assert_eq!(column.null_count(), 0);
            rows.extend(column.values());
        }
        rows
    }

    /// Readers that differ in speed, some of which leave early and some of which come late, with and without enough memory.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_reader_gets_all_rows_in_their_order_and_nothing_is_kept_when_they_are_gone() {
        for seed in 0..300 {
            let mut chance = Random(seed);
            let (plan, rows) = source(&mut chance);
            let limit = [4 << 10, 64 << 10, 64 << 20][chance.below(3)];
            let pool = Arc::new(FairSpillPool::new(limit));
            let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool) as Arc<dyn MemoryPool>);
            let context = TaskContext::default()
                .with_runtime(runtime.build_arc().expect("a runtime"))
                .with_session_config(SessionConfig::new().with_batch_size(256));
            let context = Arc::new(context);
            let readers = 2 + chance.below(3);
            let run = Arc::new(Run::new(readers, "test", plan.as_ref(), &context, &ExecutionPlanMetricsSet::new()));
            let mut tasks = vec![];
            for reader in 0..readers {
                for (partition, &rows) in rows.iter().enumerate() {
                    let most = if chance.below(4) == 0 { chance.below(6) } else { usize::MAX };
                    let pause = chance.below(4) * chance.below(20);
                    let batches = run.read(reader, partition, plan.as_ref(), &context).expect("a stream");
                    tasks.push(tokio::spawn(async move {
                        let read = drain(batches, most, pause).await;
                        let all: Vec<i64> = (0..rows).collect();
                        assert!(all.starts_with(&read), "seed {seed}");
                        assert!(most != usize::MAX || read.len() == all.len(), "seed {seed}: {} of {rows}", read.len());
                    }));
                }
            }
            assert!(run.read(0, 0, plan.as_ref(), &context).is_err(), "a reader's place can be taken twice");
            for task in tasks {
                task.await.expect("a reader");
            }
            drop(run);
            // Tasks that were stopped end when their thread comes to them.
            while pool.reserved() > 0 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// A plan that is dropped before its readers were all started leaves nothing that runs on.
    #[tokio::test]
    async fn a_run_whose_readers_never_come_ends_with_its_plan() {
        let (plan, _) = source(&mut Random(7));
        let context = Arc::new(TaskContext::default());
        let run = Arc::new(Run::new(2, "test", plan.as_ref(), &context, &ExecutionPlanMetricsSet::new()));
        let lane = Arc::downgrade(&run.lanes[0]);
        let batches = run.read(0, 0, plan.as_ref(), &context).expect("a stream");
        drain(batches, 1, 0).await;
        drop(run);
        while lane.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    }
}
