//! Inner joins of three and more relations, in an order of our own where sizes say that it is far better than the written one.
//!
//! The engine joins in the order of the statement. A fact that is joined with its account first, and then the account with its office,
//! carries all rows through both joins, though the offices that are asked for have few of the accounts. Here the two parts that make the
//! fewest rows are joined first, then the next two, so that what a fact is about is put together before the fact is read: fewer rows are
//! carried, and the small side's keys reach the fact's scan.
//!
//! How many rows a join makes is known where one side is joined by its declared key: each row of the other side finds one row at most,
//! and as many of them as that side's filter leaves. Parts that no such key joins are not put together here.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::{JoinType, NullEquality, internal_err};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExprRef;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::{PhysicalOptimizerContext, PhysicalOptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, HashJoinExecBuilder, PartitionMode};
use datafusion::physical_plan::operator_statistics::StatisticsRegistry;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use super::super::options;

/// Part of the written order's rows that another order may make at most, to be taken: estimates are rough.
const WORTH: f64 = 0.7;

/// Relations in a tree of joins, at most; a set of them is a word of bits.
const RELATIONS_MAX: usize = 32;

/// The rule. It comes before the one that chooses which side of a join is kept in memory.
#[derive(Debug)]
pub struct JoinOrder;

impl PhysicalOptimizerRule for JoinOrder {
    fn name(&self) -> &'static str {
        "join_order"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        // Without the registry nothing is known of sizes.
        Ok(plan)
    }

    fn optimize_with_context(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: &dyn PhysicalOptimizerContext,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match context.statistics_registry() {
            Some(registry) if options::of(context.config_options()).join_order => ordered(plan, registry, false),
            _ => Ok(plan),
        }
    }
}

/// The plan with its joins in a better order; `within` a tree of joins that was looked at, the joins stay.
fn ordered(
    plan: Arc<dyn ExecutionPlan>,
    registry: &StatisticsRegistry,
    within: bool,
) -> Result<Arc<dyn ExecutionPlan>> {
    let is_root = !within && inner_join(plan.as_ref()).is_some();
    let plan = match is_root.then(|| Tree::of(&plan, registry)).transpose()?.flatten() {
        Some(tree) => tree.in_better_order()?.unwrap_or(plan),
        None => plan,
    };
    let within = is_root || (within && (inner_join(plan.as_ref()).is_some() || picked(plan.as_ref()).is_some()));
    let children = plan.children().into_iter().map(|child| ordered(Arc::clone(child), registry, within));
    let children = children.collect::<Result<Vec<_>>>()?;
    replace_children_if_necessary(plan, children)
}

/// The keys of an inner join on equal columns alone: the places of each on both sides.
pub(super) fn inner_join(plan: &dyn ExecutionPlan) -> Option<(&HashJoinExec, Vec<(usize, usize)>)> {
    let join = plan.downcast_ref::<HashJoinExec>()?;
    let is_plain = *join.join_type() == JoinType::Inner
        && join.filter().is_none()
        && !join.contains_projection()
        && join.fetch().is_none()
        && join.null_equality() == NullEquality::NullEqualsNothing;
    let place = |key: &PhysicalExprRef| Some(key.downcast_ref::<Column>()?.index());
    let keys = join.on().iter().map(|(left, right)| Some((place(left)?, place(right)?)));
    is_plain.then(|| keys.collect::<Option<Vec<_>>>()).flatten().map(|keys| (join, keys))
}

/// The columns that a projection picks, when it calculates nothing.
fn picked(plan: &dyn ExecutionPlan) -> Option<(&ProjectionExec, Vec<usize>)> {
    let projection = plan.downcast_ref::<ProjectionExec>()?;
    let picked = projection.expr().iter().map(|item| Some(item.expr.downcast_ref::<Column>()?.index()));
    Some((projection, picked.collect::<Option<_>>()?))
}

/// Relations that are joined, as bits.
type Set = u32;

/// A column of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    relation: usize,
    column: usize,
}

/// What is joined.
struct Relation {
    plan: Arc<dyn ExecutionPlan>,
    rows: f64,
}

/// Columns of two relations that must be equal.
struct Link {
    places: [Place; 2],
    /// Rows that the side with the key has before its filter; `None` where neither column is a declared key.
    keys: Option<f64>,
}

/// A tree of inner joins, taken apart.
struct Tree {
    root: Arc<dyn ExecutionPlan>,
    mode: PartitionMode,
    relations: Vec<Relation>,
    links: Vec<Link>,
    /// What each written join makes, from the inside out.
    written: Vec<Set>,
    /// The columns that come out.
    columns: Vec<Place>,
}

