//! What is kept of buckets on the disk: the next call fetches it no more, and nothing that happens to it makes an answer wrong.

use std::path::{Path, PathBuf};

use super::super::harness::{Call, Folder, Said, repository};
use super::requests::stat;
use super::server::Server;

/// The sample lake with its tables in bucket `lake`, and manifest and queries in a folder, so that no request is for those.
fn sample() -> (Server, Folder) {
    let server = Server::start(&["lake"]);
    server.put(&repository().join("sample-data"), "lake/sample-data");
    let folder = Folder::new();
    let manifest = std::fs::read_to_string(repository().join("cxlake.toml")).expect("the manifest");
    folder.write("cxlake.toml", manifest.replace("\"sample-data/", "\"s3://lake/sample-data/"));
    for query in std::fs::read_dir(repository().join("queries")).expect("the queries") {
        let query = query.expect("a query");
        folder.write(&format!("queries/{}", query.file_name().display()), std::fs::read(query.path()).expect("a text"));
    }
    (server, folder)
}

fn ran(call: Call) -> Said {
    let said = call.run();
    assert_eq!(said.code, Some(0), "{said}");
    said
}

/// Footers, blocks: how many were in the cache, and how many were wanted.
fn hits(said: &Said) -> [u64; 4] {
    let line = said.stderr.lines().find(|line| line.starts_with("from cache: ")).expect("a line of the caches");
    let numbers = line.split(|letter: char| !letter.is_ascii_digit() && letter != ',').filter_map(|part| {
        let digits = part.replace(',', "");
        digits.parse().ok()
    });
    numbers.collect::<Vec<u64>>().try_into().expect("four numbers")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_second_call_of_the_same_saved_query_fetches_no_footer_and_no_block() {
    let (server, folder) = sample();
    for query in ["nps-by-office", "cost-per-touch"] {
        let run = || ran(folder.cxlake(["run", query, "--no-cache", "--stats", "--format", "csv"]).on(&server));
        let first = run();
        assert!(stat(&first, " get") > 0, "{first}");
        let second = run();
        assert_eq!(second.text(), first.text());
        assert_eq!(stat(&second, " get"), 0, "{second}");
        assert_eq!(stat(&second, " list") + stat(&second, " head"), stat(&first, " list") + stat(&first, " head"));
        let [footers_kept, footers, blocks_kept, blocks] = hits(&second);
        assert!(footers_kept == footers && footers > 0 && blocks_kept == blocks && blocks > 0, "{second}");
    }
}

#[test]
fn what_is_damaged_or_somebody_elses_is_fetched_again_and_mended() {
    let (server, folder) = sample();
    let run = || ran(folder.cxlake(["run", "nps-by-office", "--no-cache", "--stats", "--format", "csv"]).on(&server));
    let first = run();
    let files = files_below(server.cache().path());
    assert!(files.len() > 1, "{files:?}");
    for (number, file) in files.iter().enumerate() {
        let mut bytes = std::fs::read(file).expect("a kept file");
        match number % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => *bytes.last_mut().expect("a byte") ^= 1,
            _ => bytes = b"something else".to_vec(),
        }
        std::fs::write(file, bytes).expect("it is damaged");
    }
    let second = run();
    assert_eq!(second.text(), first.text());
    assert!(stat(&second, " get") > 0, "{second}");
    let third = run();
    assert_eq!((third.text(), stat(&third, " get")), (first.text(), 0));
}

#[test]
fn an_object_that_is_replaced_is_read_anew() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    let run =
        || ran(folder.cxlake(["--stats", "--format", "csv", "-c", "select x from 's3://lake/t.parquet'"]).on(&server));
    for number in 1..4 {
        let file = folder.parquet("t.parquet", &format!("select {number} as x"));
        server.put(&file, "lake/t.parquet");
        assert_eq!(run().text(), format!("x\n{number}\n"));
        assert_eq!(stat(&run(), " get"), 0);
    }
}

#[test]
fn calls_at_the_same_time_share_what_is_kept() {
    let (server, folder) = sample();
    let run = || ran(folder.cxlake(["run", "nps-by-office", "--no-cache", "--stats", "--format", "csv"]).on(&server));
    let texts: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| run().text())).collect();
        calls.into_iter().map(|call| call.join().expect("a call")).collect()
    });
    let last = run();
    assert!(texts.iter().all(|text| *text == last.text()));
    assert_eq!(stat(&last, " get"), 0, "{last}");
}

