//! Objects under names that no disk has: folders that a browser of buckets shows, and names that are no path.

use super::super::harness::{Call, cxlake};
use super::http::{Asked, Kind};
use super::played::{Played, answer};
use super::server::{KEY, SECRET};

/// A bucket with these objects, by key and text.
fn serve(objects: &'static [(&'static str, &'static str)]) -> Played {
    Played::start(move |request| {
        let asked = Asked::of(request);
        let text = objects.iter().find(|(key, _)| *key == asked.key).map(|(_, text)| *text);
        match (asked.kind, text) {
            (Kind::List, _) => answer(200, listing(objects, &asked.key)),
            (_, Some(text)) => answer(200, text),
            (_, None) => answer(404, ""),
        }
    })
}

/// The answer to a listing of the objects below a prefix.
fn listing(objects: &[(&str, &str)], prefix: &str) -> String {
    let below = objects.iter().filter(|(key, _)| key.starts_with(prefix));
    let found = below.map(|(key, text)| {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>{}</Size></Contents>",
            text.len()
        )
    });
    format!("<ListBucketResult>{}</ListBucketResult>", found.collect::<Vec<_>>().concat())
}

fn call(bucket: &Played, arguments: &[&str]) -> Call {
    let call = cxlake(arguments).away_from_aws().env("AWS_ENDPOINT_URL_S3", bucket.endpoint());
    call.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET)
}

#[test]
fn an_empty_object_that_only_shows_a_folder_is_no_file() {
    let bucket = serve(&[
        ("t/y.csv", "x\n2\n"),
        ("t/y.csv/", ""),
        ("t/z.csv/", ""),
        ("t/z.csv/part-0.csv", "x\n1\n"),
        ("t/z.csv/part-1.csv", "x\n4\n"),
    ]);
    for path in ["s3://lake/t/", "s3://lake/t/**/*.csv"] {
        let sql = format!("select count(*) as n, sum(x) as x from '{path}'");
        assert_eq!(call(&bucket, &["--format", "csv", "-c", &sql]).prints(), "n,x\n3,7\n", "{path}");
    }
}

#[test]
fn an_object_whose_name_is_no_path_is_named_and_the_folders_beside_it_are_read() {
    let bucket = serve(&[
        ("empty//x.csv", "x\n1\n"),
        ("good/x.csv", "x\n1\n"),
        ("tab/a\tb.csv", "x\n1\n"),
        ("up/../x.csv", "x\n1\n"),
    ]);
    let said = |path: &str| call(&bucket, &["-c", &format!("select * from '{path}'")]).fails(1);
    let hint = "hint: rename or delete it, or name a folder that does not hold it";
    for (path, name) in
        [("s3://lake/empty/", "empty//x.csv"), ("s3://lake/tab/", "tab/a\\tb.csv"), ("s3://lake/up/", "up/../x.csv")]
    {
        let wanted =
            format!("error: cannot list `{path}`: the bucket has an object `{name}` whose name no path can have");
        assert_eq!(said(path), format!("{wanted}\n\n{hint}\n"));
    }
    let sql = "select * from 's3://lake/good/'";
    assert_eq!(call(&bucket, &["--format", "csv", "-c", sql]).prints(), "x\n1\n");
    let doctor = call(&bucket, &["doctor", "s3://lake/"]).run();
    let wanted = "the bucket has an object `empty//x.csv` whose name no path can have";
    assert!(doctor.code == Some(1) && doctor.text().contains(wanted), "{doctor}");
}
