//! `cxlake optimize`: files laid out as declared, nothing lost, and readers that see the old files or the new ones.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parquet::basic::Compression;
use parquet::data_type::{DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int96, Int96Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;

use super::harness::{Folder, repository};

/// The files below a folder, relative to it, sorted.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).expect("below").to_str().expect("UTF-8").to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// The data files of a folder that a change has written, and those that were there before.
fn data_files(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let files = files_below(folder).into_iter().filter(|name| name.ends_with(".parquet"));
    let (ours, others): (Vec<String>, Vec<String>) = files.partition(|name| name.contains("optimized-"));
    let paths = |names: Vec<String>| names.into_iter().map(|name| folder.join(name)).collect();
    (paths(ours), paths(others))
}

fn copied(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().expect("a folder")).expect("the folder is made");
        fs::copy(from.join(&file), target).expect("it is copied");
    }
}

/// A copy of the sample lake.
fn sample() -> Folder {
    let folder = Folder::new();
    for name in ["queries", "sample-data"] {
        copied(&repository().join(name), &folder.at(name));
    }
    fs::copy(repository().join("cxlake.toml"), folder.at("cxlake.toml")).expect("it is copied");
    folder
}

/// A table `t` of many small files in two partitions, whose names want encoding: 6,000 rows.
fn small_files(folder: &Folder) {
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { k = \"text\" }\nsort = [\"n desc\", \"id\"]\nidentifiers = [\"id\"]\n\
         [table.t.columns]\nid = \"text\"\nn = \"int?\"\n",
    );
    for (part, name) in ["k=a%2Fb c", "k=ö%25"].into_iter().enumerate() {
        for number in 0..3 {
            let from = (part * 3 + number) * 1000;
            let sql = format!(
                "select lpad(cast(value as text), 7, '0') as id, case when value % 10 = 0 then null else value * 7919 % 1000 end as n, \
                 value as extra from range({from}, {})",
                from + 1000
            );
            folder.parquet(&format!("t/{name}/{number}.parquet"), &sql);
        }
    }
}

const SUMS: &str =
    "select count(*) as rows, count(n) as n, sum(n) as sum, count(distinct id) as ids, count(distinct k) as ks from t";
const SUMMED: &str = "rows,n,sum,ids,ks\n6000,5400,2700000,6000,2\n";

fn sums(folder: &Folder) -> String {
    folder.cxlake(["--format", "csv", "-c", SUMS]).prints()
}

/// What it says without what differs from run to run.
fn told(text: &str) -> String {
    let took = regex::Regex::new(r"in \d+\.\d s").expect("a pattern");
    let bytes = regex::Regex::new(r"\d+(\.\d)? [KM]?B").expect("a pattern");
    bytes.replace_all(&took.replace_all(text, "in N s"), "N B").into_owned()
}

#[test]
fn every_saved_query_of_the_sample_answers_the_same_before_and_after() {
    let folder = sample();
    let names = files_below(&folder.at("queries"));
    let names: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".sql")).collect();
    assert!(names.len() > 50, "{names:?}");
    let script: String = names.iter().map(|name| format!("\\run {name}\n")).collect();
    let answers = || folder.cxlake(["-q", "--format", "csv", "-f", "-"]).stdin(script.clone()).prints();
    let before = answers();
    for table in ["surveys", "touches", "accounts"] {
        folder.cxlake(["optimize", table]).prints();
    }
    let (ours, others) = data_files(&folder.at("sample-data/surveys"));
    assert_eq!((ours.len(), others.len()), (24, 24));
    assert!(before == answers(), "while the old files are there");
    for table in ["surveys", "touches", "accounts"] {
        folder.cxlake(["optimize", table, "--keep", "0s"]).prints();
    }
    assert_eq!(data_files(&folder.at("sample-data/surveys")).1, Vec::<PathBuf>::new());
    assert!(before == answers(), "when the old files have gone");
}

