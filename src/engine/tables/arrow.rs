//! The columns of Arrow files, each from its footer where it has one, else from its beginning.
//!
//! The engine's own look at objects in a bucket takes the header of a file to be eight bytes long, and it may be longer.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::{StreamDecoder, read_footer_length};
use datafusion::arrow::ipc::{convert::fb_to_schema, root_as_footer};
use datafusion::error::Result as EngineResult;
use datafusion::physical_expr::expressions::cast;
use datafusion::physical_plan::ExecutionPlan;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::{contract, partition};
use crate::error::{Error, Result};
use crate::storage::{Location, explain};

/// The length of a footer, and the mark behind it.
const END: u64 = 10;

/// Files that are looked into at once.
const AT_ONCE: usize = 16;

/// The columns that files have: each those of the first, in their order.
///
/// # Errors
/// `Storage` when a file cannot be read, `InvalidData` when one is no Arrow file, has two columns of one name, or other columns than
/// the first.
pub async fn schema_of_all(store: &dyn ObjectStore, location: &Location, files: &[ObjectMeta]) -> Result<Schema> {
    let mut schemas: Vec<Schema> = Vec::with_capacity(files.len());
    let looks: Vec<_> = files
        .iter()
        .map(|file| async move { schema(store, file, &location.shown(&file.location)).await }.boxed())
        .collect();
    let mut looks = stream::iter(files).zip(stream::iter(looks).buffered(AT_ONCE));
    while let Some((file, found)) = looks.next().await {
        let (shown, found) = (location.shown(&file.location), found?);
        if let Some(name) = contract::repeated(&found).next() {
            return Err(contract::twice(name, &shown));
        }
        if schemas.first().is_some_and(|first| !columns(first).eq(columns(&found))) {
            let first = location.shown(&files[0].location);
            return Err(Error::invalid(format!("the columns of `{shown}` are not those of `{first}`"))
                .hint("Arrow columns are told apart by their place; read files with different columns one by one"));
        }
        schemas.push(found);
    }
    Schema::try_merge(schemas).map_err(|error| {
        Error::invalid(format!("the files at `{}` are no one table: {error}", location.written))
            .caused_by(error)
            .hint("narrow the path with a glob")
    })
}

fn columns(schema: &Schema) -> impl Iterator<Item = (&str, &DataType)> {
    schema.fields().iter().map(|field| (field.name().as_str(), field.data_type()))
}

/// The same columns with whole numbers as wide as those of any other file.
pub fn widened(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(|field| contract::is_narrow(field.data_type())) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| match contract::is_narrow(field.data_type()) {
        true => Arc::new(Field::clone(field).with_data_type(DataType::Int64)),
        false => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// A scan with whole numbers as [`widened`] has them; the engine's gives them as they are stored.
///
/// # Errors
/// Those of the engine.
pub fn with_wide_numbers(scan: Arc<dyn ExecutionPlan>) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let stored = scan.schema();
    if !stored.fields().iter().any(|field| contract::is_narrow(field.data_type())) {
        return Ok(scan);
    }
    partition::with_columns(scan, |field, column| match contract::is_narrow(field.data_type()) {
        true => cast(column, &stored, DataType::Int64),
        false => Ok(column),
    })
}

/// The columns of a file.
async fn schema(store: &dyn ObjectStore, file: &ObjectMeta, shown: &str) -> Result<Schema> {
    let failed = |error: object_store::Error| explain(&error, &format!("cannot read `{shown}`"));
    let read = async |range: Range<u64>| store.get_range(&file.location, range).await.map_err(failed);
    let end = file.size.checked_sub(END);
    let length = match end {
        Some(end) => footer_length(&read(end..file.size).await?),
        None => None,
    };
    let start = end.zip(length).and_then(|(end, length)| end.checked_sub(length));
    let found = match end.zip(start) {
        Some((end, start)) => of_footer(&read(start..end).await?),
        None => of_stream(store, file).await.map_err(failed)?,
    };
    found.map_err(|error| Error::invalid(format!("cannot read `{shown}` as Arrow: {error}")).caused_by(error))
}

/// The length of the footer that stands before these bytes; `None` for the end of a stream, which has none.
fn footer_length(end: &Bytes) -> Option<u64> {
    let end = end.as_ref().try_into().ok()?;
    u64::try_from(read_footer_length(end).ok()?).ok()
}

fn of_footer(footer: &Bytes) -> Result<Schema, ArrowError> {
    let damaged = || ArrowError::ParseError("the footer is damaged".to_owned());
    let footer = root_as_footer(footer).map_err(|_| damaged())?;
    footer.schema().map(fb_to_schema).ok_or_else(damaged)
}

/// The columns that the first message of a stream tells.
async fn of_stream(store: &dyn ObjectStore, file: &ObjectMeta) -> object_store::Result<Result<Schema, ArrowError>> {
    let mut parts = store.get(&file.location).await?.into_stream();
    let mut decoder = StreamDecoder::new();
    while let Some(part) = parts.try_next().await? {
        let mut part = Buffer::from(part);
        while !part.is_empty() {
            if let Err(error) = decoder.decode(&mut part) {
                return Ok(Err(error));
            }
            if let Some(schema) = decoder.schema() {
                return Ok(Ok(schema.as_ref().clone()));
            }
        }
    }
    Ok(Err(ArrowError::ParseError("it ends before it says what its columns are".to_owned())))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, RecordBatch};
    use datafusion::arrow::ipc::MetadataVersion;
    use datafusion::arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use object_store::memory::InMemory;
    use object_store::path::Path as ObjectPath;

    use super::*;

    async fn of(bytes: Vec<u8>) -> Result<Schema> {
        let (store, path) = (InMemory::new(), ObjectPath::from("x.arrow"));
        store.put(&path, bytes.into()).await.expect("it is put");
        let file = store.head(&path).await.expect("it is there");
        schema(&store, &file, "x.arrow").await
    }

    #[tokio::test]
    async fn columns_are_found_in_files_of_any_alignment_and_in_streams_and_damage_is_told() {
        let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![1, 2]))]).expect("rows");
        let (mut whole, mut stream) = (Vec::new(), Vec::new());
        for alignment in [8, 64] {
            let options = IpcWriteOptions::try_new(alignment, false, MetadataVersion::V5).expect("options");
            let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options).expect("a writer");
            writer.write(&batch).expect("it is written");
            whole = writer.into_inner().expect("a file");
            assert_eq!(of(whole.clone()).await.expect("columns"), *schema, "{alignment}");
        }
        let mut writer = StreamWriter::try_new(&mut stream, &schema).expect("a writer");
        writer.write(&batch).expect("it is written");
        writer.finish().expect("it ends");
        assert_eq!(of(stream.clone()).await.expect("columns"), *schema);

        let end = whole.len() - 30;
        whole[end - 100..end].fill(0xff);
        for damaged in [whole, stream[..20].to_vec(), b"no such file".to_vec(), Vec::new()] {
            let error = of(damaged).await.expect_err("it is damaged");
            assert!(error.to_string().starts_with("cannot read `x.arrow` as Arrow: "), "{error}");
        }
    }
}
