//! The one hash by which rows, files and queries are known again.

use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

/// A SHA-256 of what is written to it.
#[derive(Default)]
pub struct Hash(Sha256);

impl Hash {
    /// The hash of these bytes, in hexadecimal digits.
    pub fn of(bytes: &[u8]) -> String {
        let mut hash = Self::default();
        hash.0.update(bytes);
        hash.digits()
    }

    /// The hash of all that was written, in hexadecimal digits.
    pub fn digits(self) -> String {
        self.0.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
