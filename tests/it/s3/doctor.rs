//! What `cxlake doctor` says, and that a query says the same.

use std::time::Instant;

use super::super::harness::{Call, Folder, cxlake};
use super::http::{Asked, Kind};
use super::played::{Played, answer};
use super::server::{KEY, SECRET, Server};

/// The text without what differs from run to run: the port and the times.
fn steady(text: &str, server: &Server) -> String {
    let mut text = text.replace(&server.endpoint(), "http://SERVER");
    while let Some((head, tail)) = text.split_once(" ms)").map(|(head, tail)| (head.to_owned(), tail.to_owned())) {
        let digits = head.len() - head.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
        text = format!("{}N MS){tail}", &head[..head.len() - digits]);
    }
    text
}

/// A lake whose store `main` is at this server, with these keys of it.
fn lake(server: &Server, keys: &str) -> Folder {
    let folder = Folder::new();
    let endpoint = server.endpoint();
    folder.lake(&format!(
        "[store.main]\nurl = \"s3://lake/\"\nendpoint = \"{endpoint}\"\n{keys}\n[table.t]\npath = \"main:t/\"\n"
    ));
    folder
}

#[test]
fn a_healthy_store_is_described_and_found_to_work() {
    let server = Server::start(&["lake"]);
    let folder = lake(&server, "write = true");
    server.put(&folder.write("x.txt", "0123456789"), "lake/x.txt");
    let said = folder.cxlake(["doctor", "main"]).on(&server).prints();
    assert_eq!(
        steady(&said, &server),
        "main (s3://lake/)\n  \
         ok     endpoint        http://SERVER (from the manifest), `path` style\n  \
         ok     region          us-east-1 (from AWS_REGION)\n  \
         ok     credentials     environment, key AKIA…WXYZ\n  \
         ok     list            works (N MS)\n  \
         ok     clock           agrees with the server's\n  \
         ok     get of a range  works: 10 bytes of `x.txt` (N MS)\n  \
         ok     put             works, and the server honours If-None-Match (N MS)\n"
    );
    assert!(!said.contains(SECRET) && !said.contains(KEY), "{said}");
    assert_eq!(std::fs::read_dir(server.folder().at("lake")).expect("the bucket").count(), 1, "the probe is gone");
}

/// What the doctor finds wrong first, as one line, and what a query says on standard error.
fn both(folder: &Folder, server: &Server, change: impl Fn(Call) -> Call) -> (String, String) {
    let doctor = change(folder.cxlake(["doctor", "main"]).on(server)).run();
    assert_eq!(doctor.code, Some(1), "{doctor}");
    let text = steady(&doctor.text(), server);
    let wrong = text.lines().find(|line| line.starts_with("  wrong")).expect("a finding");
    let query = change(folder.cxlake(["-c", "select * from t"]).on(server)).run();
    assert_eq!(query.code, Some(1), "{query}");
    (wrong.split_whitespace().collect::<Vec<_>>().join(" "), steady(&query.stderr, server))
}