#[test]
fn it_says_what_it_will_gain_and_what_it_did_gain_and_a_second_run_does_nothing() {
    let folder = Folder::new();
    small_files(&folder);
    let before = "t: 6 files in 2 folders, N B, 6,000 rows in 6 row groups\n\
                  \x20 sorted by n desc, id: 0 % of the rows\n\
                  \x20 zstd: 100 % of the bytes\n\
                  \x20 bloom filters on id: 0 % of the row groups\n\
                  \x20 a look-up by id reads 1.0 of 6 row groups (3 values tried)\n\
                  to be rewritten: 2 of 2 folders; 6 files become 2, N B become about N B\n";
    let all = files_below(folder.path());
    assert_eq!(told(&folder.cxlake(["optimize", "t", "--dry-run", "--read-only"]).prints()), before);
    assert_eq!(files_below(folder.path()), all, "a look changes nothing");
    let done = "rewritten in N s: 6 files became 2, N B became N B, 6 row groups became 2\n\
                \x20 a look-up by id reads 1.0 of 2 row groups; before 1.0 of 6\n\
                6 files (N B) that were replaced stay for readers at work; `cxlake optimize t` deletes them after 1h\n";
    assert_eq!(told(&folder.cxlake(["optimize", "t"]).prints()), format!("{before}{done}"));
    assert_eq!(sums(&folder), SUMMED);

    let all = files_below(folder.path());
    let idle = "t: 2 files in 2 folders, N B, 6,000 rows in 2 row groups\n\
                \x20 sorted by n desc, id: 100 % of the rows\n\
                \x20 zstd: 100 % of the bytes\n\
                \x20 bloom filters on id: 100 % of the row groups\n\
                \x20 a look-up by id reads 1.0 of 2 row groups (2 values tried)\n\
                \x20 6 files (N B) that earlier calls replaced are still there\n\
                nothing to rewrite: all files are as the table declares them\n";
    assert_eq!(told(&folder.cxlake(["optimize", "t"]).prints()), idle);
    assert_eq!(files_below(folder.path()), all, "a second run changes nothing");

    let said = told(&folder.cxlake(["optimize", "t", "--keep", "0s"]).prints());
    assert!(said.ends_with("\ndeleted 6 files (N B) that had been replaced\n"), "{said}");
    assert_eq!(data_files(&folder.at("t")).1, Vec::<PathBuf>::new());
    assert_eq!(sums(&folder), SUMMED);
}

#[test]
fn files_are_sorted_zstd_and_have_bloom_filters_and_a_page_index_and_keep_every_column() {
    let folder = Folder::new();
    small_files(&folder);
    let all = "select k, id, n, extra from 't/' order by id";
    let whole = |sql: &str| folder.cxlake(["--format", "csv", "-c", sql]).prints();
    let read = "select id, n, extra from 't/*/*.parquet' order by id";
    let before = whole(read);
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(before, whole(read), "{all}");
    let (ours, others) = data_files(&folder.at("t"));
    assert_eq!((ours.len(), others.len()), (2, 0));
    for path in ours {
        let reader = SerializedFileReader::new(File::open(&path).expect("the file")).expect("Parquet");
        let footer = reader.metadata();
        let group = footer.row_group(0);
        assert_eq!((footer.num_row_groups(), group.num_rows()), (1, 3000));
        let columns: Vec<&str> =
            group.columns().iter().map(|column| column.column_path().parts()[0].as_str()).collect();
        assert_eq!(columns, ["id", "n", "extra"]);
        let told: Vec<(i32, bool, bool)> = group
            .sorting_columns()
            .expect("an order")
            .iter()
            .map(|column| (column.column_idx, column.descending, column.nulls_first))
            .collect();
        assert_eq!(told, [(1, true, false), (0, false, false)]);
        for column in group.columns() {
            assert!(matches!(column.compression(), Compression::ZSTD(_)), "{column:?}");
            assert!(column.column_index_offset().is_some() && column.offset_index_offset().is_some(), "{column:?}");
            let is_identifier = column.column_path().parts() == ["id"];
            assert_eq!(column.bloom_filter_offset().is_some(), is_identifier, "{column:?}");
            // Room for three thousand values at one in a hundred, and not for a million.
            assert!(column.bloom_filter_length().is_none_or(|bytes| (2_000..9_000).contains(&bytes)), "{column:?}");
        }
        let rows = reader.get_row_iter(None).expect("rows");
        let keys: Vec<(Option<i64>, String)> = rows
            .map(|row| {
                let row = row.expect("a row");
                (row.get_long(1).ok(), row.get_string(0).expect("text").clone())
            })
            .collect();
        let mut wanted = keys.clone();
        wanted.sort_by_key(|(number, id)| (number.is_none(), number.map(|number| -number), id.clone()));
        assert!(keys == wanted && keys.len() == 3000, "{} is not sorted", path.display());
    }
}

