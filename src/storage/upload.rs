//! One object, written from its beginning to its end, that appears when it is complete.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::{MultipartUpload, ObjectStoreExt};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout;

use super::{Stores, explain};
use crate::error::{Error, Result};

/// Bytes of a part. All but the last are of this size, as some servers demand; ten thousand make the largest object, 160 GB.
const PART: usize = 16 << 20;

/// Parts that are sent at once; as many bytes are held.
const AT_ONCE: usize = 4;

/// How long giving the upload up may take.
const GIVING_UP: Duration = Duration::from_secs(5);

/// An object that is being written. Its parts are sent while it is, on the program's own runtime.
#[derive(Debug)]
pub struct Upload {
    address: String,
    buffer: Vec<u8>,
    parts: mpsc::Sender<Bytes>,
    sending: JoinHandle<(Box<dyn MultipartUpload>, object_store::Result<()>)>,
}

impl Upload {
    /// Begins an object, so that a wrong address or a missing right fails before the work and not after it.
    ///
    /// # Errors
    /// `Usage` where nothing may be written; `Storage` when the server refuses.
    pub async fn begin(stores: &Stores, address: &str) -> Result<Self> {
        let (bucket, path) = stores.writable(address)?;
        let upload = bucket.put_multipart(&path).await;
        let upload = upload.map_err(|error| explain(&error, &format!("cannot write `{address}`")))?;
        let (parts, received) = mpsc::channel(1);
        let sending = stores.runtime().spawn(send(upload, received));
        Ok(Self { address: address.to_owned(), buffer: Vec::new(), parts, sending })
    }

    /// Lets the object appear.
    ///
    /// # Errors
    /// `Storage` when the server does not take it; nothing is left then.
    pub async fn commit(mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            // Where nobody receives it any more, sending has failed, and says so below.
            let _ = self.parts.send(std::mem::take(&mut self.buffer).into()).await;
        }
        let address = self.address.clone();
        let (mut upload, sent) = self.end().await?;
        let done = match sent {
            Ok(()) => upload.complete().await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            let _ = timeout(GIVING_UP, upload.abort()).await;
            return Err(explain(&error, &format!("cannot write `{address}`")));
        }
        Ok(())
    }

    /// Gives the object up; says what went wrong with sending it, if that is why.
    pub async fn discard(self) -> Option<Error> {
        let address = self.address.clone();
        let (mut upload, sent) = match self.end().await {
            Ok(ended) => ended,
            Err(error) => return Some(error),
        };
        // A server that cannot be reached keeps the parts until its own rules remove them; nobody ever sees them.
        let _ = timeout(GIVING_UP, upload.abort()).await;
        sent.err().map(|error| explain(&error, &format!("cannot write `{address}`")))
    }

    async fn end(self) -> Result<(Box<dyn MultipartUpload>, object_store::Result<()>)> {
        drop(self.parts);
        self.sending.await.map_err(|error| Error::internal(format!("the upload ended in a panic: {error}")))
    }
}

/// Sends the parts as they come, until there are no more or one fails.
async fn send(
    mut upload: Box<dyn MultipartUpload>,
    mut parts: mpsc::Receiver<Bytes>,
) -> (Box<dyn MultipartUpload>, object_store::Result<()>) {
    let mut sending = FuturesUnordered::new();
    while let Some(part) = parts.recv().await {
        sending.push(upload.put_part(part.into()));
        while sending.len() >= AT_ONCE {
            if let Some(Err(error)) = sending.next().await {
                return (upload, Err(error));
            }
        }
    }
    while let Some(sent) = sending.next().await {
        if let Err(error) = sent {
            return (upload, Err(error));
        }
    }
    (upload, Ok(()))
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= PART {
            let rest = self.buffer.split_off(PART);
            let part = Bytes::from(std::mem::replace(&mut self.buffer, rest));
            // Whoever writes faster than the network sends waits here.
            block_in_place(|| self.parts.blocking_send(part)).map_err(|_| io::Error::other("the upload has failed"))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
