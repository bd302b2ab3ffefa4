//! `cxlake init DIR`: a new lake, from the binary alone.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::super::settings::Settings;
use crate::error::{Error, Result};
use crate::lake::{MANIFEST, is_address};
use crate::sample;
use crate::shell::tell;

/// The sample lake's manifest and saved queries, as they are in the repository.
const SAMPLE_MANIFEST: &str = include_str!("../../../cxlake.toml");
static SAMPLE_QUERIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

pub fn run(dir: &Path, settings: &Settings) -> Result<()> {
    refuse_lake(dir)?;
    let name = std::path::absolute(dir).ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned()));
    write(&dir.join("queries"), None)?;
    write(&dir.join(MANIFEST), Some(&manifest(name.as_deref().unwrap_or("lake"))))?;
    if !settings.view().quiet {
        tell(&format!("a new lake is in `{}`; `{MANIFEST}` there says how to add tables", dir.display()));
    }
    Ok(())
}

/// Refuses a folder that is a lake already, and what is no folder.
///
/// # Errors
/// `Usage` when there is a manifest in it.
pub fn refuse_lake(dir: &Path) -> Result<()> {
    if dir.to_str().is_some_and(is_address) {
        return Err(Error::usage(format!("`{}` is in a bucket; a lake is made in a folder", dir.display()))
            .hint("make it there and copy it with an S3 client, such as `aws s3 cp --recursive`"));
    }
    if dir.join(MANIFEST).exists() {
        return Err(Error::usage(format!("`{}` is a lake already: it has a `{MANIFEST}`", dir.display()))
            .hint("choose another folder; nothing was changed"));
    }
    Ok(())
}

/// Writes the sample lake's manifest and queries.
///
/// # Errors
/// `Storage` when the disk refuses; `Usage` when a query of the same name is there.
pub fn write_sample(dir: &Path) -> Result<()> {
    let queries = dir.join("queries");
    for file in SAMPLE_QUERIES.files() {
        let path = queries.join(file.path());
        if path.exists() {
            return Err(Error::usage(format!("`{}` is there already", path.display())).hint("choose another folder"));
        }
        write(&path, file.contents_utf8())?;
    }
    // The manifest comes last: it is what makes the folder a lake.
    write(&dir.join(MANIFEST), Some(SAMPLE_MANIFEST))
}

/// Writes a file with the folders above it, or makes a folder where there is no text.
fn write(path: &Path, text: Option<&str>) -> Result<()> {
    let folder = if text.is_some() { path.parent().unwrap_or(path) } else { path };
    let result = std::fs::create_dir_all(folder).and_then(|()| text.map_or(Ok(()), |text| std::fs::write(path, text)));
    result.map_err(|error| Error::storage(format!("cannot write `{}`: {error}", path.display())).caused_by(error))
}

fn manifest(name: &str) -> String {
    let today = sample::TODAY;
    format!(
        r#"# A lake: what is in it, and by which calendar it counts. Every key is in docs/manifest.md.

[lake]
name = {name:?}
time_zone = "UTC"
fiscal_year_start = 1
currency = "USD"

# A table is a file, a folder or a glob of Parquet files. Declared columns are a contract: a file that breaks it is an error
# that names the file. Values in folder names (period=2026-09-01/) are declared as partitions.
#
# [table.surveys]
# path = "surveys/"
# description = "One row per invitation to a survey."
# partition = {{ period = "date" }}
#
# [table.surveys.columns]
# response_id = "text"
# nps = "int?"            # `?`: may be null, and older files may lack it
# answered_at = "timestamp?"
#
# What its rows should be is found out by `cxlake check`.
#
# [[table.surveys.check]]
# name = "nps_is_on_its_scale"
# assert = "nps is null or nps between 0 and 10"

# A saved query is a file queries/NAME.sql; `cxlake run NAME` runs it. `cxlake init DIR --sample` makes a lake with examples;
# its data ends before {today}.
"#
    )
}
