//! `robust_z`: how far a row lies from the middle of its partition.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use super::peers::column;
use crate::statistics::order::RobustScale;

pub static HELP: Help = Help {
    name: "robust_z",
    kind: Kind::Window,
    summary: "Robust z of a value among all of its partition: 0.6745 (x - median) / MAD, an outlier beyond 3.5. Costs and other ratios \
              are skewed: give their logarithm. All rows of the partition count, whatever frame or order is given.",
    arguments: &[Argument { name: "x", takes: Takes::Column, types: Types::Number, default: None, what: "the values" }],
    returns: "A float: robust standard deviations above the median. Where the MAD is 0, because more than half of the values are equal, \
              the interquartile range by 1.349 stands for the standard deviation.",
    nulls: "Null for a null, which does not count among the values; null for all with fewer than five values, and where \
            interquartile range and MAD are 0.",
    errors: "",
    source: "Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993. Quartiles as by `percentile_cont`.",
    examples: &[
        "select account_id, annual_revenue, robust_z(ln(annual_revenue)) over (partition by segment) as z from accounts order by z desc \
         limit 5",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RobustZ {
    signature: Signature,
}

impl RobustZ {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl WindowUDFImpl for RobustZ {
    fn name(&self) -> &str {
        HELP.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(&HELP, given))
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        types::check(&HELP, arguments.input_fields().iter().map(|field| field.data_type()))?;
        Ok(Arc::new(Field::new(arguments.name(), DataType::Float64, true)))
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Scores))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}

#[derive(Debug)]
struct Scores;

impl PartitionEvaluator for Scores {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let values = column(values)?;
        let scale = RobustScale::of(&mut values.iter().flatten().collect::<Vec<f64>>());
        let scores = values.iter().map(|value| Some(scale?.z(value?)));
        Ok(Arc::new(scores.collect::<Float64Array>()))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::Float64Type;

    use super::*;

    fn scores(values: Vec<Option<f64>>) -> Vec<Option<f64>> {
        let column: ArrayRef = Arc::new(Float64Array::from(values));
        let result = Scores.evaluate_all(&[Arc::clone(&column)], column.len()).expect("scores");
        result.as_primitive::<Float64Type>().iter().collect()
    }

    #[test]
    fn nulls_get_no_score_and_do_not_count() {
        let got = scores(vec![Some(1.0), None, Some(2.0), Some(3.0), Some(4.0), Some(100.0)]);
        assert_eq!(got[1], None);
        assert_eq!(got[3], Some(0.0));
        assert_eq!(got[5], Some(0.6745 * 97.0));
    }

    #[test]
    fn four_values_get_no_verdict_and_neither_do_equal_ones() {
        assert_eq!(scores(vec![Some(1.0), None, Some(2.0), Some(3.0), Some(4.0)]), [None; 5]);
        assert_eq!(scores(vec![Some(7.0); 6]), [None; 6]);
        assert_eq!(scores(vec![None; 6]), [None; 6]);
        assert_eq!(scores(vec![]), []);
    }
}
