//! Where credentials come from, which source wins, and that no secret is ever shown.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::super::harness::{Call, Folder};
use super::canned::{Answer, Canned};
use super::server::{KEY, SECRET, Server};

/// The line of the doctor about credentials.
fn source(call: Call) -> String {
    let said = call.run();
    let text = said.text();
    let line = text.lines().find(|line| line.contains("  credentials  ")).unwrap_or_else(|| panic!("{said}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// AWS files with the profiles `good` and `process`; the process is a script that counts its calls.
fn files(folder: &Folder) {
    let process = folder.write(
        "process.sh",
        format!(
            "#!/bin/sh\necho x >> '{0}/calls'\n\
             echo '{{\"Version\": 1, \"AccessKeyId\": \"AKIAPROCESSPROCE'$(wc -l < '{0}/calls')'\", \
             \"SecretAccessKey\": \"{SECRET}\", \"SessionToken\": \"t\"}}'\n",
            folder.path().display()
        ),
    );
    std::fs::set_permissions(&process, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    folder.write("credentials", format!("[good]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"));
    let process = process.display();
    folder.write(
        "config",
        format!(
            "[profile good]\nregion = eu-west-3\n\n[profile process]\ncredential_process = {process}\n\n\
             [profile broken]\ncredential_process = sh -c 'echo {SECRET} >&2; exit 1'\n"
        ),
    );
}

fn with_files(call: Call, folder: &Folder, server: &str) -> Call {
    call.away_from_aws()
        .env("AWS_CONFIG_FILE", folder.at("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.at("credentials"))
        .env("AWS_ENDPOINT_URL_S3", server)
}

#[test]
fn a_profile_gives_keys_and_region_and_the_environment_wins_unless_the_store_names_one() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    files(&folder);
    let doctor = |store: &str| with_files(folder.cxlake(["doctor", store]), &folder, &server.endpoint());
    let said = doctor("s3://lake/").env("AWS_PROFILE", "good").prints();
    assert!(said.contains("ok     credentials     profile `good`, key AKIA…WXYZ\n"), "{said}");
    assert!(said.contains("ok     region          eu-west-3 (from the profile)\n"), "{said}");
    let environment =
        |call: Call| call.env("AWS_ACCESS_KEY_ID", "AKIAOTHEROTHEROTHER1").env("AWS_SECRET_ACCESS_KEY", "x");
    let from = source(environment(doctor("s3://lake/").env("AWS_PROFILE", "good")));
    assert_eq!(from, "ok credentials environment, key AKIA…HER1");
    folder.lake("[store.lake]\nurl = \"s3://lake/\"\nprofile = \"good\"\n");
    assert_eq!(source(environment(doctor("lake"))), "ok credentials profile `good`, key AKIA…WXYZ");
    folder.lake("[store.lake]\nurl = \"s3://lake/\"\nprofile = \"goood\"\n");
    let said = doctor("lake").run();
    assert!(said.text().contains("there is no profile `goood` in the AWS configuration"), "{said}");
    assert!(said.text().contains("hint: did you mean `good`?"), "{said}");
}

#[test]
fn an_anonymous_store_sends_no_signature_though_the_environment_has_keys() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    folder.lake("[store.lake]\nurl = \"s3://lake/\"\nanonymous = true\n");
    assert_eq!(source(folder.cxlake(["doctor", "lake"]).on(&server)), "ok credentials none: the store is anonymous");
}

#[test]
fn credentials_that_the_server_calls_expired_are_got_anew_once() {
    let expired = "<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>";
    let empty =
        "<ListBucketResult><Name>lake</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>";
    let server = Canned::start(&[Answer::Whole(400, "", expired), Answer::Whole(200, "", empty)]);
    let folder = Folder::new();
    files(&folder);
    let call = with_files(folder.cxlake(["doctor", "s3://lake/"]), &folder, &server.endpoint());
    let said = call.env("AWS_PROFILE", "process").prints();
    assert!(said.contains("ok     list            works"), "{said}");
    assert_eq!((folder.read("calls"), server.asked()), ("x\nx\n".to_owned(), 2));
}

#[test]
fn a_source_that_fails_is_told_without_the_output_of_foreign_programs() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    files(&folder);
    let call = with_files(folder.cxlake(["-c", "select * from 's3://lake/x/'"]), &folder, &server.endpoint());
    let said = call.env("AWS_PROFILE", "broken").fails(1);
    assert!(said.contains("profile `broken` gives no credentials: "), "{said}");
    assert!(!said.contains(SECRET), "{said}");
}

#[test]
fn looking_for_an_instance_takes_no_longer_than_a_few_seconds() {
    let server = Server::start(&["lake"]);
    let metadata = Canned::start(&[Answer::Silence]);
    let folder = Folder::new();
    let started = Instant::now();
    let call = folder.cxlake(["-c", "select * from 's3://lake/x/'"]).away_from_aws();
    let call = call.env("AWS_ENDPOINT_URL_S3", server.endpoint()).env("AWS_EC2_METADATA_DISABLED", "false");
    let said = call.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.endpoint()).fails(1);
    assert!(said.contains("there are no credentials for bucket `lake`"), "{said}");
    assert!(started.elapsed() < Duration::from_secs(8) && metadata.asked() > 0, "{:?}", started.elapsed());
}

#[test]
fn no_secret_is_in_what_is_said_whether_it_works_or_fails() {
    let server = Server::start(&["lake"]);
    let folder = Folder::new();
    server.put(&folder.parquet("x.parquet", "select 1 as x"), "lake/x.parquet");
    server.put(&folder.write("broken.parquet", "not that"), "lake/broken.parquet");
    for statement in [
        "select * from 's3://lake/x.parquet'",
        "explain verbose select * from 's3://lake/x.parquet' where x > 0",
        "explain analyze select * from 's3://lake/x.parquet' where x > 0",
        "select * from 's3://lake/broken.parquet'",
        "select * from 's3://none/x.parquet'",
        "copy (select 1 as x) to 's3://none/x.parquet'",
        "select * from information_schema.df_settings",
        "show all",
    ] {
        let token = "canary-token-of-the-tests";
        let said =
            folder.cxlake(["-c", statement]).on(&server).env("RUST_LOG", "trace").env("AWS_SESSION_TOKEN", token).run();
        let all = format!("{}{}", said.text(), said.stderr);
        assert!(
            !all.is_empty() && !all.contains(SECRET) && !all.contains(token) && !all.contains(KEY),
            "{statement}\n{said}"
        );
    }
}
