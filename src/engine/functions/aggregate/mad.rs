//! `mad`: the median absolute deviation.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::super::constant::Constant;
use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use super::samples::{GroupedSamples, Samples, Statistic, state_fields};
use crate::statistics::order;

pub static HELP: Help = Help {
    name: "mad",
    kind: Kind::Aggregate,
    summary: "Median absolute deviation: the median distance of the values from their median. A spread that no single value can \
              blow up.",
    arguments: &[
        Argument { name: "value", takes: Takes::Column, types: Types::Number, default: None, what: "the values" },
        Argument {
            name: "scale",
            takes: Takes::Value,
            types: Types::Number,
            default: Some("null"),
            what: "factor on the result; 1.4826 makes it comparable with a standard deviation; without it the result is not scaled",
        },
    ],
    returns: "A float in the unit of the values; NaN counts as larger than every number.",
    nulls: "Nulls are left out; null when no value is left.",
    errors: "A `scale` that is no constant above 0.",
    source: "Hampel, The influence curve and its role in robust estimation, 1974. DuckDB's `mad` is the unscaled one, too; R's multiplies \
             by 1.4826.",
    examples: &[
        "select function, median(cost / touches) as median, mad(cost / touches) as mad from cost_per_touch where touches > 0 group by \
         function order by function",
        "select mad(annual_revenue, scale => 1.4826) as robust_deviation from accounts",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Mad {
    signature: Signature,
}

impl Mad {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

#[derive(Clone, Debug)]
struct Scaled {
    scale: f64,
}

impl Scaled {
    fn from(arguments: &AccumulatorArgs<'_>) -> Result<Self> {
        let given = Constant::of(&HELP, "scale", arguments.exprs)?;
        let scale = given.number()?.unwrap_or(1.0);
        if scale > 0.0 && scale.is_finite() {
            return Ok(Self { scale });
        }
        let error = given.refused("which is not above 0");
        Err(error.hint("leave it out for the median absolute deviation as it is, or give 1.4826").into())
    }
}

impl Statistic<1> for Scaled {
    fn counts(&self, _: &[f64; 1]) -> Result<bool> {
        Ok(true)
    }

    fn of(&self, samples: &mut [[f64; 1]]) -> Option<f64> {
        order::mad(samples.as_flattened_mut()).map(|mad| self.scale * mad)
    }
}

impl AggregateUDFImpl for Mad {
    fn name(&self) -> &str {
        HELP.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, call: &AggregateFunctionParams) -> Result<String> {
        headings::aggregate(self, &HELP, call)
    }

    fn window_function_schema_name(&self, call: &WindowFunctionParams) -> Result<String> {
        headings::window(self, &HELP, call)
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(&HELP, given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(&HELP, given)?;
        Ok(DataType::Float64)
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&arguments, &["values"]))
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Samples::new(Scaled::from(&arguments)?, arguments.is_distinct)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupedSamples::new(Scaled::from(&arguments)?, arguments.is_distinct)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}
