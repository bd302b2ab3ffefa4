//! What can be wrong between us and a bucket, in words that say how to mend it.
//!
//! The same words come from a query, from opening a lake and from `cxlake doctor`. Nothing here has seen a secret: a fault
//! knows what was asked and what the server answered, and no header of the request but its conditions.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};

use super::denial::{denied, unknown_key, wrong_secret};
use super::settings::Settings;
use crate::error::Error;
use crate::lake::store::Style;

/// What a request asks for, without what signs it.
#[derive(Debug)]
pub struct Asked {
    pub method: String,
    pub has_body: bool,
    /// Whether it lists the objects of the bucket.
    pub lists: bool,
    /// Whether it asks for a part of an object.
    pub ranged: bool,
    /// Whether it asks for an object from end to end.
    pub whole: bool,
    /// Whether to ask twice does the same as to ask once.
    repeats: bool,
}

impl Asked {
    pub fn of(method: &str, uri: &impl fmt::Display, headers: &object_store::HeaderMap) -> Self {
        let uri = uri.to_string();
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let has = |key: &str| query.split('&').any(|pair| pair.split('=').next() == Some(key));
        let is_conditional = headers.contains_key("if-none-match") || headers.contains_key("if-match");
        Self {
            has_body: matches!(method, "PUT" | "POST"),
            lists: method == "GET" && has("list-type"),
            ranged: headers.contains_key("range"),
            whole: method == "GET" && query.is_empty() && !headers.contains_key("range"),
            repeats: match method {
                "PUT" => !is_conditional,
                // Of two uploads that are begun one would be left behind.
                "POST" => has("uploadId") || has("delete"),
                _ => true,
            },
            method: method.to_owned(),
        }
    }

    /// Whether it writes only if the object is not there, or is as it was.
    pub fn is_conditional_put(&self) -> bool {
        self.method == "PUT" && !self.repeats
    }

    /// What was to be done, as in `may not list`.
    pub fn verb(&self) -> &'static str {
        match self.method.as_str() {
            _ if self.lists => "list",
            "GET" | "HEAD" => "read",
            "DELETE" => "delete from",
            _ => "write to",
        }
    }

    /// What a policy must grant for it.
    pub fn action(&self) -> &'static str {
        match self.method.as_str() {
            _ if self.lists => "s3:ListBucket",
            "GET" | "HEAD" => "s3:GetObject",
            "DELETE" => "s3:DeleteObject",
            _ => "s3:PutObject",
        }
    }
}

/// One request that failed once.
#[derive(Debug)]
pub struct Fault {
    what: What,
    /// How long the server asks us to wait.
    pub wait: Option<Duration>,
}

#[derive(Debug)]
enum What {
    /// The server answered, and not with what was asked for.
    Answer { status: u16, code: String, message: String, region: Option<String> },
    /// It gave the names of buckets, or no document of S3 at all.
    NoListing { of_buckets: bool },
    /// It gave the whole object where a part was asked for.
    NoRange,
    /// It took an object and gave no ETag of it.
    NoTag,
    /// No connection came about.
    Unreachable(String),
    /// The certificate of the server is not trusted.
    Untrusted(String),
    /// No answer came in time.
    Silent { waited: Duration, answered_before: bool },
    /// The connection or the body broke off.
    Broken(String),
}

