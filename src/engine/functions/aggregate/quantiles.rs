//! `median` and `percentile_cont` of floating-point numbers, for many groups in one buffer.
//!
//! The engine keeps a list for each group and counts the bytes of all of them with every batch, which takes longer than the rest where
//! groups are many. It also rounds the place between two neighbours to a millionth. Here values are kept as `samples` keeps them, and
//! interpolated as `statistics::order` does. The median of whole numbers is a floating-point number too: the engine cuts off the half.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::{median, percentile_cont};
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

use super::samples::{GroupedSamples, Samples, Statistic, state_fields};
use crate::statistics::order;

/// The engine's function, with floats of our own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Quantiles {
    engine: Arc<AggregateUDF>,
    signature: Signature,
}

/// The functions.
pub fn all() -> [AggregateUDF; 2] {
    let median = median::median_udaf();
    let any = Signature::user_defined(Volatility::Immutable);
    let percentile = percentile_cont::percentile_cont_udaf();
    let theirs = percentile.signature().clone();
    [Quantiles { engine: median, signature: any }.into(), Quantiles { engine: percentile, signature: theirs }.into()]
}

/// Whether a call is of floats, all of them.
fn is_ours(arguments: &[FieldRef], is_distinct: bool) -> bool {
    !is_distinct && arguments.first().is_some_and(|argument| *argument.data_type() == DataType::Float64)
}

/// Below which value a share of a sample lies, or above which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantile {
    /// From 0 to 1, as the bits of the float.
    pub share: u64,
    /// Whether the values are counted from the largest.
    pub is_descending: bool,
}

impl Quantile {
    pub fn median() -> Self {
        Self { share: 0.5_f64.to_bits(), is_descending: false }
    }

    fn from(arguments: &AccumulatorArgs<'_>) -> Result<Self> {
        let Some(share) = arguments.exprs.get(1) else { return Ok(Self::median()) };
        let Some(ScalarValue::Float64(Some(share))) = share.downcast_ref::<Literal>().map(Literal::value) else {
            return exec_err!("the percentile of percentile_cont must be a number");
        };
        let is_descending = arguments.order_bys.first().is_some_and(|sort| sort.options.descending);
        Ok(Self { share: share.to_bits(), is_descending })
    }
}

impl Statistic<1> for Quantile {
    fn counts(&self, _: &[f64; 1]) -> Result<bool> {
        Ok(true)
    }

    fn of(&self, samples: &mut [[f64; 1]]) -> Option<f64> {
        let values = samples.as_flattened_mut();
        match f64::from_bits(self.share) {
            // The middle of two numbers is found without their distance, which may be beyond all floats.
            half if half.total_cmp(&0.5).is_eq() => order::median(values),
            share if self.is_descending => order::quantile_from_above(values, share),
            share => order::quantile_of(values, share),
        }
    }
}

impl AggregateUDFImpl for Quantiles {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn aliases(&self) -> &[String] {
        self.engine.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [whole] if whole.is_integer() => Ok(vec![DataType::Float64]),
            [number] if number.is_numeric() || number.is_null() => Ok(vec![number.clone()]),
            [other] => exec_err!("median takes numbers, not {other}"),
            _ => exec_err!("median takes one argument"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.engine.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        // The engine checks what the percentile is.
        let engine = self.engine.accumulator(args.clone())?;
        if is_ours(args.expr_fields, args.is_distinct) {
            return Ok(Box::new(Samples::new(Quantile::from(&args)?, false)));
        }
        Ok(engine)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if is_ours(args.input_fields, args.is_distinct) {
            return Ok(state_fields(&args, &["values"]));
        }
        self.engine.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.engine.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let engine = self.engine.create_groups_accumulator(args.clone())?;
        if is_ours(args.expr_fields, args.is_distinct) {
            return Ok(Box::new(GroupedSamples::new(Quantile::from(&args)?, false)));
        }
        Ok(engine)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.engine.create_sliding_accumulator(args)
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.engine.simplify()
    }

    fn supports_within_group_clause(&self) -> bool {
        self.engine.supports_within_group_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine.documentation()
    }
}
