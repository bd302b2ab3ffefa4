//! Groups a fact before it is joined with what it is about: `sum(cost)` by the region of offices is summed by office first.
//!
//! The engine joins every row of the fact, with all columns that groups are called by, and then groups the rows. Here the first half of a
//! grouping goes below the join, by the join's key and by what the fact itself is grouped by; its few rows are joined, and the second half
//! puts those together that belong to the same group. A row that finds several partners counts for each of them in both ways.
//!
//! That is less work where the groups below the join are not many more than those above: where the other side has few rows, or its key is
//! among the groups. It is more where the join leaves out many rows before they are grouped: a side with a filter stays where it is, and
//! so does one whose keys do not reach as far as the fact's. Rows that find no partner are grouped as well here, so only what cannot fail
//! for any row goes below.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, ScalarValue, Statistics};
use datafusion::error::Result;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr, Literal, NotExpr,
};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExprRef, ScalarFunctionExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::{PhysicalOptimizerContext, PhysicalOptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{HashJoinExec, HashJoinExecBuilder};
use datafusion::physical_plan::operator_statistics::StatisticsRegistry;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};

use super::super::functions::scalar::{Choice, DayInUtc, OfDistinctTexts, ShortTextIs};
use super::super::options;
use super::join_order::inner_join;

/// Rows that the fact has for each of the other side, at least: with fewer, joining costs no more than grouping twice.
const ROWS_FOR_EACH: usize = 16;

/// Rows that the other side may have where its key is not among the groups: so many times more of them there can be below the join.
const FEW: usize = 1024;

/// Days before and after 1970 that have moments in nanoseconds.
const MOMENTS: i32 = 106_650;

/// The rule. It comes after the one that chooses which side of a join is kept in memory.
#[derive(Debug)]
pub struct EagerAggregation;

impl PhysicalOptimizerRule for EagerAggregation {
    fn name(&self) -> &'static str {
        "eager_aggregation"
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
            Some(registry) if options::of(context.config_options()).eager_aggregation => {
                // From the top: the first half that went below a join may go below the next one.
                Ok(plan.transform_down(|node| eager(node, registry))?.data)
            }
            _ => Ok(plan),
        }
    }
}

/// A plan with the first half of its grouping below the join, where that is less work.
fn eager(node: Arc<dyn ExecutionPlan>, registry: &StatisticsRegistry) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(half) = node.downcast_ref::<AggregateExec>().and_then(FirstHalf::of) else {
        return Ok(Transformed::no(node));
    };
    let half = half.below_projections()?;
    let Some((join, keys)) = inner_join(half.input.as_ref()) else { return Ok(Transformed::no(node)) };
    for fact in [Side::Right, Side::Left] {
        let joined = Joined { join, keys: &keys, fact };
        if !half.is_of(&joined) {
            continue;
        }
        let known = [fact, fact.other()].map(|side| registry.compute(joined.input(side).as_ref()));
        let [fact_known, other_known] = known;
        let (fact_known, other_known) = (fact_known?, other_known?);
        let is_safe = half.cannot_fail(&joined, fact_known.base());
        if is_safe && joined.is_less_work(&half.keys, fact_known.base(), other_known.base())? {
            return Ok(Transformed::yes(half.below(&joined)?));
        }
    }
    Ok(Transformed::no(node))
}

/// The first half of a grouping, its expressions as they are over `input`.
struct FirstHalf<'a> {
    aggregate: &'a AggregateExec,
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<PhysicalExprRef>,
    calls: Vec<Call>,
}

/// What a call of an aggregate function is given.
struct Call {
    arguments: Vec<PhysicalExprRef>,
    filter: Option<PhysicalExprRef>,
}

impl<'a> FirstHalf<'a> {
    /// `None` for what is no first half, and for calls that stay above joins.
    fn of(aggregate: &'a AggregateExec) -> Option<Self> {
        let calls = aggregate.aggr_expr().iter().zip(aggregate.filter_expr());
        let calls = calls.map(|(call, filter)| Call { arguments: call.expressions(), filter: filter.clone() });
        super::is_first_half(aggregate).then(|| Self {
            aggregate,
            input: Arc::clone(aggregate.input()),
            keys: aggregate.group_expr().input_exprs(),
            calls: calls.collect(),
        })
    }