#[test]
fn files_of_other_columns_and_widths_come_together_without_loss() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\nsort = [\"a\"]\n");
    folder.parquet("t/1.parquet", "select cast(2 as int) as a, 'x' as b, [1, null] as list");
    folder.parquet(
        "t/2.parquet",
        "select arrow_cast(value, 'Int64') as a, null as list, 1.5 as only from range(3000000000, 3000000002)",
    );
    let read = "select a, b, list, only from t order by a";
    let csv = |folder: &Folder| folder.cxlake(["--format", "csv", "-c", read]).run();
    let before = csv(&folder);
    assert_eq!(before.code, Some(0), "{before}");
    let said = folder.cxlake(["optimize", "t", "--keep", "0s"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(csv(&folder).text(), before.text());
}

#[test]
fn files_that_disagree_are_an_error_and_stay() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\na = \"int\"\n");
    folder.parquet("t/1.parquet", "select 1 as a, 'x' as b");
    folder.parquet("t/2.parquet", "select 2 as a, 7 as b");
    let before = files_below(&folder.at("t"));
    let said = folder.cxlake(["optimize", "t"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(
        said.stderr,
        "error: column `b` is text in `t/1.parquet`, but int in `t/2.parquet`\n\n\
         hint: files of one table must agree; read them one by one, or write them again with one type\n"
    );
    let after: Vec<String> =
        files_below(&folder.at("t")).into_iter().filter(|name| !name.starts_with("_cxlake")).collect();
    assert_eq!(after, before);
}

#[test]
fn files_that_disagree_about_a_later_column_are_those_that_have_it() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.t.columns]\na = \"int\"\n");
    folder.parquet("t/1.parquet", "select 1 as a");
    folder.parquet("t/2.parquet", "select 2 as a, null as b");
    folder.parquet("t/3.parquet", "select 3 as a, 'x' as b");
    folder.parquet("t/4.parquet", "select 4 as a, 7 as b");
    assert_eq!(
        folder.cxlake(["optimize", "t"]).fails(1),
        "error: column `b` is text in `t/3.parquet`, but int in `t/4.parquet`\n\n\
         hint: files of one table must agree; read them one by one, or write them again with one type\n"
    );
}

#[test]
fn what_writers_store_in_forms_of_their_own_comes_together() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\nsort = [\"id\"]\n");
    for (id, text, bytes, list, decimal) in [
        (1, "Utf8", "Binary", "List(Int64)", "Decimal32(7, 2)"),
        (2, "LargeUtf8", "LargeBinary", "LargeList(Int64)", "Decimal64(12, 2)"),
        (3, "Dictionary(Int8, Utf8)", "BinaryView", "List(Int64, field: ''element'')", "Decimal128(20, 2)"),
    ] {
        let row = format!(
            "select {id} as id, arrow_cast('x{id}', '{text}') as x, arrow_cast('b{id}', '{bytes}') as b, \
             arrow_cast([{id}, null], '{list}') as l, arrow_cast({id}.25, '{decimal}') as d, \
             named_struct('a', arrow_cast('y{id}', '{text}')) as s"
        );
        folder.parquet(&format!("t/{id}.parquet"), &row);
    }
    let read = "select id, x, b, l, d, s['a'] as a from t order by id";
    let rows = || folder.cxlake(["--format", "csv", "-c", read]).prints();
    let wanted = "id,x,b,l,d,a\n1,x1,6231,\"[1, NULL]\",1.25,y1\n2,x2,6232,\"[2, NULL]\",2.25,y2\n3,x3,6233,\"[3, NULL]\",3.25,y3\n";
    assert_eq!(rows(), wanted);
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    let (ours, others) = data_files(&folder.at("t"));
    assert_eq!((ours.len(), others.len()), (1, 0));
    assert_eq!(rows(), wanted);
}

