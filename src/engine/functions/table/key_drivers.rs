//! `key_drivers`: what moves a score, and by how much.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::Types;
use super::{Call, Given, TableFunction, read};
use crate::error::{Error, Result};
use crate::statistics::regression::{self, Driver, Importance, LMG_DRIVERS_MAX, Reason, Refusal};
use crate::suggest;

pub static HELP: Help = Help {
    name: "key_drivers",
    kind: Kind::Table,
    summary: "Which drivers move a score, and how much of it each explains: relative weights of a regression.",
    arguments: &[
        Argument {
            name: "relation",
            takes: Takes::Relation,
            types: Types::Table,
            default: None,
            what: "a table, a view, a CTE or a query in parentheses, one row per answer",
        },
        Argument {
            name: "target",
            takes: Takes::Column,
            types: Types::NumberOrBool,
            default: None,
            what: "the score to explain, such as nps; true counts as 1",
        },
        Argument {
            name: "driver",
            takes: Takes::Columns,
            types: Types::NumberOrBool,
            default: None,
            what: "what may explain it; `*` takes all columns that no other argument names",
        },
        Argument {
            name: "missing",
            takes: Takes::Value,
            types: Types::Codes,
            default: Some("null"),
            what: "codes that mean blank in every driver, and in the target too unless it has its own, such as `[0, 6]`",
        },
        Argument {
            name: "target_missing",
            takes: Takes::Value,
            types: Types::Codes,
            default: Some("null"),
            what: "codes that mean blank in the target in place of `missing`, such as `[11]` for an nps in which 0 and 6 \
                are scores; `[]` for none",
        },
        Argument {
            name: "weight",
            takes: Takes::Column,
            types: Types::Number,
            default: Some("null"),
            what: "how much each row counts, such as a survey weight; rows without one are left out",
        },
    ],
    returns: "One row per driver, the most important first, those left out last. `driver`: its name. `weight`: the part of \
        the target's variance that it explains (Johnson's relative weight); the weights sum to `r_squared`. `share`: \
        weight / r_squared, 0 to 1. `lmg`: the same part by another method (mean gain of R-squared over all orders of \
        entry), to trust where both agree; up to 12 drivers. `correlation`: with the target, from -1 to 1. `coefficient`: \
        of the regression on all drivers, in standard deviations of the target for one of the driver. `direction`: `+` \
        when more of the driver goes with more of the target at the same values of the others, else `-`; it is the sign of \
        the coefficient, so a `-` beside a positive correlation says that other drivers carry what this one seems to. \
        `r_squared`: the part of the variance that all explain together. `n`: rows used. `left_out_rows`: rows without \
        the target or one of the used drivers. `blank_rows`: rows without this driver, so that one seldom answered is \
        seen to cost rows. `note`: why a driver was left out. Importance is association: it doesn't say what a change of \
        the driver would do.",
    nulls: "A row with a null (or a missing code) in the target or a used driver is left out whole. A driver that is \
        always blank, never varies, or follows exactly from drivers given before it is left out with a note, and the rows \
        that only it lacked come back.",
    errors: "Text and dates; a target that is always blank or never varies; no more rows than drivers plus one; NaN; a \
        negative weight.",
    source: "Johnson, Multivariate Behavioral Research 35 (2000) 1-19; Lindeman, Merenda and Gold 1980 for lmg.",
    examples: &[
        "select driver, share, direction, n, left_out_rows from key_drivers((select avg(nps) as nps, avg(csat) as csat, avg(ces) as ces from surveys group by account_id), nps, csat, ces)",
        "with asked as (select nps, csat, touchpoint = 'email survey' as by_email from surveys) select * from key_drivers(asked, nps, *)",
    ],
};

const FIELDS: [(&str, DataType); 12] = [
    ("driver", DataType::Utf8),
    ("weight", DataType::Float64),
    ("share", DataType::Float64),
    ("lmg", DataType::Float64),
    ("correlation", DataType::Float64),
    ("coefficient", DataType::Float64),
    ("direction", DataType::Utf8),
    ("r_squared", DataType::Float64),
    ("n", DataType::Int64),
    ("left_out_rows", DataType::Int64),
    ("blank_rows", DataType::Int64),
    ("note", DataType::Utf8),
];

/// The function.
#[derive(Debug)]
pub struct KeyDrivers;

