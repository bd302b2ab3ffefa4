//! From an optimized statement with shared sources to plans that can be made physical, one for each source.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, TableScan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column as PhysicalColumn;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use datafusion_session::Session;

use super::exec::{Shared, SharedExec};
use super::source::SharedSource;

/// A statement whose sources are settled.
pub struct Settled {
    /// The shared subplans, each after those that it reads.
    pub bodies: Vec<Body>,
    pub plan: LogicalPlan,
}

/// A shared subplan that waits for its physical plan.
pub struct Body {
    /// The source's number.
    pub number: usize,
    pub shared: Arc<Shared>,
    pub plan: LogicalPlan,
}

/// Settles what a statement reads of its shared sources, other than those that are to be run by each reader `alone`.
/// `None` when it has none.
///
/// # Errors
/// Those of optimizing the subplans.
pub fn settle(plan: &LogicalPlan, session: &dyn Session, alone: &HashSet<usize>) -> Result<Option<Settled>> {
    let mut wanted = Wanted::default();
    wanted.add(plan)?;
    if wanted.by_number.is_empty() {
        return Ok(None);
    }
    let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
        return internal_err!("shared subplans need the engine's own session");
    };
    let mut bodies = vec![];
    let mut fillings = HashMap::new();
    // From the outside in: when a source's turn comes, all its readers are known.
    while let Some((number, Demand { source, readers })) = wanted.by_number.pop_last() {
        let mut settled = |reads: &[Read]| {
            let body = state.optimizer().optimize(body(&source, reads)?, state, |_, _| {})?;
            wanted.add(&body)?;
            Ok::<_, DataFusionError>(body)
        };
        // Where all readers but one were optimized away, the subplan runs in its place.
        let filling = if readers.len() == 1 || alone.contains(&number) {
            let bodies = readers.into_iter().map(|read| Ok((read.clone(), settled(&[read])?)));
            Filling::Each(bodies.collect::<Result<_>>()?)
        } else {
            let plan = settled(&readers)?;
            let shared = Arc::new(Shared::new(source.label.clone()));
            bodies.push(Body { number, shared: Arc::clone(&shared), plan });
            Filling::Shared(shared, all_columns(&readers))
        };
        fillings.insert(number, filling);
    }
    bodies.reverse();
    for body in &mut bodies {
        body.plan = filled(std::mem::take(&mut body.plan), &fillings)?;
    }
    Ok(Some(Settled { bodies, plan: filled(plan.clone(), &fillings)? }))
}

/// What one reader asks of a source: the places of its columns, and its filter.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Read {
    columns: Vec<usize>,
    filter: Option<Expr>,
}

impl Read {
    fn of(scan: &TableScan, source: &SharedSource) -> Self {
        let all = || (0..source.body.schema().fields().len()).collect();
        Self { columns: scan.projection.clone().unwrap_or_else(all), filter: conjunction(scan.filters.iter().cloned()) }
    }
}

/// The columns that anybody asks for.
fn all_columns(reads: &[Read]) -> Vec<usize> {
    let columns: BTreeSet<usize> = reads.iter().flat_map(|read| read.columns.iter().copied()).collect();
    columns.into_iter().collect()
}

/// A source's subplan with only the rows and columns that some of these readers ask for.
fn body(source: &SharedSource, reads: &[Read]) -> Result<LogicalPlan> {
    let mut plan = LogicalPlanBuilder::from(source.body.as_ref().clone());
    // A reader without a filter wants all rows.
    if let Some(filters) = reads.iter().map(|read| read.filter.clone()).collect::<Option<HashSet<Expr>>>() {
        let mut filters: Vec<Expr> = filters.into_iter().collect();
        filters.sort_by_cached_key(ToString::to_string);
        let filter = disjunction(filters).map(|filter| {
            filter.transform_up(|part| match part {
                Expr::Column(column) => Ok(Transformed::yes(source.behind(&column)?)),
                other => Ok(Transformed::no(other)),
            })
        });
        if let Some(filter) = filter.transpose()? {
            plan = plan.filter(filter.data)?;
        }
    }
    let [Read { columns, .. }] = reads else { return plan.project(source.named(&all_columns(reads)))?.build() };
    plan.project(source.named(columns))?.build()
}