#[test]
fn a_missing_bucket_a_wrong_secret_and_an_unknown_key_are_told_apart() {
    let server = Server::start(&["other"]);
    let folder = lake(&server, "");
    let (doctor, query) = both(&folder, &server, |call| call);
    assert_eq!(doctor, "wrong list there is no bucket `lake` at `http://SERVER` (N MS)");
    assert_eq!(
        query,
        "error: cannot list `main:t/`: there is no bucket `lake` at `http://SERVER`\n\n\
         hint: check the name of the bucket, and `endpoint` if it is not on AWS\n"
    );
    let server = Server::start(&["lake"]);
    let folder = lake(&server, "");
    let (doctor, query) =
        both(&folder, &server, |call| call.env("AWS_SECRET_ACCESS_KEY", "another-secret-of-the-tests"));
    let wrong = "the secret key does not belong to the access key (environment, key AKIA…WXYZ)";
    assert_eq!(doctor, format!("wrong list {wrong} (N MS)"));
    assert!(query.starts_with(&format!("error: cannot list `main:t/`: {wrong}\n\nhint: copy both again")), "{query}");
    let (doctor, query) = both(&folder, &server, |call| call.env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWNXX"));
    let wrong = "`http://SERVER` does not know the access key (environment, key AKIA…WNXX)";
    assert_eq!(doctor, format!("wrong list {wrong} (N MS)"));
    assert!(query.contains(wrong), "{query}");
}

#[test]
fn no_credentials_and_anonymous_requests_that_are_refused_are_told_apart() {
    let server = Server::start(&["lake"]);
    let none = |call: Call| call.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let (doctor, query) = both(&lake(&server, ""), &server, none);
    assert_eq!(doctor, "wrong credentials there are no credentials for bucket `lake`");
    assert!(query.contains("there are no credentials for bucket `lake`\n\nhint: set AWS_PROFILE or"), "{query}");
    let (doctor, _) = both(&lake(&server, "anonymous = true"), &server, |call| call);
    assert_eq!(doctor, "wrong list bucket `lake` does not let everybody list it (AccessDenied) (N MS)");
}

#[test]
fn a_dead_endpoint_and_one_that_is_no_s3_are_reported_soon() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    folder.lake(&format!(
        "[store.main]\nurl = \"s3://lake/\"\nendpoint = \"http://127.0.0.1:{port}\"\n[table.t]\npath = \"main:t/\"\n"
    ));
    let started = Instant::now();
    let said = folder.cxlake(["-c", "select * from t"]).on(&server).run();
    assert!(started.elapsed().as_secs() < 10, "{said}");
    assert!(said.stderr.contains(&format!("`http://127.0.0.1:{port}` cannot be reached: ")), "{said}");
    assert!(said.stderr.contains("hint: does the server run there? check `endpoint` in `[store.main]`"), "{said}");
}

#[test]
fn a_part_is_taken_under_the_status_of_a_whole_object_and_a_whole_object_is_not() {
    let listing = "<ListBucketResult><Contents><Key>x.txt</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                   <Size>100</Size></Contents></ListBucketResult>";
    for (range, length, wanted) in [
        (Some("bytes 0-63/100"), 64, "ok     get of a range  works: 64 bytes of `x.txt`"),
        (
            None,
            100,
            "wrong  get of a range  `SERVER` is no S3 server: it gives whole objects where parts are asked for",
        ),
    ] {
        let server = Played::start(move |request| {
            if Asked::of(request).kind == Kind::List {
                return answer(200, listing);
            }
            let mut part = answer(200, "x".repeat(length));
            if let Some(range) = range {
                part.headers_mut().insert("content-range", range.parse().expect("a header"));
            }
            part
        });
        let call = cxlake(["doctor", "s3://lake/"]).away_from_aws().env("AWS_ENDPOINT_URL_S3", server.endpoint());
        let call = call.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
        let said = call.env("AWS_REGION", "us-east-1").run();
        assert!(said.text().replace(&server.endpoint(), "SERVER").contains(wanted), "{said}");
    }
}

#[test]
fn a_style_that_the_server_cannot_have_is_refused_before_a_request() {
    let server = Server::start(&["lake"]);
    let (doctor, query) = both(&lake(&server, "style = \"virtual\""), &server, |call| call);
    assert_eq!(doctor, "wrong settings `http://SERVER` does not take requests in the `virtual` style: it is a number");
    assert!(query.contains("hint: set `style = \"path\"` in `[store.main]`"), "{query}");
}

#[test]
fn a_store_that_is_not_declared_is_named_with_the_nearest() {
    let server = Server::start(&["lake"]);
    assert_eq!(
        lake(&server, "").cxlake(["doctor", "mian"]).on(&server).fails(2),
        "error: no store `mian` in this lake\n\nhint: did you mean `main`?\n"
    );
    assert_eq!(
        cxlake(["doctor"]).away_from_aws().fails(2),
        "error: this lake has no store to examine\n\n\
         hint: name a bucket, `cxlake doctor s3://bucket/`, or declare one as `[store.NAME]` in `cxlake.toml`\n"
    );
}
