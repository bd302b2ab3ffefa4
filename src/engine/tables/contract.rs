//! What a table's files must hold: the declared columns, or, where none are declared, what the files agree on.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::parquet::file::metadata::ParquetMetaData;

use super::footer;
use crate::error::{Error, Result};
use crate::lake::column::{Column, ColumnType, type_name};
use crate::suggest;

/// Holds one file against the declared columns; extra columns are fine.
///
/// # Errors
/// `InvalidData` that names file, column, wanted and found.
pub fn check(columns: &[Column], schema: &Schema, footer: &ParquetMetaData, shown: &str) -> Result<()> {
    for column in columns {
        let name = &column.name;
        let Ok(field) = schema.field_with_name(name) else {
            if column.nullable {
                let Some(same) = same_but_for_case(columns, name, schema) else { continue };
                return Err(Error::invalid(format!("`{shown}` has no column `{name}`, but has `{same}`"))
                    .hint("write the name in the same way in the file and in `cxlake.toml`"));
            }
            let error = Error::invalid(format!("`{shown}` has no column `{name}`, which must be {}", column.kind));
            return Err(error.hint(missing_hint(name, column, schema)));
        };
        if !column.kind.accepts(field.data_type()) {
            let found = type_name(field.data_type());
            return Err(Error::invalid(format!(
                "column `{name}` of `{shown}` is {found}, but must be {}",
                column.kind
            ))
            .hint(match column.kind {
                ColumnType::Timestamp => "write it as `arrow_cast(…, 'Timestamp(Microsecond, Some(\"UTC\"))')`",
                _ => "write the file with the declared type, or change the type in `cxlake.toml`",
            }));
        }
        let nulls = if column.nullable { 0 } else { nulls(footer, name) };
        if nulls > 0 {
            let message = format!("column `{name}` of `{shown}` has {nulls} nulls, but must have none");
            return Err(Error::invalid(message)
                .hint(format!("if nulls are right, declare it as `{name} = \"{}?\"`", column.kind)));
        }
    }
    Ok(())
}

/// A column of the file that nobody declared and whose name differs from this one by capital letters alone.
fn same_but_for_case<'a>(columns: &[Column], name: &str, schema: &'a Schema) -> Option<&'a str> {
    let found = schema.fields().iter().map(|field| field.name().as_str());
    let mut same = found.filter(|found| found.to_lowercase() == name.to_lowercase());
    same.find(|same| columns.iter().all(|column| column.name != *same))
}

fn missing_hint(name: &str, column: &Column, schema: &Schema) -> String {
    let nullable = format!("if older files lack it, declare it as `{name} = \"{}?\"`", column.kind);
    match suggest::nearest(name, schema.fields().iter().map(|field| field.name().as_str())) {
        Some(near) => format!("the file has `{near}`; {nullable}"),
        None => nullable,
    }
}

/// Nulls that the footer's statistics count in a column; a file without statistics counts none.
fn nulls(footer: &ParquetMetaData, name: &str) -> u64 {
    let Some(index) = footer::column(footer, name) else { return 0 };
    let counts = footer.row_groups().iter().filter_map(|group| group.column(index).statistics()?.null_count_opt());
    counts.sum()
}

/// The schema of declared columns.
pub fn declared(columns: &[Column]) -> Schema {
    // Nullable for the engine even where the contract says otherwise: it would otherwise fold `is null` away, and a file
    // without statistics could still hold nulls.
    Schema::new(
        columns.iter().map(|column| Field::new(&column.name, column.kind.data_type(), true)).collect::<Vec<_>>(),
    )
}

/// The columns of all files together, in the order of their first appearance, each read as null where a file lacks it.
///
/// # Errors
/// `InvalidData` that names two files which store a column as different types.
pub fn union<'a>(files: impl IntoIterator<Item = (&'a str, &'a Schema)>) -> Result<Schema> {
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut seen: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (shown, schema) in files {
        for field in schema.fields() {
            let data_type = viewed(field.data_type());
            match seen.get(field.name()) {
                None => {
                    seen.insert(field.name().clone(), (fields.len(), shown));
                    fields.push(Arc::new(Field::new(field.name(), data_type, true)));
                }
                Some(&(index, first)) => {
                    let known = fields[index].data_type().clone();
                    let common = common(&known, &data_type)
                        .ok_or_else(|| disagreement(field.name(), (first, &known), (shown, &data_type)))?;
                    fields[index] = Arc::new(Field::new(field.name(), common, true));
                }
            }
        }
    }
    Ok(Schema::new(fields))
}

pub fn disagreement(name: &str, first: (&str, &DataType), other: (&str, &DataType)) -> Error {
    Error::invalid(format!(
        "column `{name}` is {} in `{}`, but {} in `{}`",
        type_name(first.1),
        first.0,
        type_name(other.1),
        other.0
    ))
    .hint("files of one table must agree; read them one by one, or write them again with one type")
}

/// A text or binary type in the form that the engine reads fastest; dictionaries as their values.
fn viewed(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) => viewed(values),
        other => other.clone(),
    }
}

/// The type that holds both without loss.
pub fn common(one: &DataType, other: &DataType) -> Option<DataType> {
    use DataType as D;
    if one == other {
        return Some(one.clone());
    }
    match (one, other) {
        (D::Null, known) | (known, D::Null) => Some(known.clone()),
        _ if one.is_integer() && other.is_integer() => (*one != D::UInt64 && *other != D::UInt64).then_some(D::Int64),
        (D::Float16 | D::Float32 | D::Float64, D::Float16 | D::Float32 | D::Float64) => Some(D::Float64),
        (D::Decimal128(p, s), D::Decimal128(q, t)) if s == t => Some(D::Decimal128(*p.max(q), *s)),
        _ => None,
    }
}