impl Fault {
    pub fn of_answer<'a>(status: u16, body: &[u8], header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = String::from_utf8_lossy(body);
        let inside = |name| element(&text, name).unwrap_or_default().to_owned();
        let message = inside("Message");
        let region = header("x-amz-bucket-region").map(str::to_owned);
        let region = region.or_else(|| element(&text, "Region").map(str::to_owned)).or_else(|| region_in(&message));
        let wait = header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        Self { what: What::Answer { status, code: inside("Code"), message, region }, wait }
    }

    pub fn no_listing(body: &[u8]) -> Self {
        let of_buckets = String::from_utf8_lossy(body).contains("ListAllMyBucketsResult");
        Self::from(What::NoListing { of_buckets })
    }

    pub fn no_range() -> Self {
        Self::from(What::NoRange)
    }

    pub fn no_tag() -> Self {
        Self::from(What::NoTag)
    }

    pub fn of_connection(error: &HttpError) -> Self {
        let said = innermost(error);
        let is_certificate = said.contains("certificate") || said.contains("UnknownIssuer");
        Self::from(match error.kind() {
            _ if is_certificate => What::Untrusted(said),
            HttpErrorKind::Connect => What::Unreachable(said),
            // Everything behind the connection has longer limits elsewhere.
            HttpErrorKind::Timeout => What::Unreachable("nothing answers at this address".to_owned()),
            _ => What::Broken(said),
        })
    }

    pub fn of_body(error: &HttpError) -> Self {
        Self::from(What::Broken(innermost(error)))
    }

    pub fn cut_off() -> Self {
        Self::from(What::Broken("the answer ends before its end".to_owned()))
    }

    pub fn silent(waited: Duration, answered_before: bool) -> Self {
        Self::from(What::Silent { waited, answered_before })
    }

    /// Whether no server was reached at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.what, What::Unreachable(_))
    }

    /// Whether a later try of the same request may do better.
    pub fn may_pass(&self, asked: &Asked) -> bool {
        match &self.what {
            What::Answer { status, .. } => passes(*status),
            What::Unreachable(_) => true,
            What::Silent { answered_before, .. } => *answered_before && asked.repeats,
            What::Broken(_) => asked.repeats,
            What::NoListing { .. } | What::NoRange | What::NoTag | What::Untrusted(_) => false,
        }
    }

    /// Whether an answer of absence is about the whole bucket or an upload to it, and not about one object in it.
    pub fn is_about_more(&self, asked: &Asked) -> bool {
        match &self.what {
            What::Answer { code, .. } => asked.lists || matches!(code.as_str(), "NoSuchBucket" | "NoSuchUpload"),
            _ => false,
        }
    }

    /// The final word about a request that failed so.
    pub fn refused(&self, settings: &Settings, asked: &Asked, tries: u32, spent: Duration) -> Refused {
        let is_expired = matches!(&self.what, What::Answer { code, .. } if is_expiry(code));
        let is_mute = matches!(&self.what, What::Answer { code, status: 400..=403, .. } if code.is_empty());
        let error = match &self.what {
            What::Answer { status, code, message, region } => {
                let answer = Answer { status: *status, code, message, region: region.as_deref() };
                return Refused { error: answer.explained(settings, asked, tries, spent), is_expired, is_mute };
            }
            What::NoListing { of_buckets: true } => wrong_style(settings),
            What::NoListing { of_buckets: false } => no_s3(settings, "its answer to a listing is no document of S3"),
            What::NoRange => no_s3(settings, "it gives whole objects where parts are asked for"),
            What::NoTag => no_s3(settings, "its answer to a write has no ETag"),
            What::Unreachable(said) => {
                let error = Error::storage(format!("{} cannot be reached: {said}", settings.server()));
                match settings.style {
                    Style::Virtual if settings.endpoint.is_some() && is_unknown_host(said) => {
                        error.hint(style_hint(settings, "path"))
                    }
                    _ => error.hint(settings.endpoint_hint()),
                }
            }
            What::Untrusted(said) => {
                Error::storage(format!("the certificate of {} is not trusted: {said}", settings.server()))
                    .hint("name the file of the authority that signed it: `ca_file` in the store, or AWS_CA_BUNDLE")
            }
            What::Silent { waited, .. } => {
                let seconds = waited.as_secs();
                Error::storage(format!(
                    "{} takes the connection and does not answer within {seconds} s",
                    settings.server()
                ))
                .hint(settings.endpoint_hint())
            }
            What::Broken(said) => {
                Error::storage(format!("the connection to {} broke {}: {said}", settings.server(), tried(tries, spent)))
                    .hint("the network or the server is in trouble; try again, or raise `retry_seconds` of the store")
            }
        };
        Refused { error, is_expired, is_mute }
    }
}

impl From<What> for Fault {
    fn from(what: What) -> Self {
        Self { what, wait: None }
    }
}

/// The final word about a request: it goes through object_store as the cause of its error.
#[derive(Debug)]
pub struct Refused {
    error: Error,
    /// Whether new credentials may do better.
    is_expired: bool,
    /// Whether the answer did not say why, as that to a head, which has no body.
    is_mute: bool,
}

impl Refused {
    pub fn new(error: Error) -> Self {
        Self { error, is_expired: false, is_mute: false }
    }

