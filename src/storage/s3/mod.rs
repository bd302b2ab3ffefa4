//! Buckets: reached when the first request is made, and not before.

mod credentials;
mod denial;
mod doctor;
mod fault;
mod settings;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::client::CredentialProvider;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, RetryConfig,
};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use super::traffic::Traffic;
use crate::error::{Error, Result};
use crate::lake::store::{Encryption, Store};
use credentials::Source;
use fault::Refused;
use settings::Settings;
use wire::Wire;

pub use doctor::{Finding, examine};

/// Times that object_store takes up a long body where it broke, and for how long after its beginning; each time is a request
/// with limits of its own.
const RESUMPTIONS: usize = 5;
const RESUMED_FOR: Duration = Duration::from_hours(1);

/// A bucket as a store.
#[derive(Clone, Debug)]
pub struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    traffic: Arc<Traffic>,
    runtime: Handle,
    reached: OnceCell<Reached>,
}

/// What there is once the first request is made.
#[derive(Debug)]
struct Reached {
    s3: AmazonS3,
    settings: Arc<Settings>,
    source: Arc<Source>,
    wire: Wire,
}

impl Bucket {
    /// Nothing is read or asked for before the first request; `runtime`, where requests run, must outlive the bucket.
    pub fn new(store: Store, traffic: Arc<Traffic>, runtime: Handle) -> Self {
        let anonymous = store.anonymous || asks_for_no_signature();
        let store = Store { anonymous, ..store };
        Self(Arc::new(Inner { store, traffic, runtime, reached: OnceCell::new() }))
    }

    async fn reached(&self) -> object_store::Result<&Reached> {
        let Inner { store, traffic, runtime, reached } = self.0.as_ref();
        let reached = reached.get_or_try_init(|| async {
            let (store, traffic, handle) = (store.clone(), Arc::clone(traffic), runtime.clone());
            let reached = runtime.spawn(async move { reach(&store, traffic, &handle).await }).await;
            reached.unwrap_or_else(|_| Err(Error::internal("reaching a bucket ended in a panic")))
        });
        reached.await.map_err(Refused::into_store_error)
    }

    /// Server and bucket, as requests name them.
    pub async fn address(&self) -> object_store::Result<String> {
        Ok(self.reached().await?.settings.bucket_address())
    }

    async fn s3(&self) -> object_store::Result<&AmazonS3> {
        Ok(&self.reached().await?.s3)
    }

    /// The bucket for a request, and the time from which on the request has the credentials that there are.
    async fn asking(&self) -> object_store::Result<(&AmazonS3, Instant)> {
        let reached = self.reached().await?;
        if !self.0.store.anonymous {
            reached.source.get_credential().await?;
        }
        Ok((&reached.s3, Instant::now()))
    }

    /// The bucket for one more try of what was `asked` then, when it failed because the credentials have expired and there are
    /// new ones.
    ///
    /// # Errors
    /// The failure itself in all other cases.
    async fn again(&self, failure: object_store::Error, asked: Instant) -> object_store::Result<&AmazonS3> {
        let reached = self.reached().await?;
        let renewed = Refused::is_expiry(&failure) && reached.source.renew(asked).await;
        if renewed { Ok(&reached.s3) } else { Err(failure) }
    }

    /// A listing of all behind `offset`, begun anew where its first answer is that the credentials have expired.
    async fn listing(self, prefix: Option<ObjectPath>, offset: Option<ObjectPath>) -> object_store::Result<Objects> {
        let begin = |s3: &AmazonS3| match &offset {
            Some(offset) => s3.list_with_offset(prefix.as_ref(), offset),
            None => s3.list(prefix.as_ref()),
        };
        let (s3, asked) = self.asking().await?;
        let mut objects = begin(s3);
        let Some(first) = objects.next().await else { return Ok(stream::empty().boxed()) };
        Ok(match first {
            Ok(first) => stream::iter([Ok(first)]).chain(objects).boxed(),
            Err(failure) => begin(self.again(failure, asked).await?),
        })
    }
}

/// Objects of a listing as they come.
type Objects = BoxStream<'static, object_store::Result<ObjectMeta>>;

/// The variable with which other tools on object_store are told the same.
fn asks_for_no_signature() -> bool {
    std::env::var("AWS_SKIP_SIGNATURE").is_ok_and(|value| value == "true" || value == "1")
}

