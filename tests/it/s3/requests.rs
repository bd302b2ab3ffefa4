//! How few requests it takes: what is listed, opened and read again, counted by the program itself.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::harness::{Folder, Said, cxlake};
use super::http::Kind;
use super::proxy::{Fault, Proxy};
use super::server::Server;

/// A number that `--stats` gives, such as that before ` list`.
pub fn stat(said: &Said, what: &str) -> u64 {
    let before = said.stderr.split(what).next().filter(|before| before.len() < said.stderr.len());
    let before = before.unwrap_or_else(|| panic!("no `{what}` in:\n{said}"));
    let start = before.rfind(|letter: char| !letter.is_ascii_digit() && letter != ',').map_or(0, |place| place + 1);
    before[start..].replace(',', "").parse().unwrap_or_else(|_| panic!("no number before `{what}` in:\n{said}"))
}

/// A statement on the lake in this folder, with statistics.
fn run(folder: &Folder, server: &Server, sql: &str) -> Said {
    let said = folder.cxlake(["--stats", "--format", "csv", "-c", sql]).on(server).run();
    assert_eq!(said.code, Some(0), "{said}");
    said
}

/// Puts copies of one small file, `select 1 as x`, under these keys of bucket `lake`.
fn put_copies(server: &Server, keys: impl Iterator<Item = String>) {
    let folder = Folder::new();
    let one = folder.parquet("one.parquet", "select 1 as x");
    keys.for_each(|key| server.put(&one, &format!("lake/{key}")));
}

#[test]
fn a_filter_on_one_partition_of_four_hundred_lists_and_opens_its_files_alone() {
    let server = Server::start(&["lake"]);
    let day = |number: usize| format!("2025-{:02}-{:02}", number / 28 % 12 + 1, number % 28 + 1);
    // 336 days of one year and 64 of the next, with 25 files each: ten thousand.
    let period = |number: usize| if number < 336 { day(number) } else { day(number - 336).replace("2025", "2026") };
    let key = |file: usize| format!("t/period={}/{:02}.parquet", period(file / 25), file % 25);
    put_copies(&server, (0..10_000).map(key));
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"s3://lake/t/\"\npartition = { period = \"date\" }\n[table.t.columns]\nx = \"int\"\n",
    );
    let said = run(&folder, &server, "select count(*) as n, sum(x) as x from t where period = '2026-01-05'");
    assert_eq!(said.text(), "n,x\n25,25\n");
    // One for the folders, one for the files of the one that is wanted.
    assert_eq!(stat(&said, " list"), 2, "{said}");
    assert_eq!((stat(&said, " footer"), stat(&said, " get")), (25, 25), "{said}");
    assert_eq!(stat(&said, " files ("), 25, "{said}");

    // A range takes the pages that its files fill, and not a request for each folder: 28 folders of 25 files are less than one.
    let said = run(&folder, &server, "select count(*) as n from t where period between '2026-01-01' and '2026-01-28'");
    assert_eq!(said.text(), "n\n700\n");
    assert!(stat(&said, " list") <= 2, "{said}");
    let said =
        run(&folder, &server, "select count(*) as n from t where period in ('2025-03-01', '2026-02-02', '1999-01-01')");
    assert_eq!((said.text().as_str(), stat(&said, " list")), ("n\n50\n", 3));
    let said = run(&folder, &server, "select count(*) as n from t where period < '1999-01-01'");
    assert_eq!((said.text().as_str(), stat(&said, " list")), ("n\n0\n", 1));
}

#[test]
fn folders_that_hold_no_value_and_files_beside_folders_are_errors_in_a_bucket_too() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    folder.lake(
        "[table.t]\npath = \"s3://lake/t/\"\npartition = { month = \"int\", brand = \"text\" }\n[table.t.columns]\nx = \"int\"\n",
    );
    let keys = ["month=09/brand=a%2Fb/1", "month=10/brand=__HIVE_DEFAULT_PARTITION__/2", "month=10/brand=c d/3"];
    put_copies(&server, keys.iter().map(|key| format!("t/{key}.parquet")));
    let count = |filter: &str| run(&folder, &server, &format!("select count(*) as n from t where {filter}"));
    for (filter, found) in [
        ("month = 9", 1),
        ("month in (9, 10)", 3),
        ("month = 10 and brand is null", 1),
        ("month = 10 and brand = 'c d'", 1),
        ("brand = 'a/b'", 1),
        ("month >= 9 and brand <> 'a/b'", 1),
        ("month + 1 = 11 and x = 1", 2),
        ("month = 11 or brand = 'c d'", 1),
    ] {
        assert_eq!(count(filter).text(), format!("n\n{found}\n"), "{filter}");
    }
    put_copies(&server, ["t/month=september/brand=a/4.parquet".to_owned()].into_iter());
    let said = folder.cxlake(["-c", "select * from t where month = 9"]).on(&server).fails(1);
    assert!(said.starts_with("error: `september` in the path of "), "{said}");
    std::fs::remove_dir_all(server.folder().at("lake/t/month=september")).expect("the folder goes");
    put_copies(&server, ["t/loose.parquet".to_owned()].into_iter());
    let said = folder.cxlake(["-c", "select * from t where month = 9"]).on(&server).fails(1);
    assert!(said.contains("`s3://lake/t/loose.parquet` is not in a `month=…/brand=…` folder"), "{said}");
}

