//! What statements write to a bucket appears whole, or not at all and without a trace.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::harness::Folder;
use super::http::{Asked, Kind};
use super::proxy::{Fault, Proxy};
use super::server::Server;

/// A lake with a store to write to and one to read.
fn lake(server: &Server) -> Folder {
    let folder = Folder::new();
    let endpoint = server.endpoint();
    folder.lake(&format!(
        "[store.out]\nurl = \"s3://out/reports/\"\nendpoint = \"{endpoint}\"\nwrite = true\n\
         [store.locked]\nurl = \"s3://locked/\"\nendpoint = \"{endpoint}\"\n"
    ));
    folder
}

/// The objects of a bucket that anybody can see, and what uploads have left beside them.
fn objects(server: &Server, bucket: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![server.folder().path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(server.folder().path()).expect("below").display().to_string()),
            }
        }
    }
    // The server keeps what it knows of an object beside the buckets.
    found.retain(|path| path.starts_with(&format!("{bucket}/")) || path.contains("upload"));
    found.sort();
    found
}

/// A statement whose last rows cannot be had.
const FAILS_LATE: &str = "select value as n, repeat(md5(cast(value as text)), 4) as t, \
                          case when value = 399999 then cast(md5('x') || cast(value as text) as int) else 1 end as x from range(400000)";

#[test]
fn an_output_in_a_bucket_is_what_is_written_to_a_file() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    let sql = "select value as n, md5(cast(value as text)) as t from range(800000) order by n";
    let local = folder.at("x.csv");
    folder.cxlake(["-c", sql, "-o", local.to_str().expect("a path")]).prints();
    for target in ["s3://out/reports/x.csv", "out:x.csv"] {
        folder.cxlake(["-c", sql, "-o", target]).on(&server).prints();
        let written = std::fs::read(server.folder().at("out/reports/x.csv")).expect("the object");
        assert!(written.len() > 16 << 20 && written == std::fs::read(&local).expect("the file"), "{target}");
        std::fs::remove_file(server.folder().at("out/reports/x.csv")).expect("the object");
    }
}

#[test]
fn a_failed_output_or_copy_leaves_neither_object_nor_upload() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    let said = folder.cxlake(["-c", FAILS_LATE, "-o", "out:x.csv"]).on(&server).run();
    assert!(said.code == Some(1) && said.stderr.contains(" is no int"), "{said}");
    assert_eq!(objects(&server, "out"), Vec::<String>::new());
    for target in ["out:x.parquet", "s3://out/x.parquet", "out:folder/"] {
        let copy = format!("copy ({FAILS_LATE}) to '{target}' stored as parquet");
        let said = folder.cxlake(["-c", &copy]).on(&server).run();
        assert!(said.code == Some(1) && said.stderr.contains(" is no int"), "{said}");
        assert_eq!(objects(&server, "out"), Vec::<String>::new(), "{target}");
    }
}

#[test]
fn a_copy_of_many_objects_appears_and_is_read_back_and_is_not_doubled() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    let copy = "copy (select value as n, value % 5 as part from range(10000)) to 'out:parts/' stored as parquet partitioned by (part)";
    folder.cxlake(["-c", copy]).on(&server).prints();
    assert_eq!(objects(&server, "out").len(), 5, "{:?}", objects(&server, "out"));
    let sql = "select count(*) as n, sum(n) as sum from 'out:parts/'";
    assert_eq!(folder.cxlake(["-c", sql, "--format", "csv"]).on(&server).prints(), "n,sum\n10000,49995000\n");
    let again = folder.cxlake(["-c", copy]).on(&server).fails(2);
    assert!(again.starts_with("error: `out:parts/` is not empty\n"), "{again}");
}

/// A copy of twenty objects.
const TWENTY: &str = "copy (select value as n, value % 20 as part from range(100)) to 's3://out/half/' \
                      stored as parquet partitioned by (part)";

/// Whether a request completes one of the twenty uploads; before that it was begun, and its one part sent.
fn completes_one(asked: &Asked, before: u32) -> bool {
    asked.kind == Kind::Upload && asked.key.contains("part=7/") && before == 2
}

#[test]
fn a_copy_of_which_one_object_cannot_be_completed_leaves_none_and_can_be_run_again() {
    let server = Server::start(&["out"]);
    let folder = Folder::new();
    let proxy = Proxy::start(&server, |asked, before| match completes_one(asked, before) {
        true => Fault::Drop { is_done: true },
        false => Fault::None,
    });
    let said = folder.cxlake(["-c", TWENTY]).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.starts_with("error: cannot complete what was written: "), "{said}");
    assert_eq!(objects(&server, "out"), Vec::<String>::new());
    folder.cxlake(["-c", TWENTY]).on(&server).prints();
    assert_eq!(objects(&server, "out").len(), 20);
}

#[test]
fn a_copy_that_cannot_delete_what_it_has_completed_says_how_much_is_there() {
    let server = Server::start(&["out"]);
    let folder = Folder::new();
    let proxy = Proxy::start(&server, |asked, before| match asked.kind {
        Kind::Upload if completes_one(asked, before) => Fault::Drop { is_done: true },
        Kind::Delete => Fault::Refuse(403, "AccessDenied", None),
        _ => Fault::None,
    });
    let said = folder.cxlake(["-c", TWENTY]).through(&proxy).run();
    let there = objects(&server, "out").len();
    assert!(said.code == Some(1) && there > 0, "{there}: {said}");
    let hint = "objects of `s3://out/half/` are there; delete them before you run it again";
    assert!(said.stderr.ends_with(&format!("\n\nhint: {there} of 20 {hint}\n")), "{there}: {said}");
}

