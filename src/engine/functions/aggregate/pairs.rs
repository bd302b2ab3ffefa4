//! `corr`, `covar_*` and `regr_*` over frames that move on.
//!
//! The engine takes the rows that have left a frame out of its sums again, and what rounding has left behind is a slope where all x are
//! equal; a NaN that has left stays for ever. Here such a frame is calculated from its rows, each time anew. All else is the engine's.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate::{correlation, covariance, regr};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, SetMonotonicity,
    Signature,
};
use datafusion::physical_expr::PhysicalExpr;

/// The functions.
pub fn all() -> impl Iterator<Item = AggregateUDF> {
    let all = [
        correlation::corr_udaf(),
        covariance::covar_pop_udaf(),
        covariance::covar_samp_udaf(),
        regr::regr_avgx_udaf(),
        regr::regr_avgy_udaf(),
        regr::regr_intercept_udaf(),
        regr::regr_r2_udaf(),
        regr::regr_slope_udaf(),
        regr::regr_sxx_udaf(),
        regr::regr_sxy_udaf(),
        regr::regr_syy_udaf(),
    ];
    all.into_iter().map(|function| Pairs(function).into())
}

/// The engine's function, whose frames are calculated anew.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Pairs(Arc<AggregateUDF>);

impl AggregateUDFImpl for Pairs {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.0.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Frame {
            function: Arc::clone(&self.0),
            result: args.return_field,
            schema: args.schema.clone(),
            name: args.name.to_owned(),
            is_distinct: args.is_distinct,
            arguments: args.exprs.to_vec(),
            fields: args.expr_fields.to_vec(),
            parts: VecDeque::new(),
        }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_udf()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.inner().set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

/// The rows of a frame, and the call that is made of them.
#[derive(Debug)]
struct Frame {
    function: Arc<AggregateUDF>,
    result: FieldRef,
    schema: Schema,
    name: String,
    is_distinct: bool,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
    /// Both columns of the rows, as they came.
    parts: VecDeque<[ArrayRef; 2]>,
}

impl Frame {
    fn whole(&self) -> Result<Box<dyn Accumulator>> {
        let mut whole = self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.result),
            schema: &self.schema,
            ignore_nulls: false,
            order_bys: &[],
            is_reversed: false,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.arguments,
            expr_fields: &self.fields,
        })?;
        if !self.parts.is_empty() {
            let column = |place: usize| {
                let parts: Vec<_> = self.parts.iter().map(|part| part[place].as_ref()).collect();
                concat(&parts)
            };
            whole.update_batch(&[column(0)?, column(1)?])?;
        }
        Ok(whole)
    }
}

impl Accumulator for Frame {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [first, second] = columns else { return internal_err!("a pair has two values") };
        self.parts.push_back([Arc::clone(first), Arc::clone(second)]);
        Ok(())
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let mut left = columns.first().map_or(0, |column| column.len());
        while left > 0 {
            let Some(part) = self.parts.front_mut() else { return internal_err!("more rows have left than came") };
            let rows = part[0].len();
            if rows > left {
                *part = part.each_ref().map(|column| column.slice(left, rows - left));
                return Ok(());
            }
            left -= rows;
            self.parts.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("frames of windows have no parts")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.whole()?.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.whole()?.evaluate()
    }

    fn size(&self) -> usize {
        let rows: usize = self.parts.iter().map(|part| part[0].len()).sum();
        size_of_val(self) + rows * 2 * size_of::<f64>()
    }
}