    /// The same over what is below projections.
    fn below_projections(mut self) -> Result<Self> {
        while let Some(projection) = self.input.downcast_ref::<ProjectionExec>() {
            let items = projection.expr();
            let below = |expr: &PhysicalExprRef| with_columns(expr, |column| Arc::clone(&items[column.index()].expr));
            for call in &mut self.calls {
                call.arguments = call.arguments.iter().map(below).collect::<Result<_>>()?;
                call.filter = call.filter.as_ref().map(below).transpose()?;
            }
            self.keys = self.keys.iter().map(below).collect::<Result<_>>()?;
            self.input = Arc::clone(projection.input());
        }
        Ok(self)
    }

    /// Whether each key is of one side, and all calls are of the fact.
    fn is_of(&self, joined: &Joined<'_>) -> bool {
        let is_of_other = |key: &PhysicalExprRef| joined.is_of(joined.fact.other(), key) && !is_volatile(key);
        self.given().all(|expr| joined.is_of(joined.fact, expr))
            && self.keys.iter().all(|key| joined.is_of(joined.fact, key) || is_of_other(key))
    }

    /// Whether what is of the fact has a value for any of its rows.
    fn cannot_fail(&self, joined: &Joined<'_>, fact: &Statistics) -> bool {
        let rows = Rows { schema: &joined.join.schema(), known: fact, start: joined.start(joined.fact) };
        let keys = self.keys.iter().filter(|key| joined.is_of(joined.fact, key));
        keys.chain(self.given()).all(|expr| rows.have_all(expr))
    }

    /// What all calls are given.
    fn given(&self) -> impl Iterator<Item = &PhysicalExprRef> {
        self.calls.iter().flat_map(|call| call.arguments.iter().chain(&call.filter))
    }

    /// The groups of the fact, joined, with the columns that this half has.
    fn below(&self, joined: &Joined<'_>) -> Result<Arc<dyn ExecutionPlan>> {
        let fact = joined.input(joined.fact);
        let own = |expr: &PhysicalExprRef| moved(expr, joined.start(joined.fact), 0);

        // The join's keys come first, then the fact's own, none twice.
        let mut groups: Vec<(PhysicalExprRef, String)> = vec![];
        // Filters that come from above find columns by name: a group is called what the fact calls it, or what nothing is called there.
        let schema = fact.schema();
        let mut place = |expr: PhysicalExprRef, name: &str| {
            let known = groups.iter().position(|(group, _)| group.eq(&expr));
            known.unwrap_or_else(|| {
                let mut name = name.to_owned();
                match expr.downcast_ref::<Column>() {
                    Some(column) => column.name().clone_into(&mut name),
                    None => {
                        while schema.index_of(&name).is_ok() || groups.iter().any(|(_, known)| *known == name) {
                            name.push('_');
                        }
                    }
                }
                groups.push((expr, name));
                groups.len() - 1
            })
        };
        let joined_by = joined.keys(joined.fact);
        let joined_by: Vec<usize> = joined_by.map(|key| place(column(&schema, key), "")).collect();
        let mut places = vec![];
        for (key, (_, name)) in self.keys.iter().zip(self.aggregate.group_expr().expr()) {
            places.push(if joined.is_of(joined.fact, key) { Some(place(own(key)?, name)) } else { None });
        }

        let (mut calls, mut filters) = (vec![], vec![]);
        for (call, given) in self.aggregate.aggr_expr().iter().zip(&self.calls) {
            let arguments = given.arguments.iter().map(own).collect::<Result<_>>()?;
            let call = AggregateExprBuilder::new(Arc::new(call.fun().clone()), arguments)
                .schema(Arc::clone(&schema))
                .alias(call.name())
                .with_ignore_nulls(call.ignore_nulls());
            calls.push(Arc::new(call.build()?));
            filters.push(given.filter.as_ref().map(own).transpose()?);
        }
        let states = groups.len();
        let groups = PhysicalGroupBy::new_single(groups);
        let grouped = AggregateExec::try_new(AggregateMode::Partial, groups, calls, filters, Arc::clone(fact), schema)?;

        let half = self.aggregate.schema();
        let (join, [fact_start, other_start]) = joined.with(Arc::new(grouped), &joined_by)?;
        let of_fact = |place: usize| column(&join.schema(), fact_start + place);
        let other = |key: &PhysicalExprRef| moved(key, joined.start(joined.fact.other()), other_start);
        let keys =
            self.keys.iter().zip(places).map(|(key, place)| place.map_or_else(|| other(key), |at| Ok(of_fact(at))));
        let columns =
            keys.chain((states..states + half.fields().len() - self.keys.len()).map(|state| Ok(of_fact(state))));
        let columns = columns
            .zip(half.fields())
            .map(|(expr, field)| Ok(ProjectionExpr { expr: expr?, alias: field.name().clone() }));
        Ok(Arc::new(ProjectionExec::try_new(columns.collect::<Result<Vec<_>>>()?, join)?))
    }
}