#[test]
fn the_manifest_bounds_what_is_kept_and_0_keeps_nothing() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    let sql = "select x, md5(cast(x as text)) as a, md5(cast(-x as text)) as b from generate_series(1, 40000) t(x)";
    server.put(&folder.parquet("t.parquet", sql), "lake/t.parquet");
    let table = "[table.t]\npath = \"s3://lake/t.parquet\"\n";
    let run = || {
        ran(folder.cxlake(["--stats", "--format", "csv", "-c", "select max(a) as a, min(b) as b from t"]).on(&server))
    };
    let kept = || files_below(server.cache().path());

    folder.lake(&format!("{table}[cache]\ndisk_mb = 0\n"));
    let first = run();
    assert_eq!((kept().len(), stat(&run(), " get")), (0, stat(&first, " get")));

    folder.lake(&format!("{table}[cache]\ndisk_mb = 1\n"));
    assert_eq!(run().text(), first.text());
    let bytes: u64 = kept().iter().map(|file| file.metadata().expect("a kept file").len()).sum();
    assert!(bytes > 0 && bytes <= 1 << 20, "{bytes}");
    #[cfg(unix)]
    for file in kept() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().expect("a kept file").permissions().mode() & 0o77, 0, "{}", file.display());
    }
}

#[test]
fn without_a_bucket_nothing_is_kept_or_made() {
    let folder = Folder::new();
    let caches = Folder::new();
    folder.cxlake(["-c", "select 1"]).env("XDG_CACHE_HOME", caches.path()).prints();
    folder.parquet("t.parquet", "select 1 as x");
    folder.cxlake(["-c", "select * from 't.parquet'"]).env("XDG_CACHE_HOME", caches.path()).prints();
    assert_eq!(caches.names(), Vec::<String>::new());
}

/// Whether the result of a saved query was taken and not computed.
fn is_kept(said: &Said) -> bool {
    said.stderr.contains(", kept since ")
}

#[test]
fn a_kept_result_costs_the_listings_that_computing_it_took_and_nothing_else() {
    let (server, folder) = sample();
    for query in ["nps-by-office", "cost-per-touch", "personas"] {
        let run = || ran(folder.cxlake(["run", query, "--stats", "--format", "csv"]).on(&server));
        let (first, second) = (run(), run());
        assert!(!is_kept(&first) && is_kept(&second), "{second}");
        assert_eq!(second.text(), first.text());
        assert_eq!((stat(&second, " get"), stat(&second, " head")), (0, 0), "{second}");
        assert!(stat(&second, " list") > 0 && stat(&second, " list") <= stat(&first, " list"), "{first}{second}");
    }
}

#[test]
fn a_kept_result_of_some_partitions_is_no_result_once_a_folder_comes_or_an_object_in_them_changes() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    let put = |number: u32, month: &str| {
        let file = folder.parquet("t.parquet", &format!("select {number} as x"));
        server.put(&file, &format!("lake/t/month={month}/t.parquet"));
    };
    (1..=4).for_each(|number| put(number, &format!("2026-0{number}-01")));
    folder.lake("[table.t]\npath = \"s3://lake/t/\"\npartition = { month = \"date\" }\ncolumns = { x = \"int\" }\n");
    let header = "-- +++\n-- name = \"some\"\n-- title = \"Some\"\n-- description = \"Some.\"\n-- +++\n";
    folder.write("queries/some.sql", format!("{header}select sum(x) as sum from t where month >= date '2026-03-01'\n"));
    let run = || {
        let said = ran(folder.cxlake(["run", "some", "--stats", "--format", "csv"]).on(&server));
        (said.text().replace("sum\n", "").trim().to_owned(), is_kept(&said))
    };
    let result = |sum: &str, is_kept| (sum.to_owned(), is_kept);
    assert_eq!((run(), run()), (result("7", false), result("7", true)));
    // Of a month that is not wanted only the folder counts.
    put(100, "2026-01-01");
    assert_eq!(run(), result("7", true));
    put(5, "2026-05-01");
    assert_eq!((run(), run()), (result("12", false), result("12", true)));
    put(6, "2026-05-01");
    assert_eq!((run(), run()), (result("13", false), result("13", true)));
    put(200, "2026-02-01");
    assert_eq!(run(), result("13", true));
}