impl Tree {
    /// `None` for fewer than three relations, for too many, and where the size of one is not known.
    fn of(root: &Arc<dyn ExecutionPlan>, registry: &StatisticsRegistry) -> Result<Option<Self>> {
        let mut tree = Self {
            root: Arc::clone(root),
            mode: inner_join(root.as_ref()).map_or(PartitionMode::Auto, |(join, _)| *join.partition_mode()),
            relations: vec![],
            links: vec![],
            written: vec![],
            columns: vec![],
        };
        let (mut plans, mut links) = (vec![], vec![]);
        (tree.columns, _) = tree.take_apart(root, &mut plans, &mut links);
        if !(3..=RELATIONS_MAX).contains(&plans.len()) {
            return Ok(None);
        }
        for places in links {
            let keys = places.map(|place| keys(plans[place.relation].as_ref(), place.column, registry));
            let [left, right] = keys;
            // Of two keys, the longer one has room for the other's values.
            let keys = [left?, right?].into_iter().flatten().reduce(f64::max);
            tree.links.push(Link { places, keys });
        }
        for plan in plans {
            let Some(rows) = registry.compute(plan.as_ref())?.base().num_rows.get_value().copied() else {
                return Ok(None);
            };
            tree.relations.push(Relation { plan, rows: rows as f64 });
        }
        Ok(Some(tree))
    }

    /// Adds the relations of a plan and the columns that it joins; what columns it has, and of which relations.
    fn take_apart(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        plans: &mut Vec<Arc<dyn ExecutionPlan>>,
        links: &mut Vec<[Place; 2]>,
    ) -> (Vec<Place>, Set) {
        if let Some((join, keys)) = inner_join(plan.as_ref()) {
            let (mut columns, left) = self.take_apart(join.left(), plans, links);
            let (right_columns, right) = self.take_apart(join.right(), plans, links);
            links.extend(keys.into_iter().map(|(left, right)| [columns[left], right_columns[right]]));
            self.written.push(left | right);
            columns.extend(right_columns);
            return (columns, left | right);
        }
        // A projection above what is no join belongs to the relation.
        if let Some((projection, picked)) = picked(plan.as_ref())
            && is_joined(projection.input().as_ref())
        {
            let (columns, relations) = self.take_apart(projection.input(), plans, links);
            return (picked.into_iter().map(|place| columns[place]).collect(), relations);
        }
        let relation = plans.len();
        plans.push(Arc::clone(plan));
        let columns = (0..plan.schema().fields().len()).map(|column| Place { relation, column }).collect();
        (columns, 1_u32.checked_shl(u32::try_from(relation).unwrap_or(u32::MAX)).unwrap_or(0))
    }

    /// Rows that come out of joining these relations.
    fn rows(&self, relations: Set) -> f64 {
        let sizes = self.relations.iter().enumerate().filter(|(relation, _)| has(relations, *relation));
        let all: f64 = sizes.map(|(_, relation)| relation.rows).product();
        let links = self.links.iter().filter(|link| link.places.iter().all(|place| has(relations, place.relation)));
        links.filter_map(|link| link.keys).fold(all, |rows, keys| rows / keys).max(1.0)
    }

    /// Whether some key joins these.
    fn are_linked(&self, left: Set, right: Set) -> bool {
        let crosses = |[a, b]: [Place; 2]| has(left, a.relation) && has(right, b.relation);
        let keyed = self.links.iter().filter(|link| link.keys.is_some());
        keyed.into_iter().any(|&Link { places: [a, b], .. }| crosses([a, b]) || crosses([b, a]))
    }

    /// The joins to make, each between two sets: again and again the two that make the fewest rows.
    fn order(&self) -> Vec<[Set; 2]> {
        let mut parts: Vec<Set> = (0..self.relations.len()).map(|relation| 1 << relation).collect();
        let mut order = vec![];
        loop {
            let pairs = parts
                .iter()
                .enumerate()
                .flat_map(|(place, &left)| parts[place + 1..].iter().map(move |&right| [left, right]));
            let linked = pairs.filter(|&[left, right]| self.are_linked(left, right));
            let rows = |[left, right]: [Set; 2]| self.rows(left | right);
            let Some([left, right]) = linked.min_by(|&a, &b| rows(a).total_cmp(&rows(b))) else { return order };
            parts.retain(|&part| part != left && part != right);
            parts.push(left | right);
            order.push([left, right]);
        }
    }

