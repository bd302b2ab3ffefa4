//! What a call heads its column with when it has no alias.
//!
//! The engine tells the columns of a plan apart by these names, so different calls have different ones: every argument is
//! in the name, and numbers of different types differ in it.

use datafusion::common::Column;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::{AggregateFunctionParams, ScalarFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    AggregateUDFImpl, Expr, udaf_default_schema_name, udaf_default_window_function_schema_name,
};
use datafusion::scalar::ScalarValue;

use super::help::Help;

/// The name of a call of a scalar function.
pub fn scalar(help: &Help, given: &[Expr]) -> String {
    format!("{}({})", help.name, arguments(help, given))
}

/// The name of a call of an aggregate function, clauses included.
///
/// # Errors
/// None that are known; the engine's.
pub fn aggregate(
    function: &impl AggregateUDFImpl,
    help: &Help,
    call: &AggregateFunctionParams,
) -> DataFusionResult<String> {
    udaf_default_schema_name(function, &AggregateFunctionParams { args: as_one(help, &call.args), ..call.clone() })
}

/// The name of a call of an aggregate function over a window.
///
/// # Errors
/// As [`aggregate`].
pub fn window(function: &impl AggregateUDFImpl, help: &Help, call: &WindowFunctionParams) -> DataFusionResult<String> {
    let call = WindowFunctionParams { args: as_one(help, &call.args), ..call.clone() };
    udaf_default_window_function_schema_name(function, &call)
}

/// The arguments of a call as one text, such as `surveys.nps, missing => [11, 99]`: those that may be left out stand with
/// their names, and not at all when a null stands for their default.
fn arguments(help: &Help, given: &[Expr]) -> String {
    let texts = help.arguments.iter().zip(given).filter_map(|(argument, given)| match (argument.default, given) {
        (None, given) => Some(text(given)),
        (Some(_), Expr::Literal(ScalarValue::Null, _)) => None,
        (Some(_), given) => Some(format!("{} => {}", argument.name, text(given))),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// The arguments as one expression, which the engine puts between the parentheses.
fn as_one(help: &Help, given: &[Expr]) -> Vec<Expr> {
    vec![Expr::Column(Column::new_unqualified(arguments(help, given)))]
}

/// Literals as they are written, all else as the engine names it.
fn text(given: &Expr) -> String {
    match given {
        Expr::Literal(ScalarValue::Null, _) => "null".to_owned(),
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => number.to_string(),
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => format!("{number:?}"),
        Expr::Literal(ScalarValue::Boolean(Some(value)), _) => value.to_string(),
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => format!("'{}'", text.replace('\'', "''")),
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "make_array" => {
            format!("[{}]", args.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        // The engine leaves casts out, since it puts in some of its own later.
        Expr::Cast(cast) => text(&cast.expr),
        other => other.schema_name().to_string(),
    }
}
