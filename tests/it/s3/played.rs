//! Services that hand out credentials, played on the loopback: STS, SSO, the metadata of an instance. They keep what they
//! were asked.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};

use super::http::Listening;

/// A running service.
pub struct Played {
    listening: Listening,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Request<String>>>>,
}

impl Played {
    /// Starts a service that answers so.
    pub fn start(answer: impl Fn(&Request<String>) -> Response<String> + Send + Sync + 'static) -> Self {
        let (asked, answer) = (Arc::default(), Arc::new(answer));
        let kept = Arc::clone(&asked);
        let serve = service_fn(move |request| heard(Arc::clone(&answer), Arc::clone(&kept), request));
        Self { listening: Listening::start(serve), scheme: "http://127.0.0.1", asked }
    }

    /// The same over TLS.
    pub fn start_tls(answer: impl Fn(&Request<String>) -> Response<String> + Send + Sync + 'static) -> Self {
        let (asked, answer) = (Arc::default(), Arc::new(answer));
        let kept = Arc::clone(&asked);
        let serve = service_fn(move |request| heard(Arc::clone(&answer), Arc::clone(&kept), request));
        Self { listening: Listening::start_tls(serve), scheme: "https://localhost", asked }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.scheme, self.listening.address().port())
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Request<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn heard<A: Fn(&Request<String>) -> Response<String>>(
    answer: Arc<A>,
    asked: Arc<Mutex<Vec<Request<String>>>>,
    request: Request<Incoming>,
) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    // A body that breaks off is the client's end, and nobody waits for the answer.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let request = Request::from_parts(head, String::from_utf8_lossy(&body).into_owned());
    let answer = answer(&request);
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    Ok(answer)
}

/// An answer of this status.
pub fn answer(status: u16, body: impl Into<String>) -> Response<String> {
    Response::builder().status(status).body(body.into()).expect("an answer")
}

/// The header of a request; empty where it has none.
pub fn header<'a>(request: &'a Request<String>, name: &str) -> &'a str {
    request.headers().get(name).map_or("", |value| value.to_str().expect("a header in letters"))
}
