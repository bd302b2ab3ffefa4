//! How long whole calls of the program take: from the start of the process to its end, as its users wait for it.
//!
//! Three groups: start-up to the first row, every saved query on the sample lake, and a million rows in three forms.
//! `benches/README.md` says how to run this and how a run is kept.

// A benchmark says what is wrong by panicking; clippy knows that of test functions only.
#![allow(clippy::expect_used)]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};
use tempfile::TempDir;

/// Tables of the large lake.
const TABLES: usize = 500;

/// Each table's columns: name, type in the manifest, value in SQL.
const COLUMNS: [(&str, &str, &str); 10] = [
    ("id", "int", "value"),
    ("name", "text", "concat('row ', cast(value as varchar))"),
    ("weight", "float", "cast(value as double) / 7"),
    ("is_open", "bool", "value % 2 = 0"),
    ("opened_on", "date", "date '2026-01-01'"),
    ("changed_at", "timestamp", "arrow_cast('2026-01-01T12:00:00Z', 'Timestamp(us, \"UTC\")')"),
    ("cost", "decimal(18,2)", "cast(value as decimal(18, 2))"),
    ("score", "int?", "nullif(value, 3)"),
    ("comment", "text?", "cast(null as varchar)"),
    ("closed_on", "date?", "cast(null as date)"),
];

const MILLION_ROWS: &str = "select value as n, value * 2 as twice, concat('row ', cast(value as varchar)) as name \
                            from generate_series(1, 1000000)";

/// The repository, which is the sample lake.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A call of the program in this folder, its result thrown away.
fn call<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cxlake"));
    command.args(arguments).current_dir(folder).env_remove("CXLAKE_LAKE").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Runs a call to its end. One that fails would be quick, so it stops the benchmark.
fn finish(command: &mut Command) {
    let status = command.status().expect("the binary starts");
    assert!(status.success(), "{command:?}: {status}");
}

/// A group of whole calls: few samples, each of the same number of calls.
fn calls<'a>(criterion: &'a mut Criterion, name: &str, samples: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat).sample_size(samples);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

fn time(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut command: Command) {
    group.bench_function(name, |bencher| bencher.iter(|| finish(&mut command)));
}

/// Makes a lake of many tables, each declared with its columns and with one small file.
fn large_lake() -> TempDir {
    let lake = TempDir::new().expect("a folder");
    let values: Vec<String> = COLUMNS.iter().map(|(name, _, value)| format!("{value} as {name}")).collect();
    let select = format!("select {} from generate_series(1, 10)", values.join(", "));
    finish(&mut call(lake.path(), &["-q", "-o", "rows.parquet", "-c", &select]));
    let mut manifest = String::from("[lake]\nname = \"large\"\n");
    for number in 0..TABLES {
        let folder = lake.path().join(format!("data/table_{number}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(lake.path().join("rows.parquet"), folder.join("part-0.parquet")).expect("a copy");
        let _ = writeln!(manifest, "\n[table.table_{number}]\npath = \"data/table_{number}/\"");
        let _ = writeln!(manifest, "\n[table.table_{number}.columns]");
        for (name, kind, _) in COLUMNS {
            let _ = writeln!(manifest, "{name} = \"{kind}\"");
        }
    }
    std::fs::write(lake.path().join("cxlake.toml"), manifest).expect("a manifest");
    lake
}

fn start_up_to_first_row(criterion: &mut Criterion) {
    let nowhere = TempDir::new().expect("a folder");
    let large = large_lake();
    let select = ["-c", "select 1"];
    let mut group = calls(criterion, "start-up", 20);
    time(&mut group, "version alone", call(repository(), &["--version"]));
    time(&mut group, "select 1 without a lake", call(nowhere.path(), &select));
    time(&mut group, "select 1 on the sample lake", call(repository(), &select));
    time(&mut group, "select 1 on 500 tables", call(large.path(), &select));
    let first = ["-c", "select * from accounts limit 1"];
    time(&mut group, "first row of a table on the sample lake", call(repository(), &first));
    let first = ["-c", "select * from table_250 limit 1"];
    time(&mut group, "first row of a table on 500 tables", call(large.path(), &first));
    group.finish();
}

/// The names of the sample's saved queries, sorted.
fn saved_queries() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("queries")).expect("the saved queries");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let queries = files.filter(|file: &PathBuf| file.extension().is_some_and(|extension| extension == "sql"));
    let mut names: Vec<String> =
        queries.map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn each_saved_query(criterion: &mut Criterion) {
    let mut group = calls(criterion, "saved query", 20);
    for name in saved_queries() {
        let arguments = ["run", &name, "--no-cache", "--format", "csv", "--quiet"];
        time(&mut group, &name, call(repository(), &arguments));
    }
    group.finish();
}

fn a_million_rows(criterion: &mut Criterion) {
    let mut group = calls(criterion, "a million rows", 10);
    for format in ["csv", "json", "table"] {
        let arguments = ["-c", MILLION_ROWS, "--format", format, "--quiet"];
        time(&mut group, format, call(repository(), &arguments));
    }
    group.finish();
}

criterion_group!(benches, start_up_to_first_row, each_saved_query, a_million_rows);
criterion_main!(benches);
