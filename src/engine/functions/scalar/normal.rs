//! `z_value` and `p_value`: from a confidence to standard errors, and from standard errors to a probability.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
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
use crate::statistics::proportion;

pub static Z_VALUE: Help = Help {
    name: "z_value",
    kind: Kind::Scalar,
    summary: "How many standard errors an interval of a confidence reaches to each side: 1.96 for 95 per cent.",
    arguments: &[Argument {
        name: "confidence",
        takes: Takes::Column,
        types: Types::Number,
        default: None,
        what: "probability that the interval covers the true value, between 0 and 1",
    }],
    returns: "A float above 0: the two-sided quantile of the normal distribution.",
    nulls: "Null when the confidence is null.",
    errors: "A confidence that is not between 0 and 1.",
    source: "",
    examples: &["select z_value(0.95) as z", "select z_value(1 - 0.05 / 10) as z_of_ten_comparisons"],
};

pub static P_VALUE: Help = Help {
    name: "p_value",
    kind: Kind::Scalar,
    summary: "How probable a difference at least so many standard errors from zero is, to either side, where there is none.",
    arguments: &[Argument {
        name: "z",
        takes: Takes::Column,
        types: Types::Number,
        default: None,
        what: "a difference in standard errors",
    }],
    returns: "A float, 0 to 1: both tails of the normal distribution.",
    nulls: "Null when z is null.",
    errors: "A z that is no number (NaN).",
    source: "",
    examples: &["select p_value(1.96) as p"],
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Confidence,
    Z,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Normal {
    of: Of,
    signature: Signature,
}

impl Normal {
    pub fn z_value() -> Self {
        Self { of: Of::Confidence, signature: Signature::user_defined(Volatility::Immutable) }
    }

    pub fn p_value() -> Self {
        Self { of: Of::Z, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn help(&self) -> &'static Help {
        match self.of {
            Of::Confidence => &Z_VALUE,
            Of::Z => &P_VALUE,
        }
    }

    fn value(&self, given: f64) -> Result<f64> {
        match self.of {
            Of::Confidence if given > 0.0 && given < 1.0 => Ok(proportion::normal_quantile(given)),
            Of::Confidence => {
                let error = Error::invalid(format!("`z_value` got the confidence {given}, not between 0 and 1"));
                Err(error.hint("95 per cent is 0.95").into())
            }
            Of::Z if given.is_nan() => Err(Error::invalid("`p_value` got NaN, which is no number").into()),
            Of::Z => Ok(proportion::two_sided(given)),
        }
    }
}

impl ScalarUDFImpl for Normal {
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
        let [given] = take_function_args(self.help().name, &columns)?;
        let values = given.as_primitive::<Float64Type>().iter();
        let results = values.map(|given| given.map(|given| self.value(given)).transpose());
        Ok(ColumnarValue::Array(Arc::new(results.collect::<Result<Float64Array>>()?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.help().documentation())
    }
}