    /// An error of ours as object_store carries it.
    pub fn into_store_error(error: Error) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: Box::new(Self::new(error)) }
    }

    /// Whether an error of object_store has a refusal for expired credentials as its cause.
    pub fn is_expiry(error: &object_store::Error) -> bool {
        Self::of(error).is_some_and(|refused| refused.is_expired)
    }

    /// Whether an error of object_store has a refusal without a reason as its cause.
    pub fn is_mute(error: &object_store::Error) -> bool {
        Self::of(error).is_some_and(|refused| refused.is_mute)
    }

    /// The refusal that is the cause of an error.
    pub fn of(error: &object_store::Error) -> Option<&Self> {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = next {
            if let Some(refused) = cause.downcast_ref() {
                return Some(refused);
            }
            next = cause.source();
        }
        None
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.error)
    }
}

/// An answer that is none to what was asked.
#[derive(Clone, Copy)]
struct Answer<'a> {
    status: u16,
    /// Name of the error by S3; empty for an answer without a body, as to HEAD.
    code: &'a str,
    message: &'a str,
    /// Region in which the bucket is, where the answer says so.
    region: Option<&'a str>,
}

impl Answer<'_> {
    fn explained(self, settings: &Settings, asked: &Asked, tries: u32, spent: Duration) -> Error {
        let Self { status, code, message, region } = self;
        let bucket = &settings.store.bucket;
        let elsewhere = region.filter(|region| *region != settings.region);
        if let Some(real) = elsewhere.filter(|_| matches!(status, 301 | 307 | 400 | 403)) {
            return Error::storage(format!(
                "bucket `{bucket}` is in region `{real}`, and was asked for in `{}`",
                settings.region
            ))
            .hint(Settings::setting_hint("region", real, "AWS_REGION"));
        }
        match (status, code) {
            (_, "AuthorizationHeaderMalformed") => {
                Error::storage(format!("{} does not take region `{}`: {message}", settings.server(), settings.region))
                    .hint(Settings::setting_hint("region", "…", "AWS_REGION"))
            }
            (301 | 307, _) => Error::storage(format!("bucket `{bucket}` is not at {}", settings.server()))
                .hint("it is in another region or at another address: set `region` or `endpoint` of the store"),
            (_, code) if code.contains("DomainForbidden") => wrong_style(settings),
            (404, _) if code == "NoSuchBucket" || code == "NotFound" || (asked.lists && code.is_empty()) => {
                Error::not_found(format!("there is no bucket `{bucket}` at {}", settings.server()))
                    .hint("check the name of the bucket, and `endpoint` if it is not on AWS")
            }
            (_, code) if is_expiry(code) => {
                Error::storage(format!("the session token of the credentials ({}) has expired", settings.source()))
                    .hint("get new ones, such as with `aws sso login`, and take old ones out of the environment")
            }
            (404, "NoSuchUpload") => Error::storage(format!(
                "{} does not know the upload to bucket `{bucket}` any more",
                settings.server()
            ))
            .hint("it may be complete, its answer lost; look whether the object is there before you write it again"),
            (_, "RequestTimeTooSkewed") => {
                Error::storage("the clock of this machine is too far off for the server, which refuses old signatures")
                    .hint("set the clock; `cxlake doctor` says how far it is off")
            }
            (_, "InvalidAccessKeyId" | "NotSignedUp") => unknown_key(settings),
            (_, "SignatureDoesNotMatch") => wrong_secret(settings),
            (_, "InvalidObjectState") => Error::storage(format!(
                "an object of bucket `{bucket}` is archived ({code}), and not to be read as it is"
            ))
            .hint("restore it, as with `aws s3api restore-object`, and read it when that is done"),
            (400 | 403, code) if code.ends_with("QuotaExceeded") => {
                Error::storage(format!("the quota for bucket `{bucket}` is used up ({code})"))
                    .hint("make room in the bucket, or have the quota raised")
            }
            (401 | 403, _) => denied(settings, asked, code, message),
            (status, "") if !matches!(status, 408 | 429 | 500..) => {
                no_s3(settings, &format!("it answers with status {status} and no error of S3"))
            }
            _ => self.in_its_words(settings, asked, tries, spent),
        }
    }

    /// An answer that says by itself what is wrong.
    fn in_its_words(self, settings: &Settings, asked: &Asked, tries: u32, spent: Duration) -> Error {
        let Self { status, code, message, .. } = self;
        let mut said = format!("{} answers {status}", settings.server());
        if !code.is_empty() {
            said += &format!(" {code}");
        }
        if passes(status) {
            said += &format!(" {}", tried(tries, spent));
        }
        if !message.is_empty() {
            said += &format!(": {message}");
        }
        Error::storage(said).hint(match status {
            status if passes(status) => {
                "the server is overloaded or in trouble; try again, or raise `retry_seconds` of the store"
            }
            416 => "the object is shorter than its listing says; run the statement again",
            501 if asked.has_body => {
                "the server does not know this kind of request; objects are written as uploads in parts, and with \
                 If-None-Match where one alone may create them"
            }
            501 => "the server does not know this kind of request",
            507 => "its storage is full; make room",
            500.. => "the server or a proxy before it is in trouble",
            _ => "the server refuses the request as it is; its answer says why",
        })
    }
}

