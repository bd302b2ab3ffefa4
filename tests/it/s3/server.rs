//! An S3 server in the test process: real requests with real signatures over the loopback, objects in a folder.
//!
//! It serves until it is dropped, and counts what it is asked. Buckets are folders of [`Server::folder`], so that a test puts
//! objects there as files.

use std::net::SocketAddr;
use std::ops::Sub;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{HeaderMap, Request};
use s3s::auth::SimpleAuth;
use s3s::host::SingleDomain;
use s3s::service::{S3Service, S3ServiceBuilder};

use super::super::harness::{Call, Folder};
use super::buckets::Buckets;
use super::http::{Asked, Kind, Listening};

/// The key pair that the server knows.
pub const KEY: &str = "AKIATESTTESTTESTWXYZ";
pub const SECRET: &str = "canary-secret-of-the-tests-0123456789abcdef";

/// A running server.
pub struct Server {
    folder: Folder,
    /// What calls keep of it.
    cache: Folder,
    listening: Listening,
    scheme: &'static str,
    requests: Arc<Mutex<Requests>>,
}

/// How a server is reached.
pub enum Reach {
    Plain,
    /// Over TLS as `localhost`, with a certificate that [`super::http::AUTHORITY`] has signed.
    Tls,
    /// With the bucket before this name in the header `Host`.
    Domain(&'static str),
}

/// Requests that were answered, also those that were refused.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    asked: Vec<Asked>,
    /// What came with each.
    headers: Vec<HeaderMap>,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
}

impl Requests {
    /// The requests of a kind, in the order of their answers.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(move |asked| asked.kind == kind)
    }

    /// How many requests of a kind there were.
    pub fn count(&self, kind: Kind) -> usize {
        self.of(kind).count()
    }

    pub fn total(&self) -> usize {
        self.asked.len()
    }

    /// The value of a header in each request of a kind.
    pub fn header<'a>(&'a self, kind: Kind, name: &'a str) -> Vec<Option<&'a str>> {
        let both = self.asked.iter().zip(&self.headers).filter(move |(asked, _)| asked.kind == kind);
        both.map(|(_, headers)| headers.get(name).map(|value| value.to_str().expect("a header in letters"))).collect()
    }
}

impl Sub for Requests {
    type Output = Self;

    /// What came since the earlier ones.
    fn sub(mut self, earlier: Self) -> Self {
        Self {
            asked: self.asked.split_off(earlier.asked.len()),
            headers: self.headers.split_off(earlier.headers.len()),
            bytes: self.bytes - earlier.bytes,
        }
    }
}

impl Server {
    /// Starts a server with these empty buckets.
    pub fn start(buckets: &[&str]) -> Self {
        Self::start_as(&Reach::Plain, buckets)
    }

    /// Starts a server with these empty buckets that is reached in another way.
    pub fn start_as(reach: &Reach, buckets: &[&str]) -> Self {
        let folder = Folder::new();
        for bucket in buckets {
            std::fs::create_dir(folder.at(bucket)).expect("a bucket");
        }
        let mut builder = S3ServiceBuilder::new(Buckets::new(folder.path()));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        if let Reach::Domain(domain) = reach {
            builder.set_host(SingleDomain::new(domain).expect("a domain"));
        }
        let service = builder.build();
        let requests = Arc::<Mutex<Requests>>::default();
        let counted = Arc::clone(&requests);
        let service = service_fn(move |request| answer(service.clone(), Arc::clone(&counted), request));
        let (listening, scheme) = match reach {
            Reach::Tls => (Listening::start_tls(service), "https://localhost"),
            Reach::Plain | Reach::Domain(_) => (Listening::start(service), "http://127.0.0.1"),
        };
        Self { folder, cache: Folder::new(), listening, scheme, requests }
    }

    /// Where it answers: `http://127.0.0.1:PORT`, or with TLS `https://localhost:PORT`.
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.scheme, self.listening.address().port())
    }

    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// The folder with the buckets.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What it was asked since it started. Of a part of a test: `server.requests() - before`.
    pub fn requests(&self) -> Requests {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder in which calls keep what they read from it.
    pub fn cache(&self) -> &Folder {
        &self.cache
    }

    /// Puts a copy of a file or a folder under a key of a bucket.
    pub fn put(&self, from: &Path, to: &str) {
        let to = self.folder.at(to);
        let files = if from.is_dir() { files_below(from) } else { vec![PathBuf::new()] };
        for file in files {
            let target = to.components().chain(file.components()).collect::<PathBuf>();
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("the folder is made");
            let source = if file.as_os_str().is_empty() { from.to_owned() } else { from.join(&file) };
            std::fs::copy(source, target).expect("the object is put");
        }
    }
}

/// The files below a folder, relative to it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = PathBuf::from(entry.file_name());
        match entry.path().is_dir() {
            true => files.extend(files_below(&entry.path()).into_iter().map(|below| name.join(below))),
            false => files.push(name),
        }
    }
    files
}

async fn answer(
    service: S3Service,
    requests: Arc<Mutex<Requests>>,
    request: Request<Incoming>,
) -> Result<s3s::HttpResponse, s3s::HttpError> {
    let (asked, headers) = (Asked::of(&request), request.headers().clone());
    let response = Service::call(&service, request).await?;
    let length = response.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    if asked.kind != Kind::Head {
        requests.bytes += length.or_else(|| response.body().size_hint().exact()).unwrap_or_default();
    }
    requests.asked.push(asked);
    requests.headers.push(headers);
    drop(requests);
    Ok(response)
}

/// What keeps the machine's own AWS settings away.
pub const AWAY: [(&str, &str); 4] = [
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("NO_PROXY", "127.0.0.1,localhost"),
];

impl Call {
    /// With nothing of the machine's own AWS settings, and this server's address and key.
    pub fn on(self, server: &Server) -> Self {
        self.away_from_aws()
            .env("AWS_ENDPOINT_URL_S3", server.endpoint())
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
            .env("XDG_CACHE_HOME", server.cache().path())
    }

    /// With nothing of the machine's own AWS settings.
    pub fn away_from_aws(self) -> Self {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let call = names.filter(|name| name.starts_with("AWS_")).fold(self, |call, name| call.env_remove(&name));
        AWAY.into_iter().fold(call, |call, (name, value)| call.env(name, value))
    }
}