/// A side of a join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// A join of equal columns, one side of it taken for the fact.
struct Joined<'a> {
    join: &'a HashJoinExec,
    /// The columns, on the left and on the right.
    keys: &'a [(usize, usize)],
    fact: Side,
}

impl Joined<'_> {
    fn input(&self, side: Side) -> &Arc<dyn ExecutionPlan> {
        match side {
            Side::Left => self.join.left(),
            Side::Right => self.join.right(),
        }
    }

    /// The place of a side's first column among those of the join.
    fn start(&self, side: Side) -> usize {
        match side {
            Side::Left => 0,
            Side::Right => self.join.left().schema().fields().len(),
        }
    }

    fn is_of(&self, side: Side, expr: &PhysicalExprRef) -> bool {
        let start = self.start(side);
        let columns = start..start + self.input(side).schema().fields().len();
        collect_columns(expr).iter().all(|column| columns.contains(&column.index()))
    }

    /// The columns that a side is joined by.
    fn keys(&self, side: Side) -> impl Iterator<Item = usize> {
        self.keys.iter().map(move |&(left, right)| if side == Side::Left { left } else { right })
    }

    /// Whether few groups of the fact are joined in the place of many rows, and all of them find a partner, as far as that is known.
    fn is_less_work(&self, groups: &[PhysicalExprRef], fact: &Statistics, other: &Statistics) -> Result<bool> {
        let (Some(&fact_rows), Some(&other_rows)) = (fact.num_rows.get_value(), other.num_rows.get_value()) else {
            return Ok(false);
        };
        let other_side = self.input(self.fact.other());
        let leaves_rows_out = other_side.exists(|node| Ok(node.is::<FilterExec>() || node.fetch().is_some()))?;
        let mut pairs = self.keys(self.fact).zip(self.keys(self.fact.other()));
        let reaches_as_far = pairs.all(|(fact_key, other_key)| {
            let (fact, other) = (&fact.column_statistics[fact_key], &other.column_statistics[other_key]);
            let is_ordered = |low: &Precision<ScalarValue>, high: &Precision<ScalarValue>| {
                low.get_value().zip(high.get_value()).is_some_and(|(low, high)| low <= high)
            };
            is_ordered(&other.min_value, &fact.min_value) && is_ordered(&fact.max_value, &other.max_value)
        });
        let is_grouped = |side: Side, key: usize| {
            let place = self.start(side) + key;
            groups.iter().any(|group| group.downcast_ref::<Column>().is_some_and(|group| group.index() == place))
        };
        let mut pairs = self.keys.iter();
        let has_its_key = pairs.all(|&(left, right)| is_grouped(Side::Left, left) || is_grouped(Side::Right, right));
        let is_small = fact_rows / ROWS_FOR_EACH >= other_rows && (other_rows <= FEW || has_its_key);
        Ok(is_small && reaches_as_far && !leaves_rows_out)
    }

    /// The join of the fact's groups, by some of their columns, and where the columns of the fact and of the other side begin in it.
    fn with(&self, groups: Arc<dyn ExecutionPlan>, by: &[usize]) -> Result<(Arc<dyn ExecutionPlan>, [usize; 2])> {
        let (names, other_names) = (groups.schema(), self.input(self.fact.other()).schema());
        let pairs = by.iter().zip(self.keys(self.fact.other()));
        let pairs = pairs.map(|(&fact, other)| (column(&names, fact), column(&other_names, other)));
        let other = Arc::clone(self.input(self.fact.other()));
        let (left, right, on, starts) = match self.fact {
            Side::Left => (groups, other, pairs.collect(), [0, names.fields().len()]),
            Side::Right => {
                (other, groups, pairs.map(|(fact, other)| (other, fact)).collect(), [self.start(Side::Right), 0])
            }
        };
        let join =
            HashJoinExecBuilder::new(left, right, on, JoinType::Inner).with_partition_mode(*self.join.partition_mode());
        Ok((join.build_exec()?, starts))
    }
}

