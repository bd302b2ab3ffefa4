//! What statements write to a bucket appears whole, or not at all and without a trace.

use super::super::harness::Folder;
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
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
        let output = child.wait_with_output().expect("the binary ends");
        assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "error: interrupted\n");
        assert_eq!(objects(&server, "out"), Vec::<String>::new());
    }
}
