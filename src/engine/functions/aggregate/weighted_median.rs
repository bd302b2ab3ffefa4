//! `weighted_median`: the value at half of the weight.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Expr, GroupsAccumulator, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use super::samples::{GroupedSamples, Samples, Statistic, state_fields};
use crate::error::Error;
use crate::statistics::order;

pub static HELP: Help = Help {
    name: "weighted_median",
    kind: Kind::Aggregate,
    summary: "The value at which half of the weight is reached, values ascending. Where exactly half of the weight lies below it, the mean \
              of the two values on either side, so that equal weights give the plain median.",
    arguments: &[
        Argument { name: "value", takes: Takes::Column, types: Types::Number, default: None, what: "the values" },
        Argument {
            name: "weight",
            takes: Takes::Column,
            types: Types::Number,
            default: None,
            what: "0 or more; only the ratio of weights matters, and 0 counts nothing",
        },
    ],
    returns: "A float in the unit of the values; NaN counts as larger than every number. Half of the weight is met within a \
              millionth of a millionth, so that 0.1 + 0.2 is half of 0.6.",
    nulls: "Rows without value or weight are left out; null when no weight is left.",
    errors: "A weight that is negative, infinite or NaN.",
    source: "Edgeworth, On a new method of reducing observations, 1888: the mean of lower and upper weighted median.",
    examples: &[
        "select segment, median(annual_revenue) as of_accounts, weighted_median(annual_revenue, annual_revenue) as of_revenue from \
         accounts group by segment order by segment",
        "select weighted_median(nps, weight) as median_nps from surveys",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct WeightedMedian {
    signature: Signature,
}

impl WeightedMedian {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

#[derive(Clone, Debug)]
struct HalfOfWeight;

impl Statistic<2> for HalfOfWeight {
    fn counts(&self, [_, weight]: &[f64; 2]) -> Result<bool> {
        if *weight >= 0.0 && weight.is_finite() {
            return Ok(*weight > 0.0);
        }
        let error = Error::invalid(format!("`weighted_median` got the weight {weight}; a weight is 0 or more"));
        Err(error.hint("0 or null makes a row count nothing").into())
    }

    fn of(&self, samples: &mut [[f64; 2]]) -> Option<f64> {
        order::weighted_median(samples)
    }
}

impl AggregateUDFImpl for WeightedMedian {
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
        Ok(state_fields(&arguments, &["values", "weights"]))
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Samples::new(HalfOfWeight, arguments.is_distinct)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupedSamples::new(HalfOfWeight, arguments.is_distinct)))
    }

    /// Of values that are their own weights the engine would take the two arguments for one and group by it. It leaves calls with a
    /// filter as they are, and this one passes all rows that count.
    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        Some(Box::new(|mut call, _| {
            let params = &mut call.params;
            if params.distinct
                && params.filter.is_none()
                && let [value, weight] = params.args.as_slice()
                && value == weight
            {
                params.filter = Some(Box::new(value.clone().is_not_null()));
            }
            Ok(Expr::AggregateFunction(call))
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}
