//! Files by path: `select … from 'folder/file.csv'`, with or without a lake.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::{ObjectMeta, ObjectStore};

use super::{ParquetTable, csv};
use crate::error::{Error, Result};
use crate::storage::{Location, Stores, explain, of_store};

/// What is in a file, by its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Parquet,
    Csv,
    Json,
    Arrow,
}

const ENDINGS: [(&str, Content); 11] = [
    ("parquet", Content::Parquet),
    ("parq", Content::Parquet),
    ("pq", Content::Parquet),
    ("csv", Content::Csv),
    ("tsv", Content::Csv),
    ("json", Content::Json),
    ("ndjson", Content::Json),
    ("jsonl", Content::Json),
    ("arrow", Content::Arrow),
    ("feather", Content::Arrow),
    ("ipc", Content::Arrow),
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
/// `NotFound` when no data file is there, `InvalidData` when the files cannot be one table.
pub async fn open(session: &dyn Session, stores: &Arc<Stores>, location: Location) -> Result<Arc<dyn TableProvider>> {
    let store_url = ObjectStoreUrl::parse(&location.store_url).map_err(|error| Error::internal(error.to_string()))?;
    let store = session.runtime_env().object_store(&store_url).map_err(|error| Error::internal(error.to_string()))?;
    let files = files(store.as_ref(), &location).await?;
    let (kind, compression) = one_kind(&location, &files)?;
    let (format, schema): (Arc<dyn FileFormat>, _) = match kind {
        Content::Parquet => {
            let table = ParquetTable::open(session, Arc::clone(stores), location, Vec::new(), Vec::new()).await?;
            return Ok(Arc::new(table));
        }
        Content::Csv => {
            let dialect = csv::sniff(&store, &location, &files, compression).await?;
            (Arc::new(dialect.format), Some(dialect.schema))
        }
        Content::Json => {
            let is_array =
                csv::head(&store, &location, &files[0], compression).await?.trim_ascii_start().starts_with(b"[");
            let format = JsonFormat::default().with_newline_delimited(!is_array);
            (Arc::new(format.with_file_compression_type(compression)), None)
        }
        Content::Arrow => (Arc::new(ArrowFormat), None),
    };
    let schema = match schema {
        Some(schema) => schema,
        None => format.infer_schema(session, &store, &files).await.map_err(|error| match of_store(&error) {
            Some(error) => explain(error, &format!("cannot read `{}`", location.written)),
            None => Error::invalid(format!("cannot read `{}`: {}", location.written, error.strip_backtrace())),
        })?,
    };
    let addresses = files.iter().map(|file| address(&location, file)).collect::<Result<Vec<_>>>()?;
    let options = ListingOptions::new(format).with_file_extension("");
    let config = ListingTableConfig::new_with_multi_paths(addresses).with_listing_options(options).with_schema(schema);
    let table = ListingTable::try_new(config).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Arc::new(table))
}

/// The files at the location; at least one.
async fn files(store: &dyn ObjectStore, location: &Location) -> Result<Vec<ObjectMeta>> {
    let known: Vec<String> = ENDINGS
        .iter()
        .flat_map(|(ending, _)| {
            let packed = COMPRESSIONS.iter().map(move |(packed, _)| format!("{ending}.{packed}"));
            packed.chain([(*ending).to_owned()])
        })
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let listing = location.list(store, &known).await?;
    if listing.files.is_empty() {
        return Err(Error::not_found(format!("no data file at `{}`", location.written))
            .hint("read by path are Parquet, CSV, TSV, JSON and Arrow files, by their endings"));
    }
    Ok(listing.files)
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
    let packable = matches!(kind, Content::Csv | Content::Json);
    (packed.is_none() || packable).then_some((*kind, packed.unwrap_or(FileCompressionType::UNCOMPRESSED)))
}

fn address(location: &Location, file: &ObjectMeta) -> Result<ListingTableUrl> {
    let url = format!("{}{}", location.store_url, file.location);
    ListingTableUrl::parse(&url).map_err(|error| Error::internal(format!("address `{url}`: {error}")))
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
