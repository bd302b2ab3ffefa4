//! `decay`: what is left of a weight at some age.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::error::Error;
use crate::statistics::health;

pub static HELP: Help = Help {
    name: "decay",
    kind: Kind::Scalar,
    summary: "What is left of the weight of something of some age: 2^(-age / half_life), 1 for what is new. Stale is not missing: a \
              weight fades and never gets to 0.",
    arguments: &[
        Argument {
            name: "age_days",
            takes: Takes::Column,
            types: Types::Number,
            default: None,
            what: "age, 0 or more",
        },
        Argument {
            name: "half_life",
            takes: Takes::Column,
            types: Types::Number,
            default: None,
            what: "age at which half is left, above 0; in days, or in whatever unit the age has",
        },
    ],
    returns: "A float, 0 to 1.",
    nulls: "Null when age or half-life is null.",
    errors: "A negative age, because what lies in the future is not known yet; a half-life that is not above 0.",
    source: "",
    examples: &[
        "select account_id, sum(nps * decay(date '2026-10-06' - cast(answered_at as date), 180)) / sum(decay(date '2026-10-06' - \
         cast(answered_at as date), 180)) as faded_nps from surveys where nps is not null group by account_id order by account_id limit 5",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Decay {
    signature: Signature,
}

impl Decay {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Decay {
    fn name(&self) -> &str {
        HELP.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &[Expr]) -> Result<String> {
        Ok(headings::scalar(&HELP, call))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(&HELP, given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(&HELP, given)?;
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [age, half_life] = take_function_args(HELP.name, &columns)?;
        let floats = |column: &'_ ArrayRef| column.as_primitive::<Float64Type>().clone();
        let (age, half_life) = (floats(age), floats(half_life));
        let results = age.iter().zip(&half_life).map(|pair| {
            let (Some(age), Some(half_life)) = pair else { return Ok(None) };
            check(age, half_life)?;
            Ok(Some(health::decay(age, half_life)))
        });
        Ok(ColumnarValue::Array(Arc::new(results.collect::<Result<Float64Array>>()?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}

fn check(age: f64, half_life: f64) -> Result<()> {
    if age < 0.0 {
        let message = format!("`decay` got the age {age}: the row lies in the future, which nobody knew then");
        return Err(Error::invalid(message).hint("leave such rows out, as in `where answered_at < $as_of`").into());
    }
    if half_life > 0.0 {
        return Ok(());
    }
    let error = Error::invalid(format!("`decay` got the half-life {half_life}, which is not above 0"));
    Err(error.hint("it is the age at which half is left, such as 180 days").into())
}
