//! The texts in the dictionaries of a file on this machine: a column's values, without reading its rows.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::parquet::basic::{ConvertedType, Type};
use datafusion::parquet::column::page::{Page, PageReader};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use datafusion::parquet::file::serialized_reader::SerializedPageReader;

/// What a dictionary says of its column.
#[derive(Debug)]
pub enum Texts {
    Few(Vec<String>),
    /// More than were asked for.
    Many,
}

/// The texts of each column of the first row group that has a dictionary, up to `max` of them.
///
/// They are some of the column's values, and not always all: a dictionary that grew too long ends early. A column that cannot
/// be read is left out, as one without a dictionary is.
pub fn texts(path: &Path, footer: &ParquetMetaData, max: usize) -> Vec<(String, Texts)> {
    let (Ok(file), Some(group)) = (File::open(path), footer.row_groups().first()) else { return Vec::new() };
    let file = Arc::new(file);
    let is_text = |column: &&ColumnChunkMetaData| {
        let described = column.column_descr();
        described.path().parts().len() == 1
            && column.column_type() == Type::BYTE_ARRAY
            && described.converted_type() == ConvertedType::UTF8
            && column.dictionary_page_offset().is_some()
    };
    let rows = usize::try_from(group.num_rows()).unwrap_or_default();
    let columns = group.columns().iter().filter(is_text);
    columns
        .filter_map(|column| {
            let mut pages = SerializedPageReader::new(Arc::clone(&file), column, rows, None).ok()?;
            let Page::DictionaryPage { buf, num_values, .. } = pages.get_next_page().ok()?? else { return None };
            let name = column.column_descr().name().to_owned();
            if usize::try_from(num_values).ok()? > max {
                return Some((name, Texts::Many));
            }
            Some((name, Texts::Few(plain(&buf)?)))
        })
        .collect()
}

/// Texts as a dictionary has them: each behind its length in four bytes.
fn plain(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        texts.push(std::str::from_utf8(text).ok()?.to_owned());
        bytes = rest;
    }
    Some(texts)
}
