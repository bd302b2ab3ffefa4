//! Values in folder names: `period=2026-09-01/`.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as EngineResult;
use datafusion::functions::utils::make_scalar_function;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::{Column as ColumnExpr, cast};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::scalar::ScalarValue;
use object_store::path::Path as ObjectPath;

use crate::error::{Error, Result};
use crate::lake::column::Column;
use crate::storage::Location;

/// What Hive writes for a null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition columns as fields.
pub fn fields(columns: &[Column]) -> Vec<FieldRef> {
    columns.iter().map(|column| Arc::new(Field::new(&column.name, data_type(column), true))).collect()
}

fn data_type(column: &Column) -> DataType {
    match column.kind.data_type() {
        // A folder name is one value for a whole file: the plain form is what the engine prunes and groups best.
        DataType::Utf8View => DataType::Utf8,
        other => other,
    }
}

/// The values that a file's folders give to the declared partition columns.
///
/// # Errors
/// `InvalidData` for a file outside such folders, which would otherwise be left out in silence, and for a value that is not of
/// the declared type.
pub fn values(columns: &[Column], location: &Location, file: &ObjectPath) -> Result<Vec<ScalarValue>> {
    let below: Vec<_> = file.prefix_match(&location.base).into_iter().flatten().collect();
    columns
        .iter()
        .enumerate()
        .map(|(depth, column)| {
            let folder = below.get(depth).filter(|_| depth + 1 < below.len()).map(AsRef::as_ref).unwrap_or_default();
            let Some(value) = folder.strip_prefix(&format!("{}=", column.name)) else {
                return Err(outside(columns, location, file));
            };
            value_of(column, &location.plain(value)).ok_or_else(|| {
                let message = format!("`{value}` in the path of `{}` is no {}", location.shown(file), column.kind);
                Error::invalid(message)
                    .hint(format!("partition `{}` is declared as {} in `cxlake.toml`", column.name, column.kind))
            })
        })
        .collect()
}

/// The plan of a COPY with the values of its partition columns as the names of folders have them. The engine would name a null by
/// what lies below it, such as 0 or the first day of 1970.
///
/// It is done to the finished plan: while it is made, the engine would spread the rows for these expressions and lose their order.
pub fn with_folder_names(sink: Arc<dyn ExecutionPlan>, columns: &[String]) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let [input] = sink.children()[..] else { return Err(Error::internal("COPY does not read one plan").into()) };
    let (input, schema) = (Arc::clone(input), input.schema());
    let written = with_columns(input, |field, column| {
        if !columns.contains(field.name()) {
            return Ok(column);
        }
        let named = Arc::new(Field::new(field.name(), DataType::Utf8, field.is_nullable()));
        let function = Arc::new(ScalarUDF::new_from_impl(FolderName::new(field.name())));
        let texts = vec![cast(column, &schema, DataType::Utf8)?];
        Ok(Arc::new(ScalarFunctionExpr::new(NAMED, function, texts, named, Arc::new(ConfigOptions::default()))))
    })?;
    replace_children_if_necessary(sink, vec![written])
}

/// What the names of folders are made by; statements cannot call it.
const NAMED: &str = "folder_name";

/// The texts of a column as folders are named by them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FolderName {
    column: String,
    signature: Signature,
}

impl FolderName {
    fn new(column: &str) -> Self {
        let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
        Self { column: column.to_owned(), signature }
    }

    fn of(&self, texts: &StringArray) -> Result<StringArray> {
        if texts.iter().flatten().any(|text| text == NULL) {
            let message = format!("a value of `{}` is the text `{NULL}`, by which folders name NULL", self.column);
            return Err(Error::invalid(message)
                .hint(format!("leave such rows out, or have them read as NULL: `nullif({}, '{NULL}')`", self.column)));
        }
        Ok(match texts.null_count() {
            0 => texts.clone(),
            _ => texts.iter().map(|text| text.or(Some(NULL))).collect(),
        })
    }
}

impl ScalarUDFImpl for FolderName {
    fn name(&self) -> &str {
        NAMED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let named = |texts: &[ArrayRef]| -> EngineResult<ArrayRef> {
            let [texts] = take_function_args(NAMED, texts)?;
            Ok(Arc::new(self.of(texts.as_string())?))
        };
        make_scalar_function(named, vec![])(&args.args)
    }
}

/// The rows of a plan, with each of its columns as `with` makes it, under the same name.
///
/// # Errors
/// Those of the engine.
pub fn with_columns(
    input: Arc<dyn ExecutionPlan>,
    with: impl Fn(&Field, Arc<dyn PhysicalExpr>) -> EngineResult<Arc<dyn PhysicalExpr>>,
) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let mut columns: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
    for (place, field) in input.schema().fields().iter().enumerate() {
        let column = with(field, Arc::new(ColumnExpr::new(field.name(), place)))?;
        columns.push((column, field.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, input)?))
}

/// The value that a folder's name gives to its column; `None` when it is none of that column.
pub fn value_of_folder(column: &Column, location: &Location, folder: &str) -> Option<ScalarValue> {
    let value = folder.strip_prefix(&format!("{}=", column.name))?;
    value_of(column, &location.plain(value))
}

/// The value that a folder's name has in Hive's encoding.
fn value_of(column: &Column, encoded: &str) -> Option<ScalarValue> {
    let data_type = data_type(column);
    if encoded == NULL {
        return ScalarValue::try_new_null(&data_type).ok();
    }
    let name = percent_decoded(encoded)?;
    let value = ScalarValue::try_from_string(name.clone(), &data_type).ok()?;
    loses_nothing(&value, name, &data_type).then_some(value)
}

/// Whether a value is all that its name says: types take a text with more digits or with a time of day, and round it.
fn loses_nothing(value: &ScalarValue, name: String, data_type: &DataType) -> bool {
    let finer = match data_type {
        DataType::Date32 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        DataType::Decimal128(_, scale) => DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale.saturating_add(20)),
        _ => return true,
    };
    // What the finer type cannot hold is no more than what was read.
    let Ok(said) = ScalarValue::try_from_string(name, &finer) else { return true };
    value.cast_to(&finer).is_ok_and(|value| value == said)
}

fn percent_decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

fn outside(columns: &[Column], location: &Location, file: &ObjectPath) -> Error {
    let wanted: Vec<String> = columns.iter().map(|column| format!("{}=…", column.name)).collect();
    Error::invalid(format!("`{}` is not in a `{}` folder", location.shown(file), wanted.join("/")))
        .hint("the table declares these partitions in `cxlake.toml`; move the file into its folder")
}
