//! Finds the subplans that a statement holds more than once, and puts readers of one source in their places.

use std::any::Any;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion::optimizer::AnalyzerRule;

use super::super::options;
use super::super::tables::ParquetTable;
use super::source::SharedSource;
use crate::storage::Location;

/// The rule. It runs when types are settled and before anything is pushed into the copies, which are still equal then.
#[derive(Debug)]
pub struct ShareSubplans;

impl AnalyzerRule for ShareSubplans {
    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        if !options::of(config).share_subplans {
            return Ok(plan);
        }
        let mut census = Census::default();
        census.visit(&plan)?;
        let chosen = census.chosen();
        if !chosen.contains(&true) {
            return Ok(plan);
        }
        // A plan that is analyzed again, as that of `create table` is, has sources already.
        let numbered = census.sources;
        let mut exchange = Exchange { places: census.places, chosen, next: 0, numbered, made: HashMap::new() };
        Ok(exchange.rewrite(plan)?.data)
    }

    fn name(&self) -> &'static str {
        "share_subplans"
    }
}

/// Number of a subplan among those that differ. Inputs have lower numbers than what reads them.
type Id = usize;

/// A place in the plan, in the order in which plans are walked: from the top, subqueries in expressions before inputs.
#[derive(Clone, Copy)]
struct Place {
    id: Id,
    /// Places of the subplan, itself included.
    extent: usize,
}

/// What is known of a subplan, once for all its copies.
struct Subplan {
    /// The subplans that it reads; twice the same, twice in the list.
    inputs: Vec<Id>,
    /// How many read it.
    readers: usize,
    /// Gathers rows itself: running it again costs more than keeping what it made.
    gathers: bool,
    /// Gives the same rows every time, and can stand alone.
    is_settled: bool,
    /// Columns of a query around it.
    outer: Vec<Column>,
}

/// All subplans of a statement.
#[derive(Default)]
struct Census {
    places: Vec<Place>,
    subplans: Vec<Subplan>,
    known: HashMap<u64, Id>,
    /// The first place of each plan in memory: a view that is named twice is one plan in two places.
    seen: HashMap<*const LogicalPlan, usize>,
    /// The highest number of a source that the statement has already.
    sources: usize,
}

