//! `band`: which of some bands a value falls in.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::{ArrowNativeType, DataType, Float64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use super::health::Floats;
use crate::error::Error;
use crate::statistics::health::{self, Edge};

pub static HELP: Help = Help {
    name: "band",
    kind: Kind::Scalar,
    summary: "Which band a value falls in, counted from 0 below the first edge, or its label. A value on an edge is in the band above it, \
              unless `edge => 'upper'` puts it into the one below.",
    arguments: &[
        Argument { name: "value", takes: Takes::Column, types: Types::Number, default: None, what: "the value" },
        Argument {
            name: "edges",
            takes: Takes::Column,
            types: Types::Numbers,
            default: None,
            what: "the bounds between the bands, ascending",
        },
        Argument {
            name: "labels",
            takes: Takes::Column,
            types: Types::Texts,
            default: Some("null"),
            what: "names of the bands from the lowest, one more than there are edges",
        },
        Argument {
            name: "edge",
            takes: Takes::Column,
            types: Types::Text,
            default: Some("'lower'"),
            what: "`lower`: an edge is the lower end of the band above it; `upper`: the upper end of the band below it",
        },
    ],
    returns: "A whole number, 0 to the number of edges; with labels the label.",
    nulls: "Null for a value that is null or NaN, and for edges that are null.",
    errors: "Edges that do not ascend or hold a null; a number of labels that does not fit; an `edge` that is neither `lower` nor `upper`.",
    source: "",
    examples: &[
        "select account, band(annual_revenue, [100000, 1000000], ['small', 'medium', 'large']) as size from accounts order by account limit 5",
        "select band(fte, [50, 200], edge => 'upper') as size, count(*) as offices from offices group by size order by size",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Band {
    signature: Signature,
}

impl Band {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Band {
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
        match given.get(2) {
            None | Some(DataType::Null) => Ok(DataType::Int64),
            Some(_) => Ok(DataType::Utf8View),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [values, edges, rest @ ..] = columns.as_slice() else {
            return Err(exec_datafusion_err!("an argument is missing"));
        };
        let values = values.as_primitive::<Float64Type>();
        let bands = bands(values, &Floats::of(edges), rest.get(1))?;
        let result: ArrayRef = match rest.first().and_then(|labels| labels.as_list_opt::<i32>()) {
            None => Arc::new(bands.iter().map(|band| i64::try_from(band.as_ref()?.0).ok()).collect::<Int64Array>()),
            Some(labels) => {
                let texts = labels.values().as_string_view();
                let named = bands.iter().enumerate().map(|(row, band)| match band {
                    Some((band, edges)) if labels.is_valid(row) => {
                        let (start, length) = (labels.value_offsets()[row], labels.value_length(row));
                        check_labels(length.as_usize(), *edges)?;
                        let at = start.as_usize() + band;
                        Ok(texts.is_valid(at).then(|| texts.value(at)))
                    }
                    _ => Ok(None),
                });
                Arc::new(named.collect::<Result<StringViewArray>>()?)
            }
        };
        Ok(ColumnarValue::Array(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}

/// The band of each value, and the number of edges that it was found among.
fn bands(values: &Float64Array, edges: &Floats<'_>, edge: Option<&ArrayRef>) -> Result<Vec<Option<(usize, usize)>>> {
    let edge = edge.and_then(|edge| edge.as_string_view_opt());
    let mut of_row: Vec<f64> = vec![];
    let mut banded = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        let Some(edges) = edges.row(row) else {
            banded.push(None);
            continue;
        };
        of_row.clear();
        for edge in edges {
            of_row.push(edge.ok_or_else(|| wrong("an edge that is null", "write down every edge"))?);
        }
        if let Some((low, high)) = health::not_ascending(&of_row) {
            return Err(wrong(&format!("the edge {high} after {low}"), "edges ascend, as in `[50, 70]`"));
        }
        let edge = match edge.and_then(|edge| edge.is_valid(row).then(|| edge.value(row))) {
            None | Some("lower") => Edge::Lower,
            Some("upper") => Edge::Upper,
            Some(other) => return Err(wrong(&format!("the edge `{other}`"), "it is `lower` or `upper`")),
        };
        let band = value.and_then(|value| health::band(value, &of_row, edge));
        banded.push(band.map(|band| (band, of_row.len())));
    }
    Ok(banded)
}

fn check_labels(labels: usize, edges: usize) -> Result<()> {
    if labels == edges + 1 {
        return Ok(());
    }
    let got = format!("labels: {labels}, bands: {}", edges + 1);
    let error = Error::invalid(format!("`band` got another number of labels than of bands ({got})"));
    Err(error.hint("there is one more band than there are edges").into())
}

fn wrong(got: &str, hint: &str) -> DataFusionError {
    Error::invalid(format!("`band` got {got}")).hint(hint).into()
}