async fn reach(store: &Store, traffic: Arc<Traffic>, runtime: &Handle) -> Result<Reached> {
    let settings = Arc::new(Settings::resolve(store).await?);
    let source = Arc::new(Source::new(Arc::clone(&settings), runtime.clone()));
    let wire = Wire::new(Arc::clone(&settings), traffic, runtime.clone())?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&store.bucket)
        .with_region(&settings.region)
        // An address with the bucket in it is what it calls virtual; which style it is was decided before.
        .with_endpoint(settings.bucket_address())
        .with_virtual_hosted_style_request(true)
        .with_allow_http(true)
        .with_credentials(Arc::clone(&source) as _)
        .with_skip_signature(store.anonymous)
        .with_request_payer(store.requester_pays)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_disable_tagging(true)
        .with_retry(RetryConfig { max_retries: RESUMPTIONS, retry_timeout: RESUMED_FOR, ..RetryConfig::default() })
        .with_http_connector(wire.clone());
    let (kind, key) = match &store.encryption {
        None => (None, None),
        Some(Encryption::Service) => (Some("AES256"), None),
        Some(Encryption::Kms(key)) => (Some("aws:kms"), key.as_ref()),
    };
    if let (Some(kind), Ok(setting)) = (kind, "aws_server_side_encryption".parse()) {
        builder = builder.with_config(setting, kind);
    }
    if let Some(key) = key {
        builder = builder.with_sse_kms_encryption(key);
    }
    let s3 = builder.build().map_err(|error| {
        Error::storage(format!("cannot set up bucket `{}`: {error}", store.bucket)).caused_by(error)
    })?;
    Ok(Reached { s3, settings, source, wire })
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.0.store.bucket)
    }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(
        &self,
        location: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let (s3, asked) = self.asking().await?;
        match s3.put_opts(location, payload.clone(), options.clone()).await {
            Err(failure) => self.again(failure, asked).await?.put_opts(location, payload, options).await,
            done => done,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &ObjectPath,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let (s3, asked) = self.asking().await?;
        match s3.put_multipart_opts(location, options.clone()).await {
            Err(failure) => self.again(failure, asked).await?.put_multipart_opts(location, options).await,
            done => done,
        }
    }

    async fn get_opts(&self, location: &ObjectPath, options: GetOptions) -> object_store::Result<GetResult> {
        let (s3, asked) = self.asking().await?;
        match s3.get_opts(location, options.clone()).await {
            Err(failure) if options.head && Refused::is_mute(&failure) => {
                // The answer to a get says why; one that says nothing of the kind leaves the first as it is.
                let first_byte = GetOptions { head: false, range: Some((0..1).into()), ..options };
                self.get_opts(location, first_byte).await.map_err(|reason| match Refused::of(&reason) {
                    Some(_) => reason,
                    None => failure,
                })
            }
            Err(failure) => self.again(failure, asked).await?.get_opts(location, options).await,
            done => done,
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<ObjectPath>>,
    ) -> BoxStream<'static, object_store::Result<ObjectPath>> {
        let bucket = self.clone();
        stream::once(async move { bucket.s3().await.map(|s3| s3.delete_stream(locations)) }).try_flatten().boxed()
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> Objects {
        stream::once(self.clone().listing(prefix.cloned(), None)).try_flatten().boxed()
    }

    fn list_with_offset(&self, prefix: Option<&ObjectPath>, offset: &ObjectPath) -> Objects {
        stream::once(self.clone().listing(prefix.cloned(), Some(offset.clone()))).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> object_store::Result<ListResult> {
        let (s3, asked) = self.asking().await?;
        match s3.list_with_delimiter(prefix).await {
            Err(failure) => self.again(failure, asked).await?.list_with_delimiter(prefix).await,
            done => done,
        }
    }

    async fn copy_opts(&self, from: &ObjectPath, to: &ObjectPath, options: CopyOptions) -> object_store::Result<()> {
        let (s3, asked) = self.asking().await?;
        match s3.copy_opts(from, to, options.clone()).await {
            Err(failure) => self.again(failure, asked).await?.copy_opts(from, to, options).await,
            done => done,
        }
    }
}
