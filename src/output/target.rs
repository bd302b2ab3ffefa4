//! Where a result goes: standard output, or a file that appears only when it is complete.

use std::fs::File;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Something to write one or more results to.
#[derive(Debug)]
pub struct Target {
    place: Place,
    /// Whether a write found that the reader has gone.
    closed: bool,
}

#[derive(Debug)]
enum Place {
    Stdout(BufWriter<Stdout>),
    /// A new file, kept under a temporary name beside its place until [`Target::commit`].
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
    /// Something that is there and is no regular file, such as a named pipe.
    Device(File),
}

impl Target {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::at(Place::Stdout(BufWriter::new(io::stdout())))
    }

    fn at(place: Place) -> Self {
        Self { place, closed: false }
    }

    /// Whether a write found that the reader has gone, as `head` does when it has seen enough.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// A file at this path; a file that is there is replaced when the new one is complete.
    ///
    /// # Errors
    /// `Storage` when its folder cannot be written to, so that a wrong path fails before the work and not after it.
    pub fn file(path: &Path) -> Result<Self> {
        let failed =
            |error: io::Error| Error::storage(format!("cannot write `{}`: {error}", path.display())).caused_by(error);
        // A link stays a link: what it points to is replaced.
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if place.is_dir() {
            return Err(Error::usage(format!("cannot write `{}`: it is a folder", path.display())));
        }
        if place.exists() && !place.is_file() {
            let device = File::options().write(true).open(&place).map_err(failed)?;
            return Ok(Self::at(Place::Device(device)));
        }
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(Error::storage(format!(
                "cannot write `{}`: there is no folder `{}`",
                path.display(),
                folder.display()
            )));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".cxlake-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(failed)?;
        // Who may read a file that is replaced does not change with its content.
        if let Ok(replaced) = place.metadata() {
            file.as_file().set_permissions(replaced.permissions()).map_err(failed)?;
        }
        let file = BufWriter::new(file);
        Ok(Self::at(Place::File { file, path: place }))
    }

    /// The folder of a file's place; `None` for what is no file.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::File { path, .. } => path.parent(),
            Place::Stdout(_) | Place::Device(_) => None,
        }
    }

    /// Takes a file that another has written in [`Self::folder`], and puts it in its place with its bytes on the disk; a device
    /// is given its bytes.
    ///
    /// # Errors
    /// Those of the disk, and of the device.
    pub fn adopt(self, written: &Path) -> io::Result<()> {
        match self.place {
            Place::File { file, path } => {
                let permissions = file.get_ref().as_file().metadata()?.permissions();
                let adopted = File::options().write(true).open(written)?;
                adopted.set_permissions(permissions)?;
                adopted.sync_all()?;
                std::fs::rename(written, path)
            }
            Place::Stdout(mut out) => {
                io::copy(&mut File::open(written)?, &mut out)?;
                out.flush()
            }
            Place::Device(mut device) => io::copy(&mut File::open(written)?, &mut device).map(|_| ()),
        }
    }

    /// Puts a file in its place, with its bytes on the disk; nothing to do for the others.
    ///
    /// # Errors
    /// `Storage` when the disk refuses.
    pub fn commit(self) -> Result<()> {
        let Place::File { file, path } = self.place else { return Ok(()) };
        let failed =
            |error: io::Error| Error::storage(format!("cannot write `{}`: {error}", path.display())).caused_by(error);
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

impl Target {
    fn watch<T>(&mut self, work: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        let result = match &mut self.place {
            Place::Stdout(out) => work(out),
            Place::File { file, .. } => work(file),
            Place::Device(file) => work(file),
        };
        self.closed |= result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        result
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.watch(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.watch(|out| out.flush())
    }
}
