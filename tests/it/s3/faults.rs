//! What goes wrong between us and a server: what passes is tried again, what does not is told in words that mend it.

use std::time::{Duration, Instant};

use super::super::harness::{Said, cxlake};
use super::canned::{Answer, Canned};
use super::played::{Played, answer};
use super::server::{KEY, SECRET};

/// A listing of a bucket with nothing in it.
const EMPTY: &str = "<?xml version=\"1.0\"?><ListBucketResult><Name>lake</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>";

/// What the doctor says of a bucket on this server.
fn doctor(server: &Canned) -> Said {
    let call = cxlake(["doctor", "s3://lake/"]).away_from_aws();
    let call = call.env("AWS_ENDPOINT_URL_S3", server.endpoint()).env("AWS_REGION", "us-east-1");
    call.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET).run()
}

/// What the doctor finds wrong with the listing, and its hint, where the server gives this answer.
fn wrong(answer: Answer) -> String {
    let server = Canned::start(&[answer]);
    let said = doctor(&server);
    assert_eq!(said.code, Some(1), "{said}");
    let text = said.text().replace(&server.endpoint(), "SERVER");
    let mut lines = text.lines().skip_while(|line| !line.starts_with("  wrong  list"));
    let finding = lines.next().expect("a finding").trim_start_matches("  wrong  list").trim();
    let finding = finding.rsplit_once(" (").expect("a time").0;
    format!("{finding} | {}", lines.next().unwrap_or_default().trim())
}

fn error(status: u16, code_and_message: &'static str) -> Answer {
    let (code, message) = code_and_message.split_once(": ").expect("a code and a message");
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::Whole(status, "", body.leak())
}

#[test]
fn every_thing_that_can_be_wrong_with_a_bucket_has_a_message_of_its_own() {
    let region = "hint: set `region = \"eu-central-1\"` in the store of the manifest, or AWS_REGION";
    let elsewhere = format!("bucket `lake` is in region `eu-central-1`, and was asked for in `us-east-1` | {region}");
    assert_eq!(wrong(Answer::Whole(301, "x-amz-bucket-region: eu-central-1\r\n", "")), elsewhere);
    assert_eq!(
        wrong(error(400, "AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu-central-1'")),
        elsewhere
    );
    assert_eq!(
        wrong(error(400, "ExpiredToken: The provided token has expired.")),
        "the session token of the credentials (environment, key AKIA…WXYZ) has expired | hint: get new ones, such as with \
         `aws sso login`, and take old ones out of the environment"
    );
    let mine = "credentials (environment, key AKIA…WXYZ)";
    assert_eq!(
        wrong(error(403, "AccessDenied: User: x is not authorized to perform: s3:ListBucket")),
        format!(
            "the {mine} may not list bucket `lake` (AccessDenied) | hint: grant them `s3:ListBucket` on \
             `arn:aws:s3:::lake`, or use others"
        )
    );
    // Some servers have one code for all of these, and some say no more than that.
    assert_eq!(
        wrong(error(403, "AccessDenied: Access Denied")),
        format!(
            "`SERVER` does not let the {mine} list bucket `lake` (AccessDenied), and does not say why | hint: either the keys are \
             wrong, or they lack `s3:ListBucket` on `arn:aws:s3:::lake`; try them with another S3 tool"
        )
    );
    assert_eq!(
        wrong(error(403, "AccessDenied: Forbidden: No such key: AKIATESTTESTTESTWXYZ")),
        "`SERVER` does not know the access key (environment, key AKIA…WXYZ) | hint: is it of another account or another \
         server? `cxlake doctor` says where it comes from"
    );
    assert_eq!(
        wrong(error(403, "AccessDenied: Forbidden: Invalid signature")),
        "the secret key does not belong to the access key (environment, key AKIA…WXYZ) | hint: copy both again; a proxy that \
         changes requests does the same"
    );
    assert_eq!(
        wrong(error(404, "NoSuchBucket: The specified bucket does not exist")),
        "there is no bucket `lake` at `SERVER` | hint: check the name of the bucket, and `endpoint` if it is not on AWS"
    );
    assert_eq!(
        wrong(error(403, "RequestTimeTooSkewed: The difference is too large.")),
        "the clock of this machine is too far off for the server, which refuses old signatures | hint: set the clock; \
         `cxlake doctor` says how far it is off"
    );
    let endpoint = "hint: does the server run there? check the endpoint, which comes from AWS_ENDPOINT_URL_S3";
    assert_eq!(
        wrong(Answer::Whole(200, "", "<html>Welcome to the console</html>")),
        format!("`SERVER` is no S3 server: its answer to a listing is no document of S3 | {endpoint}")
    );
    assert_eq!(
        wrong(Answer::Whole(405, "", "<html>Method not allowed</html>")),
        format!("`SERVER` is no S3 server: it answers with status 405 and no error of S3 | {endpoint}")
    );
    assert_eq!(
        wrong(Answer::Whole(200, "", "<ListAllMyBucketsResult></ListAllMyBucketsResult>")),
        "`SERVER` does not take requests in the `path` style | hint: set `style = \"virtual\"` in `[store.lake]`"
    );
}

