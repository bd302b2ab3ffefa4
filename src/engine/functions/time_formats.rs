//! Refuses formats of times as other databases write them, which the engine takes for texts without any part of a time.

use datafusion::sql::sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

use crate::error::{Error, Result};

/// What takes a text or time, and then formats.
const FUNCTIONS: [&str; 10] = [
    "to_char",
    "date_format",
    "to_date",
    "to_time",
    "to_timestamp",
    "to_timestamp_seconds",
    "to_timestamp_millis",
    "to_timestamp_micros",
    "to_timestamp_nanos",
    "to_unixtime",
];

/// Looks at the formats of a call.
///
/// # Errors
/// `Query` for a literal format with letters in which no `%` stands. One without is of a number, whose type is refused later.
pub fn check(function: &Function) -> Result<()> {
    let name = function.name.to_string().to_lowercase();
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    if !FUNCTIONS.contains(&name.as_str()) {
        return Ok(());
    }
    for argument in list.args.iter().skip(1) {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(format))) = argument
            && let Value::SingleQuotedString(format) = &format.value
            && format.contains(char::is_alphabetic)
            && !format.contains('%')
        {
            return Err(Error::query(format!("the format of `{name}` has no `%`, and so no part of a time"))
                .hint("write `%Y` for the year, `%m` for the month, `%d` for the day, `%H:%M` for the time of day"));
        }
    }
    Ok(())
}
