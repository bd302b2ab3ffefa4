//! Files by path: `select … from 'folder/file.csv'`, with or without a lake.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use object_store::ObjectMeta;

use super::ParquetTable;
use super::plain::{Kind, PlainTable};
use crate::error::{Error, Result};
use crate::storage::{Location, Stores};

/// What is in a file, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Parquet,
    Plain(Kind),
}

const ENDINGS: [(&str, Content); 11] = [
    ("parquet", Content::Parquet),
    ("parq", Content::Parquet),
    ("pq", Content::Parquet),
    ("csv", Content::Plain(Kind::Csv)),
    ("tsv", Content::Plain(Kind::Csv)),
    ("json", Content::Plain(Kind::Json)),
    ("ndjson", Content::Plain(Kind::Json)),
    ("jsonl", Content::Plain(Kind::Json)),
    ("arrow", Content::Plain(Kind::Arrow)),
    ("feather", Content::Plain(Kind::Arrow)),
    ("ipc", Content::Plain(Kind::Arrow)),
];

const COMPRESSIONS: [(&str, FileCompressionType); 4] = [
    ("gz", FileCompressionType::GZIP),
    ("bz2", FileCompressionType::BZIP2),
    ("xz", FileCompressionType::XZ),
    ("zst", FileCompressionType::ZSTD),
];

/// Whether a name in FROM means a file, a folder or a glob rather than a table.
pub fn is_path(name: &str) -> bool {
    name.contains(['/', '*', '~']) || content(name).is_some()
}

/// Opens the files at a path as one table.
///
/// # Errors
/// `NotFound` when no data file is there, `InvalidData` when the files cannot be one table, or have no columns.
pub async fn open(session: &dyn Session, stores: &Arc<Stores>, location: Location) -> Result<Arc<dyn TableProvider>> {
    let (files, content, compression) = found(stores, &location).await?;
    let (written, is_empty) = (location.written.clone(), files.iter().all(|file| file.size == 0));
    let table: Arc<dyn TableProvider> = match content {
        Content::Parquet => {
            Arc::new(ParquetTable::open(session, Arc::clone(stores), location, Vec::new(), Vec::new()).await?)
        }
        Content::Plain(kind) => {
            Arc::new(PlainTable::open(Arc::clone(stores), location, files, kind, compression).await?)
        }
    };
    if table.schema().fields().is_empty() {
        // One that is still to be written would count as a table of no rows.
        let hint = if is_empty { "it is empty (0 bytes)" } else { "nothing in it names one" };
        return Err(Error::invalid(format!("`{written}` has no columns")).hint(hint));
    }
    Ok(table)
}

/// The files at the location now, when they are of this kind.
///
/// # Errors
/// As [`open`]; `InvalidData` when they are of another kind.
pub async fn files_of(
    stores: &Stores,
    location: &Location,
    kind: Kind,
    compression: FileCompressionType,
) -> Result<Vec<ObjectMeta>> {
    match found(stores, location).await? {
        (files, content, packed) if content == Content::Plain(kind) && packed == compression => Ok(files),
        _ => Err(Error::invalid(format!("the files at `{}` are of another kind than they were", location.written))
            .hint("make the view or the table anew that reads them")),
    }
}

/// The files at a location, at least one, and the content that they all have.
async fn found(stores: &Stores, location: &Location) -> Result<(Vec<ObjectMeta>, Content, FileCompressionType)> {
    let known: Vec<String> = ENDINGS
        .iter()
        .flat_map(|(ending, _)| {
            let packed = COMPRESSIONS.iter().map(move |(packed, _)| format!("{ending}.{packed}"));
            packed.chain([(*ending).to_owned()])
        })
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let store = stores.open(&location.store_url)?;
    let files = location.list(store.as_ref(), &known).await?.files;
    if files.is_empty() {
        return Err(Error::not_found(format!("no data file at `{}`", location.written))
            .hint("read by path are Parquet, CSV, TSV, JSON and Arrow files, by their endings"));
    }
    let (content, compression) = one_kind(location, &files)?;
    Ok((files, content, compression))
}

/// The one content that all files have.
fn one_kind(location: &Location, files: &[ObjectMeta]) -> Result<(Content, FileCompressionType)> {
    let first = location.shown(&files[0].location);
    let kind = content(&first).ok_or_else(|| {
        Error::invalid(format!("cannot tell from its name what `{first}` holds"))
            .hint(format!("known endings: {}", ENDINGS.map(|(ending, _)| ending).join(", ")))
    })?;
    match files.iter().map(|file| location.shown(&file.location)).find(|shown| content(shown) != Some(kind)) {
        Some(other) => Err(Error::invalid(format!("`{first}` and `{other}` are of different kinds"))
            .hint(format!("narrow the path with a glob, such as `{}/*.csv`", location.written.trim_end_matches('/')))),
        None => Ok(kind),
    }
}

/// What a file of this name holds, and how it is packed.
fn content(name: &str) -> Option<(Content, FileCompressionType)> {
    let name = name.to_lowercase();
    let (stem, last) = name.rsplit_once('.')?;
    let packed = COMPRESSIONS.iter().find(|(ending, _)| *ending == last).map(|(_, compression)| *compression);
    let ending = if packed.is_some() { stem.rsplit_once('.')?.1 } else { last };
    let (_, kind) = ENDINGS.iter().find(|(known, _)| *known == ending)?;
    let packable = matches!(kind, Content::Plain(Kind::Csv | Kind::Json));
    (packed.is_none() || packable).then_some((*kind, packed.unwrap_or(FileCompressionType::UNCOMPRESSED)))
}

#[cfg(test)]
mod tests {
    use super::super::parquet;
    use super::*;

    #[test]
    fn a_path_is_told_from_a_table_by_its_looks() {
        for path in ["a/b", "x.parquet", "x.CSV", "x.csv.gz", "data/*.json", "*"] {
            assert!(is_path(path), "{path}");
        }
        for table in ["surveys", "public.surveys", "x.txt", "x.parquet.gz", "nps-by-office"] {
            assert!(!is_path(table), "{table}");
        }
    }

    #[test]
    fn every_ending_of_a_parquet_table_is_read_by_path_too() {
        for ending in parquet::EXTENSIONS {
            assert_eq!(content(&format!("x.{ending}")).map(|(kind, _)| kind), Some(Content::Parquet));
        }
    }
}
