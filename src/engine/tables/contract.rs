//! What a table's files must hold: the declared columns, or, where none are declared, what the files agree on.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::parquet::arrow::ARROW_SCHEMA_META_KEY;
use datafusion::parquet::basic::ConvertedType;
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
    let is_declared = |name: &&str| columns.iter().any(|column| column.name == *name);
    if let Some(name) = repeated(schema).find(is_declared) {
        return Err(twice(name, shown));
    }
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
        let nulls = match field.data_type() {
            _ if column.nullable => 0,
            DataType::Null => footer.file_metadata().num_rows().unsigned_abs(),
            _ => nulls(footer, name),
        };
        if nulls > 0 {
            let message = format!("column `{name}` of `{shown}` has {nulls} nulls, but must have none");
            return Err(Error::invalid(message)
                .hint(format!("if nulls are right, declare it as `{name} = \"{}?\"`", column.kind)));
        }
    }
    Ok(())
}

/// Names that a file has before. The engine would read one of the columns without a word.
pub fn repeated(schema: &Schema) -> impl Iterator<Item = &str> {
    let mut seen = HashSet::new();
    schema.fields().iter().map(|field| field.name().as_str()).filter(move |name| !seen.insert(*name))
}

pub fn twice(name: &str, shown: &str) -> Error {
    Error::invalid(format!("`{shown}` has two columns `{name}`")).hint("write the file with a name of its own for each")
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

/// Refuses columns of Parquet's INTERVAL among those that are read: months, days and milliseconds, of which the engine leaves out
/// the months. Where Arrow's own types are written beside them, these say which of the three it has.
///
/// # Errors
/// `InvalidData` that names file and column.
pub fn check_intervals(footer: &ParquetMetaData, shown: &str, is_read: impl Fn(&str) -> bool) -> Result<()> {
    let file = footer.file_metadata();
    if file.key_value_metadata().is_some_and(|said| said.iter().any(|said| said.key == ARROW_SCHEMA_META_KEY)) {
        return Ok(());
    }
    let columns = file.schema_descr().columns().iter();
    let intervals = columns.filter(|column| column.converted_type() == ConvertedType::INTERVAL);
    let mut names = intervals.filter_map(|column| column.path().parts().first());
    match names.find(|name| is_read(name)) {
        Some(name) => Err(Error::invalid(format!("column `{name}` of `{shown}` is stored as INTERVAL"))
            .hint("cxlake does not read the months of this type; name the other columns, or write the file again with numbers in its place")),
        None => Ok(()),
    }
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
/// `InvalidData` that names two files which store a column as different types or call it by names that differ by capital letters
/// alone, or one that has two columns of one name.
pub fn union<'a>(files: impl IntoIterator<Item = (&'a str, &'a Schema)>) -> Result<Schema> {
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut seen: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    // Names with the files in which they were first, by their small letters.
    let mut spellings: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (shown, schema) in files {
        if let Some(name) = repeated(schema).next() {
            return Err(twice(name, shown));
        }
        for field in schema.fields() {
            let data_type = viewed(field.data_type());
            match seen.get(field.name().as_str()) {
                None => {
                    let known = spellings.entry(field.name().to_lowercase()).or_default();
                    // A file that has both has two columns.
                    if let Some((name, first)) = known.iter().find(|(name, _)| schema.field_with_name(name).is_err()) {
                        return Err(other_spelling((name, first), (field.name(), shown)));
                    }
                    known.push((field.name(), shown));
                    seen.insert(field.name(), (fields.len(), shown));
                    fields.push(Arc::new(Field::new(field.name(), data_type, true)));
                }
                Some(&(index, first)) => {
                    let known = fields[index].data_type().clone();
                    let common = common(&known, &data_type)
                        .ok_or_else(|| disagreement(field.name(), (first, &known), (shown, &data_type)))?;
                    fields[index] = Arc::new(Field::new(field.name(), common, true));
                    if known.is_null() {
                        // The first that says what it is.
                        seen.insert(field.name(), (index, shown));
                    }
                }
            }
        }
    }
    Ok(Schema::new(fields))
}

/// Two files that write the name of a column in two ways, each a name and its file.
fn other_spelling(first: (&str, &str), other: (&str, &str)) -> Error {
    let message = format!("`{}` has no column `{}`, which `{}` has, but has `{}`", other.1, first.0, first.1, other.0);
    Error::invalid(message).hint("write the name in the same way in all files of the table")
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

/// A text or binary type in the form that the engine reads fastest, a number as wide as a declared one; dictionaries as their
/// values.
fn viewed(data_type: &DataType) -> DataType {
    match data_type {
        narrow if is_narrow(narrow) => DataType::Int64,
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        // The engine adds them up in as few bits as they have, and sums wrap without a word.
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Dictionary(_, values) => viewed(values),
        other => other.clone(),
    }
}

/// Whether it is a whole number for which the engine would take less than 64 bits: differences and products of such wrap without a
/// word.
pub fn is_narrow(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_narrow(values),
        whole => whole.is_integer() && !matches!(whole, DataType::Int64 | DataType::UInt64),
    }
}

/// The type that holds both without loss. A dictionary counts as its values; of two forms of text or bytes the one with more room
/// is taken; lists and structs are taken together within.
pub fn common(one: &DataType, other: &DataType) -> Option<DataType> {
    use DataType as D;
    if one == other {
        return Some(one.clone());
    }
    match (one, other) {
        (D::Null, known) | (known, D::Null) => Some(known.clone()),
        (D::Dictionary(_, values), other) | (other, D::Dictionary(_, values)) => common(values, other),
        _ if one.is_integer() && other.is_integer() => (*one != D::UInt64 && *other != D::UInt64).then_some(D::Int64),
        (D::Float16 | D::Float32 | D::Float64, D::Float16 | D::Float32 | D::Float64) => Some(D::Float64),
        (
            D::Decimal32(p, s) | D::Decimal64(p, s) | D::Decimal128(p, s),
            D::Decimal32(q, t) | D::Decimal64(q, t) | D::Decimal128(q, t),
        ) if s == t => Some(D::Decimal128(*p.max(q), *s)),
        (D::Utf8 | D::Utf8View, D::Utf8 | D::Utf8View) => Some(D::Utf8View),
        _ if one.is_string() && other.is_string() => Some(D::LargeUtf8),
        (D::Binary | D::BinaryView, D::Binary | D::BinaryView) => Some(D::BinaryView),
        (D::Binary | D::BinaryView | D::LargeBinary, D::Binary | D::BinaryView | D::LargeBinary) => {
            Some(D::LargeBinary)
        }
        (D::List(one), D::List(other)) => Some(D::List(common_field(one, other)?)),
        (D::List(one) | D::LargeList(one), D::List(other) | D::LargeList(other)) => {
            Some(D::LargeList(common_field(one, other)?))
        }
        (D::Struct(one), D::Struct(other)) => Some(D::Struct(common_fields(one, other)?)),
        _ => None,
    }
}

/// A field within a list or a struct, under the name that it has in the first: writers call what is in a list by other names.
fn common_field(one: &FieldRef, other: &FieldRef) -> Option<FieldRef> {
    let field = Field::new(one.name(), common(one.data_type(), other.data_type())?, true);
    Some(Arc::new(match one.metadata() == other.metadata() {
        true => field.with_metadata(one.metadata().clone()),
        false => field,
    }))
}

/// The fields of structs that have them in one order, each under a name of its own: the engine takes them by name.
fn common_fields(one: &Fields, other: &Fields) -> Option<Fields> {
    let names = one.iter().map(|field| field.name());
    let is_alike = names.eq(other.iter().map(|field| field.name()));
    if !is_alike || repeated(&Schema::new(one.clone())).next().is_some() {
        return None;
    }
    one.iter().zip(other).map(|(one, other)| common_field(one, other)).collect()
}

#[cfg(test)]
mod tests {
    use datafusion::parquet::file::metadata::FileMetaData;
    use datafusion::parquet::schema::types::{SchemaDescriptor, Type};

    use super::*;

    fn of(columns: &[(&str, DataType)]) -> Schema {
        Schema::new(columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect::<Vec<_>>())
    }

    #[test]
    fn whole_numbers_are_64_bits_wide_however_narrow_a_file_stores_them() {
        use DataType as D;
        let dictionary = D::Dictionary(Box::new(D::Int8), Box::new(D::UInt16));
        for narrow in [D::Int8, D::Int16, D::Int32, D::UInt8, D::UInt16, D::UInt32, dictionary] {
            let schema = union([("a.parquet", &of(&[("x", narrow.clone())]))]).expect("one file");
            assert_eq!(schema, of(&[("x", D::Int64)]), "{narrow}");
        }
        let others = of(&[("u", D::UInt64), ("f", D::Float32), ("l", D::new_list(D::Int8, true))]);
        assert_eq!(union([("a.parquet", &others)]).expect("one file"), others);
    }

    #[test]
    fn decimals_have_room_for_their_sums_however_narrow_a_file_stores_them() {
        use DataType as D;
        let dictionary = D::Dictionary(Box::new(D::Int8), Box::new(D::Decimal32(7, 2)));
        for narrow in [D::Decimal32(7, 2), D::Decimal64(7, 2), dictionary] {
            let wider = of(&[("x", D::Decimal128(12, 2))]);
            let file = of(&[("x", narrow.clone())]);
            assert_eq!(union([("a.parquet", &file)]).expect("one file"), of(&[("x", D::Decimal128(7, 2))]), "{narrow}");
            assert_eq!(union([("a.parquet", &file), ("b.parquet", &wider)]).expect("one type"), wider, "{narrow}");
        }
    }

    #[test]
    fn a_disagreement_names_the_first_file_that_says_what_the_column_is() {
        let file = |kind: DataType| of(&[("x", kind)]);
        let (nulls, numbers, texts) = (file(DataType::Null), file(DataType::Int64), file(DataType::Utf8));
        let files = [("a.parquet", &nulls), ("b.parquet", &numbers), ("c.parquet", &texts)];
        let error = union(files).expect_err("they disagree");
        assert_eq!(error.message(), "column `x` is int in `b.parquet`, but text in `c.parquet`");
    }

    #[test]
    fn what_two_writers_store_in_two_forms_is_one_type() {
        use DataType as D;
        let list = |name: &str, kind: D| D::List(Arc::new(Field::new(name, kind, true)));
        let large = |name: &str, kind: D| D::LargeList(Arc::new(Field::new(name, kind, true)));
        let of_fields = |fields: &[(&str, D)]| D::Struct(of(fields).fields);
        let dictionary = |values: D| D::Dictionary(Box::new(D::Int8), Box::new(values));
        for (one, other, wanted) in [
            (D::Utf8, D::LargeUtf8, D::LargeUtf8),
            (D::Utf8, D::Utf8View, D::Utf8View),
            (D::LargeUtf8, D::Utf8View, D::LargeUtf8),
            (dictionary(D::Utf8), D::Utf8, D::Utf8),
            (dictionary(D::Utf8), dictionary(D::LargeUtf8), D::LargeUtf8),
            (D::Binary, D::LargeBinary, D::LargeBinary),
            (D::Binary, D::BinaryView, D::BinaryView),
            (D::Decimal32(7, 2), D::Decimal64(12, 2), D::Decimal128(12, 2)),
            (list("item", D::Utf8), large("item", D::Utf8), large("item", D::Utf8)),
            (list("item", D::Int64), list("item", D::Null), list("item", D::Int64)),
            (
                of_fields(&[("a", D::Utf8), ("b", D::Int64)]),
                of_fields(&[("a", D::LargeUtf8), ("b", D::Int64)]),
                of_fields(&[("a", D::LargeUtf8), ("b", D::Int64)]),
            ),
        ] {
            assert_eq!(common(&one, &other).as_ref(), Some(&wanted), "{one} and {other}");
            assert_eq!(common(&other, &one).as_ref(), Some(&wanted), "{other} and {one}");
        }
        let named = common(&list("item", D::Utf8), &list("element", D::Utf8));
        assert_eq!(named, Some(list("item", D::Utf8)));
        for (one, other) in [
            (D::Utf8, D::Binary),
            (dictionary(D::Utf8), D::Int64),
            (D::Decimal32(7, 2), D::Decimal128(12, 4)),
            (list("item", D::Utf8), list("item", D::Int64)),
            (list("item", D::Utf8), D::Utf8),
            (of_fields(&[("a", D::Utf8)]), of_fields(&[("b", D::Utf8)])),
            (of_fields(&[("a", D::Utf8), ("a", D::Utf8)]), of_fields(&[("a", D::Utf8), ("a", D::LargeUtf8)])),
        ] {
            assert_eq!(common(&one, &other), None, "{one} and {other}");
        }
    }

    #[test]
    fn names_that_differ_by_capital_letters_are_two_columns_in_one_file_alone() {
        let file = |names: &[&str]| of(&names.iter().map(|name| (*name, DataType::Int64)).collect::<Vec<_>>());
        let (upper, lower, both) = (file(&["x", "NPS"]), file(&["nps", "x"]), file(&["nps", "NPS", "x"]));
        let error = union([("a.parquet", &upper), ("b.parquet", &lower)]).expect_err("they are one column");
        assert_eq!(error.message(), "`b.parquet` has no column `NPS`, which `a.parquet` has, but has `nps`");
        for files in [[&both, &lower], [&both, &upper], [&upper, &both], [&both, &both]] {
            let union = union(["a.parquet", "b.parquet"].into_iter().zip(files)).expect("two columns");
            assert_eq!(union.fields().len(), 3);
        }
    }

    #[test]
    fn a_file_with_two_columns_of_one_name_is_refused() {
        let schema = Schema::new(["x", "y", "x"].map(|name| Field::new(name, DataType::Int64, true)).to_vec());
        let said = |result: Result<()>| result.expect_err("it is refused").message().to_owned();
        let wanted = "`dup.parquet` has two columns `x`";
        assert_eq!(said(union([("dup.parquet", &schema)]).map(drop)), wanted);

        let declared =
            |name: &str| Column { name: name.to_owned(), kind: ColumnType::Int, nullable: true, description: None };
        let root = Type::group_type_builder("schema").build().expect("a schema without columns");
        let about = FileMetaData::new(1, 0, None, None, Arc::new(SchemaDescriptor::new(Arc::new(root))), None);
        let footer = ParquetMetaData::new(about, Vec::new());
        assert_eq!(said(check(&[declared("y"), declared("x")], &schema, &footer, "dup.parquet")), wanted);
        check(&[declared("y")], &schema, &footer, "dup.parquet").expect("what is not declared may be there twice");
    }
}