#[test]
fn a_table_that_is_no_folder_and_a_lake_that_is_for_reading_are_refused() {
    let folder = Folder::new();
    folder.parquet("t/1.parquet", "select 1 as a");
    folder.write("t.csv", "a\n1\n");
    folder.lake(
        "[table.file]\npath = \"t/1.parquet\"\n[table.files]\npath = \"t/*.parquet\"\n[table.folder]\npath = \"t/\"\nsort = [\"z\"]\n\
         [table.csv]\npath = \"t.csv\"\n",
    );
    let told = |arguments: &[&str], code| folder.cxlake(arguments).fails(code);
    let hint = "hint: files are replaced in folders alone; give the table a folder of its own in `cxlake.toml`\n";
    assert_eq!(
        told(&["optimize", "file"], 2),
        format!("error: table `file` is at `t/1.parquet`, which is no folder\n\n{hint}")
    );
    assert_eq!(
        told(&["optimize", "files"], 2),
        format!("error: table `files` is at `t/*.parquet`, which is no folder\n\n{hint}")
    );
    assert!(told(&["optimize", "csv"], 1).starts_with("error: `t.csv` is "), "{}", told(&["optimize", "csv"], 1));
    assert_eq!(
        told(&["optimize", "folde"], 1),
        "error: no table `folde` in this lake\n\nhint: did you mean `folder`? `cxlake tables` lists all\n"
    );
    assert_eq!(
        told(&["optimize", "folder"], 1),
        "error: no file of table `folder` has column `z`\n\n\
         hint: `sort` and `identifiers` of the table in `cxlake.toml` name columns of its files\n"
    );
    assert_eq!(
        told(&["optimize", "folder", "--read-only"], 2),
        "error: read-only: `cxlake optimize` writes files\n\nhint: leave `--read-only` out, or look with `--dry-run`\n"
    );
    assert_eq!(files_below(&folder.at("t")), ["1.parquet"]);
}

#[test]
fn readers_see_the_same_rows_at_every_moment_of_many_runs() {
    let folder = Folder::new();
    small_files(&folder);
    // Every statement lists anew; a hundred of them in a process, and one process after the other.
    let script = format!("{SUMS};\n").repeat(100);
    let mut read = 0;
    for round in 0..6 {
        folder
            .parquet(&format!("t/k=a%2Fb c/empty-{round}.parquet"), "select '' as id, 1 as n, 1 as extra where false");
        let mut optimizing = begin(&folder, &["optimize", "t"]);
        loop {
            let is_over = optimizing.try_wait().expect("a process").is_some();
            let said = folder.cxlake(["-q", "--format", "csv", "-f", "-"]).stdin(script.clone()).prints();
            assert_eq!(said, SUMMED.repeat(100), "in round {round}");
            read += 1;
            if is_over {
                break;
            }
        }
        assert!(optimizing.wait().expect("a process").success());
    }
    assert!(read >= 6);
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(data_files(&folder.at("t")).0.len(), 2);
    assert_eq!(sums(&folder), SUMMED);
}

fn begin(folder: &Folder, arguments: &[&str]) -> Child {
    let mut command = folder.cxlake(arguments).command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the binary starts")
}

#[test]
fn a_run_that_is_killed_leaves_the_table_whole_and_the_next_one_clears_up() {
    for step in 0..12 {
        let folder = Folder::new();
        small_files(&folder);
        let mut optimizing = begin(&folder, &["optimize", "t", "--keep", "0s"]);
        std::thread::sleep(Duration::from_millis(step * 40));
        // One that has ended cannot be killed.
        let _ = optimizing.kill();
        optimizing.wait().expect("a process");
        assert_eq!(sums(&folder), SUMMED, "killed after {} ms", step * 40);
        // As a run leaves it that is killed while it writes a record.
        folder.write(&format!("t/_cxlake/files-00000000000000000002.json#{step}"), "{");
        folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
        assert_eq!(sums(&folder), SUMMED, "after the run behind it");
        let (ours, others) = data_files(&folder.at("t"));
        assert_eq!((ours.len(), others.len()), (2, 0), "{ours:?} {others:?}");
        let numbers: BTreeSet<&str> = ours.iter().filter_map(|path| path.file_name()?.to_str()?.get(..18)).collect();
        assert_eq!(numbers.len(), 1, "{ours:?}");
        let left = files_below(&folder.at("t"));
        assert!(left.iter().all(|name| !name.contains('#') && !name.contains("/.")), "{left:?}");
    }
}