impl Census {
    fn visit(&mut self, plan: &LogicalPlan) -> Result<Id> {
        let place = self.places.len();
        // The wrappers of subqueries are made for the visit and gone behind it; another may come to lie where one was.
        let lasts = !matches!(plan, LogicalPlan::Subquery(_));
        if let Some(&first) = self.seen.get(&std::ptr::from_ref(plan)).filter(|_| lasts) {
            let Place { id, extent } = self.places[first];
            self.places.extend_from_within(first..first + extent);
            return Ok(id);
        }
        self.places.push(Place { id: 0, extent: 1 });
        let mut inputs = vec![];
        if !is_sealed(plan) {
            plan.apply_subqueries(|subquery| {
                inputs.push(self.visit(subquery)?);
                Ok(TreeNodeRecursion::Continue)
            })?;
            plan.apply_children(|input| {
                inputs.push(self.visit(input)?);
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        if let LogicalPlan::TableScan(scan) = plan
            && let Some(source) = SharedSource::of(scan)
        {
            self.sources = self.sources.max(source.number);
        }
        // A subquery in an expression has to stay one; its plan may be shared, so that no two wrappers count as one.
        let key = if lasts { key(plan, &inputs)? } else { place as u64 };
        let id = match self.known.get(&key) {
            Some(&id) => id,
            None => self.add(key, plan, inputs)?,
        };
        self.places[place] = Place { id, extent: self.places.len() - place };
        if lasts {
            self.seen.insert(plan, place);
        }
        Ok(id)
    }

    fn add(&mut self, key: u64, plan: &LogicalPlan, inputs: Vec<Id>) -> Result<Id> {
        let mut is_settled = inputs.iter().all(|&input| self.subplans[input].is_settled);
        let mut outer: Vec<Column> =
            inputs.iter().flat_map(|&input| self.subplans[input].outer.iter().cloned()).collect();
        // What a subquery or the right side of a lateral join takes from around it may come from here.
        let sides = plan.inputs();
        outer.retain(|column| !sides.iter().any(|side| side.schema().has_column(column)));
        plan.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::OuterReferenceColumn(_, column) = part {
                    outer.push(column.clone());
                }
                is_settled &= !varies(part);
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if is_sealed(plan) {
            // Nobody has looked inside.
            is_settled &= matches!(plan, LogicalPlan::RecursiveQuery(_)) && is_deterministic(plan)?;
        }
        for &input in &inputs {
            self.subplans[input].readers += 1;
        }
        let id = self.subplans.len();
        self.subplans.push(Subplan { inputs, readers: 0, gathers: gathers(plan), is_settled, outer });
        self.known.insert(key, id);
        Ok(id)
    }

    /// For every subplan whether to share it: the largest that are read more than once, and within them those that
    /// others read, too.
    fn chosen(&self) -> Vec<bool> {
        let mut chosen = vec![false; self.subplans.len()];
        // Whether rows are gathered here or below, other than in what is shared already.
        let mut gathers = vec![false; self.subplans.len()];
        for (id, subplan) in self.subplans.iter().enumerate() {
            gathers[id] = subplan.gathers || subplan.inputs.iter().any(|&input| gathers[input]);
            chosen[id] = gathers[id] && subplan.readers > 1 && subplan.is_settled && subplan.outer.is_empty();
            gathers[id] &= !chosen[id];
        }
        chosen
    }
}

/// Puts readers into a plan. It walks as the census did.
struct Exchange {
    places: Vec<Place>,
    chosen: Vec<bool>,
    /// The next place.
    next: usize,
    /// The number of the last source.
    numbered: usize,
    /// The sources so far, each with the subplan as it was found.
    made: HashMap<Id, (LogicalPlan, SharedSource)>,
}

impl Exchange {
    fn rewrite(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let Place { id, extent } = self.places[self.next];
        if !self.chosen[id] {
            self.next += 1;
            return self.inside(plan);
        }
        match self.made.get(&id) {
            Some((original, source)) if *original == plan => {
                self.next += extent;
                Ok(Transformed::yes(source.read(plan.schema())?))
            }
            // Two subplans with one key, which chance can bring about: the second stays as it is.
            Some(_) => {
                self.next += extent;
                Ok(Transformed::no(plan))
            }
            None => {
                let original = plan.clone();
                self.next += 1;
                let body = self.inside(plan)?.data;
                self.numbered += 1;
                let source = SharedSource::new(self.numbered, body);
                let reader = source.read(original.schema())?;
                self.made.insert(id, (original, source));
                Ok(Transformed::yes(reader))
            }
        }
    }

    fn inside(&mut self, plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if is_sealed(&plan) {
            return Ok(Transformed::no(plan));
        }
        plan.map_subqueries(|subquery| self.rewrite(subquery))?
            .transform_data(|plan| plan.map_children(|input| self.rewrite(input)))
    }
}

/// What is taken as one thing: a recursive query runs its parts many times, and the others hold plans for later.
fn is_sealed(plan: &LogicalPlan) -> bool {
    matches!(
        plan,
        LogicalPlan::RecursiveQuery(_) | LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Statement(_)
    )
}

/// Whether a part of an expression is another one each time, or not known yet.
pub fn varies(part: &Expr) -> bool {
    part.is_volatile_node() || matches!(part, Expr::Placeholder(_))
}

/// Whether a plan that was not looked into gives the same rows every time.
fn is_deterministic(plan: &LogicalPlan) -> Result<bool> {
    let mut is_deterministic = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            let is_open = |part: &Expr| varies(part) || matches!(part, Expr::OuterReferenceColumn(..));
            is_deterministic &= !expression.exists(|part| Ok(is_open(part)))?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(is_deterministic)
}

/// Whether a node takes in many rows before it gives one out, or gives out far fewer.
fn gathers(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::RecursiveQuery(_) => true,
        LogicalPlan::Sort(sort) => sort.fetch.is_some(),
        _ => false,
    }
}

/// Takes in what a scan reads. Names do not tell: a view may hold a table whose name another one has got since.
fn hash_table(scan: &TableScan, hasher: &mut DefaultHasher) -> Result<()> {
    if let Some(source) = SharedSource::of(scan) {
        source.number.hash(hasher);
        return Ok(());
    }
    let table = source_as_provider(&scan.source)?;
    match (table.as_ref() as &dyn Any).downcast_ref::<ParquetTable>() {
        // Opened anew for each mention.
        Some(table) => {
            let Location { store_url, written, base, .. } = table.location();
            (store_url, written, base).hash(hasher);
        }
        None => Arc::as_ptr(&table).cast::<()>().hash(hasher),
    }
    Ok(())
}

/// A number that equal subplans have in common, from the node itself and the numbers of what it reads.
fn key(plan: &LogicalPlan, inputs: &[Id]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    discriminant(plan).hash(&mut hasher);
    inputs.hash(&mut hasher);
    match plan {
        // What the expressions do not say.
        LogicalPlan::SubqueryAlias(alias) => alias.alias.hash(&mut hasher),
        LogicalPlan::Join(join) => (join.join_type, join.null_equality, join.null_aware).hash(&mut hasher),
        LogicalPlan::Sort(sort) => (&sort.expr, sort.fetch).hash(&mut hasher),
        // Nodes without inputs of their own, or that are taken as one thing.
        LogicalPlan::TableScan(scan) => {
            plan.hash(&mut hasher);
            hash_table(scan, &mut hasher)?;
        }
        LogicalPlan::EmptyRelation(_) | LogicalPlan::RecursiveQuery(_) => plan.hash(&mut hasher),
        LogicalPlan::Extension(extension) => extension.node.dyn_hash(&mut hasher),
        _ => {}
    }
    plan.apply_expressions(|expression| {
        expression.hash(&mut hasher);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(hasher.finish())
}
