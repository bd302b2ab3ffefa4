//! `codebook(code, kind, match)`: a codebook's rows as one text, for `reason_codes`.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::error::Error;
use crate::statistics::text::codes::{Row, pack, unpack};

pub static HELP: Help = Help {
    name: "codebook",
    kind: Kind::Aggregate,
    summary: "The rows of a codebook as one text, which `reason_codes` takes as `codebook`.",
    arguments: &[
        Argument { name: "code", takes: Takes::Column, types: Types::Text, default: None, what: "name of a reason" },
        Argument { name: "kind", takes: Takes::Column, types: Types::Text, default: None, what: "phrase or pattern" },
        Argument {
            name: "match",
            takes: Takes::Column,
            types: Types::Text,
            default: None,
            what: "the phrase, or the regular expression",
        },
    ],
    returns: "text: a JSON list of the rows, sorted, each once.",
    nulls: "Null when there are no rows.",
    errors: "A row with a null in it.",
    source: "",
    examples: &[
        "select version, length(codebook(code, kind, match)) as letters from codebook group by version order by version",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct CodebookOf {
    signature: Signature,
}

impl CodebookOf {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for CodebookOf {
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
        Ok(DataType::Utf8View)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "rows"), DataType::Utf8View, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Rows::default()))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}

#[derive(Debug, Default)]
struct Rows {
    rows: BTreeSet<Row>,
}

impl Rows {
    fn packed(&self) -> ScalarValue {
        ScalarValue::Utf8View((!self.rows.is_empty()).then(|| pack(&self.rows)))
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [codes, kinds, matches] = take_function_args(HELP.name, values)?.map(AsArray::as_string_view);
        for ((code, kind), what) in codes.iter().zip(kinds).zip(matches) {
            let (Some(code), Some(kind), Some(what)) = (code, kind, what) else {
                let code = code.map_or("a row without a code".to_owned(), |code| format!("code `{code}`"));
                let error = Error::invalid(format!("{code} of the codebook has a null"));
                return Err(error.hint("each row needs a code, a kind and a match").into());
            };
            self.rows.insert((code.to_owned(), kind.to_owned(), what.to_owned()));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [packed] = take_function_args(HELP.name, states)?;
        for packed in packed.as_string_view().iter().flatten() {
            self.rows.append(&mut unpack(packed)?);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.packed()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.packed())
    }

    fn size(&self) -> usize {
        let texts = self.rows.iter().map(|(code, kind, what)| size_of::<Row>() + code.len() + kind.len() + what.len());
        size_of_val(self) + texts.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringViewArray;

    fn columns(rows: &[(&str, &str, &str)]) -> Vec<ArrayRef> {
        let column = |texts: Vec<&str>| Arc::new(StringViewArray::from(texts)) as ArrayRef;
        vec![
            column(rows.iter().map(|row| row.0).collect()),
            column(rows.iter().map(|row| row.1).collect()),
            column(rows.iter().map(|row| row.2).collect()),
        ]
    }

    #[test]
    fn the_text_is_the_same_however_the_rows_are_split() {
        let rows = [("B", "phrase", "b"), ("A", "pattern", "a|\"c\""), ("A", "phrase", "z"), ("B", "phrase", "b")];
        let mut whole = Rows::default();
        whole.update_batch(&columns(&rows)).unwrap();
        for split in 0..=rows.len() {
            let (one, two) = rows.split_at(split);
            let mut merged = Rows::default();
            for part in [two, one] {
                let mut rows = Rows::default();
                rows.update_batch(&columns(part)).unwrap();
                let state = rows.state().unwrap().remove(0).to_array().unwrap();
                merged.merge_batch(&[state]).unwrap();
            }
            assert_eq!(merged.evaluate().unwrap(), whole.evaluate().unwrap());
        }
        assert_eq!(Rows::default().evaluate().unwrap(), ScalarValue::Utf8View(None));
    }
}
