//! What the footers of a scan say of its columns.

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::super::tables::Footer;

/// Rows of a page, about.
pub const ROWS_OF_PAGE: f64 = 20_000.0;

/// Footers that are looked at.
pub const FOOTERS_READ: usize = 4;

/// Bytes that a value takes in a dictionary as it is stored, about.
const BYTES_OF_VALUE: f64 = 4.0;

/// The row groups of the first files of a scan; none where the files have no footers.
pub fn row_groups(scan: &FileScanConfig) -> Vec<&RowGroupMetaData> {
    let files = scan.file_groups.iter().flat_map(FileGroup::files);
    let footers = files.filter_map(|file| file.extension::<Footer>()).take(FOOTERS_READ);
    footers.flat_map(|footer| footer.0.row_groups()).collect()
}

/// The share of rows in which a column is known.
pub fn known_values(name: &str, row_groups: &[&RowGroupMetaData]) -> Option<f64> {
    let (mut nulls, mut rows) = (0.0, 0.0);
    for group in row_groups {
        for chunk in chunks(group, name) {
            nulls += chunk.statistics()?.null_count_opt()? as f64;
            rows += chunk.num_values() as f64;
        }
    }
    (rows > 0.0).then(|| 1.0 - nulls / rows)
}

/// How many values a column has, about and rather too few: as many as its largest dictionary holds, and as there are rows where a
/// dictionary was given up.
pub fn distinct(name: &str, row_groups: &[&RowGroupMetaData]) -> f64 {
    let of_chunk = |(group, chunk): (&RowGroupMetaData, &ColumnChunkMetaData)| match chunk.dictionary_page_offset() {
        Some(start) => (chunk.data_page_offset() - start) as f64 / BYTES_OF_VALUE,
        None => group.num_rows() as f64,
    };
    let all = row_groups.iter().flat_map(|group| chunks(group, name).map(move |chunk| (*group, chunk)));
    all.map(of_chunk).fold(1.0, f64::max)
}

/// What is stored of a column in a row group: one chunk, or one for each field of a nested column.
pub fn chunks<'a>(group: &'a RowGroupMetaData, name: &'a str) -> impl Iterator<Item = &'a ColumnChunkMetaData> {
    let of_name =
        move |chunk: &&ColumnChunkMetaData| chunk.column_path().parts().first().is_some_and(|part| part == name);
    group.columns().iter().filter(of_name)
}
