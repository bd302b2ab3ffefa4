//! Requests on the wire: how many at once, how long each may take, which are tried again and until when.
//!
//! Stands below object_store, which makes and signs requests. There is one place that tries again, and it is here: an answer
//! that comes out is final, and a failure says in our words what is wrong. Bodies up to [`WHOLE`] are read before they are
//! handed on, so that one which is cut off is asked for again as a whole; a longer one streams, and object_store takes it up
//! where it broke, from the same version of the object.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, HeaderValue};
use reqwest::StatusCode;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::super::traffic::Traffic;
use super::fault::{Asked, Fault, Refused};
use super::settings::Settings;
use crate::error::{Error, Result};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(4);

/// How long an answer may take to begin. A server that has never answered is given up after it, one that has is asked again.
const SILENCE: Duration = Duration::from_secs(8);

/// How long a body may pause.
const PAUSE: Duration = Duration::from_secs(20);

/// How long a request with a body may take, its sending included: sixteen megabytes over a slow line.
const UPLOAD: Duration = Duration::from_mins(5);

/// How long a server that refuses connections is asked again.
const REFUSING: Duration = Duration::from_secs(2);

/// The longest body that is read before it is handed on.
const WHOLE: u64 = 16 << 20;

/// The first and the longest pause before a request is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(4));

/// The wire to one bucket's server.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Arc<Settings>,
    /// For requests without a body; what they wait for must keep coming.
    reader: reqwest::Client,
    /// For requests with one, whose answer waits until it is sent.
    writer: reqwest::Client,
    permits: Semaphore,
    /// Whether the server has answered, and not fallen silent since.
    answers: AtomicBool,
    /// Seconds by which the server's clock is ahead of ours, as of its last answer.
    ahead: AtomicI64,
    /// The region in which the server said that the bucket is.
    region: Mutex<Option<String>>,
    traffic: Arc<Traffic>,
    runtime: Handle,
}

impl Wire {
    /// # Errors
    /// `Storage` when the certificates of the settings cannot be used.
    pub fn new(settings: Arc<Settings>, traffic: Arc<Traffic>, runtime: Handle) -> Result<Self> {
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("cxlake/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT)
                .http1_only();
            settings.certificates.iter().cloned().fold(builder, reqwest::ClientBuilder::add_root_certificate)
        };
        let failed =
            |error: reqwest::Error| Error::storage(format!("cannot set up connections: {error}")).caused_by(error);
        Ok(Self(Arc::new(Inner {
            reader: builder().read_timeout(PAUSE).build().map_err(failed)?,
            writer: builder().timeout(UPLOAD).build().map_err(failed)?,
            permits: Semaphore::new(settings.store.requests_max.min(Semaphore::MAX_PERMITS)),
            answers: AtomicBool::new(false),
            ahead: AtomicI64::new(0),
            region: Mutex::default(),
            traffic,
            settings,
            runtime,
        })))
    }

    /// Whether the server has answered, and not fallen silent since.
    pub fn has_answered(&self) -> bool {
        self.0.answers.load(Ordering::Relaxed)
    }

    /// Seconds by which the server's clock is ahead of ours, as of its last answer.
    pub fn seconds_ahead(&self) -> i64 {
        self.0.ahead.load(Ordering::Relaxed)
    }

    /// The region in which the server said that the bucket is.
    pub fn region_told(&self) -> Option<String> {
        self.0.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // A set ends its task when it is dropped, and so a request that nobody waits for any more.
        let mut task = JoinSet::new();
        let inner = Arc::clone(&self.0);
        task.spawn_on(async move { inner.answer(request).await }, &self.0.runtime);
        match task.join_next().await {
            Some(Ok(answer)) => answer,
            _ => Err(failed(Refused::new(Error::internal("a request ended in a panic")))),
        }
    }
}

