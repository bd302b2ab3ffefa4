//! `wilson`: a share with its interval, from two counts.

use std::sync::LazyLock;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Fields, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::super::constant::{checked_confidence, external};
use super::super::help::{Argument, Help, Kind, Takes};
use super::measures;
use crate::error::Error;
use crate::statistics::proportion::{Share, normal_quantile, wilson};

pub static WILSON: Help = Help {
    name: "wilson",
    kind: Kind::Scalar,
    summary: "A share with its interval, from how many hold and how many there are.",
    arguments: &[
        Argument {
            name: "k",
            takes: Takes::Column,
            types: "int, float or decimal",
            default: None,
            what: "how many it holds for",
        },
        Argument {
            name: "n",
            takes: Takes::Column,
            types: "int, float or decimal",
            default: None,
            what: "how many there are",
        },
        Argument {
            name: "confidence",
            takes: Takes::Value,
            types: "float",
            default: Some("0.95"),
            what: "confidence of the interval, between 0 and 1",
        },
    ],
    returns: "A struct of floats from 0 to 1: share, low and high.",
    nulls: "Null when k or n is null, and when n is 0.",
    errors: "k or n below 0 or not finite, and k above n.",
    source: "Wilson's score interval (Journal of the American Statistical Association 22, 1927).",
    examples: &[
        "select wilson(8, 10) as share",
        "select status, wilson(count(*) filter (where is_reopened), count(*))['low'] as at_least from escalations group \
         by status order by status",
    ],
};

static FIELDS: LazyLock<Fields> = LazyLock::new(|| measures::fields(&["share", "low", "high"]));

/// `wilson`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Wilson {
    signature: Signature,
}

impl Wilson {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Wilson {
    fn name(&self) -> &str {
        WILSON.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Numbers as floats; [`Self::return_type`] refuses the rest, since the engine hides the hint of an error made here.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let number = |given: &DataType| given.is_numeric() || given.is_null();
        Ok(given.iter().map(|given| if number(given) { DataType::Float64 } else { given.clone() }).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        if (2..=3).contains(&given.len()) && given.iter().all(|given| given == &DataType::Float64) {
            return Ok(DataType::Struct(FIELDS.clone()));
        }
        let error = Error::query("`wilson` takes two numbers, and a confidence");
        Err(external(error.hint(format!("it is called as `{}`", WILSON.syntax()))))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let confidence = match arguments.args.get(2) {
            None | Some(ColumnarValue::Scalar(ScalarValue::Float64(None))) => None,
            Some(ColumnarValue::Scalar(ScalarValue::Float64(given))) => *given,
            Some(_) => {
                let error = Error::query("`confidence` of `wilson` takes a constant, the same for all rows");
                return Err(external(error.hint(format!("it is called as `{}`", WILSON.syntax()))));
            }
        };
        let z = normal_quantile(checked_confidence(&WILSON, confidence)?);
        let counts: Vec<_> = arguments
            .args
            .into_iter()
            .take(2)
            .map(|count| count.into_array(arguments.number_rows))
            .collect::<Result<_>>()?;
        let (all_k, all_n) = (counts[0].as_primitive::<Float64Type>(), counts[1].as_primitive::<Float64Type>());
        let mut rows = Vec::with_capacity(arguments.number_rows);
        for (k, n) in all_k.iter().zip(all_n) {
            rows.push(match k.zip(n) {
                None => None,
                Some((k, n)) if !(n.is_finite() && (0.0..=n).contains(&k)) => {
                    let error = Error::invalid(format!("`wilson` got {k} of {n}"));
                    return Err(external(error.hint("`k` counts some of `n`: 0 <= k <= n")));
                }
                Some((k, n)) => (n > 0.0).then(|| {
                    let share = k / n;
                    let interval = wilson(Share { share, n }, z);
                    [share, interval.low, interval.high]
                }),
            });
        }
        Ok(ColumnarValue::Array(measures::structs(&FIELDS, rows.into_iter())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(WILSON.documentation())
    }
}
