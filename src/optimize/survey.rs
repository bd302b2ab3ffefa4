//! What the footers of a table's files say of how they are laid out, and which folders want rewriting.

use std::collections::BTreeMap;

use object_store::path::Path as ObjectPath;
use parquet::basic::Compression;
use parquet::file::metadata::{RowGroupMetaData, SortingColumn};

use super::write::{FILE_BYTES, GROUP_BYTES, GROUP_ROWS};
use crate::engine::TableFile;
use crate::lake::layout::Layout;

/// Row groups of so many times the rows or bytes that we would give them are too large.
const TOO_LARGE: u64 = 4;

/// Folders are left alone as long as they have at most so many times the row groups that we would make.
const TOO_MANY: u64 = 2;

/// The files of one folder: a partition, or the table itself.
#[derive(Clone, Debug)]
pub struct Folder {
    pub path: ObjectPath,
    pub files: Vec<TableFile>,
    pub wants_rewriting: bool,
}

/// How files are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub files: usize,
    pub bytes: u64,
    pub rows: u64,
    pub row_groups: usize,
    pub rows_sorted: u64,
    /// Of the columns of all row groups, in the files.
    pub bytes_columns: u64,
    pub bytes_zstd: u64,
    /// Row groups in which all identifiers have a bloom filter.
    pub row_groups_filtered: usize,
}

impl Extent {
    /// The extent of files, held against a layout.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a TableFile>, layout: &Layout) -> Self {
        let mut extent = Self::default();
        for file in files {
            extent.files += 1;
            extent.bytes += file.meta.size;
            let wanted = wanted_order(file, layout);
            for group in file.footer.row_groups() {
                let rows = group.num_rows().unsigned_abs();
                extent.rows += rows;
                extent.row_groups += 1;
                extent.rows_sorted += if is_sorted(group, &wanted) { rows } else { 0 };
                extent.row_groups_filtered += usize::from(is_filtered(file, group, layout));
                for column in group.columns() {
                    let bytes = column.compressed_size().unsigned_abs();
                    extent.bytes_columns += bytes;
                    extent.bytes_zstd += if is_zstd(column.compression()) { bytes } else { 0 };
                }
            }
        }
        extent
    }
}

/// The files by folder, each with the verdict whether it wants rewriting.
pub fn folders(files: &[TableFile], layout: &Layout) -> Vec<Folder> {
    let mut by_path: BTreeMap<ObjectPath, Vec<TableFile>> = BTreeMap::new();
    for file in files {
        let parts: Vec<_> = file.meta.location.parts().collect();
        let path = parts.iter().take(parts.len().saturating_sub(1)).cloned().collect();
        by_path.entry(path).or_default().push(file.clone());
    }
    let folder = |(path, files): (ObjectPath, Vec<TableFile>)| {
        let wants_rewriting = wants_rewriting(&files, layout);
        Folder { path, files, wants_rewriting }
    };
    by_path.into_iter().map(folder).collect()
}

fn wants_rewriting(files: &[TableFile], layout: &Layout) -> bool {
    let extent = Extent::of(files, layout);
    let files_wanted = files_wanted(extent.bytes);
    let is_laid_out = extent.rows_sorted == extent.rows
        && extent.bytes_zstd == extent.bytes_columns
        && extent.row_groups_filtered == extent.row_groups;
    let (mut groups_wanted, mut is_too_large) = (0, false);
    for group in files.iter().flat_map(|file| file.footer.row_groups()) {
        let (rows, bytes) = (group.num_rows().unsigned_abs(), group.compressed_size().unsigned_abs());
        is_too_large |= rows > TOO_LARGE * GROUP_ROWS || bytes > TOO_LARGE * GROUP_BYTES;
    }
    for file in files {
        let bytes: u64 = file.footer.row_groups().iter().map(|group| group.compressed_size().unsigned_abs()).sum();
        groups_wanted += file.rows().div_ceil(GROUP_ROWS).max(bytes.div_ceil(GROUP_BYTES)).max(1);
    }
    let is_too_large = is_too_large || files.iter().any(|file| file.meta.size > 2 * FILE_BYTES);
    let has_too_many = extent.files as u64 > files_wanted || extent.row_groups as u64 > TOO_MANY * groups_wanted;
    !is_laid_out || is_too_large || has_too_many
}

/// Files that hold so many bytes. The last one may be small, and one more hold what sorting made larger.
pub fn files_wanted(bytes: u64) -> u64 {
    if bytes <= FILE_BYTES { 1 } else { bytes.div_ceil(FILE_BYTES) + 1 }
}

fn is_zstd(compression: Compression) -> bool {
    matches!(compression, Compression::ZSTD(_))
}

/// The order that a footer tells of a file with these columns; columns that it lacks are the same in every row.
fn wanted_order(file: &TableFile, layout: &Layout) -> Vec<SortingColumn> {
    let keys = layout.sort.iter().filter_map(|key| {
        let column_idx = i32::try_from(file.column(&key.column)?).ok()?;
        Some(SortingColumn { column_idx, descending: key.descending, nulls_first: false })
    });
    keys.collect()
}

fn is_sorted(group: &RowGroupMetaData, wanted: &[SortingColumn]) -> bool {
    wanted.is_empty() || group.sorting_columns().is_some_and(|told| told.starts_with(wanted))
}

fn is_filtered(file: &TableFile, group: &RowGroupMetaData, layout: &Layout) -> bool {
    let mut places = layout.identifiers.iter().filter_map(|column| file.column(column));
    places.all(|place| group.column(place).bloom_filter_offset().is_some())
}
