//! SUMMARIZE: one row per column of a query, from one pass over its rows.
//!
//! Aggregates, all but one the engine's own, find all measures of all columns in one row; here it is asked for, and laid out
//! again with a row per column. Values are told as texts, since columns differ in type; means of decimals stay exact, and what
//! is no number (NaN) is left out of every measure but the count.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::{Column, Result, plan_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::expr_fn::approx_percentile_cont;
use datafusion::logical_expr::{
    AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, SortExpr, cast as cast_to, lit, when,
};
use datafusion::scalar::ScalarValue;

use super::quartiles::{QUARTILES, Quartiles};
use crate::lake::column::type_name;

/// Measure of the exact quartiles, which stand in the places of those that are told about.
const EXACT: &str = "exact";

/// A summary that is asked for.
pub struct Summary {
    /// Name and type of each column.
    columns: Vec<(String, DataType)>,
    /// The statement that finds every measure, in one row.
    pub plan: LogicalPlan,
}

/// The columns of a summary.
pub fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        text("column"),
        text("type"),
        text("min"),
        text("max"),
        Field::new("approx_distinct", DataType::Int64, true),
        text("mean"),
        text("std"),
        text("q25"),
        text("q50"),
        text("q75"),
        Field::new("count", DataType::Int64, true),
        Field::new("null_percent", DataType::Float64, true),
    ]))
}

impl Summary {
    /// Asks for the summary of a planned query.
    pub fn of(plan: LogicalPlan, state: &SessionState) -> Result<Self> {
        let fields: Vec<(Column, DataType)> = plan
            .schema()
            .iter()
            .map(|(table, field)| (Column::new(table.cloned(), field.name()), field.data_type().clone()))
            .collect();
        let mut measures = Vec::new();
        for (place, (column, data_type)) in fields.iter().enumerate() {
            for (measure, expression) in measured(column, data_type, state)? {
                measures.push(expression.alias(name(place, measure)));
            }
        }
        measures.push(aggregate("count", lit(1_i64), state)?.alias("rows"));
        let plan = LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), measures)?.build()?;
        Ok(Self { columns: fields.into_iter().map(|(column, data_type)| (column.name, data_type)).collect(), plan })
    }

    /// Lays the one row of measures out: a row per column.
    pub fn laid_out(&self, found: &RecordBatch) -> Result<RecordBatch> {
        let of = |place: usize, measure: &str| {
            let exact = found.column_by_name(&name(place, EXACT)).and_then(AsArray::as_struct_opt);
            let exact = exact.and_then(|quartiles| quartiles.column_by_name(measure));
            let known = exact.filter(|value| !value.is_empty() && value.is_valid(0));
            known.or_else(|| found.column_by_name(&name(place, measure)))
        };
        let rows = found.column_by_name("rows").and_then(integer).unwrap_or(0);
        let texts = |measure: &str| -> Result<ArrayRef> {
            let values = self.columns.iter().enumerate().map(|(place, (_, data_type))| {
                of(place, measure).map(|value| shown(value, data_type, measure)).transpose().map(Option::flatten)
            });
            Ok(Arc::new(StringArray::from(values.collect::<Result<Vec<_>>>()?)))
        };
        let counts = |measure: &str| -> Vec<Option<i64>> {
            (0..self.columns.len()).map(|place| of(place, measure).and_then(integer)).collect()
        };
        let filled = counts("filled");
        let null_percent = filled.iter().map(|filled| {
            let nulls = rows - filled.unwrap_or(0);
            (rows > 0).then(|| (nulls as f64 * 10_000.0 / rows as f64).round() / 100.0)
        });
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.columns.iter().map(|(name, _)| Some(name.as_str())).collect::<StringArray>()),
            Arc::new(self.columns.iter().map(|(_, data_type)| Some(type_name(data_type))).collect::<StringArray>()),
            texts("min")?,
            texts("max")?,
            Arc::new(Int64Array::from(counts("distinct"))),
            texts("mean")?,
            texts("std")?,
            texts("q25")?,
            texts("q50")?,
            texts("q75")?,
            Arc::new(Int64Array::from(vec![Some(rows); self.columns.len()])),
            Arc::new(null_percent.collect::<Float64Array>()),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

fn name(place: usize, measure: &str) -> String {
    format!("{place} {measure}")
}

/// A call of one of the session's aggregates.
fn aggregate(function: &str, argument: Expr, state: &SessionState) -> Result<Expr> {
    let found = state.aggregate_functions().get(function);
    let found = found.ok_or_else(|| plan_datafusion_err!("no aggregate `{function}`"))?;
    Ok(found.call(vec![argument]))
}