/// What a call says that fails at this server, but for what it was doing, and its hint.
fn refused(endpoint: &str, arguments: &[&str]) -> String {
    let call = cxlake(arguments).away_from_aws().env("AWS_ENDPOINT_URL_S3", endpoint).env("AWS_REGION", "us-east-1");
    let said = call.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET).fails(1);
    let (_, said) = said.split_once("`: ").unwrap_or_else(|| panic!("{said}"));
    said.replace(endpoint, "SERVER").trim_end().replace("\n\n", " | ")
}

/// What is wrong with reading an object that is there, where the server gives this answer.
fn unread(answer: Answer) -> String {
    let server = Canned::start(&[Answer::Whole(200, "", "x\n1\n"), answer]);
    refused(&server.endpoint(), &["-c", "select * from 's3://lake/x.csv'"])
}

/// What is wrong with the beginning of an upload, where the server gives this answer, at once.
fn unwritten(answer: Answer) -> String {
    let server = Canned::start(&[answer]);
    let said = refused(&server.endpoint(), &["-c", "select 1 as x", "-o", "s3://lake/x.csv"]);
    assert_eq!(server.asked(), 1, "{said}");
    said
}

#[test]
fn a_refusal_is_told_by_what_the_server_says_of_it() {
    let mine = "credentials (environment, key AKIA…WXYZ)";
    assert_eq!(
        unread(error(403, "InvalidObjectState: The operation is not valid for the object's storage class")),
        "an object of bucket `lake` is archived (InvalidObjectState), and not to be read as it is | hint: restore it, as with \
         `aws s3api restore-object`, and read it when that is done"
    );
    let message = "AccessDenied: User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: \
                   arn:aws:kms:eu-west-1:1:key/0-1 because no identity-based policy allows the kms:Decrypt action";
    assert_eq!(
        unread(error(403, message)),
        format!(
            "the {mine} may not read bucket `lake` (AccessDenied) | hint: grant them `kms:Decrypt` on \
             `arn:aws:kms:eu-west-1:1:key/0-1`, or use others"
        )
    );
    assert_eq!(
        unwritten(error(403, "QuotaExceeded: ")),
        "the quota for bucket `lake` is used up (QuotaExceeded) | hint: make room in the bucket, or have the quota raised"
    );
    assert_eq!(
        unwritten(error(403, "AllAccessDisabled: All access to this object has been disabled")),
        format!(
            "`SERVER` does not let the {mine} write to bucket `lake` (AllAccessDisabled) | hint: look up what the server \
             means by that: it may be the keys, a right or the bucket itself"
        )
    );
}

