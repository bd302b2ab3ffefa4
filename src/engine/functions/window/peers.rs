//! `median_excluding_self` and `count_excluding_self`: what a row is held against, itself left out.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::super::constant::Constant;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::statistics::order::Peers;

const X: Argument =
    Argument { name: "x", takes: Takes::Column, types: Types::Number, default: None, what: "the values" };

pub static MEDIAN_HELP: Help = Help {
    name: "median_excluding_self",
    kind: Kind::Window,
    summary: "The median of the other rows of the partition: what a row is held against. A row with a value of its own is left out of its \
              own median; every other row of the partition counts, whatever frame or order is given.",
    arguments: &[
        X,
        Argument {
            name: "min_peers",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("4"),
            what: "other values that a median needs, 1 or more",
        },
    ],
    returns: "A float in the unit of the values; NaN counts as larger than every number.",
    nulls: "Nulls are nobody's peers; a row without a value gets the median of all others that have one. Null with fewer peers than \
            `min_peers`.",
    errors: "A `min_peers` that is no whole number of 1 or more.",
    source: "",
    examples: &[
        "select function, office_id, touches, median_excluding_self(touches) over (partition by function, category) as peer_median from \
         cost_per_touch where period = '2026-09-01' order by function, office_id limit 5",
    ],
};

pub static COUNT_HELP: Help = Help {
    name: "count_excluding_self",
    kind: Kind::Window,
    summary: "The number of other rows of the partition that have a value: how many peers `median_excluding_self` has. Every other row of \
              the partition counts, whatever frame or order is given.",
    arguments: &[X],
    returns: "A whole number, 0 where there are none.",
    nulls: "Nulls are nobody's peers; a row without a value has all others that have one for peers.",
    errors: "",
    source: "",
    examples: &[
        "select office_id, region, count_excluding_self(fte) over (partition by region) as peers from offices order by office_id limit 5",
    ],
};

/// What is said of a row's peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Said {
    Median,
    Count,
}

/// Both functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExcludingSelf {
    said: Said,
    signature: Signature,
}

impl ExcludingSelf {
    pub fn median() -> Self {
        Self::new(Said::Median)
    }

    pub fn count() -> Self {
        Self::new(Said::Count)
    }

    fn new(said: Said) -> Self {
        Self { said, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn help(&self) -> &'static Help {
        match self.said {
            Said::Median => &MEDIAN_HELP,
            Said::Count => &COUNT_HELP,
        }
    }
}

impl WindowUDFImpl for ExcludingSelf {
    fn name(&self) -> &str {
        self.help().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(self.help(), given))
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        types::check(self.help(), arguments.input_fields().iter().map(|field| field.data_type()))?;
        let (data_type, is_nullable) = match self.said {
            Said::Median => (DataType::Float64, true),
            Said::Count => (DataType::Int64, false),
        };
        Ok(Arc::new(Field::new(arguments.name(), data_type, is_nullable)))
    }

    fn partition_evaluator(&self, arguments: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(match self.said {
            Said::Count => Box::new(Counts),
            Said::Median => Box::new(Medians { min_peers: min_peers(&arguments)? }),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.help().documentation())
    }
}

fn min_peers(arguments: &PartitionEvaluatorArgs<'_>) -> Result<usize> {
    let given = Constant::of(&MEDIAN_HELP, "min_peers", arguments.input_exprs())?.whole(1..=i64::MAX)?;
    Ok(given.and_then(|given| usize::try_from(given).ok()).unwrap_or(usize::MAX))
}

#[derive(Debug)]
struct Medians {
    min_peers: usize,
}

impl PartitionEvaluator for Medians {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let own = column(values)?;
        let peers = Peers::new(own.iter().flatten().collect());
        let medians = own.iter().map(|own| {
            let is_enough = peers.count(own) >= self.min_peers;
            if is_enough { peers.median(own) } else { None }
        });
        Ok(Arc::new(medians.collect::<Float64Array>()))
    }
}

#[derive(Debug)]
struct Counts;

impl PartitionEvaluator for Counts {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let own = column(values)?;
        let all = i64::try_from(own.len() - own.null_count()).map_err(|_| exec_datafusion_err!("too many rows"))?;
        let counts = own.iter().map(|own| all - i64::from(own.is_some()));
        Ok(Arc::new(counts.collect::<Int64Array>()))
    }
}

/// The values of the partition.
pub fn column(values: &[ArrayRef]) -> Result<&Float64Array> {
    let column = values.first().ok_or_else(|| exec_datafusion_err!("an argument is missing"))?;
    Ok(column.as_primitive::<Float64Type>())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;
    use crate::statistics::order::{ascending, median};

    fn medians(values: Vec<Option<f64>>, min_peers: usize) -> Vec<Option<f64>> {
        let column: ArrayRef = Arc::new(Float64Array::from(values));
        let count = column.len();
        let result = Medians { min_peers }.evaluate_all(&[column], count).expect("medians");
        result.as_primitive::<Float64Type>().iter().collect()
    }

    fn counts(values: Vec<Option<f64>>) -> Vec<i64> {
        let column: ArrayRef = Arc::new(Float64Array::from(values));
        let result = Counts.evaluate_all(&[Arc::clone(&column)], column.len()).expect("counts");
        result.as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn each_row_is_held_against_all_others() {
        let mut seed = 7_u64;
        for count in 0..40 {
            let values: Vec<Option<f64>> = (0..count)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    [None, Some(1.0), Some(1.0), Some(2.5), Some(-4.0), Some(9.0), Some(1e308), Some(f64::NAN)]
                        [usize::try_from(seed >> 61).expect("below 8")]
                })
                .collect();
            let others = |row: usize| -> Vec<f64> {
                let others = values.iter().enumerate().filter(|(other, _)| *other != row);
                others.filter_map(|(_, value)| *value).collect()
            };
            for min_peers in [1, 4] {
                let got = medians(values.clone(), min_peers);
                for (row, got) in got.into_iter().enumerate() {
                    let mut others = others(row);
                    let is_enough = others.len() >= min_peers;
                    let wanted = if is_enough { median(&mut others) } else { None };
                    let is_same = got.zip(wanted).is_none_or(|(got, wanted)| ascending(&got, &wanted).is_eq());
                    assert!(is_same && got.is_some() == wanted.is_some(), "{row} of {values:?}: {got:?}, {wanted:?}");
                }
            }
            let wanted: Vec<i64> =
                (0..values.len()).map(|row| i64::try_from(others(row).len()).expect("few")).collect();
            assert_eq!(counts(values.clone()), wanted);
        }
    }

    #[test]
    fn one_row_has_no_peers() {
        assert_eq!(medians(vec![Some(1.0)], 1), [None]);
        assert_eq!(medians(vec![None], 1), [None]);
        assert_eq!(counts(vec![Some(1.0)]), [0]);
        assert_eq!(medians(vec![None, Some(3.0)], 1), [Some(3.0), None]);
    }
}