#[test]
fn of_two_runs_at_once_the_second_one_is_told_and_leaves_nothing() {
    let folder = Folder::new();
    small_files(&folder);
    folder.write("t/_cxlake/lock", "");
    let lock = File::options().write(true).open(folder.at("t/_cxlake/lock")).expect("the lock");
    lock.lock().expect("nobody else has it");
    let before = files_below(folder.path());
    let said = folder.cxlake(["optimize", "t"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(
        said.stderr,
        "error: another `cxlake optimize` is at work on `t/`\n\n\
         hint: wait for its end; behind one that was killed a bucket is free again after two minutes, a disk at once\n"
    );
    assert_eq!(files_below(folder.path()), before);
    drop(lock);
    folder.cxlake(["optimize", "t"]).prints();
    assert_eq!(sums(&folder), SUMMED);
}

/// The newest record of a table, and what it says.
fn record(folder: &Folder) -> (String, serde_json::Value) {
    let names = files_below(&folder.at("t/_cxlake"));
    let name = names.iter().rfind(|name| name.starts_with("files-")).expect("a record");
    let name = format!("t/_cxlake/{name}");
    let said = serde_json::from_str(&folder.read(&name)).expect("JSON");
    (name, said)
}

/// Has what a record tells of have happened long ago.
fn aged(folder: &Folder) {
    let (name, said) = record(folder);
    let year = regex::Regex::new("\"20\\d\\d-").expect("a pattern");
    let text = serde_json::to_string_pretty(&said).expect("JSON");
    folder.write(&name, year.replace_all(&text, "\"2001-").as_bytes());
}

#[test]
fn replaced_files_are_deleted_when_their_time_has_come_and_records_say_nothing_in_the_end() {
    let folder = Folder::new();
    small_files(&folder);
    folder.cxlake(["optimize", "t", "--keep", "7d"]).prints();
    assert_eq!(data_files(&folder.at("t")).1.len(), 6);
    let unasked = told(&folder.cxlake(["optimize", "t"]).prints());
    assert!(unasked.ends_with("\nnothing to rewrite: all files are as the table declares them\n"), "{unasked}");
    aged(&folder);
    let said = told(&folder.cxlake(["optimize", "t"]).prints());
    assert!(said.ends_with("\ndeleted 6 files (N B) that had been replaced\n"), "{said}");
    assert_eq!(data_files(&folder.at("t")).1.len(), 0);
    assert_eq!(record(&folder).1["replaced"].as_array().map(Vec::len), Some(6), "listings may still have them");
    aged(&folder);
    folder.cxlake(["optimize", "t"]).prints();
    assert_eq!(folder.read(&record(&folder).0), "{}\n");
    assert_eq!(sums(&folder), SUMMED);
    // Without its records it is the same table, here and elsewhere.
    fs::remove_dir_all(folder.at("t/_cxlake")).expect("they go");
    assert_eq!(sums(&folder), SUMMED);
    folder.parquet("t/k=a%2Fb c/late.parquet", "select '' as id, 1 as n, 1 as extra where false");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(sums(&folder), SUMMED);
    assert_eq!(data_files(&folder.at("t")).0.len(), 2);
}

#[test]
fn copies_of_a_table_and_parts_of_it_by_path_have_no_row_twice() {
    let folder = Folder::new();
    small_files(&folder);
    folder.cxlake(["optimize", "t"]).prints();
    let copy = Folder::new();
    copied(folder.path(), copy.path());
    assert_eq!(sums(&copy), SUMMED, "a copy has other times");
    let count =
        |path: &str| folder.cxlake(["--format", "csv", "-c", &format!("select count(*) as n from '{path}'")]).prints();
    assert_eq!(count("t/k=a%2Fb c/"), "n\n3000\n");
    assert_eq!(count("t/**/*.parquet"), "n\n6000\n");
    // Named outright, a file is what it is.
    assert_eq!(count("t/k=a%2Fb c/0.parquet"), "n\n1000\n");
}

#[test]
fn a_file_written_anew_under_the_name_of_a_replaced_one_counts() {
    let folder = Folder::new();
    small_files(&folder);
    folder.cxlake(["optimize", "t"]).prints();
    folder.parquet("t/k=a%2Fb c/0.parquet", "select 'new' as id, 1 as n, 1 as extra");
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6001,5401,2700001,6001,2\n");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6001,5401,2700001,6001,2\n");
    assert_eq!(data_files(&folder.at("t")).1, Vec::<PathBuf>::new());
}

/// Writes a Parquet file of one column, with nothing at its end that tells of the values.
fn plain<T: DataType>(path: &Path, schema: &str, values: &[T::T]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    let file = File::create(path).expect("the file is made");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    let mut column = group.next_column().expect("columns").expect("a column");
    column.typed::<T>().write_batch(values, None, None).expect("values are written");
    column.close().expect("the column is written");
    group.close().expect("the row group is written");
    writer.close().expect("the file is written");
}

#[test]
fn a_value_that_is_mended_in_place_in_a_replaced_file_counts_though_its_end_is_the_same() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    let values: Vec<f64> = (0..40_000).map(|value| f64::from(value) + 0.25).collect();
    let path = folder.at("t/1.parquet");
    plain::<DoubleType>(&path, "message m { required double v; }", &values);
    folder.cxlake(["optimize", "t"]).prints();
    let sql = "select count(*) as rows, count(case when v = -1 then 1 end) as mended from t";
    let counts = || folder.cxlake(["--format", "csv", "-c", sql]).prints();
    assert_eq!(counts(), "rows,mended\n40000,0\n");
    let mut bytes = fs::read(&path).expect("the file");
    let place = bytes.windows(8).position(|bytes| bytes == 12_345.25_f64.to_le_bytes()).expect("the value");
    bytes[place..place + 8].copy_from_slice(&(-1.0_f64).to_le_bytes());
    fs::write(&path, bytes).expect("it is mended");
    assert_eq!(counts(), "rows,mended\n80000,1\n");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(counts(), "rows,mended\n80000,1\n");
    assert_eq!(data_files(&folder.at("t")).1, Vec::<PathBuf>::new());
}

