//! An S3 server in the test process: real requests with real signatures over the loopback, objects in a folder.
//!
//! It serves until it is dropped. Buckets are folders of [`Server::folder`], so that a test puts objects there as files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::super::harness::{Call, Folder};

/// The key pair that the server knows.
pub const KEY: &str = "AKIATESTTESTTESTWXYZ";
pub const SECRET: &str = "canary-secret-of-the-tests-0123456789abcdef";

/// A running server.
pub struct Server {
    folder: Folder,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server with these empty buckets.
    pub fn start(buckets: &[&str]) -> Self {
        let folder = Folder::new();
        for bucket in buckets {
            std::fs::create_dir(folder.at(bucket)).expect("a bucket");
        }
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a file system"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
                started.send(listener.local_addr().expect("an address")).expect("the test waits");
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener, service) => {}
                }
            });
        });
        let address = address.recv().expect("the server starts");
        Self { folder, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder with the buckets.
    pub fn folder(&self) -> &Folder {
        &self.folder
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

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
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

async fn serve(listener: TcpListener, service: S3Service) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        // Head and body of an answer are two writes, of which the second would wait for word of the first.
        socket.set_nodelay(true).expect("an open socket");
        tokio::spawn(async move {
            // A client may go whenever it likes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

impl Call {
    /// With nothing of the machine's own AWS settings, and this server's address and key.
    pub fn on(self, server: &Server) -> Self {
        self.away_from_aws()
            .env("AWS_ENDPOINT_URL_S3", server.endpoint())
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "us-east-1")
    }

    /// With nothing of the machine's own AWS settings.
    pub fn away_from_aws(self) -> Self {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let call = names.filter(|name| name.starts_with("AWS_")).fold(self, |call, name| call.env_remove(&name));
        call.env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("NO_PROXY", "127.0.0.1,localhost")
    }
}
