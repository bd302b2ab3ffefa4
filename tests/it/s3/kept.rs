//! What is kept of checks in a bucket, and what checking a table there takes.

use super::super::harness::{Folder, cxlake};
use super::http::Kind;
use super::server::Server;

/// A lake in bucket `lake` with a table of 100,000 rows, and so many conditions on it.
fn lake(conditions: usize, write: bool) -> Server {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    let table = folder.parquet("t.parquet", "select value as id, value * 2 as cost from generate_series(1, 100000)");
    server.put(&table, "lake/t/1.parquet");
    let checks = (0..conditions)
        .map(|number| format!("[[table.t.check]]\nname = \"c{number}\"\nassert = \"cost > -{number} and id > 0\"\n"));
    let manifest = folder.write(
        "cxlake.toml",
        format!(
            "[lake]\nname = \"cx\"\nrecords = \"main:.cxlake\"\n[cache]\ndisk_mb = 0\n[store.main]\nurl = \"s3://lake/\"\nwrite = {write}\n\
             [table.t]\npath = \"main:t/\"\n{}",
            checks.collect::<String>()
        ),
    );
    server.put(&manifest, "lake/cxlake.toml");
    server
}

#[test]
fn checks_of_a_lake_in_a_bucket_are_kept_there_and_read_from_there() {
    let server = lake(1, true);
    let call =
        |arguments: &[&str]| cxlake(["--lake", "s3://lake", "--format", "csv"].iter().chain(arguments)).on(&server);
    let sql = "select table_name, check_name, verdict, failures, found from cxlake.checks";
    assert_eq!(call(&["-c", sql]).prints(), "table_name,check_name,verdict,failures,found\n", "nothing was done yet");
    call(&["check"]).prints();
    assert_eq!(
        call(&["--read-only", "-c", sql]).prints(),
        "table_name,check_name,verdict,failures,found\nt,c0,passed,0,\"100,000 rows\"\n"
    );
}

#[test]
fn checks_of_a_store_for_reading_run_and_are_not_kept() {
    let server = lake(1, false);
    let said = cxlake(["--lake", "s3://lake", "check"]).on(&server).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert!(said.stderr.contains("not kept in `cxlake.checks`: cannot write `"), "{said}");
    assert_eq!(server.requests().count(Kind::Put), 0);
}

#[test]
fn ten_conditions_cost_the_requests_of_one() {
    let asked = |conditions: usize| {
        let server = lake(conditions, true);
        let before = server.requests();
        cxlake(["--lake", "s3://lake", "check", "--quiet"]).on(&server).prints();
        let asked = server.requests() - before;
        (asked.count(Kind::List), asked.count(Kind::Get), asked.bytes)
    };
    let (one, ten) = (asked(1), asked(10));
    assert_eq!((one.0, one.1), (ten.0, ten.1), "lists and gets");
    // The manifest is longer; the table has a megabyte.
    assert!(ten.2 < one.2 + 100_000, "{} and {} bytes", one.2, ten.2);
}