#[test]
fn a_column_of_the_old_type_of_times_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    // 9999-12-31, in days of the Julian calendar's period.
    let mut last = Int96::new();
    last.set_data(0, 0, 5_373_484);
    plain::<Int96Type>(&folder.at("t/1.parquet"), "message m { required int96 at; }", &[last]);
    assert_eq!(
        folder.cxlake(["optimize", "t"]).fails(1),
        "error: column `at` of `t/1.parquet` is stored as INT96\n\n\
         hint: cxlake does not read every time of this old type as it is, and optimizes no table that would lose one; \
         write its files again with another type\n"
    );
    assert_eq!(files_below(&folder.at("t")), ["1.parquet"]);
}

#[test]
fn a_column_of_intervals_is_refused_where_it_would_be_read_without_its_months() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    // Months, days and milliseconds, each in four bytes.
    let month = FixedLenByteArray::from([1_u32, 0, 0].map(u32::to_le_bytes).concat());
    let schema = "message m { required fixed_len_byte_array(12) i (INTERVAL); }";
    plain::<FixedLenByteArrayType>(&folder.at("t/1.parquet"), schema, &[month]);
    let refused = "error: column `i` of `t/1.parquet` is stored as INTERVAL\n\n\
                   hint: cxlake does not read the months of this type; name the other columns, or write the file again with \
                   numbers in its place\n";
    assert_eq!(folder.cxlake(["-c", "select * from t"]).fails(1), refused);
    assert_eq!(folder.cxlake(["-c", "select i from 't/1.parquet'"]).fails(1), refused);
    assert_eq!(folder.cxlake(["optimize", "t"]).fails(1), refused);
    assert_eq!(files_below(&folder.at("t")), ["1.parquet"]);
    let count = "select count(*) as n from t";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", count]).prints(), "n\n1\n");
}