/// A column of a schema.
fn column(schema: &Schema, place: usize) -> PhysicalExprRef {
    Arc::new(Column::new(schema.field(place).name(), place))
}

/// An expression with others in the place of its columns.
fn with_columns(expr: &PhysicalExprRef, replaced: impl Fn(&Column) -> PhysicalExprRef) -> Result<PhysicalExprRef> {
    let found = Arc::clone(expr).transform_down(|part| {
        Ok(match part.downcast_ref::<Column>() {
            Some(column) => Transformed::new(replaced(column), true, TreeNodeRecursion::Jump),
            None => Transformed::no(part),
        })
    })?;
    Ok(found.data)
}

/// An expression whose columns begin at another place.
fn moved(expr: &PhysicalExprRef, from: usize, to: usize) -> Result<PhysicalExprRef> {
    with_columns(expr, |column| Arc::new(Column::new(column.name(), column.index() - from + to)))
}

/// Rows that expressions are over, and what is known of some of their columns.
struct Rows<'a> {
    schema: &'a Schema,
    known: &'a Statistics,
    /// The first column that is known.
    start: usize,
}

impl Rows<'_> {
    /// Whether all rows have a value of an expression, and none fails.
    fn have_all(&self, expr: &PhysicalExprRef) -> bool {
        !expr.exists(|part| self.can_fail(part)).unwrap_or(true)
    }

    fn can_fail(&self, part: &PhysicalExprRef) -> Result<bool> {
        if let Some(cast) = part.downcast_ref::<CastExpr>() {
            let from = cast.expr().data_type(self.schema)?;
            return Ok(!super::has_room(cast.cast_type(), &from) && !self.is_moment_of_day(cast));
        }
        if let Some(calculated) = part.downcast_ref::<BinaryExpr>() {
            let of = part.data_type(self.schema)?;
            return Ok(match calculated.op() {
                Operator::Plus | Operator::Minus | Operator::Multiply => !of.is_floating() && !of.is_integer(),
                Operator::Divide => !of.is_floating(),
                op => !super::is_condition(*op),
            });
        }
        if let Some(call) = part.downcast_ref::<ScalarFunctionExpr>() {
            let function = call.fun().inner();
            if let Some(function) = function.downcast_ref::<OfDistinctTexts>() {
                let (of_text, schema) = function.calculated();
                return Ok(!Rows { schema, known: self.known, start: usize::MAX }.have_all(of_text));
            }
            let is_ours = function.is::<Choice>() || function.is::<ShortTextIs>() || function.is::<DayInUtc>();
            // Moments in other units are multiplied.
            let is_in_nanoseconds =
                matches!(part.data_type(self.schema)?, DataType::Timestamp(TimeUnit::Nanosecond, _));
            let is_taken = is_ours || (function.name() == "date_trunc" && is_in_nanoseconds);
            return Ok(!is_taken);
        }
        let is_value = part.is::<Column>() || part.is::<Literal>() || part.is::<CaseExpr>();
        let is_asked = part.is::<NotExpr>() || part.is::<IsNullExpr>() || part.is::<IsNotNullExpr>();
        Ok(!is_value && !is_asked && !part.is::<LikeExpr>() && !part.is::<InListExpr>())
    }

    /// Whether a cast makes moments of days that all have one, also in nanoseconds: those from 1678 to 2261.
    fn is_moment_of_day(&self, cast: &CastExpr) -> bool {
        let Some(column) = cast.expr().downcast_ref::<Column>() else { return false };
        let known = column.index().checked_sub(self.start).and_then(|place| self.known.column_statistics.get(place));
        let day = |bound: &Precision<ScalarValue>| match bound.get_value() {
            Some(ScalarValue::Date32(Some(day))) => Some(*day),
            _ => None,
        };
        let days = known.and_then(|known| day(&known.min_value).zip(day(&known.max_value)));
        let has_room = days.is_some_and(|(first, last)| -MOMENTS <= first && last <= MOMENTS);
        has_room && matches!(cast.cast_type(), DataType::Timestamp(..))
    }
}
