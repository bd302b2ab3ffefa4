//! A receiver of webhooks that keeps what it gets, and answers as it is told to.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use serde_json::Value;

use super::super::s3::http::Listening;

/// A call of a webhook.
#[derive(Clone, Debug)]
pub struct Called {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Called {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in letters"))
    }
}

#[derive(Default)]
struct Seen {
    called: Vec<Called>,
    /// Answers other than 200 by path, the next one first.
    answers: BTreeMap<String, Vec<(u16, &'static str)>>,
}

/// A running receiver.
pub struct Hooks {
    listening: Listening,
    seen: Arc<Mutex<Seen>>,
}

impl Hooks {
    pub fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let kept = Arc::clone(&seen);
        let service = service_fn(move |request| answer(Arc::clone(&kept), request));
        Self { listening: Listening::start(service), seen }
    }

    /// Where it answers, without a slash at its end.
    pub fn address(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the next calls of a path with these statuses and texts.
    pub fn answer(&self, path: &str, answers: &[(u16, &'static str)]) {
        self.seen().answers.insert(path.to_owned(), answers.to_vec());
    }

    /// The calls of a path, those included that were refused.
    pub fn called(&self, path: &str) -> Vec<Called> {
        self.seen().called.iter().filter(|called| called.path == path).cloned().collect()
    }
}

async fn answer(seen: Arc<Mutex<Seen>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let answers = seen.answers.entry(path.clone()).or_default();
    let (status, text) = if answers.is_empty() { (200, "") } else { answers.remove(0) };
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    seen.called.push(Called { path, headers: head.headers, body });
    let response = Response::builder().status(status);
    // Where a caller must not go after us.
    let response = if (300..400).contains(&status) { response.header("location", "/elsewhere") } else { response };
    Ok(response.body(Full::new(Bytes::from(text))).expect("an answer"))
}
