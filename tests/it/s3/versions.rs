//! Files that are replaced while a statement reads them: it gives the rows of one version, or says that they changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::harness::Folder;
use super::http::Kind;
use super::proxy::{Fault, Proxy};
use super::server::Server;

/// Two versions of a table, each in two files of the same sizes as the other's. The columns of the second are swapped.
struct Versions {
    folder: Folder,
    ending: &'static str,
}

impl Versions {
    /// Files that COPY writes with these options, or arrays of JSON where there are none.
    fn copied(ending: &'static str, stored: &str) -> Self {
        let folder = Folder::new();
        for (version, columns) in [("1", "1 as x, 3 as y"), ("2", "3 as y, 2 as x")] {
            for name in ["a", "b"] {
                let rows = format!("select {columns}, value + 100000 as n from range(2000)");
                let file = folder.at(&format!("{version}/{name}.{ending}"));
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder is made");
                let copy = format!("copy ({rows}) to '{}' stored as {stored}", file.display());
                folder.cxlake(["-q", "-c", &copy]).prints();
            }
        }
        Self { folder, ending }
    }

    /// The same as one array of JSON in each file.
    fn arrays() -> Self {
        let versions = Self::copied("json", "json");
        for file in ["1/a", "1/b", "2/a", "2/b"] {
            let lines = versions.folder.read(&format!("{file}.json"));
            let rows = lines.trim_end().replace('\n', ",\n");
            versions.folder.write(&format!("{file}.json"), format!("[{rows}]\n"));
        }
        versions
    }

    fn put(&self, version: &str, bucket: &std::path::Path) {
        for name in ["a", "b"] {
            let name = format!("{name}.{}", self.ending);
            let beside = bucket.join(format!(".{name}"));
            std::fs::copy(self.folder.at(version).join(&name), &beside).expect("it is copied");
            // A rename replaces the object at once.
            std::fs::rename(beside, bucket.join(name)).expect("it is replaced");
        }
    }
}

/// Replaces the files before each request that a statement makes, one after the other, and holds what it says to the rule.
fn holds_to_one_version(versions: Versions) {
    let versions = Arc::new(versions);
    let sql = "set datafusion.optimizer.repartition_file_min_size = 1000; select sum(x) as x, sum(y) as y from 's3://lake/t/'";
    let (mut whole, mut refused) = (0, 0);
    for instant in 0.. {
        let server = Server::start(&["lake"]);
        let bucket: PathBuf = server.folder().at("lake/t");
        std::fs::create_dir(&bucket).expect("a folder");
        versions.put("1", &bucket);
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, new, place) = (Arc::clone(&asked), Arc::clone(&versions), bucket.clone());
        let proxy = Proxy::start(&server, move |asked, _| {
            let is_counted = matches!(asked.kind, Kind::List | Kind::Head | Kind::Get);
            if is_counted && count.fetch_add(1, Ordering::SeqCst) == instant {
                new.put("2", &place);
            }
            Fault::None
        });
        let said = versions.folder.cxlake(["--format", "csv", "--threads", "4", "-c", sql]).through(&proxy).run();
        if let Some(0) = said.code {
            let is_one = ["x,y\n4000,12000\n", "x,y\n8000,12000\n"].contains(&said.text().as_str());
            assert!(is_one, "replaced before request {instant}: {said}");
            whole += 1;
        } else {
            let is_told = ["changed while it was read", "are not those that they were"];
            assert!(is_told.iter().any(|told| said.stderr.contains(told)), "before request {instant}: {said}");
            assert!(said.stderr.contains("hint: run the statement again"), "{said}");
            refused += 1;
        }
        if asked.load(Ordering::SeqCst) <= instant {
            break;
        }
    }
    assert!(whole >= 2 && refused >= 2, "{} ends well {whole} times and is refused {refused} times", versions.ending);
}

#[test]
fn csv_files_are_read_in_one_version() {
    holds_to_one_version(Versions::copied("csv", "csv"));
}

#[test]
fn json_files_are_read_in_one_version_whether_they_are_lines_or_arrays() {
    holds_to_one_version(Versions::copied("ndjson", "json"));
    holds_to_one_version(Versions::arrays());
}

#[test]
fn arrow_files_are_read_in_one_version() {
    holds_to_one_version(Versions::copied("arrow", "arrow"));
}

#[test]
fn a_view_reads_files_that_were_replaced_as_long_as_their_columns_are_the_same() {
    let folder = Folder::new();
    folder.write("x.csv", "x,y\n1,a\n");
    let script = "create view v as select * from 'x.csv';
                  select * from v;
                  copy (select 22 as x, 'b' as y) to 'x.csv';
                  select * from v;
                  copy (select 'c' as y, 3 as x) to 'x.csv';
                  select * from v;";
    let said = folder.cxlake(["-q", "--format", "csv", "-f", "-"]).stdin(script).run();
    assert_eq!((said.code, said.text().as_str()), (Some(1), "x,y\n1,a\nx,y\n22,b\n"), "{said}");
    let wanted = "error: the columns of `x.csv` are not those that they were\n";
    assert!(said.stderr.starts_with(wanted), "{said}");
    assert!(said.stderr.contains("hint: run the statement again; a view is to be made anew\n"), "{said}");
}
