//! `wilson`: a share with its interval, from two counts.

use std::sync::LazyLock;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Fields, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::constant::Constant;
use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::structs::{fields, structs};
use super::super::types::{self, Types};
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
            types: Types::Number,
            default: None,
            what: "how many it holds for",
        },
        Argument { name: "n", takes: Takes::Column, types: Types::Number, default: None, what: "how many there are" },
        Argument {
            name: "confidence",
            takes: Takes::Value,
            types: Types::Number,
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

static FIELDS: LazyLock<Fields> = LazyLock::new(|| fields(&[], &["share", "low", "high"]));

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

    fn schema_name(&self, call: &[Expr]) -> Result<String> {
        Ok(headings::scalar(&WILSON, call))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(&WILSON, given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(&WILSON, given)?;
        Ok(DataType::Struct(FIELDS.clone()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let z = normal_quantile(Constant::of_values(&WILSON, "confidence", &arguments.args)?.confidence()?);
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
                    return Err(error.hint("`k` counts some of `n`: 0 <= k <= n").into());
                }
                Some((k, n)) => (n > 0.0).then(|| {
                    let share = k / n;
                    let interval = wilson(Share { share, n }, z);
                    ([], [share, interval.low, interval.high].map(Some))
                }),
            });
        }
        Ok(ColumnarValue::Array(structs(&FIELDS, rows.into_iter())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(WILSON.documentation())
    }
}
