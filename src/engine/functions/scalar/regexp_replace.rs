//! `regexp_replace` with the replacements of Postgres.
//!
//! DataFusion 55.2 has `\1` from Postgres and hands all else to its library, for which `$` begins the name of a group: `'$5'` is lost, and
//! `'$\1'` becomes `${1}`. It also takes `\20` for group 20. Here `$` is a dollar, `\2` takes one digit, `\&` is the whole match, which
//! `\0` is to the engine and stays, and `\\` is a backslash.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::regex;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// The place of the replacement among the arguments.
const REPLACEMENT: usize = 2;

/// The function, in the place of the engine's.
pub fn regexp_replace() -> ScalarUDF {
    RegexpReplace(regex::regexp_replace()).into()
}

/// The engine's function, given the replacement as its library reads it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexpReplace(Arc<ScalarUDF>);

impl ScalarUDFImpl for RegexpReplace {
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

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.0.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.get_mut(REPLACEMENT) {
            Some(ColumnarValue::Scalar(
                ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
            )) => *text = written(text),
            Some(ColumnarValue::Array(texts)) => *texts = all_written(texts),
            _ => {}
        }
        self.0.invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }
}

fn all_written(texts: &ArrayRef) -> ArrayRef {
    match texts.data_type() {
        DataType::Utf8 => {
            let texts = texts.as_string::<i32>().iter();
            Arc::new(texts.map(|text| text.map(written)).collect::<StringArray>())
        }
        DataType::LargeUtf8 => {
            let texts = texts.as_string::<i64>().iter();
            Arc::new(texts.map(|text| text.map(written)).collect::<LargeStringArray>())
        }
        DataType::Utf8View => {
            let texts = texts.as_string_view().iter();
            Arc::new(texts.map(|text| text.map(written)).collect::<StringViewArray>())
        }
        _ => Arc::clone(texts),
    }
}

/// A replacement of Postgres as one of the library.
fn written(replacement: &str) -> String {
    // The group without a name is none and leaves nothing. Without it the engine would take a digit behind the backslash for a group.
    const BACKSLASH: &str = "\\${}";
    let mut written = String::with_capacity(replacement.len());
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek().copied()) {
            ('$', _) => written.push_str("$$"),
            ('\\', Some(group @ '0'..='9')) => {
                written.push_str(&format!("${{{group}}}"));
                letters.next();
            }
            ('\\', Some('&')) => {
                written.push_str("${0}");
                letters.next();
            }
            ('\\', Some('\\')) => {
                written.push_str(BACKSLASH);
                letters.next();
            }
            ('\\', _) => written.push_str(BACKSLASH),
            (other, _) => written.push(other),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_is_written_as_the_library_reads_it() {
        assert_eq!(written("X"), "X");
        assert_eq!(written(r"\1"), "${1}");
        assert_eq!(written(r"$\1, \20 $5 ${a}"), "$$${1}, ${2}0 $$5 $${a}");
        assert_eq!(written(r"[\&\0]"), "[${0}${0}]");
        assert_eq!(written(r"\\1"), r"\${}1");
        assert_eq!(written(r"\\\1"), r"\${}${1}");
        assert_eq!(written(r"a\n\"), r"a\${}n\${}");
    }
}
