//! `sentiment(text)`: a rough measure of how somebody feels.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::statistics::text::sentiment::Scorer;

pub static HELP: Help = Help {
    name: "sentiment",
    kind: Kind::Scalar,
    summary: "How somebody feels who wrote an English text, by the words in it: a rough measure for many comments at once. \
              It knows English only (filter by language), is wrong on irony, and says 0 of complaints \
              told without a word of feeling (`credit notes take months`): on the sample company's English comments it has the sign of the \
              NPS class for 85 of 100, of short field notes that a reader judged for 66 of 100, and fewer on texts it was not \
              tried on. Never judge one comment by it, and take the given score where there is one.",
    arguments: &[Argument { name: "text", takes: Takes::Column, types: Types::Text, default: None, what: "a comment" }],
    returns: "float from -1 (worst) to 1 (best); 0, which is neutral, when it knows none of the words.",
    nulls: "Null for null, for a blank, and for a text that says nothing, such as `n/a`.",
    errors: "What is no text.",
    source: "Method and most valences of VADER (Hutto and Gilbert, ICWSM 2014), s / sqrt(s^2 + 15) over the words' sum s; \
             1,249 words kept for business feedback, 123 of them our own. `not`, `never`, `no`, `without` and their like \
             turn a word round within three words and the same clause; `very` and `slightly` add and take 0.293; what \
             follows `but` counts 1.5, what precedes it 0.5; a problem that is solved is none.",
    examples: &[
        "select comment, sentiment(comment) as feeling from surveys where language = 'en' and comment is not null \
         order by feeling, comment limit 5",
        "select sentiment, avg(sentiment(text)) as mean from field_feedback group by sentiment order by mean",
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Sentiment {
    signature: Signature,
}

impl Sentiment {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Sentiment {
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
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [comments] = take_function_args(HELP.name, &arrays)?;
        let mut scorer = Scorer::default();
        let feelings = comments.as_string_view().iter().map(|comment| scorer.score(comment?));
        Ok(ColumnarValue::Array(Arc::new(feelings.collect::<Float64Array>())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}
