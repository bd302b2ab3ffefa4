//! CSV files whose errors say which value or row of which file is wrong: the engine's reader knows neither the name of the file nor
//! those of its columns.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use datafusion_datasource::TableSchema;
use datafusion_datasource::file_stream::{FileOpenFuture, FileOpener};
use futures::StreamExt;
use object_store::ObjectStore;

use crate::error::Error;
use crate::lake::column::type_name;
use crate::storage::Location;

/// What is to be done with a text of another encoding.
pub const LATIN: &str = "write it again as UTF-8; what Excel wrote, with `iconv -f windows-1252 -t utf-8`";

/// A scan of the CSV files at a location, with errors that name them.
pub fn named(scan: Arc<dyn ExecutionPlan>, location: &Location) -> Arc<dyn ExecutionPlan> {
    let config =
        scan.downcast_ref::<DataSourceExec>().and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    let Some(config) = config else { return scan };
    let source = Source { engine: Arc::clone(config.file_source()), location: location.clone() };
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    DataSourceExec::from_data_source(config)
}

/// The engine's source of CSV files, and where they lie.
struct Source {
    engine: Arc<dyn FileSource>,
    location: Location,
}

impl Source {
    fn over(&self, engine: Arc<dyn FileSource>) -> Arc<dyn FileSource> {
        Arc::new(Self { engine, location: self.location.clone() })
    }
}

impl FileSource for Source {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> EngineResult<Arc<dyn FileOpener>> {
        Ok(Arc::new(Opener {
            engine: self.engine.create_file_opener(store, config, partition)?,
            schema: Arc::clone(self.engine.table_schema().file_schema()),
            location: self.location.clone(),
        }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.engine.table_schema()
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        self.over(self.engine.with_batch_size(batch_size))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.engine.projection()
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> EngineResult<Option<Arc<dyn FileSource>>> {
        Ok(self.engine.try_pushdown_projection(projection)?.map(|engine| self.over(engine)))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.engine.metrics()
    }

    fn file_type(&self) -> &str {
        self.engine.file_type()
    }

    fn fmt_extra(&self, form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.engine.fmt_extra(form, f)
    }

    fn supports_repartitioning(&self) -> bool {
        self.engine.supports_repartitioning()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        self.engine.apply_expressions(f)
    }
}

struct Opener {
    engine: Arc<dyn FileOpener>,
    schema: SchemaRef,
    location: Location,
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> EngineResult<FileOpenFuture> {
        let shown = self.location.shown(&file.object_meta.location);
        let schema = Arc::clone(&self.schema);
        let opened = self.engine.open(file)?;
        Ok(Box::pin(async move {
            let batches = opened.await.map_err(|error| explained(error, &schema, &shown))?;
            Ok(batches.map(move |batch| batch.map_err(|error| explained(error, &schema, &shown))).boxed())
        }))
    }
}

/// An error of the reader with what it is about; others as they are.
fn explained(error: DataFusionError, schema: &Schema, shown: &str) -> DataFusionError {
    let told = match &error {
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ParseError(message) => misfit(message, schema, shown),
            inner @ ArrowError::CsvError(_) => Some(unreadable(inner, shown)),
            _ => None,
        },
        _ => None,
    };
    match told {
        Some(told) => told.into(),
        None => error,
    }
}

/// What is wrong with rows that cannot be told apart, out of what the reader says.
pub fn unreadable(error: &ArrowError, shown: &str) -> Error {
    let told = match error {
        ArrowError::CsvError(message) => ragged(message).or_else(|| not_utf8(message)),
        _ => None,
    };
    match told {
        Some(told) => told.at(shown, None),
        None => Error::invalid(format!("cannot read `{shown}` as CSV: {error}")),
    }
}

/// A row with more or fewer values than the header has.
fn ragged(message: &str) -> Option<Error> {
    let (row, counts) = message.strip_prefix("incorrect number of fields for line ")?.split_once(", expected ")?;
    let (wanted, found) = counts.split_once(" got ")?;
    let (row, values) = (below_header(row)?, if found == "1" { "value" } else { "values" });
    let message = format!("row {row} below the header has {found} {values}, the header {wanted}");
    Some(
        Error::invalid(message).hint("put values that hold the separator in quotes, and delete lines above the header"),
    )
}

fn not_utf8(message: &str) -> Option<Error> {
    let row = message.strip_prefix("Encountered invalid UTF-8 data for line ")?.split_once(' ')?.0;
    Some(Error::invalid(format!("row {} below the header is not UTF-8", below_header(row)?)).hint(LATIN))
}

/// The reader counts the header as the first.
fn below_header(row: &str) -> Option<usize> {
    row.parse::<usize>().ok()?.checked_sub(1)
}

/// A value that is not of its column's type, out of what the reader says of it.
fn misfit(message: &str, schema: &Schema, shown: &str) -> Option<Error> {
    let (value, column, row) = place(message)?;
    let field = schema.fields().get(column)?;
    let kind = type_name(field.data_type());
    // A zone or a unit says nothing here.
    let kind = kind.split('(').next().unwrap_or(&kind);
    let name = field.name();
    Some(
        Error::invalid(format!("`{value}` is no {kind}: column `{name}`, row {row} below the header"))
            .at(shown, None)
            .hint("types are taken from the first 4 MB of a file; mend the value, or name the types in `create external table`"),
    )
}

/// The value, the column by its place and the row that the reader names, counted from 0 and from 1.
fn place(message: &str) -> Option<(&str, usize, &str)> {
    if let Some(rest) = message.strip_prefix("Error while parsing value '") {
        let (value, rest) = rest.split_once("' as type '")?;
        let (column, rest) = rest.split_once("' for column ")?.1.split_once(" at line ")?;
        return Some((value, column.parse().ok()?, rest.split_once('.')?.0));
    }
    let (column, rest) = message.strip_prefix("Error parsing column ")?.split_once(" at line ")?;
    let (row, reason) = rest.split_once(": ")?;
    let (value, _) = reason.split_once(" from '")?.1.rsplit_once("': ")?;
    Some((value, column.parse().ok()?, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_says_which_value_does_not_fit_and_where_it_is() {
        for (message, wanted) in [
            (
                "Error while parsing value 'x, y' as type 'Int64' for column 1 at line 70. Row data: '[007,x, y]'",
                ("x, y", 1, "70"),
            ),
            (
                "Error parsing column 3 at line 20: Parser error: Error parsing timestamp from 'soon': error parsing date",
                ("soon", 3, "20"),
            ),
        ] {
            assert_eq!(place(message), Some(wanted));
        }
        assert_eq!(place("another error"), None);
    }

    #[test]
    fn a_row_that_is_no_row_of_the_table_is_told_in_words_that_mend_it() {
        let told = |message: &str| unreadable(&ArrowError::CsvError(message.to_owned()), "x.csv");
        let ragged = told("incorrect number of fields for line 3, expected 3 got 2");
        let wanted = "row 2 below the header has 2 values, the header 3";
        assert_eq!((ragged.message(), ragged.hint_text().is_some()), (wanted, true));
        let latin = told("Encountered invalid UTF-8 data for line 22 and field 2");
        assert_eq!((latin.message(), latin.hint_text()), ("row 21 below the header is not UTF-8", Some(LATIN)));
        assert_eq!(told("another error").message(), "cannot read `x.csv` as CSV: Csv error: another error");
    }
}
