//! Writes the lake's metrics out where a statement calls them.
//!
//! `active_account(started_on, churned_on, $day)` becomes the expression that the manifest has for it, in parentheses,
//! with what was given in the places of its arguments. It is done on the parsed statement: no text is put together.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Visit, VisitMut, Visitor, VisitorMut,
};

use super::arguments::name_fields;
use crate::error::{Error, Result};
use crate::lake::metric::{Formula, Metric};

/// The expression that a call stands for; `None` when it calls no metric.
///
/// # Errors
/// `Query` when it is called with too few or too many, or with FILTER, OVER or DISTINCT; `InvalidData` with the line of the
/// manifest when the metric's own SQL is wrong.
pub fn expand(function: &Function, metrics: &BTreeMap<String, Metric>) -> Result<Option<Expr>> {
    written(function, metrics, &mut Vec::new())
}

/// Parses every metric, as a check.
///
/// # Errors
/// `InvalidData` with the line of the manifest for the first that is wrong.
pub fn check(metrics: &BTreeMap<String, Metric>) -> Result<()> {
    for metric in metrics.values() {
        let Formula::Sql(sql) = &metric.formula else { continue };
        let names: Vec<Expr> = metric.arguments.iter().map(|_| Expr::Identifier("x".into())).collect();
        body(metric, sql, &names, metrics, &mut Vec::new())?;
    }
    Ok(())
}

/// The expression that a call stands for; `above` names the metrics that it is written into.
fn written(function: &Function, metrics: &BTreeMap<String, Metric>, above: &mut Vec<String>) -> Result<Option<Expr>> {
    let name = match function.name.0.as_slice() {
        [part] => part.as_ident().map(|name| name.value.to_lowercase()),
        _ => None,
    };
    let Some(metric) = name.and_then(|name| metrics.get(&name)) else { return Ok(None) };
    let Formula::Sql(sql) = &metric.formula else { return Ok(None) };
    let body = body(metric, sql, &given(function, metric)?, metrics, above)?;
    Ok(Some(Expr::Nested(Box::new(body))))
}

/// The metric's own expression, with the metrics that it calls written out and what was given in place.
fn body(
    metric: &Metric,
    sql: &str,
    given: &[Expr],
    metrics: &BTreeMap<String, Metric>,
    above: &mut Vec<String>,
) -> Result<Expr> {
    if above.contains(&metric.name) {
        return Err(wrong(metric, &format!("it is defined by itself, through {}", above.join(", "))));
    }
    let mut parser =
        super::arguments::parser(sql).map_err(|error| wrong(metric, &format!("its SQL cannot be read: {error}")))?;
    let mut body = parser.parse_expr().map_err(|error| wrong(metric, &format!("its SQL cannot be read: {error}")))?;
    if !parser.peek_token().token.to_string().eq_ignore_ascii_case("eof") {
        return Err(wrong(metric, &format!("its SQL goes on after the expression, at `{}`", parser.peek_token())));
    }
    above.push(metric.name.clone());
    let mut inner = Inner { metrics, above };
    if let ControlFlow::Break(error) = VisitMut::visit(&mut body, &mut inner) {
        return Err(error);
    }
    above.pop();
    match VisitMut::visit(&mut body, &mut Substitution { metric, given }) {
        ControlFlow::Continue(()) => Ok(body),
        ControlFlow::Break(error) => Err(error),
    }
}

/// Writes out the metrics that a metric calls, and names the fields that it takes of results.
struct Inner<'a> {
    metrics: &'a BTreeMap<String, Metric>,
    above: &'a mut Vec<String>,
}

impl VisitorMut for Inner<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        name_fields(expression);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expression else { return ControlFlow::Continue(()) };
        match written(function, self.metrics, self.above) {
            Ok(Some(written)) => *expression = written,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// Puts what was given in the places of the arguments. It goes from the leaves up, so that what was put in is not looked at.
struct Substitution<'a> {
    metric: &'a Metric,
    given: &'a [Expr],
}

impl VisitorMut for Substitution<'_> {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        let name = match expression {
            Expr::Identifier(name) => name.value.to_lowercase(),
            Expr::CompoundIdentifier(_) => expression.to_string(),
            _ => return ControlFlow::Continue(()),
        };
        let place = self.metric.arguments.iter().position(|argument| *argument == name);
        match place.and_then(|place| self.given.get(place)) {
            Some(given) => {
                *expression = Expr::Nested(Box::new(given.clone()));
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(
                wrong(self.metric, &format!("its SQL names `{name}`, which is none of its arguments"))
                    .hint("a metric sees nothing but its arguments; add it to `arguments`"),
            ),
        }
    }
}

/// What a call gives for each argument, in the metric's order.
fn given(function: &Function, metric: &Metric) -> Result<Vec<Expr>> {
    let called = |message: String| {
        Error::query(message).hint(format!(
            "it is called as `{}`; `cxlake metrics show {}` says more",
            metric.call(),
            metric.name
        ))
    };
    if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
        return Err(called(format!("the metric `{}` takes no FILTER, OVER or WITHIN GROUP", metric.name)));
    }
    let arguments = match &function.args {
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => &list.args,
        _ => return Err(called(format!("the metric `{}` is called with its arguments only", metric.name))),
    };
    let mut places: Vec<Option<Expr>> = vec![None; metric.arguments.len()];
    for (place, argument) in arguments.iter().enumerate() {
        let (place, given) = match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(given)) => (Some(place), given),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(given), .. }
            | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(given), .. } => {
                let name = name.value.to_lowercase();
                (metric.arguments.iter().position(|argument| *argument == name), given)
            }
            _ => (None, &Expr::Identifier("*".into())),
        };
        let slot = place.and_then(|place| places.get_mut(place));
        if slot.is_none_or(|slot| slot.replace(given.clone()).is_some()) {
            return Err(called(format!("`{argument}` fits no argument of the metric `{}`", metric.name)));
        }
    }
    let missing = places.iter().position(Option::is_none);
    match missing {
        Some(place) => Err(called(format!("`{}` of the metric `{}` is missing", metric.arguments[place], metric.name))),
        None => Ok(places.into_iter().flatten().collect()),
    }
}

/// An error about a metric, with its line in the manifest.
pub fn wrong(metric: &Metric, what: &str) -> Error {
    let error = Error::invalid(format!("metric `{}`: {what}", metric.name));
    match &metric.place {
        Some((file, line)) => error.at(file.clone(), Some(*line)),
        None => error,
    }
}

/// The names of all functions and metrics that a statement calls, as written.
pub fn called(statement: &impl Visit) -> Vec<String> {
    #[derive(Default)]
    struct Names(Vec<String>);

    impl Visitor for Names {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let Expr::Function(function) = expression {
                self.0.push(function.name.to_string().to_lowercase());
            }
            ControlFlow::Continue(())
        }

        fn pre_visit_relation(&mut self, relation: &datafusion::sql::sqlparser::ast::ObjectName) -> ControlFlow<()> {
            // A table function is written as a relation.
            self.0.push(relation.to_string().to_lowercase());
            ControlFlow::Continue(())
        }
    }

    let mut names = Names::default();
    let _: ControlFlow<()> = statement.visit(&mut names);
    names.0.sort();
    names.0.dedup();
    names.0
}
