//! `reason_codes(text)`: the codes that a codebook has for a comment.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, AsArray, ListBuilder, StringBuilder, StringViewArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::headings;
use super::super::help::{Argument, Help, Kind, Takes};
use super::super::types::{self, Types};
use crate::error::Error;
use crate::statistics::text::codes::Codebook;

pub static HELP: Help = Help {
    name: "reason_codes",
    kind: Kind::Scalar,
    summary: "The reasons that a comment gives, as codes of a codebook; a comment may have several. The codes come from the \
              lake's table `codebook` with the columns version (int), code (text), kind (phrase or pattern) and match \
              (text), or from another table by the function `codebook`. A phrase is found as whole words, a pattern \
              anywhere as a regular expression of Rust's regex crate; case never counts. Shares of codes add up to more \
              than 100 per cent; count people, not codes.",
    arguments: &[
        Argument { name: "text", takes: Takes::Column, types: Types::Text, default: None, what: "a comment" },
        Argument {
            name: "version",
            takes: Takes::Value,
            types: Types::Whole,
            default: Some("null"),
            what: "version of the codebook; null: the highest",
        },
        Argument {
            name: "codebook",
            takes: Takes::Value,
            types: Types::Text,
            default: Some("null"),
            what: "another codebook, as `(select codebook(code, kind, match) from …)`; null: the table `codebook`",
        },
    ],
    returns: "list of text: the codes ordered by name, each once. `Other` alone when the text has no code, `None` alone when \
              it says nothing (blank, punctuation, `n/a`, `none`).",
    nulls: "Null for null.",
    errors: "A codebook without rows, as of a version that there is not; a pattern that cannot be read.",
    source: "",
    examples: &[
        "select reason_codes(comment) as codes, count(*) as comments from surveys where language = 'en' \
         and comment is not null group by codes order by comments desc, codes limit 5",
        "select code, count(distinct account_id) as accounts from (select account_id, unnest(reason_codes(text)) as code \
         from field_feedback) group by code order by accounts desc, code",
        "select count(*) from field_feedback where array_has(reason_codes(text, version => 1), 'SPON')",
        "select reason_codes('Billing is slow', codebook => (select codebook(code, kind, match) from codebook where version = 1 \
         and code <> 'BILL')) as codes",
    ],
};

/// Codebooks that are kept compiled; a statement has one, rarely two.
const KEPT: usize = 4;

/// Two of them are one function: what is kept says nothing of what it does.
#[derive(Debug)]
pub struct ReasonCodes {
    signature: Signature,
    /// Packed texts with what they compile to, the latest first.
    compiled: Mutex<Vec<(String, Arc<Codebook>)>>,
}

impl PartialEq for ReasonCodes {
    fn eq(&self, other: &Self) -> bool {
        self.signature == other.signature
    }
}

impl Eq for ReasonCodes {}

impl Hash for ReasonCodes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.signature.hash(state);
    }
}

impl ReasonCodes {
    pub fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), compiled: Mutex::default() }
    }

    fn compiled(&self, packed: &str) -> Result<Arc<Codebook>, Error> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = compiled.iter().position(|(known, _)| known == packed) {
            compiled[..=place].rotate_right(1);
        } else {
            let codebook = Arc::new(Codebook::compile(packed)?);
            compiled.insert(0, (packed.to_owned(), codebook));
            compiled.truncate(KEPT);
        }
        Ok(Arc::clone(&compiled[0].1))
    }

    fn codes(&self, comments: &StringViewArray, codebooks: &StringViewArray) -> Result<ColumnarValue, Error> {
        let mut lists = ListBuilder::with_capacity(StringBuilder::new(), comments.len());
        // The codebook is the same on all rows, unless somebody gave a column.
        let mut current: Option<(&str, Arc<Codebook>)> = None;
        let is_one = codebooks.len() == 1;
        for (row, comment) in comments.iter().enumerate() {
            let Some(comment) = comment else {
                lists.append_null();
                continue;
            };
            let place = if is_one { 0 } else { row };
            if current.is_none() || !is_one {
                if codebooks.is_null(place) {
                    return Err(Error::invalid("`reason_codes` found no codebook: it has no rows of this version")
                        .hint("`select distinct version from codebook` lists those that there are"));
                }
                let packed = codebooks.value(place);
                if current.as_ref().is_none_or(|(known, _)| *known != packed) {
                    current = Some((packed, self.compiled(packed)?));
                }
            }
            if let Some((_, codebook)) = &current {
                codebook.codes(comment, |code| lists.values().append_value(code));
                lists.append(true);
            }
        }
        Ok(ColumnarValue::Array(Arc::new(lists.finish())))
    }
}

impl ScalarUDFImpl for ReasonCodes {
    fn name(&self) -> &str {
        HELP.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The call as its writer knows it, without the codebook that was written into it.
    fn schema_name(&self, call: &[Expr]) -> Result<String> {
        Ok(headings::scalar(&HELP, &call[..call.len().min(2)]))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types::coerced(&HELP, given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        types::check(&HELP, given)?;
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))))
    }

    /// The version is in the codebook already, which the call was completed with.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [comments, _, codebooks] = take_function_args(HELP.name, args.args)?;
        let comments = comments.into_array(args.number_rows)?;
        let codebooks = match codebooks {
            ColumnarValue::Array(codebooks) => codebooks,
            ColumnarValue::Scalar(codebook) => codebook.to_array()?,
        };
        // A null that is no literal, such as a query of nothing else, comes without the type of a text.
        let codebooks = match codebooks.data_type() {
            DataType::Null => new_null_array(&DataType::Utf8View, codebooks.len()),
            _ => codebooks,
        };
        Ok(self.codes(comments.as_string_view(), codebooks.as_string_view())?)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(HELP.documentation())
    }
}