/// The measures that make sense of a type.
fn measured(column: &Column, data_type: &DataType, state: &SessionState) -> Result<Vec<(&'static str, Expr)>> {
    let column = Expr::Column(column.clone());
    let (value, data_type) = match data_type {
        DataType::Dictionary(_, values) => (cast_to(column, values.as_ref().clone()), values.as_ref()),
        other => (column, other),
    };
    let call = |function: &str, argument: &Expr| aggregate(function, argument.clone(), state);
    let mut measures = vec![("filled", call("count", &value)?)];
    if data_type.is_floating() {
        let function =
            state.scalar_functions().get("isnan").ok_or_else(|| plan_datafusion_err!("no function `isnan`"))?;
        let is_no_number = function.call(vec![value.clone()]);
        let number = when(is_no_number, lit(ScalarValue::try_new_null(data_type)?)).otherwise(value)?;
        measures.push(("distinct", call("approx_distinct", &cast_to(number.clone(), DataType::Utf8))?));
        measures.extend([("min", call("min", &number)?), ("max", call("max", &number)?)]);
        measures.extend(spread(&number, data_type, state)?);
        return Ok(measures);
    }
    measures.push(("distinct", call("approx_distinct", &value)?));
    if data_type.is_nested() || matches!(data_type, DataType::Null) {
        return Ok(measures);
    }
    measures.extend([("min", call("min", &value)?), ("max", call("max", &value)?)]);
    let is_time = matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
    if data_type.is_numeric() || is_time {
        measures.extend(spread(&value, data_type, state)?);
    }
    Ok(measures)
}

/// Mean, standard deviation and quartiles: about, and exact where the values are few. Times are counted, and told as times again;
/// they have no deviation.
fn spread(value: &Expr, data_type: &DataType, state: &SessionState) -> Result<Vec<(&'static str, Expr)>> {
    let counted = match data_type {
        DataType::Date32 => Some(cast_to(cast_to(value.clone(), DataType::Int32), DataType::Int64)),
        DataType::Timestamp(..) => Some(cast_to(value.clone(), DataType::Int64)),
        _ => None,
    };
    let about = |of: &Expr| {
        let sort = SortExpr::new(of.clone(), true, false);
        QUARTILES.map(|(name, quarters)| (name, approx_percentile_cont(sort.clone(), lit(quarters as f64 / 4.0), None)))
    };
    let exact = |of: Expr| (EXACT, AggregateUDF::from(Quartiles::new()).call(vec![of]));
    let Some(counted) = counted else {
        let float = cast_to(value.clone(), DataType::Float64);
        let mut measures = vec![
            ("mean", aggregate("avg", value.clone(), state)?),
            ("std", aggregate("stddev", float.clone(), state)?),
        ];
        measures.extend(about(&float));
        measures.push(exact(float));
        return Ok(measures);
    };
    // Times are made of the numbers again when the row is laid out.
    let mut measures = vec![("mean", aggregate("avg", counted.clone(), state)?)];
    measures.extend(about(&counted));
    // Moments seldom repeat, and a float cannot hold each of them.
    if *data_type == DataType::Date32 {
        measures.push(exact(cast_to(counted, DataType::Float64)));
    }
    Ok(measures)
}

/// The whole number in the first row.
fn integer(value: &ArrayRef) -> Option<i64> {
    let value = cast(value, &DataType::Int64).ok()?;
    match ScalarValue::try_from_array(&value, 0).ok()? {
        ScalarValue::Int64(number) => number,
        _ => None,
    }
}

/// A measure as a person reads it.
fn shown(value: &ArrayRef, data_type: &DataType, measure: &str) -> Result<Option<String>> {
    if value.is_empty() || value.is_null(0) {
        return Ok(None);
    }
    let is_bound = measure == "min" || measure == "max";
    let value = match data_type {
        _ if is_bound => Arc::clone(value),
        // These were counted: a mean or quartile is a number that stands for a time.
        DataType::Date32 => cast(&cast(&cast(value, &DataType::Int64)?, &DataType::Int32)?, &DataType::Date32)?,
        DataType::Timestamp(..) => cast(&cast(value, &DataType::Int64)?, data_type)?,
        // A quartile of money is money.
        DataType::Decimal128(..) | DataType::Decimal64(..) | DataType::Decimal32(..) if measure.starts_with('q') => {
            cast(value, data_type)?
        }
        _ => Arc::clone(value),
    };
    Ok(Some(match ScalarValue::try_from_array(&value, 0)? {
        ScalarValue::Float64(Some(number)) if !is_bound => rounded(number),
        // The letters of a time belong to its notation; those of a text are its own.
        _ if data_type.is_temporal() => array_value_to_string(&value, 0)?.trim_end_matches('Z').replace('T', " "),
        _ => array_value_to_string(&value, 0)?,
    }))
}

/// A number with six digits that count, and two after the point at least where it has any.
fn rounded(number: f64) -> String {
    if !number.is_finite() || number == 0.0 {
        return number.to_string();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a float is below 400")]
    let whole = number.abs().log10().floor() as i32 + 1;
    let decimals = usize::try_from((6 - whole).max(2)).unwrap_or(2).min(20);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_six_digits_and_two_after_the_point() {
        for (number, text) in [
            (7.866_666_666, "7.86667"),
            (1_234_567.891, "1234567.89"),
            (0.000_012_345_678_9, "0.0000123457"),
            (5.0, "5"),
            (-0.5, "-0.5"),
            (0.0, "0"),
        ] {
            assert_eq!(rounded(number), text);
        }
    }
}