#[test]
fn what_many_small_files_become_is_expected_without_what_each_of_them_has_beside_its_rows() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n");
    let first = folder.parquet("t/0.parquet", "select 1 as n, 'word' as word, 1.5 as x");
    for number in 1..200 {
        fs::copy(&first, folder.at(&format!("t/{number}.parquet"))).expect("it is copied");
    }
    let said = folder.cxlake(["optimize", "t", "--dry-run"]).prints();
    let bytes =
        regex::Regex::new(r"200 files become 1, (\d+) KB become about (\d+(?:\.\d)?) (B|KB)\n").expect("a pattern");
    let found = bytes.captures(&said).unwrap_or_else(|| panic!("{said}"));
    let number = |place: usize| found[place].parse::<f64>().expect("a number");
    let expected = if &found[3] == "B" { number(2) / 1000.0 } else { number(2) };
    assert!(expected < number(1) / 10.0, "{said}");
}

/// A record by which a run was killed after it had announced itself, and the name of a file of it.
fn killed(folder: &Folder) -> &'static str {
    let record = r#"{"announced": {"number": 1, "by": "01930000bbbb0000aaaa", "since": "2026-11-01T00:00:00Z"}}"#;
    folder.write("t/_cxlake/files-00000001.json", record);
    "optimized-00000001-0000aaaa-0001.parquet"
}

#[test]
fn a_file_that_is_copied_in_under_the_number_of_a_killed_run_counts_and_stays() {
    let folder = Folder::new();
    small_files(&folder);
    let left = format!("t/k=a%2Fb c/{}", killed(&folder));
    let copied_in = "t/k=a%2Fb c/optimized-00000001-433a574f-0001.parquet";
    folder.parquet(copied_in, "select 'new' as id, 1 as n, 1 as extra");
    fs::copy(folder.at(copied_in), folder.at(&left)).expect("it is left");
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6001,5401,2700001,6001,2\n", "while the number is announced");
    folder.cxlake(["optimize", "t"]).prints();
    assert!(!folder.at(&left).exists(), "it is deleted");
    assert!(folder.at(copied_in).exists(), "it waits with the other replaced files");
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6001,5401,2700001,6001,2\n");
    let later = "t/k=a%2Fb c/optimized-00000001-12345678-0001.parquet";
    folder.parquet(later, "select 'newer' as id, 1 as n, 1 as extra");
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6002,5402,2700002,6002,2\n", "while the number is void");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    assert_eq!(sums(&folder), "rows,n,sum,ids,ks\n6002,5402,2700002,6002,2\n");
}

