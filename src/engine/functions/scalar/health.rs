//! `health_score` and `health_coverage`: one score out of components, of which some may be missing.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Float64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::error::Error;
use crate::statistics::health::Health;

/// The coverage below which a score is unknown when nothing else is said.
const MIN_COVERAGE: f64 = 0.5;

const SCORES: Argument = Argument {
    name: "scores",
    takes: Takes::Column,
    types: Types::Numbers,
    default: None,
    what: "one for each component; null for one that is absent",
};
const WEIGHTS: Argument = Argument {
    name: "weights",
    takes: Takes::Column,
    types: Types::Numbers,
    default: None,
    what: "one for each score, 0 or more; a component whose weight is null is no component",
};

pub static SCORE_HELP: Help = Help {
    name: "health_score",
    kind: Kind::Scalar,
    summary: "Health out of components: sum(w s) / sum(w) over those that are present. With less than the least coverage it is unknown, \
              never 0.",
    arguments: &[
        SCORES,
        WEIGHTS,
        Argument {
            name: "min_coverage",
            takes: Takes::Column,
            types: Types::Number,
            default: Some("0.5"),
            what: "share of the weights that must be present, 0 to 1",
        },
    ],
    returns: "A float on the scale of the scores.",
    nulls: "A null score is absent: it is left out of both sums. Null when nothing is present, when the coverage is less than \
            `min_coverage`, when all weights are 0 and for a list that is null.",
    errors: "Lists of different length; a weight that is negative, infinite or NaN; a `min_coverage` outside 0 to 1.",
    source: "",
    examples: &[
        "select response_id, health_score([nps * 10, (csat - 1) * 25], [2, 1]) as health from surveys where answered_at is not null order \
         by response_id limit 5",
    ],
};

pub static COVERAGE_HELP: Help = Help {
    name: "health_coverage",
    kind: Kind::Scalar,
    summary: "The share of the weights of a health score whose components are present: sum(w present) / sum(w).",
    arguments: &[SCORES, WEIGHTS],
    returns: "A float, 0 to 1.",
    nulls: "A null score is absent. Null when all weights are 0 and for a list that is null.",
    errors: "Lists of different length; a weight that is negative, infinite or NaN.",
    source: "",
    examples: &[
        "select response_id, health_coverage([nps * 10, (csat - 1) * 25], [2, 1]) as coverage from surveys where answered_at is not null \
         order by response_id limit 5",
    ],
};

/// What is said of the components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Said {
    Score,
    Coverage,
}

/// Both functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct OfComponents {
    said: Said,
    signature: Signature,
}

impl OfComponents {
    pub fn score() -> Self {
        Self { said: Said::Score, signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub fn coverage() -> Self {
        Self { said: Said::Coverage, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn help(&self) -> &'static Help {
        match self.said {
            Said::Score => &SCORE_HELP,
            Said::Coverage => &COVERAGE_HELP,
        }
    }

    fn refused(&self, message: &str, hint: &str) -> DataFusionError {
        Error::invalid(format!("`{}` got {message}", self.name())).hint(hint).into()
    }

    fn health(&self, scores: &Floats<'_>, weights: &Floats<'_>, row: usize) -> Result<Option<Health>> {
        let (Some(scores), Some(weights)) = (scores.row(row), weights.row(row)) else { return Ok(None) };
        if scores.len() != weights.len() {
            let lengths = format!("{} scores and {} weights", scores.len(), weights.len());
            return Err(self.refused(&lengths, "give one weight for each score, and null for a score that is absent"));
        }
        let health = Health::of(scores.zip(weights));
        health.map(Some).map_err(|weight| {
            self.refused(&format!("the weight {weight}"), "a weight is 0 or more; leave a component out with null")
        })
    }

    fn min_coverage(&self, given: Option<&ArrayRef>, row: usize) -> Result<f64> {
        let min_coverage = match given.and_then(|given| given.as_primitive_opt::<Float64Type>()) {
            Some(given) if given.is_valid(row) => given.value(row),
            _ => MIN_COVERAGE,
        };
        if (0.0..=1.0).contains(&min_coverage) {
            return Ok(min_coverage);
        }
        Err(self.refused(&format!("the min_coverage {min_coverage}"), "it is a share of the weights, 0 to 1"))
    }
}

impl ScalarUDFImpl for OfComponents {
    fn name(&self) -> &str {
        self.help().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &[Expr]) -> Result<String> {
        Ok(headings::scalar(self.help(), call))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(self.help(), given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(self.help(), given)?;
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [scores, weights, rest @ ..] = columns.as_slice() else {
            return Err(exec_datafusion_err!("an argument is missing"));
        };
        let (scores, weights) = (Floats::of(scores), Floats::of(weights));
        let results = (0..scores.lists.len()).map(|row| {
            let Some(health) = self.health(&scores, &weights, row)? else { return Ok(None) };
            match self.said {
                Said::Coverage => Ok(health.coverage()),
                Said::Score => Ok(health.score(self.min_coverage(rest.first(), row)?)),
            }
        });
        Ok(ColumnarValue::Array(Arc::new(results.collect::<Result<Float64Array>>()?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.help().documentation())
    }
}

/// Lists of floats.
pub struct Floats<'a> {
    lists: &'a ListArray,
    items: &'a Float64Array,
}

impl<'a> Floats<'a> {
    pub fn of(lists: &'a ArrayRef) -> Self {
        let lists = lists.as_list::<i32>();
        Self { lists, items: lists.values().as_primitive::<Float64Type>() }
    }

    /// The items of a row's list; `None` when the list is null.
    pub fn row(&self, row: usize) -> Option<impl ExactSizeIterator<Item = Option<f64>> + use<'a>> {
        let items = self.items;
        let offsets = self.lists.value_offsets();
        let (start, end) = (offsets[row].as_usize(), offsets[row + 1].as_usize());
        self.lists.is_valid(row).then(|| (start..end).map(move |at| items.is_valid(at).then(|| items.value(at))))
    }
}
