//! Tables in buckets are optimized in one step, whatever fails and whoever comes in between.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::super::harness::{Folder, Said};
use super::super::optimize::files_below;
use super::http::Kind;
use super::proxy::{Fault, Proxy};
use super::requests::stat;
use super::server::Server;

const SUMS: &str = "select count(*) as rows, sum(n) as sum, count(distinct id) as ids from t";
const SUMMED: &str = "rows,sum,ids\n3000,4498500,3000\n";

/// A bucket with a table of three files in a partition, and a lake on it. Its server is reached as the environment says.
fn lake(server: &Server) -> Folder {
    let folder = Folder::new();
    folder.lake(
        "[store.st]\nurl = \"s3://lake/\"\nwrite = true\nretry_seconds = 5\n[store.locked]\nurl = \"s3://locked/\"\n\
         [table.t]\npath = \"st:t/\"\npartition = { k = \"text\" }\nsort = [\"n desc\"]\nidentifiers = [\"id\"]\n\
         [table.locked]\npath = \"locked:t/\"\nsort = [\"n\"]\n",
    );
    for number in 0..3 {
        let sql = format!(
            "select cast(value as text) as id, value as n from range({}, {})",
            number * 1000,
            (number + 1) * 1000
        );
        let file = folder.parquet(&format!("{number}.parquet"), &sql);
        server.put(&file, &format!("lake/t/k=a%2Fb/{number}.parquet"));
    }
    server.put(&folder.at("0.parquet"), "locked/t/0.parquet");
    folder
}

fn sums(folder: &Folder, server: &Server) -> Said {
    let said = folder.cxlake(["--stats", "--format", "csv", "-c", SUMS]).on(server).run();
    assert_eq!((said.code, said.text().as_str()), (Some(0), SUMMED), "{said}");
    said
}

/// The objects of the table.
fn objects(server: &Server) -> Vec<String> {
    files_below(&server.folder().at("lake/t"))
}

/// The objects that are data.
fn data(server: &Server) -> (usize, usize) {
    let data: Vec<String> = objects(server).into_iter().filter(|name| name.ends_with(".parquet")).collect();
    let ours = data.iter().filter(|name| name.contains("optimized-")).count();
    (ours, data.len() - ours)
}

#[test]
fn a_table_in_a_bucket_is_optimized_and_its_old_files_go_when_they_may() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let before = sums(&folder, &server);
    folder.cxlake(["optimize", "t"]).on(&server).prints();
    assert_eq!(data(&server), (1, 3));
    let after = sums(&folder, &server);
    // The listing shows that there is a record, and reading it is one request more; the file itself is in the cache.
    assert_eq!(stat(&after, " list"), stat(&before, " list"), "{after}");
    assert_eq!(stat(&after, " get"), stat(&after, " list"), "{after}");
    let idle = folder.cxlake(["optimize", "t"]).on(&server).prints();
    assert!(idle.ends_with("nothing to rewrite: all files are as the table declares them\n"), "{idle}");
    folder.cxlake(["optimize", "t", "--keep", "0s"]).on(&server).prints();
    assert_eq!(data(&server), (1, 0));
    sums(&folder, &server);
    let filtered = "select count(*) as n from t where k = 'a/b'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", filtered]).on(&server).prints(), "n\n3000\n");
    let left: Vec<String> = objects(&server).into_iter().filter(|name| name.contains("alive")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_store_for_reading_is_refused() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let said = folder.cxlake(["optimize", "locked"]).on(&server).run();
    assert_eq!(said.code, Some(2), "{said}");
    assert_eq!(
        said.stderr,
        "error: cannot write `s3://locked/t`: store `locked` is for reading\n\n\
         hint: if statements may write there, set `write = true` in `[store.locked]`\n"
    );
}

/// A run through a proxy that does something at the first request to write a data file, once.
fn with(server: &Server, folder: &Folder, at_write: impl Fn() + Send + Sync + 'static) -> Said {
    let done = AtomicUsize::new(0);
    let proxy = Proxy::start(server, move |asked, _| {
        let is_write = matches!(asked.kind, Kind::Put | Kind::Upload) && asked.key.contains("/optimized-");
        if is_write && done.fetch_add(1, Ordering::SeqCst) == 0 {
            at_write();
        }
        Fault::None
    });
    folder.cxlake(["optimize", "t"]).through(&proxy).run()
}

#[test]
fn a_file_that_arrives_meanwhile_is_neither_lost_nor_doubled() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let late = folder.parquet("late.parquet", "select 'late' as id, 1000000 as n");
    let place = server.folder().at("lake/t/k=a%2Fb/late.parquet");
    let said = with(&server, &folder, move || {
        std::fs::copy(&late, &place).expect("it arrives");
    });
    assert_eq!(said.code, Some(0), "{said}");
    let sums = folder.cxlake(["--format", "csv", "-c", SUMS]).on(&server).prints();
    assert_eq!(sums, "rows,sum,ids\n3001,5498500,3001\n");
    assert_eq!(data(&server), (1, 4));
}

