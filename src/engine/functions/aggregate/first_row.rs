//! The first row of each group in an order: what `row_number() over (partition by … order by …) = 1` leaves.
//!
//! Statements cannot call it; `engine/optimizer/latest_per_key.rs` puts it where a statement numbers rows to keep the first. Its
//! arguments are the keys of the order, then the wanted columns; its result is a struct of the latter.
//!
//! The first key becomes a whole number in the order that is asked for, the larger, the nearer to the front. Most rows lose by it
//! alone. Only those of a batch that do not are encoded, all their columns as bytes in their order, and compared by them. So rows
//! that tie on every key come in the order of their wanted columns, whichever thread was first.

use std::fmt::Debug;
use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt32Array, new_empty_array};
use datafusion::arrow::compute::{SortOptions, cast, take_arrays};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Fields};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility};

use super::super::structs::at_place;
use super::arg_extreme::{Slots, in_words};
use super::emit::leaving;

/// The order of the keys, as many as there are keys.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct FirstRow {
    order: Vec<SortOptions>,
    signature: Signature,
}

impl FirstRow {
    pub fn new(order: Vec<SortOptions>) -> Self {
        Self { order, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// Whether rows of these types can be told apart: the first key is a whole number of some kind, and all have an order in bytes.
    pub fn takes(keys: &[DataType], wanted: &[DataType]) -> bool {
        let fields: Vec<SortField> = keys.iter().chain(wanted).cloned().map(SortField::new).collect();
        keys.first().is_some_and(is_number) && RowConverter::supports_fields(&fields)
    }
}

/// Whether a key has an order in which equal values have equal numbers. Floats have two zeros that a sort tells apart.
fn is_number(data_type: &DataType) -> bool {
    in_words(data_type) && !data_type.is_floating()
}

impl AggregateUDFImpl for FirstRow {
    fn name(&self) -> &'static str {
        "first_row"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let wanted = types.iter().skip(self.order.len()).enumerate();
        Ok(DataType::Struct(wanted.map(|(place, kind)| Field::new(at_place(place), kind.clone(), true)).collect()))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let inputs = arguments.input_fields.iter().enumerate();
        let field = |(place, input): (usize, &FieldRef)| {
            let name = format_state_name(arguments.name, &at_place(place));
            Arc::new(Field::new(name, input.data_type().clone(), true))
        };
        Ok(inputs.map(field).collect())
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        internal_err!("first_row is of groups alone")
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let types = arguments.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Box::new(Rows::new(&self.order, types)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The first row of each group so far.
#[derive(Debug)]
struct Rows {
    first_key: SortOptions,
    keys: usize,
    types: Vec<DataType>,
    converter: RowConverter,
    /// The number of the first key; the least before a group has a row.
    lead: Vec<i128>,
    /// The whole row; empty before a group has one.
    rows: Slots,
}

/// Below the number of every row.
const NO_ROW: i128 = i128::MIN;

impl Rows {
    fn new(order: &[SortOptions], types: Vec<DataType>) -> Result<Self> {
        let Some(first_key) = order.first().copied() else { return internal_err!("first_row without an order") };
        let orders = order.iter().copied().chain(std::iter::repeat(SortOptions::default()));
        let fields = types.iter().zip(orders).map(|(kind, order)| SortField::new_with_options(kind.clone(), order));
        let converter = RowConverter::new(fields.collect())?;
        Ok(Self { first_key, keys: order.len(), types, converter, lead: vec![], rows: Slots::default() })
    }

    /// The columns of the first rows of the first groups, and forgets those groups.
    fn take(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let count = leaving(emit_to, self.lead.len());
        let bytes = self.rows.first(count);
        if bytes.iter().any(Vec::is_empty) {
            return internal_err!("first_row has a group without a row");
        }
        let columns = if count == 0 {
            self.types.iter().map(new_empty_array).collect()
        } else {
            let parser = self.converter.parser();
            self.converter.convert_rows(bytes.iter().map(|row| parser.parse(row)))?
        };
        self.rows.forget(count);
        self.lead.drain(..count);
        // Bytes know nothing of dictionaries.
        let typed = |(column, kind): (ArrayRef, &DataType)| {
            if column.data_type() == kind { Ok(column) } else { Ok(cast(&column, kind)?) }
        };
        columns.into_iter().zip(&self.types).map(typed).collect()
    }
}

impl GroupsAccumulator for Rows {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        if opt_filter.is_some() {
            return internal_err!("first_row takes no filter");
        }
        let first = values.first().ok_or_else(|| internal_datafusion_err!("first_row without a key"))?;
        let lead = numbers(first, self.first_key)?;
        self.lead.resize(total_num_groups, NO_ROW);
        self.rows.grow(total_num_groups);
        for (number, group) in lead.iter().zip(group_indices) {
            if *number > self.lead[*group] {
                self.lead[*group] = *number;
                self.rows.clear(*group);
            }
        }
        // The numbers are final for this batch, so that no row that loses by them is encoded.
        let in_front = |row: &u32| lead[*row as usize] == self.lead[group_indices[*row as usize]];
        let rows: UInt32Array = (0_u32..).take(lead.len()).filter(in_front).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let encoded = self.converter.convert_columns(&take_arrays(values, &rows, None)?)?;
        for (row, bytes) in rows.values().iter().zip(&encoded) {
            let (group, bytes) = (group_indices[*row as usize], bytes.as_ref());
            let known = self.rows.of(group);
            if known.is_empty() || bytes < known {
                self.rows.put(group, bytes);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.update_batch(states, group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let wanted = self.take(emit_to)?.split_off(self.keys);
        let field = |(place, column): (usize, &ArrayRef)| Field::new(at_place(place), column.data_type().clone(), true);
        let fields: Fields = wanted.iter().enumerate().map(field).collect();
        Ok(Arc::new(StructArray::try_new(fields, wanted, None)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.take(emit_to)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        if opt_filter.is_some() {
            return internal_err!("first_row takes no filter");
        }
        Ok(values.to_vec())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.lead.capacity() * size_of::<i128>() + self.rows.size() + self.converter.size()
    }
}

/// Numbers of a key: the larger, the nearer to the front of the order.
fn numbers(key: &ArrayRef, order: SortOptions) -> Result<Vec<i128>> {
    let mut numbers = match key.data_type() {
        DataType::Decimal128(..) => key.as_primitive::<Decimal128Type>().values().to_vec(),
        _ => super::arg_extreme::words(key)?.into_iter().map(i128::from).collect(),
    };
    if !order.descending {
        numbers.iter_mut().for_each(|number| *number = !*number);
    }
    if let Some(nulls) = key.logical_nulls() {
        let null = if order.nulls_first { i128::MAX } else { NO_ROW + 1 };
        numbers.iter_mut().zip(&nulls).for_each(|(number, known)| {
            if !known {
                *number = null;
            }
        });
    }
    Ok(numbers)
}
