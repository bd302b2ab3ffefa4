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
