//! The saved query of an alert, with one more column that says which of its rows are alerts.

use chrono::{DateTime, Utc};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::scalar::ScalarValue;

use super::run::{self, Absent, Planned};
use super::saved::Library;
use crate::engine::{Engine, SqlText};
use crate::error::{Error, Result};
use crate::lake::alert::Alert;
use crate::suggest;

/// Name of the column that says whether a row is an alert.
const HOLDS: &str = "cxlake alert holds";

/// The query of an alert with one more column, the last, for its condition.
///
/// # Errors
/// `InvalidData` with the alert's line when it names a column that is not there; those of planning.
pub async fn plan(engine: &Engine, library: &Library, alert: &Alert, now: DateTime<Utc>) -> Result<Planned> {
    let (file, line) = &alert.place;
    let at = |error: Error| error.at(file, Some(*line));
    let given = run::typed(&library.with_used(&alert.query).await.map_err(at)?, &alert.params);
    let mut planned = run::plan(engine, library, &alert.query, &given, now, Absent::IsError).await.map_err(at)?;
    let names: Vec<&str> = planned.plan.schema().fields().iter().map(|field| field.name().as_str()).collect();
    if let Some(unknown) = alert.key.iter().chain(&alert.show).find(|name| !names.contains(&name.as_str())) {
        let error = at(Error::invalid(format!(
            "`{}` has no column `{unknown}`, which alert `{}` names",
            alert.query, alert.name
        )));
        return Err(match suggest::nearest(unknown, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("its columns: {}", suggest::list(names))),
        });
    }
    let holds = match &alert.condition {
        None => lit(true),
        Some((sql, line)) => {
            let sql = SqlText { text: sql, file: Some(file), line: *line, column: None };
            let values: Vec<(String, ScalarValue)> =
                planned.bound.iter().map(|bound| (bound.name.clone(), bound.value.clone())).collect();
            planned.engine.condition(&planned.plan, &sql, &values)?.is_true()
        }
    };
    let mut columns: Vec<Expr> =
        planned.plan.schema().iter().map(|(table, field)| Expr::Column((table, field).into())).collect();
    columns.push(holds.alias(HOLDS));
    let extended = LogicalPlanBuilder::from(planned.plan).project(columns).and_then(LogicalPlanBuilder::build);
    planned.plan = extended.map_err(|error| Error::internal(error.to_string()))?;
    Ok(planned)
}