#[test]
fn a_file_that_changes_meanwhile_stops_it_and_nothing_is_replaced() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let other = folder.parquet("other.parquet", "select 'other' as id, 5 as n");
    let place = server.folder().at("lake/t/k=a%2Fb/1.parquet");
    let said = with(&server, &folder, move || {
        std::fs::copy(&other, &place).expect("it changes");
    });
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(
        said.stderr,
        "error: `st:t/k=a%2Fb/1.parquet` has changed since it was read\n\n\
         hint: nothing was replaced; run it again when nobody writes to the files of the table\n"
    );
    assert_eq!(data(&server), (0, 3));
    let sums = folder.cxlake(["--format", "csv", "-c", SUMS]).on(&server).prints();
    assert_eq!(sums, "rows,sum,ids\n2001,2999005,2001\n");
}

/// What `optimize` says on the server itself, as a process that a proxy's plan can start.
fn another(folder: &Folder, server: &Server, keep: &str) -> Command {
    let mut command = folder.cxlake(["optimize", "t", "--keep", keep]).on(server).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run says while another one is at work.
const BUSY: &str = "error: another `cxlake optimize` is at work on `st:t/`\n\n\
                    hint: wait for its end; behind one that was killed a bucket is free again after two minutes, a disk at once\n";

#[test]
fn of_two_at_once_the_second_one_is_told_and_the_first_one_wins() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (told, second) = (Arc::new(Mutex::new(None)), Mutex::new(another(&folder, &server, "1h")));
    let hears = Arc::clone(&told);
    let said = with(&server, &folder, move || {
        let output = second.lock().expect("a command").output().expect("it runs");
        *hears.lock().expect("a place") = Some((output.status.code(), String::from_utf8(output.stderr)));
    });
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(*told.lock().expect("a place"), Some((Some(1), Ok(BUSY.to_owned()))));
    assert_eq!(data(&server), (1, 3));
    sums(&folder, &server);
}

#[test]
fn a_second_one_is_told_also_while_the_first_one_deletes_what_it_has_replaced() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (told, second) = (Arc::new(Mutex::new(None)), Mutex::new(another(&folder, &server, "0s")));
    let hears = Arc::clone(&told);
    let proxy = Proxy::start(&server, move |asked, _| {
        if asked.kind == Kind::Delete {
            hears.lock().expect("a place").get_or_insert_with(|| {
                let output = second.lock().expect("a command").output().expect("it runs");
                (output.status.code(), String::from_utf8(output.stderr))
            });
        }
        Fault::None
    });
    let said = folder.cxlake(["optimize", "t", "--keep", "0s"]).through(&proxy).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(*told.lock().expect("a place"), Some((Some(1), Ok(BUSY.to_owned()))));
    assert_eq!(data(&server), (1, 0));
    sums(&folder, &server);
}

#[test]
fn behind_a_run_that_could_not_announce_itself_nobody_has_to_wait() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let proxy = Proxy::start(&server, |asked, before| {
        match asked.kind == Kind::Put && asked.key.contains("_cxlake/files-") && before == 0 {
            true => Fault::Drop { is_done: true },
            false => Fault::None,
        }
    });
    let said = folder.cxlake(["optimize", "t"]).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(data(&server), (0, 3));
    folder.cxlake(["optimize", "t"]).on(&server).prints();
    assert_eq!(data(&server), (1, 3));
    sums(&folder, &server);
}

#[test]
fn files_that_another_run_replaced_since_they_were_listed_are_not_replaced_again() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (second, listed) = (Mutex::new(another(&folder, &server, "1h")), AtomicUsize::new(0));
    let proxy = Proxy::start(&server, move |asked, _| {
        // The records are listed once with the files, and again when the change begins.
        if asked.kind == Kind::List && asked.key.contains("_cxlake") && listed.fetch_add(1, Ordering::SeqCst) == 1 {
            assert!(second.lock().expect("a command").status().expect("it runs").success());
        }
        Fault::None
    });
    let said = folder.cxlake(["optimize", "t"]).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(
        said.stderr.starts_with(
            "error: `st:t/k=a%2Fb/0.parquet` has been replaced by another `cxlake optimize` since it was read\n"
        ),
        "{said}"
    );
    assert_eq!(data(&server), (1, 3));
    sums(&folder, &server);
}