/// A source and what its readers ask of it.
struct Demand {
    source: SharedSource,
    readers: Vec<Read>,
}

/// What the sources of a plan are asked for.
#[derive(Default)]
struct Wanted {
    by_number: BTreeMap<usize, Demand>,
}

impl Wanted {
    fn add(&mut self, plan: &LogicalPlan) -> Result<()> {
        plan.apply_with_subqueries(|node| {
            if let Some((scan, source)) = shared_scan(node) {
                let demand = || Demand { source: source.clone(), readers: vec![] };
                self.by_number.entry(source.number).or_insert_with(demand).readers.push(Read::of(scan, source));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }
}

fn shared_scan(plan: &LogicalPlan) -> Option<(&TableScan, &SharedSource)> {
    let LogicalPlan::TableScan(scan) = plan else { return None };
    SharedSource::of(scan).map(|source| (scan, source))
}

/// What comes into the place of a source's scans.
enum Filling {
    /// The subplan itself, as each reader asks for it.
    Each(HashMap<Read, LogicalPlan>),
    /// A reader of it, out of these columns.
    Shared(Arc<Shared>, Vec<usize>),
}

/// The plan with its scans of shared sources filled in.
fn filled(plan: LogicalPlan, fillings: &HashMap<usize, Filling>) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|node| {
        let Some((scan, source)) = shared_scan(&node) else { return Ok(Transformed::no(node)) };
        let read = Read::of(scan, source);
        let filled = match fillings.get(&source.number) {
            Some(Filling::Each(bodies)) if bodies.contains_key(&read) => {
                let body = filled(bodies[&read].clone(), fillings)?;
                LogicalPlanBuilder::from(body).alias(source.table())?.build()?
            }
            Some(Filling::Shared(shared, columns)) => {
                let place = |wanted: &usize| columns.iter().position(|column| column == wanted);
                let columns = read.columns.iter().filter_map(place).collect();
                let node =
                    SharedRead { shared: Arc::clone(shared), columns, schema: Arc::clone(&scan.projected_schema) };
                LogicalPlan::Extension(Extension { node: Arc::new(node) })
            }
            _ => return internal_err!("the shared subplan `{}` was not settled", source.label),
        };
        Ok(Transformed::yes(filled))
    })?;
    Ok(plan.data)
}

/// A reader of a shared subplan in a logical plan.
#[derive(Clone, Debug)]
struct SharedRead {
    shared: Arc<Shared>,
    /// The columns that it reads, by their place in what the subplan gives.
    columns: Vec<usize>,
    schema: DFSchemaRef,
}

impl PartialEq for SharedRead {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && self.columns == other.columns
    }
}

impl Eq for SharedRead {}

impl PartialOrd for SharedRead {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        // Readers of different subplans have no order.
        Arc::ptr_eq(&self.shared, &other.shared).then(|| self.columns.cmp(&other.columns))
    }
}

impl Hash for SharedRead {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.shared).hash(state);
        self.columns.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for SharedRead {
    fn name(&self) -> &'static str {
        "SharedRead"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedRead: {}", self.shared.label())
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// Makes operators of readers.
pub struct SharedReadPlanner;

#[async_trait]
impl ExtensionPlanner for SharedReadPlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        _: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(read) = node.as_any().downcast_ref::<SharedRead>() else { return Ok(None) };
        let reader = SharedExec::try_new(Arc::clone(&read.shared))?;
        let schema = reader.schema();
        let is_all = read.columns.iter().copied().eq(0..schema.fields().len());
        if is_all {
            return Ok(Some(Arc::new(reader)));
        }
        let columns = read.columns.iter().map(|&place| {
            let name = schema.field(place).name();
            ProjectionExpr::new(Arc::new(PhysicalColumn::new(name, place)), name.clone())
        });
        Ok(Some(Arc::new(ProjectionExec::try_new(columns.collect::<Vec<_>>(), Arc::new(reader))?)))
    }
}