#[test]
fn uploads_that_are_being_begun_when_a_copy_fails_are_given_up() {
    let server = Server::start(&["out"]);
    let folder = Folder::new();
    let begun = AtomicUsize::new(0);
    let proxy = Proxy::start(&server, move |asked, before| {
        if asked.kind != Kind::Upload || before > 0 {
            return Fault::None;
        }
        // When the last one fails, the others are begun on the server and nobody has heard of it.
        match begun.fetch_add(1, Ordering::SeqCst) {
            19 => Fault::Refuse(403, "AccessDenied", None),
            _ => Fault::Late(Duration::from_secs(1)),
        }
    });
    let said = folder.cxlake(["-c", TWENTY]).through(&proxy).run();
    assert!(said.code == Some(1) && said.stderr.starts_with("error: cannot write `s3://out/half/"), "{said}");
    assert_eq!(objects(&server, "out"), Vec::<String>::new());
}

#[test]
fn a_copy_to_any_name_and_of_nulls_in_partitions_lies_where_it_was_told_to() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    for target in ["out:a[1].csv", "out:b?.csv", "out:c #50%.csv"] {
        folder.cxlake(["-c", &format!("copy (select 1 as x) to '{target}'")]).on(&server).prints();
    }
    let copy = "copy (select 1 as x, cast(null as int) as k) to 'out:n[1]/' stored as csv partitioned by (k)";
    folder.cxlake(["-c", copy]).on(&server).prints();
    let found = objects(&server, "out");
    assert_eq!(found[..3], ["out/reports/a[1].csv", "out/reports/b?.csv", "out/reports/c #50%.csv"]);
    assert!(found[3].starts_with("out/reports/n[1]/k=__HIVE_DEFAULT_PARTITION__/"), "{found:?}");
}

#[test]
fn a_name_with_wildcards_is_that_of_its_file_before_it_is_a_glob() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    server.put(&folder.write("other.csv", "x\n2\n"), "out/reports/b1.csv");
    let read = |path: &str| {
        let sql = format!("select * from '{path}'");
        folder.cxlake(["--format", "csv", "-c", &sql]).on(&server).prints()
    };
    assert_eq!(read("out:b?.csv"), "x\n2\n");
    for target in ["out:b?.csv", "out:b[1].csv"] {
        folder.cxlake(["-c", &format!("copy (select 1 as x) to '{target}'")]).on(&server).prints();
        assert_eq!(read(target), "x\n1\n", "{target}");
    }
    assert_eq!(read("out:b[1-9].csv"), "x\n2\n");
    assert_eq!(read("out:b[?].csv"), "x\n1\n");
}

#[test]
fn a_store_is_for_reading_unless_the_manifest_says_otherwise() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    let wanted = "error: cannot write `s3://locked/x.csv`: store `locked` is for reading\n\n\
                  hint: if statements may write there, set `write = true` in `[store.locked]`\n";
    assert_eq!(folder.cxlake(["-c", "select 1 as x", "-o", "locked:x.csv"]).on(&server).fails(2), wanted);
    let copy = "copy (select 1 as x) to 's3://locked/x.csv'";
    assert_eq!(folder.cxlake(["-c", copy]).on(&server).fails(2), wanted);
}

#[test]
fn files_by_path_and_external_tables_are_read_from_a_bucket() {
    let server = Server::start(&["data"]);
    let folder = Folder::new();
    server.put(&folder.write("a.csv", "id,n\n007,1\n008,2\n"), "data/csv/a.csv");
    server.put(&folder.write("b.csv", "id,n\n009,3\n"), "data/csv/b.csv");
    let csv = |sql: &str| folder.cxlake(["-c", sql, "--format", "csv"]).on(&server).prints();
    assert_eq!(csv("select * from 's3://data/csv/*.csv' order by id"), "id,n\n007,1\n008,2\n009,3\n");
    assert_eq!(csv("select * from 's3://data/csv/b.csv'"), "id,n\n009,3\n");
    assert_eq!(
        csv("create external table t stored as csv location 's3://data/csv/' options ('format.has_header' 'true'); \
             select sum(n) as n from t"),
        "n\n6\n"
    );
    let none = folder.cxlake(["-c", "select * from 's3://data/none/x.parquet'"]).on(&server).fails(1);
    assert!(none.starts_with("error: no data file at `s3://data/none/x.parquet`\n"), "{none}");
}

#[test]
fn an_interrupted_output_or_copy_leaves_with_130_and_neither_object_nor_upload() {
    let server = Server::start(&["out", "locked"]);
    let folder = lake(&server);
    // Rows without end for any practical purpose; the first parts are soon on their way.
    let rows = "select value as n, repeat(md5(cast(value as text)), 8) as t from range(100000000)";
    let copy = format!("copy ({rows}) to 'out:x.csv'");
    for arguments in [vec!["-c", rows, "-o", "out:x.csv"], vec!["-c", &copy]] {
        let mut command = folder.cxlake(arguments).on(&server).command();
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let child = command.spawn().expect("the binary starts");
        while !objects(&server, "out").iter().any(|path| path.contains("part")) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
        let output = child.wait_with_output().expect("the binary ends");
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "error: interrupted\n");
        assert_eq!(objects(&server, "out"), Vec::<String>::new());
    }
}
