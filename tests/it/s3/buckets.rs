//! Buckets in a folder, with what S3 knows of versions: every answer and every listing carries an object's etag, and a get
//! that asks for one gets that or none.
//!
//! The file system beneath has neither etags in listings nor `If-Match` on a get, and another error for an upload that has
//! ended. An etag here is made of the file's number, time and length, so that a file which a test replaces has another.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CopyObjectInput, CopyObjectOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, ETag, GetObjectInput, GetObjectOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

/// The buckets below a folder.
pub struct Buckets {
    folder: PathBuf,
    files: FileSystem,
    /// Objects are created one after the other: the file system looks first, and writes then.
    creating: tokio::sync::Mutex<()>,
}

impl Buckets {
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: FileSystem::new(folder).expect("a file system"),
            creating: tokio::sync::Mutex::default(),
        }
    }

    /// The etag of what lies under a key now, if anything does.
    fn etag(&self, bucket: &str, key: &str) -> Option<ETag> {
        let file = std::fs::metadata(self.folder.join(bucket).join(key)).ok()?;
        let time = i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec());
        Some(ETag::Strong(format!("{:x}-{time:x}-{:x}", file.ino(), file.size())))
    }
}

#[async_trait::async_trait]
impl S3 for Buckets {
    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let before = self.etag(&bucket, &key);
        if let (Some(wanted), Some(found)) = (&request.input.if_match, &before)
            && !(wanted.is_any() || wanted.as_etag().is_some_and(|wanted| wanted.strong_cmp(found)))
        {
            return Err(s3_error!(PreconditionFailed));
        }
        let mut answer = self.files.get_object(request).await?;
        if self.etag(&bucket, &key) != before {
            return Err(s3_error!(SlowDown, "the object was replaced while it was opened"));
        }
        answer.output.e_tag = before;
        Ok(answer)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let etag = self.etag(&request.input.bucket, &request.input.key);
        let mut answer = self.files.head_object(request).await?;
        answer.output.e_tag = etag;
        Ok(answer)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = request.input.bucket.clone();
        let mut answer = self.files.list_objects_v2(request).await?;
        for object in answer.output.contents.iter_mut().flatten() {
            object.e_tag = self.etag(&bucket, object.key.as_deref().unwrap_or_default());
        }
        Ok(answer)
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let _turn = if request.input.if_none_match.is_some() { Some(self.creating.lock().await) } else { None };
        let mut answer = self.files.put_object(request).await?;
        answer.output.e_tag = self.etag(&bucket, &key);
        Ok(answer)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.files.delete_objects(request).await
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        self.files.copy_object(request).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.files.upload_part(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        if !self.folder.join(format!(".upload-{}.json", request.input.upload_id)).exists() {
            return Err(s3_error!(NoSuchUpload));
        }
        self.files.complete_multipart_upload(request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.files.abort_multipart_upload(request).await
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        self.files.list_buckets(request).await
    }
}
