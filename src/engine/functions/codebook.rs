//! Gives `reason_codes(text)` the lake's codebook: the table `codebook`, read once per statement by a query of its own.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, visit_expressions, visit_expressions_mut,
};

use super::arguments::{is_null, query};
use super::help::Help;
use crate::error::{Error, Result};

/// Writes the lake's codebook into a call of `reason_codes` that was given none.
pub fn write(function: &mut Function, help: &Help) -> Result<()> {
    const LATEST: &str = "select codebook(codebook.code, codebook.kind, codebook.\"match\") from codebook \
                          where codebook.version = (select max(codebook.version) from codebook)";
    const CHOSEN: &str = "select codebook(codebook.code, codebook.kind, codebook.\"match\") from codebook \
                          where codebook.version = coalesce($version, (select max(codebook.version) from codebook))";
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    if help.name != "reason_codes" {
        return Ok(());
    }
    let given = |place: usize| match list.args.get(place) {
        Some(FunctionArg::Unnamed(given @ FunctionArgExpr::Expr(expression))) if !is_null(given) => {
            Some(expression.clone())
        }
        _ => None,
    };
    let (version, codebook) = (given(1), given(2));
    let codebook = match (codebook, version) {
        (Some(_), Some(_)) => {
            return Err(Error::query("`reason_codes` is given both a version and a codebook")
                .hint("a codebook that is given has its version chosen in its own query"));
        }
        (Some(codebook), None) => codebook,
        (None, None) => Expr::Subquery(Box::new(query(LATEST)?)),
        (None, Some(version)) => {
            // A name in it would be looked up in the codebook and not where it was written.
            let named = visit_expressions(&version, |part| match part {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(part.to_string()),
                _ => ControlFlow::Continue(()),
            });
            if let ControlFlow::Break(name) = named {
                return Err(Error::query(format!("`version` of `reason_codes` is a constant, and was given `{name}`"))
                    .hint("write a number or a parameter"));
            }
            let mut query = query(CHOSEN)?;
            let _: ControlFlow<()> = visit_expressions_mut(&mut query, |part| {
                if matches!(part, Expr::Value(value) if matches!(&value.value, Value::Placeholder(_))) {
                    *part = version.clone();
                }
                ControlFlow::Continue(())
            });
            Expr::Subquery(Box::new(query))
        }
    };
    // The version stays where it is: calls with different ones are different calls.
    let argument = |given| FunctionArg::Unnamed(FunctionArgExpr::Expr(given));
    list.args.truncate(2);
    list.args.resize_with(2, || argument(Expr::value(Value::Null)));
    list.args.push(argument(codebook));
    Ok(())
}