#[test]
fn ctrl_c_gives_it_up_and_leaves_the_table_as_it_was() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (process, is_told) = (Arc::new(AtomicU32::new(0)), AtomicUsize::new(0));
    let interrupted = Arc::clone(&process);
    let proxy = Proxy::start(&server, move |asked, _| {
        if asked.kind == Kind::Upload
            && asked.key.contains("/optimized-")
            && is_told.fetch_add(1, Ordering::SeqCst) == 0
        {
            while interrupted.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let process = interrupted.load(Ordering::SeqCst).to_string();
            assert!(Command::new("kill").args(["-INT", &process]).status().expect("kill is there").success());
            // The answer comes when it has been heard.
            return Fault::Delay(Duration::from_millis(500));
        }
        Fault::None
    });
    let mut command = folder.cxlake(["optimize", "t"]).through(&proxy).command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary starts");
    process.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(130), "error: interrupted\n")
    );
    assert_eq!(data(&server), (0, 3));
    sums(&folder, &server);
    // Nobody has to wait for one that has said that it is over.
    folder.cxlake(["optimize", "t"]).on(&server).prints();
    assert_eq!(data(&server), (1, 3));
    sums(&folder, &server);
}

/// Has the sign of life of a run be so old that it counts as dead.
fn silence(buckets: &Path) {
    let alive = File::options().write(true).open(buckets.join("lake/t/_cxlake/alive.json")).expect("a sign of life");
    alive.set_modified(SystemTime::now() - Duration::from_mins(10)).expect("it is old");
}

#[test]
fn a_run_that_was_taken_for_dead_ends_with_an_error_and_the_other_ones_files_count() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (told, second) = (Arc::new(Mutex::new(None)), Mutex::new(another(&folder, &server, "1h")));
    let (hears, buckets) = (Arc::clone(&told), server.folder().path().to_owned());
    let said = with(&server, &folder, move || {
        silence(&buckets);
        *hears.lock().expect("a place") = second.lock().expect("a command").status().expect("it runs").code();
    });
    assert_eq!(*told.lock().expect("a place"), Some(0), "the second one goes through");
    assert_eq!(said.code, Some(1), "{said}");
    sums(&folder, &server);
    assert_eq!(data(&server).1, 3);
    folder.cxlake(["optimize", "t", "--keep", "0s"]).on(&server).prints();
    sums(&folder, &server);
    assert_eq!(data(&server).1, 0, "{:?}", objects(&server));
}

#[test]
fn a_run_that_is_killed_at_any_request_leaves_the_table_whole() {
    let all = run_killed_at(usize::MAX);
    assert!(all > 20, "{all} requests");
    for request in 0..all {
        run_killed_at(request);
    }
}

/// Kills a run at one of its requests, which is done or not; gives how many requests there were.
fn run_killed_at(request: usize) -> usize {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let (process, seen) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let (victim, counted) = (Arc::clone(&process), Arc::clone(&seen));
    let proxy = Proxy::start(&server, move |_, _| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        if number < request {
            return Fault::None;
        }
        if number == request {
            // The first request may come before its process is known.
            while victim.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let process = victim.load(Ordering::SeqCst).to_string();
            let killed = Command::new("kill").args(["-KILL", &process]).status().expect("kill is there");
            assert!(killed.success());
        }
        // Half of the requests at which it is killed reach the server.
        Fault::Drop { is_done: request.is_multiple_of(2) && number == request }
    });
    let mut command = folder.cxlake(["optimize", "t"]).through(&proxy).command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    process.store(child.id(), Ordering::SeqCst);
    let ended = child.wait().expect("it ends");
    let asked = seen.load(Ordering::SeqCst);
    assert!(!ended.success() || request >= asked, "it is not killed at request {request} of {asked}");
    sums(&folder, &server);
    if !ended.success() {
        if server.folder().at("lake/t/_cxlake/alive.json").exists() {
            silence(server.folder().path());
        }
        folder.cxlake(["optimize", "t"]).on(&server).prints();
        sums(&folder, &server);
        assert_eq!(data(&server).0, 1, "killed at request {request}: {:?}", objects(&server));
    }
    asked
}

#[test]
fn a_server_that_takes_no_data_leaves_the_table_as_it_was() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let proxy = Proxy::start(&server, |asked, _| match asked.key.contains("/optimized-") {
        true => Fault::Refuse(507, "InsufficientStorage", None),
        false => Fault::None,
    });
    let said = folder.cxlake(["optimize", "t"]).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.starts_with("error: cannot write `"), "{said}");
    assert_eq!(data(&server), (0, 3));
    sums(&folder, &server);
}

#[test]
fn a_server_that_creates_what_is_there_is_refused() {
    let server = Server::start(&["lake", "locked"]);
    let folder = lake(&server);
    let buckets = server.folder().path().to_owned();
    // What is there is out of its way when it is created again: the server takes both.
    let proxy = Proxy::start(&server, move |asked, before| {
        if asked.kind == Kind::Put && asked.key.contains("_cxlake/files-") && before > 0 {
            std::fs::remove_file(buckets.join("lake").join(&asked.key)).expect("it is there");
        }
        Fault::None
    });
    let said = folder.cxlake(["optimize", "t"]).through(&proxy).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(
        said.stderr.starts_with("error: `st:t/` cannot be optimized: its server ignores If-None-Match\n"),
        "{said}"
    );
    assert_eq!(objects(&server), ["k=a%2Fb/0.parquet", "k=a%2Fb/1.parquet", "k=a%2Fb/2.parquet"]);
}
