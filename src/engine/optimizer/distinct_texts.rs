//! Calculates what a text alone decides once for each distinct text of a batch: `case when comment like '%invoice%' then …`.
//!
//! The largest part of an expression that has one column of texts and no other is taken, if some of it costs more than to see which texts
//! are the same. Where it decides which rows are left out, a comparison of the column itself stays as it is: statistics of files are held
//! against it.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema};
use datafusion::error::Result;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, ScalarUDF, Volatility};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::scalar::ScalarValue;

use super::super::functions::scalar::{Choice, OfDistinctTexts, ShortTextIs};
use super::super::options;

/// The rule. It comes after the engine's, which know what it takes, and before ours that look at parts of it.
#[derive(Debug)]
pub struct DistinctTexts;

impl OptimizerRule for DistinctTexts {
    fn name(&self) -> &'static str {
        "distinct_texts"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let options = config.options();
        let calculates = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
        let filters = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::TableScan(_));
        let is_taken = (calculates || filters) && options::of(&options).distinct_texts;
        if !is_taken || !super::has_expression(&plan, costs)? {
            return Ok(Transformed::no(plan));
        }
        let schema = match &plan {
            LogicalPlan::TableScan(scan) => {
                DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?
            }
            other => merge_schema(&other.inputs()),
        };
        super::renamed(plan, |expr| {
            expr.transform_down(|part| {
                if filters && names_a_column(&part)? {
                    return Ok(Transformed::no(part));
                }
                of_text(part, &schema, &options)
            })
        })
    }
}

/// Whether statistics of files can be held against an expression: it has a column that is not within what hides it from them.
fn names_a_column(expr: &Expr) -> Result<bool> {
    let mut found = false;
    expr.apply(|part| {
        found = found || matches!(part, Expr::Column(_));
        let hides = match part {
            Expr::Like(like) => {
                like.case_insensitive || literal(&like.pattern).is_some_and(|text| text.starts_with(['%', '_']))
            }
            Expr::ScalarFunction(_) => true,
            other => costs(other),
        };
        Ok(if hides { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// An expression as a function of its one text, if it is one that costs something.
fn of_text(expr: Expr, schema: &DFSchema, options: &Arc<ConfigOptions>) -> Result<Transformed<Expr>> {
    let Some(text) = only_text(&expr, schema)? else { return Ok(Transformed::no(expr)) };
    let function = OfDistinctTexts::new(&expr, schema.field_from_column(&text)?, options)?;
    let call = ScalarUDF::from(function).call(vec![Expr::Column(text)]);
    Ok(Transformed::new(call, true, TreeNodeRecursion::Jump))
}

/// The one column of an expression, where it is of texts and all else is calculated from it.
fn only_text(expr: &Expr, schema: &DFSchema) -> Result<Option<Column>> {
    let (mut text, mut is_one, mut does_cost) = (None, true, false);
    expr.apply(|part| {
        does_cost = does_cost || costs(part);
        is_one = match part {
            Expr::Column(column) => *text.get_or_insert(column) == column,
            other => is_step(other),
        };
        Ok(if is_one { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    let Some(text) = text.filter(|_| is_one && does_cost) else { return Ok(None) };
    let is_text = *schema.field_from_column(text)?.data_type() == DataType::Utf8View;
    Ok(is_text.then(|| text.clone()))
}

/// Functions that look at the beginning or the end of a text, or at its length.
const CHEAP: [&str; 15] = [
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "coalesce",
    "ends_with",
    "left",
    "ltrim",
    "nullif",
    "nvl",
    "octet_length",
    "right",
    "rtrim",
    "starts_with",
    "substr",
];

/// Whether an expression reads its text to the end, which costs more than to see which texts are the same.
fn costs(expr: &Expr) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    match expr {
        Expr::SimilarTo(_) => true,
        Expr::Like(like) => like.case_insensitive || !is_beginning(&like.pattern),
        Expr::BinaryExpr(binary) => matches!(binary.op, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch),
        Expr::ScalarFunction(call) => {
            let function = call.func.inner();
            let is_ours = function.is::<OfDistinctTexts>() || function.is::<ShortTextIs>() || function.is::<Choice>();
            !is_ours && !CHEAP.contains(&call.func.name())
        }
        _ => false,
    }
}

/// Whether a pattern is a text, or the beginning of one.
fn is_beginning(pattern: &Expr) -> bool {
    literal(pattern).is_some_and(|text| !text.strip_suffix('%').unwrap_or(text).contains(['%', '_', '\\']))
}

/// The text of a literal.
fn literal(expr: &Expr) -> Option<&str> {
    expr.as_literal().and_then(ScalarValue::try_as_str).flatten()
}

/// Whether an expression gives the same for the same values of what is in it, with the errors that it has for all rows.
fn is_step(expr: &Expr) -> bool {
    match expr {
        // Where few rows are left to decide, the engine asks the second side of those alone, which may guard it from failing.
        Expr::BinaryExpr(binary) if binary.op.is_logic_operator() => never_fails(&binary.right),
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
        Expr::BinaryExpr(_) | Expr::Case(_) | Expr::Cast(_) | Expr::TryCast(_) | Expr::Negative(_) => true,
        other => is_comparison(other),
    }
}

/// Whether a condition is made of comparisons alone.
fn never_fails(condition: &Expr) -> bool {
    let fails = |part: &Expr| match part {
        Expr::Column(_) => false,
        Expr::BinaryExpr(binary) => !super::is_condition(binary.op),
        other => !is_comparison(other),
    };
    !condition.exists(|part| Ok(fails(part))).unwrap_or(true)
}

fn is_comparison(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Literal(..)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::Between(_)
            | Expr::InList(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
    )
}