impl Inner {
    /// The final answer to a request, after as many tries as it takes.
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = Asked::of(request.method().as_str(), request.uri(), request.headers());
        let _permit = self.permits.acquire().await.map_err(|closed| HttpError::new(HttpErrorKind::Unknown, closed))?;
        let started = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let fault = match self.once(request.clone(), &asked).await {
                Ok(response) => return Ok(response),
                Err(fault) => fault,
            };
            let spent = started.elapsed();
            let pause = fault.wait.unwrap_or_else(|| backoff(tries));
            if !fault.may_pass(&asked) || spent + pause > self.patience(&fault) {
                return Err(failed(fault.refused(&self.settings, &asked, tries, spent)));
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// How long a request that fails so is tried again.
    fn patience(&self, fault: &Fault) -> Duration {
        match fault.is_unreachable() {
            true => REFUSING.min(self.settings.store.retry),
            false => self.settings.store.retry,
        }
    }

    async fn once(&self, request: HttpRequest, asked: &Asked) -> Result<HttpResponse, Fault> {
        self.traffic.count(|counts| match asked.method.as_str() {
            _ if asked.lists => counts.lists += 1,
            "GET" => counts.gets += 1,
            "HEAD" => counts.heads += 1,
            _ => counts.writes += 1,
        });
        let (client, patience) = if asked.has_body { (&self.writer, UPLOAD) } else { (&self.reader, SILENCE) };
        let mut response = match timeout(patience, whole(client, request, asked)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(Fault::of_connection(&error)),
            Err(_) => return Err(Fault::silent(patience, self.answers.swap(false, Ordering::Relaxed))),
        };
        self.answers.store(true, Ordering::Relaxed);
        self.remember(&response);
        let told = header(&response, "content-length").and_then(|length| length.parse::<u64>().ok());
        let span = span(&response);
        if asked.ranged && response.status() == StatusCode::OK {
            // Some servers, rclone among them, give the part under the status of a whole object.
            if span.is_none() || told.is_some_and(|told| Some(told) != span) {
                return Err(Fault::no_range());
            }
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        let length = span.or(told);
        // A proxy may end a body early and in good order, with a length that fits what it sends.
        if told.is_some() && told != length {
            return Err(Fault::cut_off());
        }
        if asked.method == "GET" && response.status().is_success() && length.is_some_and(|length| length > WHOLE) {
            self.traffic.count(|counts| counts.bytes += length.unwrap_or_default());
            return Ok(response);
        }
        let (mut parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|error| Fault::of_body(&error))?;
        self.traffic.count(|counts| counts.bytes += body.len() as u64);
        if asked.method != "HEAD" && length.is_some_and(|length| length != body.len() as u64) {
            return Err(Fault::cut_off());
        }
        // An answer in chunks has no length, which object_store wants.
        if told.is_none() && asked.method == "GET" {
            parts.headers.insert("content-length", body.len().into());
        }
        judged(HttpResponse::from_parts(parts, body.clone().into()), &body, asked)
    }

    /// Keeps what every answer says beside what was asked.
    fn remember(&self, response: &HttpResponse) {
        let date = header(response, "date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        if let Some(date) = date {
            self.ahead.store((date.with_timezone(&Utc) - Utc::now()).num_seconds(), Ordering::Relaxed);
        }
        if let Some(region) = header(response, "x-amz-bucket-region") {
            *self.region.lock().unwrap_or_else(PoisonError::into_inner) = Some(region.to_owned());
        }
    }
}

/// Sends a request. A whole object is asked for as a range without an end, since the answer to a range says how long the object
/// is. One of no bytes has no range.
async fn whole(client: &reqwest::Client, request: HttpRequest, asked: &Asked) -> Result<HttpResponse, HttpError> {
    if !asked.whole {
        return client.call(request).await;
    }
    let mut ranged = request.clone();
    ranged.headers_mut().insert("range", HeaderValue::from_static("bytes=0-"));
    let response = client.call(ranged).await?;
    match response.status().as_u16() {
        416 => client.call(request).await,
        _ => Ok(response),
    }
}

/// An answer that object_store can work with, or what is wrong with it. Absence and conditions are for the caller to judge.
fn judged(response: HttpResponse, body: &Bytes, asked: &Asked) -> Result<HttpResponse, Fault> {
    let status = response.status().as_u16();
    if response.status().is_success() {
        if asked.method == "PUT" && header(&response, "etag").is_none() {
            return Err(Fault::no_tag());
        }
        return match (asked.lists || asked.method == "POST").then(|| document(body)) {
            Some(Document::Part) => Err(Fault::cut_off()),
            Some(Document::Whole(name)) if !asked.lists || name == "ListBucketResult" => Ok(response),
            Some(_) if asked.lists => Err(Fault::no_listing(body)),
            _ => Ok(response),
        };
    }
    let fault = Fault::of_answer(status, body, |name| header(&response, name));
    let is_for_the_caller = match status {
        304 | 412 => true,
        404 => !fault.is_about_more(asked),
        409 => asked.is_conditional_put(),
        _ => false,
    };
    if is_for_the_caller { Ok(response) } else { Err(fault) }
}

/// What the document of an answer is.
enum Document {
    /// With the name of its outermost element.
    Whole(String),
    /// The beginning of one.
    Part,
    Foreign,
}

fn document(body: &Bytes) -> Document {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let inside = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, inside)| inside.trim_start()),
        None => text,
    };
    if inside.is_empty() {
        return Document::Part;
    }
    let Some(element) = inside.strip_prefix('<') else { return Document::Foreign };
    let name = element.split(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '/')).next();
    match name.unwrap_or_default() {
        name if name.starts_with('!') || name.eq_ignore_ascii_case("html") => Document::Foreign,
        name if text.ends_with(&format!("</{name}>")) => Document::Whole(name.to_owned()),
        name if element.ends_with("/>") && !element.contains('<') => Document::Whole(name.to_owned()),
        _ => Document::Part,
    }
}

/// The length of the range that an answer says it is.
fn span(response: &HttpResponse) -> Option<u64> {
    let (first, last) =
        header(response, "content-range")?.strip_prefix("bytes ")?.split('/').next()?.split_once('-')?;
    (last.parse::<u64>().ok()? + 1).checked_sub(first.parse().ok()?)
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// A failure that object_store must not try again.
fn failed(refused: Refused) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, refused)
}

/// The pause before the next try: longer with every one, and spread, so that many clients don't come back at once.
fn backoff(tries: u32) -> Duration {
    let longest = BACKOFF.1.min(BACKOFF.0 * 2_u32.saturating_pow(tries.min(16)));
    // The keys of a new hasher are random.
    let share = RandomState::new().hash_one(tries) as f64 / u64::MAX as f64;
    longest.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_ends_early_is_told_from_one_of_another_kind() {
        let is = |text: &'static str| match document(&Bytes::from_static(text.as_bytes())) {
            Document::Whole(name) => name,
            Document::Part => "part".to_owned(),
            Document::Foreign => "foreign".to_owned(),
        };
        let whole = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\"><Name>lake</Name></ListBucketResult>\n";
        assert_eq!(is(whole), "ListBucketResult");
        for end in 0..whole.len() - 1 {
            assert_eq!(is(&whole[..end]), "part", "{}", &whole[..end]);
        }
        assert_eq!(is("<ListBucketResult/>"), "ListBucketResult");
        for page in ["<html>Welcome", "<!DOCTYPE html><html></html>", "no such page", "{\"error\": 1}"] {
            assert_eq!(is(page), "foreign");
        }
    }
}