#[test]
fn a_statement_that_scans_a_table_twice_reads_each_file_once() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"s3://lake/t/\"\n[table.t.columns]\nx = \"int\"\n");
    put_copies(&server, (0..8).map(|number| format!("t/{number}.parquet")));
    let said = run(&folder, &server, "select count(*) as n from t a join t b on a.x = b.x where b.x + a.x = 2");
    assert_eq!(said.text(), "n\n64\n");
    assert_eq!((stat(&said, " list"), stat(&said, " get")), (2, 8), "{said}");
}

#[test]
fn files_in_a_bucket_are_read_in_more_parts_than_there_are_threads() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"s3://lake/t/\"\n[table.large]\npath = \"s3://lake/large.parquet\"\n");
    put_copies(&server, (0..32).map(|number| format!("t/{number}.parquet")));
    let rows =
        "select x, md5(cast(x as text)) as text, md5(cast(-x as text)) as more from generate_series(1, 500000) t(x)";
    server.put(&folder.parquet("large.parquet", rows), "lake/large.parquet");
    let plan = |sql: &str| {
        let explain = format!("explain {sql}");
        folder.cxlake(["--threads", "2", "--format", "csv", "-c", &explain]).on(&server).run().text()
    };
    assert!(plan("select x, count(*) from t group by x").contains("file_groups={16 groups"));
    let large = plan("select text, count(*) from large group by text");
    assert!(large.contains("file_groups={16 groups"), "{large}");
    let sql = "select count(distinct text) as texts, sum(x) as x from large";
    assert_eq!(run(&folder, &server, sql).text(), "texts,x\n500000,125000250000\n");
}

/// How many requests were under way at once at the most, of those that came at these times and were answered after this one.
fn under_way(came: &[Instant], answered_after: Duration) -> usize {
    let with = |first: Instant| came.iter().filter(|&&other| other >= first && other - first < answered_after).count();
    came.iter().map(|&first| with(first)).max().unwrap_or_default()
}

#[test]
fn csv_json_and_arrow_files_in_a_bucket_are_looked_into_and_read_many_at_once() {
    const ANSWERED_AFTER: Duration = Duration::from_millis(300);
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    for (ending, stored) in [("csv", "csv"), ("ndjson", "json"), ("arrow", "arrow")] {
        let one = folder.at(&format!("one.{ending}"));
        let copy = format!("copy (select 1 as x) to '{}' stored as {stored}", one.display());
        folder.cxlake(["-q", "-c", &copy]).prints();
        (0..32).for_each(|number| server.put(&one, &format!("lake/{ending}/{number}.{ending}")));
        let came = Arc::<Mutex<Vec<Instant>>>::default();
        let noted = Arc::clone(&came);
        let proxy = Proxy::start(&server, move |asked, _| {
            if asked.kind != Kind::Get {
                return Fault::None;
            }
            noted.lock().expect("no request has failed").push(Instant::now());
            Fault::Delay(ANSWERED_AFTER)
        });
        let sql = format!("select sum(x) as x from 's3://lake/{ending}/'");
        let call = folder.cxlake(["--threads", "2", "--format", "csv", "-c", &sql]).through(&proxy);
        assert_eq!(call.prints(), "x\n32\n");
        let came = came.lock().expect("no request has failed").clone();
        for (what, came) in [("looked into", &came[..32]), ("read", &came[came.len() - 32..])] {
            let at_once = under_way(came, ANSWERED_AFTER);
            assert!(at_once >= 8, "of 32 {ending} files {at_once} are {what} at once");
        }
    }
}

#[test]
fn a_new_file_is_seen_by_the_next_statement() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"s3://lake/t/\"\npartition = { p = \"int\" }\n[table.t.columns]\nx = \"int\"\n");
    put_copies(&server, ["t/p=1/1.parquet".to_owned()].into_iter());
    let count = || run(&folder, &server, "select count(*) as n from t where p = 1").text();
    assert_eq!(count(), "n\n1\n");
    put_copies(&server, ["t/p=1/2.parquet".to_owned()].into_iter());
    assert_eq!(count(), "n\n2\n");
}

#[test]
fn statistics_are_told_beside_the_result_and_only_when_asked_for() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select * from (values (1), (2), (3)) v(x)");
    let quiet = folder.cxlake(["-c", "select x from 't.parquet'"]).run();
    assert_eq!(quiet.stderr, "");
    let said = folder.cxlake(["--stats", "--format", "csv", "-c", "select x from 't.parquet' where x > 1"]).run();
    assert_eq!(said.text(), "x\n2\n3\n");
    let (scanned, result) = said.stderr.split_once("result: 2 rows in ").unwrap_or_else(|| panic!("{said}"));
    assert_eq!(scanned, "scanned: 1 files (0 pruned), 1 row groups (0 pruned), 3 rows\n");
    assert!(result.ends_with(" s\n"), "{said}");
    let said = folder.cxlake(["-q", "-c", "explain analyze select x from 't.parquet' where x > 1"]).run();
    assert!(
        said.stderr.starts_with("scanned: 1 files (0 pruned), 1 row groups (0 pruned), 3 rows\nresult: "),
        "{said}"
    );
    let said = cxlake(["--stats", "--format", "csv", "-c", "select 1 as x"]).run();
    assert!(said.stderr.starts_with("scanned: 0 files (0 pruned), 0 row groups (0 pruned), 0 rows\nresult: 1 row in "));
}