#[test]
fn tables_with_the_same_files_by_links_have_no_row_twice_and_are_optimized_where_the_files_lie() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\n[table.behind]\npath = \"behind/\"\n[table.linked]\npath = \"linked/\"\nsort = [\"n\"]\n");
    for number in 0..3 {
        folder.parquet(&format!("t/sub/{number}.parquet"), &format!("select {number} as n"));
    }
    folder.parquet("behind/own.parquet", "select 3 as n");
    symlink("../t/sub", folder.at("behind/d")).expect("it is linked");
    symlink("t/sub", folder.at("linked")).expect("it is linked");
    let check_rows = |moment: &str| {
        for (table, rows) in [("t", 3), ("behind", 4), ("linked", 3)] {
            let sql = format!("select count(*) as n from {table}");
            assert_eq!(
                folder.cxlake(["--format", "csv", "-c", &sql]).prints(),
                format!("n\n{rows}\n"),
                "{table} {moment}"
            );
        }
    };
    let root = fs::canonicalize(folder.path()).expect("the folder");
    let refused = format!(
        "error: table `behind` cannot be optimized: `behind/d` is a link to `{}`\n\n\
         hint: another table may have the files behind it; move them to the place of the link, or optimize their folder as a \
         table of its own\n",
        root.join("t/sub").display()
    );
    assert_eq!(folder.cxlake(["optimize", "behind"]).fails(2), refused);
    assert_eq!(folder.cxlake(["optimize", "behind", "--dry-run"]).fails(2), refused);
    assert_eq!(files_below(&folder.at("behind")), ["d/0.parquet", "d/1.parquet", "d/2.parquet", "own.parquet"]);

    let left = folder.at("t/sub").join(killed(&folder));
    fs::copy(folder.at("t/sub/0.parquet"), left).expect("it is left");
    check_rows("behind a killed run");
    folder.cxlake(["optimize", "t"]).prints();
    check_rows("while the old files are there");
    let said = folder.cxlake(["optimize", "linked"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    let entangled = format!(
        "error: `linked/` cannot be optimized: files are being replaced in `{}`, a folder above it\n",
        root.join("t").display()
    );
    assert!(said.stderr.starts_with(&entangled), "{said}");
    check_rows("behind a run that was refused");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    check_rows("when the old files have gone");
}

#[test]
fn of_tables_that_lie_in_each_other_one_is_optimized_at_a_time() {
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"t/\"\npartition = { y = \"int\" }\nsort = [\"n\"]\n\
         [table.part]\npath = \"t/y=2026/\"\nsort = [\"n desc\"]\n",
    );
    for number in 0..2 {
        folder.parquet(&format!("t/y=2026/{number}.parquet"), "select value as n from range(0, 100)");
    }
    let check_rows = || {
        for table in ["t", "part"] {
            let sql = format!("select count(*) as n from {table}");
            assert_eq!(folder.cxlake(["--format", "csv", "-c", &sql]).prints(), "n\n200\n", "{table}");
        }
    };
    let check_refused = |table: &str, path: &str, other: &str, place: &str| {
        let said = folder.cxlake(["optimize", table]).run();
        assert_eq!(said.code, Some(1), "{said}");
        let other = fs::canonicalize(folder.at(other)).expect("a folder");
        assert_eq!(
            said.stderr,
            format!(
                "error: `{path}` cannot be optimized: files are being replaced in `{}`, a folder {place} it\n\n\
                 hint: of tables that lie in each other one is optimized at a time; optimize the other one until its \
                 replaced files have gone, and once more an hour later\n",
                other.display()
            )
        );
        check_rows();
    };
    folder.cxlake(["optimize", "t"]).prints();
    check_refused("part", "t/y=2026/", "t", "above");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).prints();
    aged(&folder);
    folder.cxlake(["optimize", "t"]).prints();
    assert_eq!(folder.read(&record(&folder).0), "{}\n");
    folder.cxlake(["optimize", "part"]).prints();
    check_rows();
    check_refused("t", "t/", "t/y=2026", "in");
    assert_eq!(folder.read(&record(&folder).0), "{}\n", "a run that was refused leaves nothing to wait for");
}

#[test]
fn a_damaged_record_is_an_error_and_not_another_answer() {
    let folder = Folder::new();
    small_files(&folder);
    folder.cxlake(["optimize", "t"]).prints();
    let name = record(&folder).0;
    folder.write(&name, "{\"replaced\": [");
    let said = folder.cxlake(["-c", SUMS]).fails(1);
    assert!(said.starts_with(&format!("error: the record `{name}` is damaged: ")), "{said}");
}

#[test]
fn a_table_larger_than_the_memory_limit_is_sorted() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\nsort = [\"h\"]\nidentifiers = [\"h\"]\n");
    for part in 0..2 {
        let rows = format!(
            "select md5(cast(value as text)) as h, repeat(md5(cast(value + 7 as text)), 4) as t, value as n from range({}, {})",
            part * 300_000,
            (part + 1) * 300_000
        );
        folder.parquet(&format!("t/{part}.parquet"), &rows);
    }
    let sums = "select count(*) as rows, sum(n) as n, count(distinct h) as h, min(t) as low, max(t) as high from t";
    let csv = || folder.cxlake(["--format", "csv", "-c", sums]).prints();
    let before = csv();
    folder.cxlake(["optimize", "t", "--keep", "0s", "--memory-limit", "64MiB", "--threads", "2"]).prints();
    assert_eq!(csv(), before);
    let is_sorted = "select count(*) as n from (select h, lag(h) over () as before from t) where before > h";
    assert_eq!(folder.cxlake(["--format", "csv", "--threads", "1", "-c", is_sorted]).prints(), "n\n0\n");
}