    /// The same result from joins in a better order; `None` where the written one is nearly as good.
    fn in_better_order(&self) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let order = self.order();
        // The last join makes the same rows in any order.
        let made = |sets: &mut dyn Iterator<Item = Set>| sets.map(|set| self.rows(set)).sum::<f64>();
        let written = made(&mut self.written.iter().copied());
        let ours = made(&mut order.iter().map(|[left, right]| left | right));
        if order.len() != self.written.len() || ours > written * WORTH {
            return Ok(None);
        }
        let mut parts: Vec<Part> =
            self.relations.iter().enumerate().map(|(number, relation)| Part::of(number, relation)).collect();
        for [left, right] in order {
            let mut take =
                |set: Set| parts.iter().position(|part| part.relations == set).map(|place| parts.swap_remove(place));
            let (Some(left), Some(right)) = (take(left), take(right)) else {
                return internal_err!("a part of the order of joins is not there");
            };
            parts.push(self.join(left, right)?);
        }
        let [joined] = parts.as_slice() else { return internal_err!("the order of joins leaves parts") };
        joined.with_columns(&self.columns, Some(self.root.as_ref())).map(|part| Some(part.plan))
    }

    /// The join of two parts, with the columns that are still wanted.
    fn join(&self, left: Part, right: Part) -> Result<Part> {
        let on = self.links.iter().filter_map(|&Link { places: [a, b], .. }| match (left.key(a), right.key(b)) {
            (Some(left), Some(right)) => Some((left, right)),
            _ => Some((left.key(b)?, right.key(a)?)),
        });
        let join = HashJoinExecBuilder::new(left.plan.clone(), right.plan.clone(), on.collect(), JoinType::Inner)
            .with_partition_mode(self.mode)
            .build_exec()?;
        let relations = left.relations | right.relations;
        let columns = left.columns.into_iter().chain(right.columns).collect();
        let joined = Part { plan: join, relations, columns };
        let leads_out = |link: &Link| link.places.iter().any(|place| !has(relations, place.relation));
        let is_wanted = |column: &Place| {
            self.columns.contains(column)
                || self.links.iter().any(|link| link.places.contains(column) && leads_out(link))
        };
        let wanted: Vec<Place> = joined.columns.iter().copied().filter(is_wanted).collect();
        joined.with_columns(&wanted, None)
    }
}

/// Some of the relations, joined.
struct Part {
    plan: Arc<dyn ExecutionPlan>,
    relations: Set,
    columns: Vec<Place>,
}

impl Part {
    fn of(number: usize, relation: &Relation) -> Self {
        let columns = (0..relation.plan.schema().fields().len()).map(|column| Place { relation: number, column });
        Self { plan: Arc::clone(&relation.plan), relations: 1 << number, columns: columns.collect() }
    }

    /// The column at a place, as a key.
    fn key(&self, place: Place) -> Option<PhysicalExprRef> {
        let index = self.columns.iter().position(|column| *column == place)?;
        Some(Arc::new(Column::new(self.plan.schema().field(index).name(), index)))
    }

    /// The part with these columns, called as in `names`, else as they are.
    fn with_columns(&self, wanted: &[Place], names: Option<&dyn ExecutionPlan>) -> Result<Self> {
        let (relations, columns) = (self.relations, wanted.to_vec());
        if names.is_none() && wanted == self.columns {
            return Ok(Self { plan: Arc::clone(&self.plan), relations, columns });
        }
        let named = names.unwrap_or(self.plan.as_ref()).schema();
        let items = wanted.iter().enumerate().map(|(place, column)| {
            let expr = self.key(*column)?;
            let own = expr.downcast_ref::<Column>()?.name().to_owned();
            let alias = if names.is_some() { named.field(place).name().clone() } else { own };
            Some(ProjectionExpr { expr, alias })
        });
        let Some(items) = items.collect::<Option<Vec<_>>>() else {
            return internal_err!("a column is lost between joins");
        };
        let plan = Arc::new(ProjectionExec::try_new(items, Arc::clone(&self.plan))?);
        Ok(Self { plan, relations, columns })
    }
}

/// Whether a plan is a join to be taken apart, below projections that pick columns.
fn is_joined(plan: &dyn ExecutionPlan) -> bool {
    inner_join(plan).is_some() || picked(plan).is_some_and(|(projection, _)| is_joined(projection.input().as_ref()))
}

/// Where a column of a relation is a declared key: the rows that the relation has before its filter.
fn keys(plan: &dyn ExecutionPlan, column: usize, registry: &StatisticsRegistry) -> Result<Option<f64>> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let column = filter.projection().as_ref().map_or(column, |projection| projection[column]);
        return keys(filter.input().as_ref(), column, registry);
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        return match projection.expr()[column].expr.downcast_ref::<Column>() {
            Some(below) => keys(projection.input().as_ref(), below.index(), registry),
            None => Ok(None),
        };
    }
    let known = registry.compute(plan)?;
    let known = known.base();
    // Tables say of a key that it has as many values as there are rows.
    let values = known.column_statistics.get(column).and_then(|column| column.distinct_count.get_value());
    Ok(values.filter(|values| **values > 0 && Some(*values) == known.num_rows.get_value()).map(|values| *values as f64))
}

/// Whether a relation is in a set.
fn has(set: Set, relation: usize) -> bool {
    set >> relation & 1 == 1
}
