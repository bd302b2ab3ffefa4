//! Small HTTP servers on the loopback, and what S3 requests ask for. They serve until they are dropped.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper::body::{Body, Incoming};
use hyper::header::RANGE;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate of `localhost`, its key, and the authority that signed it: no machine trusts that one of its own accord.
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");
const CERTIFICATE_KEY: &[u8] = include_bytes!("tls/server.key");
pub const AUTHORITY: &str = include_str!("tls/authority.pem");

/// A service that listens on a port of its own, in a thread of its own.
pub struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Starts on a port that is free. A failure of the service ends the connection without an answer.
    pub fn start<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::start_with(service, None)
    }

    /// The same over TLS, as `localhost`.
    pub fn start_tls<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::start_with(service, Some(acceptor()))
    }

    fn start_with<S, B>(service: S, tls: Option<TlsAcceptor>) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
                started.send(listener.local_addr().expect("an address")).expect("the test waits");
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener, service, tls) => {}
                }
            });
        });
        Self { address: address.recv().expect("the server starts"), stop: Some(stop), thread: Some(thread) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What makes a connection one over TLS, as `localhost`.
pub fn acceptor() -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(CERTIFICATE_KEY).expect("a key");
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits the certificate");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve<S, B>(listener: TcpListener, service: S, tls: Option<TlsAcceptor>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    while let Ok((socket, _)) = listener.accept().await {
        let (service, tls) = (service.clone(), tls.clone());
        // Head and body of an answer are two writes, of which the second would wait for word of the first.
        socket.set_nodelay(true).expect("an open socket");
        tokio::spawn(async move {
            // A client may go whenever it likes, and need not like the certificate.
            let _ = match tls {
                None => http1::Builder::new().serve_connection(TokioIo::new(socket), service).await,
                Some(tls) => match tls.accept(socket).await {
                    Ok(socket) => http1::Builder::new().serve_connection(TokioIo::new(socket), service).await,
                    Err(_) => Ok(()),
                },
            };
        });
    }
}

/// What a request asks for, by its head.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    pub kind: Kind,
    pub bucket: String,
    /// The object's key; of a listing the prefix.
    pub key: String,
    /// The range of a get, as it was written.
    pub range: Option<String>,
}

/// The kinds of requests that the tests tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    List,
    Head,
    Get,
    Put,
    /// Beginning, continuing, completing or giving up an upload in parts.
    Upload,
    Delete,
    Other,
}

impl Asked {
    pub fn of<B>(request: &Request<B>) -> Self {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let query: Vec<(&str, &str)> = request.uri().query().unwrap_or_default().split('&').map(pair).collect();
        let value = |name: &str| query.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let is_upload = value("uploadId").is_some() || value("uploads").is_some();
        let kind = match *request.method() {
            _ if is_upload => Kind::Upload,
            Method::GET if value("list-type").is_some() => Kind::List,
            Method::GET if !key.is_empty() => Kind::Get,
            Method::HEAD => Kind::Head,
            Method::PUT => Kind::Put,
            Method::DELETE => Kind::Delete,
            Method::POST if value("delete").is_some() => Kind::Delete,
            _ => Kind::Other,
        };
        let key = if kind == Kind::List { value("prefix").unwrap_or_default() } else { key };
        let range = request.headers().get(RANGE).map(|range| String::from_utf8_lossy(range.as_bytes()).into_owned());
        Self { kind, bucket: bucket.to_owned(), key: percent_decode_str(key).decode_utf8_lossy().into_owned(), range }
    }
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or((text, ""))
}
