//! A lake in a bucket is the lake in a folder.

use super::super::harness::{Folder, Row, cxlake, repository};
use super::super::terminal::{CTRL_C, Setup};
use super::http::Kind;
use super::proxy::{Fault, Proxy};
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
fn every_saved_query_gives_the_same_bytes_from_a_bucket_as_from_a_folder() {
    let server = with_sample();
    let listed = cxlake(["queries", "--format", "csv"]).prints();
    let names: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert!(names.len() > 50, "{listed}");
    // One process each way: the statements of a script share connections, credentials and footers.
    let script: String = names.iter().map(|name| format!("\\run {name}\n")).collect();
    let arguments = ["-f", "-", "--format", "csv", "--quiet"];
    let local = cxlake(arguments).stdin(script.clone()).prints();
    let remote = cxlake(["--lake", "s3://lake/sample"].into_iter().chain(arguments)).stdin(script).on(&server).run();
    let text = remote.text();
    let differing = text.lines().zip(local.lines()).find(|(remote, local)| remote != local);
    assert_eq!((remote.code, differing), (Some(0), None), "{}", remote.stderr);
    assert_eq!(text.len(), local.len());
}

#[test]
fn a_statement_asks_for_what_it_needs_and_for_no_more() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    for name in ["a", "b"] {
        server
            .put(&folder.parquet("x.parquet", "select value as x from range(1000)"), &format!("lake/t/{name}.parquet"));
    }
    let asked = |cache: &str, sql: &str| {
        let before = server.requests();
        folder.cxlake(["-c", sql]).on(&server).env("XDG_CACHE_HOME", folder.at(cache)).prints();
        server.requests() - before
    };
    let counted = asked("one", "select count(*) as n from 's3://lake/t/'");
    let objects: std::collections::BTreeSet<&str> = counted.of(Kind::Get).map(|asked| asked.key.as_str()).collect();
    assert_eq!(objects.into_iter().collect::<Vec<_>>(), ["t/a.parquet", "t/b.parquet"]);
    assert_eq!(counted.count(Kind::Get), 2, "footers alone say how many rows there are: {counted:?}");
    assert!(counted.of(Kind::List).all(|asked| asked.key == "t/"), "{counted:?}");
    assert_eq!(counted.total(), counted.count(Kind::Get) + counted.count(Kind::List), "{counted:?}");
    // What comes with a footer of so small a file is all there is of it.
    let read = asked("other", "select sum(x) as x from 's3://lake/t/'");
    assert_eq!((read.count(Kind::Get), read.bytes), (2, counted.bytes), "{read:?}");
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
    assert_eq!(listed("queries").text(), locally("queries"));
    // Rows and sizes of tables in a bucket would take requests, and are told only where they are asked for.
    let tables = |lake: &str, command: &str| {
        let rows = cxlake(["--lake", lake, "--format", "json", "-c", command]).on(&server).run().text();
        serde_json::from_str::<Vec<Row>>(&rows).expect("JSON rows")
    };
    let (near, all, disk) = (tables("s3://lake/sample", "\\d"), tables("s3://lake/sample", "\\d+"), tables(".", "\\d"));
    assert!(
        near.len() == 17 && near.iter().all(|table| table["rows"].is_null() && table["bytes"].is_null()),
        "{near:?}"
    );
    for ((near, all), disk) in near.iter().zip(&all).zip(&disk) {
        assert_eq!((&near["table"], &near["description"]), (&disk["table"], &disk["description"]));
        assert_eq!((&all["rows"], &all["bytes"], &all["files"]), (&disk["rows"], &disk["bytes"], &disk["files"]));
    }
    let shown = cxlake(["--lake", "s3://lake/sample", "tables", "show", "surveys"]).on(&server).run();
    assert!(shown.stderr.contains("sample-data/surveys"), "{shown}");
}

#[test]
fn tab_at_the_prompt_asks_nothing_of_a_bucket_and_knows_what_a_statement_has_read() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    let file = folder.parquet("x.parquet", "select 1 as number, 'a' as letter");
    server.put(&file, "lake/t/a.parquet");
    folder.lake("[table.t]\npath = \"s3://lake/t/\"\n");
    let proxy = Proxy::start(&server, |_, _| Fault::None);
    let setup = Setup::new().within(folder.path()).environment(proxy.environment());
    let mut prompt = setup.prompt();
    prompt.keys("select num\t from 's3://lake/\t' where letter = '\t';");
    prompt.edits("select num from 's3://lake/' where letter = '';");
    prompt.keys(CTRL_C);
    prompt.answer();
    assert_eq!(server.requests().total(), 0);
    prompt.said("select letter from t;");
    let before = server.requests().total();
    prompt.keys("select * from t where num\t > 0 and let\t = '\t");
    prompt.edits("select * from t where number > 0 and letter = 'a'");
    assert_eq!(server.requests().total(), before);
}