/// Whether a later try may find the server that answers so in a better state.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=504)
}

fn wrong_style(settings: &Settings) -> Error {
    let (ours, other) = match settings.style {
        Style::Path => ("path", "virtual"),
        Style::Virtual => ("virtual", "path"),
    };
    Error::storage(format!("{} does not take requests in the `{ours}` style", settings.server()))
        .hint(style_hint(settings, other))
}

fn style_hint(settings: &Settings, style: &str) -> String {
    format!("set `style = \"{style}\"` in `[store.{}]`", settings.store.name)
}

fn no_s3(settings: &Settings, why: &str) -> Error {
    Error::storage(format!("{} is no S3 server: {why}", settings.server())).hint(settings.endpoint_hint())
}

fn is_expiry(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "InvalidToken")
}

fn is_unknown_host(said: &str) -> bool {
    said.contains("lookup") || said.contains("dns") || said.contains("resolve")
}

fn tried(tries: u32, spent: Duration) -> String {
    match tries {
        1 => "at the first try".to_owned(),
        tries => format!("in {tries} tries over {:.1} s", spent.as_secs_f64()),
    }
}

/// The text of the first element of this name in a small XML document.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside.trim())
}

/// The region that a message about a malformed signature expects: `expecting 'eu-west-1'`, or the scope that it wants.
fn region_in(message: &str) -> Option<String> {
    let (_, behind) = message.rsplit_once("expect")?;
    if let Some(quoted) = behind.split('\'').nth(1).filter(|quoted| !quoted.contains('/')) {
        return Some(quoted.to_owned());
    }
    let scope = behind.split([' ', '\'', '`', '"']).find(|word| word.contains("/s3/aws4_request"))?;
    scope.split('/').rev().nth(2).map(str::to_owned)
}

/// What the innermost cause of an error says.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_found_in_what_servers_say_of_a_wrong_one() {
        let aws = "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'";
        assert_eq!(region_in(aws).as_deref(), Some("eu-central-1"));
        let garage = "Authorization header malformed, unexpected scope: '20260101/us-east-1/s3/aws4_request', expected: '20260101/garage/s3/aws4_request'";
        assert_eq!(region_in(garage).as_deref(), Some("garage"));
        assert_eq!(region_in("Access denied"), None);
    }

    #[test]
    fn an_upload_that_is_begun_and_a_conditional_put_are_not_asked_for_twice() {
        let none = object_store::HeaderMap::new();
        let mut conditional = object_store::HeaderMap::new();
        conditional.insert("if-none-match", object_store::HeaderValue::from_static("*"));
        let repeats = |method, uri: &str, headers| Asked::of(method, &uri.to_owned(), headers).repeats;
        assert!(repeats("GET", "http://h/b/k", &none));
        assert!(repeats("PUT", "http://h/b/k?partNumber=1&uploadId=x", &none));
        assert!(repeats("POST", "http://h/b/k?uploadId=x", &none));
        assert!(!repeats("POST", "http://h/b/k?uploads=", &none));
        assert!(!repeats("PUT", "http://h/b/k", &conditional));
        let is_conditional = |method| Asked::of(method, &"http://h/b/k".to_owned(), &conditional).is_conditional_put();
        assert!(is_conditional("PUT") && !is_conditional("GET"));
    }
}
