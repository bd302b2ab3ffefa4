//! Whether texts are a given short text: one comparison of numbers for each row.
//!
//! Texts of up to twelve bytes lie within their views, which are numbers of sixteen bytes, and equal ones have equal numbers. The engine
//! looks at lengths and places first, for texts of any length. Statements cannot call the function; `engine/optimizer/short_texts.rs` puts
//! it in the place of comparisons.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, make_view};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

/// Bytes of a text that lies within its view, at most.
const WITHIN: usize = 12;

/// The comparison with one text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ShortTextIs {
    name: String,
    view: u128,
    signature: Signature,
}

impl ShortTextIs {
    /// `None` for a text that is too long.
    pub fn new(text: &str) -> Option<Self> {
        (text.len() <= WITHIN).then(|| Self {
            name: format!("is '{text}'"),
            view: make_view(text.as_bytes(), 0, 0),
            signature: Signature::exact(vec![DataType::Utf8View], Volatility::Immutable),
        })
    }

    fn of(&self, texts: &dyn Array) -> BooleanArray {
        let texts = texts.as_string_view();
        let views = texts.views();
        let found = BooleanBuffer::collect_bool(views.len(), |row| views[row] == self.view);
        BooleanArray::new(found, texts.nulls().cloned())
    }
}

impl ScalarUDFImpl for ShortTextIs {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let found = |texts: &[ArrayRef]| -> Result<ArrayRef> {
            let [texts] = take_function_args(&self.name, texts)?;
            Ok(Arc::new(self.of(texts)))
        };
        make_scalar_function(found, vec![])(&args.args)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::StringViewArray;

    use super::*;

    #[test]
    fn texts_are_found_among_those_that_begin_alike_and_nulls_stay() {
        let texts = ["", "a", "ab", "twelve bytes", "twelve bytes and more", "é", "ab\0"];
        let rows: StringViewArray = texts.iter().map(|text| Some(*text)).chain([None]).collect();
        // A slice starts in the middle of a word of bits.
        for start in [0, 3] {
            let rows = rows.slice(start, rows.len() - start);
            for text in texts {
                let Some(function) = ShortTextIs::new(text) else {
                    assert_eq!(text, "twelve bytes and more");
                    continue;
                };
                let expected: BooleanArray = rows.iter().map(|row| row.map(|row| row == text)).collect();
                assert_eq!(function.of(&rows), expected, "{text}");
            }
        }
    }
}