impl TableFunction for KeyDrivers {
    fn help(&self) -> &'static Help {
        &HELP
    }

    fn fields(&self, _: &[Given]) -> Result<Vec<Field>> {
        Ok(FIELDS.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect())
    }

    fn run(&self, call: &Call) -> Result<Vec<ArrayRef>> {
        let missing = call.constant("missing")?.numbers()?.unwrap_or_default();
        let target_missing = call.constant("target_missing")?.numbers()?.unwrap_or_else(|| missing.clone());
        let answers = |(name, array): (&str, &ArrayRef), missing: &[f64]| {
            let values = read::numbers(name, array)?;
            let values = values.into_iter().map(|value| value.filter(|value| !missing.contains(value)));
            Ok((name.to_owned(), values.collect::<Vec<_>>()))
        };
        let targets: Vec<(String, Vec<Option<f64>>)> =
            call.columns("target").map(|given| answers(given, &target_missing)).collect::<Result<_>>()?;
        let [(target_name, target)] = targets.as_slice() else { return Err(Error::internal("one target")) };
        let drivers: Vec<(String, Vec<Option<f64>>)> =
            call.columns("driver").map(|given| answers(given, &missing)).collect::<Result<_>>()?;
        let (names, drivers): (Vec<String>, Vec<Vec<Option<f64>>>) = drivers.into_iter().unzip();
        let weights = read::weights(call)?;
        let found = regression::key_drivers(target, &drivers, weights.as_deref())
            .map_err(|refusal| refused(refusal, target_name, target.len()))?;

        let used = found.drivers.iter().filter(|driver| matches!(driver, Driver::Used(_))).count();
        let mut order: Vec<usize> = (0..names.len()).collect();
        let weight = |driver: usize| importance(&found.drivers[driver]).map(|importance| importance.weight);
        order.sort_by(|&a, &b| {
            match (weight(a), weight(b)) {
                (Some(a), Some(b)) => b.total_cmp(&a),
                (a, b) => b.is_some().cmp(&a.is_some()),
            }
            .then_with(|| names[a].cmp(&names[b]))
        });
        let importances: Vec<Option<Importance>> =
            order.iter().map(|&driver| importance(&found.drivers[driver])).collect();
        let floats = |value: &dyn Fn(&Importance) -> Option<f64>| -> ArrayRef {
            let values = importances.iter().map(|importance| importance.as_ref().and_then(value));
            Arc::new(values.collect::<Float64Array>())
        };
        let same = |number: usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(order.iter().map(|_| i64::try_from(number).unwrap_or(i64::MAX))))
        };
        let r_squared = found.r_squared.filter(|r_squared| *r_squared > 0.0);
        let directions = importances.iter().map(|importance| match importance.as_ref()?.coefficient {
            coefficient if coefficient > 0.0 => Some("+"),
            coefficient if coefficient < 0.0 => Some("-"),
            _ => None,
        });
        let blanks = order.iter().map(|&driver| drivers[driver].iter().filter(|value| value.is_none()).count());
        let notes = order.iter().map(|&driver| match &found.drivers[driver] {
            Driver::LeftOut(reason) => {
                let is_blank = drivers[driver].iter().all(Option::is_none);
                Some(note(reason, &names, target_name, is_blank))
            }
            Driver::Used(_) if used > LMG_DRIVERS_MAX => {
                Some(format!("lmg is computed for up to {LMG_DRIVERS_MAX} drivers"))
            }
            Driver::Used(_) => None,
        });
        Ok(vec![
            Arc::new(StringArray::from_iter_values(order.iter().map(|&driver| &names[driver]))),
            floats(&|importance| Some(importance.weight)),
            floats(&|importance| Some(importance.weight / r_squared?)),
            floats(&|importance| importance.lmg),
            floats(&|importance| Some(importance.correlation)),
            floats(&|importance| Some(importance.coefficient)),
            Arc::new(directions.collect::<StringArray>()),
            Arc::new(Float64Array::from(vec![found.r_squared; order.len()])),
            same(found.rows),
            same(found.left_out),
            Arc::new(Int64Array::from_iter_values(blanks.map(|count| i64::try_from(count).unwrap_or(i64::MAX)))),
            Arc::new(notes.collect::<StringArray>()),
        ])
    }
}

fn importance(driver: &Driver) -> Option<Importance> {
    match driver {
        Driver::Used(importance) => Some(*importance),
        Driver::LeftOut(_) => None,
    }
}

fn note(reason: &Reason, names: &[String], target: &str, is_blank: bool) -> String {
    match reason {
        Reason::Blank if is_blank => "left out: always blank".to_owned(),
        Reason::Blank => format!("left out: blank in every row that has `{target}`"),
        Reason::Constant(value) => format!("left out: {value} in every row that could be used"),
        Reason::Collinear(others) => match others.as_slice() {
            [other] => format!("left out: moves exactly with `{}`", names[*other]),
            others => {
                let others = suggest::list(others.iter().map(|&other| names[other].as_str()));
                format!("left out: follows exactly from {others}")
            }
        },
    }
}

fn refused(refusal: Refusal, target: &str, rows: usize) -> Error {
    match refusal {
        Refusal::NoTarget => Error::invalid(format!("`{target}` has no value in {rows} rows"))
            .hint("look at the filter, the codes in `missing` and the weights"),
        Refusal::ConstantTarget(value) => {
            Error::invalid(format!("`{target}` is {value} in all rows used, so there is nothing to explain"))
                .hint("look at the filter, and at drivers that are blank where it varies")
        }
        Refusal::TooFewRows { rows, drivers } => Error::invalid(format!(
            "{rows} rows have `{target}` and all of {drivers} drivers, which is too few"
        ))
        .hint(format!("at least {} are needed: give fewer drivers, or none that is seldom answered", drivers + 2)),
    }
}
