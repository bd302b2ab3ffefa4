//! A lake in a bucket is the lake in a folder.

use super::super::harness::{cxlake, repository};
use super::server::Server;

/// A server with the sample lake at `s3://lake/sample`.
fn with_sample() -> Server {
    let server = Server::start(&["lake"]);
    for part in ["cxlake.toml", "queries", "sample-data"] {
        server.put(&repository().join(part), &format!("lake/sample/{part}"));
    }
    server
}

#[test]
fn a_saved_query_gives_the_same_bytes_from_a_bucket_as_from_a_folder() {
    let server = with_sample();
    let query = ["run", "cost-per-touch", "--format", "csv"];
    let local = cxlake(query).prints();
    let remote = cxlake(["--lake", "s3://lake/sample"].into_iter().chain(query)).on(&server).run();
    assert_eq!(remote.text(), local, "{remote}");
    assert!(local.lines().count() > 100, "{local}");
}

/// Whether two lines of CSV are the same, but for the last digits of sums of floats, which come in the order in which rows arrive.
fn is_same(one: &str, other: &str) -> bool {
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (cells(one), cells(other));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
            _ => one == other,
        })
}

#[test]
fn every_saved_query_gives_the_same_rows_from_a_bucket_as_from_a_folder() {
    let server = with_sample();
    let listed = cxlake(["queries", "--format", "csv"]).prints();
    let names: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(names.len() > 50, "{listed}");
    // One process each way: the statements of a script share connections and credentials, though not threads.
    let script: String = names.iter().map(|name| format!("\\run {name}\n")).collect();
    let local = cxlake(["-f", "-", "--format", "csv", "--quiet"]).stdin(script.clone()).prints();
    let call = cxlake(["--lake", "s3://lake/sample", "-f", "-", "--format", "csv", "--quiet"]).stdin(script);
    let remote = call.on(&server).run();
    let text = remote.text();
    let differing = text.lines().zip(local.lines()).find(|(remote, local)| !is_same(remote, local));
    assert_eq!((remote.code, differing), (Some(0), None), "{}", remote.stderr);
    assert_eq!(text.lines().count(), local.lines().count());
}

#[test]
fn a_lake_that_is_not_there_or_not_reached_is_told_with_its_address() {
    let server = Server::start(&["lake"]);
    let open = |address: &str| cxlake(["--lake", address, "tables"]).on(&server).fails(1);
    assert_eq!(
        open("s3://lake/none"),
        "error: no lake at `s3://lake/none`: it has no `cxlake.toml`\n\n\
         hint: put the manifest there, as `s3://lake/none/cxlake.toml`\n"
    );
    let missing = open("s3://missing/lake").replace(&server.endpoint(), "SERVER");
    assert_eq!(
        missing,
        "error: cannot list `s3://missing/lake`: there is no bucket `missing` at `SERVER`\n\n\
         hint: check the name of the bucket, and `endpoint` if it is not on AWS\n"
    );
    let made = cxlake(["init", "s3://lake/new"]).on(&server).fails(2);
    assert!(made.starts_with("error: `s3://lake/new` is in a bucket; a lake is made in a folder\n"), "{made}");
}

#[test]
fn tables_queries_and_metrics_are_listed_from_a_bucket() {
    let server = with_sample();
    let listed =
        |what: &str| cxlake(["--lake", "s3://lake/sample/", what, "list", "--format", "csv"]).on(&server).run();
    let locally = |what: &str| cxlake([what, "list", "--format", "csv"]).prints();
    assert_eq!(listed("tables").text(), locally("tables"));
    assert_eq!(listed("queries").text(), locally("queries"));
    let shown = cxlake(["--lake", "s3://lake/sample", "tables", "show", "surveys"]).on(&server).run();
    assert!(shown.stderr.contains("sample-data/surveys"), "{shown}");
}
