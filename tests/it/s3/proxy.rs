//! A proxy before the S3 server that does harm by plan: it drops, delays, cuts off, refuses, and lets tokens expire.
//!
//! What it does to a request is told by a function of the request and of how often the same was asked before, so that a plan
//! does not depend on the order in which requests arrive. Requests go on as they came, the host they were signed for included.
//! It also hands out temporary credentials, as the service of a container does.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::super::harness::Call;
use super::http::{Asked, Listening};
use super::server::{AWAY, KEY, SECRET, Server};

/// What session tokens of this proxy begin with.
pub const TOKEN: &str = "canary-token-of-the-tests-0123456789abcdef-";

/// Where it hands out credentials.
const CREDENTIALS: &str = "/.credentials";

/// What is done to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// It is answered later.
    Delay(Duration),
    /// It is done at once, and its answer comes later.
    Late(Duration),
    /// The connection ends without an answer.
    Drop {
        is_done: bool,
    },
    /// The body breaks off after so many hundredths of it.
    CutOff(usize),
    /// The body ends in good order after so many hundredths of it, with a length that fits it.
    Short(usize),
    /// The same without a length.
    ShortOfNoLength(usize),
    /// The server refuses it with this status and code, and says how long to wait.
    Refuse(u16, &'static str, Option<u64>),
    /// A page of some other server comes.
    Page(u16),
    /// Tokens that were handed out before have expired, for all requests to this bucket.
    Expire,
}

/// A running proxy.
pub struct Proxy {
    listening: Listening,
    shared: Arc<Shared>,
}

type Plan = dyn Fn(&Asked, u32) -> Fault + Send + Sync;

struct Shared {
    server: SocketAddr,
    plan: Box<Plan>,
    /// Tokens handed out.
    tokens: AtomicU64,
    buckets: Mutex<HashMap<String, Seen>>,
}

/// What is known of the requests to one bucket.
#[derive(Default)]
struct Seen {
    first: Option<Instant>,
    asked: HashMap<Asked, u32>,
    /// The first token that has not expired.
    valid_from: u64,
}

impl Proxy {
    /// Starts a proxy before a server. The plan says what is done to a request that was made so often before.
    pub fn start(server: &Server, plan: impl Fn(&Asked, u32) -> Fault + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            server: server.address(),
            plan: Box::new(plan),
            tokens: AtomicU64::new(0),
            buckets: Mutex::default(),
        });
        let passing = Arc::clone(&shared);
        let listening = Listening::start(service_fn(move |request| Arc::clone(&passing).answer(request)));
        Self { listening, shared }
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    /// The variables that lead a program to it, with temporary credentials of it.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = self.endpoint();
        let ours = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{endpoint}{CREDENTIALS}")),
            ("AWS_ENDPOINT_URL_S3", endpoint),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        AWAY.map(|(name, value)| (name, value.to_owned())).into_iter().chain(ours).collect()
    }

    /// When the first request to a bucket came.
    pub fn first_asked(&self, bucket: &str) -> Option<Instant> {
        self.shared.buckets().get(bucket).and_then(|seen| seen.first)
    }

    /// Session tokens that were handed out so far.
    pub fn tokens(&self) -> u64 {
        self.shared.tokens.load(Ordering::SeqCst)
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// The end of a connection.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken by plan")
    }
}

impl std::error::Error for Broken {}