#[test]
fn what_does_not_pass_is_told_at_once_and_is_no_overload() {
    let as_it_is = "hint: the server refuses the request as it is; its answer says why";
    for (status, code_and_message) in [
        (400, "EntityTooLarge: Your proposed upload exceeds the maximum allowed size"),
        (400, "KMS.DisabledException: The key is disabled"),
        (405, "MethodNotAllowed: The specified method is not allowed against this resource"),
        (409, "OperationAborted: A conflicting operation is in progress"),
    ] {
        let wanted = format!("`SERVER` answers {status} {code_and_message} | {as_it_is}");
        assert_eq!(unwritten(error(status, code_and_message)), wanted);
    }
    assert_eq!(
        unwritten(error(501, "NotImplemented: This is not implemented")),
        "`SERVER` answers 501 NotImplemented: This is not implemented | hint: the server does not know this kind of request; \
         objects are written as uploads in parts, and with If-None-Match where one alone may create them"
    );
    assert_eq!(
        unwritten(error(507, "XMinioStorageFull: Storage backend has reached its minimum free drive threshold")),
        "`SERVER` answers 507 XMinioStorageFull: Storage backend has reached its minimum free drive threshold | hint: its \
         storage is full; make room"
    );
    assert_eq!(
        unread(error(416, "InvalidRange: The requested range is not satisfiable")),
        "`SERVER` answers 416 InvalidRange: The requested range is not satisfiable | hint: the object is shorter than its \
         listing says; run the statement again"
    );
}

#[test]
fn a_server_that_gives_no_etag_of_what_is_written_is_told_from_s3() {
    let begun = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>";
    let server = Played::start(move |request| answer(200, if request.method() == "POST" { begun } else { "" }));
    assert_eq!(
        refused(&server.endpoint(), &["-c", "select 1 as x", "-o", "s3://lake/x.csv"]),
        "`SERVER` is no S3 server: its answer to a write has no ETag | hint: does the server run there? check the endpoint, \
         which comes from AWS_ENDPOINT_URL_S3"
    );
}

#[test]
fn what_may_pass_is_tried_again() {
    for passing in [
        error(503, "SlowDown: Please reduce your request rate."),
        error(429, "TooManyRequests: Please reduce your request rate."),
        error(500, "InternalError: We encountered an internal error."),
        Answer::Reset,
        Answer::CutOff(EMPTY),
    ] {
        let server = Canned::start(&[passing, passing, Answer::Whole(200, "", EMPTY)]);
        let said = doctor(&server);
        assert!(
            said.code == Some(0) && said.text().contains("ok     list            works; there is no object"),
            "{said}"
        );
        assert_eq!(server.asked(), 3);
    }
}

#[test]
fn what_does_not_pass_is_told_when_the_time_for_it_is_up() {
    let started = Instant::now();
    let said = wrong(error(503, "SlowDown: Please reduce your request rate."));
    assert!(said.starts_with("`SERVER` answers 503 SlowDown in ") && said.contains("Please reduce"), "{said}");
    let said = wrong(Answer::CutOff(EMPTY));
    assert!(said.starts_with("the connection to `SERVER` broke in "), "{said}");
    assert!(started.elapsed() < Duration::from_secs(30), "five seconds each are what the doctor takes");
}

#[test]
fn a_server_that_does_not_answer_is_reported_in_seconds() {
    let server = Canned::start(&[Answer::Silence]);
    let started = Instant::now();
    let call =
        cxlake(["-c", "select * from 's3://lake/x/'"]).away_from_aws().env("AWS_ENDPOINT_URL", server.endpoint());
    let said = call.env("AWS_SKIP_SIGNATURE", "true").run();
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(said.stderr.contains("takes the connection and does not answer within 8 s"), "{said}");
    assert!(said.stderr.contains("check the endpoint, which comes from AWS_ENDPOINT_URL"), "{said}");
}
