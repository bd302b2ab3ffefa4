//! Several quantiles of the same values, which are kept once.
//!
//! Statements cannot call it; `engine/optimizer/quantile_sets.rs` puts it where a statement asks for more than one quantile of a column.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};

use super::super::structs::at_place;
use super::quantiles::Quantile;
use super::samples::{GroupedSamples, Statistic, state_fields};

/// The quantiles that are wanted. The result is a struct of them in this order.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct QuantileSet {
    quantiles: Vec<Quantile>,
    signature: Signature,
}

impl QuantileSet {
    pub fn new(quantiles: Vec<Quantile>) -> Self {
        Self { quantiles, signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }

    fn fields(&self) -> Fields {
        (0..self.quantiles.len()).map(|place| Field::new(at_place(place), DataType::Float64, true)).collect()
    }
}

impl AggregateUDFImpl for QuantileSet {
    fn name(&self) -> &'static str {
        "quantiles"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.fields()))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&arguments, &["values"]))
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        internal_err!("quantiles is of groups alone")
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let Some(first) = self.quantiles.first() else { return internal_err!("quantiles of no share") };
        let samples = GroupedSamples::new(*first, false);
        Ok(Box::new(Groups { samples, quantiles: self.quantiles.clone(), fields: self.fields() }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

struct Groups {
    samples: GroupedSamples<Quantile, 1>,
    quantiles: Vec<Quantile>,
    fields: Fields,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.samples.update_batch(values, group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.samples.merge_batch(states, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (mut samples, ends) = self.samples.take(emit_to);
        let columns = self.quantiles.iter().map(|quantile| {
            let found = ends.windows(2).map(|ends| quantile.of(&mut samples[ends[0]..ends[1]]));
            Arc::new(found.collect::<Float64Array>()) as ArrayRef
        });
        let columns = columns.collect();
        Ok(Arc::new(StructArray::try_new(self.fields.clone(), columns, None)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.samples.state(emit_to)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.samples.convert_to_state(values, opt_filter)
    }

    fn size(&self) -> usize {
        self.samples.size()
    }
}