impl Shared {
    fn buckets(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Answer, Broken> {
        if request.uri().path() == CREDENTIALS {
            return Ok(self.credentials());
        }
        let asked = Asked::of(&request);
        let (fault, is_expired) = self.planned(&asked, request.headers());
        if is_expired {
            return Ok(refusal(if asked.key.len().is_multiple_of(2) { 400 } else { 403 }, "ExpiredToken", None));
        }
        match fault {
            Fault::Drop { is_done: false } => return Err(Broken),
            Fault::Refuse(status, code, wait) => return Ok(refusal(status, code, wait)),
            Fault::Page(status) => return Ok(answer(status, "text/html", "<html><h1>Bad gateway</h1></html>".into())),
            Fault::Delay(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        let (head, body) = self.pass(request).await.map_err(|_| Broken)?.into_parts();
        let whole = Response::from_parts(head, body);
        if let Fault::Late(time) = fault {
            tokio::time::sleep(time).await;
        }
        // There is nothing to break in an answer without a body, as to a head.
        match fault {
            Fault::Drop { .. } => Err(Broken),
            Fault::CutOff(share) if !whole.body().is_empty() => Ok(cut_off(whole, share)),
            Fault::Short(share) if !whole.body().is_empty() => Ok(short(whole, share, true)),
            Fault::ShortOfNoLength(share) if !whole.body().is_empty() => Ok(short(whole, share, false)),
            _ => Ok(whole.map(boxed)),
        }
    }

    /// What is done to a request, and whether its token has expired.
    fn planned(&self, asked: &Asked, headers: &HeaderMap) -> (Fault, bool) {
        let mut buckets = self.buckets();
        let seen = buckets.entry(asked.bucket.clone()).or_default();
        seen.first.get_or_insert_with(Instant::now);
        let before = seen.asked.entry(asked.clone()).or_default();
        let fault = (self.plan)(asked, *before);
        *before += 1;
        if fault == Fault::Expire {
            seen.valid_from = self.tokens.load(Ordering::SeqCst) + 1;
        }
        let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok()?.strip_prefix(TOKEN));
        let number = token.and_then(|number| number.parse::<u64>().ok());
        (fault, number.is_some_and(|number| number < seen.valid_from))
    }

    fn credentials(&self) -> Answer {
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let text = format!(
            "{{\"AccessKeyId\": \"{KEY}\", \"SecretAccessKey\": \"{SECRET}\", \"Token\": \"{TOKEN}{number}\", \
             \"Expiration\": \"2099-01-01T00:00:00Z\"}}"
        );
        answer(200, "application/json", text)
    }

    /// The server's answer.
    async fn pass(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let socket = TcpStream::connect(self.server).await?;
        socket.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        let (mut head, body) = sender.send_request(request).await?.into_parts();
        head.headers.remove(TRANSFER_ENCODING);
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }
}

fn boxed(body: Bytes) -> UnsyncBoxBody<Bytes, Broken> {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn answer(status: u16, kind: &str, body: String) -> Answer {
    let answer = Response::builder().status(status).header(CONTENT_TYPE, kind);
    answer.body(boxed(body.into())).expect("an answer")
}

fn refusal(status: u16, code: &str, wait: Option<u64>) -> Answer {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>by plan</Message></Error>");
    let mut refusal = answer(status, "application/xml", text);
    if let Some(wait) = wait {
        refusal.headers_mut().insert(RETRY_AFTER, wait.into());
    }
    refusal
}

fn first_part(body: &Bytes, share: usize) -> Bytes {
    body.slice(..(body.len() * share / 100).min(body.len() - 1))
}

/// An answer of full length whose body breaks off.
fn cut_off(whole: Response<Bytes>, share: usize) -> Answer {
    whole.map(|body| {
        let part = first_part(&body, share);
        let frames = stream::unfold(Some(part), |part| async move {
            if let Some(part) = part {
                return Some((Ok(Frame::data(part)), None));
            }
            // What was written before is sent before the end.
            tokio::time::sleep(Duration::from_millis(2)).await;
            Some((Err(Broken), None))
        });
        BodyExt::boxed_unsync(StreamBody::new(frames))
    })
}

/// A shorter answer in good order.
fn short(mut whole: Response<Bytes>, share: usize, has_length: bool) -> Answer {
    let part = first_part(whole.body(), share);
    whole.headers_mut().remove(CONTENT_LENGTH);
    whole.map(|_| match has_length {
        true => boxed(part),
        false => BodyExt::boxed_unsync(StreamBody::new(stream::iter([Ok(Frame::data(part))]))),
    })
}

impl Call {
    /// With temporary credentials of this proxy and requests to it, and nothing of the machine's own AWS settings.
    pub fn through(self, proxy: &Proxy) -> Self {
        proxy.environment().into_iter().fold(self.away_from_aws(), |call, (name, value)| call.env(name, value))
    }
}
